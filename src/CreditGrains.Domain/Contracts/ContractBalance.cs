using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The sums of one lot's entries up to an instant, in credits, and one sum of the state: ends of coverage that are not booked yet.</summary>
/// <param name="CoverageOver">From the state: allocated credits whose coverage had ended by that instant and is not booked.</param>
public sealed record LotMovements(
    string LotId, Instant AvailableFrom, long Granted, long Minted, long Charged, long Returned, long LotExpired, long CoverageExpired, long CoverageOver,
    long Withdrawn = 0)
{
    internal long Unallocated => Granted + Minted - Charged + Returned - LotExpired - Withdrawn;
}

/// <summary>All credits that a user has used of a contract.</summary>
public sealed record UserTotal(string UserId, long TotalUsed);

/// <summary>A contract's credits at an instant (G3). Granted + minted = unallocated + allocated + expired + withdrawn (G2).</summary>
/// <param name="Available">What a draw could take (L2); null: no limit.</param>
public sealed record ContractBalance(
    string ContractId,
    Instant At,
    long Granted,
    long Minted,
    long Unallocated,
    long Allocated,
    long Expired,
    long Withdrawn,
    long? Available,
    ImmutableArray<UserTotal> Users)
{
    /// <summary>The farthest forecast, in days.</summary>
    public const int MaxDaysAhead = 36_525;

    /// <summary>
    /// The balance as of <paramref name="at"/>. The past and the present come from the entries and what is due but not booked;
    /// the future adds the billing cycles, expiries and ends of holds that are known now.
    /// </summary>
    /// <param name="contract">As of its last decision.</param>
    /// <param name="lots">The sums of the entries that took effect at or before <paramref name="at"/>.</param>
    public static ContractBalance Of(Contract contract, IReadOnlyCollection<LotMovements> lots, IEnumerable<UserTotal> users, Instant at)
    {
        var due = at > contract.AsOf ? contract.RollForward(at).Changes : Changes.None;
        var coming = due.Lots
            .Where(change => change.IsNew)
            .Select(change => new LotMovements(change.Lot.LotId, change.Lot.AvailableFrom, change.Lot.Quantity, 0, 0, 0, 0, 0, 0));
        var over = due.Entries
            .Where(entry => entry.Kind == EntryKind.LotExpired)
            .GroupBy(entry => entry.LotId!)
            .ToDictionary(lot => lot.Key, lot => lot.Sum(entry => entry.Quantity));
        var ended = due.Entries.Where(entry => entry.Kind == EntryKind.CreditsReturned).ToList();
        var all = lots.Concat(coming)
            .Select(lot => lot with
            {
                Returned = lot.Returned + ended.Where(entry => entry.LotId == lot.LotId).Sum(Of),
                LotExpired = lot.LotExpired + over.GetValueOrDefault(lot.LotId),
                CoverageExpired = lot.CoverageExpired + lot.CoverageOver,
            })
            .ToList();
        return new(
            contract.Terms.ContractId,
            at,
            all.Sum(lot => lot.Granted),
            all.Sum(lot => lot.Minted),
            all.Sum(lot => lot.Unallocated),
            all.Sum(lot => lot.Charged - lot.Returned - lot.CoverageExpired),
            all.Sum(lot => lot.LotExpired + lot.CoverageExpired),
            all.Sum(lot => lot.Withdrawn),
            contract.IsUnlimited ? null : all.Where(lot => lot.AvailableFrom <= at).Sum(lot => lot.Unallocated),
            [.. users.Select(user => user with { TotalUsed = user.TotalUsed - ended.Where(entry => entry.UserId == user.UserId).Sum(Of) })]);

        static long Of(Entry entry) => entry.Quantity;
    }
}
