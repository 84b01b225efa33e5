using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class PoolTests
{
    private delegate IReadOnlyList<Draw> Take(IReadOnlyCollection<Lot> lots, long quantity, Instant now);

    // Few days and few ids, so that lots tie in every respect.
    private static readonly Arbitrary<Lot[]> AnyLots = (
        from count in Gen.Choose(1, 8)
        from lots in Gen.ArrayOf(
            from quantity in Gen.Choose(1, 6)
            from begins in Gen.Choose(0, 4)
            from lasts in Gen.Choose(0, 4)
            select (quantity, begins, until: lasts == 0 ? (int?)null : begins + lasts), count)
        select lots.Select((lot, i) => Given.Lot($"L{(7 * i) % 10}", lot.quantity, lot.until, lot.begins)).ToArray()).ToArbitrary();

    [Fact]
    public void L2_a_draw_takes_what_expires_first() => ADrawTakesWhatExpiresFirst((lots, quantity, now) => lots.Take(quantity, now));

    [Fact]
    public void A_draw_that_takes_what_began_first_is_caught() => Assert.ThrowsAny<Exception>(() => ADrawTakesWhatExpiresFirst((lots, quantity, now) =>
        lots.Select(lot => lot with { ExpiresAt = lot.ExpiresAt is { } end && now >= end ? end : null }).Take(quantity, now)));

    [Theory]
    [InlineData(0, 0, "the lot has not begun")]
    [InlineData(1, 5, "it begins with its first instant")]
    [InlineData(3, 5, "it has not expired")]
    [InlineData(4, 0, "at expiry it is over")]
    public void L2_a_lot_can_be_drawn_from_its_begin_to_before_its_expiry(int day, long available, string because)
    {
        Assert.NotEmpty(because);
        Assert.Equal(available, Given.Lot("L1", 5, until: 4, from: 1).AvailableAt(Given.Day(day)));
    }

    [Fact]
    public void L2_a_draw_never_takes_more_than_there_is() =>
        Assert.Throws<InvariantException>(() => new[] { Given.Lot("L1", 5) }.Take(6, Given.Day(1)));

    // The model: every credit on its own, sorted, the first so many.
    private static void ADrawTakesWhatExpiresFirst(Take take) => Properties.Hold(
        Prop.ForAll(AnyLots, Gen.Choose(0, 8).ToArbitrary(), Gen.Choose(0, 40).ToArbitrary(), (lots, day, any) =>
        {
            var now = Given.Day(day);
            var drawable = lots.Where(lot => lot.AvailableFrom <= now && (lot.ExpiresAt is null || now < lot.ExpiresAt))
                .SelectMany(lot => lot.Free.Ordinals().Select(ordinal => (expiry: lot.ExpiresAt ?? Given.Day(9999), lot.AvailableFrom, lot.LotId, ordinal)))
                .Order().Select(credit => (credit.LotId, credit.ordinal)).ToList();
            var quantity = Math.Min(any, drawable.Count);

            var draws = take(lots, quantity, now);
            return draws.SelectMany(draw => draw.Taken.Ordinals().Select(ordinal => (draw.Before.LotId, ordinal))).SequenceEqual(drawable.Take(quantity))
                && draws.All(draw => draw.After.Free.Count + draw.Taken.Count == draw.Before.Free.Count);
        }));
}
