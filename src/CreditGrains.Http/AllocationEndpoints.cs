using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>What users may use of a contract (A1 to A12).</summary>
internal static class AllocationEndpoints
{
    private static readonly RefusalCode[] Refusals =
        [RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.AllocationNotSupported, RefusalCode.UserNotAssigned, RefusalCode.UserDisabled];

    // What no window's version is.
    private const string NoVersion = "";

    public static void MapAllocations(this IEndpointRouteBuilder v1)
    {
        var window = v1.MapGroup("/contracts/{contractId}/allocations");
        window.MapGet("", Get).Needs(Access.Read)
            .Answers<Window>("The allocation of a contract's credits to its users", 200).Refuses(RefusalCode.NotFound, RefusalCode.AllocationNotSupported);
        window.MapPatch("", Patch).Needs(Access.Manage).ComparesTags()
            .Answers<Window>("Changes the allocation at once", 200).Refuses([.. Refusals, RefusalCode.PreconditionFailed]);
        window.MapPost("/preview", Preview).Needs(Access.Manage)
            .Answers<Window>("Shows what a change would do, and gives the token that confirms it", 200).Refuses(Refusals);
        window.MapPost("/confirm", Confirm).Needs(Access.Manage).TellsTag()
            .Answers<Window>("Does what was previewed, once", 200).Refuses([.. Refusals, RefusalCode.AllocationChanged]);
        window.MapGet("/{userId}", GetUser).Needs(Access.Any)
            .Answers<AllocationRow>("One user's allocation", 200).Refuses(RefusalCode.NotFound, RefusalCode.AllocationNotSupported);
        window.MapPost("/{userId}/extra", PostExtra).Needs(Access.Manage)
            .Answers<AllocationRow>("Grants extra credits, or takes unused ones back; Idempotency-Key makes it repeatable", 201, 200)
            .Refuses([.. Refusals, RefusalCode.IdempotencyKeyReused]);
        window.MapGet("/{userId}/renewals", GetRenewals).Needs(Access.Any)
            .Answers<Renewals>("The coming resets of a user's credits", 200).Refuses(RefusalCode.NotFound, RefusalCode.AllocationNotSupported);
        v1.MapGet("/users/{userId}/allocations", List).Needs(Access.Any)
            .Answers<Listing<UserAllocation>>("A user's allocations, by contract", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
    }

    private static async Task<IResult> Get(
        string contractId, Caller caller, IQueries queries, IBusinessClock clock, HttpContext context, CancellationToken gone)
    {
        if (await queries.ContractWithUsers(contractId).WaitAsync(gone) is not { } contract || !caller.Sees(contract.Terms.ClientId)) return Problems.NoContract(contractId);
        if (contract.IsUnlimited) return Problems.Of(Allocating.NotSupported(contract.Terms));

        return Show(WindowOf(contract, clock), context);
    }

    private static async Task<IResult> Patch(
        string contractId, AllocationBody body, Caller caller, IQueries queries, IGrainFactory grains, IBusinessClock clock, HttpContext context, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { } present || !caller.Sees(present.Terms.ClientId)) return Problems.NoContract(contractId);
        var (key, noKey) = IdempotencyKeys.Of(context.Request);
        if (noKey is not null) return noKey;
        string? seen = null;
        if (Tags.IsConditional(context.Request))
        {
            var version = await queries.ContractWithUsers(contractId).WaitAsync(gone) is { IsUnlimited: false } contract ? WindowOf(contract, clock).Version : null;
            var demand = Tags.DemandOf(context.Request, version is null ? null : Tags.OfVersion(version));
            if (demand.Refused is { } refused) return refused;
            seen = demand.Holds ? version : NoVersion;
        }

        var decision = await grains.Ask(all => all.Contract(contractId).Allocate(body.ToChange(), seen, caller.Name, key), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : Show(decision.Value!.Window, context, decision.Value.Replayed);
    }

    private static async Task<IResult> Preview(
        string contractId, AllocationBody body, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var decision = await grains.Ask(all => all.Contract(contractId).Preview(body.ToChange(), caller.Name, key), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : Replies.Ok(decision.Value!.Window, decision.Value.Replayed);
    }

    private static async Task<IResult> Confirm(
        string contractId, ConfirmBody body, Caller caller, Clients clients, IGrainFactory grains, HttpContext context, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(context.Request);
        if (noKey is not null) return noKey;
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var decision = await grains.Ask(all => all.Contract(contractId).Confirm(body.ConfirmationToken!, caller.Name, key), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : Show(decision.Value!.Window, context, decision.Value.Replayed);
    }

    private static async Task<IResult> GetUser(string contractId, string userId, Caller caller, IQueries queries, IGrainFactory grains, CancellationToken gone)
    {
        if (await Hidden(contractId, userId, caller, queries, gone) is { } problem) return problem;
        return await grains.Ask(all => all.Allocation(new(contractId, userId)).Read(), gone) is { } row ? TypedResults.Ok(row) : NoUser(contractId, userId);
    }

    private static async Task<IResult> PostExtra(
        string contractId, string userId, ExtraBody body, Caller caller, IQueries queries, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if (await queries.Contract(contractId).WaitAsync(gone) is not { Terms: var terms } || !caller.Sees(terms.ClientId)) return Problems.NoContract(contractId);

        var decision = await grains.Ask(all => all.Contract(contractId).GrantExtra(new(userId, body.Amount!.Value, body.Reason!, caller.Name), key), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        var (granted, replayed) = decision.Value!;
        var row = granted with { TimeZone = terms.TimeZone };
        return replayed ? new Replayed<AllocationRow>(row) : TypedResults.Created($"/v1/contracts/{contractId}/allocations/{Uri.EscapeDataString(userId)}", row);
    }

    private static async Task<IResult> GetRenewals(
        string contractId, string userId, string? count, Caller caller, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        if (await Hidden(contractId, userId, caller, queries, gone) is { } problem) return problem;
        if (await queries.Member(new(contractId, userId)).WaitAsync(gone) is not { } stored) return NoUser(contractId, userId);

        var terms = stored.AsAllowance().Terms;
        var dates = stored.Member.Allocation.ScheduleIn(terms)?.Renewals(Instant.Max(clock.Now, stored.Contract.AsOf)) ?? [];
        return TypedResults.Ok(new Renewals(contractId, userId, terms.TimeZone, [.. dates.Take(Parameters.Count(count)).Select(date => new Renewals.Item(date, Domain.Calendar.StartOf(date, terms.Zone)))]));
    }

    private static async Task<IResult> List(
        string userId, string? clientId, string? limit, string? cursor, string? order,
        Caller caller, IQueries queries, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        if ((caller.ClientId ?? clientId) is not { } client) return Problems.Of(Refusal.Invalid("clientId", "must be given: a userId belongs to a client"));
        if (!caller.IsFor(userId)) return Problems.NotFound($"user {userId}");

        var now = clock.Now;
        var user = new UserKey(client, userId);
        var page = await unbooked.Memberships(user, now, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        if (page.Items.IsEmpty && await queries.User(user).WaitAsync(gone) is null) return Problems.NotFound($"user {userId} of client {client}");

        // C2: an unlimited contract has none.
        return TypedResults.Ok(Listing<UserAllocation>.Of(page with { Items = [.. page.Items.Where(allowance => allowance.Terms.Type != ContractType.Unlimited)] }, allowance => UserAllocation.Of(allowance, now)));
    }

    // Why a caller sees nothing of a user's allocation; null: the caller may see it.
    private static async Task<Problem?> Hidden(string contractId, string userId, Caller caller, IQueries queries, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { Terms: var terms } || !caller.Sees(terms.ClientId)) return Problems.NoContract(contractId);
        if (terms.Type == ContractType.Unlimited) return Problems.Of(Allocating.NotSupported(terms));
        return caller.IsFor(userId) ? null : NoUser(contractId, userId);
    }

    private static Problem NoUser(string contractId, string userId) => Problems.NotFound($"user {userId} of contract {contractId}");

    private static Window WindowOf(Contract contract, IBusinessClock clock)
    {
        var now = Instant.Max(clock.Now, contract.AsOf);
        return Window.Of(contract.RollForward(now).State, now);
    }

    private static IResult Show(Window window, HttpContext context, bool replayed = false)
    {
        context.Response.Headers.ETag = Tags.OfVersion(window.Version);
        return Replies.Ok(window, replayed);
    }
}

/// <summary>Settings as they shall be (A1, A7): what is left out stays, and a renewal of null takes them away.</summary>
internal record SettingsBody : PatchBody
{
    public long? Amount { get; init => field = Sent(value); }

    public Renewal? Renewal { get; init => field = Sent(value); }

    public int? Frequency { get; init => field = Sent(value); }

    public RenewalDay? On { get; init => field = Sent(value); }

    public LocalDate? StartDate { get; init => field = Sent(value); }

    /// <summary>A null beside a renewal that has no use for the field says what holds anyway; any other is refused.</summary>
    public Refusal? CheckSettings()
    {
        if (IsNull(nameof(Renewal)))
            return (Amount, Frequency, On, StartDate) == default ? null : Refusal.Invalid("renewal", "must not be null where other settings are given");
        return NotNull(nameof(Amount), unless: Renewal?.HasAmount() == false)
            ?? NotNull(nameof(Frequency), unless: Renewal?.Repeats() == false)
            ?? NotNull(nameof(On), unless: Renewal?.HasDay() == false);
    }

    public SettingsChange ToSettings() => IsNull(nameof(Renewal))
        ? new() { Clears = true }
        : new(Amount, Renewal, Frequency, On, StartDate) { ClearsStart = IsNull(nameof(StartDate)) };
}

/// <summary>A change of the allocation (A7): what is left out stays, and defaults of null are taken away.</summary>
internal sealed record AllocationBody : PatchBody, IBody
{
    public bool? Enabled { get; init => field = Sent(value); }

    public SettingsBody? Defaults { get; init => field = Sent(value); }

    public bool ApplyToAll { get; init; }

    [MaxLength(Membership.MaxUsers)]
    public User?[]? Users { get; init => field = Sent(value); }

    public string? Reason { get; init => field = Sent(value); }

    internal sealed record User : SettingsBody
    {
        [Required]
        public string? UserId { get; init; }

        public long? ExtraCredits { get; init => field = Sent(value); }

        public string? Name { get; init => field = Sent(value); }

        /// <summary>true assigns the user, false removes the user.</summary>
        public bool? Assigned { get; init => field = Sent(value); }

        public Refusal? Check() => Fields.ExternalId("userId", UserId)
            ?? CheckSettings() ?? NotNull(nameof(StartDate), unless: IsNull(nameof(Renewal)))
            ?? NotNull(nameof(ExtraCredits)) ?? NotNull(nameof(Assigned)) ?? NotNull(nameof(Name)) ?? Fields.NameIfGiven("name", Name);

        public UserAllocationChange ToChange() => new(UserId!, ToSettings(), ExtraCredits) { Name = Name, Assigned = Assigned };
    }

    public Refusal? Check(RouteValueDictionary path)
    {
        var seen = new HashSet<string>();
        return Users?.Length > Membership.MaxUsers
            ? Refusal.Invalid("users", $"must have at most {Membership.MaxUsers:N0} users")
            : Refusal.All(
            [
                NotNull(nameof(Enabled)), NotNull(nameof(Users)), NotNull(nameof(Reason)),
                Defaults?.CheckSettings()?.Within("defaults."), Fields.ReasonIfGiven("reason", Reason),
                .. Fields.Each("users", Users, user => user.Check() ?? (seen.Add(user.UserId!) ? null : Refusal.Invalid("userId", "must be in the list once"))),
            ]);
    }

    public AllocationChange ToChange() =>
        new(Enabled, IsNull(nameof(Defaults)) ? new() { Clears = true } : Defaults?.ToSettings(), ApplyToAll, [.. (Users ?? []).Select(user => user!.ToChange())]) { Reason = Reason };
}

internal sealed record ConfirmBody(string? ConfirmationToken) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Id("confirmationToken", ConfirmationToken);
}

/// <summary>Extra credits to be added; a negative <paramref name="Amount"/> takes unused ones back (A5).</summary>
internal sealed record ExtraBody(long? Amount, string? Reason) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(Fields.Given("amount", Amount), Fields.Reason("reason", Reason));
}

/// <summary>The coming resets, earliest first; fewer than asked for where no more are left within the contract.</summary>
internal sealed record Renewals(string ContractId, string UserId, string TimeZone, ImmutableArray<Renewals.Item> Items)
{
    internal sealed record Item(LocalDate RenewalDate, Instant RenewalAt);
}

/// <summary>A user's allocation of one of the client's contracts.</summary>
internal sealed record UserAllocation(
    string ContractId, string ContractName, string TimeZone, bool Enabled, bool Assigned, bool Disabled,
    long? Amount, Renewal? Renewal, int? Frequency, RenewalDay? On, LocalDate? StartDate, Instant? StartsAt, LocalDate? NextRenewalDate, Instant? NextRenewalAt,
    long UsedInCycle, long? Available, long ExtraCredits, long ExtraUsed, long TotalUsed, string? ChangedBy, Instant? ChangedAt)
{
    public static UserAllocation Of(Allowance allowance, Instant now)
    {
        var row = AllocationRow.Of(allowance.Member!, allowance.Terms, now);
        return new(
            allowance.Terms.ContractId, allowance.Terms.Name, allowance.Terms.TimeZone, allowance.IsRestricted, row.Assigned, row.Disabled,
            row.Amount, row.Renewal, row.Frequency, row.On, row.StartDate, row.StartsAt, row.NextRenewalDate, row.NextRenewalAt,
            row.UsedInCycle, row.Available, row.ExtraCredits, row.ExtraUsed, row.TotalUsed, row.ChangedBy, row.ChangedAt);
    }
}
