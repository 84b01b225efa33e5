using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Wakes every grain for which something has fallen due (T3): contracts, allocations, accounts and clients' player credits book what passed.</summary>
/// <param name="failed">Called for each grain that fails; the others are still processed.</param>
public sealed class DueWork(IGrainFactory grains, IStore store, IBusinessClock clock, Action<string, Exception> failed)
{
    private const int PageSize = 100;

    // A wake-up may meet others' commits; one that is due still after so many is left to the next time.
    private const int MaxWakeUps = 3;

    /// <summary>Returns when nothing is due any more but what cannot be processed.</summary>
    /// <param name="grace">What fell due this little ago is left to its own reminder.</param>
    public async Task Settle(TimeSpan grace = default)
    {
        var own = Duration.FromTimeSpan(grace);
        await WakeUp(store.DueContracts, id => grains.Contract(id).WakeUp(), own);
        await WakeUp(store.DueAllocations, key => grains.Allocation(key).WakeUp(), own);
        await WakeUp(store.DueAccounts, id => grains.Account(id).WakeUp(), own);
        await WakeUp(store.DueClients, id => grains.PlayerCredits(id).WakeUp(), own);
        await store.Forget(clock.Now);
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
            catch (AskAgainException)
            {
                // It is due still, and asked again.
            }
            catch (Exception e) when (e is not StoreUnavailableException)
            {
                failed($"{key}", e);
            }
        }
    }
}
