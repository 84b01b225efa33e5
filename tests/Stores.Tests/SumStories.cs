using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Stores.Tests;

/// <summary>Audits, balances and usage.</summary>
public abstract class SumStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    [Fact]
    public async Task G2_an_audit_finds_the_books_balanced_and_every_number_that_somebody_has_changed()
    {
        var books = new Books(Store);
        await books.Agree("C", 10, ["U"]);
        Assert.NotNull(await books.Report("R", "C", "U", ["P1", "P2", "P3"]));
        Assert.Null(await Queries.Audit("none"));
        var audit = (await Queries.Audit("C"))!;
        Assert.Equal((true, 10L, 0L, 7L, 3L, 0L, 3L),
            (audit.Balanced, audit.Granted, audit.Minted, audit.Unallocated, audit.Allocated, audit.Expired, audit.Used));

        var member = Assert.Single(await Store.Members("C"));
        await Finds([new MemberChange("C", "acme", member with { Allocation = member.Allocation with { TotalUsed = 4 }, Version = 10 },
            null, member.Version)], "user:U totalUsed 3 4");
        await Done([new MemberChange("C", "acme", member with { Version = 11 }, null, 10)]);

        var lot = (await Store.Lot("C", "L1"))!;
        await Finds([new LotChange("C", "acme", lot with { Quantity = 11 })], "lot:L1 quantity 10 11", "lot:L1 sum 11 10");
        await Finds([new LotChange("C", "acme", lot with { Free = Runs.Parse("4-9") })], "lot:L1 unallocated 7 6", "lot:L1 sum 10 9");
        await Done([new LotChange("C", "acme", lot)]);

        var credit = (await Store.Credit(new("C", "L1", 1)))!;
        await Finds([new EndedChange("C", "L1", 1, 1)], "lot:L1 allocated 3 2", "lot:L1 expired 0 1", "lot:L1 ends 4 3");
        await Done([new EndedChange("C", "L1", -1, 0)]);
        await Finds([new CreditChange(credit with { HeldUntil = Samples.Now, Version = 2 }, 1)], "lot:L1 ends 3 2");
        await Done([new CreditChange(credit with { Version = 3 }, 2)]);

        await Finds([(Samples.Report with { ReportId = "S", Charged = 2 }).Made()], "user:U reported 3 5");
        await Finds(
            [Samples.Entry with { Kind = EntryKind.CreditsCharged, Quantity = 2, LotId = "L1", UsedOf = Allocation.Extra }],
            "lot:L1 unallocated 5 7", "lot:L1 allocated 5 3", "user:U totalUsed 5 3", "user:U extraUsed 2 0");
    }

    [Fact]
    public async Task G2_an_audit_of_an_account_finds_every_number_that_somebody_has_changed()
    {
        var body = Json.Write(new { Schema = 1, Value = new AccountDocument(new("A", "acme", "A", "UTC"), 0) });
        var bought = Samples.Purchase with { Purchase = Samples.Purchase.Purchase with { Quantity = 10, Free = 4.5m, Allocated = 3.5m, Expired = 2 } };
        var milestone = Samples.Milestone.Milestone with { ServicesCredits = 3.5m, Holdings = [new("B", 3.5m)] };
        var told = Samples.Entry with { Subject = Subjects.Purchase("A", "B"), ContractId = null, LotId = null, UserId = null };
        await Done([
            new DocumentChange(DocumentKind.Account, "A", 1, 0, body, "acme", Samples.Now, null),
            bought, Samples.Project, Samples.Milestone with { Milestone = milestone },
            Samples.Consumption with { Number = 1, Kind = ConsumptionKind.Consumption, Quantity = 4 },
            Samples.Consumption with { Number = 2, Quantity = -0.5m },
            Samples.Consumption with { Number = 3, Kind = ConsumptionKind.Expiry, MilestoneId = null, Quantity = 2 },
            told with { Kind = EntryKind.ServicesCreditsBought, ServicesCredits = 10 },
            told with { Kind = EntryKind.ServicesCreditsAllocated, ServicesCredits = 4 },
            told with { Kind = EntryKind.ServicesCreditsReturned, ServicesCredits = 0.5m },
            told with { Kind = EntryKind.ServicesCreditsExpired, ServicesCredits = 2 },
            told with { Kind = EntryKind.ServicesCreditsExpired, ServicesCredits = 99, AccountId = "other" },
        ]);
        Assert.Null(await Queries.AuditAccount("none"));
        var audit = (await Queries.AuditAccount("A"))!;
        Assert.Equal((true, new CurrencyAudit("EUR", 10, 4.5m, 3.5m, 2)), (audit.Balanced, Assert.Single(audit.Currencies)));

        await Differ([bought with { IsNew = false, Purchase = bought.Purchase with { Free = 4 } }], "purchase:A~B available 4.5 4", "purchase:A~B sum 10 9.5");
        await Done([bought with { IsNew = false }]);
        await Differ([new MilestoneChange(milestone with { Holdings = [new("B", 3)], Version = 2 }, 1)], "purchase:A~B held 3.5 3", "milestone:M B 3.5 3");
        await Done([new MilestoneChange(milestone with { Version = 3 }, 2)]);
        await Differ(
            [Samples.Consumption with { Number = 4, MilestoneId = "N", Quantity = 1 }, told with { Kind = EntryKind.ServicesCreditsBought, Subject = "purchase:A~C", ServicesCredits = 3 }],
            "purchase:A~B recordedAllocated 3.5 4.5", "purchase:A~C quantity 3 0", "purchase:A~C available 3 0", "milestone:N B 1 0");

        async Task Differ(Change[] tampering, params string[] differences)
        {
            await Done(tampering);
            var found = (await Queries.AuditAccount("A"))!;
            Assert.False(found.Balanced);
            Assert.Equal(differences, found.Differences.Select(one => FormattableString.Invariant($"{one.Subject} {one.What} {one.FromEntries} {one.FromState}")));
        }
    }

    [Fact]
    public async Task G2_an_audit_misses_rows_of_which_the_entries_tell()
    {
        var body = Json.Write(new { Schema = 1, Value = "terms" });
        var granted = Samples.Entry with { Kind = EntryKind.LotGranted, ContractId = "C", LotId = "L", UserId = null, Quantity = 10 };
        await Done([
            new DocumentChange(DocumentKind.Contract, "C", 1, 0, body, "acme", Samples.Now, null), granted,
            granted with { Kind = EntryKind.CreditsCharged, UserId = "U", UsedOf = null, Quantity = 3 },
                (Samples.Report with { Charged = 3, UserId = "V" }).Made(),
        ]);

        await Finds([], "lot:L quantity 10 0", "lot:L unallocated 7 0", "lot:L allocated 3 0", "user:U totalUsed 3 0",
            "user:U reported 3 0", "user:V reported 0 3");
    }

    [Fact]
    public async Task G3_a_balance_is_as_of_any_instant_whether_what_is_over_is_booked_or_not()
    {
        var books = new Books(Store);
        await books.Agree("C", 10, ["U", "V"]);
        await books.Agree("D", 10, ["U"]);
        await books.Agree("W", 10, ["U"]);
        Assert.NotNull(await books.Report("R1", "C", "U", ["P1", "P2", "P3"]));
        Assert.NotNull(await books.Report("R9", "D", "U", ["P9"]));
        await books.Advance(Books.Start + Duration.FromDays(2));
        Assert.NotNull(await books.Report("R2", "C", "V", ["P4"]));
        Assert.True(await books.Edit(new(new("C", "L1", 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")));
        await books.Withdraw("W", "L1", 4);
        Assert.Null(await Queries.Balance("none", null, books.Now));

        var stories = new (Duration At, string Shown)[]
        {
            (Duration.Zero, "10 7 3 0 7 U:3"),
            (Duration.FromDays(1), "10 7 3 0 7 U:3"),
            (Duration.FromDays(2), "10 7 3 0 7 U:2 V:1"),
            (Duration.FromDays(30), "10 0 1 9 0 U:2 V:1"),
            (Duration.FromDays(32), "10 0 0 10 0 U:2 V:1"),
        };
        foreach (var (at, shown) in stories) Assert.Equal(shown, await Shown(Books.Start + at));
        Assert.Equal("10 7 3 0 7 U:2 V:1", await Shown(null));
        Assert.Equal("10 9 1 0 9 U:1", Told((await Queries.Balance("D", null, books.Now))!));

        // L6: withdrawn from then on, and never expired.
        Assert.Equal("0 4 4", string.Join(' ', await Task.WhenAll(new[] { 1, 2, 40 }.Select(async day =>
            (await Queries.Balance("W", Books.Start + Duration.FromDays(day), books.Now))!.Withdrawn))));
        Assert.Equal("10 0 0 6 0 ", Told((await Queries.Balance("W", Books.Start + Duration.FromDays(40), books.Now))!));
        var audit = (await Queries.Audit("W"))!;
        Assert.Equal((true, 6, 4), (audit.Balanced, audit.Unallocated, audit.Withdrawn));

        // Over, and not booked; then booked.
        books.Now = Books.Start + Duration.FromDays(33);
        foreach (var (at, shown) in stories) Assert.Equal(shown, await Shown(Books.Start + at));
        await books.Advance(books.Now, "acme");
        foreach (var (at, shown) in stories) Assert.Equal(shown, await Shown(Books.Start + at));
        Assert.True((await Queries.Audit("C"))!.Balanced);

        async Task<string> Shown(Instant? at) => Told((await Queries.Balance("C", at, books.Now))!);

        static string Told(ContractBalance balance) =>
            $"{balance.Granted} {balance.Unallocated} {balance.Allocated} {balance.Expired} {balance.Available} {string.Join(' ', balance.Users.Select(user => $"{user.UserId}:{user.TotalUsed}"))}";
    }

    [Fact]
    public async Task G5_a_statement_s_opening_and_movements_make_its_closing_whether_what_is_over_is_booked_or_not()
    {
        var books = new Books(Store);
        await books.Agree("C", 10, ["U", "V"]);
        await books.Agree("B", 0, ["U"], billing: new(RecurrenceUnit.Month, 1, new(2026, 1, 15), 5));
        Assert.NotNull(await books.Report("R1", "C", "U", ["P1", "P2", "P3"]));
        await books.Advance(Books.Start + Duration.FromDays(2));
        await books.Grant("C", "L2", 4, "INV", Books.Start + Duration.FromDays(9));
        Assert.NotNull(await books.Report("R2", "C", "V", ["P4", "P5"]));
        Assert.True(await books.Edit(new(new("C", "L1", 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")));
        books.Now = Books.Start + Duration.FromDays(70) + Duration.FromHours(5);

        // Until the end of a day, before what falls due at that midnight: on day 30 the lot, on day 30 and 32 the coverage.
        (string Days, string Told)[] stories =
        [
            ("2026-03-01 2026-03-01", "0 0 0 | LotGranted PAY  10, CreditsCharged PAY U 3 | 7 3 0"),
            ("2026-03-02 2026-03-02", "7 3 0 |  | 7 3 0"),
            ("2026-03-03 2026-03-03", "7 3 0 | LotGranted INV  4, CreditsCharged INV V 2, CreditsReturned PAY U 1 | 10 4 0"),
            ("2026-03-04 2026-03-09", "10 4 0 |  | 10 4 0"),
            ("2026-03-10 2026-03-10", "10 4 0 | LotExpired INV  2 | 8 4 2"),
            ("2026-03-11 2026-03-30", "8 4 2 |  | 8 4 2"),
            ("2026-03-31 2026-03-31", "8 4 2 | LotExpired PAY  8, CoverageExpired PAY U 2 | 0 2 12"),
            ("2026-04-01 2026-05-10", "0 2 12 | CoverageExpired INV V 2 | 0 0 14"),
        ];
        await Tell();
        Assert.Equal("0 0 0 |  | 0 0 0", Shown(await Queries.Statement("C", new(2026, 2, 1), new(2026, 2, 28), books.Now)));
        Assert.Equal(
            "5 0 5 | LotGranted B:2026-04-15  5, LotExpired B:2026-03-15  5 | 5 0 10",
            Shown(await Queries.Statement("B", new(2026, 4, 1), new(2026, 4, 30), books.Now)));
        for (var (end, day) = (books.Now, 14); day <= 70; day += 14) await books.Advance(day == 70 ? end : Books.Start + Duration.FromDays(day), "acme");
        await Tell();
        Assert.Equal(
            "5 0 5 | LotGranted B:2026-04-15  5, LotExpired B:2026-03-15  5 | 5 0 10",
            Shown(await Queries.Statement("B", new(2026, 4, 1), new(2026, 4, 30), books.Now)));
        Assert.Null(await Queries.Statement("none", new(2026, 4, 1), new(2026, 4, 30), books.Now));

        async Task Tell()
        {
            foreach (var (days, told) in stories)
            {
                var (from, to) = (LocalDatePattern.Iso.Parse(days[..10]).Value, LocalDatePattern.Iso.Parse(days[11..]).Value);
                var statement = (await Queries.Statement("C", from, to, books.Now))!;
                Assert.Equal(told, Shown(statement));
                Assert.Equal(statement.Closing, statement.Movements.Aggregate(statement.Opening, (sum, moved) => sum + moved.Effect));
            }
        }

        static string Shown(ContractStatement? statement) => FormattableString.Invariant(
            $"{Stands(statement!.Opening)} | {string.Join(", ", statement.Movements.Select(moved => $"{moved.Kind} {moved.PaymentId} {moved.UserId} {moved.Credits}"))} | {Stands(statement.Closing)}");
    }

    [Fact]
    public async Task G3_whatever_is_booked_behind_checkpoints_each_answer_is_that_of_all_entries()
    {
        var (plain, dice) = (new MemoryStore(), new Random(7));
        IQueries expected = plain;
        Books[] both = [new(Store), new(plain)];
        EntryKind[] kinds =
            [EntryKind.CreditsCharged, EntryKind.CreditsReturned, EntryKind.CoverageExpired, EntryKind.LotExpired, EntryKind.ExtraGranted];
        Instant[] instants = [.. Enumerable.Range(0, 12).Select(step => Books.Start + Duration.FromDays(8 * step))];
        await Both(async books =>
        {
            await books.Agree("C", 100, ["U", "V"]);
            await books.Agree("D", 100, ["U"]);
            await books.Grant("C", "L2", 40, "INV", Books.Start + Duration.FromDays(9));
            Assert.NotNull(await books.Report("R1", "C", "U", ["P1", "P2", "P3"]));
            Assert.NotNull(await books.Report("R2", "C", "V", ["P4"], holdSeconds: 600));
            Assert.NotNull(await books.Report("R3", "D", "U", ["P5"]));
        });

        for (var round = 1; round <= 4; round++)
        {
            // Entries of any kind, lot, user and right, that took effect long before they are booked, or just then.
            Entry[] booked = [.. Enumerable.Range(0, 200).Select(_ => Samples.Entry with
            {
                Kind = dice.GetItems(kinds, 1)[0],
                ContractId = dice.Next(5) == 0 ? "D" : "C",
                LotId = dice.Next(9) == 0 ? null : $"L{dice.Next(1, 3)}",
                UserId = dice.Next(3) == 0 ? null : dice.Next(2) == 0 ? "U" : "V",
                UsedOf = dice.GetItems([null, Allocation.Extra, "cycle:0.-1", $"cycle:1.{round}", $"cycle:1.{round + 9}"], 1)[0],
                Quantity = dice.Next(1, 9),
                EffectiveAt = Books.Start + Duration.FromMinutes(dice.Next(1_440 * round * 20)),
            })];
            var day = round;
            await Both(async books =>
            {
                await books.Advance(Books.Start + Duration.FromDays(7 * day), "acme");
                Assert.NotNull(await books.Report($"R{day}.1", "C", "U", [$"P1", $"Q{day}"]));
                Assert.True(await books.Edit(new(new("C", "L1", day), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")) || day > 1);
                await books.Withdraw("C", "L1", 2);
            });
            foreach (var store in new[] { Store, plain })
                Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", [.. booked])));
            await Compare();
            await WriteCheckpoints("C", 30);
            await Compare();
        }

        // The cycle of a user is never before the last that was used.
        foreach (var store in new[] { Store, plain })
            foreach (var member in await store.Members("C"))
            {
                var running = member with { Allocation = member.Allocation with { Restarts = 1, Cycle = 13 }, Version = member.Version + 1 };
                Assert.IsType<CommitResult.Done>(await store.Commit(new("acme", [new MemberChange("C", "acme", running, null, member.Version)])));
            }
        var (quick, full) = ((await Queries.Audit("C"))!, (await Queries.Audit("C", isFull: true))!);
        Assert.Equal(Store is not MemoryStore, quick.Checkpoint is not null);
        Assert.Null((await Queries.Audit("D"))!.Checkpoint);
        Assert.Equal(Json.Write(await expected.Audit("C")), Json.Write(full));
        Assert.Equal((full.Granted, full.Unallocated, full.Withdrawn, full.Used), (quick.Granted, quick.Unallocated, quick.Withdrawn, quick.Used));
        Assert.Equal(Of(full), Of(quick));
        Assert.Equal(["unallocated", "totalUsed", "usedInCycle", "extraCredits", "extraUsed"], Of(full).Select(one => one.What).Distinct());

        static IEnumerable<Difference> Of(Audit audit) => audit.Differences.Where(one => one.What is not ("allocated" or "expired" or "reported" or "sum"));

        async Task Both(Func<Books, Task> act)
        {
            foreach (var books in both) await act(books);
        }

        async Task Compare()
        {
            var now = both[0].Now;
            foreach (var contract in new[] { "C", "D" })
            {
                foreach (var at in instants.Select(at => (Instant?)at).Append(null))
                    Assert.Equal(Json.Write(await expected.Balance(contract, at, now)), Json.Write(await Queries.Balance(contract, at, now)));
                foreach (var (from, to) in new[] { (1, 1), (1, 5), (3, 20), (15, 31) })
                    Assert.Equal(
                        Json.Write(await expected.Statement(contract, new(2026, 3, from), new(2026, 3, to), now)),
                        Json.Write(await Queries.Statement(contract, new(2026, 3, from), new(2026, 3, to), now)));
            }
        }
    }

    [Fact]
    public async Task G2_an_audit_from_a_checkpoint_balances_and_finds_wrong_lots_and_users_and_a_full_one_wrong_rows_too()
    {
        var books = new Books(Store);
        await books.Agree("C", 100, ["U"]);
        for (var report = 1; report <= 60; report++) Assert.NotNull(await books.Report($"R{report}", "C", "U", [$"P{report}"]));
        Assert.True(await books.Edit(new(new("C", "L1", 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")));
        await WriteCheckpoints("C", 5);
        await books.Advance(Books.Start + Duration.FromDays(31), "acme");
        var audit = (await Queries.Audit("C"))!;
        Assert.Equal((true, Store is not MemoryStore), (audit.Balanced, audit.Checkpoint is not null));
        Assert.Equal((100L, 0L, 0L, 100L, 59L), (audit.Granted, audit.Unallocated, audit.Allocated, audit.Expired, audit.Used));
        Assert.Equal(audit with { Checkpoint = null }, (await Queries.Audit("C", isFull: true))! with { Differences = audit.Differences });

        var member = Assert.Single(await Store.Members("C"));
        await Done([
            (Samples.Report with { ReportId = "S", Charged = 2 }).Made(),
            new MemberChange("C", "acme", member with { Allocation = member.Allocation with { TotalUsed = 60 }, Version = 100 }, null, member.Version),
        ]);
        Assert.Equal(
            Store is MemoryStore ? ["totalUsed", "reported"] : ["totalUsed"], (await Queries.Audit("C"))!.Differences.Select(one => one.What));
        Assert.Equal(["totalUsed", "reported"], (await Queries.Audit("C", isFull: true))!.Differences.Select(one => one.What));
    }

    [Fact]
    public async Task G5_an_account_s_statement_tells_each_currency_by_purchase_and_milestone()
    {
        var body = Json.Write(new { Schema = 1, Value = new AccountDocument(new("A", "acme", "A", "UTC"), 0) });
        var bought = Samples.Purchase with
        {
            Purchase = Samples.Purchase.Purchase with
            {
                Quantity = 10, Free = 6.5m, Allocated = 3.5m, Expired = 0, CreatedAt = Samples.Day(1), AvailableFrom = Samples.Day(1), ExpiresAt = Samples.Day(20),
            },
        };
        var told = Samples.Entry with { Subject = Subjects.Purchase("A", "B"), ContractId = null, LotId = null, UserId = null };
        await Done([
            new DocumentChange(DocumentKind.Account, "A", 1, 0, body, "acme", Samples.Day(1), null), bought,
            Samples.Consumption with { Number = 1, Kind = ConsumptionKind.Consumption, MilestoneId = "M", PurchaseId = "B", Quantity = 4, At = Samples.Day(2) },
            Samples.Consumption with { Number = 2, MilestoneId = "M", PurchaseId = "B", Quantity = -0.5m, At = Samples.Day(3) },
            told with { Kind = EntryKind.ServicesCreditsBought, ServicesCredits = 10, EffectiveAt = Samples.Day(1), Cause = Causes.Request },
            told with { Kind = EntryKind.ServicesCreditsAllocated, ServicesCredits = 4, EffectiveAt = Samples.Day(2), Cause = "milestone:M" },
            told with { Kind = EntryKind.ServicesCreditsReturned, ServicesCredits = 0.5m, EffectiveAt = Samples.Day(3), Cause = "milestone:M" },
        ]);
        var day = Samples.Day(1).InUtc().Date;

        // The purchase is over, and that is not booked.
        Assert.Equal(
            "EUR 0 0 0 | ServicesCreditsBought B  10, ServicesCreditsAllocated B M 4 | 6 4 0",
            Shown(await Queries.AccountStatement("A", day, day.PlusDays(1), Samples.Day(30))));
        Assert.Equal(
            "EUR 6 4 0 | ServicesCreditsReturned B M 0.5, ServicesCreditsExpired B  6.5 | 0 3.5 6.5",
            Shown(await Queries.AccountStatement("A", day.PlusDays(2), day.PlusDays(20), Samples.Day(30))));
        Assert.Empty((await Queries.AccountStatement("A", day.PlusDays(-9), day.PlusDays(-5), Samples.Day(30)))!.Currencies);
        Assert.Null(await Queries.AccountStatement("none", day, day, Samples.Day(30)));

        static string Shown(AccountStatement? statement)
        {
            var one = Assert.Single(statement!.Currencies);
            Assert.Equal(one.Closing, one.Movements.Aggregate(one.Opening, (sum, moved) => sum + moved.Effect));
            return FormattableString.Invariant(
                $"{one.Currency} {Stands(one.Opening)} | {string.Join(", ", one.Movements.Select(moved => $"{moved.Kind} {moved.PurchaseId} {moved.MilestoneId} {moved.Quantity}"))} | {Stands(one.Closing)}");
        }
    }

    private static string Stands(Standing standing) => FormattableString.Invariant($"{standing.Unallocated} {standing.Allocated} {standing.Expired}");

    [Fact]
    public async Task Usage_is_added_up_by_contract_user_day_and_month()
    {
        var books = new Books(Store);
        await books.Agree("C", 100, ["U", "V"]);
        await books.Agree("D", 100, ["U"], clientId: "other");
        Assert.NotNull(await books.Report("R1", "C", "U", ["P1", "P2"]));
        Assert.NotNull(await books.Report("R2", "C", "V", ["P2", "P3"]));
        Assert.NotNull(await books.Report("R3", "D", "U", ["P1"], "other"));
        await books.Advance(Books.Start + Duration.FromHours(30));
        Assert.NotNull(await books.Report("R4", "C", "U", ["P4"]));
        Assert.True(await books.Edit(new(new("C", "L1", 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops")));

        Assert.Equal(["C 3 4 1 1", "D 1 1 0 0"],
            await Used(new(null, null, null, null, null, UsageBy.Contract), usage => usage.ContractId));
        Assert.Equal(["acme/U 2 3 0 1", "acme/V 1 1 1 0"],
            await Used(new("acme", null, null, null, null, UsageBy.User), usage => $"{usage.ClientId}/{usage.UserId}"));
        Assert.Equal(["2026-03-01 2 3 1 0", "2026-03-02 1 1 0 1"],
            await Used(new(null, "C", null, null, null, UsageBy.Day), usage => $"{usage.Day:R}"));
        Assert.Equal(["2026-03 4 5 1 1"], await Used(new(null, null, null, null, null, UsageBy.Month), usage => $"{usage.Month:uuuu-MM}"));
        Assert.Equal(["C 1 1 0 1"], await Used(new(null, "C", null, books.Now, null, UsageBy.Contract), usage => usage.ContractId));
        Assert.Equal(["C 2 3 1 0"], await Used(new(null, "C", null, null, books.Now, UsageBy.Contract), usage => usage.ContractId));
        Assert.Equal(["2026-03-02 1 1 0 1"],
            await Used(new("acme", "C", "U", books.Now, books.Now + Duration.FromDays(1), UsageBy.Day), usage => $"{usage.Day:R}"));
        Assert.Empty(await Used(new("other", "C", null, null, null, UsageBy.Day), usage => $"{usage.Day:R}"));
        Assert.Equal(["C U 2 3 0 1", "C V 1 1 1 0", "D U 1 1 0 0"],
            await Used(new(null, null, null, null, null, UsageBy.User, UsageBy.Contract), usage => $"{usage.ContractId} {usage.UserId}"));
        Assert.Equal(["U 2026-03-01 1 2 0 0", "U 2026-03-02 1 1 0 1", "V 2026-03-01 1 1 1 0", "U 2026-03-01 1 1 0 0"],
            await Used(new(null, null, null, null, null, UsageBy.User, UsageBy.Day, UsageBy.Month), usage => $"{usage.UserId} {usage.Day:R}"));

        async Task<IEnumerable<string>> Used(UsageFilter filter, Func<Usage, string?> of) =>
            Usage.Page(await Queries.Usage(filter), filter, new(100, null)).Items
            .Select(usage => $"{of(usage)} {usage.Sums.Reports} {usage.Sums.Charged} {usage.Sums.Covered} {usage.Sums.GivenBack}");
    }

    [Fact]
    public async Task Usage_of_days_that_are_added_up_is_that_of_all_reports()
    {
        var (plain, dice) = (new MemoryStore(), new Random(11));
        IQueries expected = plain;
        Books[] both = [new(Store), new(plain)];
        var zones = new[] { ("C", "America/New_York"), ("D", "UTC"), ("E", "Asia/Kathmandu") };
        foreach (var books in both)
            foreach (var (contract, zone) in zones) await books.Agree(contract, 500, ["U", "V"], timeZone: zone);

        // Every 7 hours and a bit, over the change of New York's clocks on March 8.
        for (var report = 1; report <= 60; report++)
        {
            var (contract, user) = (zones[dice.Next(3)].Item1, dice.Next(2) == 0 ? "U" : "V");
            var players = Enumerable.Range(0, dice.Next(1, 4)).Select(_ => $"P{dice.Next(40)}").Distinct().ToList();
            foreach (var books in both)
            {
                await books.Advance(Books.Start + Duration.FromMinutes(427 * report));
                Assert.NotNull(await books.Report($"R{report}", contract, user, players, holdSeconds: report % 5 == 0 ? 3_600 : null));
            }
            if (report % 15 != 0) continue;
            await Compare();
            await WriteCheckpoints(contract, 2);
            await WriteCheckpoints("C", 2);
            await Compare();
        }

        async Task Compare()
        {
            (string?, string?, string?)[] whose =
                [(null, "C", null), ("acme", null, null), (null, null, null), (null, "C", "U"), ("acme", null, "V"), ("other", "C", null)];
            Instant?[] instants = [null, .. new[] { 31, 173, 288 }.Select(hours => (Instant?)(Books.Start + Duration.FromHours(hours)))];
            foreach (var (client, contract, user) in whose)
                foreach (var from in instants)
                    foreach (var to in instants.Where(to => !(to <= from)))
                        foreach (var by in new UsageBy[][] { [], [UsageBy.Contract], [UsageBy.User, UsageBy.Day], [UsageBy.Month, UsageBy.Contract] })
                        {
                            var filter = new UsageFilter(client, contract, user, from, to, [.. by]);
                            Assert.Equal(Told(await expected.Usage(filter), filter), Told(await Queries.Usage(filter), filter));
                        }

            static string Told(IEnumerable<UsageRow> rows, UsageFilter filter) => Json.Write(Usage.Page(rows, filter, new(1_000, null)));
        }
    }

    [Fact]
    public async Task T3_lots_and_credits_that_are_due_show_before_they_are_booked_and_as_they_are_booked()
    {
        var books = new Books(Store);
        foreach (var (contract, client) in new[] { ("C", "acme"), ("D", "other") })
            await books.Agree(contract, 0, ["U"], client, billing: new(RecurrenceUnit.Day, 1, new(2026, 1, 1), 4));
        await books.Grant("C", "A", 3);
        await books.Grant("C", "Z", 3);
        var now = Books.Start + Duration.FromDays(6) + Duration.FromHours(1);
        var reads = new Unbooked(Queries);
        Assert.Equal(["C", "D"], (await Queries.Due(null, null, now)).Select(due => due.Document.Id).Order(StringComparer.Ordinal));
        Assert.Equal(["D"], (await Queries.Due(null, "other", now)).Select(due => due.Document.Id));
        Assert.Equal(["C"], (await Queries.Due("C", "acme", now)).Select(due => due.Document.Id));
        Assert.Empty(await Queries.Due("C", "other", now));

        var before = await Reads();
        await books.Advance(now);
        var after = await Reads();

        Assert.Equal(before, after);
        Assert.Empty(await Queries.Due(null, null, now));

        async Task<List<string>> Reads()
        {
            var all = new List<string>();
            foreach (var limit in new[] { 1, 3, 100 })
            {
                all.AddRange((await Paging.All(page => reads.Lots("C", null, now, page), limit))
                    .Select(lot => $"{lot.LotId} {lot.CreatedAt} {lot.ExpiresAt} {lot.AvailableAt(now)}"));
                foreach (var filter in new CreditFilter[]
                {
                    new(null, null, null, null, null, null, null), new("acme", null, null, null, null, null, null),
                        new(null, "D", null, null, null, null, null),
                    new(null, null, CreditStatus.Unallocated, null, null, null, null),
                        new("acme", "C", CreditStatus.Expired, null, null, null, "C:2026-03-02"),
                })
                    all.AddRange((await Paging.All(page => reads.Credits(filter, null, now, page), 5 * limit)).Select(credit => $"{credit}"));
            }
            return all;
        }
    }

    private async Task Finds(Change[] tampering, params string[] differences)
    {
        await Done(tampering);
        var audit = (await Queries.Audit("C"))!;
        Assert.False(audit.Balanced);
        Assert.Equal(differences,
            audit.Differences.Select(difference =>
            $"{difference.Subject} {difference.What} {difference.FromEntries} {difference.FromState}"));
    }

    private async Task Done(Change[] changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", [.. changes])));
}
