using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Cluster.Tests.InProcess;

/// <summary>Reminders: set, rung, lost and made up for (T3). What falls due is booked though nobody asks for it.</summary>
public sealed class RemindersRing : IDisposable
{
    private static readonly Instant Noon = Instant.FromUtc(2026, 3, 1, 12, 0), BeforeMidnight = Instant.FromUtc(2026, 3, 1, 23, 59, 57), Midnight = Instant.FromUtc(2026, 3, 2, 0, 0);

    private readonly string directory = Directory.CreateTempSubdirectory("creditgrains-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task A_contracts_reminder_books_the_end_of_its_lot_and_goes()
    {
        await using var silos = await Silos.Start(directory, Noon);
        var end = silos.Clock.Now + Duration.FromSeconds(2);
        await silos.Contract("C", end);
        await Silos.Until(() => Task.FromResult(silos.Reminders.All.Count == 1));

        silos.Clock.Run();

        Assert.Equal((end, 10L), await Booked(silos, EntryKind.LotExpired, contractId: "C"));
        await Silos.Until(() => Task.FromResult(silos.Reminders.All.Count == 0));
    }

    [Fact]
    public async Task An_allocations_reminder_begins_the_next_cycle_of_one_that_was_used()
    {
        await using var silos = await Silos.Start(directory, BeforeMidnight);
        await silos.Contract("C", lotExpires: null);
        var daily = new SettingsChange { Amount = 5, Renewal = Renewal.Daily, StartDate = new(2026, 3, 1) };
        Assert.Null((await silos.Grains.GetGrain<IContractGrain>("C").Allocate(new(true, null, false, [new("U", daily, null)]), null, "test")).Refusal);
        await silos.Report("C", "P");
        Assert.Equal((0, 1L), await Cycle());
        silos.Clock.Run();

        await Silos.Until(async () => await Cycle() == (1, 0L));
        Assert.True(silos.Clock.Now >= Midnight);

        async Task<(int, long)> Cycle() =>
            (await ((IStore)silos.Store).Member(new("C", "U")))!.Member.Allocation is var allocation ? (allocation.Cycle, allocation.UsedInCycle) : default;
    }

    [Fact]
    public async Task An_accounts_reminder_books_the_end_of_a_purchase()
    {
        await using var silos = await Silos.Start(directory, BeforeMidnight);
        var account = silos.Grains.GetGrain<IAccountGrain>("A");
        Assert.Null((await account.Set(new(new("A", "acme", "A", "UTC"), "test"))).Refusal);
        Assert.Null((await account.Buy(new("P", "EUR", 10, new(2026, 1, 1), new(2026, 3, 1), "test"), null)).Refusal);
        silos.Clock.Run();

        Assert.Equal(Midnight, (await silos.Booked(EntryKind.ServicesCreditsExpired, accountId: "A")).EffectiveAt);
    }

    [Fact]
    public async Task The_end_of_a_coverage_is_booked()
    {
        await using var silos = await Silos.Start(directory, Noon);
        await silos.Grains.GetGrain<ICaretakerGrain>(0).Start();
        var end = silos.Clock.Now + Duration.FromSeconds(2);
        await silos.Contract("C", end, CoverageFrom.Creation);
        await silos.Report("C", "P");
        silos.Clock.Run();

        Assert.Equal((end, 1L), await Booked(silos, EntryKind.CoverageExpired, contractId: "C"));
    }

    [Fact]
    public async Task One_that_was_lost_between_commit_and_registration_is_made_up_for_by_the_caretaker()
    {
        await using var silos = await Silos.Start(directory, Noon);
        silos.Reminders.Loses = grain => grain == silos.Grains.GetGrain<IContractGrain>("C").GetGrainId();
        var end = silos.Clock.Now + Duration.FromSeconds(1);
        await silos.Contract("C", end);
        silos.Clock.Run();
        await Silos.Until(() => Task.FromResult(silos.Clock.Now > end + Duration.FromSeconds(1)));
        Assert.DoesNotContain(await silos.Entries("C"), entry => entry.Kind == EntryKind.LotExpired);

        await silos.Grains.GetGrain<ICaretakerGrain>(0).Start();

        Assert.Equal((end, 10L), await Booked(silos, EntryKind.LotExpired, contractId: "C"));
    }

    [Fact]
    public async Task Those_that_went_with_the_process_are_registered_again_when_the_caretaker_starts()
    {
        Instant end;
        await using (var silos = await Silos.Start(directory, Noon))
        {
            end = silos.Clock.Now + Duration.FromSeconds(4);
            await silos.Contract("C", end);
            await silos.Contract("D", end + Duration.FromDays(365));
        }
        await using var again = await Silos.Start(directory, end - Duration.FromSeconds(1));
        var caretaker = again.Grains.GetGrain<ICaretakerGrain>(0);
        Assert.Empty(again.Reminders.All);

        await caretaker.Start();

        // D has time: nobody holds its reminder in memory for a year.
        Assert.Equal(
            new[] { caretaker.GetGrainId(), again.Grains.GetGrain<IContractGrain>("C").GetGrainId() }.Order(),
            again.Reminders.All.Select(row => row.GrainId).Order());
        again.Clock.Run();
        Assert.Equal((end, 10L), await Booked(again, EntryKind.LotExpired, contractId: "C"));
    }

    [Fact]
    public async Task A_grain_that_was_collected_comes_back_from_the_store()
    {
        await using var silos = await Silos.Start(directory, Noon);
        await silos.Contract("C", lotExpires: null);
        var management = silos.Grains.GetGrain<IManagementGrain>(0);
        await Silos.Until(async () =>
        {
            await management.ForceActivationCollection(TimeSpan.Zero);
            return !(await management.GetActiveGrains(silos.Grains.GetGrain<IContractGrain>("C").GetGrainId().Type)).Any();
        });

        await silos.Report("C", "P");
        Assert.Equal((10L, 9L), (await silos.Store.Audit("C")) is { Balanced: true } audit ? (audit.Granted, audit.Unallocated) : default);
    }

    [Fact]
    public async Task A_test_clock_has_been_moved_on_every_silo_when_it_answers_and_sets_no_reminder_T4()
    {
        await using var silos = await Silos.Start(directory, Noon, testClock: Noon, silos: 3);
        var clocks = silos.Services.Select(services => (ClusterClock)services.GetService(typeof(IBusinessClock))!).ToList();
        foreach (var clock in clocks) await clock.Join();
        await silos.Contract("C", Noon + Duration.FromHours(1));

        Assert.Equal(Midnight, (await clocks[0].Advance(Midnight, null)).Value!.Answer);
        Assert.All(clocks, clock => Assert.Equal(Midnight, clock.Now));
        Assert.Equal(Noon + Duration.FromHours(1), Assert.Single(await silos.Entries("C"), entry => entry.Kind == EntryKind.LotExpired).EffectiveAt);
        Assert.Equal(RefusalCode.InvalidField, (await clocks[1].Advance(Noon, null)).Refusal!.Code);
        Assert.Empty(silos.Reminders.All);
    }

    private static async Task<(Instant, long)> Booked(Silos silos, EntryKind kind, string contractId) =>
        await silos.Booked(kind, contractId) is var entry ? (entry.EffectiveAt, entry.Quantity) : default;
}
