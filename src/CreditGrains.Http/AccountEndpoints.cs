using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Accounts, their purchases and records (S1, S4, S6).</summary>
internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/accounts/{accountId}", Put).Needs(Access.Operate).ComparesTags().Answers<AccountTerms>("Makes an account, or renames it", 200, 201)
            .Refuses(RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapPatch("/accounts/{accountId}", Patch).Needs(Access.Operate).ComparesTags().Answers<AccountTerms>("Changes what the merge patch names", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/accounts/{accountId}", Get).Needs(Access.Read).Answers<AccountTerms>("An account", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/accounts", List).Needs(Access.Read).Answers<Listing<AccountTerms>>("Accounts, by id", 200);
        v1.MapPost("/accounts/{accountId}/purchases", Buy).Needs(Access.Operate)
            .Answers<PurchaseDocument>("Adds a purchase; purchaseId and Idempotency-Key make it repeatable", 201, 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/accounts/{accountId}/purchases", Purchases).Needs(Access.Read)
            .Answers<Listing<PurchaseDocument>>("Purchases, by creation", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/accounts/{accountId}/purchases/{purchaseId}", GetPurchase).Needs(Access.Read)
            .Answers<PurchaseDocument>("A purchase", 200).Refuses(RefusalCode.NotFound);
        v1.MapPatch("/accounts/{accountId}/purchases/{purchaseId}", PatchPurchase).Needs(Access.Operate).ComparesTags()
            .Answers<PurchaseDocument>("Changes a purchase's days, quantity or description; one that has expired becomes available again", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapPost("/accounts/{accountId}/purchases/{purchaseId}/expire", Expire).Needs(Access.Operate).ComparesTags()
            .Answers<PurchaseDocument>("Ends a purchase now: what milestones do not hold of it expires", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/accounts/{accountId}/balance", Balance).Needs(Access.Read)
            .Answers<AccountBalance>("The balance of each currency, now or at another instant", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/accounts/{accountId}/audit", GetAudit).Needs(Access.Read)
            .Answers<AccountAudit>("Recomputes an account from its entries and records and compares", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/accounts/{accountId}/consumptions", Consumptions).Needs(Access.Read)
            .Answers<Listing<Consumption>>("Consumption records, in the order of writing", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/accounts/{accountId}/allocations", Allocations).Needs(Access.Read)
            .Answers<Listing<AllocationRecord>>("Allocation records, by id", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> Put(
        string accountId, AccountBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var present = await queries.Account(accountId).WaitAsync(gone);
        var demand = Tags.DemandOf(request, present is null ? null : Tags.Of(present));
        if (demand.Refused is { } refused) return refused;

        var set = new SetAccount(body.ToTerms(accountId), caller.Name, demand.Value(present));
        var decision = await grains.Ask(all => all.Account(accountId).Set(set), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        return present is null ? TypedResults.Created($"/v1/accounts/{accountId}", decision.Value!.Answer) : TypedResults.Ok(decision.Value!.Answer);
    }

    private static Task<IResult> Patch(
        string accountId, MergePatch<AccountBody> patch, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone) =>
        patch.Make<AccountTerms, AccountTerms>(
            request, Absent(accountId),
            async () => await Find(accountId, caller, queries, gone) is { } present ? (present, present) : null,
            async (body, found, demand, key) =>
            {
                var set = new SetAccount(body.ToTerms(accountId), caller.Name, demand.Value(found.Present) ?? Seen.Of(found.Present));
                return Replies.Shown(await grains.Ask(all => all.Account(accountId).Set(set, key), gone), changed => changed);
            });

    private static async Task<IResult> Get(string accountId, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(accountId, caller, queries, gone) is { } account ? TypedResults.Ok(account) : Absent(accountId);

    private static async Task<IResult> List(string? clientId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone) =>
        TypedResults.Ok(Listing<AccountTerms>.Of(await queries.Accounts(caller.ClientId ?? clientId, Parameters.Page(limit, cursor, order)).WaitAsync(gone)));

    private static async Task<IResult> Buy(
        string accountId, PurchaseBody body, Caller caller, IGrainFactory grains, Zones zones, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;

        var decision = await grains.Ask(all => all.Account(accountId).Buy(body.ToBuy(caller), key), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        // As of its creation, so that a replay says what the first answer said.
        var (purchase, replayed) = decision.Value!;
        var document = PurchaseDocument.Of(accountId, await zones.Of(accountId), purchase, purchase.CreatedAt);
        return replayed ? new Replayed<PurchaseDocument>(document) : TypedResults.Created($"/v1/accounts/{accountId}/purchases/{purchase.PurchaseId}", document);
    }

    private static async Task<IResult> Purchases(
        string accountId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await Find(accountId, caller, queries, gone) is not { TimeZone: var zone }) return Absent(accountId);

        var now = clock.Now;
        return TypedResults.Ok(Listing<PurchaseDocument>.Of(await queries.Purchases(accountId, Parameters.Page(limit, cursor, order)).WaitAsync(gone), purchase => PurchaseDocument.Of(accountId, zone, purchase, now)));
    }

    private static async Task<IResult> GetPurchase(
        string accountId, string purchaseId, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await Find(accountId, caller, queries, gone) is not { TimeZone: var zone }) return Absent(accountId);

        return await queries.Purchase(accountId, purchaseId).WaitAsync(gone) is { } purchase
            ? TypedResults.Ok(PurchaseDocument.Of(accountId, zone, purchase, clock.Now))
            : NoPurchase(accountId, purchaseId);
    }

    private static Task<IResult> PatchPurchase(
        string accountId, string purchaseId, PurchasePatchBody body, Caller caller, IGrainFactory grains, IQueries queries, IBusinessClock clock,
        HttpRequest request, CancellationToken gone) => Correct(
            accountId, purchaseId, (account, seen, key) => account.ChangePurchase(body.ToChange(purchaseId, caller, seen), key),
            caller, grains, queries, clock, request, gone);

    private static Task<IResult> Expire(
        string accountId, string purchaseId, ExpireBody body, Caller caller, IGrainFactory grains, IQueries queries, IBusinessClock clock,
        HttpRequest request, CancellationToken gone) => Correct(
            accountId, purchaseId, (account, seen, key) => account.ExpirePurchase(new(purchaseId, body.Reason!, caller.Name, seen), key),
            caller, grains, queries, clock, request, gone);

    private static async Task<IResult> Correct(
        string accountId, string purchaseId, Func<IAccountGrain, string?, RequestKey?, Task<Decision<Answered<CorrectedPurchase>>>> correct,
        Caller caller, IGrainFactory grains, IQueries queries, IBusinessClock clock, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if (await Find(accountId, caller, queries, gone) is not { TimeZone: var zone }) return Absent(accountId);
        if (await queries.Purchase(accountId, purchaseId).WaitAsync(gone) is not { } present) return NoPurchase(accountId, purchaseId);
        var demand = Tags.DemandOf(request, Tags.Of(PurchaseDocument.Of(accountId, zone, present, clock.Now)));
        if (demand.Refused is { } refused) return refused;

        var seen = demand.Value(present.Version);
        return Replies.Of(
            await grains.Ask(all => correct(all.Account(accountId), seen, key), gone), made => PurchaseDocument.Of(accountId, zone, made.Purchase, made.At));
    }

    private static async Task<IResult> Balance(string accountId, string? at, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await Find(accountId, caller, queries, gone) is null) return Absent(accountId);

        var asked = Parameters.Instant(at);
        var instant = asked ?? clock.Now;
        return TypedResults.Ok(new AccountBalance(accountId, instant, CurrencyBalance.Of(await queries.PurchasesAsOf(accountId, asked).WaitAsync(gone), instant)));
    }

    private static async Task<IResult> GetAudit(string accountId, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(accountId, caller, queries, gone) is not null && await queries.AuditAccount(accountId).WaitAsync(gone) is { } audit
            ? TypedResults.Ok(audit)
            : Absent(accountId);

    private static async Task<IResult> Consumptions(string accountId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(accountId, caller, queries, gone) is { TimeZone: var zone }
            ? TypedResults.Ok(Listing<Consumption>.Of(await queries.Consumptions(new(accountId, null), Parameters.Page(limit, cursor, order)).WaitAsync(gone), record => record with { TimeZone = zone }))
            : Absent(accountId);

    private static async Task<IResult> Allocations(string accountId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(accountId, caller, queries, gone) is { TimeZone: var zone }
            ? TypedResults.Ok(Listing<AllocationRecord>.Of(await queries.AllocationRecords(new(accountId, null), Parameters.Page(limit, cursor, order)).WaitAsync(gone), record => record with { TimeZone = zone }))
            : Absent(accountId);

    private static async Task<AccountTerms?> Find(string accountId, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Account(accountId).WaitAsync(gone) is { } account && caller.Sees(account.ClientId) ? account : null;

    private static Problem NoPurchase(string accountId, string purchaseId) => Problems.NotFound($"purchase {purchaseId} of account {accountId}");

    private static Problem Absent(string accountId) => Problems.NotFound($"account {accountId}");
}

/// <summary>A purchase as it is shown (S1); <paramref name="Available"/>: what an allocation could take, in services credits.</summary>
internal sealed record PurchaseDocument(
    string PurchaseId, string AccountId, string Currency, decimal Quantity, decimal Available, decimal Allocated, decimal Expired, LocalDate StartsOn, LocalDate ExpiresOn, string TimeZone, Instant CreatedAt,
    string? Description)
{
    public static PurchaseDocument Of(string accountId, string timeZone, Purchase purchase, Instant now) => new(
        purchase.PurchaseId, accountId, purchase.Currency, purchase.Quantity, purchase.AvailableAt(now), purchase.Allocated, purchase.ExpiredAt(now), purchase.StartsOn, purchase.ExpiresOn, timeZone, purchase.CreatedAt,
        purchase.Description);
}

internal sealed record AccountBalance(string AccountId, Instant At, ImmutableArray<CurrencyBalance> Currencies);

internal sealed record AccountBody(string? ClientId, string? Name, string? AccountId = null, string TimeZone = "UTC") : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.OfPath("accountId", AccountId, path), Fields.Id("clientId", ClientId), Fields.Name("name", Name), Fields.Given("timeZone", TimeZone));

    public AccountTerms ToTerms(string accountId) => new(accountId, ClientId!, Name!, TimeZone);
}

/// <summary>A purchase; without a <paramref name="PurchaseId"/> the service makes one.</summary>
/// <param name="Description">1 to 1,000 characters for people to read.</param>
internal sealed record PurchaseBody(
    string? Currency, decimal? Quantity, LocalDate? StartsOn, LocalDate? ExpiresOn, string? PurchaseId = null, string? Description = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.IdIfGiven("purchaseId", PurchaseId),
        Fields.Given("currency", Currency),
        Fields.Given("quantity", Quantity),
        Fields.Given("startsOn", StartsOn),
        Fields.Given("expiresOn", ExpiresOn));

    public BuyCredits ToBuy(Caller caller) => new(PurchaseId ?? $"{Guid.CreateVersion7():N}", Currency!, Quantity!.Value, StartsOn!.Value, ExpiresOn!.Value, caller.Name)
    {
        Description = Description,
    };
}

/// <summary>A purchase as it shall be (L6); what is left out stays, and a description of null is taken away.</summary>
internal sealed record PurchasePatchBody : PatchBody, IBody
{
    public LocalDate? StartsOn { get; init => field = Sent(value); }

    public LocalDate? ExpiresOn { get; init => field = Sent(value); }

    public decimal? Quantity { get; init => field = Sent(value); }

    public string? Description { get; init => field = Sent(value); }

    public string? Reason { get; init => field = Sent(value); }

    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        NotNull(nameof(StartsOn)), NotNull(nameof(ExpiresOn)), NotNull(nameof(Quantity)), Fields.ReasonIfGiven("reason", Reason));

    public ChangePurchase ToChange(string purchaseId, Caller caller, string? seen) =>
        new(purchaseId, StartsOn, ExpiresOn, Quantity, Description, IsNull(nameof(Description)), Reason, caller.Name, seen);
}

/// <summary>Ends a purchase now (L6).</summary>
internal sealed record ExpireBody(string? Reason) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Reason("reason", Reason);
}
