using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>The machine's clock, in whole microseconds: the finest that every store keeps.</summary>
public sealed class MachineClock : IBusinessClock
{
    public Instant Now => Calendar.InMicroseconds(SystemClock.Instance.GetCurrentInstant());
}
