using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Each fence of a commit, by the key that a conflict names: the same in every Store.</summary>
public abstract class CreditFences
{
    protected static readonly Instant Now = Instant.FromUtc(2026, 3, 1, 0, 0);

    protected abstract IStore Store { get; }

    [Fact]
    public async Task A_document_is_written_only_over_the_version_that_its_writer_knew()
    {
        await Done(Write(expected: 0, "one"));
        Assert.Equal(["thing:T"], await Conflict(Write(expected: 0, "again")));
        await Done(Write(expected: 1, "two"));
        Assert.Equal(["thing:T"], await Conflict(Write(expected: 1, "late")));
        await Done(Write(expected: 2, null));

        Assert.Equal(new Document("thing", "T", 3, "two", Now), await Store.Document("thing", "T"));
    }

    [Fact]
    public async Task A_guard_holds_while_its_document_has_that_version()
    {
        await Done(Guarded(0));
        Assert.Equal(["thing:T"], await Conflict(Guarded(1)));
        await Done(Write(expected: 0, "one"));
        await Done(Guarded(1));
        Assert.Equal(["thing:T"], await Conflict(Guarded(0)));
        Assert.Equal(["thing:T"], await Conflict(Guarded(2)));
    }

    [Fact]
    public async Task A_new_lot_must_not_have_been_there()
    {
        await Done(Of(new() { Lots = [NewLot] }));
        Assert.Equal(["lot:C~L"], await Conflict(Of(new() { Lots = [NewLot] })));
        await Done(Of(new() { Lots = [NewLot with { IsNew = false, Lot = NewLot.Lot with { Free = Runs.Parse("3-10") } }] }));

        Assert.Equal("3-10", (await Store.Lot("C", "L"))?.Free.ToString());
    }

    [Fact]
    public async Task A_credit_is_written_only_once_and_only_over_the_version_known()
    {
        await Done(Of(new() { Lots = [NewLot], Credits = [new(Credit(1, "P"), 0)] }));

        Assert.Equal(["player:acme/Q"], await Conflict(Of(new() { Credits = [new(Credit(1, "Q"), 0)] })));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(1, "P") with { Version = 3 }, 2)] })));
        Assert.Equal(["credit:C~L~000000002"], await Conflict(Of(new() { Credits = [new(Credit(2, null) with { IsCurrent = false }, 1)] })));
    }

    [Fact]
    public async Task A_player_has_one_current_credit()
    {
        await Done(Of(new() { Lots = [NewLot], Credits = [new(Credit(1, "P"), 0)] }));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(2, "P"), 0)] })));

        await Done(Of(new() { Credits = [new(Credit(1, "P") with { IsCurrent = false, ExpiryBooked = true, Version = 2 }, 1), new(Credit(2, "P"), 0)] }));

        Assert.Equal(2, (await Store.CurrentCredit(new("acme", "P")))?.Id.Ordinal);
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(1, "P") with { Version = 3 }, 2)] })));
    }

    [Fact]
    public async Task A_credit_that_went_and_came_again_is_another_one_though_its_version_is_the_same()
    {
        await Done(Of(new() { Lots = [NewLot], Credits = [new(Credit(1, "P"), 0)] }));
        await Done(Of(new() { CoveredBy = [Credit(1, "P")] }));
        await Done(Of(new() { Credits = [new(Credit(1, "P"), 1) { IsGone = true }, new(Credit(1, "P") with { ReportId = "S" }, 0)] }));

        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { CoveredBy = [Credit(1, "P")] })));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(1, "P") with { IsCurrent = false, Version = 2 }, 1)] })));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(1, "P"), 1) { IsGone = true }] })));
        await Done(Of(new() { Credits = [new(Credit(1, "P") with { ReportId = "S" }, 1) { IsGone = true }] }));
        Assert.Null(await Store.Credit(new CreditId("C", "L", 1)));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { CoveredBy = [Credit(1, "P") with { ReportId = "S" }] })));
    }

    [Fact]
    public async Task A_lot_that_is_not_open_is_written_only_over_what_was_free_in_it()
    {
        await Done(Of(new() { Lots = [NewLot with { Lot = NewLot.Lot with { Free = Runs.Empty } }] }));
        var reopened = NewLot with { IsNew = false, Lot = NewLot.Lot with { Free = Runs.Parse("3") }, From = Runs.Empty };
        await Done(Of(new() { Lots = [reopened] }));
        Assert.Equal(["lot:C~L"], await Conflict(Of(new() { Lots = [reopened with { Lot = NewLot.Lot with { Free = Runs.Parse("4") } }] })));
        Assert.Equal("3", (await Store.Lot("C", "L"))?.Free.ToString());
    }

    [Fact]
    public async Task A_credit_apart_from_its_lot_is_a_lot_of_one_beside_it()
    {
        var apart = NewLot with { Lot = NewLot.Lot with { Apart = 3, Free = Runs.Only(3), AskedExpiry = Now + Duration.FromDays(9), ExpiresAt = Now + Duration.FromDays(9) } };
        await Done(Of(new() { Lots = [NewLot with { Lot = NewLot.Lot with { Free = Runs.Parse("1-2,4-10") } }, apart] }));
        Assert.Equal(["lot:C~L~000000003"], await Conflict(Of(new() { Lots = [apart] })));
        Assert.Equal(apart.Lot, await Store.Lot("C", "L", apart: 3));
        Assert.Equal("1-2,4-10", (await Store.Lot("C", "L"))?.Free.ToString());

        var drawn = apart with { IsNew = false, Lot = apart.Lot with { Free = Runs.Empty } };
        await Done(Of(new() { Lots = [drawn] }));
        var again = apart with { IsNew = false, From = Runs.Empty, Lot = apart.Lot with { AskedExpiry = Now + Duration.FromDays(5), ExpiresAt = Now + Duration.FromDays(5) } };
        await Done(Of(new() { Lots = [again] }));
        Assert.Equal(["lot:C~L~000000003"], await Conflict(Of(new() { Lots = [again] })));
        Assert.Equal(again.Lot, await Store.Lot("C", "L", apart: 3));
    }

    [Fact]
    public async Task A_use_is_given_back_to_whoever_it_was_but_to_that_cycle_only()
    {
        Assert.Equal(["use:C/U"], await Conflict(Of(new() { GivenBack = [new("C", "U", 1)] })));
        await Done(Of(new() { Members = [await Member(assigned: true)], Uses = [new("C", "U", 5)] }));
        await Done(Of(new() { Members = [await Member(assigned: false)], Switches = [new("acme", "U", true)] }));
        await Done(Of(new() { GivenBack = [new("C", "U", 1)] }));
        Assert.Equal(["use:C/U"], await Conflict(Of(new() { GivenBack = [new("C", "U", 1) { OfCycle = 1, Cycle = new(0, 3) }] })));

        Assert.Equal(4, (await Stored()).Allocation.TotalUsed);
    }

    [Fact]
    public async Task Two_changes_of_one_player_in_one_commit_are_a_conflict_of_that_player()
    {
        await Done(Of(new() { Lots = [NewLot] }));

        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { Credits = [new(Credit(1, "P"), 0), new(Credit(2, "Q"), 0), new(Credit(3, "P"), 0)] })));
        Assert.Null(await Store.CurrentCredit(new("acme", "Q")));
    }

    [Fact]
    public async Task A_use_counts_only_for_a_user_who_is_assigned_and_enabled()
    {
        var use = Of(new() { Uses = [new("C", "U", 5)] });
        Assert.Equal(["use:C/U"], await Conflict(use));
        await Done(Of(new() { Members = [await Member(assigned: true)], Uses = [new("C", "U", 5)] }));
        await Done(use);
        await Done(Of(new() { Members = [await Member(assigned: false)] }));
        Assert.Equal(["use:C/U"], await Conflict(use));
        await Done(Of(new() { Members = [await Member(assigned: true)] }));
        await Done(Of(new() { Switches = [new("acme", "U", true)] }));
        Assert.Equal(["use:C/U"], await Conflict(use));
        await Done(Of(new() { Switches = [new("acme", "U", false)] }));
        await Done(use);

        Assert.Equal(new("U", "Ute", true) { Allocation = Allocation.None with { TotalUsed = 15 } }, await Stored());
    }

    [Fact]
    public async Task A_user_who_is_disabled_is_so_in_contracts_that_come_later_C3()
    {
        var member = await Member(assigned: true);
        await Done(Of(new() { Members = [member] }));
        await Done(new(new DocumentWrite(UserActor.Kind, "acme/U", 0, """{"schema":1,"value":{"disabled":true}}""", "acme", Now, null), new() { Switches = [new("acme", "U", true)] }));
        await Done(Of(new() { Members = [member with { ContractId = "D" }] }));

        Assert.True(Assert.Single(await Store.Members("D")).Disabled);
        Assert.Equal(["use:D/U"], await Conflict(Of(new() { Uses = [new("D", "U", 0)] })));
    }

    [Fact]
    public async Task A_report_is_there_once_R3()
    {
        await Done(Of(new() { Reports = [Report("R")] }));
        Assert.Equal(["report:acme/R"], await Conflict(Of(new() { Reports = [Report("R")] })));
        Assert.Equal("R", (await Store.Report(new("acme", "R")))?.ReportId);
    }

    [Fact]
    public async Task R2_a_use_that_knows_of_other_extra_credits_fails_though_nothing_is_used()
    {
        var member = await Member(assigned: true);
        await Done(Of(new() { Members = [member] }));
        await Done(Of(new() { Members = [(await Member(assigned: true)) with { Member = member.Member with { Allocation = Allocation.None with { ExtraCredits = 5 } } }] }));

        foreach (var (granted, good) in new (long?, bool)[] { (5, true), (null, true), (4, false), (6, false) })
        {
            var commit = Of(new() { Uses = [new("C", "U", 0) { Cycle = Allocation.None.CycleKey, ExtraCredits = granted }] });
            if (good) await Done(commit);
            else Assert.Equal(["use:C/U"], await Conflict(commit));
        }
    }

    [Fact]
    public async Task G2_An_audit_misses_rows_of_which_the_entries_tell()
    {
        var charged = Entry with { Kind = EntryKind.CreditsCharged, ContractId = "C", LotId = "L", UserId = "U", Quantity = 3 };
        await Done(new(new DocumentWrite(ContractActor.Kind, "C", 0, "terms", "acme", Now, null), new()
        {
            Entries = [Entry with { ContractId = "C", LotId = "L", Quantity = 10 }, charged],
            Reports = [Report("R") with { Charged = 3, UserId = "V" }],
        }));

        var audit = (await ((IQueries)Store).Audit("C"))!;
        Assert.False(audit.Balanced);
        Assert.Equal(
            ["lot:L quantity 10 0", "lot:L unallocated 7 0", "lot:L allocated 3 0", "user:U totalUsed 3 0", "user:U reported 3 0", "user:V reported 0 3"],
            audit.Differences.Select(difference => $"{difference.Subject} {difference.What} {difference.FromEntries} {difference.FromState}"));
    }

    [Fact]
    public async Task A_conflict_names_every_fence_that_failed_and_leaves_nothing_behind_R5()
    {
        await Done(Of(new() { Lots = [NewLot], Reports = [Report("R")], Credits = [new(Credit(1, "P"), 0)] }));

        var keys = await Conflict(new([new("thing", "T", 7, "body", "", Now, null), new("other", "O", 0, "body", "", Now, null)], [new("guarded", "G", 1)], new()
        {
            Lots = [NewLot],
            Credits = [new(Credit(2, "P"), 0), new(Credit(3, "Q"), 0)],
            Uses = [new("C", "U", 1)],
            Members = [await Member(assigned: true) with { ContractId = "D" }],
            Reports = [Report("R"), Report("S")],
            Entries = [Entry],
        }));

        Assert.Equal(["guarded:G", "lot:C~L", "player:acme/P", "report:acme/R", "thing:T", "use:C/U"], keys);
        Assert.Null(await Store.Document("other", "O"));
        Assert.Null(await Store.CurrentCredit(new("acme", "Q")));
        Assert.Null(await Store.Member(new("D", "U")));
        Assert.Null(await Store.Report(new("acme", "S")));
        Assert.Empty((await ((IQueries)Store).Ledger(new(null, null, null, null), new(10, null))).Items);
    }

    protected static LotChange NewLot => new("C", "acme", new("L", LotSource.Purchase, "PAY", 10, Runs.UpTo(10), Now, Now, null, null), IsNew: true);

    protected static Entry Entry => new() { Kind = EntryKind.LotGranted, EffectiveAt = Now, BookedAt = Now, Actor = "test", Cause = "test", Subject = "lot:C~L", ClientId = "acme" };

    private static Credit Credit(long ordinal, string? player) =>
        new(new("C", "L", ordinal), "acme", "PAY", "U", player, null, Now, Now + Duration.FromDays(30), Now, "R", IsCurrent: true, ExpiryBooked: false, Version: 1);

    private async Task<Member> Stored() => Assert.Single(await Store.Members("C"));

    private async Task<MemberChange> Member(bool assigned) => new("C", "acme", new("U", "Ute", assigned), (await Store.Members("C")).SingleOrDefault()?.Allocation.CycleKey, MustBeEnabled: false);

    protected static Report Report(string id) => new(id, "acme", "C", "U", Now, 0, 0, [], new(null, 10));

    protected static Commit Of(Changes changes) => new([], [], changes);

    private static Commit Write(long expected, string? body) => new(new DocumentWrite("thing", "T", expected, body, "acme", Now, null), Changes.None);

    private static Commit Guarded(long version) => new([], [new("thing", "T", version)], Changes.None);

    protected async Task Done(Commit commit) => Assert.IsType<CommitResult.Done>(await Store.Commit(commit));

    private async Task<ImmutableSortedSet<string>> Conflict(Commit commit) => Assert.IsType<CommitResult.Conflict>(await Store.Commit(commit)).Keys.ToImmutableSortedSet(StringComparer.Ordinal);
}
