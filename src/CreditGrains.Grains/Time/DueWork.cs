using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Processes what has fallen due (T3): contracts, allocations and accounts book what passed, and coverage that is over is booked.</summary>
/// <param name="cannot">Is told of an actor that cannot be processed; it is no obstacle to the rest.</param>
public sealed class DueWork(IActors actors, IStore store, IBusinessClock clock, Action<string, Exception> cannot)
{
    private const int PageSize = 100;

    // A wake-up may lose against others' commits; one that is due still after so many is left to the next time.
    private const int MaxWakeUps = 3;

    /// <summary>Returns when nothing is due any more but what cannot be processed.</summary>
    /// <param name="grace">What fell due this little ago is left to its own reminder.</param>
    public async Task Settle(TimeSpan grace = default)
    {
        var own = Duration.FromTimeSpan(grace);
        await WakeUp(store.DueContracts, id => actors.Contract(id).WakeUp(), own);
        await WakeUp(store.DueAllocations, key => actors.Allocation(key).WakeUp(), own);
        await WakeUp(store.DueAccounts, id => actors.Account(id).WakeUp(), own);
        var sweeper = new CoverageSweeper(store, clock);
        while (await sweeper.Sweep()) { }
    }

    private async Task WakeUp<TKey>(Func<Instant, int, Task<ImmutableArray<TKey>>> read, Func<TKey, Task> wakeUp, Duration grace) where TKey : notnull
    {
        var woken = new Dictionary<TKey, int>();
        while (true)
        {
            var due = await read(clock.Now - grace, PageSize + woken.Count);
            var again = due.Where(key => woken.GetValueOrDefault(key) < MaxWakeUps).ToList();
            if (again.Count == 0) return;
            foreach (var key in again) woken[key] = woken.GetValueOrDefault(key) + 1;
            await Task.WhenAll(again.Select(Try));
        }

        async Task Try(TKey key)
        {
            try
            {
                await wakeUp(key);
            }
            catch (Exception e) when (e is not StoreUnavailableException)
            {
                cannot($"{key}", e);
            }
        }
    }
}
