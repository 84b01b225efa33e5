using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Lots of a contract (L1).</summary>
internal static class LotEndpoints
{
    public static void MapLots(this IEndpointRouteBuilder v1)
    {
        v1.MapPost("/contracts/{contractId}/lots", Post).Needs(Access.Operate)
            .Answers<LotDocument>("Adds a purchased lot; lotId and Idempotency-Key make it repeatable", 201, 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.ContractNotActive, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/contracts/{contractId}/lots", List).Needs(Access.Read)
            .Answers<Listing<LotDocument>>("Lots, by creation", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/contracts/{contractId}/lots/{lotId}", Get).Needs(Access.Read).Answers<LotDocument>("A lot", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> Post(string contractId, LotBody body, Caller caller, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;

        var decision = await grains.Ask(all => all.Contract(contractId).Grant(body.ToGrant(caller), key), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        return Answer(contractId, decision.Value!);
    }

    /// <summary>As of the lot's creation, so that a replay says what the first answer said.</summary>
    public static IResult Answer(string contractId, GrantedLot granted)
    {
        var document = LotDocument.Of(contractId, granted.Lot, granted.Lot.CreatedAt);
        return granted.Replayed ? new Replayed<LotDocument>(document) : TypedResults.Created($"/v1/contracts/{contractId}/lots/{document.LotId}", document);
    }

    private static async Task<IResult> List(
        string contractId, string? paymentId, string? limit, string? cursor, string? order, Caller caller, Clients clients, IQueries queries, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var now = clock.Now;
        var page = await unbooked.Lots(contractId, paymentId, now, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        var apart = (await queries.Apart(contractId).WaitAsync(gone)).ToLookup(lot => lot.LotId);
        return TypedResults.Ok(Listing<LotDocument>.Of(page, lot => LotDocument.Of(contractId, lot, now, apart[lot.LotId])));
    }

    private static async Task<IResult> Get(
        string contractId, string lotId, Caller caller, Clients clients, IQueries queries, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var now = clock.Now;
        if (await unbooked.Lot(contractId, lotId, now).WaitAsync(gone) is not { } lot) return Problems.NotFound($"lot {lotId} of contract {contractId}");
        var apart = await queries.Apart(contractId).WaitAsync(gone);
        return TypedResults.Ok(LotDocument.Of(contractId, lot, now, apart.Where(credit => credit.LotId == lotId)));
    }
}

/// <summary>A lot as it is shown (L1); <paramref name="Available"/>: what a draw could take, in credits.</summary>
internal sealed record LotDocument(
    string LotId, string ContractId, LotSource Source, string PaymentId, long Quantity, long Available, Instant CreatedAt, Instant AvailableFrom, Instant? ExpiresAt)
{
    public static LotDocument Of(string contractId, Lot lot, Instant now, params IEnumerable<Lot> apart) =>
        new(lot.LotId, contractId, lot.Source, lot.PaymentId, lot.Quantity, apart.Append(lot).AvailableAt(now), lot.CreatedAt, lot.AvailableFrom, lot.ExpiresAt);
}

/// <summary>A purchase; without a <paramref name="LotId"/> the service makes one.</summary>
internal sealed record LotBody(string? PaymentId, long? Quantity, string? LotId = null, Instant? AvailableFrom = null, Instant? ExpiresAt = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.IdIfGiven("lotId", LotId)
            ?? (LotId == Lot.MintedId || (LotId is not null && Billing.IsLotId(LotId)) ? Refusal.Invalid("lotId", "must be another: this one is the service's own") : null),
        Fields.ExternalId("paymentId", PaymentId),
        Fields.Given("quantity", Quantity));

    public GrantLot ToGrant(Caller caller) =>
        new(LotId ?? $"{Guid.CreateVersion7():N}", LotSource.Purchase, PaymentId!, Quantity!.Value, AvailableFrom, ExpiresAt, caller.Name);
}
