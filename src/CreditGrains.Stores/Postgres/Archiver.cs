using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>
/// Moves old entries out of the ledger into a table of their own, <c>archived_entry_20250101</c>, beside silos that serve (G2 to G5). Nothing is moved that a
/// checkpoint does not count that is durable and must stay, so that it may be ended at any moment; the next run goes on.
/// </summary>
public static class Archiver
{
    // Any number, as long as all take the same.
    private const long Lock = 0x4172636869766572;

    // Rows are found by their indexes, whatever the statistics say.
    private const string Session = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";

    /// <summary>Archives the entries booked before an instant. Throws <see cref="DataRefusedException"/>.</summary>
    /// <param name="tell">Is told how far it has come.</param>
    public static async Task Archive(string connectionString, Instant before, Action<string> tell)
    {
        await Migrator.Check(connectionString);
        var progress = new ArchiveProgress(tell, TimeProvider.System);
        await Archive(connectionString, before, tell, Retention.AtOnce, progress.Add);
    }

    /// <param name="moved">Is told of each batch that was moved how many entries it had.</param>
    internal static async Task Archive(string connectionString, Instant before, Action<string> tell, int atOnce, Action<long> moved)
    {
        // Nothing ends a long statement but the operator; the lock is the connection's.
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0, Pooling = false }.ConnectionString);
        builder.UseNodaTime();
        await using var source = builder.Build();
        await using var connection = await source.OpenConnectionAsync();
        await Run(connection, Session);
        if (!(await connection.All(new Query<bool>($"select pg_try_advisory_lock({Lock})", row => row.Flag())))[0])
        {
            tell("Another process archives; waiting for it ...");
            await Run(connection, $"select pg_advisory_lock({Lock})");
        }

        var bound = await Bound(connection, before);
        tell(bound.Told);
        var contracts = await connection.All(new Query<string>(
            $"""
            select id from document where kind = '{DocumentKind.Contract}'
            and exists (select from entry where contract_id = id and entry_id <= $1 and {Retention.IsMoved})
            and not exists (select from checkpoint where contract_id = id and entry_id = $1 and archived_before is not null)
            """, row => row.Text(), Values.Of(bound.UpTo)));
        foreach (var contract in contracts) await PostgresStore.Archive(connection, contract, bound.UpTo, bound.Before);
        var total = await Move(connection, bound, atOnce, moved);
        tell(Retention.Result(total, $"the table {Table(bound)}"));
    }

    private static string Table(ArchiveBound bound) => $"archived_entry_{Retention.Name(bound.Before)}";

    // From here on the feed starts behind it.
    private static async Task<ArchiveBound> Bound(NpgsqlConnection connection, Instant before)
    {
        var present = (await connection.All(new Query<ArchiveBound?>(
            "select archived_before, archived_id from store", row => row.OptionalInstant() is { } at ? new(at, row.Number()) : null)))[0];
        Retention.Check(before, (await connection.All(new Query<Instant?>(
            "select (select booked_at from entry order by entry_id desc limit 1)", row => row.OptionalInstant())))[0]);
        var since = BookedSince.Surely(before);
        var first = (await connection.All(new Query<long>(BookedSince.Sql, row => row.Number(), Values.Of(since))))[0];
        var last = (await connection.All(new Query<long>(Retention.LastBooked, row => row.Number(), Values.Of(first), Values.Of(since))))[0];
        var settled = (await connection.All(new Query<long>("select place_of(pg_snapshot_xmin(pg_current_snapshot()))", row => row.Number())))[0];
        var bound = ArchiveBound.Of(present, before, Math.Min(last, settled - 1));
        if (bound != present)
            await connection.All(new Query<bool>(
                "update store set archived_before = $1, archived_id = $2", _ => true, Values.Of(bound.Before), Values.Of(bound.UpTo)));
        return bound;
    }

    private static async Task<long> Move(NpgsqlConnection connection, ArchiveBound bound, int atOnce, Action<long> moved)
    {
        var (total, behind) = (0L, 0L);
        while (await Last(behind) is { } last)
        {
            if (behind == 0) await Run(connection, $"create table if not exists {Table(bound)} (like {EntryRow.Table})");
            var batch = (await connection.All(new Query<long>(
                $"""
                with moved as (
                    delete from entry where entry_id > $1 and entry_id <= $2 and {Retention.IsMoved}
                    and exists (select from checkpoint c where c.contract_id = entry.contract_id and c.entry_id = $3 and c.archived_before is not null)
                    returning {Retention.Columns}),
                kept as (insert into {Table(bound)} ({Retention.Columns}) select {Retention.Columns} from moved)
                select count(*) from moved
                """, row => row.Number(), Values.Of(behind), Values.Of(last), Values.Of(bound.UpTo))))[0];
            moved(batch);
            (total, behind) = (total + batch, last);
        }
        return total;

        // Of the next batch.
        async Task<long?> Last(long after) => (await connection.All(new Query<long?>(
            $"""
            select max(entry_id) from (
                select entry_id from entry where entry_id > $1 and entry_id <= $2 and {Retention.IsMoved} order by entry_id limit $3) batch
            """, row => row.OptionalNumber(), Values.Of(after), Values.Of(bound.UpTo), Values.Of(atOnce))))[0];
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
