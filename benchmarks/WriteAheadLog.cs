using Npgsql;

namespace CreditGrains.Bench;

/// <summary>Rows and index entries that PostgreSQL wrote.</summary>
internal sealed record Written(long Rows, long IndexEntries);

/// <summary>What one PostgreSQL wrote, as its write-ahead log tells it.</summary>
internal sealed class WriteAheadLog(string postgres) : IAsyncDisposable
{
    private readonly NpgsqlDataSource source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres) { MaxPoolSize = 2 }.ConnectionString);

    /// <summary>Bytes written since the database was made.</summary>
    public async Task<long> Position()
    {
        await using var command = source.CreateCommand("select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>What was written between two positions; null where the log no longer has it, or PostgreSQL comes without pg_walinspect.</summary>
    public async Task<Written?> Between(long from, long to)
    {
        if (from == to) return new(0, 0);
        try
        {
            await using (var extend = source.CreateCommand("create extension if not exists pg_walinspect")) await extend.ExecuteNonQueryAsync();

            // The split of a leaf writes an entry, too.
            await using var command = source.CreateCommand("""
                select (coalesce(sum(count) filter (where kind ~ '^Heap/(INSERT|UPDATE|HOT_UPDATE|DELETE)'), 0))::bigint,
                       (coalesce(sum(count) filter (where kind ~ '^Btree/(INSERT_LEAF|INSERT_POST|SPLIT)'), 0))::bigint
                from pg_get_wal_stats('0/0'::pg_lsn + $1, '0/0'::pg_lsn + $2, true) s(kind, count)
                """);
            command.Parameters.Add(new() { Value = (decimal)from });
            command.Parameters.Add(new() { Value = (decimal)to });
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            return new(reader.GetInt64(0), reader.GetInt64(1));
        }
        catch (PostgresException)
        {
            return null;
        }
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
