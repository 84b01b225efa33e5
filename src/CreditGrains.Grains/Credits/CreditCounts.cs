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

    /// <summary>A lot's credits.</summary>
    public static IEnumerable<(CreditStatus, long)> Of(CountedLot lot, Instant now) =>
        [.. Untouched(lot.Listed.Lot, now), (CreditStatus.Allocated, lot.Touched - lot.Over), (CreditStatus.Expired, lot.Over)];

    /// <summary>Those that nobody has touched.</summary>
    public static IEnumerable<(CreditStatus, long)> Untouched(Lot lot, Instant now) =>
        [(now >= lot.ExpiresAt ? CreditStatus.Expired : CreditStatus.Unallocated, lot.Free.Count), (CreditStatus.Withdrawn, lot.Withdrawn.Count)];
}
