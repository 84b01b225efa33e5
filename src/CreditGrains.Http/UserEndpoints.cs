using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Users of contracts (C3).</summary>
internal static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/contracts/{contractId}/users", List).Needs(Access.Read)
            .Answers<Listing<UserName>>("The assigned users, by id", 200).Refuses(RefusalCode.NotFound);
        v1.MapPut("/contracts/{contractId}/users", Replace).Needs(Access.Manage).ComparesTags()
            .Answers<Listing<UserName>>("Replaces the list of assigned users", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapPost("/contracts/{contractId}/users", Add).Needs(Access.Manage)
            .Answers<Listing<UserName>>("Adds users to the list; the others stay", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.IdempotencyKeyReused);
        v1.MapPut("/contracts/{contractId}/users/{userId}", Assign).Needs(Access.Manage)
            .Answers<UserName>("Assigns a user, or renames one", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapDelete("/contracts/{contractId}/users/{userId}", Remove).Needs(Access.Manage).Answers("Removes a user", 204).Refuses(RefusalCode.NotFound);
        v1.MapPost("/users/{userId}/disable", Disable).Needs(Access.Manage)
            .Answers<SwitchedUser>("Disables a user for all contracts of the client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapPost("/users/{userId}/enable", Enable).Needs(Access.Manage)
            .Answers<SwitchedUser>("Enables a user for all contracts of the client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
    }

    // The list has the version of the contract's plan, which changes with every user.
    private static async Task<IResult> List(
        string contractId, string? limit, string? cursor, string? order, Caller caller, IQueries queries, HttpResponse response, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { } contract || !caller.Sees(contract.Terms.ClientId)) return Problems.NoContract(contractId);

        var page = await queries.Users(contractId, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        if (!response.HasStarted) response.Headers.ETag = Tag(contract);
        return TypedResults.Ok(Listing<UserName>.Of(page, Show));
    }

    private static async Task<IResult> Replace(
        string contractId, UsersBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpContext context, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { } contract || !caller.Sees(contract.Terms.ClientId)) return Problems.NoContract(contractId);
        var demand = Tags.DemandOf(context.Request, Tag(contract));
        if (demand.Refused is { } refused) return refused;

        var decision = await grains.Ask(all => all.Contract(contractId).ReplaceUsers(body.ToUsers(), caller.Name, demand.Version(contract.Plan?.Version)), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        if (await queries.Contract(contractId).WaitAsync(gone) is { } changed) context.Response.Headers.ETag = Tag(changed);
        return TypedResults.Ok(new Listing<UserName>([.. decision.Value.Select(Show)], null));
    }

    private static async Task<IResult> Add(
        string contractId, MoreUsersBody body, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var decision = await grains.Ask(all => all.Contract(contractId).AddUsers(body.ToUsers(), caller.Name, key), gone);
        return Replies.Of(decision, users => new Listing<UserName>(users, null));
    }

    private static async Task<IResult> Assign(
        string contractId, string userId, UserBody body, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var user = new UserName(userId, body.Name!);
        return (await grains.Ask(all => all.Contract(contractId).AssignUser(user, caller.Name), gone)).Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(user);
    }

    private static async Task<IResult> Remove(string contractId, string userId, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        return (await grains.Ask(all => all.Contract(contractId).RemoveUser(userId, caller.Name), gone)).Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.NoContent();
    }

    private static Task<IResult> Disable(
        string userId, ClientBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone) =>
        Switch(userId, body, disabled: true, caller, grains, queries, request, gone);

    private static Task<IResult> Enable(
        string userId, ClientBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone) =>
        Switch(userId, body, disabled: false, caller, grains, queries, request, gone);

    private static async Task<IResult> Switch(
        string userId, ClientBody body, bool disabled, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var (requestKey, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if ((body.ClientId ?? caller.ClientId) is not { } clientId) return Problems.Of(Refusal.Invalid("clientId", "must be given: a userId belongs to a client"));
        var key = new UserKey(clientId, userId);
        if (!caller.Sees(key.ClientId) || await queries.User(key).WaitAsync(gone) is null) return Problems.NotFound($"user {userId} of client {key.ClientId}");

        return Replies.Of(await grains.Ask(all => all.User(key).Switch(disabled, caller.Name, requestKey), gone), SwitchedUser.Of);
    }

    private static string Tag(ContractDocument contract) => Tags.OfVersion($"users.{contract.Plan?.Version ?? 0}");

    private static UserName Show(Member member) => new(member.UserId, member.Name);
}

/// <summary>Users who are added to the list: at most as many as a list may have.</summary>
internal sealed record MoreUsersBody([property: MaxLength(Membership.MaxUsers)] UsersBody.User?[]? Users) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => new UsersBody(Users).Check(path);

    public ImmutableArray<UserName> ToUsers() => new UsersBody(Users).ToUsers();
}

/// <summary>The users that a contract shall have, each once; at most 10,000.</summary>
/// <param name="Items">The same under the name that the list has where it is read.</param>
/// <param name="NextCursor">Of the list as it is read; null: that was all of it.</param>
internal sealed record UsersBody(
    [property: MaxLength(Membership.MaxUsers)] UsersBody.User?[]? Users = null, [property: MaxLength(Membership.MaxUsers)] UsersBody.User?[]? Items = null, string? NextCursor = null) : IBody
{
    internal sealed record User(string? UserId, string? Name);

    public Refusal? Check(RouteValueDictionary path)
    {
        if (Users is not null && Items is not null) return Refusal.Invalid("items", "must be left out where users are given");
        if (NextCursor is not null) return Refusal.Invalid("nextCursor", "must be null: the whole list must be sent");
        var (field, users) = Items is null ? ("users", Users) : ("items", Items);
        var seen = new HashSet<string>();
        return Fields.Given(field, users) ?? (users!.Length > Membership.MaxUsers
            ? Refusal.Invalid(field, $"must have at most {Membership.MaxUsers:N0} users")
            : Refusal.All(Fields.Each(field, users, user => Refusal.All(
                Fields.ExternalId("userId", user.UserId) ?? (seen.Add(user.UserId!) ? null : Refusal.Invalid("userId", "must be in the list once")),
                Fields.Name("name", user.Name)))));
    }

    public ImmutableArray<UserName> ToUsers() => [.. (Items ?? Users)!.Select(user => new UserName(user!.UserId!, user.Name!))];
}

internal sealed record UserBody(string? Name) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Name("name", Name);
}

/// <summary>Whose user it is; a key of one client need not say it.</summary>
internal sealed record ClientBody(string? ClientId = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.IdIfGiven("clientId", ClientId);
}

/// <summary>A user of a client, whatever the contract (C3).</summary>
internal sealed record SwitchedUser(string ClientId, string UserId, bool Disabled)
{
    public static SwitchedUser Of(User user) => new(user.ClientId, user.UserId, user.Disabled);
}
