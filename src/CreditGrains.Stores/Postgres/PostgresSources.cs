using System.Data.Common;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The connections of one process: commits have their own, so that no read, however slow, keeps one from being written.</summary>
internal sealed class PostgresSources : IAsyncDisposable
{
    // Two write, one proves, one answers to pings.
    private const int CommitConnections = 4, PreparedStatements = 200, UsesBeforePrepared = 2;

    // Plans of statements over arrays are made once: rows are found by their keys, whatever the statistics say on the day of the plan.
    private const string Session = """
        set default_transaction_isolation = 'read committed';
        set plan_cache_mode = force_generic_plan;
        set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off;
        select notice_history()
        """;

    // Whether it takes writes, its clock, where the feed ends for now, whether entries wait behind that, and which history it is of.
    private const string View = """
        select notice_history();
        with feed (settled) as materialized (select place_of(pg_snapshot_xmin(pg_current_snapshot())))
        select current_setting('transaction_read_only') = 'off', clock_timestamp(), settled, exists (select from entry where entry_id >= settled),
            (select history from store)
        from feed
        """;

    private readonly NpgsqlDataSource commits;

    public PostgresSources(string connectionString, ILoggerFactory? logs)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!SaysWhatIsPrepared(connectionString)) (settings.MaxAutoPrepare, settings.AutoPrepareMinUsages) = (PreparedStatements, UsesBeforePrepared);
        MaxReads = settings.MaxPoolSize;
        Reads = Build("reads", settings, logs);
        (settings.MinPoolSize, settings.MaxPoolSize) = (0, CommitConnections);
        commits = Build("commits", settings, logs);
    }

    /// <summary>For everything that is not committing or proving.</summary>
    public NpgsqlDataSource Reads { get; }

    /// <summary>How many connections <see cref="Reads"/> has at most.</summary>
    public int MaxReads { get; }

    /// <summary>Opens a connection to commit or prove on; throws <see cref="StoreUnavailableException"/>.</summary>
    public async Task<NpgsqlConnection> OpenCommits()
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await commits.OpenConnectionAsync();
            await using var session = new NpgsqlCommand(Session, connection);
            await session.ExecuteNonQueryAsync();
            return connection;
        }
        catch (Exception e) when (Faults.IsUnavailable(e))
        {
            if (connection is not null) await connection.DisposeAsync();
            throw Faults.Unavailable(e);
        }
    }

    /// <summary>Looks at the database, however busy reads and commits are; throws <see cref="StoreUnavailableException"/>.</summary>
    public async Task<StoreView> Look()
    {
        try
        {
            await using var connection = await commits.OpenConnectionAsync();
            await using var look = new NpgsqlCommand(View, connection);
            var before = ClockSkew.Now;
            await using var row = await look.ExecuteReaderAsync();
            await row.NextResultAsync();
            await row.ReadAsync();
            var after = ClockSkew.Now;
            var skew = ClockSkew.Between(before, row.GetFieldValue<Instant>(1), after);
            return new(row.GetBoolean(0), skew, row.GetInt64(2), row.GetBoolean(3), row.GetString(4));
        }
        catch (Exception e)
        {
            throw Faults.Told(e);
        }
    }

    /// <summary>Makes something durable that changes nothing; throws <see cref="StoreUnavailableException"/>.</summary>
    public async Task<CommitResult> Write()
    {
        try
        {
            await using var message = commits.CreateCommand("select pg_logical_emit_message(true, 'creditgrains', '')");
            await message.ExecuteScalarAsync();
            return new CommitResult.Done();
        }
        catch (Exception e)
        {
            throw Faults.Told(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await commits.DisposeAsync();
        await Reads.DisposeAsync();
    }

    // Behind some poolers nothing may be prepared.
    private static bool SaysWhatIsPrepared(string connectionString)
    {
        var said = new DbConnectionStringBuilder { ConnectionString = connectionString };
        return said.ContainsKey("Max Auto Prepare") || said.ContainsKey("MaxAutoPrepare");
    }

    // Metrics of the pool carry its name.
    private static NpgsqlDataSource Build(string name, NpgsqlConnectionStringBuilder settings, ILoggerFactory? logs)
    {
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
        builder.UseNodaTime();
        builder.UseLoggerFactory(logs);
        return builder.Build();
    }
}

/// <summary>What the driver's exceptions mean.</summary>
internal static class Faults
{
    public static StoreUnavailableException Unavailable(Exception cause) => new("PostgreSQL is away.", cause);

    /// <summary>What callers are told: no exception of the driver leaves the store.</summary>
    public static Exception Told(Exception fault) =>
        IsUnavailable(fault) ? Unavailable(fault)
        : fault is DbException ? new InvariantException($"the database carries out a statement ({fault.Message})")
        : fault;

    /// <summary>Whether the database is away, full or read-only, rather than a statement wrong.</summary>
    public static bool IsUnavailable(Exception fault) => fault is PostgresException told ? SaysUnavailable(told) : IsBroken(fault);

    /// <summary>Whether the connection is gone, so that nobody can tell what became of what was sent.</summary>
    public static bool IsBroken(Exception fault) => fault switch
    {
        PostgresException told => told.Severity is not "ERROR",
        NpgsqlException or TimeoutException or System.Net.Sockets.SocketException or IOException or ObjectDisposedException => true,
        _ => false,
    };

    /// <summary>Whether a row to insert was there already.</summary>
    public static bool IsTaken(Exception fault) => fault is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    /// <summary>Whether the same may succeed when it is sent again: somebody else was in the way.</summary>
    public static bool IsTransient(Exception fault) =>
        IsTaken(fault) || fault is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    // Connection, resources, a lock that is not to be had, operator intervention, system error, a standby.
    private static bool SaysUnavailable(PostgresException told) =>
        told.SqlState[..2] is "08" or "53" or "55" or "57" or "58"
        || told.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction || told.Severity is not "ERROR";
}
