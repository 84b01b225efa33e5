using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>
/// What a user's reports of a contract used on a local day that is over, and what was given back on it. A contract decides at no instant before that
/// of its last decision, so such a day stays as it is; it is derived from reports and entries, and may be deleted at any time.
/// </summary>
/// <param name="Ends">When the next day begins.</param>
internal sealed record UsageDay(string ClientId, string UserId, Instant Begins, Instant Ends, UsageSums Sums)
{
    // How many days are added up at once.
    private const int AtOnce = 10;

    /// <summary>Until when the next days of a contract are added up.</summary>
    /// <param name="first">When something was used first that is of no such day yet.</param>
    /// <param name="asOf">The contract's last decision.</param>
    public static Instant NextEnd(Instant first, Instant asOf, DateTimeZone zone) =>
        Instant.Min(Calendar.StartOf(Calendar.DateAt(first, zone).PlusDays(AtOnce), zone), Calendar.StartOf(Calendar.DateAt(asOf, zone), zone));

    /// <summary>The days of rows by user and slot.</summary>
    public static IEnumerable<UsageDay> Of(IEnumerable<UsageRow> rows, DateTimeZone zone) =>
        rows.GroupBy(row => (row.ClientId, row.UserId, Day: Calendar.DateAt(row.At!.Value, zone))).Select(day => new UsageDay(
            day.Key.ClientId!, day.Key.UserId!, Calendar.StartOf(day.Key.Day, zone), Calendar.StartOf(day.Key.Day.PlusDays(1), zone), UsageSums.Of(day)));
}

/// <summary>A contract whose usage is asked for.</summary>
/// <param name="Until">The end of its last <see cref="UsageDay"/>; null: it has none.</param>
internal sealed record UsageContract(string ContractId, string TimeZone, Instant? Until)
{
    /// <summary>From which days, and from which reports and entries, its usage is added up.</summary>
    public IEnumerable<UsagePart> Parts(UsageFilter filter)
    {
        var (from, to) = (filter.From ?? Instant.MinValue, filter.To ?? Instant.MaxValue);
        var zone = Calendar.KnownZone(TimeZone);
        var first = filter.From is { } begin ? Calendar.StartOf(Calendar.FirstDayFrom(begin, zone), zone) : from;
        var last = Until is not { } until ? first : filter.To is { } end ? Instant.Min(until, Calendar.StartOf(Calendar.DateAt(end, zone), zone)) : until;
        if (first >= last) return [new(ContractId, from, to, IsOfDays: false)];
        return [new(ContractId, from, first, IsOfDays: false), new(ContractId, first, last, IsOfDays: true), new(ContractId, last, to, IsOfDays: false)];
    }
}

/// <summary>A time of a contract whose usage is added up from days, or from reports and entries.</summary>
/// <param name="From">Included.</param>
/// <param name="To">Excluded.</param>
internal readonly record struct UsagePart(string ContractId, Instant From, Instant To, bool IsOfDays);

/// <summary>A row of usage, and how many of its reports were added up one by one.</summary>
internal readonly record struct AddedUsage(UsageRow Row, long Added)
{
    /// <summary>The contracts of which so many reports were added up one by one that their days are worth adding up.</summary>
    public static IEnumerable<string> Worth(IEnumerable<AddedUsage> rows, UsageFilter filter) =>
        from row in rows
        group row.Added by row.Row.ContractId ?? filter.ContractId into contract
        where contract.Key is not null && contract.Sum() > Checkpoint.FewestEntries
        select contract.Key;
}
