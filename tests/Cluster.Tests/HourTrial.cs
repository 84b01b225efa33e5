using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>
/// Whatever may happen to a cluster, one thing after another, in an hour of mixed load: a kill, a stall, a restart of the database, a step of the clock, a rolling restart and a failover
/// to the standby. CREDITGRAINS_TRIAL=whole runs it; CREDITGRAINS_TRIAL_MINUTES makes it shorter.
/// </summary>
[Collection("load")]
public sealed class HourTrial(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Writers = 16, Contracts = 8;

    private static readonly TimeSpan Whole = TimeSpan.FromMinutes(
        int.TryParse(Environment.GetEnvironmentVariable("CREDITGRAINS_TRIAL_MINUTES"), CultureInfo.InvariantCulture, out var minutes) ? minutes : 60);

    // What is quiet before the first event, between two, and behind the last one.
    private static readonly TimeSpan Between = Whole / 8, Pace = TimeSpan.FromMilliseconds(1_500);

    private readonly ConcurrentDictionary<string, string> answered = new();
    private readonly ConcurrentBag<string> surprises = [];
    private readonly CancellationTokenSource writing = new(), watching = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private ScratchPostgres primary = null!, standby = null!;
    private IReadOnlyList<SiloProcess> silos = null!;
    private Client client = null!;
    private Panels panels = null!;

    public async ValueTask InitializeAsync()
    {
        primary = await ScratchPostgres.New();
        foreach (var statement in DisturbedSilo.Clock.Split(";\n", StringSplitOptions.RemoveEmptyEntries)) await primary.Sql(statement);
        standby = await primary.SynchronousStandby();
        silos = [.. Enumerable.Range(0, 3).Select(_ => SiloProcess.Cluster(primary.WithStandby(standby)))];
        var ports = silos.Select(_ => Child.FreePort()).ToList();
        await Task.WhenAll(silos.Zip(ports, (silo, port) => silo.Start(new(DrainSeconds: 2, Arguments: ["--metrics-port", $"{port}"]))));
        client = new(silos);
        panels = new(ports);
    }

    public async ValueTask DisposeAsync()
    {
        await writing.CancelAsync();
        await watching.CancelAsync();
        foreach (var silo in silos ?? []) await silo.DisposeAsync();
        client?.Dispose();
        if (primary is not null) await primary.DisposeAsync();
        if (standby is not null) await standby.DisposeAsync();
        writing.Dispose();
        watching.Dispose();
    }

    [Fact(Skip = "takes an hour; CREDITGRAINS_TRIAL=whole runs it", SkipType = typeof(Trials), SkipWhen = nameof(Trials.AreShort))]
    public async Task Nothing_is_lost_or_doubled_and_no_500_answered_whatever_happens()
    {
        for (var contract = 0; contract < Contracts; contract++)
        {
            await client.Contract($"c{contract}", "acme", "u", 100_000_000);
            await Ask(HttpMethod.Put, $"/v1/contracts/c{contract}/users/other", new JsonObject { ["name"] = "other" });
            await Ask(HttpMethod.Patch, $"/v1/contracts/c{contract}/allocations", Allocation("u", 50_000_000, DateTime.UtcNow));
            Assert.Empty(surprises);
        }
        var keeping = silos.Select(Keep).ToList();
        var looking = panels.Watch(watching.Token);
        var memory = Memory(watching.Token);
        var feed = new FeedReader(silos);
        var reading = feed.Read(watching.Token);
        var writers = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => Write(writer))).ToList();

        await Trials.After(Between);
        await Happens("a silo is killed", () => silos[0].Kill(), "creditgrains_silos", least => least < 3);
        await Happens("a silo stands still", () => silos[1].Stall(TimeSpan.FromSeconds(15)), "creditgrains_silos", least => least < 3);
        await Happens("the database is restarted", RestartDatabase, "creditgrains_store_readable", least => least == 0);
        await Happens("the database's clock goes ahead", StepClock, "creditgrains_clock_skew_seconds", least => least < -1);
        await Happens("silos are restarted one by one", Roll, "creditgrains_silos", least => least < 3);
        await Happens("the standby takes over", FailOver, "creditgrains_store_readable", least => least == 0);

        await writing.CancelAsync();
        await Task.WhenAll(writers);
        await Check(feed);
        await watching.CancelAsync();
        await Task.WhenAll([.. keeping, looking, reading]);

        var kept = await memory;
        output.WriteLine($"{answered.Count} reports in {clock.Elapsed.TotalMinutes:F0} minutes; answers by status: {string.Join(", ", client.Statuses.OrderBy(pair => pair.Key).Select(pair => $"{(int)pair.Key} {pair.Value}"))}");
        output.WriteLine($"MiB of the silo that has most, each minute: {string.Join(' ', kept.Select(bytes => bytes >> 20))}");
        Assert.Empty(surprises);
        Assert.DoesNotContain(client.Statuses.Keys, status => status == HttpStatusCode.InternalServerError);
        var (early, late) = (kept.Take(kept.Count / 2).Max(), kept.Skip(kept.Count / 2).Max());
        Assert.InRange(late, 0, early * 5 / 4);
    }

    // As supervisors do: what ends is started again, until it is ready.
    private async Task Keep(SiloProcess silo)
    {
        while (true)
        {
            try
            {
                await silo.Ended().WaitAsync(watching.Token);
                await silo.Start();
            }
            catch (InvalidOperationException)
            {
                // It could not start: the database is away.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task RestartDatabase()
    {
        await primary.Stop();
        await Trials.After(TimeSpan.FromSeconds(5));
        await primary.Start();
    }

    private async Task StepClock()
    {
        await primary.Sql("update own.ahead set by = '1 minute'");
        await Trials.After(TimeSpan.FromSeconds(10));
        await primary.Sql("update own.ahead set by = '0'");
    }

    private async Task Roll()
    {
        foreach (var silo in silos)
        {
            await silo.Stop();
            await AllReady();
        }
    }

    private async Task FailOver()
    {
        await primary.Crash();
        await standby.Promote();
    }

    private async Task Happens(string what, Func<Task> happen, string panel, Func<double, bool> shows)
    {
        panels.Forget();
        var (began, reports) = (clock.Elapsed, answered.Count);
        await happen();
        await AllReady();
        var took = clock.Elapsed - began;
        while (answered.Count - reports < Writers) await Trials.After(Pace);
        output.WriteLine($"{began.TotalMinutes:F1} min: {what}; all silos ready again after {took.TotalSeconds:F0} s, {answered.Count - reports} reports meanwhile");
        Assert.True(shows(panels.Least(panel)), $"{panel} does not show that {what}");
        await Trials.After(Between);
    }

    private async Task AllReady()
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        for (var watch = Stopwatch.StartNew(); !(await Task.WhenAll(silos.Select(silo => silo.IsReady()))).All(isReady => isReady); await tick.WaitForNextTickAsync())
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(3), "silos are not ready again");
    }

    private async Task Write(int writer)
    {
        var random = new Random(writer);
        using var pace = new PeriodicTimer(Pace);
        var contract = $"c{writer % Contracts}";
        for (var number = 0; !writing.IsCancellationRequested; number++)
        {
            var reportId = $"r{writer}-{number}";
            var shared = Enumerable.Range(0, random.Next(0, 3)).Select(_ => $"shared-{random.Next(2_000)}");
            var own = Enumerable.Range(0, random.Next(1, 4)).Select(player => $"p{writer}-{number}-{player}");
            var players = shared.Concat(own).Distinct().ToList();
            var report = Client.Report(reportId, contract, "u", players);
            var isHeld = number % 7 == 3;
            if (isHeld) report["holdSeconds"] = 3_600;
            if (await Ask(HttpMethod.Post, "/v1/reports", report) is { } made) answered[reportId] = made.ToJsonString();
            if (isHeld) await Ask(HttpMethod.Post, $"/v1/reports/{reportId}/capture?clientId=acme", new JsonObject { ["players"] = new JsonArray(players[^1]) });
            else if (number % 5 == 2) await Ask(HttpMethod.Post, $"/v1/reports/{reportId}/void?clientId=acme", new JsonObject { ["reason"] = "trial" });
            if (number % 50 == 49) await Ask(HttpMethod.Patch, $"/v1/contracts/{contract}/allocations", Allocation("other", number));
            await Ask(HttpMethod.Get, random.Next(6) switch
            {
                0 => $"/v1/contracts/{contract}/balance",
                1 => $"/v1/usage?contractId={contract}&groupBy=user",
                2 => $"/v1/credits?contractId={contract}&status=ALLOCATED&limit=20",
                3 => $"/v1/ledger?contractId={contract}&order=desc&limit=20",
                4 => $"/v1/contracts/{contract}/allocations",
                _ => "/v1/contracts?clientId=acme",
            });
            await pace.WaitForNextTickAsync();
        }
    }

    private static JsonObject Allocation(string user, int amount, DateTime? start = null) => new()
    {
        ["enabled"] = true,
        ["users"] = new JsonArray(start is { } begin
            ? new JsonObject { ["userId"] = user, ["amount"] = amount, ["renewal"] = "fixed", ["startDate"] = begin.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) }
            : new JsonObject { ["userId"] = user, ["amount"] = amount, ["renewal"] = "daily" }),
    };

    private async Task<JsonNode?> Ask(HttpMethod method, string path, JsonNode? body = null)
    {
        var answer = await client.Ask(method, path, body);
        if ((int)answer.Status < 300) return answer.Body;
        surprises.Add($"{method} {path}: {answer.Status} {answer.Body?.ToJsonString()}");
        return null;
    }

    // Every answered report is there as it was answered, what is used is what they charged and did not give back, and the feed had each entry once.
    private async Task Check(FeedReader feed)
    {
        var given = 0;
        await Parallel.ForEachAsync(answered, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (pair, _) =>
        {
            var kept = (await client.Get($"/v1/reports/{pair.Key}?clientId=acme")).AsObject();
            Interlocked.Add(ref given, kept["voided"]!.AsArray().Count);
            Assert.True(JsonNode.DeepEquals(AsAnswered(JsonNode.Parse(pair.Value)!), AsAnswered(kept)), $"{pair.Value} is kept as {kept.ToJsonString()}");
        });
        var used = 0L;
        for (var contract = 0; contract < Contracts; contract++)
        {
            var audit = await client.Get($"/v1/contracts/c{contract}/audit");
            Assert.True((bool)audit["balanced"]!, audit.ToJsonString());
            used += (long)audit["used"]!;
        }
        Assert.Equal(answered.Values.Sum(report => (long)JsonNode.Parse(report)!["charged"]!) - given, used);

        var booked = new List<long>();
        for (string? path = "/v1/ledger?limit=1000"; path is not null;)
        {
            var page = await client.Get(path);
            booked.AddRange(page["items"]!.AsArray().Select(entry => (long)entry!["entryId"]!));
            path = page["nextCursor"] is { } next ? $"/v1/ledger?limit=1000&cursor={next}" : null;
        }
        while (feed.Entries.Count < booked.Count) await Trials.After(Pace);
        Assert.Equal(booked, feed.Entries);
    }

    private static JsonObject AsAnswered(JsonNode report)
    {
        var answer = report.AsObject();
        answer.Remove("voided");
        answer.Remove("captured");
        return answer;
    }

    private async Task<List<long>> Memory(CancellationToken stop)
    {
        var kept = new List<long>();
        using var minute = new PeriodicTimer(TimeSpan.FromMinutes(1));
        while (await Ticks(minute, stop)) kept.Add(silos.Max(silo => silo.Memory));
        return kept;
    }

    private static async Task<bool> Ticks(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>What the dashboard asks for: the least that any silo has exported of a metric lately.</summary>
    private sealed class Panels(IReadOnlyList<int> ports)
    {
        private readonly ConcurrentDictionary<string, double> least = new();

        public void Forget() => least.Clear();

        public double Least(string metric) => least.GetValueOrDefault(metric, double.NaN);

        public async Task Watch(CancellationToken stop)
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
            while (await Ticks(tick, stop))
                foreach (var port in ports)
                    await Look(http, port);
        }

        private async Task Look(HttpClient http, int port)
        {
            try
            {
                foreach (var (series, value) in MetricsTests.Values(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"))))
                    least.AddOrUpdate(series.Split('{')[0], value, (_, known) => Math.Min(known, value));
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or IOException)
            {
                // That silo is gone for now.
            }
        }
    }

    /// <summary>Follows the feed at whichever silo answers; where its cursor is gone it begins anew.</summary>
    private sealed class FeedReader(IReadOnlyList<SiloProcess> silos)
    {
        private string? last;

        public List<long> Entries { get; private set; } = [];

        public async Task Read(CancellationToken stop)
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            for (var tries = 0; await Ticks(pause, stop); tries++)
            {
                try
                {
                    await Follow(http, silos[tries % silos.Count], stop);
                }
                catch (Exception e) when (e is HttpRequestException or SocketException or IOException or OperationCanceledException)
                {
                    // It ended; the next one goes on.
                }
            }
        }

        private async Task Follow(HttpClient http, SiloProcess silo, CancellationToken stop)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{silo.Url}/v1/ledger/feed");
            if (last is not null) request.Headers.Add("Last-Event-ID", last);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.StatusCode == HttpStatusCode.Gone) (last, Entries) = (null, []);
            if (response.StatusCode != HttpStatusCode.OK) return;
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
            var id = "";
            while (await lines.ReadLineAsync(stop) is { } line)
            {
                if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
                Entries.Add((long)JsonNode.Parse(line[6..])!["entryId"]!);
                last = id;
            }
        }
    }
}
