using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Player credits (P1, P4).</summary>
internal static class CreditEndpoints
{
    public static void MapCredits(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/credits", List).Needs(Access.Any).Answers<Listing<CreditItem>>("Credits, by creation, unallocated ones too", 200);
        v1.MapGet("/credits/summary", Count).Needs(Access.Any).Answers<CreditSummary>("How many credits there are, by status", 200);
        v1.MapPost("/credits", Post).Needs(Access.Operate)
            .Answers<LotDocument>("Creates credits by hand, as a manual lot; Idempotency-Key makes it repeatable", 201, 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.ContractNotActive, RefusalCode.IdempotencyKeyReused);
        v1.MapGet($"/credits/{{{Parameters.CreditId}}}", Get).Needs(Access.Read)
            .Answers<CreditStory>("A credit and its history", 200).Refuses(RefusalCode.NotFound);
        v1.MapPatch($"/credits/{{{Parameters.CreditId}}}", Patch).Needs(Access.Operate).ComparesTags()
            .Answers<CreditDocument>("Edits a credit by hand: its state, player or expiry", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PlayerCovered, RefusalCode.PreconditionFailed);
    }

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? status, string? playerId, string? userId, string? lotId, string? paymentId, string? reportId,
        string? createdFrom, string? createdTo, string? expiresFrom, string? expiresTo, string? limit, string? cursor, string? order,
        Caller caller, Unbooked unbooked, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        var filter = Filter(caller, clientId, contractId, playerId, userId, lotId, paymentId, createdFrom, createdTo, expiresFrom, expiresTo);
        var (statuses, request, now) = (Parameters.Several<CreditStatus>(status), Parameters.Page(limit, cursor, order), clock.Now);
        var page = await (reportId is null
            ? unbooked.Credits(filter, statuses, now, request)
            : unbooked.CreditsOf(reportId, filter, statuses, now, request)).WaitAsync(gone);
        return TypedResults.Ok(await Listing<CreditItem>.Named(
            page, queries, credit => (credit.ClientId, credit.ContractId, credit.UsedBy), (credit, names) => new(credit, names), gone));
    }

    private static async Task<IResult> Count(
        string? clientId, string? contractId, string? status, string? playerId, string? userId, string? lotId, string? paymentId, string? reportId,
        string? createdFrom, string? createdTo, string? expiresFrom, string? expiresTo,
        Caller caller, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        var filter = Filter(caller, clientId, contractId, playerId, userId, lotId, paymentId, createdFrom, createdTo, expiresFrom, expiresTo);
        var counts = await unbooked.Count(filter, reportId, Parameters.Several<CreditStatus>(status), clock.Now).WaitAsync(gone);
        return TypedResults.Ok(new CreditSummary(counts, counts.Sum(count => count.Credits)));
    }

    // A key of one user sees what that user has used.
    private static CreditFilter Filter(
        Caller caller, string? clientId, string? contractId, string? playerId, string? userId, string? lotId, string? paymentId,
        string? createdFrom, string? createdTo, string? expiresFrom, string? expiresTo) =>
        new(caller.ClientId ?? clientId, contractId, null, playerId, caller.UserId ?? userId, lotId, paymentId)
        {
            CreatedFrom = Parameters.Instant(createdFrom),
            CreatedTo = Parameters.Instant(createdTo),
            ExpiresFrom = Parameters.Instant(expiresFrom),
            ExpiresTo = Parameters.Instant(expiresTo),
        };

    private static async Task<IResult> Post(CreditsBody body, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, fault) = IdempotencyKeys.Of(request);
        if (fault is not null) return fault;
        if (await clients.Of(body.ContractId!, caller) != body.ClientId) return Problems.NotFound($"contract {body.ContractId} of client {body.ClientId}");

        var decision = await grains.Ask(all => all.Contract(body.ContractId!).Grant(body.ToGrant(caller), key), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : LotEndpoints.Answer(body.ContractId!, decision.Value!);
    }

    private static async Task<IResult> Patch(
        string creditId, CreditBody body, Caller caller, Unbooked unbooked, IQueries queries, IGrainFactory grains, IBusinessClock clock, HttpContext context, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(context.Request);
        if (noKey is not null) return noKey;
        if (await Find(creditId, caller, unbooked, queries, clock, gone) is not { } present) return Problems.NotFound($"credit {creditId}");
        var demand = Tags.DemandOf(context.Request, Tags.Of(present));
        if (demand.Refused is { } refused) return refused;

        var edit = body.ToEdit(present.CreditId, caller) with { Seen = demand.Value(present.Version) };
        var decision = await grains.Ask(all => all.Contract(present.ContractId).Edit(edit, key), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        if (await Find(creditId, caller, unbooked, queries, clock, gone) is { } changed) context.Response.Headers.ETag = Tags.Of(changed);
        var ((credit, at), replayed) = decision.Value!;
        return Replies.Ok(CreditDocument.Of(credit, at), replayed);
    }

    private static async Task<IResult> Get(string creditId, Caller caller, Unbooked unbooked, IQueries queries, IBusinessClock clock, CancellationToken gone) =>
        await Find(creditId, caller, unbooked, queries, clock, gone) is { } credit ? TypedResults.Ok(credit) : Problems.NotFound($"credit {creditId}");

    private static async Task<CreditStory?> Find(
        string creditId, Caller caller, Unbooked unbooked, IQueries queries, IBusinessClock clock, CancellationToken gone) =>
        CreditId.TryParse(creditId, out var id) && await unbooked.Credit(id, clock.Now).WaitAsync(gone) is { } credit && caller.Sees(credit.ClientId)
            ? CreditStory.Of(credit, await queries.History(credit).WaitAsync(gone))
            : null;
}

/// <summary>Credits made by hand (P5): client, contract, payment and reason are required.</summary>
internal sealed record CreditsBody(string? ClientId, string? ContractId, string? PaymentId, long? Quantity, string? Reason, Instant? ExpiresAt = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.Id("clientId", ClientId), Fields.Id("contractId", ContractId), Fields.ExternalId("paymentId", PaymentId), Fields.Given("quantity", Quantity),
        Fields.Reason("reason", Reason));

    public GrantLot ToGrant(Caller caller) => new($"{Guid.CreateVersion7():N}", LotSource.Manual, PaymentId!, Quantity!.Value, null, ExpiresAt, caller.Name, Reason);
}

/// <summary>A credit as it shall be (P5); what is left out stays, and a playerId of null frees it.</summary>
internal sealed record CreditBody : PatchBody, IBody
{
    public CreditStatus? Status { get; init => field = Sent(value); }

    public string? PlayerId { get; init => field = Sent(value); }

    public string? PlayerName { get; init => field = Sent(value); }

    public Instant? ExpiresAt { get; init => field = Sent(value); }

    [Required]
    public string? Reason { get; init => field = Sent(value); }

    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        NotNull(nameof(Status)), NotNull(nameof(PlayerName)), NotNull(nameof(ExpiresAt)), NotNull(nameof(Reason)),
        Fields.ExternalIdIfGiven("playerId", PlayerId), Fields.NameIfGiven("playerName", PlayerName), Fields.Reason("reason", Reason));

    public EditCredit ToEdit(CreditId id, Caller caller) =>
        new(id, Status, PlayerId, IsNull(nameof(PlayerId)), PlayerName, ExpiresAt, Reason!, caller.Name);
}

/// <summary>A credit as lists show it, with names beside ids.</summary>
internal sealed record CreditItem : CreditDocument
{
    public CreditItem(CreditDocument credit, Names names) : base(credit) =>
        (ContractName, UsedByName, Zone) =
            (names.Contract(credit.ContractId)?.Name, names.User(credit.ClientId, credit.UsedBy), names.ZoneOf(credit.ContractId));

    [JsonPropertyOrder(1)]
    public string? ContractName { get; }

    [JsonPropertyOrder(1)]
    public string? UsedByName { get; }

    /// <summary>The contract's.</summary>
    [JsonIgnore]
    public DateTimeZone Zone { get; }
}

/// <summary>Counts of credits (P4): every status has one.</summary>
internal sealed record CreditSummary(ImmutableArray<StatusCount> Counts, long Total);

/// <summary>A credit (P1), and the ledger entries that tell of it.</summary>
internal sealed record CreditStory(
    CreditId CreditId, string ClientId, string ContractId, string LotId, string PaymentId, string? UsedBy, string? PlayerId, string? PlayerName,
    CreditStatus Status, Instant CreatedAt, Instant? ExpiresAt, Instant? ActivatedAt, string? ReportId, ImmutableArray<LedgerEntry> History)
{
    [JsonIgnore]
    public CreditVersion Version => new(UsedBy, PlayerId, PlayerName, ExpiresAt, ActivatedAt, ReportId);

    public static CreditStory Of(CreditDocument credit, IEnumerable<BookedEntry> history) => new(
        credit.CreditId, credit.ClientId, credit.ContractId, credit.LotId, credit.PaymentId, credit.UsedBy, credit.PlayerId, credit.PlayerName,
        credit.Status, credit.CreatedAt, credit.ExpiresAt, credit.ActivatedAt, credit.ReportId, [.. history.Select(LedgerEntry.Of)]);
}
