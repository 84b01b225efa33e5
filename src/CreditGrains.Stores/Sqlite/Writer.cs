using System.Collections.Concurrent;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;
using NodaTime;
using SQLitePCL;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// The one who writes, on a thread of its own: whatever commits have gathered meanwhile share the next transaction, and so one flush to the
/// disk.
/// </summary>
internal sealed class Writer : IDisposable
{
    // Bounds how long the first of a transaction waits for the others.
    private const int MaxRows = 20_000;

    private readonly BlockingCollection<Pending> waiting = [];
    private readonly Database database;
    private readonly Writing writing;
    private readonly StoreMetrics metrics;
    private readonly Thread thread;

    public Writer(Database database, StoreMetrics metrics)
    {
        this.database = database;
        this.metrics = metrics;
        writing = new(database);
        thread = new Thread(Work) { Name = "store writer", IsBackground = true };
        thread.Start();
    }

    // What is written with others in one transaction, and how that ends.
    private sealed class Pending(int rows, Func<CommitResult> write)
        : TaskCompletionSource<CommitResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Rows => rows;

        public Func<CommitResult> Write => write;

        /// <summary>How it ends if the transaction becomes durable; null: by <see cref="Fault"/>.</summary>
        public CommitResult? Result { get; set; }

        /// <summary>What is wrong with this commit alone.</summary>
        public Exception? Fault { get; set; }

        public void Answer()
        {
            if (Result is not null) SetResult(Result);
            else SetException(Fault!);
        }
    }

    public Task<CommitResult> Commit(SortedChanges changes, int rows) => Enqueue(rows, () => Apply(changes));

    /// <summary>Reads, decides and commits while nothing else is written.</summary>
    public Task<CommitResult> CommitAlone(Wanted wanted, Func<Rows, Commit> decide) =>
        Enqueue(1, () => Apply(new SortedChanges(decide(SqliteStore.ReadRows(database, wanted)))));

    /// <summary>Deletes remembered requests and previews that expire at or before this instant.</summary>
    public Task Forget(Instant until) => Enqueue(1, () =>
    {
        database[$"delete from document where kind in ('{DocumentKind.Request}', '{DocumentKind.Preview}') and due_at <= ?"]
            .Bind(until).Run();
        return new CommitResult.Done();
    });

    /// <summary>Writes a row as it is.</summary>
    public Task<CommitResult> Touch() => Enqueue(1, () =>
    {
        database.Run("update mark set value = value");
        return new CommitResult.Done();
    });

    /// <summary>Writes one row by its fence; false: it was not as expected, and nothing is written.</summary>
    public async Task<bool> Write(Func<Database, bool> write)
    {
        var isWritten = false;
        var result = await Enqueue(1, () =>
        {
            isWritten = write(database);
            return new CommitResult.Done();
        });
        return result is CommitResult.Unknown(var cause)
            ? throw new StoreUnavailableException("The store did not say whether the row is written; send it again.", cause)
            : isWritten;
    }

    /// <summary>Writes what is waiting, and ends.</summary>
    public void Dispose()
    {
        waiting.CompleteAdding();
        thread.Join();
        waiting.Dispose();
    }

    private Task<CommitResult> Enqueue(int rows, Func<CommitResult> write)
    {
        var pending = new Pending(rows, write);
        try
        {
            waiting.Add(pending);
        }
        catch (InvalidOperationException)
        {
            pending.SetException(new StoreUnavailableException("The store is closed."));
        }
        return pending.Task;
    }

    private CommitResult Apply(SortedChanges changes) =>
        writing.Apply(changes) is { IsEmpty: false } failed ? new CommitResult.Conflict(failed) : new CommitResult.Done();

    private void Work()
    {
        foreach (var first in waiting.GetConsumingEnumerable())
        {
            var batch = new List<Pending> { first };
            for (var rows = first.Rows; rows < MaxRows && waiting.TryTake(out var next); rows += next.Rows) batch.Add(next);
            Transact(batch);
            foreach (var pending in batch) pending.Answer();
        }
    }

    // Where it fails, all of its commits end alike: not even a conflict is told, for it may rest on a neighbour that never became durable.
    private void Transact(List<Pending> batch)
    {
        var committing = false;
        try
        {
            if (!Together(batch)) OneByOne(batch);
            committing = true;
            database.Run("commit");
            metrics.Transactions.Add(1);
            metrics.Commits.Add(batch.Count(pending => pending.Result is CommitResult.Done));
        }
        catch (Exception e)
        {
            var unclear = committing && e is not SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_BUSY };
            foreach (var pending in batch) (pending.Result, pending.Fault) = unclear ? (new CommitResult.Unknown(e), null)
                : ((CommitResult?)null, Away(e));
            RollBack();
        }
    }

    // Nearly always all of them can be written; false: one of them cannot, and nothing is written.
    private bool Together(List<Pending> batch)
    {
        database.Run("begin immediate");
        foreach (var pending in batch) Try(pending);
        if (batch.TrueForAll(pending => pending.Result is CommitResult.Done)) return true;
        database.RollBack();
        return false;
    }

    // A commit that fails leaves nothing behind and no mark on its neighbours. A savepoint costs a copy of every page that it touches.
    private void OneByOne(List<Pending> batch)
    {
        database.Run("begin immediate");
        foreach (var pending in batch)
        {
            database.Run("savepoint one");
            Try(pending);
            if (pending.Result is not CommitResult.Done) database.Run("rollback to one");
            database.Run("release one");
        }
    }

    private static void Try(Pending pending)
    {
        (pending.Result, pending.Fault) = (null, null);
        try
        {
            pending.Result = pending.Write();
        }
        catch (Exception e) when (e is not SqliteException fault || !fault.IsAway())
        {
            pending.Fault = e is SqliteException ? new InvariantException($"a commit can be written ({e.Message})") : e;
        }
    }

    private void RollBack()
    {
        try
        {
            database.RollBack();
        }
        catch (SqliteException)
        {
            // The next BEGIN fails while this transaction is still open, and its commits are answered so.
        }
    }

    // Whatever the transaction broke at, nothing of it has happened.
    private static StoreUnavailableException Away(Exception e) => new("The store cannot be written.", e);
}
