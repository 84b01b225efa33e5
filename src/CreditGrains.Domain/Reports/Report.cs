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

/// <summary>A credit that a report charged and that went back.</summary>
/// <param name="Reason">Why it was voided; null: its hold ended, or a capture left it out.</param>
public sealed record GivenBack(string PlayerId, string CreditId, Instant At, string? Reason);

/// <summary>A credit of a captured hold.</summary>
/// <param name="ExpiresAt">When the player's coverage ends; null: never.</param>
public sealed record CapturedCredit(string PlayerId, string CreditId, Instant? ExpiresAt);

/// <summary>The capture of a hold (R8): for these players the report is charged for good.</summary>
public sealed record Capture(Instant At, ImmutableArray<CapturedCredit> Players);

/// <summary>A report's row: its first answer, for ever (R3), the proof that it was made (R5), and what became of it since (R7, R8).</summary>
/// <param name="At">The instant at which it was decided.</param>
/// <param name="Charged">How many players were charged.</param>
/// <param name="Covered">How many players were covered already.</param>
public record Report(
    string ReportId,
    string ClientId,
    string ContractId,
    string UserId,
    Instant At,
    int Charged,
    int Covered,
    ImmutableArray<PlayerOutcome> Players,
    Balance Balance)
{
    /// <summary>When it voids itself unless it is captured (R8); null: it is no hold.</summary>
    public Instant? HoldUntil { get; init; }

    /// <summary>null: it was not captured.</summary>
    public Capture? Captured { get; init; }

    /// <summary>The credits that it charged and that went back, in that order (R7, R8).</summary>
    public ImmutableArray<GivenBack> Voided { get; init; } = [];

    /// <summary>As it was first answered.</summary>
    public Report AsAnswered() => this with { Captured = null, Voided = [] };

    /// <summary>Whether it is a hold that ended without being captured.</summary>
    public bool IsHoldOver(Instant now) => HoldUntil <= now && Captured is null;

    /// <summary>The most players in one report (R1).</summary>
    public const int MaxPlayers = 1_000;

    [JsonIgnore]
    public RowKey Row => RowKey.Report(ClientId, ReportId);

    /// <summary>Whether this report answers a request with that contract, user and set of players (R3).</summary>
    public bool Answers(string contractId, string userId, IEnumerable<string> playerIds) =>
        ContractId == contractId && UserId == userId && Players.Select(player => player.PlayerId).ToHashSet().SetEquals(playerIds);
}

/// <summary>A report's row as it now is. Only its contract changes it, so the epoch of the contract's document is its fence.</summary>
/// <param name="IsNew">The row is inserted: it must not exist yet. Else it is voided or captured.</param>
public sealed record ReportChange(Report Report, bool IsNew) : Change
{
    public RowKey Row => Report.Row;

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
