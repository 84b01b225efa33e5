using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>A10: the date on which the pool runs out if everybody uses every cycle. New year 2026 is a Thursday.</summary>
public sealed class RunningOutTests
{
    private static readonly SettingsChange TenOnMondays = new(10, Renewal.Weekly, null, RenewalDay.Of(IsoDayOfWeek.Monday));

    private sealed record Bought(int Credits, int From, int Days);

    private static readonly Arbitrary<(Bought[] Lots, SettingsChange[] Users, int Billed, int Uses)> AnyPool = (
        from lots in Gen.ArrayOf(
            from credits in Gen.Choose(0, 60) from day in Gen.Choose(0, 40) from days in Gen.Choose(1, 90) select new Bought(credits, day, days), 4)
        from users in Gen.ArrayOf(
            from amount in Gen.Choose(0, 9)
            from every in Gen.Choose(1, 4)
            from weekday in Gen.Choose(1, 7)
            from settings in Gen.Elements(
                new SettingsChange(amount, Renewal.Daily, every),
                new SettingsChange(amount, Renewal.Weekly, every, RenewalDay.Of((IsoDayOfWeek)weekday)),
                new SettingsChange(amount, Renewal.Monthly, 1, RenewalDay.Of(weekday + 24)),
                new SettingsChange(amount, Renewal.Fixed),
                new SettingsChange(null, Renewal.Unlimited))
            select settings, 3)
        from billed in Gen.Choose(0, 30)
        from uses in Gen.Choose(0, 3)
        select (lots, users, billed, uses)).ToArbitrary();

    [Theory]
    [InlineData(100, "2026-03-16")]
    [InlineData(99, "2026-03-09")]
    [InlineData(9, "2026-01-05")]
    [InlineData(520, null)]
    public void It_is_the_first_day_on_which_a_cycle_is_not_all_there(int credits, string? date)
    {
        var allotment = With(Given.Lot("L1", credits, until: null), TenOnMondays);
        Assert.Equal(date, Told(allotment));
    }

    [Theory]
    [InlineData(90, 30, "2026-01-31")]
    [InlineData(89, 30, "2026-01-30")]
    [InlineData(10, 1, "2026-10-28")]
    [InlineData(1, 31, "2026-01-01")]
    [InlineData(2000, 30, null)]
    [InlineData(90, 0, null)]
    public void C4_it_is_the_first_day_on_which_a_day_s_credits_are_not_all_there(int credits, int usedIn30Days, string? date)
    {
        var contract = Given.Contract() with { Lots = [Given.Lot("L1", credits, until: null)] };
        var rate = usedIn30Days == 30 ? 3 * 30 : usedIn30Days;
        Assert.Equal(date, $"{ContractFigures.Of(contract, 0, 0, rate, Given.NewYear).Burn.RunsOutOn:R}" is { Length: > 0 } told ? told : null);
    }

    [Fact]
    public void What_was_used_of_the_running_cycle_is_not_used_again()
    {
        var allotment = With(Given.Lot("L1", 20, until: null), TenOnMondays);
        allotment.MoveTo(Given.Day(4));
        Assert.NotNull(allotment.Use("anna", 4).Value);
        Assert.Equal("2026-01-19", Told(allotment));
    }

    [Fact]
    public void A_lot_that_expires_first_or_begins_too_late_does_not_help()
    {
        Assert.Equal("2026-01-12", Told(With([Given.Lot("L1", 99, until: 11), Given.Lot("L2", 99, until: null, from: 60)], TenOnMondays)));
        Assert.Equal("2026-01-12", Told(With([Given.Lot("L1", 99, until: 11), Given.Lot("L2", 99, until: null, from: 12)], TenOnMondays)));
        Assert.NotEqual("2026-01-12", Told(With([Given.Lot("L1", 99, until: 11), Given.Lot("L2", 99, until: null, from: 11)], TenOnMondays)));
    }

    [Fact]
    public void Of_disabled_removed_and_unlimited_users_nothing_is_foretold_nor_without_settings()
    {
        var allotment = With([Given.Lot("L1", 0, until: null)], new SettingsChange(), new(null, Renewal.Unlimited), TenOnMondays, TenOnMondays);
        Assert.Equal("2026-01-05", Told(allotment));
        allotment.Disable("user2", true);
        Assert.Equal("2026-01-05", Told(allotment));
        allotment.Change(new(null, null, false, [new("user3", new(), null) { Assigned = false }]));
        Assert.Null(Told(allotment));
    }

    [Fact]
    public void A_billing_cycle_that_brings_enough_never_runs_out_and_two_years_are_looked_ahead()
    {
        var terms = Given.Terms with { EndsOn = null, UnallocatedLifetimeDays = null };
        Assert.Null(Told(With(terms with { BillingCycle = new(RecurrenceUnit.Week, 1, new(2026, 1, 5), 10) }, [], TenOnMondays)));
        Assert.Equal("2026-01-12", Told(With(terms with { BillingCycle = new(RecurrenceUnit.Week, 2, new(2026, 1, 5), 10) }, [], TenOnMondays)));
        Assert.Equal("2027-12-27", Told(With(terms, [Given.Lot("L1", 1_030, until: null)], TenOnMondays)));
        Assert.Null(Told(With(terms, [Given.Lot("L1", 1_040, until: null)], TenOnMondays)));
    }

    [Fact]
    public void Before_the_contract_begins_the_first_cycles_are_used_as_they_begin()
    {
        var allotment = new Allotment(Given.Terms, Given.Day(-30));
        allotment.Add("anna");
        allotment.Have(Given.Lot("L1", 9, until: null));
        allotment.Set("anna", new(10, Renewal.Fixed));
        Assert.Equal("2026-01-01", Told(allotment));
    }

    [Fact]
    public void It_is_the_day_of_one_who_walks_from_day_to_day() => Properties.Hold(Prop.ForAll(AnyPool, pool =>
    {
        var terms = Given.Terms with { EndsOn = Given.Terms.StartsOn.PlusDays(150), UnallocatedLifetimeDays = null };
        if (pool.Billed > 0) terms = terms with { BillingCycle = new(RecurrenceUnit.Month, 1, new(2026, 1, 15), pool.Billed) };
        var lots = pool.Lots.Where(lot => lot.Credits > 0).Select((lot, i) => Given.Lot($"L{i}", lot.Credits, lot.From + lot.Days, lot.From)).ToArray();
        var allotment = With(terms, lots, pool.Users);
        allotment.MoveTo(Given.Day(10));
        allotment.Use("user0", pool.Uses);
        Assert.Equal(Walked(allotment), allotment.Window.PoolRunsOutOn);
    }), 500);

    // Credit by credit, on each day those of the cycles that begin.
    private static LocalDate? Walked(Allotment allotment)
    {
        var (contract, terms) = (allotment.Contract, allotment.Contract.Terms);
        var credits = contract.Lots.SelectMany(lot => Enumerable.Repeat((From: lot.AvailableFrom, Until: lot.ExpiresAt ?? Instant.MaxValue), (int)lot.Free.Count))
            .Concat(terms.BillingCycle is null ? [] : Enumerable.Range(0, 5).SelectMany(month =>
                Enumerable.Repeat((From: Calendar.StartOf(new LocalDate(2026, 1, 15).PlusMonths(month), terms.Zone), Until: terms.Ends!.Value), (int)terms.BillingCycle.Credits)))
            .OrderBy(credit => credit.Until).ThenBy(credit => credit.From).ToList();
        for (var day = allotment.Window.Today; day <= terms.EndsOn; day = day.PlusDays(1))
        {
            var (at, before) = (Calendar.StartOf(day, terms.Zone), Calendar.StartOf(day.PlusDays(-1), terms.Zone));
            var wanted = contract.Members.Values.Where(member => member.Allocation.Settings?.Amount is not null).Sum(member =>
            {
                var (now, schedule) = (member.Allocation.At(allotment.Now, terms), member.Allocation.ScheduleIn(terms)!);
                if (day == allotment.Window.Today) return now.CycleLeft!.Value;
                return schedule.CycleAt(at) == schedule.CycleAt(before) ? 0 : now.Settings!.Amount!.Value;
            });
            var drawn = credits.Where(credit => credit.From <= at && at < credit.Until).Take((int)wanted).ToList();
            if (drawn.Count < wanted) return day;
            foreach (var credit in drawn) credits.Remove(credit);
        }
        return null;
    }

    private static Allotment With(Lot lot, SettingsChange settings) => With([lot], settings);

    private static Allotment With(Lot[] lots, params SettingsChange[] users) =>
        users.Length == 1 ? With(Given.Terms, lots, users) : With(Given.Terms with { UnallocatedLifetimeDays = null }, lots, users);

    // The only user is anna, of several the first is user0.
    private static Allotment With(Terms terms, Lot[] lots, params SettingsChange[] users)
    {
        var allotment = new Allotment(terms, Given.NewYear);
        string[] ids = users.Length == 1 ? ["anna"] : [.. users.Select((_, i) => $"user{i}")];
        allotment.Add(ids);
        allotment.Have(lots);
        allotment.Change(new(true, null, false, []));
        foreach (var (id, settings) in ids.Zip(users)) Assert.Null(allotment.Set(id, settings).Refusal);
        return allotment;
    }

    private static string? Told(Allotment allotment) => allotment.Window.PoolRunsOutOn?.ToString("uuuu-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
