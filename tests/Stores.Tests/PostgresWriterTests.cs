using CreditGrains.Domain;
using CreditGrains.Editions;
using CreditGrains.Grains;
using CreditGrains.Stores.Postgres;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Tests;

/// <summary>How commits share transactions, connections and locks on PostgreSQL.</summary>
public sealed class PostgresWriterTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task Sixty_four_commits_share_few_transactions()
    {
        await using var database = await PostgresDatabase.New();
        var contracts = Enumerable.Range(0, 64).Select(i => new Reporting($"C{i}")).ToList();
        await Task.WhenAll(contracts.Select(contract => Done(database, contract.Begin)));

        await Task.WhenAll(contracts.Select(contract => Done(database, contract.Report($"R-{contract.ContractId}", 3))));

        Assert.Equal(64, await database.Value<long>("select count(*) from entry where kind = 'credits-charged'"));
        Assert.InRange(await database.Value<long>("select count(distinct entry_id >> 18) from entry where kind = 'credits-charged'"), 1, 12);
    }

    [Fact]
    public async Task Neighbours_of_a_commit_that_conflicts_are_done_and_those_of_one_that_breaks_the_connection_are_unknown()
    {
        await using var database = await PostgresDatabase.New();
        var contracts = Enumerable.Range(0, 5).Select(i => new Reporting($"C{i}")).ToList();
        foreach (var contract in contracts) await Done(database, contract.Begin);
        await database.Run("""
            create function kill() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
            create trigger kill before insert on report for each row when (new.report_id like 'kill%') execute function kill();
            """);

        var stale = contracts[0].Report("stale", 2) with { ClientId = "acme" };
        stale = stale with { Changes = stale.Changes.RestingOn(new Guard(RowKey.Member("C0", "U"), 7)) };
        var results = await Together(database, stale, contracts[1].Report("one", 2), contracts[2].Report("two", 2));
        Assert.Equal([RowKey.Member("C0", "U")], Assert.IsType<CommitResult.Conflict>(results[0]).Rows);
        Assert.All(results[1..], result => Assert.IsType<CommitResult.Done>(result));

        stale = contracts[0].Report("stale", 2);
        results = await Together(database, stale, contracts[1].Report("three", 2), contracts[2].Report("kill", 2), contracts[3].Report("four", 2));
        Assert.IsType<CommitResult.Conflict>(results[0]);
        Assert.All(results[1..], result => Assert.IsType<CommitResult.Unknown>(result));

        await Done(database, contracts[4].Report("after", 2));
        Assert.Equal(["after", "one", "two"], await Reports(database));
    }

    [Fact]
    public async Task A_wrong_value_fails_its_own_commit_only()
    {
        await using var database = await PostgresDatabase.New();
        var contracts = Enumerable.Range(0, 3).Select(i => new Reporting($"C{i}")).ToList();
        foreach (var contract in contracts) await Done(database, contract.Begin);

        var wrong = new Commit("acme", [new DocumentChange("thing", "T", 1, 0, "a\0b", "acme", Reporting.Now, null)]);
        var surrogate = new Commit("acme", [new DocumentChange("thing", "S", 1, 0, "a\ud800b", "acme", Reporting.Now, null)]);
        await Together(database, async () =>
        {
            var failing = new[] { database.Store.Commit(wrong), database.Store.Commit(surrogate) };
            var good = contracts.Select(contract => database.Store.Commit(contract.Report($"R-{contract.ContractId}", 1))).ToList();
            Assert.All(await Task.WhenAll(good), result => Assert.IsType<CommitResult.Done>(result));
            foreach (var task in failing) await Assert.ThrowsAnyAsync<Exception>(() => task);
        });
    }

    [Fact]
    public async Task Two_commits_that_write_one_row_never_share_a_transaction()
    {
        await using var database = await PostgresDatabase.New();
        var results = await Together(database, [.. Enumerable.Range(1, 3).Select(version =>
            new Commit("acme", [new UserChange(new("acme", "U", true, Reporting.Now, version), version - 1)]))]);

        Assert.Equal(3, results.Count(result => result is CommitResult.Done) + results.Count(result => result is CommitResult.Conflict));
        Assert.Equal(results.Count(result => result is CommitResult.Done), (await database.Store.User(new("acme", "U")))!.Version);
    }

    [Fact]
    public async Task No_list_starves_a_commit_a_load_or_the_health_check_F4()
    {
        await using var database = await PostgresDatabase.New();
        var contract = new Reporting("C");
        await Done(database, contract.Begin);
        await using var connection = await database.Direct.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var locking = connection.CreateCommand())
        {
            locking.CommandText = "lock table purchase";
            await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var lists = Enumerable.Range(0, 200).Select(_ => database.Store.Purchases("A", new(10, null))).ToList();

        for (var i = 0; i < 20; i++)
        {
            await Done(database, contract.Report($"R{i}", 2)).WaitAsync(Soon, TestContext.Current.CancellationToken);
            await database.Store.Look().WaitAsync(Soon, TestContext.Current.CancellationToken);
            Assert.NotNull(await ((IStore)database.Store).Contract("C").WaitAsync(Soon, TestContext.Current.CancellationToken));
            Assert.Single((await database.Store.Read(new("acme", "C") { Users = ["U"] }).WaitAsync(Soon, TestContext.Current.CancellationToken)).Members);
        }
        Assert.DoesNotContain(lists, list => list.IsCompleted);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await Task.WhenAll(lists);
    }

    [Fact]
    public async Task Writers_of_the_same_members_in_opposite_order_wait_for_each_other_and_never_in_a_circle()
    {
        await using var database = await PostgresDatabase.New();
        await using var other = PostgresStore.Open(database.ConnectionString);
        var ids = Enumerable.Range(0, 200).Select(i => $"U{i}").ToArray();
        await Done(database, new("acme", Changes.Of([.. ids.Select(id => Member(id, 0))])));

        for (var version = 1; version <= 40; version++)
        {
            // The others' rows are inserted too, in opposite order, and one store's players are the other's.
            Change[] members = [.. ids.Select(id => Member(id, version))], players = [.. ids.Select(id => Player(id, version - 1))];
            var results = await Task.WhenAll(
                Task.Run(() => database.Store.Commit(new("acme", Changes.Of([.. members, .. players])))),
                Task.Run(() => other.Commit(new("acme", Changes.Of([.. players.Reverse(), .. members.Reverse()])))));
            Assert.Single(results, result => result is CommitResult.Done);
            Assert.Single(results, result => result is CommitResult.Conflict);
        }
        await Task.Delay(1_100, TestContext.Current.CancellationToken);
        Assert.Equal(0, await database.Value<long>("select deadlocks from pg_stat_database where datname = current_database()"));

        static Change Member(string id, long expected) => new MemberChange("C", "acme", new(id, id, true) { AsOf = Reporting.Now, Version = expected + 1 }, null, expected);

        static Change Player(string id, long expected) => new PlayerChange(new("acme", id, null, null, Reporting.Now, expected + 1), expected);
    }

    [Fact]
    public async Task While_a_commit_is_alone_no_other_of_its_client_comes_between()
    {
        await using var database = await PostgresDatabase.New();
        await using var other = PostgresStore.Open(database.ConnectionString);
        await using var third = PostgresStore.Open(database.ConnectionString);
        var (mine, theirs, elsewhere) = (new Reporting("C"), new Reporting("D"), new Reporting("E", "else"));
        foreach (var contract in new[] { mine, theirs, elsewhere }) await Done(database, contract.Begin);
        Task<CommitResult>? waiting = null;

        var result = await database.Store.CommitAlone(new("acme", "C") { Users = ["U"], Players = ["C-player-1"], Reports = ["R"] }, rows =>
        {
            Assert.Equal(("U", 0, 0), (Assert.Single(rows.Members).Key, rows.Players.Count, rows.Reports.Count));
            waiting = other.Commit(theirs.Report("S", 1));
            Assert.IsType<CommitResult.Done>(third.Commit(elsewhere.Report("T", 1)).WaitAsync(Soon).GetAwaiter().GetResult());
            Assert.False(waiting.IsCompleted);
            return mine.Report("R", 1);
        });

        Assert.IsType<CommitResult.Done>(result);
        Assert.IsType<CommitResult.Done>(await waiting!.WaitAsync(Soon, TestContext.Current.CancellationToken));
        Assert.Equal(["R", "S", "T"], await Reports(database));
        Assert.IsType<CommitResult.Conflict>(await database.Store.CommitAlone(new("acme", "C"), _ => theirs.Report("R", 1)));
        await Assert.ThrowsAsync<ArithmeticException>(() => database.Store.CommitAlone(new("acme", "C"), _ => throw new ArithmeticException()));
        await Done(database, mine.Report("U", 1));
    }

    [Fact]
    public async Task A_server_that_is_away_is_told_and_found_again()
    {
        await using var away = await ScratchPostgres.New();
        await using var database = await PostgresDatabase.New(away);
        var contract = new Reporting("C");
        await Done(database, contract.Begin);
        await away.Stop();

        // Whatever was sent on a connection that was there before may have happened; there are two.
        var sent = 0;
        for (var i = 0; i < 10; i++)
        {
            var fault = await Record.ExceptionAsync(async () => Assert.IsType<CommitResult.Unknown>(await database.Store.Commit(new Reporting("D").Begin)));
            if (fault is null) sent++;
            else Assert.IsType<StoreUnavailableException>(fault);
        }
        Assert.InRange(sent, 0, 2);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => database.Store.Commit(Guards(new Guard(RowKey.User("acme", "U"), 0))));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => database.Store.Look());
        await Assert.ThrowsAsync<StoreUnavailableException>(() => database.Store.Document("thing", "T"));

        await away.Start();
        await Done(database, new Reporting("D").Begin);
        Assert.IsType<CommitResult.Done>(await database.Store.Commit(Guards(new Guard(RowKey.User("acme", "U"), 0))));
        Assert.True((await database.Store.Look()).IsWritable);
    }

    [Fact]
    public async Task A_lock_that_is_not_to_be_had_is_a_store_that_is_away()
    {
        await using var database = await PostgresDatabase.New();
        await using var impatient = PostgresStore.Open(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c lock_timeout=50" }.ConnectionString);
        await using var other = await database.Direct.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var locking = new NpgsqlCommand("lock table lot", other);
        await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => impatient.Commit(new Reporting("C").Begin));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => ((IStore)impatient).Contract("C"));
    }

    private static Commit Guards(params Guard[] guards) => new("acme", Changes.None.RestingOn(guards));

    private static async Task Done(PostgresDatabase database, Commit commit) => Assert.IsType<CommitResult.Done>(await database.Store.Commit(commit));

    private static async Task<IEnumerable<string>> Reports(PostgresDatabase database) =>
        (await database.Store.Reports(new(null, null, null, null, null), new(100, null))).Items.Select(report => report.ReportId).Order(StringComparer.Ordinal);

    // Sends those in one transaction.
    private static async Task<CommitResult[]> Together(PostgresDatabase database, params Commit[] commits)
    {
        CommitResult[] results = [];
        await Together(database, async () => results = await Task.WhenAll(commits.Select(database.Store.Commit)));
        return results;
    }

    private static async Task Together(PostgresDatabase database, Func<Task> send)
    {
        await using var connection = await database.Direct.OpenConnectionAsync(TestContext.Current.CancellationToken);
        string[] busy = ["busy", "busy, too"];
        var waiting = new List<Task<CommitResult>>();
        foreach (var client in busy)
        {
            await Run($"select pg_advisory_lock({ClientLock.Of(client)})");
            waiting.Add(database.Store.Commit(new(client, [new UserChange(new(client, $"{Guid.NewGuid()}", false, Reporting.Now, 1), 0)])));
            while (await database.Value<long>("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") < waiting.Count)
                await Task.Yield();
        }

        // Both writers wait; one of them goes on and finds all that is sent.
        var sent = send();
        await Run($"select pg_advisory_unlock({ClientLock.Of(busy[0])})");
        await sent;
        await Run("select pg_advisory_unlock_all()");
        await Task.WhenAll(waiting);

        async Task Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }
}
