using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary><see cref="New"/>: the player was charged; <see cref="Covered"/>: the player already had an unexpired credit (P2).</summary>
public enum PlayerCharge { New, Covered }

/// <summary>The outcome of a report for one player.</summary>
/// <param name="CreditId">The credit that covers the player; null in a dry run where one would be charged.</param>
/// <param name="ExpiresAt">When that coverage ends; null: never.</param>
public sealed record PlayerOutcome(string PlayerId, PlayerCharge Charge, string? CreditId, Instant? ExpiresAt);

/// <summary>What is left after a report, in credits; null: no limit.</summary>
public sealed record Balance(long? UserAvailable, long? ContractRemaining);

/// <summary>A report's row: its first answer, for ever (R3), and the proof that it was made (R5).</summary>
/// <param name="At">The instant at which it was decided.</param>
/// <param name="Charged">How many players were charged.</param>
/// <param name="Covered">How many players were covered already.</param>
public sealed record Report(
    string ReportId,
    string ClientId,
    string ContractId,
    string UserId,
    Instant At,
    int Charged,
    int Covered,
    ImmutableArray<PlayerOutcome> Players,
    Balance Balance) : Change
{
    /// <summary>The most players in one report (R1).</summary>
    public const int MaxPlayers = 1_000;

    [JsonIgnore]
    public RowKey Row => RowKey.Report(ClientId, ReportId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);

    /// <summary>Whether this report answers a request with that contract, user and set of players (R3).</summary>
    public bool Answers(string contractId, string userId, IEnumerable<string> playerIds) =>
        ContractId == contractId && UserId == userId && Players.Select(player => player.PlayerId).ToHashSet().SetEquals(playerIds);
}
