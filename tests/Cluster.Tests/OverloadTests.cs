using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>
/// Nobody may lock others out (§3): one greedy key sends ten times as much at once as it may, or bodies that hardly move, and others hardly notice. Short with every
/// test; CREDITGRAINS_TRIAL=whole takes minutes on a machine that does nothing else, and demands the full measure.
/// </summary>
[Collection("load")]
public sealed class OverloadTests(ITestOutputHelper output)
{
    // Ten times what one key may have worked on at once.
    private const int GreedyCallers = 640, SlowUploads = 1_100, PoliteKeys = 4;

    private const double MostTimes = 3;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(Trials.AreWhole ? 30 : 4), Long = TimeSpan.FromSeconds(Trials.AreWhole ? 60 : 6);

    // Tests side by side take turns of the processors as long as that.
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(Trials.AreWhole ? 10 : 500);

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_greedy_key_slows_no_other(bool isEmbedded)
    {
        Assert.SkipWhen(!isEmbedded && Trials.AreShort, "the front is the same on both stores; CREDITGRAINS_TRIAL=whole runs it");
        await using var service = await Service.Start(isEmbedded);
        var quiet = await service.Polite(Quiet);

        var (served, refused) = (0, 0);
        using var stop = new CancellationTokenSource();
        var greedy = Task.WhenAll(Enumerable.Range(0, GreedyCallers).Select(caller => Task.Run(async () =>
        {
            for (var number = 0; !stop.IsCancellationRequested; number++)
            {
                var status = await service.Report("greedy", $"g{caller}-{number}");
                if (status == HttpStatusCode.Created) Interlocked.Increment(ref served);
                else if (status == HttpStatusCode.TooManyRequests) Interlocked.Increment(ref refused);
                else Assert.Fail($"The greedy key is answered {status}.");
            }
        }, CancellationToken.None)));
        await service.Polite(Long / 4);
        var memory = service.Memory;
        var loaded = await service.Polite(Long * 3 / 4);
        var grown = service.Memory;
        await stop.CancelAsync();
        await greedy;

        output.WriteLine($"others' p99 {quiet.P99.TotalMilliseconds:F1} ms, beside the greedy key {loaded.P99.TotalMilliseconds:F1} ms over {loaded.Count} reports; "
            + $"the greedy key was served {served} times and refused {refused} times; memory {memory >> 20} MiB, then {grown >> 20} MiB");
        Assert.True(served > 0 && refused > 0);
        Assert.InRange(loaded.P99, TimeSpan.Zero, Bound(quiet));
        Assert.InRange(grown, 0, memory * 5 / 4 + (64 << 20));
        await service.Balanced();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Slow_uploads_of_one_key_stop_no_other(bool isEmbedded)
    {
        Assert.SkipWhen(!isEmbedded && Trials.AreShort, "the front is the same on both stores; CREDITGRAINS_TRIAL=whole runs it");
        await using var service = await Service.Start(isEmbedded);
        var quiet = await service.Polite(Quiet);

        using var stop = new CancellationTokenSource();
        var uploads = Task.WhenAll(Enumerable.Range(0, SlowUploads).Select(_ => service.Upload("greedy", stop.Token)));
        var loaded = await service.Polite(Long);
        await stop.CancelAsync();
        await uploads;

        output.WriteLine($"others' p99 {quiet.P99.TotalMilliseconds:F1} ms, beside slow uploads {loaded.P99.TotalMilliseconds:F1} ms over {loaded.Count} reports");
        Assert.InRange(loaded.P99, TimeSpan.Zero, Bound(quiet));
        await service.Balanced();
    }

    private static TimeSpan Bound(Latency quiet) => TimeSpan.FromTicks(Math.Max(Least.Ticks, (long)(quiet.P99.Ticks * MostTimes)));

    /// <summary>How long so many reports took.</summary>
    private sealed record Latency(TimeSpan P99, int Count);

    /// <summary>One silo with a key and a contract for each client.</summary>
    private sealed class Service : IAsyncDisposable
    {
        // A polite caller begins a report that often, whether or not the one before has been answered.
        private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(25);

        private static readonly string[] Clients = [.. Enumerable.Range(1, PoliteKeys).Select(number => $"polite{number}"), "greedy"];

        private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = TimeSpan.FromSeconds(60) };
        private readonly SiloProcess silo;
        private readonly TempDirectory data;
        private readonly ScratchPostgres? postgres;
        private int made;

        private Service(SiloProcess silo, TempDirectory data, ScratchPostgres? postgres) => (this.silo, this.data, this.postgres) = (silo, data, postgres);

        public long Memory => silo.Memory;

        public static async Task<Service> Start(bool isEmbedded)
        {
            var postgres = isEmbedded ? null : await ScratchPostgres.New();
            var data = new TempDirectory();
            var keys = Path.Combine(data.Path, "keys.json");
            var lines = Clients.Select(client => new JsonObject { ["name"] = client, ["role"] = "consumer", ["clientId"] = client, ["sha256"] = Hash(client) })
                .Append(new JsonObject { ["name"] = "operator", ["role"] = "operator", ["sha256"] = Hash("operator") });
            await File.WriteAllTextAsync(keys, new JsonObject { ["keys"] = new JsonArray([.. lines]) }.ToJsonString());
            var service = new Service(
                isEmbedded ? SiloProcess.Embedded(Path.Combine(data.Path, "data")) : SiloProcess.Cluster(postgres!.ConnectionString), data, postgres);
            await service.silo.Start(new(ApiKeys: keys));
            foreach (var client in Clients) await service.Contract(client);
            return service;
        }

        /// <summary>Makes a report of one new player.</summary>
        public async Task<HttpStatusCode> Report(string client, string report) => (await Send(client, HttpMethod.Post, "/v1/reports", Client.Report(report, client, "u", report))).Status;

        /// <summary>Polite callers make reports at their pace, each of which must succeed.</summary>
        public async Task<Latency> Polite(TimeSpan during)
        {
            var took = new ConcurrentBag<TimeSpan>();
            using var pace = new PeriodicTimer(Pace);
            var reports = new List<Task>();
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < during; await pace.WaitForNextTickAsync())
                foreach (var client in Clients.Take(PoliteKeys))
                    reports.Add(Timed(client, $"p{Interlocked.Increment(ref made)}"));
            await Task.WhenAll(reports);
            return new(took.Order().ElementAt(took.Count * 99 / 100), took.Count);

            async Task Timed(string client, string report)
            {
                var began = Stopwatch.GetTimestamp();
                var status = await Report(client, report);
                Assert.True(status == HttpStatusCode.Created, $"{client} is answered {status}");
                took.Add(Stopwatch.GetElapsedTime(began));
            }
        }

        /// <summary>Sends a body so slowly that it never ends; begins another one where it is refused.</summary>
        public async Task Upload(string client, CancellationToken stop)
        {
            var url = new Uri(silo.Url);
            var head = $"POST /v1/reports HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {client}\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n";
            var part = new byte[400];
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    using var connection = new TcpClient();
                    await connection.ConnectAsync(IPAddress.Loopback, url.Port, stop);
                    await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), stop);
                    using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
                    while (await second.WaitForNextTickAsync(stop)) await connection.GetStream().WriteAsync(part, stop);
                }
                catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
                {
                    // Refused or stopped.
                }
            }
        }

        /// <summary>G2: every client's books balance.</summary>
        public async Task Balanced()
        {
            foreach (var client in Clients)
                Assert.True((bool)(await Send("operator", HttpMethod.Get, $"/v1/contracts/{client}/audit", null)).Body!["balanced"]!, client);
        }

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            await silo.DisposeAsync();
            data.Dispose();
            if (postgres is not null) await postgres.DisposeAsync();
        }

        private async Task Contract(string client)
        {
            var terms = new JsonObject { ["clientId"] = client, ["name"] = client, ["type"] = "metered", ["startsOn"] = "2026-01-01", ["unallocatedLifetimeDays"] = null };
            foreach (var (method, path, body) in ((HttpMethod, string, JsonObject)[])[
                (HttpMethod.Put, $"/v1/contracts/{client}", terms),
                (HttpMethod.Put, $"/v1/contracts/{client}/users/u", new() { ["name"] = "u" }),
                (HttpMethod.Post, $"/v1/contracts/{client}/lots", new() { ["paymentId"] = "paid", ["quantity"] = 900_000_000 })])
                Assert.InRange((int)(await Send("operator", method, path, body)).Status, 200, 201);
        }

        private async Task<Answer> Send(string key, HttpMethod method, string path, JsonNode? body)
        {
            using var request = new HttpRequestMessage(method, $"{silo.Url}{path}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await http.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return new(response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.RetryAfter?.Delta);
        }

        private static string Hash(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }
}
