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
    public async Task Beside_an_archive_whoever_reads_writes_or_leaves_checkpoints_finds_the_books_as_they_were_G2_G3()
    {
        await using var database = await PostgresDatabase.New(isQuiet: true);
        var store = database.Store;
        var books = new Books(store);
        await Live(store, store, days: 40);
        var known = Books.Start + Duration.FromDays(36);
        var before = await Answers();

        var archive = database.Archive(Books.Start + Duration.FromDays(35), 2, _ => { });
        await Task.WhenAll(Until(Read), Until(() => store.WriteCheckpoints("C", 3)), Until(Write), archive);
        await Read();
        Assert.NotNull((await store.Audit("C", isFull: true))!.Checkpoint);

        async Task Until(Func<Task> act)
        {
            do await act();
            while (!archive.IsCompleted);
        }

        async Task Read()
        {
            Assert.Equal(before, await Answers());
            Assert.Empty((await store.Audit("C"))!.Differences);
            Assert.Empty((await store.Audit("C", isFull: true))!.Differences);
        }

        async Task<string> Answers() =>
            $"{Json.Write(await store.Balance("C", known, known))} {Json.Write(await store.Statement("C", new(2026, 4, 6), new(2026, 4, 8), known))}";

        async Task Write()
        {
            await books.Advance((books.Now == Books.Start ? Books.Start + Duration.FromDays(50) : books.Now) + Duration.FromMinutes(1));
            Assert.NotNull(await books.Report($"{books.Now}", "C", "U", [$"{books.Now}"]));
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
    private static async Task<List<long>> Live(IStore store, IQueries queries, int days = 10)
    {
        var books = new Books(store);
        await books.Agree("C", 0, ["U"]);
        await books.Grant("C", "L", 1_000, expiresAt: Books.Start + Duration.FromDays(300));
        for (var day = 0; day < days; day++)
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
