using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Where a lot's credits came from (L1). <see cref="Minted"/> is the only lot of an unlimited contract; it grows with each use (C2).</summary>
public enum LotSource { Billing, Purchase, Manual, Minted }

/// <summary>Credits that came together (L1).</summary>
/// <param name="Quantity">Credits granted, 1 to 999,999,999; their ordinals are 1 to that number.</param>
/// <param name="Free">The ordinals of the unallocated credits; once the lot has expired, of those that expired unallocated.</param>
/// <param name="AskedExpiry">The expiry before the contract's end cut it (L4); null: none.</param>
/// <param name="ExpiresAt">When the unallocated credits expire; null: never.</param>
/// <param name="ExpiryBooked">Whether the ledger has the expiry.</param>
/// <param name="Request">The request that added it, to which the same lot id must belong; null: it came from no request.</param>
/// <param name="Apart">
/// 0: the lot itself. Else the ordinal of an unallocated credit of this lot with an expiry of its own (P5): it lies apart, and is drawn and expires
/// like a lot of one.
/// </param>
/// <param name="Withdrawn">The ordinals of the credits that were taken back while they were unallocated (L6), those that lay apart, too.</param>
public sealed record Lot(
    string LotId,
    LotSource Source,
    string PaymentId,
    long Quantity,
    Runs Free,
    Instant CreatedAt,
    Instant AvailableFrom,
    Instant? AskedExpiry,
    Instant? ExpiresAt,
    bool ExpiryBooked = false,
    string? Request = null,
    long Apart = 0,
    Runs Withdrawn = default) : IDrawable
{
    string IDrawable.Id => Apart == 0 ? LotId : $"{LotId}~{Apart:D9}";

    /// <summary>The global key: contract and lot, or the id of the credit that lies apart.</summary>
    public string Key(string contractId) => Key(contractId, LotId, Apart);

    /// <inheritdoc cref="Key(string)"/>
    public static string Key(string contractId, string lotId, long apart) =>
        apart == 0 ? $"{contractId}~{lotId}" : $"{new CreditId(contractId, lotId, apart)}";

    /// <summary>The most credits of one lot.</summary>
    public const long MaxQuantity = 999_999_999;

    /// <summary>The id of an unlimited contract's only lot.</summary>
    public const string MintedId = "minted";

    /// <summary>Unallocated credits that have not expired, whether the lot has begun or not.</summary>
    public long LeftAt(Instant now) => now >= ExpiresAt ? 0 : Free.Count;

    /// <summary>Credits that a draw could take now (L2): the lot has begun and has not expired.</summary>
    public long AvailableAt(Instant now) => now < AvailableFrom ? 0 : LeftAt(now);

    /// <summary>Whether any of its credits has no row of its own: it was neither used nor edited.</summary>
    public bool HasUntouched => Free.Count + Withdrawn.Count > 0;

    /// <summary>When a credit that lies in it expires; null: never, or it was withdrawn.</summary>
    public Instant? ExpiryOf(long ordinal) => Withdrawn.Contains(ordinal) ? null : ExpiresAt;

    /// <summary>What a correction may change of it (L6).</summary>
    public LotTerms Terms => new(PaymentId, AvailableFrom, ExpiresAt);

    /// <summary>Whether a draw or time can still change it.</summary>
    public bool IsOpen => Source == LotSource.Minted || (Free.Count > 0 && !ExpiryBooked);
}

/// <summary>What a correction may change of a lot (L6).</summary>
/// <param name="ExpiresAt">null: never.</param>
public sealed record LotTerms(string PaymentId, Instant AvailableFrom, Instant? ExpiresAt);

/// <summary>A lot's row as it now is. Only its contract changes it, so the epoch of the contract's document is its fence.</summary>
/// <param name="IsNew">The row is inserted: it must not exist yet.</param>
public sealed record LotChange(string ContractId, string ClientId, Lot Lot, bool IsNew = false) : Change
{
    public RowKey Row => RowKey.Lot(ContractId, Lot);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>Credits taken from one lot.</summary>
public sealed record Draw(Lot Before, Lot After, Runs Taken);

/// <summary>A contract's open lots.</summary>
public static class Pool
{
    /// <summary>What a draw could take now, in credits (L2).</summary>
    public static long AvailableAt(this IEnumerable<Lot> lots, Instant now) => lots.Sum(lot => lot.AvailableAt(now));

    /// <summary>Takes <paramref name="quantity"/> credits in draw order; they must be there.</summary>
    public static IReadOnlyList<Draw> Take(this IEnumerable<Lot> lots, long quantity, Instant now) =>
        [.. lots.InDrawOrder().Spread(quantity, lot => lot.AvailableAt(now)).Select(share =>
        {
            var (taken, left) = share.Of.Free.Take(share.Part);
            return new Draw(share.Of, share.Of with { Free = left }, taken);
        })];
}
