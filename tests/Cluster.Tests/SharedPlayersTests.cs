using System.Diagnostics;
using System.Diagnostics.Metrics;
using CreditGrains.Domain;
using CreditGrains.Editions;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace CreditGrains.Cluster.Tests;

/// <summary>Reports of many contracts that name the same new players, while their users' cycles begin anew (R4).</summary>
[Collection("load")]
public sealed class SharedPlayersTests(ITestOutputHelper output)
{
    private const int Contracts = 12, Players = 1_000;

    private static readonly int Users = Trials.AreWhole ? 10_000 : 1_200;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(Trials.AreWhole ? 2 : 10);
    private static readonly Instant Start = Engine.At("2026-03-01T12:00:00Z"), Midnight = Engine.At("2026-03-02T00:00:00Z");

    [Theory, InlineData(true), InlineData(false)]
    public async Task No_report_is_decided_more_than_four_times_or_starves(bool isEmbedded)
    {
        using var data = new TempDirectory();
        await using var postgres = isEmbedded ? null : await ScratchPostgres.New();
        await using var silo = await SiloHost.Build(new()
        {
            Data = isEmbedded ? data.Path : null,
            Postgres = postgres?.ConnectionString,
            TestClock = Start,
            Urls = "http://127.0.0.1:0",
            SiloPort = Child.FreePort(),
            GatewayPort = Child.FreePort(),
        });
        await silo.StartAsync(TestContext.Current.CancellationToken);
        var grains = silo.Services.GetRequiredService<IGrainFactory>();
        await Parallel.ForAsync(0, Contracts, async (contract, _) => await Agree(grains, contract));

        var decisions = new List<long>();
        using var listener = new MeterListener();
        listener.SetMeasurementEventCallback<long>((_, count, _, _) =>
        {
            lock (decisions) decisions.Add(count);
        });
        listener.EnableMeasurementEvents(silo.Services.GetRequiredService<GrainMetrics>().Decisions);
        listener.Start();

        var random = new Random(1);
        var midnight = ((IMovableClock)silo.Services.GetRequiredService<IBusinessClock>()).Advance(Midnight);
        var slowest = TimeSpan.Zero;
        var charged = new List<int>();
        do
        {
            var round = charged.Count;
            var orders = Enumerable.Range(0, Contracts).Select(_ => Enumerable.Range(0, Players).Select(player => $"{round}-{player}").OrderBy(_ => random.Next()).ToList()).ToList();
            var answers = await Task.WhenAll(orders.Select(async (players, contract) =>
            {
                var began = Stopwatch.GetTimestamp();
                var report = await Report(grains, contract, $"r{round}-{contract}", "reporter", players);
                return (report.Charged, Took: Stopwatch.GetElapsedTime(began));
            }));
            charged.Add(answers.Sum(answer => answer.Charged));
            if (answers.Max(answer => answer.Took) is var took && took > slowest) slowest = took;
        }
        while (charged.Count < 3 || !midnight.IsCompleted);
        Assert.Null((await midnight).Refusal);

        output.WriteLine($"{charged.Count} rounds of {Contracts} reports, {Users} renewals; at most {decisions.Max()} decisions and {slowest.TotalMilliseconds:F0} ms a report");
        Assert.All(charged, sum => Assert.Equal(Players, sum));
        Assert.InRange(decisions.Max(), 1, 4);
        Assert.InRange(slowest, TimeSpan.Zero, Longest);
        foreach (var contract in Enumerable.Range(0, Contracts)) Assert.True((await silo.Services.GetRequiredService<IQueries>().Audit($"c{contract}"))!.Balanced);
        await silo.StopAsync(TestContext.Current.CancellationToken);
    }

    // Everybody's cycle is in use, so that its renewal is booked.
    private static async Task Agree(IGrainFactory grains, int contract)
    {
        var users = Enumerable.Range(0, Users / Contracts).Select(user => $"u{user}").ToList();
        var terms = new Terms($"c{contract}", "acme", "c", ContractType.Metered, "UTC", new(2026, 1, 1), null, null, 30, CoverageFrom.Activation);
        Assert.Null((await grains.Contract(terms.ContractId).Set(new(terms, null, "test"))).Refusal);
        Assert.Null((await grains.Contract(terms.ContractId).Grant(new("lot", LotSource.Purchase, "paid", 1_000_000, null, null, "test"), null)).Refusal);
        Assert.Null((await grains.Contract(terms.ContractId).ReplaceUsers([.. users.Append("reporter").Select(user => new UserName(user, user))], "test")).Refusal);
        Assert.Null((await grains.Contract(terms.ContractId).Allocate(
            new(true, null, false, [.. users.Select(user => new UserAllocationChange(user, new(10, Renewal.Daily, 1, null, new(2026, 3, 1)), null)), new("reporter", new(null, Renewal.Unlimited), null)]),
            null, "test")).Refusal);
        await Task.WhenAll(users.Select(user => Report(grains, contract, $"first-{contract}-{user}", user, [$"own-{contract}-{user}"])));
    }

    private static async Task<Report> Report(IGrainFactory grains, int contract, string reportId, string user, IEnumerable<string> players) =>
        Assert.IsType<ReportAnswer.First>(await grains.Contract($"c{contract}").Charge(
            new(new("acme", reportId), $"c{contract}", user, [.. players.Select(player => new PlayerName(player, null))], "test", false))).Report;
}
