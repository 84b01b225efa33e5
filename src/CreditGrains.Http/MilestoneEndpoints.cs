using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Milestones, and the services credits that pay for them (S1 to S5).</summary>
internal static class MilestoneEndpoints
{
    public static void MapMilestones(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/milestones/{milestoneId}", Put).Needs(Access.Manage).ComparesTags().Answers<MilestoneDocument>("Makes a milestone, or changes it", 200, 201)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.AllocationRequired);
        v1.MapPatch("/milestones/{milestoneId}", Patch).Needs(Access.Manage).ComparesTags()
            .Answers<MilestoneDocument>("Changes what the merge patch names", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.AllocationRequired, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/milestones/{milestoneId}", Get).Needs(Access.Read).Answers<MilestoneDocument>("A milestone", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/milestones", List).Needs(Access.Read).WithMetadata(new Parameters.Meaning(Parameters.Meaning.Milestones))
            .Answers<Listing<MilestoneDocument>>("Milestones, by id", 200);
        v1.MapPost("/milestones/{milestoneId}/allocate", Allocate).Needs(Access.Manage).ComparesTags()
            .Answers<AllocatedDocument>("Allocates what the milestone costs; with dryRun it says what would move", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.InsufficientServicesCredits);
        v1.MapPost("/milestones/{milestoneId}/adjust", Adjust).Needs(Access.Manage).ComparesTags()
            .Answers<AllocatedDocument>("Changes what an allocated milestone costs and holds; with dryRun it says what would move", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.NotAllocated, RefusalCode.AllocationRequired, RefusalCode.InsufficientServicesCredits);
        v1.MapGet("/milestones/{milestoneId}/allocations", Allocations).Needs(Access.Read)
            .Answers<Listing<AllocationRecord>>("The allocation record", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/milestones/{milestoneId}/consumptions", Consumptions).Needs(Access.Read)
            .Answers<Listing<Consumption>>("Consumption records, in the order of writing", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> Put(
        string milestoneId, MilestoneBody body, Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpRequest request, CancellationToken gone)
    {
        var present = await queries.Milestone(milestoneId).WaitAsync(gone);
        if (present is not null && !caller.Sees(present.ClientId)) return Absent(milestoneId);
        var shown = present is null ? null : await zones.Show(present);
        var demand = Tags.DemandOf(request, shown is null ? null : Tags.Of(shown));
        if (demand.Refused is { } refused) return refused;

        var (made, problem) = await Set(milestoneId, body, shown, demand.Version(present?.Version), null, caller, grains, queries, gone);
        if (problem is not null) return problem;
        var document = await zones.Show(made!.Answer);
        return present is null ? TypedResults.Created($"/v1/milestones/{milestoneId}", document) : TypedResults.Ok(document);
    }

    private static Task<IResult> Patch(
        string milestoneId, MergePatch<MilestoneBody> patch, Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpRequest request, CancellationToken gone) =>
        patch.Make<Milestone, MilestoneDocument>(
            request, Absent(milestoneId),
            async () => await Find(milestoneId, caller, queries, gone) is { } present ? (present, await zones.Show(present)) : null,
            async (body, found, demand, key) =>
            {
                var seen = demand.Version(found.Present.Version) ?? found.Present.Version;
                var (made, problem) = await Set(milestoneId, body, found.Shown, seen, key, caller, grains, queries, gone);
                return made is null ? (null, problem) : (new(await zones.Show(made.Answer), made.Replayed), null);
            });

    private static async Task<(Answered<Milestone>? Made, Problem? Problem)> Set(
        string milestoneId, MilestoneBody body, MilestoneDocument? present, long? seen, RequestKey? key, Caller caller, IGrainFactory grains, IQueries queries, CancellationToken gone)
    {
        if (await queries.Project(body.ProjectId!).WaitAsync(gone) is not { } project || !caller.Sees(project.ClientId)) return (null, Problems.NotFound($"project {body.ProjectId}"));
        if (body.CheckReadOnly(present) is { } invalid) return (null, Problems.Of(invalid));

        var decision = await AskAccountOf(project, account => account.SetMilestone(body.ToSet(milestoneId, seen, caller), key), grains, queries, gone);
        return (decision.Value, decision.Refusal is { } refusal ? Problems.Of(refusal) : null);
    }

    private static async Task<IResult> Get(string milestoneId, Caller caller, IQueries queries, Zones zones, CancellationToken gone) =>
        await Find(milestoneId, caller, queries, gone) is { } milestone ? TypedResults.Ok(await zones.Show(milestone)) : Absent(milestoneId);

    private static async Task<IResult> List(
        string? clientId, string? accountId, string? projectId, string? status, string? allocated, string? limit, string? cursor, string? order,
        Caller caller, IQueries queries, Zones zones, CancellationToken gone)
    {
        var filter = new MilestoneFilter(caller.ClientId ?? clientId, projectId)
        {
            AccountId = accountId,
            Status = status is null ? null : Milestone.Spelled(status),
            IsAllocated = Parameters.Flag(allocated),
        };
        var page = await queries.Milestones(filter, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        return TypedResults.Ok(new Listing<MilestoneDocument>(await zones.Show(page.Items).WaitAsync(gone), page.Next));
    }

    private static Task<IResult> Allocate(
        string milestoneId, AllocateBody body, Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpContext context, CancellationToken gone) => Move(
            milestoneId, body, body.DryRun, (account, seen, key) => account.Allocate(body.ToAllocate(milestoneId, seen, caller), body.DryRun, key),
            caller, grains, queries, zones, context, gone);

    private static Task<IResult> Adjust(
        string milestoneId, AdjustBody body, Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpContext context, CancellationToken gone) => Move(
            milestoneId, body, body.DryRun, (account, seen, key) => account.Adjust(new(milestoneId, body.Quantity!.Value, seen, caller.Name), body.DryRun, key),
            caller, grains, queries, zones, context, gone);

    private static async Task<IResult> Move<TBody>(
        string milestoneId, TBody body, bool dryRun, Func<IAccountGrain, long?, RequestKey?, Task<Decision<Answered<Allocated>>>> move,
        Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpContext context, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(context.Request);
        if (noKey is not null) return noKey;
        if (await Find(milestoneId, caller, queries, gone) is not { } milestone) return Absent(milestoneId);
        var project = await queries.Project(milestone.ProjectId).WaitAsync(gone) ?? throw new InvariantException("a milestone's project is there");
        var demand = await DemandOf(context.Request, milestone, zones);
        if (demand.Refused is { } refused) return refused;

        var decision = await AskAccountOf(project, account => move(account, demand.Version(milestone.Version), key), grains, queries, gone);
        context.Response.Headers.ETag = Tags.Of(await zones.Show(dryRun ? milestone : decision.Value?.Answer.Milestone ?? milestone));
        if (decision.Value is { } moved) return Replies.Ok(AllocatedDocument.Of(moved.Answer, dryRun), moved.Replayed);
        return dryRun && decision.Refusal!.Code is RefusalCode.NotAllocated or RefusalCode.AllocationRequired or RefusalCode.InsufficientServicesCredits
            ? TypedResults.Ok(AllocatedDocument.Of(milestone, project, decision.Refusal))
            : Problems.Of(decision.Refusal!);
    }

    private static async Task<Demand> DemandOf(HttpRequest request, Milestone? present, Zones zones) =>
        Tags.DemandOf(request, present is null || !Tags.IsConditional(request) ? null : Tags.Of(await zones.Show(present)));

    private static async Task<IResult> Allocations(
        string milestoneId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, Zones zones, CancellationToken gone) =>
        await Find(milestoneId, caller, queries, gone) is null
            ? Absent(milestoneId)
            : TypedResults.Ok(await Listing<AllocationRecord>.Of(await queries.AllocationRecords(new(null, milestoneId), Parameters.Page(limit, cursor, order)).WaitAsync(gone), async record => record with { TimeZone = await zones.Of(record.AccountId) }));

    private static async Task<IResult> Consumptions(
        string milestoneId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, Zones zones, CancellationToken gone) =>
        await Find(milestoneId, caller, queries, gone) is null
            ? Absent(milestoneId)
            : TypedResults.Ok(await Listing<Consumption>.Of(await queries.Consumptions(new(null, milestoneId), Parameters.Page(limit, cursor, order)).WaitAsync(gone), async record => record with { TimeZone = await zones.Of(record.AccountId) }));

    /// <summary>Asks a project's account; where the project went to another one meanwhile, that is asked.</summary>
    public static async Task<Decision<T>> AskAccountOf<T>(
        Project project, Func<IAccountGrain, Task<Decision<T>>> ask, IGrainFactory grains, IQueries queries, CancellationToken gone)
    {
        while (true)
        {
            var decision = await grains.Ask(all => ask(all.Account(project.AccountId)), gone);
            if (decision.Refusal is not { Code: RefusalCode.NotFound }) return decision;
            if (await queries.Project(project.ProjectId).WaitAsync(gone) is not { } present || present.AccountId == project.AccountId) return decision;
            project = present;
        }
    }

    private static async Task<Milestone?> Find(string milestoneId, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Milestone(milestoneId).WaitAsync(gone) is { } milestone && caller.Sees(milestone.ClientId) ? milestone : null;

    private static Problem Absent(string milestoneId) => Problems.NotFound($"milestone {milestoneId}");
}

/// <summary>A milestone as it is shown (S1), with its project's account and currency; <paramref name="Allocated"/>: what it holds in all, in services credits.</summary>
/// <param name="WasAllocated">Whether it was ever allocated.</param>
internal sealed record MilestoneDocument(
    string MilestoneId, string ProjectId, string AccountId, string Currency, decimal ServicesCredits, string Status, LocalDate? ActualDate, string TimeZone,
    bool WasAllocated, decimal Allocated, ImmutableArray<Holding> Holdings, string Name)
{
    public static MilestoneDocument Of(Milestone milestone, Project project, string timeZone) => new(
        milestone.MilestoneId, project.ProjectId, project.AccountId, project.Currency, milestone.ServicesCredits, milestone.Status, milestone.ActualDate, timeZone,
        milestone.WasAllocated, milestone.Held, milestone.Holdings, milestone.Name);
}

/// <summary>What moved, or would move, of each purchase; below 0: what is returned to it.</summary>
/// <param name="Refusal">Why nothing would move; null: it would.</param>
internal sealed record AllocatedDocument(string MilestoneId, decimal ServicesCredits, decimal Allocated, string Currency, ImmutableArray<Holding> Purchases, bool DryRun, Problem? Refusal)
{
    public static AllocatedDocument Of(Allocated moved, bool dryRun) =>
        new(moved.Milestone.MilestoneId, moved.Milestone.ServicesCredits, moved.Milestone.Held, moved.Currency, moved.Purchases, dryRun, null);

    public static AllocatedDocument Of(Milestone milestone, Project project, Refusal refusal) =>
        new(milestone.MilestoneId, milestone.ServicesCredits, milestone.Held, project.Currency, [], DryRun: true, Problems.Of(refusal));
}

/// <summary>A milestone as it shall be: without services credits it costs 0, and without a status its status is <c>None</c>.</summary>
/// <param name="TimeZone">Only the service writes it, as <paramref name="Allocated"/> and <paramref name="Holdings"/>.</param>
internal sealed record MilestoneBody(
    string? ProjectId, decimal? ServicesCredits = null, string? Status = null, LocalDate? ActualDate = null, string? MilestoneId = null,
    string? AccountId = null, string? Currency = null, string? TimeZone = null, bool? WasAllocated = null, decimal? Allocated = null, Holding[]? Holdings = null,
    string? Name = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.OfPath("milestoneId", MilestoneId, path), Fields.Id("projectId", ProjectId), Fields.NameIfGiven("status", Status), Fields.NameIfGiven("name", Name));

    public Refusal? CheckReadOnly(MilestoneDocument? present) => Refusal.All(
        Fields.ReadOnly("accountId", AccountId, present?.AccountId),
        Fields.ReadOnly("currency", Currency, present?.Currency),
        Fields.ReadOnly("timeZone", TimeZone, present?.TimeZone),
        Fields.ReadOnly("wasAllocated", WasAllocated, present?.WasAllocated),
        Fields.ReadOnly("allocated", Allocated, present?.Allocated),
        Fields.ReadOnly("holdings", Holdings, present is null ? null : [.. present.Holdings]));

    public SetMilestone ToSet(string milestoneId, long? expected, Caller caller) =>
        new(milestoneId, ProjectId!, ServicesCredits ?? 0, Status ?? Milestone.None, ActualDate, expected, caller.Name, Name ?? "");
}

/// <summary>Allocates a milestone (S2); without <paramref name="From"/> from the purchases that expire first.</summary>
internal sealed record AllocateBody(bool DryRun = false, [property: MaxLength(AllocateBody.MaxPurchases)] ChosenBody?[]? From = null) : IBody
{
    private const int MaxPurchases = 100;

    public Refusal? Check(RouteValueDictionary path) => From is { Length: not (>= 1 and <= MaxPurchases) }
        ? Refusal.Invalid("from", $"must name 1 to {MaxPurchases} purchases")
        : Refusal.All(Fields.Each("from", From, chosen => chosen.Check()));

    public AllocateCredits ToAllocate(string milestoneId, long? seen, Caller caller) =>
        new(milestoneId, seen, caller.Name, From is null ? null : [.. From.Select(chosen => new Holding(chosen!.PurchaseId!, chosen.Quantity!.Value))]);
}

/// <summary>A purchase chosen by hand, and what to take of it.</summary>
internal sealed record ChosenBody(string? PurchaseId, decimal? Quantity)
{
    public Refusal? Check() => Refusal.All(
        Fields.Given("purchaseId", PurchaseId)
            ?? (Ids.CanBe(PurchaseId) ? null : Refusal.Invalid("purchaseId", $"must have 1 to {Ids.MaxMadeLength} characters of {Ids.Alphabet}")),
        Fields.Given("quantity", Quantity));
}

internal sealed record AdjustBody(decimal? Quantity, bool DryRun = false) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Given("quantity", Quantity);
}
