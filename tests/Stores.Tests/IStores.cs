using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using CreditGrains.Stores.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>A kind of store that the suite runs on: one file like <c>MemorySuite.cs</c> names it to each part of the suite.</summary>
public interface IStores
{
    /// <summary>An empty store of its own for a test.</summary>
    Task<OpenedStore> Open();
}

/// <summary>A store that is gone after the test.</summary>
/// <param name="writeCheckpoints">Writes all checkpoints of a contract behind so few entries.</param>
/// <param name="archive">Archives what was booked before an instant, so many entries at once, and tells of each batch how many it moved.</param>
public sealed class OpenedStore(
    IStore store, IQueries queries, Func<string, int, Task> writeCheckpoints, Func<Instant, int, Action<long>, Task> archive, Func<ValueTask> close)
    : IAsyncDisposable
{
    public IStore Store => store;

    public IQueries Queries => queries;

    public Task WriteCheckpoints(string contractId, int entries) => writeCheckpoints(contractId, entries);

    public Task Archive(Instant before, int atOnce, Action<long> moved) => archive(before, atOnce, moved);

    public ValueTask DisposeAsync() => close();
}

/// <summary>A part of the suite: what every store does alike.</summary>
public abstract class Suite<TStores> : IAsyncLifetime where TStores : IStores, new()
{
    private OpenedStore opened = null!;

    protected IStore Store => opened.Store;

    protected IQueries Queries => opened.Queries;

    protected Task WriteCheckpoints(string contractId, int entries) => opened.WriteCheckpoints(contractId, entries);

    protected Task Archive(Instant before, int atOnce, Action<long> moved) => opened.Archive(before, atOnce, moved);

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
        return Task.FromResult(new OpenedStore(
            store, store, (_, _) => Task.CompletedTask, (_, _, _) => throw new NotSupportedException("in memory nothing is archived"),
            () => ValueTask.CompletedTask));
    }
}

public sealed class SqliteStores : IStores
{
    public Task<OpenedStore> Open()
    {
        var directory = new TempDirectory();
        var store = SqliteStore.Open(directory.Path);
        return Task.FromResult(new OpenedStore(store, store, store.WriteCheckpoints, Archive, () =>
        {
            store.Dispose();
            directory.Dispose();
            return ValueTask.CompletedTask;
        }));

        // While nothing is written.
        Task Archive(Instant before, int atOnce, Action<long> moved)
        {
            using var database = new Database(Path.Combine(directory.Path, SqliteStore.FileName));
            SqliteArchiver.Archive(database, directory.Path, before, _ => { }, atOnce, moved);
            return Task.CompletedTask;
        }
    }
}

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("creditgrains-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
