using System.Collections.Immutable;
using System.Threading.Channels;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>Gathers the commits of all actors of this process and writes many in one transaction. One that fails is found out by trying each alone, so that it never fails its neighbours.</summary>
internal sealed class CommitWriter : IAsyncDisposable
{
    private const int Connections = 2, MaxCommits = 256, MaxCredits = 8_192;

    private readonly NpgsqlDataSource source;
    private readonly Channel<Pending> queue = Channel.CreateUnbounded<Pending>(new() { SingleReader = false });
    private readonly Task[] writers;
    private readonly StoreMetrics metrics = new();

    public CommitWriter(NpgsqlDataSource source)
    {
        this.source = source;
        writers = [.. Enumerable.Range(0, Connections).Select(_ => Task.Run(WriteAll))];
    }

    private sealed record Pending(Commit Commit)
    {
        public TaskCompletionSource<CommitResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public async Task<CommitResult> Write(Commit commit)
    {
        var pending = new Pending(commit);
        if (!queue.Writer.TryWrite(pending)) throw new StoreUnavailableException("The store is closed.");
        return await pending.Result.Task;
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await Task.WhenAll(writers);
        metrics.Dispose();
    }

    private async Task WriteAll()
    {
        while (await queue.Reader.WaitToReadAsync())
        {
            var batch = new List<Pending>();
            for (var credits = 0; batch.Count < MaxCommits && credits < MaxCredits && queue.Reader.TryRead(out var pending); credits += pending.Commit.Changes.Credits.Length)
                batch.Add(pending);
            if (batch.Count > 0) await WriteBatch(batch);
        }
    }

    private async Task WriteBatch(List<Pending> batch)
    {
        try
        {
            await using var connection = await Open();
            if (batch.Count == 1)
            {
                batch[0].Result.SetResult(await WriteAlone(batch[0].Commit, connection));
                return;
            }
            if (await TryWrite([.. batch.Select(pending => pending.Commit)], connection) is { } result)
            {
                foreach (var pending in batch) pending.Result.SetResult(result);
                return;
            }
            foreach (var pending in batch) await WriteOne(pending, connection);
        }
        catch (Exception e)
        {
            foreach (var pending in batch) pending.Result.TrySetException(e);
        }
    }

    // A data error is pinned to its own commit.
    private async Task WriteOne(Pending pending, NpgsqlConnection connection)
    {
        try
        {
            pending.Result.SetResult(await WriteAlone(pending.Commit, connection));
        }
        catch (PostgresException e)
        {
            pending.Result.SetException(e);
        }
    }

    private async Task<CommitResult> WriteAlone(Commit commit, NpgsqlConnection connection)
    {
        if (await TryWrite([commit], connection) is { } result) return result;
        var failed = await FailedFences.Of(commit, connection);

        // What failed a moment ago may hold by now: then its own documents are said to have changed, and it is decided anew.
        return new CommitResult.Conflict(failed.IsEmpty ? [.. commit.Documents.Select(document => document.Key), .. commit.Guards.Select(guard => guard.Key)] : failed);
    }

    // null: nothing happened, because of one of them.
    private async Task<CommitResult?> TryWrite(IReadOnlyCollection<Commit> group, NpgsqlConnection connection)
    {
        try
        {
            await using var batch = CommitStatements.Of(group, connection);
            await batch.ExecuteNonQueryAsync();
            metrics.Commits.Add(group.Count);
            metrics.Transactions.Add(1);
            return new CommitResult.Done();
        }
        catch (PostgresException e) when (e.SqlState is CommitStatements.FenceFailed or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
        {
            return null;
        }
        catch (PostgresException e) when (Unavailable.Says(e))
        {
            return new CommitResult.Unknown(e);
        }
        catch (PostgresException) when (group.Count > 1)
        {
            return null;
        }
        catch (NpgsqlException e) when (e is not PostgresException)
        {
            return new CommitResult.Unknown(e);
        }
    }

    private async Task<NpgsqlConnection> Open()
    {
        try
        {
            return await source.OpenConnectionAsync();
        }
        catch (Exception e) when (Unavailable.Says(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }
}

/// <summary>Which exceptions say that the database is away, full or read-only, rather than that a statement is wrong.</summary>
internal static class Unavailable
{
    public static bool Says(Exception exception) => exception switch
    {
        // Connection, resources, operator intervention, system error, a standby.
        PostgresException e => e.SqlState[..2] is "08" or "53" or "57" or "58" || e.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction,
        NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException => true,
        _ => false,
    };
}
