using CreditGrains.Editions;
using CreditGrains.Stores.Postgres;
using Npgsql;

namespace CreditGrains.Stores.Tests;

/// <summary>One PostgreSQL for the tests of a class, a database for each.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public ScratchPostgres Postgres { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Postgres = await ScratchPostgres.New();

    public ValueTask DisposeAsync() => Postgres.DisposeAsync();
}

/// <summary>A database of its own with its schema, a store on it, and a way around the store.</summary>
public sealed class PostgresDatabase : IAsyncDisposable
{
    private PostgresDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Direct = NpgsqlDataSource.Create(connectionString);
        Store = PostgresStore.Open(connectionString);
    }

    public string ConnectionString { get; }

    /// <summary>Connections that are not the store's.</summary>
    public NpgsqlDataSource Direct { get; }

    public PostgresStore Store { get; private set; }

    public static async Task<PostgresDatabase> New(PostgresServer server)
    {
        var connectionString = await server.Postgres.NewDatabase();
        await Migrator.Migrate(connectionString, TestContext.Current.CancellationToken);
        return new(connectionString);
    }

    public async Task Run(string sql)
    {
        await using var command = Direct.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async Task<T> Value<T>(string sql)
    {
        await using var command = Direct.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await Direct.DisposeAsync();
    }
}
