using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A player of a client, and the player's current credit, unexpired or not (P2, P3). When the player is freed the row stays, empty.</summary>
/// <param name="Credit">null: the player was freed, or never had a credit.</param>
/// <param name="CoversUntil">When that credit's coverage ends, or the hold that it is held by (R8); null: never, or there is no credit.</param>
/// <param name="AsOf">The latest effective instant that changed this row: no decision that rests on it is made as of an earlier one.</param>
/// <param name="Version">The row's fence: rises with every change; 0: there is no row.</param>
public sealed record Player(string ClientId, string PlayerId, CreditId? Credit, Instant? CoversUntil, Instant AsOf, long Version)
{
    [JsonIgnore]
    public RowKey Row => RowKey.Player(ClientId, PlayerId);

    /// <summary>A player without a row, who never had a credit.</summary>
    public static Player Unknown(string clientId, string playerId) => new(clientId, playerId, null, null, Instant.MinValue, 0);

    /// <summary>Whether the player costs nothing at that instant (P2); at <see cref="CoversUntil"/> itself the coverage is over (P3).</summary>
    public bool IsCoveredAt(Instant now) => Credit is not null && !(now >= CoversUntil);

    /// <summary>The change that makes a credit the player's current one.</summary>
    internal PlayerChange Gets(Credit credit, Instant now) => Becomes(credit.Id, credit.CoversUntil, now);

    /// <summary>The change that leaves the player without a credit.</summary>
    internal PlayerChange IsFreed(Instant now) => Becomes(null, null, now);

    private PlayerChange Becomes(CreditId? credit, Instant? until, Instant now) =>
        new(this with { Credit = credit, CoversUntil = until, AsOf = Instant.Max(now, AsOf), Version = Version + 1 }, Version);
}

/// <summary>A player's row as it now is. Two contracts that charge the same player conflict here: only one finds the expected version (R4).</summary>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
public sealed record PlayerChange(Player Player, long Expected) : Change
{
    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
