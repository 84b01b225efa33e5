using NodaTime;

namespace CreditGrains.Domain;

public enum CreditStatus { Unallocated, Allocated, Expired }

/// <summary>One credit that has been touched (P1). An untouched one is derived from its lot.</summary>
/// <param name="ExpiresAt">When it expires; allocated: when its player's coverage ends (P3); null: never.</param>
/// <param name="ExpiryBooked">Whether its expiry is in the ledger.</param>
/// <param name="UsedOf">Of which right its user used it, as <see cref="Entry.UsedOf"/> says.</param>
/// <param name="Version">Its fence: rises with every change.</param>
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
    string? UsedOf = null)
{
    public CreditStatus StatusAt(Instant now) =>
        ExpiryBooked || now >= ExpiresAt ? CreditStatus.Expired : PlayerId is null ? CreditStatus.Unallocated : CreditStatus.Allocated;

    /// <summary>Whether its player costs nothing at that instant (P2): half-open, at expiry it is over (P3).</summary>
    public bool CoversAt(Instant now) => StatusAt(now) == CreditStatus.Allocated;

    /// <summary>The same credit with its end written down.</summary>
    public Credit WithExpiryBooked() => this with { ExpiryBooked = true, Version = Version + 1 };
}

/// <summary>A credit's row as it now is.</summary>
/// <param name="Expected">The version that it must have had; 0: it must not have been there. A row that was there has had the same player and report: where those change it is deleted and inserted again.</param>
public sealed record CreditChange(Credit Credit, long Expected) : Change
{
    /// <summary>Deletes the row: the credit lies in its lot again, or apart from it, or is inserted again as another row.</summary>
    public bool IsGone { get; init; }

    public RowKey Row => RowKey.Credit(Credit.Id);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>What time does to allocated credits (P3).</summary>
public static class Coverage
{
    /// <summary>Books the end of coverage of credits that are over and not yet booked: one entry for those that a report charged together.</summary>
    /// <remarks>Booked here alone, whether or not the player has another credit by now.</remarks>
    public static Changes Expire(IEnumerable<Credit> credits, Instant now)
    {
        var over = credits.Where(credit => credit.StatusAt(now) == CreditStatus.Expired && credit is { PlayerId: not null, ExpiryBooked: false }).ToList();
        return
        [
            .. over.Select(credit => new CreditChange(credit.WithExpiryBooked(), credit.Version)),
            .. over
                .GroupBy(credit => (credit.ClientId, credit.Id.ContractId, credit.Id.LotId, credit.UsedBy, credit.ReportId, credit.ExpiresAt))
                .Select(group => Ended(group.Key.ClientId, group.First(), group.Count(), now)),
        ];
    }

    /// <summary>The entry that tells that the coverage of <paramref name="quantity"/> credits like <paramref name="credit"/> is over.</summary>
    public static Entry Ended(string clientId, Credit credit, long quantity, Instant now) => new()
    {
        Kind = EntryKind.CoverageExpired,
        EffectiveAt = credit.ExpiresAt ?? throw new InvariantException("what never expires does not end"),
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
