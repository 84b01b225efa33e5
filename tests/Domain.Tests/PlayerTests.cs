using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class PlayerTests
{
    [Fact]
    public void P3_a_player_is_covered_until_the_end_and_not_at_it()
    {
        var ann = Given.Player("ann", until: 20);
        Assert.True(ann.IsCoveredAt(Given.Day(20) - Duration.Epsilon));
        Assert.False(ann.IsCoveredAt(Given.Day(20)));
        Assert.True((ann with { CoversUntil = null }).IsCoveredAt(Given.Day(9999)));
    }

    [Fact]
    public void P2_a_player_who_never_had_a_credit_is_not_covered_and_has_no_row()
    {
        var ann = Player.Unknown("acme", "ann");
        Assert.False(ann.IsCoveredAt(Given.NewYear));
        Assert.Equal((0, Instant.MinValue), (ann.Version, ann.AsOf));
    }

    [Fact]
    public void P5_a_freed_player_s_row_stays_as_of_when_it_was_freed_and_its_version_goes_on()
    {
        var credit = Given.Credit("ann", until: 20);
        var freed = Edited(credit, new EditCredit(credit.Id, null, null, Frees: true, null, null, "why", "ops"));
        Assert.Equal(new PlayerChange(new("acme", "ann", null, null, AsOf: Given.Day(2), Version: 2), Expected: 1), freed);
        Assert.False(freed.Player.IsCoveredAt(Given.Day(3)));
    }

    // The edit's instant is never before what it rests on; were it, the row would still not go back.
    [Fact]
    public void P3_a_row_s_instant_never_goes_back()
    {
        var ahead = Given.Player("ann", until: 20) with { AsOf = Given.Day(21) };
        var changed = Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Facts(ahead), Given.Report("ann"), Given.Day(20)).Value!;
        Assert.Equal(Given.Day(21), changed.Changes.Players.Single().Player.AsOf);
    }

    private static PlayerChange Edited(Credit credit, EditCredit edit)
    {
        var lot = Given.Lot("L1", 9) with { Free = new([new Run(2, 9)]) };
        return Editing.Decide(Given.Contract(lot), new(lot, credit, Owner: Given.Player("ann", credit)) { User = Given.Anna }, edit, Given.Day(2)).Value!.Changes.Players.Single();
    }
}
