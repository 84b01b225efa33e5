using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Projects (S1).</summary>
internal static class ProjectEndpoints
{
    public static void MapProjects(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/projects/{projectId}", Put).Needs(Access.Manage).ComparesTags()
            .Answers<ProjectDocument>("Makes a project, or changes its account or currency", 200, 201)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapPatch("/projects/{projectId}", Patch).Needs(Access.Manage).ComparesTags().Answers<ProjectDocument>("Changes what the merge patch names", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/projects/{projectId}", Get).Needs(Access.Read).Answers<ProjectDocument>("A project", 200).Refuses(RefusalCode.NotFound);
        v1.MapPost("/projects/{projectId}/allocate", Allocate).Needs(Access.Manage)
            .Answers<AllocatedList>("Allocates what milestones of the project cost, one after another, each with an answer of its own", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/projects", List).Needs(Access.Read).Answers<Listing<ProjectDocument>>("Projects, by id", 200);
    }

    private static async Task<IResult> Put(
        string projectId, ProjectBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var present = await queries.Project(projectId).WaitAsync(gone);
        if (present is not null && !caller.Sees(present.ClientId)) return Absent(projectId);
        if (await AccountOf(body, caller, queries, gone) is { } absent) return absent;
        var demand = Tags.DemandOf(request, present is null ? null : Tags.Of(ProjectDocument.Of(present)));
        if (demand.Refused is { } refused) return refused;
        if (body.CheckReadOnly(present) is { } invalid) return Problems.Of(invalid);

        var decision = await Set(projectId, body, demand.Value(present?.Terms), null, caller, grains, gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        var document = ProjectDocument.Of(decision.Value!.Answer);
        return present is null ? TypedResults.Created($"/v1/projects/{projectId}", document) : TypedResults.Ok(document);
    }

    private static Task<IResult> Patch(
        string projectId, MergePatch<ProjectBody> patch, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone) =>
        patch.Make<Project, ProjectDocument>(
            request, Absent(projectId),
            async () => await Find(projectId, caller, queries, gone) is { } present ? (present, ProjectDocument.Of(present)) : null,
            async (body, found, demand, key) =>
            {
                if (await AccountOf(body, caller, queries, gone) is { } absent) return (null, absent);
                if (body.CheckReadOnly(found.Present) is { } invalid) return (null, Problems.Of(invalid));

                var seen = demand.Value(found.Present.Terms) ?? Seen.Of(found.Present.Terms);
                return Replies.Shown(await Set(projectId, body, seen, key, caller, grains, gone), ProjectDocument.Of);
            });

    private static Task<Decision<Answered<Project>>> Set(
        string projectId, ProjectBody body, string? seen, RequestKey? key, Caller caller, IGrainFactory grains, CancellationToken gone) =>
        grains.Ask(all => all.Account(body.AccountId!).SetProject(new(projectId, body.Currency!, caller.Name, seen, body.Name ?? ""), key), gone);

    // Why the account that the body names is not there for the caller; null: it is.
    private static async Task<Problem?> AccountOf(ProjectBody body, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Account(body.AccountId!).WaitAsync(gone) is { } account && caller.Sees(account.ClientId) ? null : Problems.NotFound($"account {body.AccountId}");

    private static Problem Absent(string projectId) => Problems.NotFound($"project {projectId}");

    private static async Task<IResult> Get(string projectId, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(projectId, caller, queries, gone) is { } project ? TypedResults.Ok(ProjectDocument.Of(project)) : Absent(projectId);

    private static async Task<IResult> Allocate(
        string projectId, ProjectAllocateBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if (await Find(projectId, caller, queries, gone) is not { } project) return Absent(projectId);

        var milestones = body.MilestoneIds?.OfType<string>() ?? await Waiting(projectId, queries).WaitAsync(gone);
        var allocate = new AllocateMilestones(projectId, [.. milestones], caller.Name);
        var decision = await MilestoneEndpoints.AskAccountOf(
            project, account => account.AllocateMilestones(allocate, body.DryRun, key), grains, queries, gone);
        return Replies.Of(decision, all => new AllocatedList([.. all.Select(one => AllocatedItem.Of(one, body.DryRun, request))]));
    }

    // The project's milestones that are not wholly allocated, by id, no more than one call takes.
    private static async Task<List<string>> Waiting(string projectId, IQueries queries)
    {
        var waiting = new List<string>();
        for (string? after = null; waiting.Count < ProjectAllocateBody.MaxMilestones;)
        {
            var page = await queries.Milestones(new(null, projectId), new(ProjectAllocateBody.MaxMilestones, after));
            waiting.AddRange(page.Items.Where(milestone => milestone.NeedsAllocation).Select(milestone => milestone.MilestoneId));
            if (page.Next is null) break;
            after = page.Next;
        }
        return [.. waiting.Take(ProjectAllocateBody.MaxMilestones)];
    }

    private static async Task<Project?> Find(string projectId, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Project(projectId).WaitAsync(gone) is { } project && caller.Sees(project.ClientId) ? project : null;

    private static async Task<IResult> List(
        string? clientId, string? accountId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone) =>
        TypedResults.Ok(Listing<ProjectDocument>.Of(await queries.Projects(new(caller.ClientId ?? clientId, accountId), Parameters.Page(limit, cursor, order)).WaitAsync(gone), ProjectDocument.Of));
}

/// <summary>A project as it is shown (S1).</summary>
internal sealed record ProjectDocument(string ProjectId, string ClientId, string AccountId, string Currency, string Name)
{
    public static ProjectDocument Of(Project project) => new(project.ProjectId, project.ClientId, project.AccountId, project.Currency, project.Name);
}

/// <summary>A project as it shall be.</summary>
/// <param name="ClientId">The account's; only the service writes it.</param>
internal sealed record ProjectBody(string? AccountId, string? Currency, string? ProjectId = null, string? ClientId = null, string? Name = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.OfPath("projectId", ProjectId, path), Fields.Id("accountId", AccountId), Fields.Given("currency", Currency), Fields.NameIfGiven("name", Name));

    public Refusal? CheckReadOnly(Project? present) => Fields.ReadOnly("clientId", ClientId, present?.ClientId);
}

/// <summary>The milestones to allocate, in this order; without <paramref name="MilestoneIds"/> all of the project that need it, by id, at most 1,000.</summary>
internal sealed record ProjectAllocateBody(
    [property: MaxLength(ProjectAllocateBody.MaxMilestones)] string?[]? MilestoneIds = null, bool DryRun = false) : IBody
{
    /// <summary>The most milestones of one call.</summary>
    public const int MaxMilestones = 1_000;

    public Refusal? Check(RouteValueDictionary path) => MilestoneIds is { Length: not (>= 1 and <= MaxMilestones) }
        ? Refusal.Invalid("milestoneIds", $"must be 1 to {MaxMilestones:N0}")
        : Refusal.All((MilestoneIds ?? []).Select((id, i) => Fields.Id($"milestoneIds[{i}]", id)));
}

/// <summary>What came of each milestone, in the order of the request.</summary>
internal sealed record AllocatedList(ImmutableArray<AllocatedItem> Items);

/// <summary>What the milestone alone would have been answered.</summary>
internal sealed record AllocatedItem(string MilestoneId, int Status, [property: Either(typeof(AllocatedDocument), typeof(Problem))] object Body)
{
    public static AllocatedItem Of(AllocatedOne one, bool dryRun, HttpRequest request)
    {
        if (one.Allocated is { } allocated) return new(one.MilestoneId, StatusCodes.Status200OK, AllocatedDocument.Of(allocated, dryRun));
        var problem = Problems.Of(one.Refusal!);
        problem.CountIn(request.HttpContext);
        return new(one.MilestoneId, problem.Status, problem with { RequestId = request.HttpContext.TraceIdentifier });
    }
}
