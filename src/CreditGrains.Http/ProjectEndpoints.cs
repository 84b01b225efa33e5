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
        v1.MapPut("/projects/{projectId}", Put).Needs(Access.Operate).Answers<ProjectDocument>("Makes a project, or changes its account or currency", 200, 201).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapGet("/projects/{projectId}", Get).Needs(Access.Read).Answers<ProjectDocument>("A project", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/projects", List).Needs(Access.Read).Answers<Listing<ProjectDocument>>("Projects, by id", 200);
    }

    private static async Task<IResult> Put(string projectId, ProjectBody body, Caller caller, IGrainFactory grains, IQueries queries, CancellationToken gone)
    {
        if (body.Check(projectId) is { } invalid) return Problems.Of(invalid);

        var present = await queries.Project(projectId).WaitAsync(gone);
        var decision = await grains.Ask(all => all.Account(body.AccountId!).SetProject(new(projectId, body.Currency!, caller.Name)), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        var document = ProjectDocument.Of(decision.Value!);
        return present is null ? TypedResults.Created($"/v1/projects/{projectId}", document) : TypedResults.Ok(document);
    }

    private static async Task<IResult> Get(string projectId, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Project(projectId).WaitAsync(gone) is { } project && caller.Sees(project.ClientId) ? TypedResults.Ok(ProjectDocument.Of(project)) : Problems.NotFound($"project {projectId}");

    private static async Task<IResult> List(string? clientId, string? accountId, string? limit, string? cursor, Caller caller, IQueries queries, CancellationToken gone) =>
        TypedResults.Ok(Listing<ProjectDocument>.Of(await queries.Projects(new(caller.ClientId ?? clientId, accountId), Parameters.Page(limit, cursor)).WaitAsync(gone), ProjectDocument.Of));
}

/// <summary>A project as it is shown (S1).</summary>
internal sealed record ProjectDocument(string ProjectId, string ClientId, string AccountId, string Currency)
{
    public static ProjectDocument Of(Project project) => new(project.ProjectId, project.ClientId, project.AccountId, project.Currency);
}

internal sealed record ProjectBody(string? AccountId, string? Currency, string? ProjectId = null)
{
    public Refusal? Check(string projectId) =>
        Fields.OfPath("projectId", ProjectId, projectId)
        ?? Fields.Id("accountId", AccountId) ?? Fields.Given("currency", Currency);
}
