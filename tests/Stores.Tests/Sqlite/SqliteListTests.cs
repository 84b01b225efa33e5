using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Lists: their order, filters and cursors, and the list of credits against an oracle that knows them all.</summary>
public sealed class SqliteListTests : IDisposable
{
    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Contracts_users_lots_reports_and_the_ledger_come_whole_and_in_order_whatever_the_page()
    {
        await using var engine = await Engine.Open(directory.Path);
        foreach (var contract in new[] { "B", "A-1", "A" }) await engine.Agree(contract, 5, ["V", "U", "W"]);
        await engine.Agree("D", 5, ["U"], clientId: "other");
        await engine.Actors.Contract("A").RemoveUser("V", "test");
        foreach (var lot in new[] { "L2", "L12", "L10" }) await engine.Grant("A", lot, 5);
        foreach (var id in new[] { "R2", "R1" }) await engine.Made(id, "A", "U", $"P{id}");
        await engine.Clock.Advance(Engine.Start + Duration.FromHours(1));
        await engine.Made("R0", "A", "W", "P0");
        await engine.Made("R9", "B", "U", "P9");
        var queries = engine.Queries;

        foreach (var limit in new[] { 1, 2, 100 })
        {
            Assert.Equal(["A", "A-1", "B"], (await Pages.All(page => queries.Contracts("acme", page), limit)).Select(contract => contract.Terms.ContractId));
            Assert.Equal(["A", "A-1", "B", "D"], (await Pages.All(page => queries.Contracts(null, page), limit)).Select(contract => contract.Terms.ContractId));
            Assert.Equal(["U", "W"], (await Pages.All(page => queries.Users("A", page), limit)).Select(user => user.UserId));
            Assert.Equal(["L1", "L10", "L12", "L2"], (await Pages.All(page => queries.Lots("A", page), limit)).Select(lot => lot.LotId));
            Assert.Equal(["R1", "R2", "R0", "R9"], await Reports(new("acme", null, null, null, null), limit));
            Assert.Equal(["R1", "R2", "R0"], await Reports(new(null, "A", null, null, null), limit));
            Assert.Equal(["R1", "R2"], await Reports(new("acme", "A", "U", null, null), limit));
            Assert.Equal(["R0", "R9"], await Reports(new(null, null, null, Engine.Start + Duration.FromHours(1), null), limit));
            Assert.Equal(["R1", "R2"], await Reports(new(null, null, null, Engine.Start, Engine.Start + Duration.FromHours(1)), limit));
            Assert.Empty(await Reports(new("other", "A", null, null, null), limit));

            var ledger = await Pages.All(page => queries.Ledger(new("acme", null, null, null), page), limit);
            Assert.Equal(ledger.OrderBy(entry => entry.EntryId), ledger);
            Assert.Equal(ledger.Where(entry => entry.Entry.ContractId == "A"), await Pages.All(page => queries.Ledger(new(null, "A", null, null), page), limit));
            Assert.Equal(ledger.Where(entry => entry.Entry is { ContractId: "A", UserId: "U" }), await Pages.All(page => queries.Ledger(new("acme", "A", "U", null), page), limit));
            Assert.Equal([EntryKind.CreditsCharged], (await Pages.All(page => queries.Ledger(new(null, null, null, "R9"), page), limit)).Select(entry => entry.Entry.Kind));
            Assert.Empty((await queries.Ledger(new("other", null, null, "R9"), new(10, null))).Items);
        }

        Assert.True(await queries.UserExists(new("acme", "V")));
        Assert.False(await queries.UserExists(new("other", "V")));

        async Task<IEnumerable<string>> Reports(ReportFilter filter, int limit) => (await Pages.All(page => queries.Reports(filter, page), limit)).Select(report => report.ReportId);
    }

    [Fact]
    public async Task A_cursor_that_no_list_gave_is_refused()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("A", 5, ["U", "V"]);
        var users = (await engine.Queries.Users("A", new(1, null))).Next!;
        var credits = (await engine.Queries.Credits(All, engine.Clock.Now, new(1, null))).Next!;

        foreach (var wrong in new[] { "", "nonsense", "????", users[..^1], users + "A", credits, Cursor.After("users"), Cursor.After("users", "U", "V") })
            await Assert.ThrowsAsync<InvalidCursorException>(() => engine.Queries.Users("A", new(1, wrong)));
        foreach (var wrong in new[] { users, Cursor.After("credits", "yesterday", "A~L1~000000001"), Cursor.After("credits", Engine.Start, "A~L1"), Cursor.After("ledger", "x") })
        {
            await Assert.ThrowsAsync<InvalidCursorException>(() => engine.Queries.Credits(All, engine.Clock.Now, new(1, wrong)));
            await Assert.ThrowsAsync<InvalidCursorException>(() => engine.Queries.Ledger(new(null, null, null, null), new(1, wrong)));
        }
    }

    [Fact]
    public async Task Credits_touched_and_untouched_are_one_list_for_any_mix_of_filters_P4()
    {
        await using var engine = await Engine.Open(directory.Path);
        var random = new Random(4);
        var contracts = new[] { ("A", "acme"), ("A-1", "acme"), ("B", "other"), ("M", "acme") };
        foreach (var (contract, client) in contracts) await engine.Agree(contract, 0, ["U", "V"], client, contract == "M" ? ContractType.Unlimited : ContractType.Metered);
        for (var day = 0; day < 60; day += random.Next(0, 4))
        {
            await engine.Clock.Advance(Engine.Start + Duration.FromDays(day));
            var (contract, client) = contracts[random.Next(contracts.Length)];
            if (contract != "M") await engine.Grant(contract, $"L{random.Next(1_000_000)}", random.Next(1, 12), $"PAY{random.Next(3)}", engine.Clock.Now + Duration.FromDays(random.Next(1, 50)));
            foreach (var (report, by) in contracts)
                await engine.Report($"R{day}-{report}-{random.Next()}", report, random.Next(2) == 0 ? "U" : "V", Enumerable.Range(0, 3).Select(_ => $"P{random.Next(30)}").Distinct(), clientId: by);
        }
        await EditSome(engine);

        var now = engine.Clock.Now - Duration.FromDays(7);
        var oracle = Oracle(now);
        Assert.InRange(oracle.Count, 100, 1_000);
        for (var round = 0; round < 400; round++)
        {
            var some = oracle[random.Next(oracle.Count)];
            var filter = new CreditFilter(
                Maybe(some.ClientId), Maybe(some.ContractId), random.Next(2) == 0 ? null : some.Status, Maybe(some.PlayerId), Maybe(some.UsedBy), Maybe(some.LotId), Maybe(some.PaymentId));
            var expected = oracle.Where(credit => Passes(filter, credit)).ToList();

            Assert.Equal(expected, await Pages.All(page => engine.Queries.Credits(filter, now, page), random.Next(1, 60)));
        }
        foreach (var credit in oracle) Assert.Equal(credit, await engine.Queries.Credit(credit.CreditId, now));
        Assert.Null(await engine.Queries.Credit(new("A", "none", 1), now));

        string? Maybe(string? value) => random.Next(3) == 0 ? value : null;
    }

    [Fact]
    public async Task A_page_deep_in_a_lot_of_a_million_is_as_short_as_the_first()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("A", 999_999_999, ["U"]);
        await engine.Made("R", "A", "U", "P1", "P2");

        var page = await engine.Queries.Credits(All, engine.Clock.Now, new(2, Cursor.After("credits", Engine.Start, "A~L1~999999990")));

        Assert.Equal([999_999_991, 999_999_992], page.Items.Select(credit => credit.CreditId.Ordinal));
    }

    [Fact]
    public void Whatever_the_filter_no_list_of_credits_is_scanned_or_sorted()
    {
        SqliteStore.Open(directory.Path).Dispose();
        var after = CreditPlace.Read(Cursor.After("credits", Engine.Start, "A~L1~000000001"));
        for (var mix = 0; mix < 1 << 8; mix++)
        {
            // But for those of one player, who has few, and those that are over and not booked, which are few.
            var filter = new CreditFilter(If(0), If(1), (mix >> 6) switch { 0 => null, var one => (CreditStatus)(one - 1) }, null, If(2), If(3), If(4));
            using var database = new Database(Path.Combine(directory.Path, "credits.db"));
            foreach (var source in CreditSources.Of(database, filter, (mix & 32) == 0 ? null : after, 10, Engine.Start)) Assert.Empty(source);

            foreach (var plan in database.Plans()) Assert.False((plan.Contains("TEMP B-TREE") && filter.Status is not CreditStatus.Expired) || (plan.StartsWith("SCAN") && !plan.Contains("USING INDEX")), $"{filter}: {plan}");

            string? If(int bit) => (mix & (1 << bit)) == 0 ? null : "x";
        }
    }

    [Fact]
    public void Whatever_the_filter_no_list_of_entries_is_scanned_or_sorted_nor_what_is_added_up_from_them()
    {
        SqliteStore.Open(directory.Path).Dispose();
        using var database = new Database(Path.Combine(directory.Path, "credits.db"));
        for (var mix = 0; mix < 1 << 5; mix++)
        {
            Assert.Empty(SqliteStore.Ledger(database, new(If(0), If(1), If(2), If(3)), new(10, If(4) is null ? null : Cursor.After("ledger", 5L))).Items);
            Assert.Empty(SqliteStore.Feed(database, new(If(0), If(1)), FeedPlace.Start, 10));

            string? If(int bit) => (mix & (1 << bit)) == 0 ? null : "x";
        }
        // Without any filter the entries themselves are in order.
        foreach (var plan in database.Plans()) Assert.False(plan.Contains("TEMP B-TREE") || (plan.StartsWith("SCAN") && plan != "SCAN entries"), plan);

        using var sums = new Database(Path.Combine(directory.Path, "credits.db"));
        Assert.Empty(BalanceSums.Lots(sums, "C", Engine.Start, Engine.Start));
        Assert.Empty(BalanceSums.Lots(sums, "C", Engine.Start, Engine.Start - Duration.FromDays(1)));
        Assert.Empty(BalanceSums.Users(sums, "C", Engine.Start));
        foreach (var by in Enum.GetValues<UsageBy>())
        {
            Assert.Empty(UsageSums.Of(sums, new("x", null, null, Engine.Start, null, by)));
            Assert.Empty(UsageSums.Of(sums, new(null, "x", null, Engine.Start, null, by)));
        }
        foreach (var plan in sums.Plans()) Assert.False(plan.StartsWith("SCAN") && plan is not ("SCAN s" or "SCAN (subquery-2)" or "SCAN (subquery-3)"), plan);
        Assert.Equal(2, sums.Plans().Count(plan => plan.Contains("USING COVERING INDEX entries_of_contract_by_effect")));
        Assert.Contains(sums.Plans(), plan => plan.Contains("USING COVERING INDEX reports_of_client"));
    }

    [Fact]
    public async Task An_audit_finds_every_number_that_somebody_has_changed_G2()
    {
        await using (var engine = await Engine.Open(directory.Path))
        {
            await engine.Agree("A", 10, ["U"]);
            await engine.Made("R", "A", "U", "P1", "P2", "P3");
            Assert.Null(await engine.Queries.Audit("none"));
            var audit = (await engine.Queries.Audit("A"))!;
            Assert.Equal((true, 10L, 0L, 7L, 3L, 0L, 3L), (audit.Balanced, audit.Granted, audit.Minted, audit.Unallocated, audit.Allocated, audit.Expired, audit.Used));
        }

        await Finds("update members set total_used = 4", "update members set total_used = 3", ("user:U", "totalUsed"));
        await Finds("update lots set quantity = 11", "update lots set quantity = 10", ("lot:L1", "quantity"), ("lot:L1", "sum"));
        await Finds("update lots set free = '4-9'", "update lots set free = '4-10'", ("lot:L1", "unallocated"), ("lot:L1", "sum"));
        await Finds("update credits set expiry_booked = 1 where ordinal = 1", "update credits set expiry_booked = 0", ("lot:L1", "allocated"), ("lot:L1", "expired"));
        await Finds("update reports set charged = 2", "update reports set charged = 3", ("user:U", "reported"));
        await Finds("update entries set quantity = 2 where kind = 'CreditsCharged'", "update entries set quantity = 3 where kind = 'CreditsCharged'",
            ("lot:L1", "unallocated"), ("lot:L1", "allocated"), ("user:U", "totalUsed"), ("user:U", "reported"));
    }

    private static CreditFilter All => new(null, null, null, null, null, null, null);

    private static bool Passes(CreditFilter filter, CreditDocument credit) =>
        (filter.ClientId ?? credit.ClientId) == credit.ClientId && (filter.ContractId ?? credit.ContractId) == credit.ContractId && (filter.Status ?? credit.Status) == credit.Status
        && (filter.PlayerId ?? credit.PlayerId) == credit.PlayerId && (filter.UserId ?? credit.UsedBy) == credit.UsedBy && (filter.LotId ?? credit.LotId) == credit.LotId
        && (filter.PaymentId ?? credit.PaymentId) == credit.PaymentId;

    // Credits that lost their player have a row of their own and are free again (P5).
    // Some return to their lots, some lie apart from them.
    private static async Task EditSome(Engine engine)
    {
        var edited = 0;
        foreach (var credit in (await engine.Queries.Credits(All, engine.Clock.Now, new(1_000, null))).Items.Where(credit => credit.CreditId.Ordinal % 3 != 1 && credit.LotId != Lot.MintedId))
        {
            Instant? until = credit.CreditId.Ordinal % 3 == 0 ? null : engine.Clock.Now + Duration.FromDays(credit.CreditId.Ordinal);
            if ((await engine.Actors.Contract(credit.ContractId).Edit(new(credit.CreditId, CreditStatus.Unallocated, null, Frees: false, null, until, "why", "ops"))).Refusal is null) edited++;
        }
        Assert.InRange(edited, 20, 1_000);
    }

    // All credits there are: each ordinal of each lot, as its row says or, without one, its lot.
    private List<CreditDocument> Oracle(Instant now)
    {
        using var database = new Database(Path.Combine(directory.Path, "credits.db"));
        var touched = database[$"select {Rows.Credit} from credits c join lots l on l.key = c.lot"].All(Rows.ReadCredit).ToDictionary(credit => credit.Id);
        var all = database[$"select l.contract_id, l.client_id, {Rows.Lot} from lots l"].All(row => (Contract: row.Text(), Client: row.Text(), Lot: Rows.ReadLot(row)));
        var apart = all.Where(lot => lot.Lot is { Apart: > 0, Free.Count: > 0 }).ToDictionary(lot => new CreditId(lot.Contract, lot.Lot.LotId, lot.Lot.Apart), lot => lot.Lot);
        Assert.NotEmpty(apart);
        return [.. all.Where(lot => lot.Lot.Apart == 0)
            .SelectMany(lot => Runs.UpTo(lot.Lot.Quantity).Ordinals().Select(ordinal => new CreditId(lot.Contract, lot.Lot.LotId, ordinal))
                .Select(id => touched.TryGetValue(id, out var credit) ? CreditDocument.Of(credit, now) : CreditDocument.Untouched(lot.Client, id, apart.GetValueOrDefault(id, lot.Lot), now)))
            .OrderBy(credit => credit.CreatedAt).ThenBy(credit => credit.CreditId.ToString(), StringComparer.Ordinal)];
    }

    private async Task Finds(string tamper, string repair, params (string Subject, string What)[] expected)
    {
        using (var database = new Database(Path.Combine(directory.Path, "credits.db"))) database.Run(tamper);
        using (var store = SqliteStore.Open(directory.Path))
        {
            var audit = (await store.Audit("A"))!;
            Assert.False(audit.Balanced);
            Assert.Equal(expected, audit.Differences.Select(difference => (difference.Subject, difference.What)));
        }
        using (var database = new Database(Path.Combine(directory.Path, "credits.db"))) database.Run(repair);
    }
}
