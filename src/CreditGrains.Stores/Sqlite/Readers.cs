using System.Collections.Concurrent;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// Threads that read, each on a connection of its own: nobody who asks is kept from going on, and a long list does not block what actors
/// load.
/// </summary>
internal sealed class Readers : IDisposable
{
    private readonly BlockingCollection<Action<Database>> asked = [];
    private readonly Thread[] threads;

    public Readers(string file, string name, int count)
    {
        threads = [.. Enumerable.Range(1, count).Select(number => new Thread(Work) { Name = $"{name} {number}", IsBackground = true })];
        foreach (var thread in threads) thread.Start(new Database(file));
    }

    public Task<T> Read<T>(Func<Database, T> read)
    {
        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            asked.Add(database => Answer(source, read, database));
        }
        catch (InvalidOperationException)
        {
            source.SetException(new StoreUnavailableException("The store is closed."));
        }
        return source.Task;
    }

    public void Dispose()
    {
        asked.CompleteAdding();
        foreach (var thread in threads) thread.Join();
        asked.Dispose();
    }

    private void Work(object? own)
    {
        using var database = (Database)own!;
        database.Run("pragma query_only = on");
        foreach (var ask in asked.GetConsumingEnumerable()) ask(database);
    }

    private static void Answer<T>(TaskCompletionSource<T> source, Func<Database, T> read, Database database)
    {
        try
        {
            source.SetResult(read(database));
        }
        catch (SqliteException e) when (e.IsAway())
        {
            source.SetException(new StoreUnavailableException("The store cannot be read.", e));
        }
        catch (Exception e)
        {
            source.SetException(e);
        }
    }
}
