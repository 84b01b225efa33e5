using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class RunsTests
{
    private delegate (Runs Taken, Runs Left) Take(Runs runs, long quantity);

    // Runs as they come to be: separate, ascending, of any length.
    private static readonly Arbitrary<Runs> AnyRuns = (
        from steps in Gen.ListOf(from gap in Gen.Choose(1, 5) from length in Gen.Choose(1, 9) select (gap, length))
        select Of(steps)).ToArbitrary();

    [Fact]
    public void Taking_splits_off_the_lowest_ordinals_and_loses_none() => TakingLosesNone((runs, quantity) => runs.Take(quantity));

    [Fact]
    public void A_take_that_loses_an_ordinal_at_the_split_is_caught() => Assert.ThrowsAny<Exception>(() => TakingLosesNone((runs, quantity) =>
    {
        var (taken, left) = runs.Take(quantity);
        return (taken, quantity > 0 && left.Count > 0 ? left.Take(1).Left : left);
    }));

    [Fact]
    public void Text_and_back_is_the_same_set() => Properties.Hold(
        Prop.ForAll(AnyRuns, runs => Runs.Parse(runs.ToString()).Equals(runs)));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1-3,7,9-1000000")]
    public void Text_is_stable(string text) => Assert.Equal(text, Runs.Parse(text).ToString());

    [Theory]
    [InlineData("1-3,7", 5, "1-3,5,7")]
    [InlineData("1-3,5", 4, "1-5")]
    [InlineData("1-3,7", 6, "1-3,6-7")]
    [InlineData("2-3", 1, "1-3")]
    [InlineData("", 9, "9")]
    [InlineData("5,9", 2, "2,5,9")]
    public void One_that_is_added_joins_its_neighbours_and_is_taken_again(string text, long ordinal, string with)
    {
        var runs = Runs.Parse(text);
        Assert.Equal(with, runs.With(ordinal).ToString());
        Assert.Equal(text, runs.With(ordinal).Without(ordinal).ToString());
        Assert.Equal((false, true), (runs.Contains(ordinal), runs.With(ordinal).Contains(ordinal)));
        Assert.Throws<InvariantException>(() => runs.Without(ordinal));
        Assert.Throws<InvariantException>(() => runs.With(ordinal).With(ordinal));
    }

    [Theory]
    [InlineData("1-3,7", "4,8-9", "1-4,7-9")]
    [InlineData("5-6", "1-4,9", "1-6,9")]
    [InlineData("", "2", "2")]
    [InlineData("2", "", "2")]
    public void Sets_that_are_put_together_join_their_neighbours(string text, string others, string with)
    {
        Assert.Equal(with, Runs.Parse(text).With(Runs.Parse(others)).ToString());
        Assert.Throws<InvariantException>(() => Runs.Parse("1-3").With(Runs.Parse("3")));
    }

    [Fact]
    public void Taking_the_last_splits_off_the_highest_ordinals()
    {
        var (taken, left) = Runs.Parse("1-3,7-9").TakeLast(4);
        Assert.Equal(("3,7-9", "1-2"), (taken.ToString(), left.ToString()));
    }

    [Fact]
    public void A_million_credits_are_one_run() => Assert.Equal("11-1000000", Runs.UpTo(1_000_000).Take(10).Left.ToString());

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void More_than_there_is_cannot_be_taken(long quantity) => Assert.Throws<InvariantException>(() => Runs.UpTo(3).Take(quantity));

    [Fact]
    public void No_runs_are_an_empty_set()
    {
        Assert.Equal(Runs.Empty, default);
        Assert.Equal(0, default(Runs).Count);
        Assert.Equal("", default(Runs).Take(0).Left.ToString());
    }

    private static void TakingLosesNone(Take take) => Properties.Hold(
        Prop.ForAll(AnyRuns, Gen.Choose(0, 100).ToArbitrary(), (runs, any) =>
        {
            var quantity = Math.Min(any, runs.Count);
            var (taken, left) = take(runs, quantity);
            return taken.Count == quantity
                && taken.Ordinals().Concat(left.Ordinals()).SequenceEqual(runs.Ordinals())
                && taken.Count + left.Count == runs.Count;
        }));

    private static Runs Of(IEnumerable<(int Gap, int Length)> steps)
    {
        var runs = new List<Run>();
        var last = 0L;
        foreach (var (gap, length) in steps)
        {
            runs.Add(new(last + gap + 1, last + gap + length));
            last += gap + length;
        }
        return new([.. runs]);
    }
}
