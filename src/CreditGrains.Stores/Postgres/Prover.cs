using System.Threading.Channels;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Postgres;

/// <summary>Proves commits of guards alone, many in one statement: it takes no lock, begins no transaction and writes nothing.</summary>
internal sealed class Prover : IAsyncDisposable
{
    private const int MaxGuards = 8_192;

    private readonly PostgresSources sources;
    private readonly Channel<Pending> queue = Channel.CreateUnbounded<Pending>(new() { SingleReader = true });
    private readonly Task proving;

    public Prover(PostgresSources sources)
    {
        this.sources = sources;
        proving = Task.Run(ProveAll);
    }

    private sealed record Pending(Commit Commit)
    {
        public TaskCompletionSource<CommitResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public Task<CommitResult> Prove(Commit commit)
    {
        var pending = new Pending(commit);
        return queue.Writer.TryWrite(pending) ? pending.Result.Task : throw new StoreUnavailableException("The store is closed.");
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await proving;
    }

    private async Task ProveAll()
    {
        await using var line = new Line(sources);
        while (await queue.Reader.WaitToReadAsync())
        {
            var batch = new List<Pending>();
            for (var guards = 0; guards < MaxGuards && queue.Reader.TryRead(out var pending); guards += pending.Commit.Changes.Guards.Length) batch.Add(pending);
            await Answer(batch, line, isFirstTry: true);
        }
    }

    // A connection that broke while nobody used it says nothing about the next one; a fault of a statement is pinned to its own commit.
    private static async Task Answer(List<Pending> batch, Line line, bool isFirstTry)
    {
        try
        {
            await Prove(batch, line);
        }
        catch (Exception e) when (Faults.IsBroken(e) && isFirstTry)
        {
            await line.Close();
            await Answer(batch, line, isFirstTry: false);
        }
        catch (Exception e) when (!Faults.IsUnavailable(e) && e is not StoreUnavailableException && batch.Count > 1)
        {
            var half = batch.Count / 2;
            await Answer(batch[..half], line, isFirstTry);
            await Answer(batch[half..], line, isFirstTry);
        }
        catch (Exception e)
        {
            if (Faults.IsBroken(e)) await line.Close();
            foreach (var pending in batch) pending.Result.TrySetException(Faults.Told(e));
        }
    }

    private static async Task Prove(List<Pending> batch, Line line)
    {
        var guards = new SortedChanges(batch.ConvertAll(pending => pending.Commit)).Guards;
        var reading = new Reading();
        var broken = guards.Count == 0 ? [] : reading.Add(new Query<long>(GuardStatement.Broken(guards, out var values), row => row.Number(), values));
        if (guards.Count > 0) await reading.Send(await line.Open());
        var conflicts = broken.Select(ordinal => guards[(int)ordinal - 1]).ToLookup(guard => guard.Commit, guard => guard.Key);
        for (var i = 0; i < batch.Count; i++)
            batch[i].Result.SetResult(conflicts.Contains(i) ? new CommitResult.Conflict([.. conflicts[i]]) : new CommitResult.Done());
    }
}
