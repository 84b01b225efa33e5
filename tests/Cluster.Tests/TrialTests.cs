using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>What takes minutes, on a machine that does nothing else: CREDITGRAINS_TRIAL=whole runs them.</summary>
[Collection("load")]
public sealed class TrialTests(ITestOutputHelper output)
{
    // What .NET takes in a container of 2 GiB.
    private const long Heap = 3L << 29;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    [Theory(Skip = "takes ten minutes; CREDITGRAINS_TRIAL=whole runs it", SkipType = typeof(Trials), SkipWhen = nameof(Trials.AreShort)), InlineData(true), InlineData(false)]
    public async Task Reports_of_46_new_players_keep_their_memory_and_pace_for_ten_minutes_in_the_heap_of_two_gibibytes(bool isEmbedded)
    {
        await using var trial = await Trial.Start(isEmbedded, new(MaxHeapBytes: Heap));
        await trial.Client.Contract("c", "acme", "u", 900_000_000);
        var (memory, slowest) = (new List<long>(), TimeSpan.Zero);
        var answered = 0;
        using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        var callers = Trial.Callers(12, stop.Token, async (caller, number) =>
        {
            var took = await trial.Timed(Client.Report($"r{caller}-{number}", "c", "u", Enumerable.Range(0, 46).Select(player => $"p{caller}-{number}-{player}")));
            lock (memory) slowest = took > slowest ? took : slowest;
            Interlocked.Increment(ref answered);
        });
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1));
        while (!stop.IsCancellationRequested && await minute.WaitForNextTickAsync(TestContext.Current.CancellationToken)) memory.Add(trial.Silo.Memory >> 20);
        await callers;
        output.WriteLine($"{answered} reports; MiB after each minute: {string.Join(' ', memory)}; the slowest took {slowest.TotalMilliseconds:F0} ms");
        Assert.InRange(memory[^1], 0, memory[3] * 11 / 10);
        Assert.InRange(slowest, TimeSpan.Zero, Longest);
    }

    [Theory(Skip = "takes some minutes; CREDITGRAINS_TRIAL=whole runs it", SkipType = typeof(Trials), SkipWhen = nameof(Trials.AreShort)), InlineData(true), InlineData(false)]
    public async Task A_million_players_who_were_asked_for_once_do_not_stay_in_memory(bool isEmbedded)
    {
        await using var trial = await Trial.Start(isEmbedded, new());
        await trial.Client.Contract("c", "acme", "u", 900_000_000);
        var number = -1;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (Interlocked.Increment(ref number) is < 1_000 and var report)
                await trial.Timed(Client.Report($"r{report}", "c", "u", Enumerable.Range(0, 1_000).Select(player => $"p{report}-{player}")));
        }));
        var loaded = trial.Silo.Memory >> 20;
        using var pause = new PeriodicTimer(TimeSpan.FromMinutes(2));
        await pause.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        output.WriteLine($"{loaded} MiB with a million players, {trial.Silo.Memory >> 20} MiB two minutes later");
        Assert.InRange(trial.Silo.Memory >> 20, 0, 1_000);
    }

    [Theory(Skip = "takes some minutes; CREDITGRAINS_TRIAL=whole runs it", SkipType = typeof(Trials), SkipWhen = nameof(Trials.AreShort)), InlineData(true), InlineData(false)]
    public async Task A_hundred_thousand_allocations_renew_at_midnight_while_reports_go_on(bool isEmbedded)
    {
        const int contracts = 100, users = 1_000;
        await using var trial = await Trial.Start(isEmbedded, new(TestClock: "2026-03-01T12:00:00Z"));
        for (var contract = 0; contract < contracts; contract++)
        {
            await trial.Client.Contract($"c{contract}", $"k{contract}", "reporter", 900_000_000);
            var names = Enumerable.Range(0, users).Select(user => $"u{user}").Append("reporter").ToList();
            Assert.Equal(HttpStatusCode.OK, (await trial.Client.Ask(HttpMethod.Put, $"/v1/contracts/c{contract}/users",
                new JsonObject { ["users"] = new JsonArray([.. names.Select(user => new JsonObject { ["userId"] = user, ["name"] = user })]) })).Status);
            var settings = names.Select(user => user == "reporter"
                ? new JsonObject { ["userId"] = user, ["renewal"] = "unlimited" }
                : new JsonObject { ["userId"] = user, ["renewal"] = "daily", ["amount"] = 10, ["startDate"] = "2026-03-01" });
            Assert.Equal(HttpStatusCode.OK, (await trial.Client.Ask(HttpMethod.Patch, $"/v1/contracts/c{contract}/allocations",
                new JsonObject { ["enabled"] = true, ["users"] = new JsonArray([.. settings]) })).Status);
        }

        // Each cycle is in use, so that its renewal is booked.
        await Parallel.ForAsync(0, contracts * users, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
            await trial.Timed(Client.Report($"r{i}", $"c{i % contracts}", $"u{i / contracts}", $"p{i}")));

        var (gap, slowest, answered) = (TimeSpan.Zero, TimeSpan.Zero, 0);
        var last = Stopwatch.GetTimestamp();
        var measured = new Lock();
        using var stop = new CancellationTokenSource();
        var callers = Trial.Callers(16, stop.Token, async (caller, number) =>
        {
            var took = await trial.Timed(Client.Report($"late{caller}-{number}", $"c{(caller + number) % contracts}", "reporter", $"late{caller}-{number}"));
            lock (measured)
            {
                var between = Stopwatch.GetElapsedTime(last);
                (last, answered) = (Stopwatch.GetTimestamp(), answered + 1);
                if (between > gap) gap = between;
                if (took > slowest) slowest = took;
            }
        });
        var began = Stopwatch.GetTimestamp();
        using var patient = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };
        using var moved = await patient.PostAsync(
            new Uri($"{trial.Silo.Url}/v1/clock"), JsonContent.Create(new { advanceTo = "2026-03-02T00:00:00Z" }), TestContext.Current.CancellationToken);
        var took = Stopwatch.GetElapsedTime(began);
        await stop.CancelAsync();
        await callers;
        Assert.Equal(HttpStatusCode.OK, moved.StatusCode);
        output.WriteLine($"{contracts * users} renewals in {took.TotalSeconds:F1} s beside {answered} reports; longest time without an answer {gap.TotalMilliseconds:F0} ms, slowest report {slowest.TotalMilliseconds:F0} ms");
        Assert.InRange(gap, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    /// <summary>One silo on a store of its own, and callers.</summary>
    private sealed record Trial(SiloProcess Silo, Client Client, TempDirectory Data, ScratchPostgres? Postgres) : IAsyncDisposable
    {
        public static async Task<Trial> Start(bool isEmbedded, SiloOptions options)
        {
            var postgres = isEmbedded ? null : await ScratchPostgres.New();
            var data = new TempDirectory();
            var silo = isEmbedded ? SiloProcess.Embedded(data.Path) : SiloProcess.Cluster(postgres!.ConnectionString);
            await silo.Start(options);
            return new(silo, new([silo]), data, postgres);
        }

        public static Task Callers(int count, CancellationToken stop, Func<int, int, Task> call) => Task.WhenAll(Enumerable.Range(0, count).Select(caller => Task.Run(async () =>
        {
            for (var number = 0; !stop.IsCancellationRequested; number++) await call(caller, number);
        }, CancellationToken.None)));

        /// <summary>Makes a report and answers how long it took.</summary>
        public async Task<TimeSpan> Timed(JsonNode report)
        {
            var began = Stopwatch.GetTimestamp();
            var answer = await Client.Once(Silo, HttpMethod.Post, "/v1/reports", report);
            Assert.True(answer.Status == HttpStatusCode.Created, answer.Body?.ToJsonString());
            return Stopwatch.GetElapsedTime(began);
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Silo.DisposeAsync();
            Data.Dispose();
            if (Postgres is not null) await Postgres.DisposeAsync();
        }
    }
}
