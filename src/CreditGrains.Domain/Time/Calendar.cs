using System.Collections.Frozen;
using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;

namespace CreditGrains.Domain;

/// <summary>Converts between local dates and instants, here alone (T1).</summary>
public static partial class Calendar
{
    /// <summary>The first and last date that a document may carry; every period that is added to them still fits.</summary>
    public static readonly LocalDate MinDate = new(1800, 1, 1), MaxDate = new(8999, 12, 31);

    /// <summary>The first and last instant that a document may carry.</summary>
    public static readonly Instant MinInstant = MinDate.AtMidnight().InUtc().ToInstant(),
        MaxInstant = MaxDate.PlusDays(1).AtMidnight().InUtc().ToInstant() - Duration.FromTicks(NodaConstants.TicksPerMillisecond / 1_000);

    /// <summary>The rule for <see cref="Refusal.Invalid"/> that an instant outside that range breaks.</summary>
    public const string InstantRange = "must be in the years 1800 to 8999";

    // A gap: the first instant after it; an ambiguous time: the earlier one.
    private static readonly ZoneLocalMappingResolver Resolver =
        Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter);

    // NodaTime also accepts fixed offsets, such as UTC+00:01, which the zone database does not name.
    private static readonly FrozenSet<string> Zones = DateTimeZoneProviders.Tzdb.Ids.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The IANA zone of that name, or null.</summary>
    public static DateTimeZone? Zone(string id) => Zones.Contains(id) ? DateTimeZoneProviders.Tzdb[id] : null;

    /// <summary>The zone of a name that was checked when it was stored.</summary>
    public static DateTimeZone KnownZone(string id) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(id) ?? throw new InvariantException($"the zone {id} was checked when it was stored");

    /// <summary>The last whole microsecond at or before an instant. Stores keep nothing finer, so answers have nothing finer either.</summary>
    public static Instant InMicroseconds(Instant instant)
    {
        var ticks = instant.ToUnixTimeTicks();
        return Instant.FromUnixTimeTicks(ticks - ((ticks % 10 + 10) % 10));
    }

    /// <summary>A refusal of a date that a document may not carry; null: it may.</summary>
    public static Refusal? CheckDate(string field, LocalDate date) =>
        date >= MinDate && date <= MaxDate ? null : Refusal.Invalid(field, $"must be {MinDate:R} to {MaxDate:R}");

    /// <summary>Whether a document may carry that instant.</summary>
    public static bool IsInstant(Instant instant) => instant >= MinInstant && instant <= MaxInstant;

    /// <summary>Reads an RFC 3339 instant with any offset, in whole microseconds; null: the text is none.</summary>
    public static Instant? ReadInstant(string text)
    {
        // What stores and most callers write.
        if (text.EndsWith('Z') && !text.Contains(',') && text.AsSpan(text.IndexOf('T') + 1) is not ['2', '4', ..]
            && InstantPattern.ExtendedIso.Parse(text) is { Success: true, Value: var utc }) return InMicroseconds(utc);

        var parts = Rfc3339().Match(text);
        if (!parts.Success) return null;
        if (LocalDateTimePattern.ExtendedIso.Parse(parts.Groups["local"].Value.ToUpperInvariant()) is not { Success: true, Value: var local }) return null;
        var sign = parts.Groups["sign"].Value == "-" ? -1 : 1;
        var offset = Duration.FromHours(sign * Number("hours")) + Duration.FromMinutes(sign * Number("minutes"));
        return InMicroseconds(local.InUtc().ToInstant() - offset);

        int Number(string part) => int.TryParse(parts.Groups[part].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    // RFC 3339, 5.6, without leap seconds.
    [GeneratedRegex("""
        ^(?<local>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?)
        (?:[Zz]|(?<sign>[+-])(?<hours>[01][0-9]|2[0-3]):(?<minutes>[0-5][0-9]))\z
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Rfc3339();

    /// <summary>The first valid instant of a local day (T1); of a day that the zone skipped, that of the next.</summary>
    public static Instant StartOf(LocalDate day, DateTimeZone zone) => zone.ResolveLocal(day.AtMidnight(), Resolver).ToInstant();

    /// <summary>The first local day that begins at or after an instant (T1).</summary>
    public static LocalDate FirstDayFrom(Instant instant, DateTimeZone zone)
    {
        var day = DateAt(instant, zone);
        return StartOf(day, zone) == instant ? day : day.PlusDays(1);
    }

    /// <summary>The latest local day that has begun by an instant (T1): where the clock is set back over midnight, the new day goes on.</summary>
    public static LocalDate DateAt(Instant instant, DateTimeZone zone)
    {
        var date = instant.InZone(zone).Date;
        while (StartOf(date.PlusDays(1), zone) <= instant) date = date.PlusDays(1);
        return date;
    }

    /// <summary>The same local time of day, a number of calendar days later (P3, L4).</summary>
    public static Instant SameTimeAfter(Instant instant, int days, DateTimeZone zone) =>
        zone.ResolveLocal(instant.InZone(zone).LocalDateTime.PlusDays(days), Resolver).ToInstant();
}
