using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>How many credits there are of a status.</summary>
public sealed record StatusCount(CreditStatus Status, long Credits);

/// <summary>The lots that were paid with one payment.</summary>
public sealed record PaymentLots(string ClientId, string PaymentId, long Lots, long Quantity, Instant FirstAt, Instant LastAt);

/// <summary>Counts of credits by status (P4): every status has one.</summary>
public static class CreditCounts
{
    public static ImmutableArray<StatusCount> Of(IEnumerable<(CreditStatus Status, long Credits)> counted)
    {
        var sums = counted.GroupBy(one => one.Status).ToDictionary(group => group.Key, group => group.Sum(one => one.Credits));
        return [.. Enum.GetValues<CreditStatus>().Select(status => new StatusCount(status, sums.GetValueOrDefault(status)))];
    }

    /// <summary>Lots with their credits that have a row: the lot's state says which have none.</summary>
    /// <param name="lots">Those apart with theirs.</param>
    /// <param name="over">How many have expired, by the lot's key; one lot may have several numbers.</param>
    public static ImmutableArray<CountedLot> Of(IReadOnlyCollection<ListedLot> lots, IEnumerable<(string Lot, long Credits)> over)
    {
        var expired = over.GroupBy(lot => lot.Lot).ToDictionary(lot => lot.Key, lot => lot.Sum(one => one.Credits));
        var apart = lots.Where(lot => lot.Lot.Apart > 0).ToLookup(lot => (lot.ContractId, lot.Lot.LotId), lot => lot.Lot.Free.Count);
        return [.. lots.Select(lot => lot.Lot.Apart > 0 ? new CountedLot(lot, 0, 0) : new CountedLot(
            lot, lot.Lot.Quantity - lot.Lot.Free.Count - lot.Lot.Withdrawn.Count - apart[(lot.ContractId, lot.Lot.LotId)].Sum(),
            expired.GetValueOrDefault(lot.Lot.Key(lot.ContractId))))];
    }

    /// <summary>A lot's credits.</summary>
    public static IEnumerable<(CreditStatus, long)> Of(CountedLot lot, Instant now) =>
        [.. Untouched(lot.Listed.Lot, now), (CreditStatus.Allocated, lot.Touched - lot.Over), (CreditStatus.Expired, lot.Over)];

    /// <summary>Those that nobody has touched.</summary>
    public static IEnumerable<(CreditStatus, long)> Untouched(Lot lot, Instant now) =>
        [(now >= lot.ExpiresAt ? CreditStatus.Expired : CreditStatus.Unallocated, lot.Free.Count), (CreditStatus.Withdrawn, lot.Withdrawn.Count)];
}
