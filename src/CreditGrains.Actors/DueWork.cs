using NodaTime;

namespace CreditGrains.Actors;

/// <summary>Does what has fallen due, whoever noticed: a test clock that moved, a due queue, an alarm (T3, T4).</summary>
public sealed class DueWork(IActors actors, IStore store, IClock clock, CoverageSweeper sweeper)
{
    private const int PageSize = 100;

    /// <summary>Returns when nothing is due any more. What cannot be processed is told and left alone.</summary>
    public async Task Process(Action<string, Exception>? failed = null)
    {
        var left = new HashSet<string>();
        while (true)
        {
            var due = (await store.DueContracts(clock.Now, PageSize + left.Count)).Where(contract => !left.Contains(contract)).ToList();
            if (due.Count == 0) break;
            foreach (var contract in due)
            {
                try
                {
                    await actors.Contract(contract).WakeUp();
                }
                catch (Exception e) when (e is not StoreUnavailableException)
                {
                    left.Add(contract);
                    failed?.Invoke(contract, e);
                }
            }
        }
        while (await sweeper.Sweep())
        {
        }
    }
}
