using CreditGrains.Grains;

namespace CreditGrains.Http;

/// <summary>Whether what a caller names is there for that caller (§3).</summary>
internal sealed class Known(IQueries queries, Clients clients)
{
    private readonly Fixed others = new(async clientId => await HasAny(queries, clientId) ? clientId : null);

    /// <summary>A caller's own client is there before anything of it is.</summary>
    public async ValueTask<bool> Client(string clientId, Caller caller) => caller.ClientId == clientId || (caller.Sees(clientId) && await others.Of(clientId) is not null);

    public ValueTask<string?> ClientOf(string contractId, Caller caller) => clients.Of(contractId, caller);

    public async ValueTask<bool> Account(string accountId, string? clientId, Caller caller) =>
        await queries.Account(accountId) is { ClientId: var owner } && caller.Sees(owner) && (clientId ?? owner) == owner;

    public async ValueTask<bool> Project(string projectId, string? clientId, Caller caller) =>
        await queries.Project(projectId) is { ClientId: var owner } && caller.Sees(owner) && (clientId ?? owner) == owner;

    public async ValueTask<bool> User(string clientId, string userId) => await queries.User(new(clientId, userId)) is not null;

    public async ValueTask<bool> Report(string clientId, string reportId) => await queries.Report(new(clientId, reportId)) is not null;

    private static async Task<bool> HasAny(IQueries queries, string clientId) =>
        !(await queries.Contracts(clientId, new(1, null))).Items.IsEmpty || !(await queries.Accounts(clientId, new(1, null))).Items.IsEmpty
        || !(await queries.Directory(clientId, new(1, null))).Items.IsEmpty;
}
