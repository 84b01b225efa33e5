using System.ComponentModel.DataAnnotations;
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
        v1.MapPatch("/contracts/{contractId}/lots/{lotId}", Patch).Needs(Access.Operate).ComparesTags()
            .Answers<LotDocument>("Changes a lot's expiry, begin or payment", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapPost("/contracts/{contractId}/lots/{lotId}/withdraw", Withdraw).Needs(Access.Operate).ComparesTags()
            .Answers<LotDocument>("Takes unallocated credits of a lot back, all or a number; Idempotency-Key makes it repeatable", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
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
        var document = LotDocument.Of(contractId, new(granted.Lot, []), granted.Lot.CreatedAt);
        return granted.Replayed ? new Replayed<LotDocument>(document) : TypedResults.Created($"/v1/contracts/{contractId}/lots/{document.LotId}", document);
    }

    private static async Task<IResult> List(
        string contractId, string? paymentId, string? limit, string? cursor, string? order,
        Caller caller, Clients clients, IQueries queries, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var now = clock.Now;
        var page = await unbooked.Lots(contractId, paymentId, now, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        var apart = (await queries.Apart(contractId).WaitAsync(gone)).ToLookup(lot => lot.LotId);
        return TypedResults.Ok(Listing<LotDocument>.Of(page, lot => LotDocument.Of(contractId, new(lot, [.. apart[lot.LotId]]), now)));
    }

    private static async Task<IResult> Get(string contractId, string lotId, Caller caller, LotReader lots, CancellationToken gone)
    {
        var (found, problem) = await lots.Find(contractId, lotId, caller, gone);
        return problem ?? (IResult)TypedResults.Ok(LotDocument.Of(contractId, found!.Lot, found.At));
    }

    private static Task<IResult> Patch(
        string contractId, string lotId, LotPatchBody body, Caller caller, LotReader lots, IGrainFactory grains, HttpRequest request, CancellationToken gone) =>
        Correct(contractId, lotId, (contract, seen, key) => contract.ChangeLot(body.ToChange(lotId, caller, seen), key), caller, lots, grains, request, gone);

    private static Task<IResult> Withdraw(
        string contractId, string lotId, WithdrawBody body, Caller caller, LotReader lots, IGrainFactory grains, HttpRequest request, CancellationToken gone) =>
        Correct(contractId, lotId, (contract, seen, key) => contract.Withdraw(body.ToWithdraw(lotId, caller, seen), key), caller, lots, grains, request, gone);

    private static async Task<IResult> Correct(
        string contractId, string lotId, Func<IContractGrain, string?, RequestKey?, Task<Decision<Answered<CorrectedLot>>>> correct,
        Caller caller, LotReader lots, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        var (present, problem) = await lots.Find(contractId, lotId, caller, gone);
        if (present is null) return problem!;
        var demand = Tags.DemandOf(request, Tags.Of(LotDocument.Of(contractId, present.Lot, present.At)));
        if (demand.Refused is { } refused) return refused;

        var seen = demand.Value(present.Lot.VersionAt(present.At));
        return Replies.Of(await grains.Ask(all => correct(all.Contract(contractId), seen, key), gone), lot => LotDocument.Of(contractId, lot.Lot, lot.At));
    }
}

/// <summary>Finds lots as they are shown, those that nobody has booked yet, too (T3).</summary>
internal sealed class LotReader(Clients clients, IQueries queries, Unbooked unbooked, IBusinessClock clock)
{
    /// <summary>A lot at an instant; or the problem that there is none for the caller.</summary>
    public async Task<(CorrectedLot? Found, Problem? Problem)> Find(string contractId, string lotId, Caller caller, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return (null, Problems.NoContract(contractId));

        var now = clock.Now;
        if (await unbooked.Lot(contractId, lotId, now).WaitAsync(gone) is not { } lot)
            return (null, Problems.NotFound($"lot {lotId} of contract {contractId}"));
        var apart = await queries.Apart(contractId).WaitAsync(gone);
        return (new(new(lot, [.. apart.Where(credit => credit.LotId == lotId)]), now), null);
    }
}

/// <summary>A lot as it is shown (L1); <paramref name="Available"/>: what a draw could take, in credits.</summary>
internal sealed record LotDocument(
    string LotId, string ContractId, LotSource Source, string PaymentId, long Quantity, long Available, long Withdrawn, Instant CreatedAt,
    Instant AvailableFrom, Instant? ExpiresAt)
{
    public static LotDocument Of(string contractId, WholeLot whole, Instant now)
    {
        var lot = whole.Lot;
        return new(
            lot.LotId, contractId, lot.Source, lot.PaymentId, lot.Quantity, whole.AvailableAt(now), whole.Withdrawn, lot.CreatedAt,
            lot.AvailableFrom, lot.ExpiresAt);
    }
}

/// <summary>A lot as it shall be (L6); what is left out stays. availableFrom null: it begins now; expiresAt null: it lasts as long as its contract.</summary>
internal sealed record LotPatchBody : PatchBody, IBody
{
    public string? PaymentId { get; init => field = Sent(value); }

    public Instant? AvailableFrom { get; init => field = Sent(value); }

    public Instant? ExpiresAt { get; init => field = Sent(value); }

    [Required]
    public string? Reason { get; init => field = Sent(value); }

    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        NotNull(nameof(PaymentId)), NotNull(nameof(Reason)), Fields.ExternalIdIfGiven("paymentId", PaymentId), Fields.Reason("reason", Reason));

    public ChangeLot ToChange(string lotId, Caller caller, string? seen) =>
        new(lotId, PaymentId, AvailableFrom, IsNull(nameof(AvailableFrom)), ExpiresAt, IsNull(nameof(ExpiresAt)), Reason!, caller.Name, seen);
}

/// <summary>Takes credits of a lot back (L6); without a <paramref name="Quantity"/> all that are unallocated.</summary>
internal sealed record WithdrawBody(string? Reason, long? Quantity = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Reason("reason", Reason);

    public WithdrawCredits ToWithdraw(string lotId, Caller caller, string? seen) => new(lotId, Quantity, Reason!, caller.Name, seen);
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
