using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>Brings a database to this program's schema: numbered scripts, each once, one silo at a time. A later schema is refused.</summary>
public static class Migrator
{
    // Any number, as long as every silo takes the same.
    private const long Lock = 0x43726564697473;

    public static async Task Migrate(NpgsqlDataSource source, CancellationToken cancel = default)
    {
        var scripts = Scripts();
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await Execute(connection, $"select pg_advisory_xact_lock({Lock})", cancel);
        await Execute(connection, "create table if not exists schema_version (version integer primary key, applied_at timestamptz not null default now())", cancel);
        await using var query = new NpgsqlCommand("select coalesce(max(version), 0) from schema_version", connection);
        var present = (int)(await query.ExecuteScalarAsync(cancel))!;
        if (present > scripts.Count) throw new InvalidOperationException($"The database has schema {present}; this program knows {scripts.Count}. It was written by a later version of CreditGrains.");

        foreach (var (version, sql) in scripts.Where(script => script.Version > present))
        {
            await Execute(connection, sql, cancel);
            await Execute(connection, $"insert into schema_version (version) values ({version})", cancel);
        }
        await transaction.CommitAsync(cancel);
    }

    /// <summary>The scripts in their order, numbered from 1.</summary>
    public static IReadOnlyList<(int Version, string Sql)> Scripts()
    {
        var assembly = typeof(Migrator).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(name => name.StartsWith("postgres.", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select((name, i) =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return (i + 1, reader.ReadToEnd());
        })];
    }

    private static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
