using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using Microsoft.Data.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>
/// The embedded store as a file: who may open it, what it does when the disk is full, what a restart finds, and how it reads.
/// </summary>
public sealed class SqliteStoreTests : IDisposable
{
    private static readonly Commit First = new("acme", [Samples.Document]), Second =
        new("acme", [Samples.Document with { Expected = 1, Version = 2, Body = "other" }]);

    private readonly TempDirectory directory = new();

    private string File => Path.Combine(directory.Path, "credits.db");

    public void Dispose() => directory.Dispose();

    [Fact]
    public void The_schema_has_the_columns_that_the_rows_are_described_by()
    {
        SqliteStore.Open(directory.Path).Dispose();
        using var database = new Database(File);
        foreach (var kind in Enum.GetValues<RowKind>()) Assert.Equal(Described(kind), Columns(Row.Of(kind).Table));
        Assert.Equal(EntryRow.Columns.Select(column => column.Name).Append(EntryRow.Id).Order(), Columns(EntryRow.Table));
        foreach (var kind in Enum.GetValues<RowKind>())
        {
            var key = database[$"select name from pragma_table_info('{Row.Of(kind).Table}') where pk > 0 order by pk"]
                .All(row => row.Text());
            Assert.Equal(Row.Of(kind).Key.Select(column => column.Name), key);
        }

        List<string> Columns(string table) =>
            [.. database[$"select name from pragma_table_info('{table}')"].All(row => row.Text()).Order()];

        static IEnumerable<string> Described(RowKind kind)
        {
            var row = Row.Of(kind);
            var columns = (System.Collections.IEnumerable)row.GetType().GetProperty("Columns")!.GetValue(row)!;
            return row.Key.Select(column => column.Name)
                .Concat(columns.Cast<object>().Select(column => (string)column.GetType().GetProperty("Name")!.GetValue(column)!)).Order();
        }
    }

    [Fact]
    public async Task R5_a_store_that_is_opened_again_has_what_was_answered()
    {
        using (var store = SqliteStore.Open(directory.Path)) Assert.IsType<CommitResult.Done>(await store.Commit(First));
        using var again = SqliteStore.Open(directory.Path);

        Assert.Equal(Samples.AsRead(Samples.Document), await again.Document("thing", "T"));
        Assert.IsType<CommitResult.Conflict>(await again.Commit(First));
    }

    [Fact]
    public void A_closed_store_is_one_file_without_a_log()
    {
        SqliteStore.Open(directory.Path).Dispose();

        Assert.Equal(["credits.db", "history", "lock"], Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_second_process_is_refused()
    {
        using var first = SqliteStore.Open(directory.Path);

        var refused = Assert.Throws<DataRefusedException>(() => SqliteStore.Open(directory.Path));
        Assert.Contains("in use by another process", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_store_gets_its_schema_once_and_is_opened_as_it_is_from_then_on()
    {
        SqliteStore.Open(directory.Path).Dispose();
        var first = Ask("select group_concat(sql) from sqlite_schema");
        SqliteStore.Open(directory.Path).Dispose();

        Assert.Equal(first, Ask("select group_concat(sql) from sqlite_schema"));
        Assert.Equal($"{Schema.Present}", Ask("pragma user_version"));
        Assert.Equal("1", Ask("select count(*) from mark"));
    }

    [Fact]
    public void A_store_of_a_later_version_is_refused_and_let_go()
    {
        SqliteStore.Open(directory.Path).Dispose();
        Ask($"pragma user_version = {Schema.Present + 1}");

        var refused = Assert.Throws<DataRefusedException>(() => SqliteStore.Open(directory.Path));
        Assert.Contains($"has schema {Schema.Present + 1}", refused.Message, StringComparison.Ordinal);

        Ask($"pragma user_version = {Schema.Present}");
        SqliteStore.Open(directory.Path).Dispose();
    }

    [Theory, InlineData(1), InlineData(6)]
    public void A_store_of_a_pre_release_is_refused_in_a_clear_sentence_and_left_as_it_is(int schema)
    {
        Ask($"create table documents (kind text); pragma user_version = {schema}");

        var refused = Assert.Throws<DataRefusedException>(() => SqliteStore.Open(directory.Path));

        Assert.Equal($"The data was written by an earlier pre-release of CreditGrains (schema {schema}) and cannot be used; start with an empty directory.", refused.Message);
        Assert.Equal("documents", Ask("select group_concat(name) from sqlite_schema"));
        Assert.Equal($"{schema}", Ask("pragma user_version"));
    }

    [Fact]
    public async Task R5_a_full_disk_is_said_and_nothing_that_was_answered_is_lost()
    {
        using var store = SqliteStore.Open(directory.Path);
        store.WriterConnection.Run("pragma max_page_count = 120");
        var answered = 0;
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            for (; ; answered++) Assert.IsType<CommitResult.Done>(await store.Commit(Filling(answered)));
        });
        Assert.NotEqual(0, answered);
        Assert.Equal(answered, (await store.Reports(new(null, null, null, null, null), new(1_000, null))).Items.Length);

        store.WriterConnection.Run("pragma max_page_count = 1000000");
        Assert.IsType<CommitResult.Done>(await store.Commit(Filling(answered)));
        Assert.Equal(answered + 1, (await store.Reports(new(null, null, null, null, null), new(1_000, null))).Items.Length);

        static Commit Filling(int number) =>
            new("acme", [(Samples.Report with { ReportId = $"R{number}", Players = [new(new('p', 2_000), PlayerCharge.New, null, null)] }).Made()]);
    }

    [Fact]
    public async Task A_locked_file_is_said_and_waited_for_no_longer_than_it_is_locked()
    {
        using var store = SqliteStore.Open(directory.Path);
        store.WriterConnection.Run("pragma busy_timeout = 1");
        using (var other = Connect())
        {
            using var transaction = other.BeginTransaction();
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(First));
        }
        Assert.IsType<CommitResult.Done>(await store.Commit(First));
    }

    [Fact]
    public async Task R5_a_disk_that_may_only_be_read_is_said_and_what_was_answered_is_read_on()
    {
        using var store = SqliteStore.Open(directory.Path);
        Assert.IsType<CommitResult.Done>(await store.Commit(First));

        store.WriterConnection.Run("pragma query_only = 1");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(Second));
        Assert.Equal(Samples.Document.Body, (await store.Document("thing", "T"))!.Body);

        store.WriterConnection.Run("pragma query_only = 0");
        Assert.IsType<CommitResult.Done>(await store.Commit(Second));
    }

    [Fact]
    public async Task A_closed_store_is_away()
    {
        var store = SqliteStore.Open(directory.Path);
        store.Dispose();
        store.Dispose();

        await Assert.ThrowsAsync<StoreUnavailableException>(store.Look);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(First));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(new("acme", Changes.None)));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Forget(Samples.Now));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.CommitAlone(new("acme", "C"), _ => First));
    }

    [Fact]
    public async Task A_commit_that_cannot_be_written_marks_no_neighbour()
    {
        using var store = SqliteStore.Open(directory.Path);
        Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", [Samples.Report.Made()])));
        var broken = new Commit("acme", [Samples.Lot, Samples.Entry with { Cause = null! }]);

        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i => i % 10 == 0
            ? (await Record.ExceptionAsync(() => store.Commit(broken)))!.GetType().Name
            : (await store.Commit(new("acme", [(Samples.Report with { ReportId = i % 10 == 1 ? "R" : $"R{i}" }).Made()]))).GetType().Name));

        Assert.Equal(80, results.Count(result => result == nameof(CommitResult.Done)));
        Assert.Equal(10, results.Count(result => result == nameof(CommitResult.Conflict)));
        Assert.Equal(10, results.Count(result => result == nameof(InvariantException)));
        Assert.Equal(81, (await store.Reports(new(null, null, null, null, null), new(1_000, null))).Items.Length);
        Assert.Null(await store.Lot("C", "L"));
    }

    [Fact]
    public async Task Commits_that_come_together_share_transactions()
    {
        using var store = SqliteStore.Open(directory.Path);
        using var commits = new Counted(store.Metrics.Commits);
        using var transactions = new Counted(store.Metrics.Transactions);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => store.Commit(new("acme", [(Samples.Report with { ReportId = $"{i}" }).Made()]))));

        Assert.Equal(64, commits.Total);
        Assert.InRange(transactions.Total, 1, 32);
    }

    [Fact]
    public async Task A_commit_of_guards_alone_writes_nothing()
    {
        using var store = SqliteStore.Open(directory.Path);
        Assert.IsType<CommitResult.Done>(await store.Commit(First));
        using var transactions = new Counted(store.Metrics.Transactions);
        var log = new FileInfo($"{File}-wal").Length;

        Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", Changes.None.RestingOn(new Guard(Samples.Document.Row, 1)))));
        Assert.IsType<CommitResult.Conflict>(await store.Commit(new("acme", Changes.None.RestingOn(new Guard(Samples.Document.Row, 2)))));

        Assert.Equal(log, new FileInfo($"{File}-wal").Length);
        Assert.Equal(0, transactions.Total);
    }

    [Fact]
    public async Task A_document_of_a_later_schema_is_nobody_elses_trouble()
    {
        using var store = SqliteStore.Open(directory.Path);
        var books = new Books(store);
        await books.Agree("A", 5, ["U"]);
        await books.Agree("B", 5, ["U"], clientId: "bolt");
        var document = (await store.Document(DocumentKind.Contract, "A"))!;
        await store.Commit(new("acme", [Of(document.Version, """{"schema":9,"value":{}}""")]));

        for (var i = 0; i < 6; i++)
        {
            await Assert.ThrowsAsync<UnknownSchemaException>(() => store.Contracts("acme", new(10, null)));
            await Assert.ThrowsAsync<UnknownSchemaException>(() => ((IQueries)store).Contract("A"));
            await Assert.ThrowsAsync<UnknownSchemaException>(() => store.Memberships(new("acme", "U"), new(10, null)));
            Assert.Single((await store.Contracts("bolt", new(10, null))).Items);
        }
        Assert.Equal(0, Checkpoint());

        DocumentChange Of(long version, string body) => new(DocumentKind.Contract, "A", version, version, body, "acme", Books.Start, null);
    }

    [Fact]
    public async Task A_reader_that_throws_leaves_its_statement_ready_and_no_transaction_open()
    {
        using var store = SqliteStore.Open(directory.Path);
        await new Books(store).Agree("A", 5, ["U", "V"]);
        Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", [(Samples.Report with { ContractId = "A" }).Made()])));
        Ask("update member set settings = 'not JSON' where user_id = 'U'; update report set players = 'not JSON'; update lot set source = 'nowhere'");

        for (var i = 0; i < 6; i++)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => store.Users("A", new(10, null)));
            await Assert.ThrowsAnyAsync<Exception>(() => store.Members("A"));
            await Assert.ThrowsAnyAsync<Exception>(() => store.Report(new("acme", "R")));
            await Assert.ThrowsAnyAsync<Exception>(() => store.Lot("A", "L1"));
            await Assert.ThrowsAnyAsync<Exception>(() =>
                store.Credits(new(null, null, null, null, null, null, null), Books.Start, new(10, null)));
            Assert.Empty((await store.Users("B", new(10, null))).Items);
            Assert.Null(await store.Report(new("bolt", "R")));
            Assert.NotNull(await store.Document(DocumentKind.Contract, "A"));
        }
        Assert.Equal(0, Checkpoint());
        Assert.IsType<CommitResult.Done>(await store.Commit(First));
    }

    // 0: no reader keeps the log from being put into the file.
    private long Checkpoint()
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "pragma wal_checkpoint(truncate)";
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private string Ask(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return $"{command.ExecuteScalar()}";
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        return connection;
    }
}
