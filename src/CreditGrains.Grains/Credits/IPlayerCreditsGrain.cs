using System.Collections.Immutable;
using CreditGrains.Domain;
using Orleans.Concurrency;

namespace CreditGrains.Grains;

/// <summary>
/// The current credit of each player of a client, as far as contracts have asked for lately; its key is the client's id. It never calls a contract.
/// Its answers may be old: a commit that rests on them is fenced by their versions.
/// </summary>
public interface IPlayerCreditsGrain : IGrainWithStringKey
{
    /// <summary>The rows of these players; who has none is left out.</summary>
    /// <param name="stale">Those of them that must be read again.</param>
    [AlwaysInterleave]
    Task<ImmutableArray<Player>> Look(ImmutableArray<string> players, ImmutableArray<string> stale);

    /// <summary>Tells of rows that a commit has changed; a row older than the one known is ignored.</summary>
    [OneWay, AlwaysInterleave]
    Task Note(ImmutableArray<Player> rows);

    /// <summary>Books the ends of coverage that fell due (P3, T3), and sets the reminder of the next.</summary>
    Task WakeUp();
}
