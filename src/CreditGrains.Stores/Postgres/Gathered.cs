using System.Threading.Channels;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Postgres;

/// <summary>Gathers questions for single rows into one query for many.</summary>
internal sealed class Gathered<TKey, TRow> : IAsyncDisposable where TKey : notnull where TRow : class
{
    private const int MaxKeys = 2_000, Readers = 2;

    private readonly Func<IReadOnlyCollection<TKey>, Task<Dictionary<TKey, TRow>>> load;
    private readonly Channel<(TKey Key, TaskCompletionSource<TRow?> Row)> queue = Channel.CreateUnbounded<(TKey, TaskCompletionSource<TRow?>)>();
    private readonly Task[] readers;

    public Gathered(Func<IReadOnlyCollection<TKey>, Task<Dictionary<TKey, TRow>>> load)
    {
        this.load = load;
        readers = [.. Enumerable.Range(0, Readers).Select(_ => Task.Run(LoadAll))];
    }

    public async Task<TRow?> Load(TKey key)
    {
        var row = new TaskCompletionSource<TRow?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!queue.Writer.TryWrite((key, row))) throw new StoreUnavailableException("The store is closed.");
        return await row.Task;
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await Task.WhenAll(readers);
    }

    private async Task LoadAll()
    {
        while (await queue.Reader.WaitToReadAsync())
        {
            var asked = new List<(TKey Key, TaskCompletionSource<TRow?> Row)>();
            while (asked.Count < MaxKeys && queue.Reader.TryRead(out var question)) asked.Add(question);
            if (asked.Count == 0) continue;
            try
            {
                var rows = await load([.. asked.Select(question => question.Key).Distinct()]);
                foreach (var (key, row) in asked) row.SetResult(rows.GetValueOrDefault(key));
            }
            catch (Exception e)
            {
                foreach (var (_, row) in asked) row.TrySetException(e);
            }
        }
    }
}
