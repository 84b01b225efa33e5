using CreditGrains.Editions;
using CreditGrains.Stores.Postgres;
using CreditGrains.Stores.Tests;
using NodaTime;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresServers))]

namespace CreditGrains.Stores.Tests;

/// <summary>Two servers of PostgreSQL for all tests, each started when the first needs it; each test gets a database of its own.</summary>
public sealed class PostgresServers : IAsyncLifetime
{
    /// <summary>For tests that run one after the other, for they see what transactions of other databases do: the feed waits for those.</summary>
    public const string Quiet = "quiet";

    private static readonly PostgresServer Shared = new(), Alone = new();

    public static Task<string> NewDatabase(bool isQuiet) => (isQuiet ? Alone : Shared).NewDatabase();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Shared.DisposeAsync();
        await Alone.DisposeAsync();
    }
}

internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Template = "creditgrains_template";

    private readonly Lazy<Task<(ScratchPostgres Postgres, NpgsqlDataSource Direct)>> started = new(Start);
    private int databases;

    /// <summary>The connection string of a new database with its schema.</summary>
    public async Task<string> NewDatabase()
    {
        var (postgres, direct) = await started.Value;
        var name = $"t{Interlocked.Increment(ref databases)}";
        await using var create = direct.CreateCommand($"create database {name} template {Template}");
        await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = name }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        if (!started.IsValueCreated) return;
        var (postgres, direct) = await started.Value;
        await direct.DisposeAsync();
        await postgres.DisposeAsync();
    }

    private static async Task<(ScratchPostgres, NpgsqlDataSource)> Start()
    {
        var postgres = await ScratchPostgres.New();
        var direct = NpgsqlDataSource.Create(postgres.ConnectionString);
        await using (var create = direct.CreateCommand($"create database {Template}")) await create.ExecuteNonQueryAsync();
        await Migrator.Migrate(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Database = Template, Pooling = false }.ConnectionString);
        return (postgres, direct);
    }
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

    public PostgresStore Store { get; }

    public static async Task<PostgresDatabase> New(bool isQuiet = false) => new(await PostgresServers.NewDatabase(isQuiet));

    /// <summary>On another server.</summary>
    public static async Task<PostgresDatabase> New(ScratchPostgres postgres)
    {
        var connectionString = await postgres.NewDatabase();
        await Migrator.Migrate(connectionString, TestContext.Current.CancellationToken);
        return new(connectionString);
    }

    public Task Archive(Instant before, int atOnce, Action<long> moved) => Archiver.Archive(ConnectionString, before, _ => { }, atOnce, moved);

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
