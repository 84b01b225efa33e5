using System.Collections.Frozen;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;

namespace CreditGrains.Domain;

/// <summary>The one place where local dates become instants (T1).</summary>
public static class Calendar
{
    /// <summary>The dates that a document may carry; they leave room for every period that is added to them.</summary>
    public static readonly LocalDate MinDate = new(1800, 1, 1), MaxDate = new(8999, 12, 31);

    /// <summary>The instants that a document may carry.</summary>
    public static readonly Instant MinInstant = MinDate.AtMidnight().InUtc().ToInstant(), MaxInstant = MaxDate.AtMidnight().InUtc().ToInstant();

    /// <summary>What an instant outside that range breaks.</summary>
    public const string InstantRange = "lies in the years 1800 to 8999";

    // A gap: the first instant after it; an ambiguous time: the earlier one.
    private static readonly ZoneLocalMappingResolver Resolver =
        Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter);

    // NodaTime also knows zones of fixed offsets, such as UTC+00:01, which the zone database does not name.
    private static readonly FrozenSet<string> Zones = DateTimeZoneProviders.Tzdb.Ids.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The IANA zone of that name, or null.</summary>
    public static DateTimeZone? Zone(string id) => Zones.Contains(id) ? DateTimeZoneProviders.Tzdb[id] : null;

    /// <summary>A zone whose name was checked when it came.</summary>
    public static DateTimeZone KnownZone(string id) => DateTimeZoneProviders.Tzdb.GetZoneOrNull(id) ?? throw new InvariantException($"the zone {id} was checked when it came");

    /// <summary>The last whole microsecond at or before an instant: nothing finer is kept anywhere, so nothing finer is answered.</summary>
    public static Instant InMicroseconds(Instant instant)
    {
        var ticks = instant.ToUnixTimeTicks();
        return Instant.FromUnixTimeTicks(ticks - ((ticks % 10 + 10) % 10));
    }

    /// <summary>Refuses a date that a document may not carry.</summary>
    internal static Refusal? CheckDate(string field, LocalDate date) =>
        date >= MinDate && date <= MaxDate ? null : Refusal.Invalid(field, $"lies between {MinDate:R} and {MaxDate:R}");

    public static bool IsInstant(Instant instant) => instant >= MinInstant && instant <= MaxInstant;

    /// <summary>An ISO-8601 UTC instant within that range, in whole microseconds; null where the text is none.</summary>
    public static Instant? ReadInstant(string text) =>
        InstantPattern.ExtendedIso.Parse(text) is { Success: true, Value: var instant } && IsInstant(instant) ? InMicroseconds(instant) : null;

    /// <summary>The first valid instant of a local day; of a day that its zone skipped, the next day's.</summary>
    public static Instant StartOf(LocalDate day, DateTimeZone zone) => zone.ResolveLocal(day.AtMidnight(), Resolver).ToInstant();

    /// <summary>The local day that has begun last at an instant (T1). Where the clock is set back over midnight, the new day goes on.</summary>
    public static LocalDate DateAt(Instant instant, DateTimeZone zone)
    {
        var date = instant.InZone(zone).Date;
        while (StartOf(date.PlusDays(1), zone) <= instant) date = date.PlusDays(1);
        return date;
    }

    /// <summary>The same local time of day, so many calendar days later (P3, L4).</summary>
    public static Instant SameTimeAfter(Instant instant, int days, DateTimeZone zone) =>
        zone.ResolveLocal(instant.InZone(zone).LocalDateTime.PlusDays(days), Resolver).ToInstant();
}
