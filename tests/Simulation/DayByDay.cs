using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>The cycles of users and of contracts found by walking the days (A2, A3, L5): slow, and nothing of <see cref="Schedule"/>, <see cref="Recurrence"/> or <see cref="Billing"/>.</summary>
internal static class DayByDay
{
    /// <summary>The number of the cycle that runs at an instant; -1 before the start date.</summary>
    public static int Cycle(Settings settings, LocalDate start, Terms terms, Instant now)
    {
        var today = Date(now, terms);
        return today < start ? -1 : Resets(settings, start).TakeWhile(date => date <= today).Count();
    }

    /// <summary>The instant at which a cycle begins; null where there is no such cycle.</summary>
    public static Instant? StartOf(int cycle, Settings settings, LocalDate start, Terms terms)
    {
        if (cycle > 0 && settings.Renewal is Renewal.Fixed or Renewal.Unlimited) return null;
        return Begin(cycle == 0 ? start : Resets(settings, start).ElementAt(cycle - 1), terms);
    }

    /// <summary>What a user may use by the rules (A4); null: no limit.</summary>
    public static long? Available(Allocation allocation, Terms terms, Instant now)
    {
        var isWithin = Date(now, terms) is var today && today >= terms.StartsOn && !(today > terms.EndsOn);
        return isWithin ? Left(allocation, terms, now) + allocation.ExtraCredits - allocation.ExtraUsed : 0;
    }

    /// <summary>When the cycle is next reset within the contract, and when it next gives credits (R2, A3), both within the contract; null: not any more.</summary>
    public static (Instant? Renewal, Instant? Credits) NextRenewal(Allocation allocation, Terms terms, Instant now)
    {
        if (allocation is not { Settings: { } settings, StartDate: { } start }) return (null, null);
        var today = Date(now, terms);
        var reset = Resets(settings, start).Where(date => date > today).Select(date => (LocalDate?)date).FirstOrDefault();
        var renewal = reset is { } next && !(next > terms.EndsOn) ? Begin(next, terms) : (Instant?)null;
        return (renewal, today < start && !(start > terms.EndsOn) ? Begin(start, terms) : renewal);
    }

    /// <summary>The local date at an instant.</summary>
    public static LocalDate Date(Instant now, Terms terms) => now.InZone(DateTimeZoneProviders.Tzdb[terms.TimeZone]).Date;

    /// <summary>The days on which a contract's billing cycles start (L5), whether it runs or not.</summary>
    public static IEnumerable<LocalDate> Starts(BillingCycle cycle)
    {
        var seen = 0;
        for (var date = cycle.Anchor; ; date = date.PlusDays(1))
            if (MayStart(cycle, date) && seen++ % cycle.Every == 0) yield return date;
    }

    /// <summary>The first instant of a local day.</summary>
    public static Instant Begin(LocalDate date, Terms terms) => Resolve(date.AtMidnight(), terms);

    /// <summary>The same local time, so many days later (L4, P3).</summary>
    public static Instant SameTimeAfter(Instant instant, int days, Terms terms) => Resolve(instant.InZone(DateTimeZoneProviders.Tzdb[terms.TimeZone]).LocalDateTime.PlusDays(days), terms);

    private static long? Left(Allocation allocation, Terms terms, Instant now)
    {
        if (allocation.Settings is not { } settings) return 0;
        var cycle = Cycle(settings, allocation.StartDate!.Value, terms, now);
        return cycle < 0 ? 0 : settings.Amount - (cycle == allocation.Cycle ? allocation.UsedInCycle : 0);
    }

    // Of the days on which a reset may be, from the start date on, every so manieth, but for the start date itself.
    private static IEnumerable<LocalDate> Resets(Settings settings, LocalDate start)
    {
        if (settings.Renewal is Renewal.Fixed or Renewal.Unlimited) yield break;
        var seen = 0;
        for (var date = start; ; date = date.PlusDays(1))
        {
            if (!MayReset(settings, date)) continue;
            if (seen++ % settings.Frequency == 0 && date != start) yield return date;
        }
    }

    private static bool MayReset(Settings settings, LocalDate date) => settings.Renewal switch
    {
        Renewal.Weekly => date.DayOfWeek == settings.On!.Value.Weekday,
        Renewal.Monthly => IsDay(settings.On!.Value.DayOfMonth, date),
        _ => true,
    };

    private static bool MayStart(BillingCycle cycle, LocalDate date) => cycle.Unit switch
    {
        RecurrenceUnit.Week => date.DayOfWeek == cycle.Anchor.DayOfWeek,
        RecurrenceUnit.Month => IsDay(cycle.Anchor.Day, date),
        RecurrenceUnit.Year => date.Month == cycle.Anchor.Month && IsDay(cycle.Anchor.Day, date),
        _ => true,
    };

    private static bool IsDay(int day, LocalDate date) => date.Day == Math.Min(day, date.Calendar.GetDaysInMonth(date.Year, date.Month));

    private static Instant Resolve(LocalDateTime local, Terms terms)
    {
        var mapping = DateTimeZoneProviders.Tzdb[terms.TimeZone].MapLocal(local);
        return mapping.Count == 0 ? mapping.LateInterval.Start : mapping.First().ToInstant();
    }
}
