using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;

namespace CreditGrains.Stores.Tests;

public sealed class SqliteServicesFenceTests : ServicesFences, IDisposable
{
    private readonly TempDirectory directory = new();
    private readonly SqliteStore store;

    public SqliteServicesFenceTests() => store = SqliteStore.Open(directory.Path);

    protected override IStore Store => store;

    public void Dispose()
    {
        store.Dispose();
        directory.Dispose();
    }
}
