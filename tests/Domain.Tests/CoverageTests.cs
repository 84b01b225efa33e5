using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class CoverageTests
{
    [Fact]
    public void P3_at_expiry_coverage_is_over()
    {
        var credit = Given.Credit("ann", until: 30);
        Assert.True(credit.CoversAt(Given.Day(30) - Duration.Epsilon));
        Assert.False(credit.CoversAt(Given.Day(30)));
        Assert.Equal(CreditStatus.Expired, credit.StatusAt(Given.Day(30)));
    }

    [Fact]
    public void P1_a_credit_without_a_player_is_unallocated_until_it_expires()
    {
        var credit = Given.Credit("ann", until: 30) with { PlayerId = null };
        Assert.Equal(CreditStatus.Unallocated, credit.StatusAt(Given.Day(29)));
        Assert.Equal(CreditStatus.Expired, credit.StatusAt(Given.Day(30)));
        Assert.False(credit.CoversAt(Given.Day(29)));
    }

    [Fact]
    public void T3_ends_are_booked_once_at_their_own_instant_one_entry_a_report()
    {
        var endings = Given.Endings(Given.Credit("ann", until: 30), Given.Credit("bob", until: 30), Given.Credit("cleo", until: 31), Given.Credit("dan", until: 99));
        var changes = Coverage.Expire(endings.Found.Values.OrderBy(ending => ending.Key.At), Given.Day(40));
        Assert.Equal([(Given.Day(30), 2L), (Given.Day(31), 1L)], changes.Entries.Select(entry => (entry.EffectiveAt, entry.Quantity)));
        Assert.All(changes.Entries, entry => Assert.Equal(Given.Day(40), entry.BookedAt));
        Assert.Equal([(Given.Day(30), 0L, 2L), (Given.Day(31), 0L, 1L)], changes.Endings.Select(change => (change.Ending.Key.At, change.Ending.Credits, change.Expected)));
        Assert.Equal([new EndedChange("C1", "L1", 3, 1)], changes.Ended);
        Assert.Empty(changes.Credits);
    }

    [Fact]
    public void T3_a_credit_without_an_ending_has_ended_whatever_the_clock_says()
    {
        var ann = Given.Credit("ann", until: 30);
        Assert.False(Given.Endings(ann).HasEnded(ann));
        Assert.Null(Given.Endings(ann).BookedEnd(ann));
        Assert.True(Endings.None.HasEnded(ann));
        Assert.Equal(Given.Day(30), Endings.None.BookedEnd(ann));
        Assert.False(Endings.None.HasEnded(ann with { HeldUntil = Given.Day(1) }));
        Assert.False(Endings.None.HasEnded(ann with { ExpiresAt = null }));
        Assert.True(Endings.None.HasEnded(ann with { PlayerId = null }));
    }

    [Fact]
    public void P5_credits_move_from_ending_to_ending()
    {
        Credit ann = Given.Credit("ann", until: 30), bob = Given.Credit("bob", until: 30) with { Id = new("C1", "L1", 2) }, byHand = bob with { ReportId = null };
        var both = Given.Endings(ann, bob);
        Assert.Equal([(Given.Day(30), 1L, 2L)], Told(both.Move([(bob, null)], Given.Day(1))));
        Assert.Equal([(Given.Day(30), 1L, 2L), (Given.Day(60), 1L, 0L)], Told(both.Move([(bob, bob with { ExpiresAt = Given.Day(60) })], Given.Day(1))));
        Assert.Equal([(Given.Day(30), 1L, 2L), (Given.Day(30), 1L, 0L)], Told(both.Move([(bob, byHand)], Given.Day(1))));
        Assert.Equal(2, EndingKey.Of(byHand)!.Value.Ordinal);
        Assert.Empty(both.Move([(bob, bob with { PlayerName = "Bob" })], Given.Day(1)));
        Assert.Empty(both.Move([(bob, bob with { HeldUntil = Given.Day(3) }), (bob with { HeldUntil = Given.Day(3) }, bob)], Given.Day(1)));

        // By hand it ends now; then it comes back, when nothing is left of the ending.
        var over = both.Move([(bob, bob with { ExpiresAt = Given.Day(9) })], Given.Day(9));
        Assert.Equal([(Given.Day(30), 1L, 2L)], Told(over));
        Assert.Equal([new EndedChange("C1", "L1", 1, 2)], over.Ended);
        var back = Endings.None.Move([(bob with { ExpiresAt = Given.Day(9) }, bob)], Given.Day(10));
        Assert.Equal([(Given.Day(30), 1L, 0L)], Told(back));
        Assert.Equal([new EndedChange("C1", "L1", -1, 0)], back.Ended);

        static IEnumerable<(Instant, long, long)> Told(Changes changes) => changes.Endings.Select(change => (change.Ending.Key.At, change.Ending.Credits, change.Expected));
    }
}
