using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>How SQLite carries out lists and sums: led to by an index, and nothing sorted that may be long.</summary>
public sealed class SqlitePlanTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public SqlitePlanTests() => SqliteStore.Open(directory.Path).Dispose();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Whatever_the_filter_no_list_of_credits_is_scanned_or_sorted()
    {
        for (var mix = 0; mix < 1 << 9; mix++)
        {
            // But for those of one player, who has few.
            var filter =
                new CreditFilter(If(0), If(1), (mix >> 6 & 3) switch { 0 => null, var one => (CreditStatus)(one - 1) }, null, If(2),
                If(3), If(4));
            using var database = Open();
            var page = new PageRequest(10, null, IsDescending: (mix & 256) != 0);
            if ((mix & 32) != 0) page = page with { After = page.Behind("credits", Books.Start, "A~L1~000000001") };
            var sources = new CreditSources(database, filter, CreditPlace.Read(page), Books.Start);
            foreach (var source in sources.All()) Assert.Empty(source);

            foreach (var plan in database.Plans())
                Assert.False(plan.Contains("TEMP B-TREE")
                    || (plan.StartsWith("SCAN") && !plan.Contains("USING INDEX")), $"{filter}: {plan}");

            string? If(int bit) => (mix & (1 << bit)) == 0 ? null : "x";
        }
    }

    [Fact]
    public void Whatever_the_filter_no_other_list_is_scanned_or_sorted()
    {
        using var database = Open();
        for (var mix = 0; mix < 1 << 7; mix++)
        {
            Read(Lists.Ledger(new(If(0), If(1), If(2), If(3), If(4)), If(5) is null ? null : 5), [5L]);
            Read(Lists.Feed(new(If(0), If(1))), [5L]);
            Read(Lists.Reports(new(If(0), If(1), If(2), If(5) is null ? null : Books.Start, If(6) is null ? null : Books.Start)),
                [Books.Start, "x", "x"]);
            Read(Lists.Documents("x", "contracts", If(0)), ["x"]);
            Read(Lists.Users("x"), ["x"]);
            Read(Lists.Memberships(new("x", "x")), ["x"]);
            Read(Lists.Lots("x", If(0)), [Books.Start, "x"]);
            Read(Lists.Directory(If(0)), ["x", "x"]);
            Read(Lists.Purchases("x"), [Books.Start, "x"]);
            Read(Lists.Projects(new(If(0), If(1))), ["x"]);
            Read(Lists.Milestones(new(If(0), If(1)) { Status = If(2), IsAllocated = If(3) is null ? null : true }), ["x"]);
            Read(Lists.Consumptions(new(If(0), If(1))), ["x", 1L]);

            string? If(int bit) => (mix & (1 << bit)) == 0 ? null : "x";
        }

        // Without any filter the rows themselves are in order.
        Assert.DoesNotContain(database.Plans(), plan => plan.Contains("TEMP B-TREE")
            || (plan.StartsWith("SCAN") && !plan.Contains("USING INDEX") && plan is not ("SCAN e" or "SCAN j" or "SCAN s" or "SCAN k" or "SCAN u")));

        void Read<T>(ListOf<T> list, object[] behind)
        {
            foreach (var direction in new Direction[] { new(false), new(true) })
            {
                Assert.Empty(SqliteStore.Select(database, list, null, 10, direction));
                Assert.Empty(SqliteStore.Select(database, list, behind, 10, direction));
            }
        }
    }

    [Fact]
    public void The_credits_of_a_player_are_led_to_by_what_the_player_has_and_had()
    {
        using var database = Open();
        foreach (var user in new[] { null, "x" })
        {
            var filter = new CreditFilter(null, null, null, "x", user, null, null);
            Assert.Equal((0, 0), Counts.Touched(database, filter, Books.Start));
            foreach (var source in new CreditSources(database, filter, CreditPlace.Read(new(10, null)), Books.Start).All()) Assert.Empty(source);
        }
        Assert.DoesNotContain(database.Plans(), plan => plan.StartsWith("SCAN"));
        Assert.Contains(database.Plans(), plan => plan.StartsWith("SEARCH c USING PRIMARY KEY (lot=? AND ordinal=?)"));
        Assert.Contains(database.Plans(), plan => plan.StartsWith("SEARCH player USING PRIMARY KEY (player_id=?)"));
        Assert.Contains(database.Plans(), plan => plan.StartsWith("SEARCH former_credit USING PRIMARY KEY (player_id=?)"));
    }

    [Fact]
    public void A_client_s_credits_are_counted_by_the_client_s_lots()
    {
        using var database = Open();
        var late = new CreditFilter("x", null, null, null, null, null, null) { ExpiresFrom = Books.Start };
        Assert.Equal((0, 0), Counts.Touched(database, late, Books.Start));
        Assert.Contains(database.Plans(), plan => plan.StartsWith("SEARCH c USING PRIMARY KEY (lot=?)"));
    }

    // An account's milestones are few enough to be sorted.
    [Fact]
    public void The_milestones_of_an_account_are_led_to_by_its_projects()
    {
        using var database = Open();
        foreach (var client in new[] { null, "x" })
            Assert.Empty(SqliteStore.Select(database, Lists.Milestones(new(client, null) { AccountId = "x" }), ["x"], 10, new(false)));
        Assert.All(database.Plans(), plan => Assert.Matches("^SEARCH [js] USING (COVERING )?INDEX (project_account|milestone_project) |TEMP B-TREE", plan));
    }

    [Fact]
    public void Where_the_entries_since_an_instant_begin_is_found_without_reading_those_before()
    {
        using var database = Open();
        long First(Instant from) => database[BookedSince.Sql].Bind(BookedSince.Surely(from)).All(row => row.Number())[0];
        Assert.Equal(0, First(Books.Start));

        // One a minute.
        database.RunScript($"""
            insert into entry (kind, effective_at, booked_at, actor, cause, subject, quantity, client_id)
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
            select 'user-set', 60000000 * i, {Books.Start.ToUnixTimeTicks() / 10} + 60000000 * i, 'a', 'c', 's', 0, 'x' from n
            """);
        Assert.Equal(1, First(Books.Start));
        Assert.Equal(5_000 - 1, First(Books.Start + Duration.FromMinutes(5_000 + 60)));
        Assert.Equal(10_000, First(Books.Start + Duration.FromDays(30)));
        Assert.Empty(SqliteStore.Select(database, Lists.Ledger(new("y", null, null, null), 5), null, 10));
        Assert.Contains("SEARCH e USING INDEX entry_client (client_id=? AND rowid>?)", database.Plans());
    }

    [Fact]
    public void What_is_added_up_is_led_to_by_an_index_that_covers_it()
    {
        using var sums = Open();
        var contract = new StoredContract(new(DocumentKind.Contract, "C", 1, "", "acme", Books.Start, null), []);
        Assert.Empty(Sums.Balance(sums, contract, Books.Start).Lots);
        foreach (var by in Enum.GetValues<UsageBy>())
        {
            Assert.Empty(UsageSql.Read(sums, new("x", null, null, Books.Start, null, by)));
            Assert.Empty(UsageSql.Read(sums, new(null, "x", null, Books.Start, null, by)));
        }
        var plans = sums.Plans();

        Assert.DoesNotContain(plans, plan => plan.StartsWith("SCAN")
            && plan is not ("SCAN s" or "SCAN (subquery-2)" or "SCAN (subquery-3)"));
        Assert.Contains("SEARCH entry USING INDEX entry_contract (contract_id=? AND rowid>? AND rowid<?)", plans);
        Assert.Contains(plans, plan => plan.Contains("USING COVERING INDEX report_client"));
        Assert.Contains(plans, plan => plan.Contains("SEARCH ending USING PRIMARY KEY (client_id=? AND ends_at<?)"));
    }

    [Fact]
    public void What_falls_due_is_led_to_by_an_index()
    {
        using var database = Open();
        Assert.Empty(SqliteStore.ReadDue(database, "x", Books.Start, 1));
        Assert.Empty(SqliteStore.ReadDueAllocations(database, Books.Start, 1));
        Assert.Empty(SqliteStore.ReadDueClients(database, Books.Start));
        Assert.Empty(SqliteStore.ReadDueEndings(database, "x", Books.Start, 1));
        Assert.Null(SqliteStore.ReadNextEnd(database, "x"));

        Assert.Equal(5, database.Plans().Count);
        Assert.All(database.Plans(), plan =>
            Assert.Matches("^SEARCH .* USING ((COVERING )?INDEX (document_due|member_due)|PRIMARY KEY)", plan));
    }

    private Database Open() => new(Path.Combine(directory.Path, "credits.db"));
}
