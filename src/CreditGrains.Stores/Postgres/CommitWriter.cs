using System.Collections.Immutable;
using System.Diagnostics;
using System.Threading.Channels;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>
/// Gathers the commits of all grains of this process and writes many in one transaction, on connections of its own. A commit that fails never fails
/// its neighbours: the database says which rows were not as expected, their commits are in conflict, and the others are sent again at once. Which row to
/// insert is there already is asked only when one is.
/// </summary>
internal sealed class CommitWriter : IAsyncDisposable
{
    private const int Writers = 2, MaxCommits = 256, MaxChanges = 8_192, MaxTries = 5;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(20);

    private readonly PostgresSources sources;
    private readonly Channel<Work> queue = Channel.CreateUnbounded<Work>();
    private readonly Task[] writers;
    private readonly StoreMetrics metrics;

    public CommitWriter(PostgresSources sources, StoreMetrics metrics)
    {
        (this.sources, this.metrics) = (sources, metrics);
        writers = [.. Enumerable.Range(0, Writers).Select(_ => Task.Run(WriteAll))];
    }

    private abstract record Work
    {
        public TaskCompletionSource<CommitResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ActivityContext Asked { get; } = Traces.Asking;
    }

    private sealed record Together(Commit Commit) : Work
    {
        public int Changes { get; } = Commit.Changes.Count();
    }

    private sealed record Alone(Wanted Wanted, Func<Rows, Commit> Decide) : Work;

    public Task<CommitResult> Write(Commit commit) => Do(new Together(commit));

    public Task<CommitResult> WriteAlone(Wanted wanted, Func<Rows, Commit> decide) => Do(new Alone(wanted, decide));

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await Task.WhenAll(writers);
    }

    private Task<CommitResult> Do(Work work) => queue.Writer.TryWrite(work) ? work.Result.Task : throw new StoreUnavailableException("The store is closed.");

    private async Task WriteAll()
    {
        await using var line = new Line(sources);
        var waiting = new List<Together>();
        while (waiting.Count > 0 || await queue.Reader.WaitToReadAsync())
        {
            var alone = Gather(waiting);
            var batch = waiting;
            waiting = [];
            await Guarded(batch, () =>
            {
                var changes = Sort(batch);
                waiting = TakeLater(batch, changes);
                return batch.Count == 0 ? Task.CompletedTask : Transact(batch, waiting.Count == 0 ? changes : Sort(batch), line);
            });
            if (alone is not null) await Guarded([alone], () => WriteAlone(alone, line));
        }
    }

    // Adds what there is to write together, up to a limit; whoever wants to be alone ends it.
    private Alone? Gather(List<Together> batch)
    {
        var changes = batch.Sum(together => together.Changes);
        while (batch.Count < MaxCommits && changes < MaxChanges && queue.Reader.TryRead(out var work))
        {
            switch (work)
            {
                case Together together:
                    batch.Add(together);
                    changes += together.Changes;
                    break;
                case Alone alone:
                    return alone;
            }
        }
        return null;
    }

    // Two that write one row never share a transaction: the later waits for the next one.
    private static List<Together> TakeLater(List<Together> batch, SortedChanges changes)
    {
        if (batch.Count < 2) return [];
        var collisions = new Collisions(changes);
        if (collisions.Later.Count == 0) return [];
        var later = collisions.Later.Select(commit => batch[commit]).ToList();
        batch.RemoveAll(later.Contains);
        return later;
    }

    // Whatever happens, everybody is answered and the writer goes on.
    private static async Task Guarded(IReadOnlyCollection<Work> works, Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (Exception e)
        {
            foreach (var work in works) work.Result.TrySetException(Faults.Told(e));
        }
    }

    private static SortedChanges Sort(List<Together> batch) => new(batch.ConvertAll(together => together.Commit));

    private async Task Transact(List<Together> batch, SortedChanges changes, Line line)
    {
        using var activity = Traces.Begin("transaction", batch.Select(together => together.Asked));
        await Write(batch, changes, line);
    }

    private async Task Write(List<Together> batch, SortedChanges changes, Line line)
    {
        var tellsTaken = false;
        for (var tries = 1; batch.Count > 0;)
        {
            var sent = new CommitBatch(batch.Select(together => together.Commit.ClientId), changes, tellsTaken);
            var connection = await line.Open();
            try
            {
                await sent.Send(connection);
                metrics.Commits.Add(batch.Count);
                metrics.Transactions.Add(1);
                foreach (var together in batch) together.Result.SetResult(new CommitResult.Done());
                return;
            }
            catch (Exception e) when (sent.Unexpected(e) is { Count: > 0 } unexpected)
            {
                batch = WithoutConflicts(batch, unexpected);
                changes = Sort(batch);
            }
            catch (Exception e) when (Faults.IsTaken(e) && !tellsTaken)
            {
                tellsTaken = true;
            }
            catch (Exception e) when (Faults.IsTransient(e) && tries < MaxTries)
            {
                tries++;
                await Task.Delay(LongestPause * Random.Shared.NextDouble());
            }
            catch (Exception e) when (Faults.IsBroken(e))
            {
                foreach (var together in batch) together.Result.SetResult(new CommitResult.Unknown(e));
                await line.Close();
                return;
            }
            catch (Exception e) when (Faults.IsTransient(e) || Faults.IsUnavailable(e))
            {
                throw Faults.Unavailable(e);
            }
            catch (Exception e)
            {
                if (connection.FullState is not System.Data.ConnectionState.Open) await line.Close();
                if (batch is [var wrong])
                {
                    wrong.Result.SetException(Faults.Told(e));
                    return;
                }
                var half = batch.Count / 2;
                await Guarded(batch[..half], () => Write(batch[..half], Sort(batch[..half]), line));
                batch = batch[half..];
                changes = Sort(batch);
            }
        }
    }

    private static List<Together> WithoutConflicts(List<Together> batch, IReadOnlyList<(int Commit, RowKey Row)> unexpected)
    {
        foreach (var failed in unexpected.GroupBy(row => row.Commit, row => row.Row))
            batch[failed.Key].Result.SetResult(new CommitResult.Conflict([.. failed]));
        return batch.FindAll(together => !together.Result.Task.IsCompleted);
    }

    private async Task WriteAlone(Alone alone, Line line)
    {
        using var activity = Traces.Begin("transaction", [alone.Asked]);
        var connection = await line.Open();
        CommitBatch? sent = null;
        try
        {
            var reading = new Reading();
            reading.Add(new Query<bool>("select pg_advisory_xact_lock($1)", _ => true, Values.Of(ClientLock.Of(alone.Wanted.ClientId))));
            var wanted = new WantedRows(reading, alone.Wanted);
            await reading.Begin(connection);

            var commit = alone.Decide(wanted.Rows);
            var batch = new CommitBatch([commit.ClientId], new SortedChanges(commit), tellsTaken: true).ThenCommit();
            sent = batch;
            await batch.Send(connection);
            metrics.Commits.Add(1);
            metrics.Transactions.Add(1);
            alone.Result.SetResult(new CommitResult.Done());
        }
        catch (Exception e)
        {
            if (Faults.IsBroken(e)) await line.Close();
            else await line.RollBack();
            if (sent?.Unexpected(e) is { Count: > 0 } unexpected) alone.Result.SetResult(new CommitResult.Conflict([.. unexpected.Select(row => row.Row)]));
            else if (sent is not null && Faults.IsBroken(e)) alone.Result.SetResult(new CommitResult.Unknown(e));
            else if (Faults.IsTransient(e) || Faults.IsUnavailable(e)) throw Faults.Unavailable(e);
            else throw;
        }
    }

    /// <summary>Finds commits that write what an earlier one of the same batch writes.</summary>
    private sealed class Collisions : IRowChangesVisitor
    {
        public Collisions(SortedChanges changes)
        {
            foreach (var kind in changes.Kinds) kind.Accept(this);
        }

        public SortedSet<int> Later { get; } = [];

        void IRowChangesVisitor.Visit<TChange>(RowChanges<TChange> changes)
        {
            Look(changes.Deletes);
            Look(changes.Updates);
            Look(changes.Inserts);
        }

        // By key, then commit.
        private void Look<TChange>(List<Keyed<TChange>> changes) where TChange : Change
        {
            for (var i = 1; i < changes.Count; i++)
                if (changes[i].Key == changes[i - 1].Key) Later.Add(changes[i].Commit);
        }
    }
}

/// <summary>One connection that is opened when it is needed, and anew after it broke.</summary>
internal sealed class Line(PostgresSources sources) : IAsyncDisposable
{
    private NpgsqlConnection? connection;

    /// <summary>The open connection; throws <see cref="StoreUnavailableException"/>.</summary>
    public async Task<NpgsqlConnection> Open()
    {
        if (connection is { FullState: not System.Data.ConnectionState.Open }) await Close();
        return connection ??= await sources.OpenCommits();
    }

    public async Task Close()
    {
        if (connection is null) return;
        var old = connection;
        connection = null;
        await old.DisposeAsync();
    }

    /// <summary>Ends the transaction there is, if any.</summary>
    public async Task RollBack()
    {
        if (connection is null) return;
        try
        {
            await using var rollback = new NpgsqlCommand("rollback", connection);
            await rollback.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (Faults.IsBroken(e) || e is InvalidOperationException)
        {
            await Close();
        }
    }

    public async ValueTask DisposeAsync() => await Close();
}
