using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class TimeTests
{
    private abstract record Deed
    {
        public sealed record Grant(int Quantity, int Lifetime) : Deed;

        public sealed record Report(string[] Players) : Deed;

        public sealed record MoveEnd(int Days) : Deed;
    }

    private static readonly string[] Players = ["ann", "bob", "cleo", "dan", "eve", "fay"];

    // A year's worth of deeds, hours to weeks apart, on three contracts of a kind.
    private static readonly Arbitrary<(Terms Terms, (int Hours, Deed Deed)[] Deeds)> AnyYear = (
        from type in Gen.Frequency((4, Gen.Constant(ContractType.Metered)), (1, Gen.Constant(ContractType.Unlimited)))
        from coverageFrom in Gen.Elements(CoverageFrom.Activation, CoverageFrom.Creation)
        from zone in Gen.Elements("UTC", "Europe/Berlin", "Australia/Lord_Howe")
        from deeds in Gen.ArrayOf(from hours in Gen.Choose(0, 400) from deed in AnyDeed select (hours, deed), 30)
        select (Given.Terms with { Type = type, CoverageFrom = coverageFrom, TimeZone = zone, CoverageDays = 10, UnallocatedLifetimeDays = 20 }, deeds)).ToArbitrary();

    private static Gen<Deed> AnyDeed => Gen.Frequency(
        (3, from quantity in Gen.Choose(1, 9) from lifetime in Gen.Choose(1, 40) select (Deed)new Deed.Grant(quantity, lifetime)),
        (9, from players in Gen.SubListOf(Players) where players.Any() select (Deed)new Deed.Report([.. players])),
        (1, from days in Gen.Choose(0, 200) select (Deed)new Deed.MoveEnd(days)));

    [Fact]
    public void T3_one_jump_or_many_small_ones_end_in_the_same_state() => JumpsDoNotMatter((contract, now) => contract.RollForward(now));

    [Fact]
    public void A_roll_forward_that_books_with_the_time_of_booking_is_caught() => Assert.ThrowsAny<Exception>(() => JumpsDoNotMatter((contract, now) =>
    {
        var (next, changes) = contract.RollForward(now);
        return new(next, changes.With((Entry entry) => entry with { EffectiveAt = now }));
    }));

    [Fact]
    public void P2_a_player_is_charged_when_and_only_when_no_coverage_lasts() => ChargesFollowCoverage((end, at) => at >= end);

    [Fact]
    public void A_coverage_that_includes_its_end_is_caught() => Assert.ThrowsAny<Exception>(() => ChargesFollowCoverage((end, at) => at > end));

    [Fact]
    public void T3_time_does_not_go_back() =>
        Assert.Throws<InvariantException>(() => Given.Contract().RollForward(Given.Day(-1)));

    [Fact]
    public void T3_a_lot_expires_at_its_own_instant_however_late_it_is_booked()
    {
        var contract = Given.Contract(Given.Lot("L1", 5, until: 10), Given.Lot("L2", 5, until: 20), Given.Lot("L3", 5, until: 40));
        Assert.Equal(Given.Day(10), contract.NextDue);
        var (rolled, changes) = contract.RollForward(Given.Day(30));
        Assert.Equal(["L3"], rolled.Lots.Select(lot => lot.LotId));
        Assert.Equal([(Given.Day(10), Given.Day(30)), (Given.Day(20), Given.Day(30))], changes.Entries.Select(entry => (entry.EffectiveAt, entry.BookedAt)));
        Assert.Equal(Given.Day(40), rolled.NextDue);
        Assert.True(rolled.RollForward(Given.Day(31)).Changes.IsNothing);
    }

    private static void JumpsDoNotMatter(Func<Contract, Instant, Changed<Contract>> rollForward) => Properties.Hold(
        Prop.ForAll(AnyYear, year => Live(year.Terms, year.Deeds, pauses: 1, rollForward).Settled() == Live(year.Terms, year.Deeds, pauses: 5, rollForward).Settled()), cases: 100);

    // Plays the deeds; between two of them time is booked in so many steps.
    private static World Live(Terms terms, (int Hours, Deed Deed)[] deeds, int pauses, Func<Contract, Instant, Changed<Contract>> rollForward)
    {
        var world = new World(terms);
        var number = 0;
        foreach (var (hours, deed) in deeds.Append((24 * 400, new Deed.Report(["last"]))))
        {
            for (var pause = 0; pause < pauses; pause++)
            {
                world.MoveTo(world.Now + Duration.FromHours(hours) / pauses);
                if (pauses > 1 || hours > 24 * 300) world.Sweep(rollForward);
            }
            Do(world, deed, ++number);
            Assert.True(world.Audit().Balanced);
        }
        return world;
    }

    private static void Do(World world, Deed deed, int number)
    {
        _ = deed switch
        {
            Deed.Grant(var quantity, var lifetime) => world.Grant(new($"L{number}", LotSource.Manual, "P", quantity, null, world.Now + Duration.FromDays(lifetime), "ops")).Refusal,
            Deed.Report(var players) => world.Report($"R{number}", players).Refusal,
            Deed.MoveEnd(var days) => world.Agree(world.Contract.Terms with { EndsOn = Calendar.DateAt(world.Now, world.Contract.Terms.Zone).PlusDays(days) }).Refusal,
            _ => throw new InvariantException("there are three kinds of deeds"),
        };
    }

    // The model: until when each player is covered, and nothing else.
    private static void ChargesFollowCoverage(Func<Instant, Instant, bool> isOver) => Properties.Hold(
        Prop.ForAll(Gen.ArrayOf(from hours in Gen.Choose(0, 10) from players in Gen.SubListOf(Players) where players.Any() select (24 * hours, players.ToArray()), 20).ToArbitrary(), reports =>
        {
            var world = new World(Given.Terms with { CoverageDays = 10, UnallocatedLifetimeDays = null });
            world.Grant(Given.Grant("L1", 1_000));
            var coveredUntil = new Dictionary<string, Instant>();
            var charged = new List<(string Player, bool New)>();
            var expected = new List<(string Player, bool New)>();
            foreach (var ((hours, players), number) in reports.Select((report, i) => (report, i)))
            {
                world.MoveTo(world.Now + Duration.FromHours(hours));
                foreach (var player in players)
                {
                    var isNew = !coveredUntil.TryGetValue(player, out var end) || isOver(end, world.Now);
                    if (isNew) coveredUntil[player] = world.Now + Duration.FromDays(10);
                    expected.Add((player, isNew));
                }
                charged.AddRange(world.Report($"R{number}", players).Value!.Players.Select(player => (player.PlayerId, player.Charge == PlayerCharge.New)));
            }
            return charged.SequenceEqual(expected);
        }));
}
