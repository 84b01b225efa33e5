using System.Collections.Concurrent;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// Threads that read, each on a connection of its own: nobody who asks is kept from going on, and a long list does not block what grains load.
/// Where a few rows are asked for, whoever asks reads them on a connection that is free: that is sooner done than a thread is woken.
/// </summary>
internal sealed class Readers : IDisposable
{
    private readonly BlockingCollection<Action<Database>> asked = [];
    private readonly BlockingCollection<Database> free = [];
    private readonly Thread[] threads;
    private readonly int lent;

    /// <param name="count">How many threads there are.</param>
    /// <param name="lent">How many connections are lent to those who ask.</param>
    public Readers(string file, string name, int count, int lent = 0)
    {
        this.lent = lent;
        for (var i = 0; i < lent; i++) free.Add(Open(file));
        threads = [.. Enumerable.Range(1, count).Select(number => new Thread(Work) { Name = $"{name} {number}", IsBackground = true })];
        foreach (var thread in threads) thread.Start(Open(file));
    }

    public Task<T> Read<T>(Func<Database, T> read)
    {
        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (free.TryTake(out var own))
            {
                Answer(source, read, own);
                free.Add(own);
            }
            else
            {
                asked.Add(database => Answer(source, read, database));
            }
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
        for (var i = 0; i < lent; i++) free.Take().Dispose();
        asked.Dispose();
        free.Dispose();
    }

    private static Database Open(string file)
    {
        var database = new Database(file);
        database.Run("pragma query_only = on");
        return database;
    }

    private void Work(object? own)
    {
        using var database = (Database)own!;
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
