using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Wakes every grain for which something has fallen due (T3): contracts, allocations, accounts and clients' player credits book what passed.</summary>
/// <param name="failed">Called for each grain that fails; the others are still processed.</param>
public sealed class DueWork(IGrainFactory grains, IStore store, IBusinessClock clock, Action<string, Exception> failed)
{
    // So many at once leave room for those who ask meanwhile.
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
        var (woken, stuck) = (new Dictionary<TKey, int>(), new HashSet<TKey>());
        while (true)
        {
            var due = await read(clock.Now - grace, PageSize + stuck.Count);
            woken = due.Where(key => !stuck.Contains(key)).ToDictionary(key => key, key => woken.GetValueOrDefault(key) + 1);
            if (woken.Count == 0) return;
            await Task.WhenAll(woken.Keys.Select(Try));
            stuck.UnionWith(woken.Where(times => times.Value == MaxWakeUps).Select(times => times.Key));
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
