using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Actors;

/// <summary>Processes what has fallen due (T3): contracts and accounts book what passed, and coverage that is over is booked.</summary>
/// <param name="cannot">Is told of a contract or account that cannot be processed; it is no obstacle to the rest.</param>
public sealed class DueWork(IActors actors, IStore store, IClock clock, Action<string, Exception> cannot)
{
    private const int PageSize = 100;

    // A wake-up may lose against others' commits; one that is due still after so many is left to the next time.
    private const int MaxWakeUps = 3;

    /// <summary>Returns when nothing is due any more but what cannot be processed.</summary>
    public async Task Settle()
    {
        await WakeUp(store.DueContracts, id => actors.Contract(id).WakeUp());
        await WakeUp(store.DueAccounts, id => actors.Account(id).WakeUp());
        var sweeper = new CoverageSweeper(store, clock);
        while (await sweeper.Sweep()) { }
    }

    private async Task WakeUp(Func<Instant, int, Task<ImmutableArray<string>>> dueAt, Func<string, Task> wakeUp)
    {
        var woken = new Dictionary<string, int>();
        while (true)
        {
            var due = await dueAt(clock.Now, PageSize + woken.Count);
            var again = due.Where(id => woken.GetValueOrDefault(id) < MaxWakeUps).ToList();
            if (again.Count == 0) break;
            foreach (var id in again) woken[id] = woken.GetValueOrDefault(id) + 1;
            await Task.WhenAll(again.Select(id => WakeUp(id, wakeUp)));
        }
    }

    private async Task WakeUp(string id, Func<string, Task> wakeUp)
    {
        try
        {
            await wakeUp(id);
        }
        catch (Exception e) when (e is not StoreUnavailableException)
        {
            cannot(id, e);
        }
    }
}
