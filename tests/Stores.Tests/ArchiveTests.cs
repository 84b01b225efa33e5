using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Postgres;
using CreditGrains.Stores.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Where archived entries are, and who may archive.</summary>
[Collection(PostgresServers.Quiet)]
public sealed class ArchiveTests
{
    private static readonly Instant Before = Books.Start + Duration.FromDays(6);

    [Fact]
    public async Task On_PostgreSQL_they_are_in_a_table_and_of_two_archives_at_once_one_works()
    {
        await using var database = await PostgresDatabase.New(isQuiet: true);
        var lost = await Live(database.Store, database.Store);
        var said = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Archiver.Archive(database.ConnectionString, Before, Tell)));

        Assert.Single(said, $"{lost.Count} entries moved to the table archived_entry_20260307.");
        Assert.Single(said, "Nothing is left to move.");
        Assert.Equal(lost.Count, await database.Value<long>("select count(distinct entry_id) from archived_entry_20260307"));
        Assert.Equal(lost.Count, await database.Value<long>("select count(*) from archived_entry_20260307"));
        Assert.Empty(lost.Intersect((await Ledger(database.Store)).Select(booked => booked.EntryId)));

        void Tell(string line)
        {
            lock (said) said.Add(line);
        }
    }

    [Fact]
    public async Task Of_the_embedded_store_they_are_in_a_file_beside_the_data_which_nobody_else_may_use()
    {
        using var directory = new TempDirectory();
        var (data, said) = (Path.Combine(directory.Path, "data"), new List<string>());
        Refused("has no data of CreditGrains");
        List<long> lost;
        using (var store = SqliteStore.Open(data))
        {
            lost = await Live(store, store);
            Refused("is in use by another process");
        }
        SqliteArchiver.Archive(data, Before, said.Add);
        Assert.Contains($"{lost.Count} entries moved to archived-20260307.db.", said);
        using (var archive = new Database(Path.Combine(data, "archived-20260307.db")))
            Assert.Equal(lost, archive["select entry_id from entry order by entry_id"].All(row => row.Number()));
        using var again = SqliteStore.Open(data);
        Assert.Empty(lost.Intersect((await Ledger(again)).Select(booked => booked.EntryId)));

        void Refused(string naming) =>
            Assert.Contains(naming, Assert.Throws<DataRefusedException>(() => SqliteArchiver.Archive(data, Before, said.Add)).Message);
    }

    // A report a day; answers which entries an archive moves.
    private static async Task<List<long>> Live(IStore store, IQueries queries)
    {
        var books = new Books(store);
        await books.Agree("C", 100, ["U"]);
        for (var day = 0; day < 10; day++)
        {
            await books.Advance(Books.Start + Duration.FromDays(day));
            Assert.NotNull(await books.Report($"R{day}", "C", "U", [$"P{day}"]));
        }
        return
        [
            .. (await Ledger(queries)).Where(booked => booked.Entry.Kind == EntryKind.CreditsCharged && booked.Entry.BookedAt < Before)
                .Select(booked => booked.EntryId),
        ];
    }

    private static async Task<IEnumerable<BookedEntry>> Ledger(IQueries queries) => (await queries.Ledger(new(null, null, null, null), new(1_000, null))).Items;
}
