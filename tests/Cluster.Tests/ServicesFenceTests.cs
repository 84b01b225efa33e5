using CreditGrains.Actors;
using CreditGrains.Editions;
using CreditGrains.Postgres;
using CreditGrains.ServicesTests;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>One PostgreSQL for all of them, a database for each.</summary>
public sealed class OnePostgres : IAsyncLifetime
{
    public ScratchPostgres Postgres { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Postgres = await ScratchPostgres.New();

    public ValueTask DisposeAsync() => Postgres.DisposeAsync();
}

public sealed class ServicesFenceTests(OnePostgres one) : ServicesFences, IClassFixture<OnePostgres>, IAsyncLifetime
{
    private NpgsqlDataSource source = null!;
    private PostgresStore store = null!;

    protected override IStore Store => store;

    public async ValueTask InitializeAsync()
    {
        source = NpgsqlDataSource.Create(await one.Postgres.NewDatabase());
        await Migrator.Migrate(source, TestContext.Current.CancellationToken);
        store = new(source);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        await source.DisposeAsync();
    }
}
