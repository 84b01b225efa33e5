using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class ServicesTests
{
    private const decimal Unit = 0.25m;

    // Few days, few purchases, few quantities: they tie, spill over, run out and expire often.
    private static readonly Arbitrary<Step[]> AnySteps = Gen.ArrayOf(
        from verb in Gen.Elements(Enum.GetValues<Verb>())
        from which in Gen.Choose(1, 4)
        from units in Gen.Choose(0, 9)
        from begins in Gen.Choose(0, 2)
        from lasts in Gen.Choose(1, 5)
        select new Step(verb, which, units, begins, lasts), 40).ToArbitrary();

    private enum Verb { BuyEuros, BuyDollars, Plan, Allocate, AllocateAgain, Adjust, AdjustAgain, Finish, Reopen, NextDay, WakeUp }

    private sealed record Step(Verb Verb, int Which, int Units, int Begins, int Lasts);

    [Fact]
    public void S2_S3_S5_S6_L3_whatever_happens_each_quarter_of_a_credit_is_where_it_should_be() => EachQuarterIsWhereItShouldBe(ServicesAllocating.Decide);

    [Fact]
    public void A_return_in_the_order_of_drawing_is_caught() => IsCaught(InWrongOrder);

    [Fact]
    public void A_return_to_an_expired_purchase_that_can_be_drawn_again_is_caught() => IsCaught((account, adjust, now) =>
        ServicesAllocating.Decide(account, adjust, now).Select(changed => changed with
        {
            Changes = changed.Changes.With((PurchaseChange change) => change with
            {
                Purchase = change.Purchase with { Free = change.Purchase.Free + change.Purchase.Expired, Expired = 0 },
            }),
        }));

    [Fact]
    public void A_purchase_expires_at_its_own_instant_however_late_it_is_booked()
    {
        var (account, changes) = Given.Account(Given.Purchase("P1", 5, until: 3), Given.Purchase("P2", 5, until: 2), Given.Purchase("P3", 5, until: 9)).RollForward(Given.Day(7));
        Assert.Equal(Given.Day(9), account.NextDue);
        Assert.Equal([("P2", Given.Day(2)), ("P1", Given.Day(3))], changes.Consumptions.Select(record => (record.PurchaseId, record.At)));
        Assert.All(changes.Entries, entry => Assert.Equal((Given.Day(7), Entry.System, "expiry"), (entry.BookedAt, entry.Actor, entry.Cause)));
        Assert.Equal([Given.Day(2), Given.Day(3)], changes.Entries.Select(entry => entry.EffectiveAt));
    }

    [Fact]
    public void S1_both_days_are_included_in_the_account_s_zone()
    {
        // Clocks go forward at the beginning of 29 March 2026, and a day of Apia was skipped.
        var berlin = Given.Account() with { Terms = new("A1", "acme", "Acme", "Europe/Berlin") };
        var bought = Buying.Decide(berlin, new("P1", "EUR", 1, new(2026, 3, 28), new(2026, 3, 29), "ops"), Given.Day(1)).Value!.Answer;
        Assert.Equal((Given.At("2026-03-27T23:00:00Z"), Given.At("2026-03-29T22:00:00Z")), (bought.AvailableFrom, bought.ExpiresAt));
        var apia = Given.Account() with { Terms = new("A1", "acme", "Acme", "Pacific/Apia") };
        bought = Buying.Decide(apia, new("P1", "EUR", 1, new(2011, 12, 28), new(2011, 12, 29), "ops"), Given.At("2011-12-01T00:00:00Z")).Value!.Answer;
        Assert.Equal(Given.At("2011-12-30T10:00:00Z"), bought.ExpiresAt);
    }

    [Fact]
    public void Refusals_come_in_the_order_in_which_they_are_declared()
    {
        var account = Given.Account().With(Given.Milestone("M1", 5, "Done"));
        Assert.Equal(RefusalCode.InvalidField, ServicesAllocating.Decide(account, Given.Adjust("M9", -1), Given.Day(1)).Refusal!.Code);
        Assert.Equal(RefusalCode.NotFound, ServicesAllocating.Decide(account, Given.Adjust("M9", 1), Given.Day(1)).Refusal!.Code);
        Assert.Equal(RefusalCode.PreconditionFailed, ServicesAllocating.Decide(account, Given.Adjust("M1", 0, expected: 7), Given.Day(1)).Refusal!.Code);
        Assert.Equal(RefusalCode.NotAllocated, ServicesAllocating.Decide(account, Given.Adjust("M1", 0), Given.Day(1)).Refusal!.Code);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("0.0001", 1)]
    [InlineData("1.5000", 15000)]
    [InlineData("999999999.9999", 9999999999999)]
    public void A_quantity_is_kept_exactly(string number, long tenThousandths)
    {
        var quantity = Json.Read<decimal>(number);
        Assert.Equal(tenThousandths, ServicesCredits.ToTenThousandths(quantity));
        Assert.Equal(quantity, ServicesCredits.FromTenThousandths(tenThousandths));
        Assert.Equal(Json.Write(quantity), Json.Write(ServicesCredits.FromTenThousandths(tenThousandths)));
    }

    private static void IsCaught(ServicesWorld.Adjusting planted) =>
        Assert.Matches(@"P\d\d=.*should be P\d\d=|the (records|expiries) of Purchase", Assert.ThrowsAny<Exception>(() => EachQuarterIsWhereItShouldBe(planted)).ToString());

    // Purchases that expire later seem to expire sooner, for the returning only.
    private static Decision<Changed<Account, Allocated>> InWrongOrder(Account account, AdjustCredits adjust, Instant now)
    {
        var mirrored = account with { Purchases = [.. account.Purchases.Select(Mirror)] };
        return ServicesAllocating.Decide(adjust.Quantity < account.Services.Milestones.GetValueOrDefault(adjust.MilestoneId)?.Held ? mirrored : account, adjust, now).Select(changed => changed with
        {
            State = changed.State with { Purchases = [.. changed.State.Purchases.Select(Restore)] },
            Changes = changed.Changes.With((PurchaseChange change) => change with { Purchase = Restore(change.Purchase) }),
        });

        Purchase Mirror(Purchase purchase) => purchase.IsOverAt(now) ? purchase : purchase with { ExpiresAt = Given.Day(9999) - (purchase.ExpiresAt - Given.NewYear) };
        Purchase Restore(Purchase purchase) => account.Purchases.SingleOrDefault(own => own.PurchaseId == purchase.PurchaseId) is { } own ? purchase with { ExpiresAt = own.ExpiresAt } : purchase;
    }

    private static void EachQuarterIsWhereItShouldBe(ServicesWorld.Adjusting adjusting) => Properties.Hold(
        Prop.ForAll(AnySteps, steps =>
        {
            var world = new ServicesWorld { Adjuster = adjusting };
            var oracle = new Oracle();
            foreach (var step in steps)
            {
                var (came, expected) = Take(step, world, oracle);
                if (came != expected) throw new InvalidOperationException($"{step}: {came}, should be {expected}");
                world.Balance();
                if (oracle.Told() != Told(world)) throw new InvalidOperationException($"{step}: {Told(world)}, should be {oracle.Told()}");
            }
        }), cases: 1_000);

    private static (RefusalCode? Came, RefusalCode? Expected) Take(Step step, ServicesWorld world, Oracle oracle)
    {
        var milestone = $"M{step.Which}";
        var project = step.Which == 4 ? "USD" : "EUR";
        var status = step.Verb == Verb.Finish ? "Done" : "Planned";
        switch (step.Verb)
        {
            case Verb.BuyEuros or Verb.BuyDollars:
                var currency = step.Verb == Verb.BuyEuros ? "EUR" : "USD";
                var (from, until) = (oracle.Day + step.Begins, oracle.Day + step.Begins + step.Lasts);
                var id = $"P{7 * world.Purchases.Count % 41:00}";
                return (world.Buy(id, (step.Units + 1) * Unit, currency, from, until).Refusal?.Code, oracle.Buy(id, step.Units + 1, currency, from, until));
            case Verb.Plan:
                return (world.Plan(Given.Plan(milestone, step.Units * Unit, project: project)).Refusal?.Code, oracle.Plan(milestone, project, step.Units, "Planned"));
            case Verb.Finish or Verb.Reopen:
                return (world.Plan(Given.Plan(milestone, null, status, project: project)).Refusal?.Code, oracle.Plan(milestone, project, null, status));
            case Verb.Allocate or Verb.AllocateAgain:
                return (world.Allocate(milestone).Refusal?.Code, oracle.Allocate(milestone));
            case Verb.Adjust or Verb.AdjustAgain:
                return (world.Adjust(milestone, step.Units * Unit).Refusal?.Code, oracle.Adjust(milestone, step.Units));
            case Verb.NextDay:
                oracle.Day++;
                world.MoveTo(Given.Day(oracle.Day));
                return (null, null);
            default:
                world.WakeUp();
                return (null, null);
        }
    }

    private static string Told(ServicesWorld world) => string.Join(' ', world.Purchases
        .Select(purchase => $"{purchase.PurchaseId}={purchase.AvailableAt(world.Now) / Unit:0}/{purchase.ExpiredAt(world.Now) / Unit:0}/"
            + string.Join(',', world.Milestones.SelectMany(milestone => milestone.Holdings.Where(holding => holding.PurchaseId == purchase.PurchaseId).Select(holding => $"{milestone.MilestoneId}:{holding.Quantity / Unit:0}")))));

    /// <summary>Every quarter of a credit on its own; sorted, the first so many.</summary>
    private sealed class Oracle
    {
        private readonly List<Quarter> quarters = [];
        private readonly Dictionary<string, Work> works = [];

        private sealed class Quarter
        {
            public required string Purchase, Currency;
            public required int From, Until;
            public string? Holder;
            public bool IsLost;
        }

        private sealed class Work
        {
            public required string Currency;
            public required string Status;
            public int Costs;
            public bool WasAllocated;
        }

        public int Day { get; set; }

        public RefusalCode? Buy(string purchase, int units, string currency, int from, int until)
        {
            for (var i = 0; i < units; i++) quarters.Add(new() { Purchase = purchase, Currency = currency, From = from, Until = until });
            return null;
        }

        public RefusalCode? Plan(string milestone, string project, int? costs, string status)
        {
            var work = works.GetValueOrDefault(milestone);
            if (work is not null && Held(milestone) > 0 && costs is not null && costs != work.Costs) return RefusalCode.InvalidField;
            var cost = costs ?? work?.Costs ?? 0;
            var same = work is not null && cost == work.Costs && status == work.Status;
            if (!same && cost != Held(milestone) && status != "Planned") return RefusalCode.AllocationRequired;
            if (work is null) works[milestone] = work = new() { Currency = project, Status = status };
            (work.Costs, work.Status) = (cost, status);
            return null;
        }

        public RefusalCode? Allocate(string milestone)
        {
            if (!works.TryGetValue(milestone, out var work)) return RefusalCode.NotFound;
            if (!work.WasAllocated && work.Costs == 0) return RefusalCode.InvalidField;
            return Bring(milestone, work, work.Costs);
        }

        public RefusalCode? Adjust(string milestone, int units)
        {
            if (!works.TryGetValue(milestone, out var work)) return RefusalCode.NotFound;
            if (!work.WasAllocated) return RefusalCode.NotAllocated;
            if (units == 0 && Held(milestone) > 0 && work.Status != "Planned") return RefusalCode.AllocationRequired;
            return Bring(milestone, work, units);
        }

        public string Told()
        {
            return string.Join(' ', quarters.GroupBy(quarter => quarter.Purchase).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group =>
                $"{group.Key}={group.Count(IsAvailable)}/{group.Count(quarter => quarter.Holder is null && (quarter.IsLost || Day >= quarter.Until))}/"
                + string.Join(',', group.Where(quarter => quarter.Holder is not null).GroupBy(quarter => quarter.Holder!).OrderBy(holder => holder.Key, StringComparer.Ordinal).Select(holder => $"{holder.Key}:{holder.Count()}"))));
        }

        private RefusalCode? Bring(string milestone, Work work, int units)
        {
            var more = units - Held(milestone);
            var order = quarters.OrderBy(quarter => quarter.Until).ThenBy(quarter => quarter.From).ThenBy(quarter => quarter.Purchase, StringComparer.Ordinal).ToList();
            var taken = order.Where(quarter => quarter.Currency == work.Currency && IsAvailable(quarter)).ToList();
            if (more > taken.Count) return RefusalCode.InsufficientServicesCredits;
            foreach (var quarter in taken.Take(more)) quarter.Holder = milestone;
            foreach (var quarter in order.Where(quarter => quarter.Holder == milestone).Reverse().Take(-more).ToList())
            {
                quarter.Holder = null;
                quarter.IsLost = Day >= quarter.Until;
            }
            work.Costs = units;
            if (more != 0) work.WasAllocated = true;
            return null;
        }

        private int Held(string milestone) => quarters.Count(quarter => quarter.Holder == milestone);

        private bool IsAvailable(Quarter quarter) => quarter.Holder is null && !quarter.IsLost && Day >= quarter.From && Day < quarter.Until;
    }
}
