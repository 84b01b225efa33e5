using NodaTime;

namespace CreditGrains.Domain;

/// <summary>
/// When a user's cycles begin (A2, A3): cycle 0 on the start date, the next on each reset. The calendar alone numbers them:
/// the contract's end ends their use, not their numbers.
/// </summary>
public sealed class Schedule
{
    /// <summary>The cycle's number before the start date.</summary>
    public const int NotBegun = -1;

    private readonly Terms terms;
    private readonly LocalDate startDate;
    private readonly Recurrence? resets;
    private readonly int firstReset;

    public Schedule(Settings settings, LocalDate startDate, Terms terms)
    {
        this.terms = terms;
        this.startDate = startDate;
        resets = settings.Renewal switch
        {
            Renewal.Daily => Recurrence.From(startDate, RecurrenceUnit.Day, settings.Frequency),
            Renewal.Weekly => Recurrence.From(OnOrAfter(settings.On!.Value, startDate), RecurrenceUnit.Week, settings.Frequency),
            Renewal.Monthly => Recurrence.From(OnOrAfter(settings.On!.Value, startDate), RecurrenceUnit.Month, settings.Frequency) with
            {
                Day = settings.On.Value.DayOfMonth,
            },
            Renewal.Fixed or Renewal.Unlimited => null,
        };

        // A3: where the start is itself a reset day, the first reset is one whole frequency later.
        firstReset = resets?.Anchor == startDate ? 1 : 0;
    }

    /// <summary>The instant from which the first cycle can be used.</summary>
    public Instant StartsAt => Calendar.StartOf(startDate, terms.Zone);

    /// <summary>The first such weekday or day of the month on or after a date; in a shorter month its last day.</summary>
    public static LocalDate OnOrAfter(RenewalDay on, LocalDate date)
    {
        if (on.Weekday != IsoDayOfWeek.None) return date.DayOfWeek == on.Weekday ? date : date.Next(on.Weekday);
        var inMonth = Recurrence.InMonth(date.ToYearMonth(), on.DayOfMonth);
        return inMonth >= date ? inMonth : Recurrence.InMonth(date.ToYearMonth().PlusMonths(1), on.DayOfMonth);
    }

    /// <summary>The number of the running cycle at an instant; <see cref="NotBegun"/> before the start date.</summary>
    public int CycleAt(Instant now)
    {
        if (now < StartsAt) return NotBegun;
        if (resets is not { } dates) return 0;
        return Math.Max(0, dates.LastAtOrBefore(Calendar.DateAt(now, terms.Zone)) - firstReset + 1);
    }

    /// <summary>The date on which a cycle begins; null where there is no such cycle.</summary>
    public LocalDate? DateOf(int cycle) => cycle == 0 ? startDate : resets?[firstReset + cycle - 1];

    /// <summary>The instant at which a cycle begins; null where there is none.</summary>
    public Instant? StartOf(int cycle) => DateOf(cycle) is { } date ? Calendar.StartOf(date, terms.Zone) : null;

    /// <summary>The first reset after an instant, or after the start date where that is still to come (A3); null: none is left within the contract.</summary>
    public LocalDate? NextRenewal(Instant now) => Renewals(now).Select(date => (LocalDate?)date).FirstOrDefault();

    /// <summary>The coming resets within the contract, earliest first.</summary>
    public IEnumerable<LocalDate> Renewals(Instant now)
    {
        for (var cycle = Math.Max(0, CycleAt(now)) + 1; DateOf(cycle) is { } date && date <= (terms.EndsOn ?? Calendar.MaxDate); cycle++) yield return date;
    }
}
