using NodaTime;

namespace CreditGrains.Stores;

/// <summary>
/// Where the entries that took effect since an instant begin, in the order of booking. None takes effect after it is booked, and the instants of
/// booking rise with the ids, but for what commits that overtake one another and clocks that are set back change about that.
/// </summary>
internal static class BookedSince
{
    /// <summary>Finds an id before which no entry was booked at or after <c>$1</c>, an instant by <see cref="Surely"/>; 0: there are no entries.</summary>
    public const string Sql = $"""
        with recursive place (low, high) as (
            select (select min(entry_id) from entry), (select max(entry_id) + 1 from entry)
            union all
            select case when {IsEarlier} then (low + high) / 2 else low end, case when {IsEarlier} then high else (low + high) / 2 end
            from place where high - low > 1)
        select coalesce(max(low), 0) from place
        """;

    private const string IsEarlier = "(select b.booked_at from entry b where b.entry_id >= (low + high) / 2 order by b.entry_id limit 1) < $1";

    // Longer than any commit takes, and than clocks are set back while the service decides by them.
    private static readonly Duration Tolerance = Duration.FromHours(1);

    /// <summary>What was booked before an entry of that instant was booked before <paramref name="from"/>.</summary>
    public static Instant Surely(Instant from) => from - Tolerance;
}
