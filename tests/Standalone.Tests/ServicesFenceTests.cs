using CreditGrains.Grains;
using CreditGrains.StoreTests;
using CreditGrains.Stores.Sqlite;

namespace CreditGrains.Standalone.Tests;

public sealed class ServicesFenceTests : ServicesFences, IDisposable
{
    private readonly TempDirectory directory = new();
    private readonly SqliteStore store;

    public ServicesFenceTests() => store = SqliteStore.Open(directory.Path);

    protected override IStore Store => store;

    public void Dispose()
    {
        store.Dispose();
        directory.Dispose();
    }
}
