using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>Books the end of coverage of player credits while nobody asks for them (P3, T3), many at a time; then lets go of what was remembered long enough.</summary>
public sealed class CoverageSweeper(IStore store, IBusinessClock clock)
{
    private const int PageSize = 500;

    /// <summary>Books up to one page of what fell due; false where nothing is left.</summary>
    public async Task<bool> Sweep()
    {
        var now = clock.Now;
        var due = await store.DueCredits(now, PageSize);
        if (due.IsEmpty)
        {
            await store.Commit(new([], [], Changes.None) { ForgetUntil = now });
            return false;
        }

        // A conflict: a report replaced one of them meanwhile and booked its end itself; the next page is read anew.
        if (await store.Commit(new([], [], Coverage.Expire(due, now))) is CommitResult.Unknown(var cause)) throw new StoreUnavailableException("The end of coverage could not be booked.", cause);
        return true;
    }
}
