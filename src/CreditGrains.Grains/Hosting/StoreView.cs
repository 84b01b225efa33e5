using NodaTime;

namespace CreditGrains.Grains.Hosting;

/// <summary>What a look at the store has shown.</summary>
/// <param name="IsWritable">Whether it takes what is written, as far as that is known.</param>
/// <param name="Skew">How far this machine's clock is ahead of the store's for certain; negative: behind.</param>
/// <param name="FeedEnd">The entry at which the feed ends while an older transaction is open.</param>
/// <param name="FeedWaits">Whether there are entries from there on.</param>
/// <param name="History">Which history of the store this is: a restored store begins another one.</param>
public sealed record StoreView(bool IsWritable, Duration Skew, long FeedEnd, bool FeedWaits, string History)
{
    /// <summary>A store that is one with this machine and this process.</summary>
    public static StoreView Of(bool isWritable) => new(isWritable, Duration.Zero, 0, false, "");
}
