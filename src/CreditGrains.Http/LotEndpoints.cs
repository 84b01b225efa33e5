using CreditGrains.Actors;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;
using IClock = CreditGrains.Actors.IClock;

namespace CreditGrains.Http;

/// <summary>Lots of a contract (L1).</summary>
internal static class LotEndpoints
{
    public static void MapLots(this IEndpointRouteBuilder v1)
    {
        v1.MapPost("/contracts/{contractId}/lots", Post).Needs(Access.Operate).Answers<LotDocument>("Adds a purchased lot; lotId and Idempotency-Key make it repeatable", 201, 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.ContractNotActive, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/contracts/{contractId}/lots", List).Needs(Access.Read).Answers<Listing<LotDocument>>("Lots, by creation", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> Post(string contractId, LotBody body, Caller caller, IActors actors, HttpRequest request, CancellationToken gone)
    {
        if (RequestKeys.Fault(request) is { } malformed) return malformed;
        if (body.Check() is { } invalid) return Problems.Of(invalid);

        var key = RequestKeys.Of(request, body);
        var decision = await actors.Contract(contractId).Grant(body.ToGrant(caller), key).WaitAsync(gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        // As of its creation, so that a replay says what the first answer said.
        var (lot, replayed) = decision.Value!;
        var document = LotDocument.Of(contractId, lot, lot.CreatedAt);
        return replayed ? new Replayed<LotDocument>(document) : TypedResults.Created($"/v1/contracts/{contractId}/lots", document);
    }

    private static async Task<IResult> List(string contractId, string? limit, string? cursor, Caller caller, Clients clients, IQueries queries, IClock clock, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NotFound($"contract {contractId}");

        var now = clock.Now;
        return TypedResults.Ok(Listing<LotDocument>.Of(await queries.Lots(contractId, Parameters.Page(limit, cursor)).WaitAsync(gone), lot => LotDocument.Of(contractId, lot, now)));
    }
}

/// <summary>A lot as it is shown (L1); <paramref name="Available"/>: what a draw could take, in credits.</summary>
internal sealed record LotDocument(
    string LotId, string ContractId, LotSource Source, string PaymentId, long Quantity, long Available, Instant CreatedAt, Instant AvailableFrom, Instant? ExpiresAt)
{
    public static LotDocument Of(string contractId, Lot lot, Instant now) =>
        new(lot.LotId, contractId, lot.Source, lot.PaymentId, lot.Quantity, lot.AvailableAt(now), lot.CreatedAt, lot.AvailableFrom, lot.ExpiresAt);
}

/// <summary>A purchase; without a <paramref name="LotId"/> the service makes one.</summary>
internal sealed record LotBody(string? PaymentId, long? Quantity, string? LotId = null, Instant? AvailableFrom = null, Instant? ExpiresAt = null)
{
    public Refusal? Check() =>
        Fields.IdIfGiven("lotId", LotId) ?? (LotId == Lot.MintedId ? Refusal.Invalid("lotId", "is the service's own") : null)
        ?? Fields.Id("paymentId", PaymentId) ?? Fields.Given("quantity", Quantity);

    public GrantLot ToGrant(Caller caller) =>
        new(LotId ?? $"{Guid.CreateVersion7():N}", LotSource.Purchase, PaymentId!, Quantity!.Value, AvailableFrom, ExpiresAt, caller.Name);
}
