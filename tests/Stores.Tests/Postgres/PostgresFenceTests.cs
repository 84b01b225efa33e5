using CreditGrains.Grains;
using CreditGrains.Editions;
using CreditGrains.Stores.Postgres;
using Npgsql;

namespace CreditGrains.Stores.Tests;

/// <summary>One PostgreSQL for all of them, a database for each.</summary>
public sealed class OnePostgres : IAsyncLifetime
{
    public ScratchPostgres Postgres { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Postgres = await ScratchPostgres.New();

    public ValueTask DisposeAsync() => Postgres.DisposeAsync();
}

/// <summary>A store on a database of its own.</summary>
public sealed class OneStore(OnePostgres one) : IAsyncDisposable
{
    private NpgsqlDataSource source = null!;

    public PostgresStore Store { get; private set; } = null!;

    public async ValueTask Open()
    {
        source = NpgsqlDataSource.Create(await one.Postgres.NewDatabase());
        await Migrator.Migrate(source, TestContext.Current.CancellationToken);
        Store = new(source);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await source.DisposeAsync();
    }
}

public sealed class PostgresFenceTests(OnePostgres one) : CreditFences, IClassFixture<OnePostgres>, IAsyncLifetime
{
    private readonly OneStore opened = new(one);

    protected override IStore Store => opened.Store;

    public ValueTask InitializeAsync() => opened.Open();

    public ValueTask DisposeAsync() => opened.DisposeAsync();
}

public sealed class PostgresServicesFenceTests(OnePostgres one) : ServicesFences, IClassFixture<OnePostgres>, IAsyncLifetime
{
    private readonly OneStore opened = new(one);

    protected override IStore Store => opened.Store;

    public ValueTask InitializeAsync() => opened.Open();

    public ValueTask DisposeAsync() => opened.DisposeAsync();
}
