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
        var credits = new[] { Given.Credit("ann", until: 30), Given.Credit("bob", until: 30), Given.Credit("cleo", until: 31), Given.Credit("dan", until: 99) };
        var changes = Coverage.Expire(credits, Given.Day(40));
        Assert.Equal([(Given.Day(30), 2L), (Given.Day(31), 1L)], changes.Entries.Select(entry => (entry.EffectiveAt, entry.Quantity)));
        Assert.All(changes.Entries, entry => Assert.Equal(Given.Day(40), entry.BookedAt));
        Assert.Equal(["ann", "bob", "cleo"], changes.Credits.Select(change => change.Credit.PlayerId));
        Assert.True(Coverage.Expire(changes.Credits.Select(change => change.Credit), Given.Day(41)).IsNothing);
    }
}
