using System.Collections.Immutable;
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
        v1.MapPut("/milestones/{milestoneId}", Put).Needs(Access.Manage).Answers<MilestoneDocument>("Makes a milestone, or changes it", 200, 201)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.AllocationRequired);
        v1.MapGet("/milestones/{milestoneId}", Get).Needs(Access.Read).Answers<MilestoneDocument>("A milestone", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/milestones", List).Needs(Access.Read).Answers<Listing<MilestoneDocument>>("Milestones, by id", 200);
        v1.MapPost("/milestones/{milestoneId}/allocate", Allocate).Needs(Access.Manage).Answers<AllocatedDocument>("Allocates what the milestone costs; with dryRun it says what would move", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.InsufficientServicesCredits);
        v1.MapPost("/milestones/{milestoneId}/adjust", Adjust).Needs(Access.Manage).Answers<AllocatedDocument>("Changes what an allocated milestone costs and holds; with dryRun it says what would move", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.NotAllocated, RefusalCode.AllocationRequired, RefusalCode.InsufficientServicesCredits);
        v1.MapGet("/milestones/{milestoneId}/allocations", Allocations).Needs(Access.Read).Answers<Listing<AllocationRecord>>("The allocation record", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/milestones/{milestoneId}/consumptions", Consumptions).Needs(Access.Read).Answers<Listing<Consumption>>("Consumption records, in the order of writing", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> Put(string milestoneId, MilestoneBody body, Caller caller, IGrainFactory grains, IQueries queries, Zones zones, HttpContext context, CancellationToken gone)
    {
        if (body.Check(milestoneId) is { } invalid) return Problems.Of(invalid);

        var present = await queries.Milestone(milestoneId).WaitAsync(gone);
        if (present is not null && !caller.Sees(present.ClientId)) return Absent(milestoneId);
        if (await queries.Project(body.ProjectId!).WaitAsync(gone) is not { } project || !caller.Sees(project.ClientId)) return Problems.NotFound($"project {body.ProjectId}");

        var set = body.ToSet(milestoneId, Tags.Expected(context.Request, present?.Version), caller);
        var decision = await AskAccountOf(project, account => account.SetMilestone(set), grains, queries, gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        var document = await zones.Show(decision.Value!);
        context.Response.Headers.ETag = Tags.Of(decision.Value!.Version);
        return present is null ? TypedResults.Created($"/v1/milestones/{milestoneId}", document) : TypedResults.Ok(document);
    }

    private static async Task<IResult> Get(string milestoneId, Caller caller, IQueries queries, Zones zones, HttpContext context, CancellationToken gone)
    {
        if (await Find(milestoneId, caller, queries, gone) is not { } milestone) return Absent(milestoneId);

        context.Response.Headers.ETag = Tags.Of(milestone.Version);
        return context.Request.Headers.IfNoneMatch == Tags.Of(milestone.Version) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Ok(await zones.Show(milestone));
    }

    private static async Task<IResult> List(string? clientId, string? projectId, string? limit, string? cursor, Caller caller, IQueries queries, Zones zones, CancellationToken gone)
    {
        var page = await queries.Milestones(new(caller.ClientId ?? clientId, projectId), Parameters.Page(limit, cursor)).WaitAsync(gone);
        return TypedResults.Ok(new Listing<MilestoneDocument>(await zones.Show(page.Items).WaitAsync(gone), page.Next));
    }

    private static Task<IResult> Allocate(string milestoneId, AllocateBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpContext context, CancellationToken gone) =>
        Move(milestoneId, body.DryRun, (account, expected) => account.Allocate(new(milestoneId, expected, caller.Name), body.DryRun), caller, grains, queries, context, gone);

    private static async Task<IResult> Adjust(string milestoneId, AdjustBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpContext context, CancellationToken gone) =>
        Fields.Given("quantity", body.Quantity) is { } missing
            ? Problems.Of(missing)
            : await Move(milestoneId, body.DryRun, (account, expected) => account.Adjust(new(milestoneId, body.Quantity!.Value, expected, caller.Name), body.DryRun), caller, grains, queries, context, gone);

    private static async Task<IResult> Move(
        string milestoneId, bool dryRun, Func<IAccountGrain, long?, Task<Decision<Allocated>>> move, Caller caller, IGrainFactory grains, IQueries queries, HttpContext context, CancellationToken gone)
    {
        if (await Find(milestoneId, caller, queries, gone) is not { } milestone) return Absent(milestoneId);
        var project = await queries.Project(milestone.ProjectId).WaitAsync(gone) ?? throw new InvariantException("a milestone's project is there");

        var expected = Tags.Expected(context.Request, milestone.Version);
        var decision = await AskAccountOf(project, account => move(account, expected), grains, queries, gone);
        if (decision.Value is { } moved)
        {
            if (!dryRun) context.Response.Headers.ETag = Tags.Of(moved.Milestone.Version);
            return TypedResults.Ok(AllocatedDocument.Of(moved, dryRun));
        }
        return dryRun && decision.Refusal!.Code is RefusalCode.NotAllocated or RefusalCode.AllocationRequired or RefusalCode.InsufficientServicesCredits
            ? TypedResults.Ok(AllocatedDocument.Of(milestone, project, decision.Refusal))
            : Problems.Of(decision.Refusal!);
    }

    private static async Task<IResult> Allocations(string milestoneId, string? limit, string? cursor, Caller caller, IQueries queries, Zones zones, CancellationToken gone) =>
        await Find(milestoneId, caller, queries, gone) is null
            ? Absent(milestoneId)
            : TypedResults.Ok(await Listing<AllocationRecord>.Of(await queries.AllocationRecords(new(null, milestoneId), Parameters.Page(limit, cursor)).WaitAsync(gone), async record => record with { TimeZone = await zones.Of(record.AccountId) }));

    private static async Task<IResult> Consumptions(string milestoneId, string? limit, string? cursor, Caller caller, IQueries queries, Zones zones, CancellationToken gone) =>
        await Find(milestoneId, caller, queries, gone) is null
            ? Absent(milestoneId)
            : TypedResults.Ok(await Listing<Consumption>.Of(await queries.Consumptions(new(null, milestoneId), Parameters.Page(limit, cursor)).WaitAsync(gone), async record => record with { TimeZone = await zones.Of(record.AccountId) }));

    // Where the project went to another account meanwhile, that one is asked.
    private static async Task<Decision<T>> AskAccountOf<T>(Project project, Func<IAccountGrain, Task<Decision<T>>> ask, IGrainFactory grains, IQueries queries, CancellationToken gone)
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
    bool WasAllocated, decimal Allocated, ImmutableArray<Holding> Holdings)
{
    public static MilestoneDocument Of(Milestone milestone, Project project, string timeZone) => new(
        milestone.MilestoneId, project.ProjectId, project.AccountId, project.Currency, milestone.ServicesCredits, milestone.Status, milestone.ActualDate, timeZone,
        milestone.WasAllocated, milestone.Held, milestone.Holdings);
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

/// <summary>A milestone as it shall be; services credits that are left out stay as they are, 0 at first, and a status that is left out is <c>None</c>.</summary>
internal sealed record MilestoneBody(string? ProjectId, decimal? ServicesCredits = null, string? Status = null, LocalDate? ActualDate = null, string? MilestoneId = null)
{
    public Refusal? Check(string milestoneId) =>
        Fields.OfPath("milestoneId", MilestoneId, milestoneId)
        ?? Fields.Id("projectId", ProjectId) ?? Fields.NameIfGiven("status", Status);

    public SetMilestone ToSet(string milestoneId, long? expected, Caller caller) => new(milestoneId, ProjectId!, ServicesCredits, Status ?? Milestone.None, ActualDate, expected, caller.Name);
}

internal sealed record AllocateBody(bool DryRun = false);

internal sealed record AdjustBody(decimal? Quantity, bool DryRun = false);
