using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What the entries up to an instant tell of one lot, in credits, and the state of what nobody has booked.</summary>
/// <param name="CoverageOver">State: credits with a player whose end has come by then and is not booked.</param>
public sealed record LotMovements(
    string LotId, Instant AvailableFrom, long Granted, long Minted, long Charged, long Returned, long LotExpired, long CoverageExpired, long CoverageOver)
{
    internal long Unallocated => Granted + Minted - Charged + Returned - LotExpired;
}

/// <summary>What a user has used of a contract, in credits.</summary>
public sealed record UserTotal(string UserId, long TotalUsed);

/// <summary>A contract's credits at an instant (G3). Granted and minted are the sum of unallocated, allocated and expired.</summary>
/// <param name="Available">What a draw could take (L2); null: no limit.</param>
public sealed record ContractBalance(
    string ContractId, Instant At, long Granted, long Minted, long Unallocated, long Allocated, long Expired, long? Available, ImmutableArray<UserTotal> Users)
{
    /// <summary>How many days ahead a balance is foretold.</summary>
    public const int MaxDaysAhead = 36_525;

    /// <summary>The balance as of <paramref name="at"/>: of the past and the present from the entries, with what is due and not booked; of the future with the billing cycles and expiries that are known now.</summary>
    /// <param name="contract">As it was decided on last.</param>
    /// <param name="lots">Of the entries that took effect at or before <paramref name="at"/>.</param>
    public static ContractBalance Of(Contract contract, IReadOnlyCollection<LotMovements> lots, IEnumerable<UserTotal> users, Instant at)
    {
        var due = at > contract.AsOf ? contract.RollForward(at).Changes : Changes.None;
        var coming = due.Lots.Where(change => change.IsNew).Select(change => new LotMovements(change.Lot.LotId, change.Lot.AvailableFrom, change.Lot.Quantity, 0, 0, 0, 0, 0, 0));
        var over = due.Entries.Where(entry => entry.Kind == EntryKind.LotExpired).GroupBy(entry => entry.LotId!).ToDictionary(lot => lot.Key, lot => lot.Sum(entry => entry.Quantity));
        var all = lots.Concat(coming).Select(lot => lot with { LotExpired = lot.LotExpired + over.GetValueOrDefault(lot.LotId), CoverageExpired = lot.CoverageExpired + lot.CoverageOver }).ToList();
        return new(
            contract.Terms.ContractId, at, all.Sum(lot => lot.Granted), all.Sum(lot => lot.Minted),
            all.Sum(lot => lot.Unallocated), all.Sum(lot => lot.Charged - lot.Returned - lot.CoverageExpired), all.Sum(lot => lot.LotExpired + lot.CoverageExpired),
            contract.IsUnlimited ? null : all.Where(lot => lot.AvailableFrom <= at).Sum(lot => lot.Unallocated), [.. users]);
    }
}
