using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

public enum UsageBy { Contract, User, Day, Month }

/// <summary>Each null: any. <paramref name="From"/> included, <paramref name="To"/> excluded.</summary>
public sealed record UsageFilter(string? ClientId, string? ContractId, string? UserId, Instant? From, Instant? To, UsageBy By)
{
    /// <summary>Whether its rows are told apart by time.</summary>
    public bool ByTime => By is UsageBy.Day or UsageBy.Month;
}

/// <summary>A sum that a store has made: of a contract, of a user, or of a contract's <see cref="Usage.Slot"/> of time; what it is not of is null.</summary>
/// <param name="Zone">The contract's time zone, where it is of a time.</param>
public sealed record UsageRow(string? ClientId, string? ContractId, string? UserId, Instant? At, string? Zone, long Reports, long Charged, long Covered, long GivenBack);

/// <summary>What reports have used: how many there were, and credits charged, covered and given back (P5).</summary>
/// <param name="Day">The local day of each report's own contract.</param>
public sealed record Usage(string? ClientId, string? ContractId, string? UserId, LocalDate? Day, YearMonth? Month, long Reports, long Charged, long Covered, long GivenBack)
{
    private const string List = "usage";

    /// <summary>From here on every local day of every zone begins at a multiple of five minutes, so that stores need not know zones: they add up by slots of so long. Before, by seconds.</summary>
    public static readonly Instant Rounded = Instant.FromUtc(1972, 5, 1, 0, 0);

    /// <summary>How long the time is of which rows are sums, after <see cref="Rounded"/> and before.</summary>
    public static readonly (Duration After, Duration Before) Slot = (Duration.FromMinutes(5), Duration.FromSeconds(1));

    private string Key => Day is { } day ? $"{day:R}" : Month is { } month ? $"{month:uuuu-MM}" : $"{ContractId}{ClientId}/{UserId}";

    /// <summary>Adds up rows as asked for, by what they are of.</summary>
    public static Page<Usage> Page(IEnumerable<UsageRow> rows, UsageBy by, PageRequest page)
    {
        var after = page.Read(List, 1)?.Text(0);
        var order = Comparer<string>.Create((one, other) => page.IsDescending ? string.CompareOrdinal(other, one) : string.CompareOrdinal(one, other));
        var all = rows.Select(row => Of(row, by)).GroupBy(usage => usage.Key)
            .Where(group => after is null || order.Compare(group.Key, after) > 0).OrderBy(group => group.Key, order)
            .Take(page.Limit + 1).Select(group => group.First() with
            {
                Reports = group.Sum(usage => usage.Reports),
                Charged = group.Sum(usage => usage.Charged),
                Covered = group.Sum(usage => usage.Covered),
                GivenBack = group.Sum(usage => usage.GivenBack),
            }).ToList();
        return new([.. all.Take(page.Limit)], all.Count > page.Limit ? page.Behind(List, all[page.Limit - 1].Key) : null);
    }

    private static Usage Of(UsageRow row, UsageBy by)
    {
        var day = row.At is { } at ? Calendar.DateAt(at, Calendar.KnownZone(row.Zone!)) : (LocalDate?)null;
        return new(
            row.ClientId, by == UsageBy.Contract ? row.ContractId : null, row.UserId,
            by == UsageBy.Day ? day : null, by == UsageBy.Month ? day!.Value.ToYearMonth() : null, row.Reports, row.Charged, row.Covered, row.GivenBack);
    }
}
