using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Clients and their users (C3).</summary>
internal static class DirectoryEndpoints
{
    public static void MapDirectory(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/clients", Clients).Needs(Access.Read).Answers<Listing<ClientSummary>>("Clients, by id", 200);
        v1.MapGet("/users", List).Needs(Access.Read).Answers<Listing<UserDocument>>("Users of clients, by client and user id", 200);
        v1.MapGet("/users/{userId}", Get).Needs(Access.Any)
            .Answers<UserDocument>("A user", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapPut("/users/{userId}", Put).Needs(Access.Manage).ComparesTags()
            .Answers<UserDocument>("Names a user, and disables or enables the user for all contracts of the client", 200, 201)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
    }

    private static async Task<IResult> Clients(string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone) =>
        TypedResults.Ok(Listing<ClientSummary>.Of(await queries.Clients(caller.ClientId, Parameters.Page(limit, cursor, order)).WaitAsync(gone)));

    private static async Task<IResult> List(
        string? clientId, string? name, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone)
    {
        var (client, request) = (caller.ClientId ?? clientId, Parameters.Page(limit, cursor, order));
        var page = await (name is null
            ? queries.Directory(client, request)
            : Filtered.Page(
                next => queries.Directory(client, next), request, user => user.Name.HasPart(name),
                user => request.Behind(Filtered.Directory, user.ClientId, user.UserId))).WaitAsync(gone);
        return TypedResults.Ok(new Listing<UserDocument>(await Show(page.Items, queries, gone), page.Next));
    }

    private static async Task<IResult> Get(string userId, string? clientId, Caller caller, IQueries queries, CancellationToken gone)
    {
        if ((caller.ClientId ?? clientId) is not { } client) return NoClient;
        return caller.IsFor(userId) && await queries.User(new(client, userId)).WaitAsync(gone) is { } user
            ? TypedResults.Ok((await Show([user], queries, gone))[0])
            : Problems.NotFound($"user {userId} of client {client}");
    }

    private static async Task<IResult> Put(
        string userId, string? clientId, DirectoryBody body, Caller caller, IGrainFactory grains, IQueries queries, Known known, HttpRequest request,
        CancellationToken gone)
    {
        if ((caller.ClientId ?? clientId ?? body.ClientId) is not { } client) return NoClient;
        if (!await known.Client(client, caller)) return Problems.NotFound($"client {client}");

        var key = new UserKey(client, userId);
        var present = await queries.User(key).WaitAsync(gone);
        var shown = present is null ? null : (await Show([present], queries, gone))[0];
        if (body.CheckReadOnly(client, shown) is { } invalid) return Problems.Of(invalid);
        var demand = Tags.DemandOf(request, shown is null ? null : Tags.Of(shown));
        if (demand.Refused is { } refused) return refused;

        var decision = await grains.Ask(all => all.User(key).Set(body.Name!, body.Disabled, caller.Name, demand.Version(present?.Version)), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        var document = (await Show([decision.Value!.Answer], queries, gone))[0];
        return present is null ? TypedResults.Created($"/v1/users/{Uri.EscapeDataString(userId)}?clientId={client}", document) : TypedResults.Ok(document);
    }

    private static async Task<ImmutableArray<UserDocument>> Show(ImmutableArray<User> users, IQueries queries, CancellationToken gone)
    {
        var assignments = await queries.Assignments([.. users.Select(user => new UserKey(user.ClientId, user.UserId))]).WaitAsync(gone);
        var names = await queries.Names([.. assignments.Select(assignment => assignment.ContractId).Distinct()], []).WaitAsync(gone);
        var contracts = assignments.ToLookup(
            assignment => assignment.User,
            assignment => new UserDocument.Contract(assignment.ContractId, names.Contracts[assignment.ContractId].Name, assignment.Assigned));
        return [.. users.Select(user =>
            new UserDocument(user.ClientId, user.UserId, user.Name, user.Disabled, [.. contracts[new(user.ClientId, user.UserId)]]))];
    }

    private static Problem NoClient { get; } = Problems.Of(Refusal.Invalid("clientId", "must be given: a userId belongs to a client"));
}

/// <summary>A user as the client's directory has it (C3); its contracts, past ones too, by id.</summary>
internal sealed record UserDocument(string ClientId, string UserId, string Name, bool Disabled, ImmutableArray<UserDocument.Contract> Contracts)
{
    internal sealed record Contract(string ContractId, string ContractName, bool Assigned);
}

/// <summary>A user as the directory shall have it.</summary>
/// <param name="Contracts">Only the service writes them.</param>
internal sealed record DirectoryBody(
    string? Name, bool Disabled = false, string? ClientId = null, string? UserId = null, UserDocument.Contract?[]? Contracts = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) =>
        Refusal.All(Fields.OfPath("userId", UserId, path), Fields.IdIfGiven("clientId", ClientId), Fields.Name("name", Name));

    public Refusal? CheckReadOnly(string clientId, UserDocument? present) => Refusal.All(
        ClientId is null || ClientId == clientId ? null : Refusal.Invalid("clientId", $"must be {clientId}, or left out"),
        Fields.ReadOnly("contracts", Contracts, present is null ? null : [.. present.Contracts]));
}
