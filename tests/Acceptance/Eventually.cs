using System.Diagnostics;

namespace CreditGrains.Acceptance;

/// <summary>Asks again and again, for a minute at most: for what another process does when it does it.</summary>
internal static class Eventually
{
    /// <summary>Whether it became true in time.</summary>
    public static async Task<bool> Is(Func<Task<bool>> condition)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromMinutes(1); await tick.WaitForNextTickAsync())
            if (await condition()) return true;
        return false;
    }
}
