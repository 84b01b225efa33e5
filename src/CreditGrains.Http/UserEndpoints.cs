using System.Collections.Immutable;
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
        v1.MapGet("/contracts/{contractId}/users", List).Needs(Access.Read).Answers<Listing<UserName>>("The assigned users, by id", 200).Refuses(RefusalCode.NotFound);
        v1.MapPut("/contracts/{contractId}/users", Replace).Needs(Access.Manage).Answers<Listing<UserName>>("Replaces the list of assigned users", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapPost("/contracts/{contractId}/users", Add).Needs(Access.Manage).Answers<Listing<UserName>>("Adds users to the list; the others stay", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapPut("/contracts/{contractId}/users/{userId}", Assign).Needs(Access.Manage).Answers<UserName>("Assigns a user, or renames one", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapDelete("/contracts/{contractId}/users/{userId}", Remove).Needs(Access.Manage).Answers("Removes a user", 204).Refuses(RefusalCode.NotFound);
        v1.MapPost("/users/{userId}/disable", Disable).Needs(Access.Manage).Answers<SwitchedUser>("Disables a user for all contracts of the client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapPost("/users/{userId}/enable", Enable).Needs(Access.Manage).Answers<SwitchedUser>("Enables a user for all contracts of the client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
    }

    private static async Task<IResult> List(string contractId, string? limit, string? cursor, Caller caller, Clients clients, IQueries queries, CancellationToken gone) =>
        await clients.Of(contractId, caller) is null
            ? Problems.NoContract(contractId)
            : TypedResults.Ok(Listing<UserName>.Of(await queries.Users(contractId, Parameters.Page(limit, cursor)).WaitAsync(gone), Show));

    private static Task<IResult> Replace(string contractId, UsersBody body, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone) =>
        Set(contractId, body, contract => contract.ReplaceUsers(body.ToUsers(), caller.Name), caller, clients, grains, gone);

    private static Task<IResult> Add(string contractId, UsersBody body, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone) =>
        Set(contractId, body, contract => contract.AddUsers(body.ToUsers(), caller.Name), caller, clients, grains, gone);

    private static async Task<IResult> Set(
        string contractId, UsersBody body, Func<IContractGrain, Task<Decision<ImmutableArray<Member>>>> set,
        Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone)
    {
        if (body.Check() is { } invalid) return Problems.Of(invalid);
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var decision = await grains.Ask(all => set(all.Contract(contractId)), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(new Listing<UserName>([.. decision.Value.Select(Show)], null));
    }

    private static async Task<IResult> Assign(string contractId, string userId, UserBody body, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone)
    {
        if (Fields.Name("name", body.Name) is { } invalid) return Problems.Of(invalid);
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        var user = new UserName(userId, body.Name!);
        return (await grains.Ask(all => all.Contract(contractId).AssignUser(user, caller.Name), gone)).Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(user);
    }

    private static async Task<IResult> Remove(string contractId, string userId, Caller caller, Clients clients, IGrainFactory grains, CancellationToken gone)
    {
        if (await clients.Of(contractId, caller) is null) return Problems.NoContract(contractId);

        return (await grains.Ask(all => all.Contract(contractId).RemoveUser(userId, caller.Name), gone)).Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.NoContent();
    }

    private static Task<IResult> Disable(string userId, ClientBody body, Caller caller, IGrainFactory grains, IQueries queries, CancellationToken gone) =>
        Switch(userId, body, disabled: true, caller, grains, queries, gone);

    private static Task<IResult> Enable(string userId, ClientBody body, Caller caller, IGrainFactory grains, IQueries queries, CancellationToken gone) =>
        Switch(userId, body, disabled: false, caller, grains, queries, gone);

    private static async Task<IResult> Switch(string userId, ClientBody body, bool disabled, Caller caller, IGrainFactory grains, IQueries queries, CancellationToken gone)
    {
        if (Fields.Id("clientId", body.ClientId) is { } invalid) return Problems.Of(invalid);
        var key = new UserKey(body.ClientId!, userId);
        if (!caller.Sees(key.ClientId) || !await queries.UserExists(key).WaitAsync(gone)) return Problems.NotFound($"user {userId} of client {key.ClientId}");

        var decision = await grains.Ask(all => all.User(key).Switch(disabled, caller.Name), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(SwitchedUser.Of(decision.Value!));
    }

    private static UserName Show(Member member) => new(member.UserId, member.Name);
}

/// <summary>The users that a contract shall have, each once; at most 10,000.</summary>
internal sealed record UsersBody(UsersBody.User?[]? Users)
{
    internal sealed record User(string? UserId, string? Name);

    public Refusal? Check()
    {
        if (Fields.Given("users", Users) is { } missing) return missing;
        if (Users!.Length > Membership.MaxUsers) return Refusal.Invalid("users", $"has at most {Membership.MaxUsers} users");
        var seen = new HashSet<string>();
        return Fields.Each("users", Users, (at, user) =>
            Fields.Id($"{at}userId", user.UserId) ?? Fields.Name($"{at}name", user.Name) ?? (seen.Add(user.UserId!) ? null : Refusal.Invalid($"{at}userId", "is in the list already")));
    }

    public ImmutableArray<UserName> ToUsers() => [.. Users!.Select(user => new UserName(user!.UserId!, user.Name!))];
}

internal sealed record UserBody(string? Name);

internal sealed record ClientBody(string? ClientId);

/// <summary>A user of a client, whatever the contract (C3).</summary>
internal sealed record SwitchedUser(string ClientId, string UserId, bool Disabled)
{
    public static SwitchedUser Of(User user) => new(user.ClientId, user.UserId, user.Disabled);
}
