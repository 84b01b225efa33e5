using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Billing cycles (L5), and how long their lots live (L4).</summary>
public sealed class BillingTests
{
    private static readonly Terms Monthly = Given.Terms with { BillingCycle = new(RecurrenceUnit.Month, 1, new(2026, 1, 31), 10) };

    public static TheoryData<string, Terms> Broken => new()
    {
        { "billingCycle.every", Monthly with { BillingCycle = Monthly.BillingCycle! with { Every = 0 } } },
        { "billingCycle.every", Monthly with { BillingCycle = Monthly.BillingCycle! with { Every = 1_001 } } },
        { "billingCycle.anchor", Monthly with { BillingCycle = Monthly.BillingCycle! with { Anchor = new(1799, 12, 31) } } },
        { "billingCycle.anchor", Monthly with { BillingCycle = Monthly.BillingCycle! with { Anchor = new(9000, 1, 1) } } },
        { "billingCycle.credits", Monthly with { BillingCycle = Monthly.BillingCycle! with { Credits = 0 } } },
        { "billingCycle.credits", Monthly with { BillingCycle = Monthly.BillingCycle! with { Credits = Lot.MaxQuantity + 1 } } },
        { "billingCycle", Monthly with { Type = ContractType.Unlimited } },
    };

    // Contracts of up to three years whose days 28 to 31 matter, in zones that skip midnights and days, whose life passes in steps of hours to months.
    private static readonly Arbitrary<(Terms Terms, int[] Hours)> AnyLife = (
        from zone in Gen.Elements("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo")
        from starts in Gen.Choose(0, 400)
        from days in Gen.Frequency((3, from days in Gen.Choose(0, 1_000) select (int?)days), (1, Gen.Constant((int?)null)))
        from unit in Gen.Elements(Enum.GetValues<RecurrenceUnit>())
        from every in Gen.Choose(1, 5)
        from anchor in Gen.Choose(28, 31)
        from away in Gen.Choose(-14, 5)
        from lifetime in Gen.Frequency((3, from lifetime in Gen.Choose(1, 90) select (int?)lifetime), (1, Gen.Constant((int?)null)))
        from hours in Gen.ArrayOf(Gen.Choose(0, 24 * 50), 20)
        let startsOn = new LocalDate(2011, 1, 1).PlusDays(starts)
        let cycle = new BillingCycle(unit, every, Recurrence.InMonth(startsOn.ToYearMonth().PlusMonths(away), anchor), 3)
        select (Given.Terms with { TimeZone = zone, StartsOn = startsOn, EndsOn = days is { } length ? startsOn.PlusDays(length) : null, UnallocatedLifetimeDays = lifetime, BillingCycle = cycle }, hours)).ToArbitrary();

    [Fact]
    public void L5_each_cycle_brings_its_lot_and_day_31_comes_back_after_a_shorter_month() => Story.Play("""
        contract 365 days lifetime 30
        day 0          billing 10 every 1 month from day 30
        day 29         lots   ->
        day 29         left   -> 0
        day 30         lots   -> billing:2026-01-31:10 until day 60
        day 57 23:59   left   -> 10
        day 58         left   -> 20
        day 60         lots   -> billing:2026-02-28:10 until day 89
        day 89         draw R1 10 -> billing:2026-03-31:10
        day 89         left   -> 0
        day 120        draw R2 1 -> billing:2026-04-30:1
        day 120        books  -> granted 40 minted 0 unallocated 9 allocated 11 expired 20 withdrawn 0
        """);

    [Fact]
    public void L5_a_new_cycle_grants_the_one_then_running_and_none_before_it() => Story.Play("""
        contract 365 days lifetime 10
        day 100 12:00  billing 10 every 1 month from day 0
        day 100 12:00  lots   -> billing:2026-04-01:10 until day 120
        day 101        draw R1 4 -> billing:2026-04-01:4
        day 120        lots   -> billing:2026-05-01:10 until day 151
        """);

    [Fact]
    public void L5_a_changed_cycle_grants_once_what_it_shares_with_the_one_before() => Story.Play("""
        contract 365 days lifetime 10
        day 0          billing 10 every 1 month from day 0
        day 5          draw R1 10 -> billing:2026-01-01:10
        day 6          billing 70 every 1 month from day 0
        day 6          left   -> 0
        day 20         billing 5 every 1 week from day 0
        day 20         lots   -> billing:2026-01-15:5 until day 30
        day 20         draw R2 5 -> billing:2026-01-15:5
        day 20         billing 9 every 1 month from day 0
        day 20         left   -> 0
        day 20         billing never
        day 20         billing 8 every 1 week from day 0
        day 20         left   -> 0
        day 21         lots   -> billing:2026-01-22:8 until day 31
        """);

    [Fact]
    public void L5_only_cycles_that_start_within_the_contract_are_granted() => Story.Play("""
        contract 60 days lifetime 10
        day 0          billing 10 every 1 month from day 45
        day 44         left   -> 0
        day 45         lots   -> billing:2026-02-15:10 until day 60
        day 70         left   -> 0
        day 70         ends day 90
        day 70         left   -> 0
        day 73         lots   -> billing:2026-03-15:10 until day 91
        """);

    [Fact]
    public void L5_a_contract_that_runs_again_gets_the_cycle_then_running() => Story.Play("""
        contract 40 days lifetime 10
        day 0          billing 10 every 1 month from day 0
        day 59         left   -> 0
        day 59         books  -> granted 10 minted 0 unallocated 10 allocated 0 expired 0 withdrawn 0
        day 65         ends day 200
        day 65         lots   -> billing:2026-03-01:10 until day 90
        day 65         books  -> granted 30 minted 0 unallocated 10 allocated 0 expired 20 withdrawn 0
        """);

    [Fact]
    public void L5_a_cycle_that_was_over_before_anybody_looked_is_not_granted_again() => Story.Play("""
        contract 45 days lifetime 10
        day 0          billing 10 every 1 month from day 0
        day 50         ends day 200
        day 50         left   -> 0
        day 50         books  -> granted 20 minted 0 unallocated 0 allocated 0 expired 20 withdrawn 0
        """);

    [Fact]
    public void L4_a_billing_lot_lives_at_least_until_the_next_cycle_and_never_beyond_the_contract() => Story.Play("""
        contract 75 days lifetime 10
        day 0          billing 10 every 1 month from day 0
        day 0          lots   -> billing:2026-01-01:10 until day 31
        day 31         lots   -> billing:2026-02-01:10 until day 59
        day 59         lots   -> billing:2026-03-01:10 until day 75
        day 60         ends day 85
        day 60         lots   -> billing:2026-03-01:10 until day 86
        """);

    [Fact]
    public void L5_what_expires_and_what_comes_while_nobody_looks_is_told_in_its_order()
    {
        var world = new World(Given.Terms with { UnallocatedLifetimeDays = 10 });
        world.Agree(world.Contract.Terms with { BillingCycle = new(RecurrenceUnit.Month, 1, new(2026, 1, 31), 10) });
        world.MoveTo(Given.Day(100));
        world.Sweep();

        Assert.Equal(
            ["2026-01-31 LotGranted 2026-01-31", "2026-02-28 LotExpired 2026-01-31", "2026-02-28 LotGranted 2026-02-28", "2026-03-31 LotExpired 2026-02-28", "2026-03-31 LotGranted 2026-03-31"],
            world.Entries.Skip(1).Select(entry => $"{entry.EffectiveAt.InUtc().Date:R} {entry.Kind} {entry.LotId!.Split(':')[1]}"));
        Assert.All(world.Entries.Skip(1), entry => Assert.Equal((Given.Day(100), Entry.System), (entry.BookedAt, entry.Actor)));
        Assert.Equal("C1:2026-03-31", world.Contract.Lots.Single().PaymentId);
        Assert.Equal(Given.At("2026-04-30T00:00:00Z"), world.Contract.NextDue);
        Assert.True(world.Audit().Balanced);
    }

    [Fact]
    public void L5_one_jump_or_many_small_ones_grant_what_a_walk_through_every_day_grants() => Grants((contract, now) => contract.RollForward(now));

    [Fact]
    public void A_roll_forward_that_forgets_all_but_the_last_cycle_is_caught() => Assert.ThrowsAny<Exception>(() => Grants((contract, now) =>
    {
        var (next, changes) = contract.RollForward(now);
        var last = changes.Lots.LastOrDefault(lot => lot.IsNew);
        return new(next, changes.With((LotChange lot) => lot.IsNew && lot != last ? null : lot));
    }));

    [Theory]
    [MemberData(nameof(Broken))]
    public void L5_terms_that_break_a_rule_are_refused_and_the_field_named(string field, Terms terms) =>
        Assert.Equal(field, Agreeing.Decide(null, new(terms, null, "ops"), Given.Day(0)).Refusal!.Field);

    [Fact]
    public void L5_the_last_cycles_of_all_have_room_in_the_calendar()
    {
        var terms = Given.Terms with { EndsOn = null, UnallocatedLifetimeDays = null, BillingCycle = new(RecurrenceUnit.Year, 1_000, new(2500, 2, 28), 1) };
        Assert.Equal([2500, 3500, 4500, 5500, 6500, 7500, 8500], Billing.After(terms, Given.NewYear).Select(cycle => cycle.Start.Year));
        Assert.Empty(Billing.After(terms, Calendar.MaxInstant));
    }

    private static void Grants(Func<Contract, Instant, Changed<Contract>> rollForward) => Properties.Hold(Prop.ForAll(AnyLife, life =>
    {
        var (stepwise, at, jumped) = (Begun(life.Terms), life.Terms.Begins, Begun(life.Terms));
        foreach (var hours in life.Hours)
        {
            at += Duration.FromHours(hours);
            stepwise.MoveTo(at);
            stepwise.Sweep(rollForward);
        }
        jumped.MoveTo(at);
        jumped.Sweep(rollForward);
        var walked = Walk(life.Terms, at);
        return Told(stepwise).SequenceEqual(walked) && Told(jumped).SequenceEqual(walked) && stepwise.Settled() == jumped.Settled() && stepwise.Audit().Balanced && jumped.Audit().Balanced
            && jumped.Lots.Sum(lot => lot.Quantity) == jumped.Entries.Where(entry => entry.Kind == EntryKind.LotGranted).Sum(entry => entry.Quantity);
    }), cases: 300);

    // Set up a day early, so that the first cycle falls due like the others.
    private static World Begun(Terms terms)
    {
        var world = new World(terms with { BillingCycle = null });
        world.MoveTo(terms.Begins - Duration.FromHours(1));
        Assert.Null(world.Agree(terms).Refusal);
        return world;
    }

    private static IEnumerable<string> Told(World world) => world.Entries.Where(entry => entry.LotId is not null).Select(entry => $"{entry.EffectiveAt} {entry.Kind} {entry.LotId} {entry.Quantity}");

    // Day after day: does a cycle start today, and what is over by then?
    private static List<string> Walk(Terms terms, Instant until)
    {
        var told = new List<(Instant At, int Order, string What)>();
        var cycle = terms.BillingCycle!;
        for (var day = LocalDate.Max(terms.StartsOn, cycle.Anchor); Calendar.StartOf(day, terms.Zone) <= until; day = day.PlusDays(1))
        {
            var at = Calendar.StartOf(day, terms.Zone);
            if (!Starts(day) || at >= terms.Ends) continue;
            var next = day.PlusDays(1);
            while (!Starts(next)) next = next.PlusDays(1);
            var expiry = terms.UnallocatedLifetimeDays is { } days ? Instant.Max(Calendar.SameTimeAfter(at, days, terms.Zone), Calendar.StartOf(next, terms.Zone)) : (Instant?)null;
            if (terms.Ends is { } end && !(expiry < end)) expiry = end;
            told.Add((at, 1, $"{at} LotGranted billing:{day:R} 3"));
            if (expiry <= until) told.Add((expiry.Value, 0, $"{expiry} LotExpired billing:{day:R} 3"));
        }
        return [.. told.OrderBy(entry => entry.At).ThenBy(entry => entry.Order).Select(entry => entry.What)];

        bool Starts(LocalDate day) => cycle.Unit switch
        {
            RecurrenceUnit.Day => Period.DaysBetween(cycle.Anchor, day) % cycle.Every == 0,
            RecurrenceUnit.Week => Period.DaysBetween(cycle.Anchor, day) % (7 * cycle.Every) == 0,
            _ => Months(day) % (cycle.Unit == RecurrenceUnit.Year ? 12 * cycle.Every : cycle.Every) == 0
                && (day.Day == cycle.Anchor.Day || (day.Day < cycle.Anchor.Day && day.PlusDays(1).Month != day.Month)),
        };

        int Months(LocalDate day) => (day.Year - cycle.Anchor.Year) * 12 + day.Month - cycle.Anchor.Month;
    }
}
