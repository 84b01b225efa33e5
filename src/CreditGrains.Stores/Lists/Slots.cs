using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>The slots of time that usage is added up by: <see cref="Usage.Slot"/>, counted from the Unix epoch.</summary>
internal static class Slots
{
    /// <summary>When the slot of an instant begins.</summary>
    public static Instant Of(Instant at)
    {
        var ticks = (at >= Usage.Rounded ? Usage.Slot.After : Usage.Slot.Before).BclCompatibleTicks;
        var since = at.ToUnixTimeTicks();
        return Instant.FromUnixTimeTicks(since - ((since % ticks) + ticks) % ticks);
    }
}

/// <summary>Pages of one thing made pages of another.</summary>
internal static class Pages
{
    public static Page<TOther> Of<TItem, TOther>(this Page<TItem> page, Func<TItem, TOther> read) =>
        new([.. page.Items.Select(read)], page.Next);
}
