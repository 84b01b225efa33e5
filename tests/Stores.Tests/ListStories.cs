using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Lists: their order, filters and cursors.</summary>
public abstract class ListStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    private static readonly int[] Limits = [1, 2, 100];

    [Fact]
    public async Task Contracts_users_lots_reports_and_the_ledger_come_whole_and_in_order_whatever_the_page()
    {
        var books = new Books(Store);
        foreach (var contract in new[] { "B", "A-1", "A" }) await books.Agree(contract, 5, ["V", "U", "W"]);
        await books.Agree("D", 5, ["U"], clientId: "other");
        await books.Remove("A", "V");
        foreach (var lot in new[] { "L2", "L12", "L10" }) await books.Grant("A", lot, 5);
        foreach (var id in new[] { "R2", "R1" }) Assert.NotNull(await books.Report(id, "A", "U", [$"P{id}"]));
        await books.Advance(Books.Start + Duration.FromHours(1));
        Assert.NotNull(await books.Report("R0", "A", "W", ["P0"]));
        Assert.NotNull(await books.Report("R9", "B", "U", ["P9"]));

        foreach (var limit in Limits)
        {
            Assert.Equal(["A", "A-1", "B"], (await Paging.All(page => Queries.Contracts("acme", page), limit))
                .Select(contract => contract.Terms.ContractId));
            Assert.Equal(["A", "A-1", "B", "D"], (await Paging.All(page => Queries.Contracts(null, page), limit))
                .Select(contract => contract.Terms.ContractId));
            Assert.Equal(["U", "W"], (await Paging.All(page => Queries.Users("A", page), limit)).Select(user => user.UserId));
            Assert.Equal(["A", "A-1", "B"], (await Paging.All(page => Queries.Memberships(new("acme", "V"), page), limit))
                .Select(allowance => allowance.Terms.ContractId));
            Assert.Equal(["L1", "L10", "L12", "L2"], (await Paging.All(page => Queries.Lots("A", null, page), limit)).Select(lot => lot.LotId));
            Assert.Equal(["R1", "R2", "R0", "R9"], await Reports(new("acme", null, null, null, null), limit));
            Assert.Equal(["R1", "R2", "R0"], await Reports(new(null, "A", null, null, null), limit));
            Assert.Equal(["R1", "R2"], await Reports(new("acme", "A", "U", null, null), limit));
            Assert.Equal(["R0"], await Reports(new(null, null, "W", null, null), limit));
            Assert.Equal(["R0", "R9"], await Reports(new(null, null, null, Books.Start + Duration.FromHours(1), null), limit));
            Assert.Equal(["R1", "R2"], await Reports(new(null, null, null, Books.Start, Books.Start + Duration.FromHours(1)), limit));
            Assert.Empty(await Reports(new("other", "A", null, null, null), limit));

            var ledger = await Paging.All(page => Queries.Ledger(new("acme", null, null, null), page), limit);
            Assert.NotEmpty(ledger);
            Assert.Equal(ledger.OrderBy(entry => entry.EntryId), ledger);
            Assert.Equal(ledger.Where(entry => entry.Entry.ContractId == "A"),
                await Paging.All(page => Queries.Ledger(new(null, "A", null, null), page), limit));
            Assert.Equal(ledger.Where(entry => entry.Entry is { ContractId: "A", UserId: "U" }),
                await Paging.All(page => Queries.Ledger(new("acme", "A", "U", null), page), limit));
            Assert.Equal([EntryKind.CreditsCharged], (await Paging.All(page => Queries.Ledger(new(null, null, null, "R9"), page), limit))
                .Select(entry => entry.Entry.Kind));
            Assert.Empty((await Queries.Ledger(new("other", null, null, "R9"), new(10, null))).Items);
            var named = new LedgerFilter("acme", null, null, null) { Kind = EntryKind.UserSet, Actor = "test", To = books.Now };
            Assert.Equal(ledger.Where(entry => entry.Entry.Kind == EntryKind.UserSet), await Paging.All(page => Queries.Ledger(named, page), limit));
            var late = new LedgerFilter("acme", null, null, null) { From = books.Now, To = books.Now + Duration.FromDays(1) };
            Assert.Equal(["R0", "R9"], (await Paging.All(page => Queries.Ledger(late, page), limit)).Select(entry => entry.Entry.ReportId));
            Assert.Empty((await Queries.Ledger(new("acme", null, null, null) { Actor = "nobody" }, new(10, null))).Items);
        }

        Assert.Equal("V", (await Queries.User(new("acme", "V")))!.UserId);
        Assert.Null(await Queries.User(new("other", "V")));
        Assert.Equal("A", (await Queries.Contract("A"))!.Terms.ContractId);
        Assert.Null(await Queries.Contract("none"));
        Assert.Equal(["U", "V", "W"], (await Queries.ContractWithUsers("A"))!.Members.Keys);
        Assert.Equal("V", (await Queries.Member(new("A", "V")))!.Member.UserId);
        Assert.Null(await Queries.Member(new("D", "V")));
        Assert.Equal("A", (await Store.Member(new("A", "V")))!.Contract.Id);

        async Task<IEnumerable<string>> Reports(ReportFilter filter, int limit) =>
            (await Paging.All(page => Queries.Reports(filter, page), limit)).Select(report => report.ReportId);
    }

    [Fact]
    public async Task G1_the_ledger_since_an_instant_is_whole_though_entries_are_booked_late_and_out_of_turn()
    {
        // One every 20 minutes; each fourth was booked 50 minutes before its turn, and each third took effect up to days before.
        var booked = Enumerable.Range(0, 400).Select(i => Samples.Day(1) + Duration.FromMinutes(20 * i - (i % 4 == 0 ? 50 : 0))).ToList();
        await Done([.. booked.Select((at, i) => Samples.Entry with { BookedAt = at, EffectiveAt = i % 3 == 0 ? at - Duration.FromHours(i) : at })]);
        var all = await Paging.All(page => Queries.Ledger(new("acme", null, null, null), page), 1_000);
        Assert.Equal(400, all.Count);

        for (var from = booked[0] - Duration.FromHours(1); from <= booked[^1] + Duration.FromHours(1); from += Duration.FromMinutes(430))
        {
            var filter = new LedgerFilter("acme", null, null, null) { From = from };
            var since = all.Where(entry => entry.Entry.EffectiveAt >= from).ToList();
            Assert.Equal(since, await Paging.All(page => Queries.Ledger(filter, page), 90));
            Assert.Equal(since.Take(3), (await Queries.Ledger(filter, new(3, null))).Items);
            Assert.Equal(Enumerable.Reverse(since).Take(3), (await Queries.Ledger(filter, new(3, null, IsDescending: true))).Items);
        }
    }

    [Fact]
    public async Task C3_clients_and_the_directory_of_their_users_come_whole_and_in_order_whatever_the_page()
    {
        var books = new Books(Store);
        await books.Agree("B", 5, ["V", "U"]);
        await books.Agree("A", 5, ["U", "W"]);
        await books.Agree("D", 5, ["U"], clientId: "other");
        await books.Remove("A", "W");
        var account = Json.Write(new { Schema = 1, Value = new AccountDocument(new("S", "zeta", "S", "UTC"), 0) });
        await Done([new DocumentChange(DocumentKind.Account, "S", 1, 0, account, "zeta", Samples.Day(0), null)]);
        await Done([.. User.Enabled("bolt", "Y").Set("Yve", disabled: true, "ops", books.Now).Changes]);
        var renamed = (await Queries.User(new("acme", "U")))!.Set("Ute", disabled: false, "ops", books.Now);
        await Done(renamed.Changes);

        foreach (var limit in Limits)
        {
            Assert.Equal(["acme 2 0 3", "bolt 0 0 1", "other 1 0 1", "zeta 0 1 0"],
                (await Paging.All(page => Queries.Clients(null, page), limit))
                    .Select(client => $"{client.ClientId} {client.Contracts} {client.Accounts} {client.Users}"));
            Assert.Equal(["other"], (await Paging.All(page => Queries.Clients("other", page), limit)).Select(client => client.ClientId));
            Assert.Empty(await Paging.All(page => Queries.Clients("none", page), limit));
            Assert.Equal(["acme U Ute False", "acme V V False", "acme W W False", "bolt Y Yve True", "other U U False"],
                (await Paging.All(page => Queries.Directory(null, page), limit))
                    .Select(user => $"{user.ClientId} {user.UserId} {user.Name} {user.Disabled}"));
            Assert.Equal(["U", "V", "W"], (await Paging.All(page => Queries.Directory("acme", page), limit)).Select(user => user.UserId));
            Assert.Equal(["V"], (await Paging.All(page => Filtered.Page(
                    next => Queries.Directory("acme", next), page, user => user.Name.HasPart("v"),
                    user => page.Behind(Filtered.Directory, user.ClientId, user.UserId)), limit))
                .Select(user => user.UserId));
        }
        Assert.Equal(renamed.State, await Queries.User(new("acme", "U")));
        Assert.Equal(["Ute", "Ute"], [(await Store.Members("A"))[0].Name, (await Store.Members("B"))[0].Name]);
        Assert.Equal(["acme/U A True", "acme/U B True", "acme/W A False"],
            (await Queries.Assignments([new("acme", "W"), new("acme", "U"), new("bolt", "Y")])).OrderBy(assignment => assignment.User.UserId)
                .Select(assignment => $"{assignment.User} {assignment.ContractId} {assignment.Assigned}"));
        var names = await Queries.Names(["D", "A", "none"], [new("bolt", "Y"), new("acme", "U"), new("acme", "none")]);
        Assert.Equal(["A", "D"], names.Contracts.Values.Select(contract => contract.Name).Order());
        Assert.Equal(["Ute", "Yve"], names.Users.Values.Order());
    }

    [Fact]
    public async Task C4_contracts_are_listed_by_name_state_and_type_with_their_figures()
    {
        var books = new Books(Store);
        await books.Agree("A", 90, ["U", "V"]);
        await books.Agree("B", 0, [], type: ContractType.Unlimited);
        await books.Set(new("C", "acme", "Winter camp", ContractType.Metered, "UTC", new(2026, 6, 1), null, null, 30, CoverageFrom.Activation));
        await books.Set(new("E", "acme", "Old", ContractType.Metered, "UTC", new(2026, 1, 1), new(2026, 3, 9), null, 30, CoverageFrom.Activation));
        Assert.NotNull(await books.Report("R1", "A", "U", Enumerable.Range(1, 30).Select(i => $"P{i}")));
        await books.Advance(Books.Start + Duration.FromDays(10));
        Assert.NotNull(await books.Report("R2", "A", "V", Enumerable.Range(31, 18).Select(i => $"P{i}")));
        Assert.True(await books.Edit(new(new("A", "L1", 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")));
        await books.Remove("A", "U");
        var contracts = new ContractList(Queries);

        Assert.Equal(
            ["A Running 43 47 1 1.57 2026-03-31", "B Running  0 0 0 ", "C Coming 0 0 0 0 ", "E Over 0 0 0 0 "],
            await Listed(new(null, null, null, null), books.Now));

        // What was used 30 days ago is no longer lately; the lot is over 30 days after it was granted.
        Assert.Equal(
            ["A Running 0 47 1 0.57 2026-03-31"],
            await Listed(new("acme", "a", ContractState.Running, ContractType.Metered), Books.Start + Duration.FromDays(30)));
        Assert.Equal(["A"], await Ids(new(null, null, ContractState.Running, ContractType.Metered)));
        Assert.Equal(["B"], await Ids(new("acme", null, null, ContractType.Unlimited)));
        Assert.Equal(["C"], await Ids(new(null, "WINTER", null, null)));
        Assert.Equal(["E"], await Ids(new(null, null, ContractState.Over, null)));
        Assert.Empty(await Ids(new("other", null, null, null)));

        async Task<IEnumerable<string>> Listed(ContractFilter filter, Instant now) =>
            (await Paging.All(page => contracts.Page(filter, now, page), 1)).Select(contract => FormattableString.Invariant(
                $"{contract.Terms.ContractId} {Shown(contract.Figures)}"));

        static string Shown(ContractFigures figures) => FormattableString.Invariant(
            $"{figures.State} {figures.Remaining} {figures.Used} {figures.Users} {figures.Burn.CreditsPerDay:0.##} {figures.Burn.RunsOutOn:R}");

        async Task<IEnumerable<string>> Ids(ContractFilter filter) =>
            (await Paging.All(page => contracts.Page(filter, books.Now, page), 1)).Select(contract => contract.Terms.ContractId);
    }

    [Fact]
    public async Task Services_credits_lists_come_whole_and_in_order_whatever_the_page()
    {
        foreach (var (account, client) in new[] { ("A", "acme"), ("B", "acme"), ("C", "other") })
        {
            var body = Json.Write(new { Schema = 1, Value = new AccountDocument(new(account, client, account, "UTC"), 0) });
            await Done([
                new DocumentChange(DocumentKind.Account, account, 1, 0, body, client, Samples.Day(0), null),
                .. new[] { "P2", "P10", "P1" }.Select(id => Samples.Purchase with
                {
                    AccountId = account, ClientId = client, Purchase =
                        Samples.Purchase.Purchase with { PurchaseId = id, CreatedAt = Samples.Day(id == "P1" ? 2 : 1), Free = id == "P2"
                        ? 0 : 1 },
                }),
                .. new[] { "J1", "J2" }.Select(id => new ProjectChange(new($"{account}-{id}", client, account, "EUR", 0, 1), 0)),
                .. new[] { "M2", "M1" }.Select(id =>
                    new MilestoneChange(Samples.Milestone.Milestone with
                    {
                        MilestoneId = $"{account}-{id}", ClientId = client, ProjectId = $"{account}-J1", ServicesCredits = 5,
                        Status = id == "M1" ? "Done" : "Planned", Holdings = id == "M1" ? [new("P1", 3), new("P2", 2)] : [],
                    }, 0)),
                .. Enumerable.Range(1, 5).Select(number => Samples.Consumption with
                {
                    AccountId = account, Number = number, MilestoneId = number == 5 ? null
                        : $"{account}-M{number % 2}", PurchaseId = "P1", Quantity = number + 0.5m,
                    Date = new(2026, 3, number), At = Samples.Day(number),
                }),
            ]);
        }

        foreach (var limit in Limits)
        {
            Assert.Equal(["A", "B"], (await Paging.All(page => Queries.Accounts("acme", page), limit))
                .Select(account => account.AccountId));
            Assert.Equal(["A", "B", "C"], (await Paging.All(page => Queries.Accounts(null, page), limit))
                .Select(account => account.AccountId));
            Assert.Equal(["P10", "P2", "P1"], (await Paging.All(page => Queries.Purchases("A", page), limit))
                .Select(purchase => purchase.PurchaseId));
            Assert.Equal(["A-J1", "A-J2", "B-J1", "B-J2"], (await Paging.All(page => Queries.Projects(new("acme", null), page), limit))
                .Select(project => project.ProjectId));
            Assert.Equal(["B-J1", "B-J2"], (await Paging.All(page => Queries.Projects(new("acme", "B"), page), limit))
                .Select(project => project.ProjectId));
            Assert.Empty(await Paging.All(page => Queries.Projects(new("other", "B"), page), limit));
            Assert.Equal(["C-M1", "C-M2"], (await Paging.All(page => Queries.Milestones(new("other", null), page), limit))
                .Select(milestone => milestone.MilestoneId));
            Assert.Equal(["A-M1", "A-M2"], (await Paging.All(page => Queries.Milestones(new(null, "A-J1"), page), limit))
                .Select(milestone => milestone.MilestoneId));
            Assert.Equal(["A-M1", "A-M2"], await Milestones(new(null, null) { AccountId = "A" }, limit));
            Assert.Equal(["B-M2"], await Milestones(new("acme", "B-J1") { AccountId = "B", Status = "Planned" }, limit));
            Assert.Empty(await Milestones(new("acme", "B-J1") { AccountId = "A" }, limit));
            Assert.Empty(await Milestones(new("other", null) { AccountId = "A" }, limit));
            Assert.Equal(["A-M1", "B-M1"], await Milestones(new("acme", null) { IsAllocated = true }, limit));
            Assert.Equal(["A-M2", "B-M2", "C-M2"], await Milestones(new(null, null) { IsAllocated = false }, limit));
            Assert.Equal(["A-M1", "B-M1", "C-M1"], await Milestones(new(null, null) { Status = "Done" }, limit));
            Assert.Equal(15, (await Paging.All(page => Queries.Consumptions(new(null, null), page), limit)).Count);
            Assert.Equal(["B~000000001", "B~000000003"], (await Paging.All(page => Queries.Consumptions(new("B", "B-M1"), page), limit))
                .Select(booked => booked.ConsumptionId));
            Assert.Equal(
                ["B B-M0 7 2026-03-02", "B B-M1 5 2026-03-01", "B B~000000005 5.5 2026-03-05"],
                (await Paging.All(page => Queries.AllocationRecords(new("B", null), page), limit))
                    .Select(record =>
                        FormattableString.Invariant($"{record.AccountId} {record.AllocationId} {record.Quantity} {record.Date:R}")));
            Assert.Equal(9, (await Paging.All(page => Queries.AllocationRecords(new(null, null), page), limit)).Count);
            Assert.Equal(["A-M1"], (await Paging.All(page => Queries.AllocationRecords(new(null, "A-M1"), page), limit))
                .Select(record => record.MilestoneId));
        }

        Assert.Equal("A", (await Queries.Account("A"))!.AccountId);
        Assert.Null(await Queries.Account("none"));
        Assert.Equal(["P1", "P10"], (await Store.Account("A"))!.OpenPurchases.Select(purchase => purchase.PurchaseId)
            .Order(StringComparer.Ordinal));
        Assert.Null(await Store.Account("none"));
        Assert.Equal(["A-J1 A", "C-J1 C"], (await Queries.Projects(["C-J1", "none", "A-J1"])).Select(pair => $"{pair.Key} {pair.Value.AccountId}")
            .Order(StringComparer.Ordinal));

        var now = await Queries.PurchasesAsOf("A", null);
        Assert.Equal(["P1 5.5", "P10 5.5", "P2 5.5"], now.Select(Shown).Order(StringComparer.Ordinal));
        Assert.Equal(["P10", "P2"], (await Queries.PurchasesAsOf("A", Samples.Day(1))).Select(facts => facts.Purchase.PurchaseId)
            .Order(StringComparer.Ordinal));
        Assert.Equal(["P1 7.5", "P10 0", "P2 0"], (await Queries.PurchasesAsOf("A", Samples.Day(3))).Select(Shown)
            .Order(StringComparer.Ordinal));

        var facts = await Store.Services("A", ["A-M1", "none"], ["A-J2"]);
        Assert.Equal(["A-M1"], facts.Milestones.Keys);
        Assert.Equal(["A-J1", "A-J2"], facts.Projects.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(ServicesSettings.Default.NoAllocationStatuses, facts.Settings.NoAllocationStatuses);
        Assert.Equal(0, facts.SettingsVersion);

        static string Shown(PurchaseFacts facts) => FormattableString.Invariant($"{facts.Purchase.PurchaseId} {facts.Allocated}");

        async Task<IEnumerable<string>> Milestones(MilestoneFilter filter, int limit) =>
            (await Paging.All(page => Queries.Milestones(filter, page), limit)).Select(milestone => milestone.MilestoneId);
    }

    [Fact]
    public async Task The_settings_and_what_a_milestone_holds_from_come_with_the_services_facts()
    {
        var settings = new ServicesSettings(["Draft"]);
        var body = Json.Write(new { Schema = 1, Value = settings });
        await Done([Samples.Purchase, Samples.Project, Samples.Milestone,
            new DocumentChange(DocumentKind.Settings, "services-credits", 1, 0, body, Entry.AllClients, Samples.Now, null)]);

        var facts = await Store.Services("A", ["M"], []);
        Assert.Equal(Samples.Purchase.Purchase, Assert.Single(facts.Held));
        Assert.Equal(["Draft"], facts.Settings.NoAllocationStatuses);
        Assert.Equal(1, facts.SettingsVersion);
        Assert.Equal(["Draft"], (await Queries.ServicesSettings()).NoAllocationStatuses);
    }

    [Fact]
    public async Task A_cursor_that_no_list_gave_is_refused()
    {
        await new Books(Store).Agree("A", 5, ["U", "V"]);
        var users = (await Queries.Users("A", new(1, null))).Next!;
        var credits = (await Queries.Credits(All, Books.Start, new(1, null))).Next!;

        foreach (var wrong in new[] { "", "nonsense", "????", users[..^1], users + "A", credits, Cursor.After("users"),
            Cursor.After("users", "U", "V") })
            await Assert.ThrowsAsync<InvalidCursorException>(async () => await Queries.Users("A", new(1, wrong)));
        foreach (var wrong in new[] { users, Cursor.After("credits", "yesterday", "A~L1~000000001"),
            Cursor.After("credits", Books.Start, "A~L1"), Cursor.After("ledger", "x") })
        {
            await Assert.ThrowsAsync<InvalidCursorException>(async () => await Queries.Credits(All, Books.Start, new(1, wrong)));
            await Assert.ThrowsAsync<InvalidCursorException>(async () => await Queries.Ledger(new(null, null, null, null), new(1, wrong)));
        }
    }

    private static CreditFilter All => new(null, null, null, null, null, null, null);

    private async Task Done(IEnumerable<Change> changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", [.. changes])));
}
