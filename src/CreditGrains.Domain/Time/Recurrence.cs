using NodaTime;

namespace CreditGrains.Domain;

public enum RecurrenceUnit { Day, Week, Month, Year }

/// <summary>Local dates that come again and again, each counted from the anchor and never from the one before (T2).</summary>
/// <param name="Every">1 to 1,000 units from one date to the next.</param>
/// <param name="Anchor">Date number 0.</param>
/// <param name="Day">Months and years: the day of the month that is wished for; a shorter month gives its last day.</param>
public readonly record struct Recurrence(RecurrenceUnit Unit, int Every, LocalDate Anchor, int Day)
{
    /// <summary>The longest distance, in units.</summary>
    public const int MaxEvery = 1_000;

    /// <summary>Date number <paramref name="number"/>, which may be negative.</summary>
    public LocalDate this[int number] => Unit switch
    {
        RecurrenceUnit.Day => Anchor.PlusDays(number * Every),
        RecurrenceUnit.Week => Anchor.PlusWeeks(number * Every),
        RecurrenceUnit.Month or RecurrenceUnit.Year => InMonth(Anchor.ToYearMonth().PlusMonths(number * Months), Day),
    };

    /// <summary>The dates from that anchor on, on the anchor's own day.</summary>
    public static Recurrence From(LocalDate anchor, RecurrenceUnit unit, int every) => new(unit, every, anchor, anchor.Day);

    /// <summary>That day of a month, or the month's last where it is shorter.</summary>
    public static LocalDate InMonth(YearMonth month, int day) => month.OnDayOfMonth(Math.Min(day, month.Calendar.GetDaysInMonth(month.Year, month.Month)));

    /// <summary>The number of the last date at or before <paramref name="date"/>; below 0 before the anchor.</summary>
    public int LastAtOrBefore(LocalDate date)
    {
        var number = Unit switch
        {
            RecurrenceUnit.Day => Floor(Period.DaysBetween(Anchor, date), Every),
            RecurrenceUnit.Week => Floor(Period.DaysBetween(Anchor, date), 7 * Every),
            RecurrenceUnit.Month or RecurrenceUnit.Year => Floor((date.Year - Anchor.Year) * 12 + date.Month - Anchor.Month, Months),
        };
        return this[number] <= date ? number : number - 1;
    }

    private int Months => Unit == RecurrenceUnit.Year ? 12 * Every : Every;

    private static int Floor(int dividend, int divisor) => (dividend - (((dividend % divisor) + divisor) % divisor)) / divisor;
}
