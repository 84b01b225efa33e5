using CreditGrains.Editions;
using CreditGrains.Grains;
using CreditGrains.Stores.Postgres;
using Npgsql;

namespace CreditGrains.Stores.Tests;

/// <summary>What a server or a database must be like to be used, and the feed after a restore (G4, F2).</summary>
[Collection(PostgresServers.Quiet)]
public sealed class PostgresRestoreTests
{
    private static readonly FeedFilter All = new(null, null);

    [Fact]
    public async Task After_a_restore_into_another_server_the_feed_has_all_entries_in_order_and_cursors_of_before_are_gone_G4()
    {
        await using var database = await PostgresDatabase.New(isQuiet: true);
        var contract = new Reporting("C");
        await database.Store.Commit(contract.Begin);
        for (var i = 0; i < 300; i++) await database.Run("select pg_current_xact_id()");
        for (var i = 0; i < 20; i++) await database.Store.Commit(contract.Report($"R{i}", 2));
        var before = (await database.Store.Feed(All, await database.Store.FeedStart(), 100)).Select(fed => fed.Booked).ToList();
        var cursor = await database.Store.FeedEnd();
        Assert.Equal(21, before.Count);

        // The same database once more is the same history.
        await Migrator.Migrate(database.ConnectionString, TestContext.Current.CancellationToken);
        Assert.Equal(cursor, await database.Store.FeedEnd());

        await using var another = new ServerOfItsOwn();
        var restored = await another.Restore(database.ConnectionString);
        await Migrator.Migrate(restored, TestContext.Current.CancellationToken);
        await using var store = PostgresStore.Open(restored);

        await Assert.ThrowsAsync<CursorGoneException>(() => store.Feed(All, cursor, 100));
        var start = await store.FeedStart();
        Assert.Equal(before, (await store.Feed(All, start, 100)).Select(fed => fed.Booked));
        Assert.Equal(before[^1].EntryId, (await store.FeedEnd()).EntryId);
        var end = await store.FeedEnd();
        for (var i = 20; i < 25; i++) Assert.IsType<CommitResult.Done>(await store.Commit(contract.Report($"R{i}", 2)));
        var added = await store.Feed(All, end, 100);
        Assert.Equal(["R20", "R21", "R22", "R23", "R24"], added.Select(fed => fed.Booked.Entry.ReportId));
        Assert.All(added, fed => Assert.True(fed.Booked.EntryId > before[^1].EntryId));
        Assert.Equal(added.Select(fed => fed.Booked), (await store.Ledger(new(null, null, null, null), new(100, Cursor.After("ledger", before[^1].EntryId)))).Items);
    }

    // The row that says which history it is comes with the data.
    [Fact]
    public async Task A_silo_that_looks_at_a_database_while_it_is_restored_writes_nothing_there_G4()
    {
        await using var database = await PostgresDatabase.New(isQuiet: true);
        await database.Run("create table kept as select * from store; delete from store");
        await Assert.ThrowsAnyAsync<Exception>(database.Store.Look);
        await Assert.ThrowsAsync<DataRefusedException>(() => Migrator.Check(database.ConnectionString, TestContext.Current.CancellationToken));
        await database.Run("insert into store select * from kept");
        Assert.NotEqual("", (await database.Store.Look()).History);
    }

    [Fact]
    public async Task A_server_that_could_lose_what_was_answered_is_refused_R5()
    {
        await using var own = new ServerOfItsOwn();
        var empty = await own.NewDatabase();
        await Refused(new NpgsqlConnectionStringBuilder(empty) { Options = "-c synchronous_commit=off" }.ConnectionString, "synchronous_commit");
        foreach (var setting in new[] { "fsync", "full_page_writes" })
        {
            await own.Run(empty, $"alter system set {setting} = off");
            await own.Run(empty, "select pg_reload_conf()");
            await Refused(empty, setting, retry: true);
            await own.Run(empty, $"alter system reset {setting}");
            await own.Run(empty, "select pg_reload_conf()");
        }
        await own.Run(empty, "create database ascii encoding 'SQL_ASCII' template template0");
        await Refused(new NpgsqlConnectionStringBuilder(empty) { Database = "ascii" }.ConnectionString, "SQL_ASCII");
    }

    [Fact]
    public async Task A_database_of_another_version_is_refused()
    {
        await using var own = new ServerOfItsOwn();
        var earlier = await own.NewDatabase();
        await own.Run(earlier, "create table schema_version (version integer primary key, applied_at timestamptz not null default now()); insert into schema_version values (7)");
        await Refused(earlier, "earlier pre-release of CreditGrains (schema 7)");

        var others = await own.NewDatabase();
        await own.Run(others, "create table document (id integer)");
        await Refused(others, "empty database");

        var later = await own.NewDatabase();
        await Migrator.Migrate(later, TestContext.Current.CancellationToken);
        await Migrator.Migrate(later, TestContext.Current.CancellationToken);
        await own.Run(later, "update store set version = 2");
        await Refused(later, "schema 2");
    }

    // A setting that was reloaded shows a moment later.
    private static async Task Refused(string connectionString, string said, bool retry = false)
    {
        for (var tries = 0; ; tries++)
        {
            NpgsqlConnection.ClearAllPools();
            var fault = await Record.ExceptionAsync(() => Migrator.Migrate(connectionString, TestContext.Current.CancellationToken));
            if (fault is null && retry && tries < 50)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
                continue;
            }
            Assert.Contains(said, Assert.IsType<DataRefusedException>(fault).Message, StringComparison.Ordinal);
            return;
        }
    }

    /// <summary>Another server, with a number of transactions of its own.</summary>
    private sealed class ServerOfItsOwn : IAsyncDisposable
    {
        private ScratchPostgres? postgres;

        public async Task<string> NewDatabase() => await (postgres ??= await ScratchPostgres.New()).NewDatabase();

        public async Task Run(string connectionString, string sql)
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        /// <summary>Dumps a database and restores it here.</summary>
        public async Task<string> Restore(string connectionString)
        {
            var (from, to) = (new NpgsqlConnectionStringBuilder(connectionString), new NpgsqlConnectionStringBuilder(await NewDatabase()));
            var file = Path.GetTempFileName();
            try
            {
                await Child.Run("pg_dump", [.. Of(from), "--format=custom", $"--file={file}", from.Database!]);
                await Child.Run("pg_restore", [.. Of(to), $"--dbname={to.Database}", "--exit-on-error", file]);
                return to.ConnectionString;
            }
            finally
            {
                File.Delete(file);
            }

            static string[] Of(NpgsqlConnectionStringBuilder at) => [$"--host={at.Host}", $"--port={at.Port}", $"--username={at.Username}"];
        }

        public async ValueTask DisposeAsync()
        {
            if (postgres is not null) await postgres.DisposeAsync();
        }
    }
}
