using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A place in the feed: entries in the order of their transactions, which is fixed once none before is still running (G4).</summary>
/// <param name="History">Which history of the store this is a place of: a restored store begins another one.</param>
/// <param name="Transaction">0 where a store has one writer.</param>
public sealed record FeedPlace(string History, long Transaction, long EntryId) : IComparable<FeedPlace>
{
    private const string List = "feed";

    /// <summary>Reads a cursor; null: the start of a history. Throws <see cref="InvalidCursorException"/>.</summary>
    public static FeedPlace? Read(string? cursor)
    {
        if (cursor is null) return null;
        var parts = Cursor.Read(cursor, List, 3);
        return new(parts.Text(0), parts.Number(1), parts.Number(2));
    }

    /// <summary>Throws <see cref="CursorGoneException"/> where not every entry behind this place can be served.</summary>
    /// <param name="start">Where the feed starts.</param>
    public void RefuseGone(FeedPlace start)
    {
        if (History != start.History) throw new CursorGoneException("The cursor is of a history from before a restore; read the feed from its start.");
        if (CompareTo(start) < 0) throw new CursorGoneException("Entries behind the cursor are archived; read the feed from its start.");
    }

    public string AsCursor() => Cursor.After(List, History, Transaction, EntryId);

    public int CompareTo(FeedPlace? other) => other is null ? 1 : (Transaction, EntryId).CompareTo((other.Transaction, other.EntryId));
}

/// <summary>Entries behind a cursor may be gone, so nothing is served from it (G4).</summary>
public sealed class CursorGoneException(string message) : Exception(message);

/// <summary>An entry and its place in the feed.</summary>
public sealed record FedEntry(FeedPlace Place, BookedEntry Booked);

/// <summary>Each null: any.</summary>
public sealed record FeedFilter(string? ClientId, string? ContractId)
{
    public bool Passes(Entry entry) => (ClientId ?? entry.ClientId) == entry.ClientId && (ContractId is null || ContractId == entry.ContractId);
}

/// <summary>Lets any number of readers follow the ledger (G4): one who is behind reads the store, one reader at a time; all others share one look at its end and what that found, which is kept as far as memory is set aside for it.</summary>
public sealed class Feed(IQueries queries, TimeProvider time)
{
    private const int PageSize = 500, Kept = 4_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim behind = new(1);
    private readonly Lock turn = new();
    private TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Window? window;
    private bool following;
    private int readers;

    // All entries behind From up to To.
    private sealed record Window(FeedPlace From, FeedPlace To, ImmutableArray<FedEntry> Entries)
    {
        public IEnumerable<FedEntry> Behind(FeedPlace place)
        {
            var (least, most) = (0, Entries.Length);
            while (least < most)
            {
                var middle = (least + most) / 2;
                if (Entries[middle].Place.CompareTo(place) > 0) most = middle;
                else least = middle + 1;
            }
            return Entries.Skip(least);
        }

        public Window And(ImmutableArray<FedEntry> more)
        {
            var all = Entries.AddRange(more);
            return all.Length <= Kept ? new(From, all[^1].Place, all) : new(all[^(Kept + 1)].Place, all[^1].Place, [.. all.Skip(all.Length - Kept)]);
        }
    }

    /// <summary>The entries behind a place that pass the filter, in the feed's order, until the caller has had enough; null where none came for as long as <paramref name="beat"/>.</summary>
    public async IAsyncEnumerable<FedEntry?> Read(FeedFilter filter, FeedPlace after, TimeSpan beat, [EnumeratorCancellation] CancellationToken gone)
    {
        Enter();
        try
        {
            for (var place = after; ;)
            {
                var (seen, next) = Look();
                var isBehind = seen is null || seen.From.CompareTo(place) > 0;
                if (isBehind)
                {
                    // What the shared window has seen, this look sees, too: where it finds no more, the reader has caught up with it.
                    var page = await Look(filter, place, gone);
                    foreach (var entry in page) yield return entry;
                    if (page.Length > 0) place = page[^1].Place;
                    if (page.Length == PageSize) continue;
                    if (seen is not null && seen.To.CompareTo(place) > 0) place = seen.To;
                    if (seen is not null) continue;
                }
                else
                {
                    foreach (var entry in seen!.Behind(place).Where(entry => filter.Passes(entry.Booked.Entry))) yield return entry;
                    if (seen.To.CompareTo(place) > 0) place = seen.To;
                }
                if (!await Within(next, beat, gone)) yield return null;
            }
        }
        finally
        {
            Leave();
        }
    }

    private (Window? Seen, Task Next) Look()
    {
        lock (turn) return (window, moved.Task);
    }

    // One at a time: however many are behind, the rest of the service reads the store beside one of them.
    private async Task<ImmutableArray<FedEntry>> Look(FeedFilter filter, FeedPlace place, CancellationToken gone)
    {
        await behind.WaitAsync(gone);
        try
        {
            return await queries.Feed(filter, place, PageSize);
        }
        finally
        {
            behind.Release();
        }
    }

    private async Task<bool> Within(Task task, TimeSpan atMost, CancellationToken gone)
    {
        try
        {
            await task.WaitAsync(atMost, time, gone);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Enter()
    {
        lock (turn)
        {
            readers++;
            if (following) return;
            following = true;
        }
        _ = Follow();
    }

    private void Leave()
    {
        lock (turn) readers--;
    }

    // As long as there are readers. A store that is away is asked again; anything else ends the readers, and the next one starts anew.
    private async Task Follow()
    {
        try
        {
            while (GoesOn())
            {
                var found = 0;
                try
                {
                    if (window is { } seen)
                    {
                        var more = await queries.Feed(new(null, null), seen.To, PageSize);
                        found = more.Length;
                        if (found > 0) Move(seen.And(more));
                    }
                    else
                    {
                        var end = await queries.FeedEnd();
                        Move(new(end, end, []));
                    }
                }
                catch (StoreUnavailableException)
                {
                    // The next look tells.
                }
                if (found < PageSize) await Task.Delay(Pause, time);
            }
        }
        catch (Exception e)
        {
            lock (turn)
            {
                (window, following) = (null, false);
                moved.SetException(e);
                moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private bool GoesOn()
    {
        lock (turn)
        {
            if (readers > 0) return true;
            (window, following) = (null, false);
            return false;
        }
    }

    private void Move(Window to)
    {
        lock (turn)
        {
            window = to;
            moved.SetResult();
            moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
