using NodaTime;

namespace CreditGrains.Actors;

/// <summary>The machine's clock, in whole microseconds: the finest that every store keeps.</summary>
public sealed class MachineClock : IClock
{
    public Instant Now
    {
        get
        {
            var ticks = SystemClock.Instance.GetCurrentInstant().ToUnixTimeTicks();
            return Instant.FromUnixTimeTicks(ticks - (ticks % 10));
        }
    }
}
