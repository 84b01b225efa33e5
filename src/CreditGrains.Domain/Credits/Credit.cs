using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The status of a credit (P1).</summary>
public enum CreditStatus { Unallocated, Allocated, Expired, Withdrawn }

/// <summary>One credit with a row of its own (P1). A credit that was never touched has none and is derived from its lot.</summary>
/// <param name="UsedBy">The user who used it; null: nobody did.</param>
/// <param name="ExpiresAt">When it expires; of an allocated credit: when its coverage ends (P3); null: never.</param>
/// <param name="ExpiryBooked">Whether the ledger has the expiry.</param>
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
    bool ExpiryBooked,
    long Version,
    string? UsedOf = null,
    Instant? HeldUntil = null)
{
    /// <summary>When its player is no longer covered: the end of the hold, or else of the coverage; null: never.</summary>
    public Instant? CoversUntil => HeldUntil ?? ExpiresAt;

    /// <summary>The status by its own expiry; the end of a hold is its contract's to book.</summary>
    public CreditStatus StatusAt(Instant now) =>
        ExpiryBooked || now >= ExpiresAt ? CreditStatus.Expired : PlayerId is null ? CreditStatus.Unallocated : CreditStatus.Allocated;

    internal CreditVersion SeenAs => new(UsedBy, PlayerId, PlayerName, CoversUntil, ActivatedAt, ReportId);

    /// <summary>Whether its player costs nothing at that instant (P2); at the expiry itself the coverage is over (P3), and at the end of a hold (R8).</summary>
    public bool CoversAt(Instant now) => StatusAt(now) == CreditStatus.Allocated && !(now >= HeldUntil);

    /// <summary>This credit with its expiry booked, in the next version.</summary>
    public Credit WithExpiryBooked() => this with { ExpiryBooked = true, Version = Version + 1 };

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
        id, terms.ClientId, lot.PaymentId, null, null, null, lot.CreatedAt, lot.ExpiryOf(id.Ordinal), null, null, ExpiryBooked: lot.ExpiryBooked, Version: 0);
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

/// <summary>Books the ends of coverage (P3).</summary>
public static class Coverage
{
    /// <summary>
    /// Books the end of coverage of those credits that are over and not booked yet: one entry for credits that one report charged from one lot.
    /// A report that charges the player anew leaves the former end to this; a hand edit of an expired credit books its end itself.
    /// </summary>
    public static Changes Expire(IEnumerable<Credit> credits, Instant now)
    {
        var over = credits
            .Where(credit => credit.StatusAt(now) == CreditStatus.Expired && credit is { PlayerId: not null, ExpiryBooked: false, HeldUntil: null })
            .ToList();
        return
        [
            .. over.Select(credit => new CreditChange(credit.WithExpiryBooked(), credit.Version)),
            .. over
                .GroupBy(credit => (credit.ClientId, credit.Id.ContractId, credit.Id.LotId, credit.UsedBy, credit.ReportId, credit.ExpiresAt))
                .Select(group => Ended(group.Key.ClientId, group.First(), group.Count(), now)),
        ];
    }

    /// <summary>The entry for the end of coverage of <paramref name="quantity"/> credits of the lot, report and expiry of <paramref name="credit"/>.</summary>
    public static Entry Ended(string clientId, Credit credit, long quantity, Instant now) => new()
    {
        Kind = EntryKind.CoverageExpired,
        EffectiveAt = credit.ExpiresAt ?? throw new InvariantException("only coverage with an expiry ends"),
        BookedAt = now,
        Actor = Entry.System,
        Cause = Causes.Expiry,
        Subject = Subjects.Lot(credit.Id.ContractId, credit.Id.LotId),
        Quantity = quantity,
        Before = Json.Write(new { Status = CreditStatus.Allocated }),
        After = Json.Write(new { Status = CreditStatus.Expired }),
        ClientId = clientId,
        ContractId = credit.Id.ContractId,
        LotId = credit.Id.LotId,
        UserId = credit.UsedBy,
        ReportId = credit.ReportId,
    };
}
