using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Each row's fence, and what a commit is: whole or nothing, and no neighbour's business.</summary>
public abstract class Fences<TStores> : Suite<TStores> where TStores : IStores, new()
{
    // Nothing fences what is added to.
    public static TheoryData<RowKind> Kinds => [.. Enum.GetValues<RowKind>().Except([RowKind.Ended])];

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_row_is_inserted_where_it_is_not_there_and_read_back_as_it_was_written(RowKind kind)
    {
        var sample = Of(kind);
        Assert.Null(await sample.Read(Store, Queries));
        await Done(sample.Insert);
        Assert.Equal(Json.Write(sample.Inserted), Json.Write(await sample.Read(Store, Queries)));

        await Conflict([sample.Key], sample.Insert);
        Assert.Equal(Json.Write(sample.Inserted), Json.Write(await sample.Read(Store, Queries)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_row_is_updated_only_over_the_version_that_the_decision_knew(RowKind kind)
    {
        var sample = Of(kind);
        if (sample.Update is not { } update) return;

        await Conflict([sample.Key], update);
        await Done(sample.Insert);
        if (sample.Stale is { } stale) await Conflict([sample.Key], stale);
        await Done(update);
        Assert.Equal(Json.Write(sample.Updated), Json.Write(await sample.Read(Store, Queries)));

        if (sample.Stale is not null) await Conflict([sample.Key], update);
        Assert.Equal(Json.Write(sample.Updated), Json.Write(await sample.Read(Store, Queries)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_guard_holds_while_its_row_has_that_version_alone_or_beside_a_change(RowKind kind)
    {
        var sample = Of(kind);
        await Guarded(0, holds: true);
        await Guarded(sample.Versions.First, holds: false);
        await Done(sample.Insert);
        await Guarded(0, holds: false);
        await Guarded(sample.Versions.First, holds: true);
        if (sample.Update is not { } update || sample.Stale is null) return;

        await Guarded(sample.Versions.Second, holds: false);
        await Done(update);
        await Guarded(sample.Versions.First, holds: false);
        await Guarded(sample.Versions.Second, holds: true);

        async Task Guarded(long version, bool holds)
        {
            var guard = new Guard(sample.Key, version);
            var beside = Changes.Of([Samples.Document with { Kind = "beside", Id = $"{Guid.NewGuid()}" }]).RestingOn(guard);
            foreach (var changes in new[] { Changes.None.RestingOn(guard), beside })
            {
                var result = await Store.Commit(new("acme", changes));
                if (holds) Assert.IsType<CommitResult.Done>(result);
                else Assert.Equal([sample.Key], Assert.IsType<CommitResult.Conflict>(result).Rows);
            }
        }
    }

    [Fact]
    public async Task Every_kind_of_change_is_written()
    {
        var kinds = typeof(Change).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Change)) && !type.IsAbstract);
        Assert.Equal(kinds.Select(kind => kind.Name).Order(), Samples.Changes.Select(change => change.GetType().Name).Order());

        foreach (var change in Samples.Changes) await Done(change);

        Assert.Equal(Samples.Entry, Assert.Single((await Queries.Ledger(new(null, null, null, null), new(10, null))).Items).Entry);
        Assert.Equal(2, (await Store.Document("thing", "T"))!.Version);
    }

    [Fact]
    public async Task R5_a_conflict_names_every_row_of_a_kind_that_was_not_as_expected_and_leaves_nothing_behind()
    {
        await Done(Samples.Player, Samples.Report.Made(), Samples.Lot);
        var players = new[] { "Q", "P", "O", "N" }.Select(OfPlayer).ToList();

        await Conflict(
            [RowKey.Player("acme", "N"), RowKey.Player("acme", "P")],
            players[0], players[1], players[2], players[3] with { Expected = 4 }, Samples.Entry, Samples.Document);

        Assert.Null(await Store.Document("thing", "T"));
        Assert.Equal(["P"], (await Store.Read(new("acme", "C") { Players = ["P", "Q", "O", "N"] })).Players.Keys);
        Assert.Empty((await Queries.Ledger(new(null, null, null, null), new(10, null))).Items);
    }

    [Fact]
    public async Task A_commit_of_guards_alone_names_every_row_that_was_not_as_expected()
    {
        await Done(Samples.Player, Samples.Member);
        Guard[] guards =
        [
            new(Samples.Player.Player.Row, 1), new(Samples.Member.Row, 2), new(Samples.Report.Row, 1), new(Samples.User.Row, 0),
            new(RowKey.Player("acme", "X"), 3),
        ];

        var conflict = Assert.IsType<CommitResult.Conflict>(await Store.Commit(new("acme", Changes.None.RestingOn(guards))));

        Assert.Equal([Samples.Member.Row, Samples.Report.Row, RowKey.Player("acme", "X")],
            conflict.Rows.OrderBy(row => row.Kind == RowKind.Player).ThenBy(row => row.Kind));
        Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", Changes.None.RestingOn(guards[0], guards[3]))));
        Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", Changes.None)));
    }

    [Fact]
    public async Task R3_an_epoch_rises_over_the_one_before_and_every_commit_of_an_earlier_one_fails_from_then_on()
    {
        await Done(Samples.Document);
        await Done(Samples.Document with { Expected = 1, Version = 1, Body = "2" });
        await Done(Samples.Epoch);

        await Conflict([Samples.Document.Row], Samples.Epoch);
        await Conflict([Samples.Document.Row], Samples.Document with { Expected = 1, Version = 1, Body = "3" });
        await Conflict([RowKey.Document("thing", "none")], Samples.Epoch with { Id = "none" });
        Assert.Equal(Samples.AsRead(Samples.Document with { Version = 2, Body = "2" }), await Store.Document("thing", "T"));
    }

    [Fact]
    public async Task A_credit_that_went_and_came_again_is_another_one_though_its_version_is_the_same()
    {
        var (first, second) = (Samples.Credit, Samples.Credit with { Credit = Samples.Credit.Credit with { ReportId = "S" } });
        await Done(first);
        await Done(first with { Expected = 1, IsGone = true }, second);

        await Conflict([first.Row], first with { Expected = 1, Credit = first.Credit with { Version = 2 } });
        await Conflict([first.Row], first with { Expected = 1, IsGone = true });
        await Conflict([first.Row], second with { Expected = 2, IsGone = true });
        await Conflict([first.Row], second with { Expected = 1, Credit = second.Credit with { PlayerId = null } });
        await Done(second with { Expected = 1, IsGone = true });

        Assert.Null(await Store.Credit(first.Credit.Id));
        await Conflict([first.Row], second with { Expected = 1, IsGone = true });
        await Done(second);
    }

    [Fact]
    public async Task An_ending_without_credits_is_gone()
    {
        await Done(Samples.Ending);
        var gone = Samples.Ending with { Ending = Samples.Ending.Ending with { Credits = 0 }, Expected = 2 };
        await Conflict([gone.Ending.Key.Row], gone);
        await Done(gone with { Expected = 3 });
        Assert.Null(await Store.NextEnd("acme"));
        await Conflict([gone.Ending.Key.Row], gone with { Expected = 3 });
        await Done(Samples.Ending);
    }

    [Fact]
    public async Task A_credit_that_is_deleted_and_inserted_again_fails_whole_where_it_was_not_as_expected()
    {
        await Done(Samples.Credit);
        await Conflict(
            [Samples.Credit.Row],
            Samples.Credit with { Expected = 2, IsGone = true },
                Samples.Credit with { Credit = Samples.Credit.Credit with { PlayerId = "Q" } });

        Assert.Equal(Samples.Credit.Credit, await Store.Credit(Samples.Credit.Credit.Id));
    }

    [Fact]
    public async Task A_credit_without_player_and_report_is_fenced_like_one_with_them()
    {
        var free = Samples.Credit with { Credit = Samples.Credit.Credit with { PlayerId = null, ReportId = null, PlayerName = null } };
        await Done(free);
        await Conflict([free.Row], free with { Expected = 1, IsGone = true, Credit = free.Credit with { PlayerId = "P" } });
        await Done(free with { Expected = 1, Credit = free.Credit with { Version = 2, UsedBy = null } });
        await Done(free with { Expected = 2, IsGone = true });
    }

    [Fact]
    public async Task A_credit_apart_from_its_lot_is_a_lot_of_one_beside_it()
    {
        var apart = Samples.Lot with { Lot = Samples.Lot.Lot with { Apart = 5, Free = Runs.Only(5) } };
        await Done(Samples.Lot, apart);
        await Conflict([apart.Row], apart);
        Assert.Equal(apart.Lot, await Store.Lot("C", "L", apart: 5));
        Assert.Equal(Samples.Lot.Lot, await Store.Lot("C", "L"));
    }

    [Fact]
    public async Task C3_a_member_is_as_disabled_and_as_late_as_the_users_own_row_says_in_contracts_that_come_later_too()
    {
        await Done(Samples.Member);
        Assert.Equal((false, 0L, Samples.Day(1)), await Seen("C"));
        await Done(new UserChange(new("acme", "U", true, Samples.Day(5), 1) { Name = "Ute" }, 0));
        Assert.Equal("Ute", (await Store.Members("C")).Single().Name);
        await Done(Samples.Member with { ContractId = "D" });
        Assert.Equal((true, 1L, Samples.Day(5)), await Seen("C"));
        Assert.Equal((true, 1L, Samples.Day(5)), await Seen("D"));
        await Done(new UserChange(new("acme", "U", false, Samples.Day(0), 2), 1));
        Assert.Equal((false, 2L, Samples.Day(1)), await Seen("C"));

        // A10: who changed it last is the later of both.
        Assert.Equal(new LastChange("mia", Samples.Day(0)), (await Store.Members("C")).Single().LastChange);
        await Done(new UserChange(new("acme", "U", true, Samples.Day(6), 3) { ChangedBy = "ops" }, 2));
        Assert.Equal(new LastChange("ops", Samples.Day(6)), (await Store.Members("C")).Single().LastChange);
        var later = Samples.Member.Member with { LastChange = new("kim", Samples.Day(7)), Version = 2 };
        await Done(Samples.Member with { Member = later, Expected = 1 });
        Assert.Equal(later.LastChange, (await Store.Members("C")).Single().LastChange);

        async Task<(bool, long, Instant)> Seen(string contractId)
        {
            var member = (await Store.Read(new("acme", contractId) { Users = ["U", "none"] })).Members.Single().Value;
            Assert.Equal(member, Assert.Single(await Store.Members(contractId)));
            return (member.Disabled, member.UserVersion, member.AsOf);
        }
    }

    [Fact]
    public async Task Wanted_rows_are_read_together_and_what_is_not_there_is_not_among_them()
    {
        var request = new KeyedRequest("acme", "key", "print", "made") { ForgetAt = Samples.Day(7) };
        await Done(Samples.Player, Samples.Member, Samples.Report.Made(), Remembered.Keep(request, Samples.Now));

        var rows =
            await Store.Read(new("acme", "C") { Players = ["P", "X"], Users = ["X", "U"], Reports = ["R", "X"], Requests = ["X", "key"] });
        Assert.Equal(Samples.Player.Player, Assert.Single(rows.Players).Value);
        Assert.Equal(Samples.Member.Member, Assert.Single(rows.Members).Value);
        Assert.Equal(Json.Write(Samples.Report), Json.Write(Assert.Single(rows.Reports).Value));
        Assert.Equal(KeyValuePair.Create("key", request), Assert.Single(rows.Requests));

        var others = await Store.Read(new("other", "D") { Players = ["P"], Users = ["U"], Reports = ["R"], Requests = ["key"] });
        Assert.Empty(others.Players.Keys.Concat(others.Members.Keys).Concat(others.Reports.Keys));
        Assert.Equal(request, Assert.Single(others.Requests).Value);
    }

    [Fact]
    public async Task Rows_of_many_players_are_read_and_written_in_one_go()
    {
        var ids = Enumerable.Range(0, 1_000).Select(i => $"P{i}").ToList();
        await Done([.. ids.Select(OfPlayer)]);

        var rows = (await Store.Read(new("acme", "C") { Players = [.. ids, "X"] })).Players;
        Assert.Equal(ids.Order(), rows.Keys.Order());
        await Done([.. ids.AsEnumerable().Reverse().Select(id => new PlayerChange(rows[id] with { Version = 2 }, 1))]);
        Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme",
            Changes.None.RestingOn(ids.Select(id => new Guard(RowKey.Player("acme", id), 2))))));
    }

    [Fact]
    public async Task Entries_stand_in_the_ledger_in_the_order_of_their_commit()
    {
        await Done([.. Enumerable.Range(1, 50).Select(i => Samples.Entry with { Quantity = i, EffectiveAt = Samples.Day(60 - i) })]);
        await Done(Samples.Entry with { Quantity = 51 });

        var booked = (await Queries.Ledger(new(null, null, null, null), new(100, null))).Items;
        Assert.Equal(Enumerable.Range(1, 51).Select(i => (long)i), booked.Select(entry => entry.Entry.Quantity));
        Assert.Equal(booked.Select(entry => entry.EntryId).Order(), booked.Select(entry => entry.EntryId));
    }

    [Fact]
    public async Task R4_of_commits_that_race_for_a_row_one_wins_and_no_neighbour_fails()
    {
        await Done(Samples.Report.Made());
        var results = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i => (i % 4, Result: await Store.Commit((i % 4) switch
        {
            0 => Commit(Samples.Report.Made(), Samples.Entry),
            1 => Commit(Samples.Player, (Samples.Report with { ReportId = $"player-{i}" }).Made()),
            2 => Commit(OfPlayer($"P{i}"), (Samples.Report with { ReportId = $"{i}" }).Made()),
            _ => new Commit("acme", Changes.None.RestingOn(new Guard(Samples.Report.Row, 1))),
        }))));

        foreach (var (story, result) in results.Where(result => result.Item1 is 0 or 2 or 3))
            Assert.IsType(story == 0 ? typeof(CommitResult.Conflict) : typeof(CommitResult.Done), result);
        Assert.Equal(1, results.Count(result => result is (1, CommitResult.Done)));
        Assert.All(results.Where(result => result is (1, CommitResult.Conflict)), result =>
            Assert.Equal([Samples.Player.Player.Row], ((CommitResult.Conflict)result.Result).Rows));
        Assert.Equal(52, (await Queries.Reports(new(null, null, null, null, null), new(1_000, null))).Items.Length);
        Assert.Empty((await Queries.Ledger(new(null, null, null, null), new(10, null))).Items);
    }

    [Fact]
    public async Task R4_a_row_that_many_change_over_what_they_read_counts_every_change()
    {
        await Done(Samples.Player);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var done = 0; done < 10;)
            {
                var row = (await Store.Read(new("acme", "C") { Players = ["P"] })).Players["P"];
                var next = new PlayerChange(row with { Version = row.Version + 1 }, row.Version);
                if (await Store.Commit(Commit(next)) is CommitResult.Done) done++;
            }
        }));

        Assert.Equal(81, (await Store.Read(new("acme", "C") { Players = ["P"] })).Players["P"].Version);
    }

    [Fact]
    public async Task R4_a_commit_alone_decides_once_on_rows_that_nobody_changes_meanwhile()
    {
        await Done(Samples.Player);
        var decided = 0;
        var results = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i => i % 2 == 0
            ? await Store.CommitAlone(new("acme", "C") { Players = ["P"] }, rows =>
            {
                Interlocked.Increment(ref decided);
                return Commit(new PlayerChange(rows.Players["P"] with { Version = rows.Players["P"].Version + 1 },
                    rows.Players["P"].Version));
            })
            : await Store.Commit(Commit((Samples.Report with { ReportId = $"{i}" }).Made()))));

        Assert.All(results, result => Assert.IsType<CommitResult.Done>(result));
        Assert.Equal(20, decided);
        Assert.Equal(21, (await Store.Read(new("acme", "C") { Players = ["P"] })).Players["P"].Version);
    }

    [Fact]
    public async Task A_commit_alone_that_decides_on_guards_or_fails_or_throws_leaves_nothing_behind()
    {
        await Done(Samples.Report.Made());
        var wanted = new Wanted("acme", "C") { Reports = ["R"] };
        Assert.IsType<CommitResult.Done>(await Store.CommitAlone(wanted, rows =>
            new("acme", Changes.None.RestingOn(new Guard(rows.Reports["R"].Row, 1)))));
        Assert.IsType<CommitResult.Conflict>(await Store.CommitAlone(wanted, _ => Commit(Samples.Document, Samples.Report.Made())));
        await Assert.ThrowsAsync<InvariantException>(() => Store.CommitAlone(wanted, _ => throw new InvariantException("this is a test")));
        Assert.Null(await Store.Document("thing", "T"));
        await Done(Samples.Document);
    }

    [Fact]
    public async Task A_commit_names_each_row_once()
    {
        await Assert.ThrowsAsync<InvariantException>(async () => await Store.Commit(Commit(Samples.Player, Samples.Player)));
        await Done(Samples.Player);
    }

    private static PlayerChange OfPlayer(string id) => Samples.Player with { Player = Samples.Player.Player with { PlayerId = id } };

    private static Sample Of(RowKind kind) => Samples.All.Single(sample => sample.Key.Kind == kind);

    private static Commit Commit(params ReadOnlySpan<Change> changes) => new("acme", Changes.Of(changes));

    private async Task Done(params Change[] changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(Commit(changes)));

    private async Task Conflict(ImmutableArray<RowKey> expected, params Change[] changes)
    {
        var conflict = Assert.IsType<CommitResult.Conflict>(await Store.Commit(Commit(changes)));
        Assert.Equal(expected.Select(row => $"{row}").Order(StringComparer.Ordinal), conflict.Rows.Select(row => $"{row}")
            .Order(StringComparer.Ordinal));
    }
}
