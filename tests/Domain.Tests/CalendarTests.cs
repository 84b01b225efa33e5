using NodaTime;
using NodaTime.Extensions;
using NodaTime.Text;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class CalendarTests
{
    [Theory]
    [InlineData("2026-03-01T00:00:00.123456789Z", "2026-03-01T00:00:00.123456Z")]
    [InlineData("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z")]
    [InlineData("1800-01-01T00:00:00.000001999Z", "1800-01-01T00:00:00.000001Z")]
    [InlineData("8999-12-30T23:59:59.999999001Z", "8999-12-30T23:59:59.999999Z")]
    public void An_instant_is_cut_to_the_microsecond_before_it(string instant, string cut) =>
        Assert.Equal(cut, InstantPattern.ExtendedIso.Format(Calendar.InMicroseconds(InstantPattern.ExtendedIso.Parse(instant).Value)));

    [Theory]
    [InlineData("UTC", "2026-03-31", "2026-03-31T00:00:00Z", "an ordinary day")]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", "the clock moves later that day")]
    [InlineData("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "midnight is in a gap")]
    [InlineData("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z", "midnight is in a gap")]
    [InlineData("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z", "the gap begins the day before")]
    [InlineData("America/Havana", "2023-11-05", "2023-11-05T04:00:00Z", "midnight comes twice: the earlier")]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", "half an hour is skipped later that day")]
    [InlineData("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "the whole day is skipped: the next one's start")]
    [InlineData("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "the day after")]
    public void T1_a_local_day_begins_at_its_first_valid_instant(string zone, string day, string start, string because)
    {
        Assert.NotEmpty(because);
        Assert.Equal(Given.At(start), Calendar.StartOf(Date(day), Calendar.Zone(zone)!));
    }

    [Theory]
    [InlineData("UTC", "2026-01-31T12:00:00Z", 30, "2026-03-02T12:00:00Z", "no zone, no surprise")]
    [InlineData("Europe/Berlin", "2026-03-01T11:00:00Z", 30, "2026-03-31T10:00:00Z", "noon stays noon across the change")]
    [InlineData("Europe/Berlin", "2026-03-28T01:30:00Z", 1, "2026-03-29T01:00:00Z", "02:30 is in the gap: its end")]
    [InlineData("Europe/Berlin", "2026-10-24T00:30:00Z", 1, "2026-10-25T00:30:00Z", "02:30 comes twice: the earlier")]
    [InlineData("America/New_York", "2026-02-06T07:30:00Z", 30, "2026-03-08T07:00:00Z", "02:30 is in the gap: its end")]
    [InlineData("Australia/Lord_Howe", "2026-10-02T15:45:00Z", 1, "2026-10-03T15:30:00Z", "02:15 is in a gap of half an hour")]
    [InlineData("Australia/Lord_Howe", "2026-04-03T14:45:00Z", 1, "2026-04-04T14:45:00Z", "01:45 comes twice: the earlier")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", 1, "2011-12-30T10:00:00Z", "noon of a day that never was")]
    [InlineData("Pacific/Apia", "2011-12-29T22:00:00Z", 2, "2011-12-30T22:00:00Z", "the skipped day counts")]
    public void T1_days_later_it_is_the_same_local_time(string zone, string instant, int days, string later, string because)
    {
        Assert.NotEmpty(because);
        Assert.Equal(Given.At(later), Calendar.SameTimeAfter(Given.At(instant), days, Calendar.Zone(zone)!));
    }

    [Theory]
    [InlineData("America/St_Johns", "2010-11-07T02:30:59Z", "2010-11-07", "a minute of the new day")]
    [InlineData("America/St_Johns", "2010-11-07T02:31:00Z", "2010-11-07", "the clock is set back to 23:01: the new day goes on")]
    [InlineData("America/St_Johns", "2010-11-07T02:29:59Z", "2010-11-06", "a second before")]
    [InlineData("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "the skipped day has no instant")]
    public void T1_a_day_that_has_begun_goes_on_until_the_next_begins(string zone, string instant, string day, string because)
    {
        Assert.NotEmpty(because);
        Assert.Equal(Date(day), Calendar.DateAt(Given.At(instant), Calendar.Zone(zone)!));
    }

    [Theory]
    [InlineData("2026-01-31", RecurrenceUnit.Month, 1, "2026-01-31 2026-02-28 2026-03-31 2026-04-30")]
    [InlineData("2028-01-30", RecurrenceUnit.Month, 1, "2028-01-30 2028-02-29 2028-03-30")]
    [InlineData("2026-11-30", RecurrenceUnit.Month, 3, "2026-11-30 2027-02-28 2027-05-30")]
    [InlineData("2024-02-29", RecurrenceUnit.Year, 1, "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29")]
    [InlineData("2026-01-31", RecurrenceUnit.Day, 10, "2026-01-31 2026-02-10 2026-02-20")]
    [InlineData("2026-01-05", RecurrenceUnit.Week, 2, "2026-01-05 2026-01-19 2026-02-02")]
    public void T2_each_date_is_counted_from_the_anchor(string anchor, RecurrenceUnit unit, int every, string dates)
    {
        var recurrence = Recurrence.From(Date(anchor), unit, every);
        Assert.Equal(dates.Split(' ').Select(Date), Enumerable.Range(0, dates.Split(' ').Length).Select(number => recurrence[number]));
    }

    [Theory]
    [InlineData(RecurrenceUnit.Day, 3)]
    [InlineData(RecurrenceUnit.Week, 2)]
    [InlineData(RecurrenceUnit.Month, 1)]
    [InlineData(RecurrenceUnit.Month, 5)]
    [InlineData(RecurrenceUnit.Year, 1)]
    public void T2_the_last_date_at_or_before_a_day_is_the_one_that_walking_finds(RecurrenceUnit unit, int every)
    {
        var recurrence = Recurrence.From(Date("2024-02-29"), unit, every) with { Day = 31 };
        var dates = Enumerable.Range(-400, 4_000).Select(number => (number, date: recurrence[number])).TakeWhile(pair => pair.date < Date("2035-01-01")).ToList();
        for (var day = Date("2022-01-01"); day < Date("2031-01-01"); day = day.PlusDays(1))
            Assert.Equal(dates.Last(pair => pair.date <= day).number, recurrence.LastAtOrBefore(day));
    }

    [Fact]
    public void T1_around_every_change_of_every_zone_days_begin_at_their_first_instant() => DaysBeginAtTheirFirstInstant(Calendar.StartOf);

    [Fact]
    public void A_start_that_shifts_by_the_length_of_the_gap_is_caught() =>
        Assert.ThrowsAny<Exception>(() => DaysBeginAtTheirFirstInstant((day, zone) => day.AtMidnight().InZoneLeniently(zone).ToInstant()));

    private static void DaysBeginAtTheirFirstInstant(Func<LocalDate, DateTimeZone, Instant> startOf)
    {
        foreach (var zone in DateTimeZoneProviders.Tzdb.GetAllZones())
            foreach (var interval in zone.GetZoneIntervals(Given.At("1900-01-01T00:00:00Z"), Given.At("2040-01-01T00:00:00Z")).Where(interval => interval.HasStart))
                for (var days = -1; days <= 1; days++)
                {
                    var day = Calendar.DateAt(interval.Start, zone).PlusDays(days);
                    var start = startOf(day, zone);
                    Assert.True(
                        Calendar.DateAt(start - Duration.Epsilon, zone) < day && Calendar.DateAt(start, zone) >= day,
                        $"{day:R} in {zone.Id} does not begin at {start}");
                }
    }

    private static LocalDate Date(string text) => LocalDatePattern.Iso.Parse(text).Value;

    [Fact]
    public void From_1972_on_a_day_of_any_zone_begins_at_a_multiple_of_five_minutes_which_is_what_usage_is_added_up_by()
    {
        foreach (var zone in DateTimeZoneProviders.Tzdb.Ids.Select(id => Calendar.Zone(id)!))
        {
            var changes = zone.GetZoneIntervals(Instant.FromUtc(1972, 5, 2, 0, 0), Instant.FromUtc(2040, 1, 1, 0, 0)).Where(interval => interval.HasStart).Select(interval => interval.Start).Where(at => at > Instant.FromUtc(1972, 5, 2, 0, 0))
                .Append(Instant.FromUtc(1972, 5, 3, 0, 0));
            foreach (var day in changes.SelectMany(at => Enumerable.Range(-1, 3).Select(more => at.InZone(zone).Date.PlusDays(more))))
                Assert.True(Calendar.StartOf(day, zone).ToUnixTimeSeconds() % 300 == 0, $"{zone.Id} {day}");
        }
    }
}
