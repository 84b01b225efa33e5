using System.Collections.Immutable;
using CreditGrains.Actors;
using CreditGrains.Domain;
using CreditGrains.Standalone.Sqlite;
using NodaTime;

namespace CreditGrains.Standalone.Tests;

/// <summary>Each fence of a commit, by the key that a conflict names.</summary>
public sealed class FenceTests : IDisposable
{
    private static readonly Instant Now = Engine.Start;

    private readonly TempDirectory directory = new();
    private readonly SqliteStore store;

    public FenceTests() => store = SqliteStore.Open(directory.Path);

    public void Dispose()
    {
        store.Dispose();
        directory.Dispose();
    }

    [Fact]
    public async Task A_document_is_written_only_over_the_version_that_its_writer_knew()
    {
        await Done(Write(expected: 0, "one"));
        Assert.Equal(["thing:T"], await Conflict(Write(expected: 0, "again")));
        await Done(Write(expected: 1, "two"));
        Assert.Equal(["thing:T"], await Conflict(Write(expected: 1, "late")));
        await Done(Write(expected: 2, null));

        Assert.Equal(new Document("thing", "T", 3, "two", Now), await store.Document("thing", "T"));
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

        Assert.Equal("3-10", (await store.Lot("C", "L"))?.Free.ToString());
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

        Assert.Equal(2, (await store.CurrentCredit(new("acme", "P")))?.Id.Ordinal);
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
        Assert.Null(await store.Credit(new CreditId("C", "L", 1)));
        Assert.Equal(["player:acme/P"], await Conflict(Of(new() { CoveredBy = [Credit(1, "P") with { ReportId = "S" }] })));
    }

    [Fact]
    public async Task A_lot_that_is_not_open_is_written_only_over_what_was_free_in_it()
    {
        await Done(Of(new() { Lots = [NewLot with { Lot = NewLot.Lot with { Free = Runs.Empty } }] }));
        var reopened = NewLot with { IsNew = false, Lot = NewLot.Lot with { Free = Runs.Parse("3") }, From = Runs.Empty };
        await Done(Of(new() { Lots = [reopened] }));
        Assert.Equal(["lot:C~L"], await Conflict(Of(new() { Lots = [reopened with { Lot = NewLot.Lot with { Free = Runs.Parse("4") } }] })));
        Assert.Equal("3", (await store.Lot("C", "L"))?.Free.ToString());
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
        Assert.Null(await store.CurrentCredit(new("acme", "Q")));
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
        await Done(Of(new() { Switches = [new("acme", "U", true)] }));
        await Done(Of(new() { Members = [await Member(assigned: true)] }));

        Assert.True((await Stored()).Disabled);
        Assert.Equal(["use:C/U"], await Conflict(Of(new() { Uses = [new("C", "U", 0)] })));
    }

    [Fact]
    public async Task A_report_is_there_once_R3()
    {
        await Done(Of(new() { Reports = [Report("R")] }));
        Assert.Equal(["report:acme/R"], await Conflict(Of(new() { Reports = [Report("R")] })));
        Assert.Equal("R", (await ((IStore)store).Report(new("acme", "R")))?.ReportId);
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
        Assert.Null(await store.Document("other", "O"));
        Assert.Null(await store.CurrentCredit(new("acme", "Q")));
        Assert.Null(await ((IStore)store).Member(new("D", "U")));
        Assert.Null(await ((IStore)store).Report(new("acme", "S")));
        Assert.Empty((await store.Ledger(new(null, null, null, null), new(10, null))).Items);
    }

    [Fact]
    public async Task A_commit_that_fails_marks_no_neighbour()
    {
        await Done(Of(new() { Reports = [Report("taken")] }));
        var broken = Of(new() { Lots = [NewLot with { ContractId = "D" }], Entries = [Entry with { Cause = null! }] });

        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i => i % 10 == 0 ? await Fault(broken) : await Result(i % 10 == 1 ? "taken" : $"R{i}")));

        Assert.Equal(80, results.Count(result => result == nameof(CommitResult.Done)));
        Assert.Equal(10, results.Count(result => result == nameof(CommitResult.Conflict)));
        Assert.Equal(10, results.Count(result => result == nameof(Microsoft.Data.Sqlite.SqliteException)));
        Assert.Equal(81, (await store.Reports(new(null, null, null, null, null), new(1000, null))).Items.Length);
        Assert.Null(await store.Lot("D", "L"));

        async Task<string> Result(string report) => (await store.Commit(Of(new() { Reports = [Report(report)] }))).GetType().Name;
        async Task<string> Fault(Commit commit) => (await Record.ExceptionAsync(() => store.Commit(commit)))!.GetType().Name;
    }

    private static LotChange NewLot => new("C", "acme", new("L", LotSource.Purchase, "PAY", 10, Runs.UpTo(10), Now, Now, null, null), IsNew: true);

    private static Entry Entry => new() { Kind = EntryKind.LotGranted, EffectiveAt = Now, BookedAt = Now, Actor = "test", Cause = "test", Subject = "lot:C~L", ClientId = "acme" };

    private static Credit Credit(long ordinal, string? player) =>
        new(new("C", "L", ordinal), "acme", "PAY", "U", player, null, Now, Now + Duration.FromDays(30), Now, "R", IsCurrent: true, ExpiryBooked: false, Version: 1);

    private async Task<Member> Stored() => Assert.Single(await store.Members("C"));

    private async Task<MemberChange> Member(bool assigned) => new("C", "acme", new("U", "Ute", assigned), (await store.Members("C")).SingleOrDefault()?.Allocation.CycleKey, MustBeEnabled: false);

    private static Report Report(string id) => new(id, "acme", "C", "U", Now, 0, 0, [], new(null, 10));

    private static Commit Of(Changes changes) => new([], [], changes);

    private static Commit Write(long expected, string? body) => new(new DocumentWrite("thing", "T", expected, body, "acme", Now, null), Changes.None);

    private static Commit Guarded(long version) => new([], [new("thing", "T", version)], Changes.None);

    private async Task Done(Commit commit) => Assert.IsType<CommitResult.Done>(await store.Commit(commit));

    private async Task<ImmutableSortedSet<string>> Conflict(Commit commit) => Assert.IsType<CommitResult.Conflict>(await store.Commit(commit)).Keys.ToImmutableSortedSet(StringComparer.Ordinal);
}
