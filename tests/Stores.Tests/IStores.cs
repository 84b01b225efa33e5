using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using CreditGrains.Stores.Sqlite;

namespace CreditGrains.Stores.Tests;

/// <summary>A kind of store that the suite runs on: one file like <c>MemorySuite.cs</c> names it to each part of the suite.</summary>
public interface IStores
{
    /// <summary>An empty store of its own for a test.</summary>
    Task<OpenedStore> Open();
}

/// <summary>A store that is gone after the test.</summary>
/// <param name="writeCheckpoints">Writes all checkpoints of a contract behind so few entries.</param>
public sealed class OpenedStore(IStore store, IQueries queries, Func<string, int, Task> writeCheckpoints, Func<ValueTask> close) : IAsyncDisposable
{
    public IStore Store => store;

    public IQueries Queries => queries;

    public Task WriteCheckpoints(string contractId, int entries) => writeCheckpoints(contractId, entries);

    public ValueTask DisposeAsync() => close();
}

/// <summary>A part of the suite: what every store does alike.</summary>
public abstract class Suite<TStores> : IAsyncLifetime where TStores : IStores, new()
{
    private OpenedStore opened = null!;

    protected IStore Store => opened.Store;

    protected IQueries Queries => opened.Queries;

    protected Task WriteCheckpoints(string contractId, int entries) => opened.WriteCheckpoints(contractId, entries);

    public async ValueTask InitializeAsync() => opened = await new TStores().Open();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await opened.DisposeAsync();
    }
}

public sealed class MemoryStores : IStores
{
    public Task<OpenedStore> Open()
    {
        var store = new MemoryStore();
        return Task.FromResult(new OpenedStore(store, store, (_, _) => Task.CompletedTask, () => ValueTask.CompletedTask));
    }
}

public sealed class SqliteStores : IStores
{
    public Task<OpenedStore> Open()
    {
        var directory = new TempDirectory();
        var store = SqliteStore.Open(directory.Path);
        return Task.FromResult(new OpenedStore(store, store, store.WriteCheckpoints, () =>
        {
            store.Dispose();
            directory.Dispose();
            return ValueTask.CompletedTask;
        }));
    }
}

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("creditgrains-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
