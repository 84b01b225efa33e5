using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>What becomes durable in one transaction, or not at all: rows, each once and fenced by the version that it was read at, entries, and guards.</summary>
/// <param name="ClientId">Whose rows these are; <see cref="Entry.AllClients"/>: nobody's alone.</param>
/// <param name="Changes">Without any change, only with guards, a commit writes nothing and proves that all its guards hold at one moment.</param>
public sealed record Commit(string ClientId, Changes Changes);

/// <summary>How a commit ended.</summary>
public abstract record CommitResult
{
    private CommitResult() { }

    /// <summary>Durable, whole; of guards alone: they held.</summary>
    public sealed record Done : CommitResult;

    /// <summary>Nothing changed: these rows were not as expected.</summary>
    public sealed record Conflict(ImmutableHashSet<RowKey> Rows) : CommitResult;

    /// <summary>Nobody knows: it may have happened, or happen yet.</summary>
    public sealed record Unknown(Exception Cause) : CommitResult;
}

/// <summary>Rows that a batch of reports, or what undoes one, needs, all of one client and contract but for requests.</summary>
public sealed record Wanted(string ClientId, string ContractId)
{
    public IReadOnlyCollection<string> Players { get; init; } = [];

    public IReadOnlyCollection<string> Users { get; init; } = [];

    public IReadOnlyCollection<string> Reports { get; init; } = [];

    /// <summary>Keys of requests, hashed.</summary>
    public IReadOnlyCollection<string> Requests { get; init; } = [];

    public IReadOnlyCollection<CreditId> Credits { get; init; } = [];

    public IReadOnlyCollection<EndingKey> Endings { get; init; } = [];

    public bool IsNothing => Players.Count + Users.Count + Reports.Count + Requests.Count + Credits.Count + Endings.Count == 0;
}

/// <summary>Rows as the store has them, all of one snapshot, by their id; what is not there is not among them.</summary>
public sealed record Rows(
    IReadOnlyDictionary<string, Player> Players, IReadOnlyDictionary<string, Member> Members, IReadOnlyDictionary<string, Report> Reports,
    IReadOnlyDictionary<string, KeyedRequest> Requests)
{
    public static readonly Rows None = new(
        ImmutableDictionary<string, Player>.Empty, ImmutableDictionary<string, Member>.Empty, ImmutableDictionary<string, Report>.Empty,
        ImmutableDictionary<string, KeyedRequest>.Empty);

    public IReadOnlyDictionary<CreditId, Credit> Credits { get; init; } = ImmutableDictionary<CreditId, Credit>.Empty;

    public IReadOnlyDictionary<EndingKey, Ending> Endings { get; init; } = ImmutableDictionary<EndingKey, Ending>.Empty;
}
