using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Sqlite;
using Microsoft.Data.Sqlite;

namespace CreditGrains.Stores.Tests;

/// <summary>The store as a file: who may open it, what it does when the disk is full, and what a restart finds.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task A_store_that_is_opened_again_has_what_was_answered_R5()
    {
        Report made;
        await using (var engine = await Engine.Open(directory.Path))
        {
            await engine.Agree("C", 10, ["U"]);
            made = await engine.Made("R", "C", "U", "P1", "P2");
        }
        await using var again = await Engine.Open(directory.Path);

        Assert.Equivalent(new ReportAnswer.Replayed(made), await again.Report("R", "C", "U", ["P2", "P1"]));
        Assert.Equal(7, (await again.Made("S", "C", "U", "P1", "P3")).Balance.ContractRemaining);
        Assert.True((await again.Queries.Audit("C"))!.Balanced);
    }

    [Fact]
    public void A_closed_store_is_one_file_without_a_log()
    {
        SqliteStore.Open(directory.Path).Dispose();

        Assert.Equal(["credits.db", "lock"], Directory.GetFiles(directory.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_second_process_is_refused()
    {
        using var first = SqliteStore.Open(directory.Path);

        var refused = Assert.Throws<DataRefusedException>(() => SqliteStore.Open(directory.Path));
        Assert.Contains("in use by another process", refused.Message);
    }

    [Fact]
    public void An_empty_store_is_migrated_once_and_opened_as_it_is_from_then_on()
    {
        SqliteStore.Open(directory.Path).Dispose();
        var first = Ask("select group_concat(sql) from sqlite_schema");
        SqliteStore.Open(directory.Path).Dispose();

        Assert.Equal(first, Ask("select group_concat(sql) from sqlite_schema"));
        Assert.Equal($"{Schema.Newest}", Ask("pragma user_version"));
    }

    [Fact]
    public void A_store_of_a_later_version_is_refused_and_let_go()
    {
        SqliteStore.Open(directory.Path).Dispose();
        Ask($"pragma user_version = {Schema.Newest + 1}");

        var refused = Assert.Throws<DataRefusedException>(() => SqliteStore.Open(directory.Path));
        Assert.Contains($"has schema {Schema.Newest + 1}", refused.Message);

        Ask($"pragma user_version = {Schema.Newest}");
        SqliteStore.Open(directory.Path).Dispose();
    }

    [Fact]
    public async Task A_full_disk_is_said_and_nothing_that_was_answered_is_lost_R5()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("C", 1_000_000, ["U"]);
        var answered = new List<Report>();

        engine.Store.WriterConnection.Run("pragma max_page_count = 80");
        var full = await Record.ExceptionAsync(async () =>
        {
            for (var i = 0; ; i++) answered.Add(await engine.Made($"R{i}", "C", "U", [.. Enumerable.Range(0, 100).Select(player => $"{i}-{player}")]));
        });
        Assert.IsType<StoreUnavailableException>(full);
        Assert.NotEmpty(answered);
        Assert.Equivalent(new ReportAnswer.Replayed(answered[0]), await engine.Report("R0", "C", "U", answered[0].Players.Select(player => player.PlayerId)));
        Assert.Null(await engine.Queries.Report(new("acme", $"R{answered.Count}")));

        engine.Store.WriterConnection.Run("pragma max_page_count = 1000000");
        answered.Add(await engine.Made($"R{answered.Count}", "C", "U", "late"));
        var stored = await Pages.All(page => engine.Queries.Reports(new("acme", null, null, null, null), page), 7);
        Assert.Equal(answered.Select(report => report.ReportId).Order(), stored.Select(report => report.ReportId).Order());
        Assert.True((await engine.Queries.Audit("C"))!.Balanced);
    }

    [Fact]
    public async Task A_locked_file_is_said_and_waited_for_no_longer_than_it_is_locked()
    {
        using var store = SqliteStore.Open(directory.Path);
        store.WriterConnection.Run("pragma busy_timeout = 1");
        var commit = new Commit(new DocumentWrite("thing", "T", 0, "body", "acme", Engine.Start, null), Changes.None);

        using (var other = Connect())
        {
            using var transaction = other.BeginTransaction();
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(commit));
        }
        Assert.IsType<CommitResult.Done>(await store.Commit(commit));
    }

    [Fact]
    public async Task A_disk_that_may_only_be_read_is_said_and_what_was_answered_is_read_on_R5()
    {
        using var store = SqliteStore.Open(directory.Path);
        var written = new Commit(new DocumentWrite("thing", "T", 0, "body", "acme", Engine.Start, null), Changes.None);
        Assert.IsType<CommitResult.Done>(await store.Commit(written));
        var refused = new Commit(new DocumentWrite("thing", "T", 1, "other", "acme", Engine.Start, null), Changes.None);

        store.WriterConnection.Run("pragma query_only = 1");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(refused));
        Assert.Equal("body", (await store.Document("thing", "T"))!.Body);

        store.WriterConnection.Run("pragma query_only = 0");
        Assert.IsType<CommitResult.Done>(await store.Commit(refused));
    }

    [Fact]
    public async Task A_closed_store_is_away()
    {
        var store = SqliteStore.Open(directory.Path);
        store.Dispose();
        store.Dispose();

        await Assert.ThrowsAsync<StoreUnavailableException>(store.Ping);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Commit(new([], [], Changes.None)));
    }

    [Fact]
    public async Task Reports_of_one_contract_that_come_together_share_transactions()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("C", 1_000, ["U"]);
        using var commits = new Counted(engine.Store.Metrics.Commits);
        using var transactions = new Counted(engine.Store.Metrics.Transactions);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => engine.Made($"R{i}", "C", "U", $"P{i}")));

        Assert.InRange(commits.Total, 1, 32);
        Assert.InRange(transactions.Total, 1, commits.Total);
        Assert.Equal(936, (await engine.Made("last", "C", "U", "P0")).Balance.ContractRemaining);
    }

    [Fact]
    public async Task A_report_of_46_players_is_one_commit()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("C", 1_000, ["U"]);
        using var commits = new Counted(engine.Store.Metrics.Commits);

        await engine.Made("R", "C", "U", [.. Enumerable.Range(0, 46).Select(i => $"P{i}")]);

        Assert.Equal(1, commits.Total);
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
        var connection = new SqliteConnection($"Data Source={Path.Combine(directory.Path, "credits.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
