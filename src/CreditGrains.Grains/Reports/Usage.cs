using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

public enum UsageBy { Contract, User, Day, Month }

/// <summary>Each null: any. <paramref name="From"/> included, <paramref name="To"/> excluded. <paramref name="By"/>: what its rows are told apart by.</summary>
public sealed record UsageFilter(string? ClientId, string? ContractId, string? UserId, Instant? From, Instant? To, params ImmutableArray<UsageBy> By)
{
    /// <summary>Whether its rows are told apart by time.</summary>
    public bool ByTime => By.Contains(UsageBy.Day) || By.Contains(UsageBy.Month);

    /// <summary>A user belongs to a client.</summary>
    public bool ByUser => By.Contains(UsageBy.User);

    /// <summary>A time is local to a contract.</summary>
    public bool ByContract => By.Contains(UsageBy.Contract) || ByTime;
}

/// <summary>
/// A sum that a store has made, of a contract, a user, a contract's <see cref="Usage.Slot"/> of time, or more than one; what it is not of is null.
/// </summary>
/// <param name="Zone">The contract's time zone, where it is of a time.</param>
public sealed record UsageRow(string? ClientId, string? ContractId, string? UserId, Instant? At, string? Zone, long Reports, long Charged, long Covered, long GivenBack);

/// <summary>How many reports there were, and credits charged, covered and given back (P5).</summary>
public sealed record UsageSums(long Reports, long Charged, long Covered, long GivenBack)
{
    public static UsageSums Of(IEnumerable<UsageRow> rows) => rows.Aggregate(
        new UsageSums(0, 0, 0, 0),
        (sum, row) => new(sum.Reports + row.Reports, sum.Charged + row.Charged, sum.Covered + row.Covered, sum.GivenBack + row.GivenBack));
}

/// <summary>What reports have used.</summary>
/// <param name="Day">The local day of each report's own contract.</param>
public sealed record Usage(string? ClientId, string? ContractId, string? UserId, LocalDate? Day, YearMonth? Month, UsageSums Sums)
{
    private const string List = "usage";

    /// <summary>From here on every local day of every zone begins at a multiple of five minutes, so that stores need not know zones: they add up by slots of so long. Before, by seconds.</summary>
    public static readonly Instant Rounded = Instant.FromUtc(1972, 5, 1, 0, 0);

    /// <summary>How long the time is of which rows are sums, after <see cref="Rounded"/> and before.</summary>
    public static readonly (Duration After, Duration Before) Slot = (Duration.FromMinutes(5), Duration.FromSeconds(1));

    // No id has a ~.
    private string Key => string.Join(
        '~',
        new[] { ContractId, UserId is null ? null : $"{ClientId}/{UserId}", Month?.ToString("uuuu-MM", null), Day?.ToString("R", null) }.OfType<string>());

    /// <summary>Adds up rows by what they are asked to be of: by contract, then user, then time.</summary>
    public static Page<Usage> Page(IEnumerable<UsageRow> rows, UsageFilter filter, PageRequest page)
    {
        var after = page.Read(List, 1)?.Text(0);
        var order = Comparer<string>.Create((one, other) => page.IsDescending ? string.CompareOrdinal(other, one) : string.CompareOrdinal(one, other));
        var all = rows.Select(row => (Row: row, Of: Of(row, filter))).GroupBy(row => row.Of.Key)
            .Where(group => after is null || order.Compare(group.Key, after) > 0).OrderBy(group => group.Key, order)
            .Take(page.Limit + 1).Select(group => group.First().Of with { Sums = UsageSums.Of(group.Select(row => row.Row)) }).ToList();
        return new([.. all.Take(page.Limit)], all.Count > page.Limit ? page.Behind(List, all[page.Limit - 1].Key) : null);
    }

    private static Usage Of(UsageRow row, UsageFilter filter)
    {
        var day = row.At is { } at ? Calendar.DateAt(at, Calendar.KnownZone(row.Zone!)) : (LocalDate?)null;
        return new(
            row.ClientId, filter.By.Contains(UsageBy.Contract) ? row.ContractId : null, row.UserId, filter.By.Contains(UsageBy.Day) ? day : null,
            filter.By.Contains(UsageBy.Month) ? day!.Value.ToYearMonth() : null, UsageSums.Of([row]));
    }
}
