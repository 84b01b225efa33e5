using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A client, and how many contracts, accounts and users it has.</summary>
public sealed record ClientSummary(string ClientId, long Contracts, long Accounts, long Users);

/// <summary>A user's place in a contract.</summary>
/// <param name="Assigned">false: the user was removed.</param>
public sealed record Assignment(UserKey User, string ContractId, bool Assigned);

/// <summary>The names of contracts and users, by their ids.</summary>
public sealed record Names(IReadOnlyDictionary<string, string> Contracts, IReadOnlyDictionary<UserKey, string> Users);
