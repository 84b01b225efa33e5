using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The unit of a recurrence (T2).</summary>
public enum RecurrenceUnit { Day, Week, Month, Year }

/// <summary>Recurring local dates, each computed from the anchor and never from the one before (T2).</summary>
/// <param name="Every">1 to 1,000 units from one date to the next.</param>
/// <param name="Anchor">Date number 0.</param>
/// <param name="Day">Of months and years: the wanted day of the month, 1 to 31; a shorter month has its last day instead.</param>
public readonly record struct Recurrence(RecurrenceUnit Unit, int Every, LocalDate Anchor, int Day)
{
    /// <summary>The most units from one date to the next.</summary>
    public const int MaxEvery = 1_000;

    /// <summary>The date of a number, which may be negative.</summary>
    public LocalDate this[int number] => Unit switch
    {
        RecurrenceUnit.Day => Anchor.PlusDays(number * Every),
        RecurrenceUnit.Week => Anchor.PlusWeeks(number * Every),
        RecurrenceUnit.Month or RecurrenceUnit.Year => InMonth(Anchor.ToYearMonth().PlusMonths(number * Months), Day),
    };

    /// <summary>A recurrence on the anchor's own day of the month.</summary>
    public static Recurrence From(LocalDate anchor, RecurrenceUnit unit, int every) => new(unit, every, anchor, anchor.Day);

    /// <summary>A day of a month, or the month's last day where the month is shorter.</summary>
    public static LocalDate InMonth(YearMonth month, int day) =>
        month.OnDayOfMonth(Math.Min(day, month.Calendar.GetDaysInMonth(month.Year, month.Month)));

    /// <summary>The number of the last date on or before <paramref name="date"/>; negative before the anchor.</summary>
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
