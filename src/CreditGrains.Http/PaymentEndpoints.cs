using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>What lots were paid with (L1): a payment's id is the caller's, and several lots and contracts of a client may have it.</summary>
internal static class PaymentEndpoints
{
    public static void MapPayments(this IEndpointRouteBuilder v1) => v1.MapGet("/payments", List).Needs(Access.Read)
        .Answers<Listing<PaymentDocument>>("Payments, each with the sums of its lots, by client and payment", 200);

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? limit, string? cursor, string? order,
        Caller caller, Unbooked unbooked, IBusinessClock clock, CancellationToken gone) =>
        TypedResults.Ok(Listing<PaymentDocument>.Of(
            await unbooked.Payments(caller.ClientId ?? clientId, contractId, clock.Now, Parameters.Page(limit, cursor, order)).WaitAsync(gone),
            payment => PaymentDocument.Of(payment.Payment, payment.Credits)));
}

/// <summary>A payment and what was bought with it; with a filter by contract, for that contract.</summary>
internal sealed record PaymentDocument(
    string ClientId, string PaymentId, long Lots, long Quantity, Instant FirstAt, Instant LastAt, ImmutableArray<StatusCount> Counts)
{
    public static PaymentDocument Of(PaymentLots payment, ImmutableArray<StatusCount> counts) =>
        new(payment.ClientId, payment.PaymentId, payment.Lots, payment.Quantity, payment.FirstAt, payment.LastAt, counts);
}
