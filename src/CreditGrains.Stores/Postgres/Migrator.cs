using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>Makes the schema in an empty database, one silo at a time, and refuses what cannot be used safely.</summary>
public static class Migrator
{
    /// <summary>The schema that this program reads and writes.</summary>
    public const int Version = 1;

    // Any number, as long as every silo takes the same.
    private const long Lock = 0x43726564697473;

    // Settings that an answer's durability and the feed's order hang on (R5), and what each must not be.
    private static readonly (string Name, string Unsafe)[] Durability = [("synchronous_commit", "off"), ("fsync", "off"), ("full_page_writes", "off")];

    /// <summary>
    /// Makes the schema where there is none. Nothing limits its time; of several at once one works and the others wait. Throws
    /// <see cref="DataRefusedException"/> where the server's settings or the data in the database forbid to start.
    /// </summary>
    /// <param name="tell">Is told what takes its time.</param>
    /// <returns>Whether there was anything to do.</returns>
    public static async Task<bool> Migrate(string connectionString, Action<string> tell, CancellationToken cancel = default)
    {
        await using var connection = await Open(connectionString, cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (!await Value<bool>(connection, $"select pg_try_advisory_xact_lock({Lock})", cancel))
        {
            tell("Another process works on the schema; waiting for it ...");
            await Execute(connection, $"select pg_advisory_xact_lock({Lock})", cancel);
        }
        var isOurs = await IsOurs(connection, cancel);
        if (isOurs)
        {
            await CheckVersion(connection, cancel);
        }
        else
        {
            await CheckEmpty(connection, cancel);
            foreach (var script in new[] { "credits.sql", "orleans.sql" }) await Execute(connection, await Script(script, cancel), cancel);
        }
        await Execute(connection, "select notice_history()", cancel);
        await transaction.CommitAsync(cancel);
        return !isOurs;
    }

    /// <inheritdoc cref="Migrate(string, Action{string}, CancellationToken)"/>
    public static Task Migrate(string connectionString, CancellationToken cancel = default) => Migrate(connectionString, _ => { }, cancel);

    /// <summary>Changes nothing of the schema; throws <see cref="DataRefusedException"/> also where it is not this program's.</summary>
    public static async Task Check(string connectionString, CancellationToken cancel = default)
    {
        await using var connection = await Open(connectionString, cancel);
        if (!await IsOurs(connection, cancel))
            throw new DataRefusedException("--migrate off: the database has no schema of CreditGrains; run the command migrate first.");
        await CheckVersion(connection, cancel);
        await Execute(connection, "select notice_history()", cancel);
    }

    // A script may take hours, and is not ended by anybody's timeout. A busy machine may be slow to let the first connection in.
    private static async Task<NpgsqlConnection> Open(string connectionString, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0, Pooling = false };
        settings.Timeout = Math.Max(settings.Timeout, 30);
        var connection = new NpgsqlConnection(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancel);
            await CheckSettings(connection, cancel);
            await CheckPooler(connectionString, connection, cancel);
            await CheckClock(connection, cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static Task<bool> IsOurs(NpgsqlConnection connection, CancellationToken cancel) =>
        Value<bool>(connection, "select to_regclass('store') is not null", cancel);

    // A pooler tells a process of its own; one that hands out a server for a transaction gives two clients the same one.
    private static async Task CheckPooler(string connectionString, NpgsqlConnection connection, CancellationToken cancel)
    {
        var server = await Value<int>(connection, "select pg_backend_pid()", cancel);
        if (server == connection.ProcessID) return;
        await using var other = new NpgsqlConnection(connectionString);
        await other.OpenAsync(cancel);
        await using var transaction = await other.BeginTransactionAsync(cancel);
        if (await Value<int>(other, "select pg_backend_pid()", cancel) == server)
            throw new DataRefusedException(
                "--postgres goes through a pooler that changes servers between transactions, which loses settings and prepared statements; "
                + "use its session mode, or connect directly.");
    }

    private static async Task CheckSettings(NpgsqlConnection connection, CancellationToken cancel)
    {
        foreach (var (name, @unsafe) in Durability)
        {
            if (await Value<string>(connection, $"show {name}", cancel) == @unsafe)
                throw new DataRefusedException($"PostgreSQL has {name} = {@unsafe}, so that what was answered could be lost; set it to on.");
        }
        if (await Value<string>(connection, "show server_encoding", cancel) is not "UTF8" and var encoding)
            throw new DataRefusedException($"The database has the encoding {encoding}; create it with UTF8.");
    }

    private static async Task CheckClock(NpgsqlConnection connection, CancellationToken cancel)
    {
        var skew = await ClockSkew.Of(connection, cancel);
        if (!StoreHealth.Agree(skew))
            throw new DataRefusedException(
                $"This machine's clock is {Math.Abs(skew.TotalSeconds):F1} s "
                + $"{(skew > Duration.Zero ? "ahead of" : "behind")} the database's; set both by NTP.");
    }

    private static async Task CheckVersion(NpgsqlConnection connection, CancellationToken cancel)
    {
        var version = await Value<int?>(connection, "select version from store", cancel)
            ?? throw new DataRefusedException("The database is being restored, or its restore has failed; start when it is whole.");
        if (version != Version)
            throw new DataRefusedException($"The database has schema {version} and this program knows schema {Version}; start the version of CreditGrains that wrote it.");
    }

    // Pre-releases numbered their schemas in a table of their own.
    private static async Task CheckEmpty(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (await Value<bool>(connection, "select to_regclass('schema_version') is not null", cancel))
        {
            var earlier = await Value<int>(connection, "select coalesce(max(version), 0) from schema_version", cancel);
            throw new DataRefusedException(
                $"The data was written by an earlier pre-release of CreditGrains (schema {earlier}) and cannot be used; start with an empty database.");
        }
        if (await Value<bool>(connection, "select coalesce(to_regclass('document'), to_regclass('credit'), to_regclass('entry')) is not null", cancel))
            throw new DataRefusedException("The database has tables of something else with the names of CreditGrains' own; start with an empty database.");
    }

    private static async Task<string> Script(string name, CancellationToken cancel)
    {
        using var reader = new StreamReader(typeof(Migrator).Assembly.GetManifestResourceStream($"postgres.{name}")!);
        return await reader.ReadToEndAsync(cancel);
    }

    private static async Task<T> Value<T>(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var query = new NpgsqlCommand(sql, connection);
        return (T)(await query.ExecuteScalarAsync(cancel))!;
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
