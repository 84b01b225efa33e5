using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;
using Xunit;

namespace CreditGrains.Stores.Tests;

/// <summary>What a store's fences keep from happening to services credits, whichever store it is: rows are written over what their writer knew, and two activations of one account, as after a crash, decide as one.</summary>
public abstract class ServicesFences
{
    private static readonly Instant Now = Instant.FromUtc(2026, 3, 1, 12, 0);

    private static readonly Milestone M1 = new("M1", "acme", "J1", 5.5m, "Planned", new(2026, 3, 1), WasAllocated: true, [new("P1", 5.5m)], 1);

    private static readonly Project J1 = new("J1", "acme", "A1", "EUR", 1, 1);

    private static readonly Purchase P1 = new("P1", "EUR", 10.0001m, 4.5001m, 5.5m, 0, new(2026, 3, 1), new(2026, 3, 31), Now, Now + Duration.FromDays(30), Now, "asked");

    protected abstract IStore Store { get; }

    [Fact]
    public async Task A_milestone_and_a_project_are_written_only_over_the_version_that_their_writer_knew()
    {
        await Done(new() { Milestones = [new(M1, 0)], Projects = [new(J1, 0)] });
        Assert.Equal(["milestone:M1"], await Conflict(new() { Milestones = [new(M1, 0)] }));
        Assert.Equal(["project:J1"], await Conflict(new() { Projects = [new(J1, 0)] }));
        await Done(new() { Milestones = [new(M1 with { ActualDate = null, Version = 2 }, 1)], Projects = [new(J1 with { Holding = 2, Version = 2 }, 1)] });
        Assert.Equal(["milestone:M1", "project:J1"], (await Conflict(new() { Milestones = [new(M1 with { Version = 2 }, 1)], Projects = [new(J1 with { Version = 2 }, 1)] })).Order());

        // What one commit does to a row in steps is one step; what does not follow is a conflict.
        await Done(Commit.Merge([new() { Milestones = [new(M1 with { Version = 3 }, 2)] }, new() { Milestones = [new(M1 with { Version = 4 }, 3)] }]));
        Assert.Equal(["milestone:M1"], await Conflict(Commit.Merge([new() { Milestones = [new(M1 with { Version = 5 }, 4)] }, new() { Milestones = [new(M1 with { Version = 5, Status = "Done" }, 4)] }])));

        var facts = await Store.Services("A1", ["M1", "M2"], ["J2"]);
        Assert.Equal(Json.Write(M1 with { Version = 4 }), Json.Write(Assert.Single(facts.Milestones).Value));
        Assert.Equal(J1 with { Holding = 2, Version = 2 }, Assert.Single(facts.Projects).Value);
    }

    [Fact]
    public async Task A_new_purchase_must_not_have_been_there_and_no_record_is_written_twice()
    {
        var record = new Consumption("A1", 1, ConsumptionKind.Consumption, "P1", "M1", "EUR", 5.5m, new(2026, 3, 1), Now);
        await Done(new() { Purchases = [new("A1", "acme", P1, IsNew: true)], Consumptions = [record] });
        Assert.Equal(["purchase:A1~P1"], await Conflict(new() { Purchases = [new("A1", "acme", P1, IsNew: true)] }));
        Assert.Equal(["consumption:A1~000000001"], await Conflict(new() { Consumptions = [record] }));
        await Done(new() { Purchases = [new("A1", "acme", P1 with { Free = 0, Expired = 4.5001m })], Consumptions = [record with { Number = 2, MilestoneId = null, Kind = ConsumptionKind.Expiry, Quantity = 4.5001m }] });
        Assert.Equal(P1 with { Free = 0, Expired = 4.5001m }, await Store.Purchase("A1", "P1"));
    }

    [Fact]
    public async Task S5_a_status_change_and_an_adjustment_to_0_never_end_in_a_forbidden_state()
    {
        var account = await Furnished(purchase: 1_000);
        var refused = 0;
        for (var round = 1; round <= 40; round++)
        {
            var id = $"M{round}";
            await account.Ask(one => one.SetMilestone(new(id, "J1", 5, "Planned", null, null, "manager")));
            Assert.Null((await account.Ask(one => one.Allocate(new(id, null, "manager"), false))).Refusal);

            var adjusting = account.Ask(one => one.Adjust(new(id, 0, null, "manager"), false), round % 2);
            var finishing = account.Ask(one => one.SetMilestone(new(id, "J1", null, "Done", new(2026, 3, 1), null, "manager")), (round + 1) % 2);
            var (adjusted, finished) = (await adjusting, await finishing);

            var milestone = (await Store.Services("A1", [id], [])).Milestones[id];
            Assert.Null(finished.Refusal);
            Assert.Equal("Done", milestone.Status);
            if (adjusted.Refusal is { } refusal)
            {
                refused++;
                Assert.Equal(RefusalCode.AllocationRequired, refusal.Code);
            }
            else Assert.Equal("Planned", adjusted.Value!.Milestone.Status);
            Assert.Equal(adjusted.Refusal is null ? 0 : 5, milestone.Held);
            Assert.Equal(milestone.ServicesCredits, milestone.Held);
        }
        Assert.Equal(5m * refused, (await Store.Purchase("A1", "P1"))!.Allocated);
    }

    [Fact]
    public async Task S2_two_activations_never_give_more_than_there_is()
    {
        var account = await Furnished(purchase: 20);
        var milestones = Enumerable.Range(1, 12).Select(number => $"M{number}").ToList();
        foreach (var id in milestones) await account.Ask(one => one.SetMilestone(new(id, "J1", 3, "Planned", null, null, "manager")));

        var answers = await Task.WhenAll(milestones.Select((id, i) => account.Ask(one => one.Allocate(new(id, null, "manager"), false), i % 2)));

        Assert.Equal(6, answers.Count(answer => answer.Refusal is null));
        Assert.All(answers.Where(answer => answer.Refusal is not null), answer => Assert.Equal(new ServicesAmounts("EUR", 3, 2), answer.Refusal!.Services));
        var purchase = (await Store.Purchase("A1", "P1"))!;
        Assert.Equal((2m, 18m, 0m), (purchase.Free, purchase.Allocated, purchase.Expired));
        var held = (await Store.Services("A1", milestones, [])).Milestones.Values;
        Assert.Equal(18, held.Sum(milestone => milestone.Held));
        Assert.Equal(6, (await Store.Services("A1", [], ["J1"])).Projects["J1"].Holding);
    }

    [Fact]
    public async Task S5_a_project_does_not_leave_its_account_while_a_milestone_is_being_allocated()
    {
        var first = await Furnished(purchase: 1_000);
        var second = new Doubled(Store, "A2");
        await second.Ask(one => one.Set(new(new("A2", "acme", "Two", "UTC"), "ops")));
        await second.Ask(one => one.Buy(new("P1", "EUR", 1_000, new(2026, 3, 1), new(2026, 3, 31), "ops"), null));
        for (var round = 1; round <= 30; round++)
        {
            var (project, milestone) = ($"K{round}", $"N{round}");
            await first.Ask(one => one.SetProject(new(project, "EUR", "ops")));
            await first.Ask(one => one.SetMilestone(new(milestone, project, 5, "Planned", null, null, "manager")));

            var moving = second.Ask(one => one.SetProject(new(project, "EUR", "ops")));
            var allocating = first.Ask(one => one.Allocate(new(milestone, null, "manager"), false));
            var (moved, allocated) = (await moving, await allocating);

            var facts = await Store.Services("A1", [milestone], [project]);
            Assert.NotEqual(moved.Refusal is null, allocated.Refusal is null);
            Assert.Equal(moved.Refusal is null ? "A2" : "A1", facts.Projects[project].AccountId);
            Assert.Equal(moved.Refusal is null ? 0 : 5, facts.Milestones[milestone].Held);
            Assert.Equal(moved.Refusal is null ? 0 : 1, facts.Projects[project].Holding);
        }
    }

    [Fact]
    public async Task A_change_of_the_settings_counts_for_what_is_decided_after_it()
    {
        var account = await Furnished(purchase: 10);
        var settings = new ServicesSettingsActor(Doubled.Services(Store));
        await account.Ask(one => one.SetMilestone(new("M1", "J1", 5, "Planned", null, null, "manager")));
        Assert.Null((await settings.Set(new(["Draft"]), "ops")).Refusal);
        foreach (var activation in (int[])[0, 1])
        {
            Assert.Equal(RefusalCode.AllocationRequired, (await account.Ask(one => one.SetMilestone(new("M2", "J1", 5, "Planned", null, null, "manager")), activation)).Refusal?.Code);
            Assert.Null((await account.Ask(one => one.SetMilestone(new("M1", "J1", 6 + activation, "Draft", null, null, "manager")), activation)).Refusal);
        }
    }

    private async Task<Doubled> Furnished(decimal purchase)
    {
        var account = new Doubled(Store, "A1");
        Assert.Null((await account.Ask(one => one.Set(new(new("A1", "acme", "One", "UTC"), "ops")))).Refusal);
        Assert.Null((await account.Ask(one => one.Buy(new("P1", "EUR", purchase, new(2026, 3, 1), new(2026, 3, 31), "ops"), null))).Refusal);
        Assert.Null((await account.Ask(one => one.SetProject(new("J1", "EUR", "ops")))).Refusal);
        return account;
    }

    private async Task Done(Changes changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(new([], [], changes)));

    private async Task<IEnumerable<string>> Conflict(Changes changes) => Assert.IsType<CommitResult.Conflict>(await Store.Commit(new([], [], changes))).Keys;

    /// <summary>An account of which two activations are alive, each taking its own turns.</summary>
    private sealed class Doubled(IStore store, string accountId)
    {
        private readonly (AccountActor Actor, TaskScheduler Turns)[] activations =
            [.. Enumerable.Range(0, 2).Select(_ => (new AccountActor(Services(store), accountId), new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler))];

        public Task<T> Ask<T>(Func<IAccount, Task<T>> ask, int activation = 0)
        {
            var (actor, turns) = activations[activation];
            return Task.Factory.StartNew(() => ask(actor), CancellationToken.None, TaskCreationOptions.DenyChildAttach, turns).Unwrap();
        }

        public static ActorServices Services(IStore store) => new(null!, store, new Still(), new Silent(), TimeProvider.System, new());
    }

    private sealed class Still : IBusinessClock
    {
        public Instant Now => ServicesFences.Now;
    }

    private sealed class Silent : IWakeups
    {
        public void Schedule(string contractId, Instant at) { }

        public void Schedule(AllocationKey allocation, Instant at) { }

        public void ScheduleAccount(string accountId, Instant at) { }
    }
}
