using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Which entries are added to which checkpoint (G3), and what a checkpoint keeps.</summary>
public sealed class CheckpointTests
{
    private static readonly Instant Day = Instant.FromUtc(2026, 3, 1, 0, 0);

    [Theory]
    [InlineData(0, 0, "none: all")]
    [InlineData(1, 1, "none: to 10 and from 30")]
    [InlineData(3, 3, "10: from 10 to 20 and from 30")]
    [InlineData(4, 4, "10: from 10")]
    [InlineData(9, 9, "30: from 30")]
    [InlineData(5, 9, "20: from 20")]
    [InlineData(1, 9, "none: all")]
    public void G3_entries_between_checkpoints_that_took_effect_later_are_not_read(int first, int last, string read)
    {
        // Up to entry 10 of days 1 to 2; up to 20 of 3 to 5; up to 30 of 4 to 6.
        CheckpointPlace[] places = [new(10, At(1), At(2)), new(20, At(3), At(5)), new(30, At(4), At(6))];
        if (first == 0) places = [];

        var ranges = EntryRanges.Of(places, At(first), At(last));

        var told = ranges.Ranges.Select(range => (range.Behind == long.MinValue, range.UpTo == long.MaxValue) switch
        {
            (true, true) => "all",
            (true, false) => $"to {range.UpTo}",
            (false, true) => $"from {range.Behind}",
            (false, false) => $"from {range.Behind} to {range.UpTo}",
        });
        Assert.Equal(read, $"{ranges.Checkpoint?.ToString() ?? "none"}: {string.Join(" and ", told)}");
    }

    [Fact]
    public void G2_a_checkpoint_keeps_the_sums_of_each_user_s_last_cycle_and_of_all_earlier_ones_together()
    {
        EntrySum[] charged =
            [Charged("U", "cycle:1.9", 1), Charged("U", "cycle:1.10", 2), Charged("V", "cycle:0.3", 3), Charged("U", "extra", 4), Charged("U", null, 5)];
        var sums = EntrySums.None.Plus(charged).Plus([Charged("U", "cycle:1.9", 6)]).WithoutPastCycles();

        Assert.Equal(
            ["U  12", "U cycle:1.10 2", "U extra 4", "V cycle:0.3 3"],
            sums.Users.Select(sum => $"{sum.UserId} {sum.UsedOf} {sum.Quantity}").Order(StringComparer.Ordinal));
        Assert.Equal(new LotSum("L", EntryKind.CreditsCharged, 21), Assert.Single(sums.Lots));
        Assert.Equal([new("U", 18), new("V", 3)], sums.UserTotals());
    }

    [Fact]
    public void G2_a_checkpoint_that_differs_from_the_entries_is_told_with_each_sum()
    {
        var right = Checkpoint.None.Next(new(10, At(1), At(2)), [Charged("U", null, 5)]);
        var wrong = right.Next(new(20, At(3), At(4)), [Charged("U", null, 2)]);

        var differences = Checkpoint.Compare([right, wrong], i => i == 0 ? [Charged("U", null, 5)] : [Charged("U", null, 3)]);

        Assert.Equal(
            [new("checkpoint:20", "lot:L credits-charged", 8, 7), new("checkpoint:20", "user:U credits-charged", 8, 7)],
            differences);
        Assert.Equal((20, At(3), At(4)), (wrong.EntryId, wrong.Earliest, wrong.Latest));
    }

    private static EntrySum Charged(string userId, string? usedOf, long quantity) => new(EntryKind.CreditsCharged, "L", userId, usedOf, false, quantity, 1);

    private static Instant At(int day) => Day + Duration.FromDays(day);
}
