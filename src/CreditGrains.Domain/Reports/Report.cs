using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

public enum PlayerCharge { New, Covered }

/// <summary>What a report did for one player.</summary>
/// <param name="CreditId">The credit that covers the player; null in a dry run where one would be charged.</param>
/// <param name="ExpiresAt">When that coverage ends; null: never.</param>
public sealed record PlayerOutcome(string PlayerId, PlayerCharge Charge, string? CreditId, Instant? ExpiresAt);

/// <summary>What is left after a report, in credits; null where there is no limit.</summary>
public sealed record Balance(long? UserAvailable, long? ContractRemaining);

/// <summary>A report's record: its answer, for ever (R3), and the proof that it happened (R5).</summary>
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
    /// <summary>The most players of one report (R1).</summary>
    public const int MaxPlayers = 1_000;

    [JsonIgnore]
    public RowKey Row => RowKey.Report(ClientId, ReportId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);

    /// <summary>Whether a request with this contract, user and set of players is the one that this record answers (R3).</summary>
    public bool Answers(string contractId, string userId, IEnumerable<string> playerIds) =>
        ContractId == contractId && UserId == userId && Players.Select(player => player.PlayerId).ToHashSet().SetEquals(playerIds);
}
