using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The status of a credit (P1).</summary>
public enum CreditStatus { Unallocated, Allocated, Expired, Withdrawn }

/// <summary>One credit with a row of its own (P1). A credit that was never touched has none and is derived from its lot.</summary>
/// <param name="UsedBy">The user who used it; null: nobody did.</param>
/// <param name="ExpiresAt">When it expires; of an allocated credit: when its coverage ends (P3); null: never.</param>
/// <param name="IsLapsed">Whether it expired without a player. Of one with a player <see cref="Ending"/> tells whether its end is booked.</param>
/// <param name="Version">The row's fence: rises with every change.</param>
/// <param name="UsedOf">The right by which it was used; see <see cref="Entry.UsedOf"/>.</param>
/// <param name="HeldUntil">
/// The end of a hold that has not been captured, where that comes before the coverage would end: then the credit goes back (R8); null: it is not held.
/// </param>
public sealed record Credit(
    CreditId Id,
    string ClientId,
    string PaymentId,
    string? UsedBy,
    string? PlayerId,
    string? PlayerName,
    Instant CreatedAt,
    Instant? ExpiresAt,
    Instant? ActivatedAt,
    string? ReportId,
    bool IsLapsed,
    long Version,
    string? UsedOf = null,
    Instant? HeldUntil = null)
{
    /// <summary>When its player is no longer covered: the end of the hold, or else of the coverage; null: never.</summary>
    public Instant? CoversUntil => HeldUntil ?? ExpiresAt;

    /// <summary>The status by its own expiry; the end of a hold is its contract's to book.</summary>
    public CreditStatus StatusAt(Instant now) =>
        IsLapsed || now >= ExpiresAt ? CreditStatus.Expired : PlayerId is null ? CreditStatus.Unallocated : CreditStatus.Allocated;

    internal CreditVersion SeenAs => new(UsedBy, PlayerId, PlayerName, CoversUntil, ActivatedAt, ReportId);

    /// <summary>Whether its player costs nothing at that instant (P2); at the expiry itself the coverage is over (P3), and at the end of a hold (R8).</summary>
    public bool CoversAt(Instant now) => StatusAt(now) == CreditStatus.Allocated && !(now >= HeldUntil);

    /// <summary>This credit without its player and use, in the next version.</summary>
    internal Credit Freed() => this with
    {
        UsedBy = null,
        UsedOf = null,
        ReportId = null,
        PlayerId = null,
        PlayerName = null,
        ActivatedAt = null,
        HeldUntil = null,
        Version = Version + 1,
    };

    /// <summary>A credit that lies untouched in a lot, or apart from it.</summary>
    internal static Credit Untouched(Terms terms, CreditId id, Lot lot) => new(
        id, terms.ClientId, lot.PaymentId, null, null, null, lot.CreatedAt, lot.ExpiryOf(id.Ordinal), null, null, IsLapsed: lot.ExpiryBooked, Version: 0);
}

/// <summary>A credit's row as it now is.</summary>
/// <param name="Expected">
/// The version it must have before; 0: it must not exist. A row's player and report never change: to change either, the row is deleted and inserted again.
/// </param>
public sealed record CreditChange(Credit Credit, long Expected) : Change
{
    /// <summary>Deletes the row: the credit is unallocated again, or the next change inserts it again with another player or report.</summary>
    public bool IsGone { get; init; }

    public RowKey Row => RowKey.Credit(Credit.Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
