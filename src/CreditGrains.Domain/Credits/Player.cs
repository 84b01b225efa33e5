using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A player of a client and the credit that covers, or has covered, the player last (P2, P3). The row stays when the player is freed.</summary>
/// <param name="Credit">null: the player has been freed.</param>
/// <param name="CoversUntil">When that credit's coverage ends; null: never, or there is no credit.</param>
/// <param name="AsOf">The latest effective instant that changed this row: nothing that rests on it is decided before.</param>
/// <param name="Version">Its fence: rises with every change; 0: there is no row.</param>
public sealed record Player(string ClientId, string PlayerId, CreditId? Credit, Instant? CoversUntil, Instant AsOf, long Version)
{
    [JsonIgnore]
    public RowKey Row => RowKey.Player(ClientId, PlayerId);

    /// <summary>A player who never had a credit.</summary>
    public static Player Unknown(string clientId, string playerId) => new(clientId, playerId, null, null, Instant.MinValue, 0);

    /// <summary>Whether the player costs nothing at that instant: half-open, at its end the coverage is over.</summary>
    public bool IsCoveredAt(Instant now) => Credit is not null && !(now >= CoversUntil);

    /// <summary>The player has that credit now.</summary>
    internal PlayerChange Gets(Credit credit, Instant now) => Becomes(credit.Id, credit.ExpiresAt, now);

    /// <summary>The player has no credit any more.</summary>
    internal PlayerChange IsFreed(Instant now) => Becomes(null, null, now);

    private PlayerChange Becomes(CreditId? credit, Instant? until, Instant now) =>
        new(this with { Credit = credit, CoversUntil = until, AsOf = Instant.Max(now, AsOf), Version = Version + 1 }, Version);
}

/// <summary>A player's row as it now is. Two contracts that charge one new player meet here: one of them finds that <paramref name="Expected"/> is no longer so.</summary>
/// <param name="Expected">The version that it must have had; 0: it must not have been there.</param>
public sealed record PlayerChange(Player Player, long Expected) : Change
{
    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
