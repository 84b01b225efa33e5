using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// Moves old entries out of the ledger into a file of their own beside the data, <c>archived-20250101.db</c> (G2 to G5). Nothing is moved that a
/// checkpoint does not count that is durable and must stay, so that it may be ended at any moment; the next run goes on.
/// </summary>
public static class SqliteArchiver
{
    /// <summary>Archives the entries booked before an instant, of data that no other process uses. Throws <see cref="DataRefusedException"/>.</summary>
    /// <param name="tell">Is told how far it has come.</param>
    public static void Archive(string directory, Instant before, Action<string> tell)
    {
        var file = Path.Combine(directory, SqliteStore.FileName);
        if (!File.Exists(file)) throw new DataRefusedException($"{directory} has no data of CreditGrains: name its directory by --data.");
        using var mine = SqliteStore.Lock(directory);
        DataFile.Check(file);
        try
        {
            using var database = new Database(file);
            Schema.Prepare(database);
            var progress = new ArchiveProgress(tell, TimeProvider.System);
            Archive(database, directory, before, tell, Retention.AtOnce, progress.Add);
            tell("Giving the room back ...");
            database.Run("vacuum");
            database.Run("pragma wal_checkpoint(truncate)");
        }
        catch (SqliteException e)
        {
            throw new DataRefusedException($"{directory} cannot be archived: {e.Message} What was moved is moved; the next run goes on.", e);
        }
    }

    /// <param name="moved">Is told of each batch that was moved how many entries it had.</param>
    internal static void Archive(Database database, string directory, Instant before, Action<string> tell, int atOnce, Action<long> moved)
    {
        var bound = Bound(database, before);
        tell(bound.Told);
        var contracts = database[
            $"""
            select id from document where kind = '{DocumentKind.Contract}'
            and exists (select 1 from entry where contract_id = id and entry_id <= ? and {Retention.IsMoved})
            and not exists (select 1 from checkpoint where contract_id = id and entry_id = ? and archived_before is not null)
            """].Bind(bound.UpTo).Bind(bound.UpTo).All(row => row.Text());
        foreach (var contract in contracts)
            Transact(database, () => Checkpoints.Archive(database, contract, bound.UpTo, bound.Before));
        var name = $"archived-{Retention.Name(bound.Before)}.db";
        tell(Retention.Result(Move(database, Path.Combine(directory, name), bound.UpTo, atOnce, moved), name));
    }

    // From here on the feed starts behind it.
    private static ArchiveBound Bound(Database database, Instant before)
    {
        var present = database["select archived_before, archived_id from retention"].First(row => new ArchiveBound(row.Instant(), row.Number()));
        Retention.Check(before, database["select (select booked_at from entry order by entry_id desc limit 1)"].All(row => row.OptionalInstant())[0]);
        var since = BookedSince.Surely(before);
        var first = database[BookedSince.Sql].Bind(since).All(row => row.Number())[0];
        var bound = ArchiveBound.Of(present, before, database[Retention.LastBooked].Bind(first).Bind(since).All(row => row.Number())[0]);
        if (bound != present)
        {
            Transact(database, () =>
            {
                database.Run("delete from retention");
                database["insert into retention (archived_before, archived_id) values (?, ?)"].Bind(bound.Before).Bind(bound.UpTo).Run();
            });
        }
        return bound;
    }

    // A commit to two files is not one: what is copied twice is there once.
    private static long Move(Database database, string file, long upTo, int atOnce, Action<long> moved)
    {
        const string Batch = "entry_id > ? and entry_id <= ?";
        var isCounted = $"""
            {Retention.IsMoved}
            and exists (select 1 from checkpoint c where c.contract_id = entry.contract_id and c.entry_id = ? and c.archived_before is not null)
            """;
        var (total, behind) = (0L, 0L);
        while (Last() is { } last)
        {
            if (behind == 0) Open(database, file);
            Do($"insert or ignore into archive.entry ({Retention.Columns}) select {Retention.Columns} from main.entry where {Batch} and {isCounted}", last);
            var batch = Do($"delete from main.entry where {Batch} and {isCounted}", last);
            moved(batch);
            (total, behind) = (total + batch, last);
        }
        return total;

        // Of the next batch.
        long? Last() => database[
            $"select max(entry_id) from (select entry_id from entry where {Batch} and {Retention.IsMoved} order by entry_id limit ?)"]
            .Bind(behind).Bind(upTo).Bind(atOnce).All(row => row.OptionalNumber())[0];

        int Do(string sql, long last) => database[sql].Bind(behind).Bind(last).Bind(upTo).Run();
    }

    private static void Open(Database database, string file)
    {
        database["attach ? as archive"].Bind(file).Run();
        database.Run("pragma main.synchronous = full");
        database.Run("pragma archive.synchronous = full");
        database.Run($"create table if not exists archive.entry as select {Retention.Columns} from main.entry limit 0");
        database.Run("create unique index if not exists archive.entry_id on entry (entry_id)");
    }

    private static void Transact(Database database, Action write)
    {
        database.Run("begin immediate");
        try
        {
            write();
            database.Run("commit");
        }
        finally
        {
            database.RollBack();
        }
    }
}
