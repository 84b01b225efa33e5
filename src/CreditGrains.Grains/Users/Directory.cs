using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A client, and how many contracts, accounts and users it has.</summary>
public sealed record ClientSummary(string ClientId, long Contracts, long Accounts, long Users);

/// <summary>A user's place in a contract.</summary>
/// <param name="Assigned">false: the user was removed.</param>
public sealed record Assignment(UserKey User, string ContractId, bool Assigned);

/// <summary>A contract's name, and the zone of its times.</summary>
public sealed record NamedContract(string Name, string TimeZone);

/// <summary>The names of contracts and users, by their ids.</summary>
public sealed record Names(IReadOnlyDictionary<string, NamedContract> Contracts, IReadOnlyDictionary<UserKey, string> Users)
{
    /// <summary>null: there is no such contract, or none is asked for.</summary>
    public NamedContract? Contract(string? contractId) => contractId is null ? null : Contracts.GetValueOrDefault(contractId);

    /// <summary>The zone of a contract's times.</summary>
    public DateTimeZone ZoneOf(string contractId) => Contract(contractId) is { } contract ? Calendar.KnownZone(contract.TimeZone) : DateTimeZone.Utc;

    /// <summary>null: there is no such user, or none is asked for.</summary>
    public string? User(string? clientId, string? userId) =>
        clientId is null || userId is null ? null : Users.GetValueOrDefault(new(clientId, userId));
}

/// <summary>Reads the names beside the ids of a page, in one go.</summary>
public static class NamesBesideIds
{
    /// <param name="rows">The ids of each row; null: it has none.</param>
    public static Task<Names> NamesOf(this IQueries queries, IEnumerable<(string? ClientId, string? ContractId, string? UserId)> rows)
    {
        var (contracts, users) = (new HashSet<string>(), new HashSet<UserKey>());
        foreach (var (clientId, contractId, userId) in rows)
        {
            if (contractId is not null) contracts.Add(contractId);
            if (clientId is not null && userId is not null) users.Add(new(clientId, userId));
        }
        return queries.Names(contracts, users);
    }
}
