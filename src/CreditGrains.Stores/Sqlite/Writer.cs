using System.Collections.Concurrent;
using System.Collections.Immutable;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The one who writes, on a thread of its own: whatever commits have gathered meanwhile share the next transaction, and so one flush to the disk.</summary>
internal sealed class Writer : IDisposable
{
    // Bounds how long the first of a transaction waits for the others.
    private const int MaxRows = 20_000;

    private readonly BlockingCollection<Pending> waiting = [];
    private readonly Database database;
    private readonly Applying applying;
    private readonly StoreMetrics metrics;
    private readonly Thread thread;

    public Writer(Database database, StoreMetrics metrics)
    {
        this.database = database;
        this.metrics = metrics;
        applying = new(database);
        thread = new Thread(Work) { Name = "store writer", IsBackground = true };
        thread.Start();
    }

    private sealed class Pending(Func<ImmutableHashSet<string>> apply, int rows) : TaskCompletionSource<CommitResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        /// <summary>Writes it, and answers the keys of all fences that were not as expected.</summary>
        public Func<ImmutableHashSet<string>> Apply => apply;

        public int Rows => rows;

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

    public Task<CommitResult> Commit(Commit commit) =>
        Enqueue(new(() => applying.Apply(commit), commit.Changes.Credits.Length + commit.Changes.Entries.Length + commit.Changes.Members.Length));

    /// <summary>Writes one row by its fence; false: it was not as expected.</summary>
    public async Task<bool> Write(Func<Database, bool> write)
    {
        var result = await Enqueue(new(() => write(database) ? [] : ["row"], 1));
        return result is CommitResult.Unknown(var cause) ? throw new StoreUnavailableException("Whether the row was written is unknown.", cause) : result is CommitResult.Done;
    }

    private Task<CommitResult> Enqueue(Pending pending)
    {
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

    /// <summary>Writes what is waiting, and ends.</summary>
    public void Dispose()
    {
        waiting.CompleteAdding();
        thread.Join();
        waiting.Dispose();
    }

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
            database.Run("begin immediate");
            foreach (var pending in batch) Try(pending);
            committing = true;
            database.Run("commit");
            metrics.Transactions.Add(1);
            metrics.Commits.Add(batch.Count(pending => pending.Result is CommitResult.Done));
        }
        catch (Exception e)
        {
            var unclear = committing && e is not SqliteException { SqliteErrorCode: raw.SQLITE_FULL or raw.SQLITE_BUSY };
            foreach (var pending in batch) (pending.Result, pending.Fault) = unclear ? (new CommitResult.Unknown(e), null) : ((CommitResult?)null, Away(e));
            RollBack();
        }
    }

    // A commit that fails leaves nothing behind and no mark on its neighbours.
    private void Try(Pending pending)
    {
        database.Run("savepoint one");
        try
        {
            var failed = pending.Apply();
            pending.Result = failed.IsEmpty ? new CommitResult.Done() : new CommitResult.Conflict(failed);
        }
        catch (Exception e) when (e is not SqliteException fault || !fault.IsAway())
        {
            pending.Fault = e;
        }
        if (pending.Result is not CommitResult.Done) database.Run("rollback to one");
        database.Run("release one");
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

    private static Exception Away(Exception e) => e is SqliteException fault && fault.IsAway() ? new StoreUnavailableException("The store cannot be written.", e) : e;
}
