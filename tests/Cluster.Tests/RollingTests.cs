using System.Net;
using System.Net.Sockets;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Silos that are replaced one by one by an operator: no request fails.</summary>
[Collection("load")]
public sealed class RollingTests(ITestOutputHelper output)
{
    [Fact]
    public async Task No_request_fails_while_all_silos_are_restarted_one_by_one()
    {
        await using var cluster = await RunningCluster.Start(silos: 3, drainSeconds: 2);
        await Roll(cluster, cluster.Silos.Select(silo => (silo, silo.Program)));
    }

    [Fact]
    public async Task No_request_fails_while_silos_are_upgraded_one_by_one_and_back()
    {
        var previous = Environment.GetEnvironmentVariable("CREDITGRAINS_PREVIOUS_SILO");
        Assert.SkipWhen(previous is null, "CREDITGRAINS_PREVIOUS_SILO does not name the CreditGrains.Silo.dll of an earlier build");
        await using var cluster = await RunningCluster.Start(silos: 3, drainSeconds: 2);
        var newest = cluster.Silos[0].Program;
        await Roll(cluster, [.. cluster.Silos.Select(silo => (silo, previous!)), .. cluster.Silos.Select(silo => (silo, newest))]);
    }

    private async Task Roll(RunningCluster cluster, IEnumerable<(SiloProcess Silo, string Program)> replacements)
    {
        using var client = new Client(cluster.Silos);
        await client.Contract("c", "acme", "u", 100_000_000);
        await using var balancer = new Balancer(cluster.Silos);
        using var stop = new CancellationTokenSource();
        var failures = new List<string>();
        var answered = 0;
        var writing = Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(400));
            for (var number = 0; !stop.IsCancellationRequested; number++)
            {
                var silo = balancer.Next();
                try
                {
                    var answer = await client.Once(silo, HttpMethod.Post, "/v1/reports", Client.Report($"r{writer}-{number}", "c", "u", $"p{writer}-{number}"));

                    // A front whose silo left asks the next one again, and may be answered by what the first had committed.
                    if (answer.Status is HttpStatusCode.Created or HttpStatusCode.OK) Interlocked.Increment(ref answered);
                    else lock (failures) failures.Add($"{answer.Status}: {answer.Body?.ToJsonString()}");
                }
                catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException)
                {
                    lock (failures) failures.Add(e.Message);
                }
                if (Trials.AreShort) await pace.WaitForNextTickAsync(CancellationToken.None);
            }
        })));
        foreach (var (silo, program) in replacements)
        {
            await silo.Stop();
            silo.Program = program;
            await silo.Start();
            await balancer.Sees(silo);
        }
        await stop.CancelAsync();
        await writing;
        output.WriteLine($"{answered} reports answered, {failures.Count} failed");
        Assert.Empty(failures);
        var audit = await client.Get("/v1/contracts/c/audit");
        Assert.True((bool)audit["balanced"]!);
        Assert.Equal(answered, (long)audit["used"]!);
    }

    /// <summary>Sends requests to those silos only that said lately that they are ready.</summary>
    private sealed class Balancer : IAsyncDisposable
    {
        private readonly IReadOnlyList<SiloProcess> silos;
        private readonly CancellationTokenSource stop = new();
        private readonly Task watching;
        private volatile IReadOnlyList<SiloProcess> ready;
        private int next;

        public Balancer(IReadOnlyList<SiloProcess> silos)
        {
            ready = this.silos = silos;
            watching = Watch();
        }

        public SiloProcess Next()
        {
            var choice = ready;
            return choice[(int)((uint)Interlocked.Increment(ref next) % choice.Count)];
        }

        public async Task Sees(SiloProcess silo)
        {
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (!ready.Contains(silo)) await tick.WaitForNextTickAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await watching;
            stop.Dispose();
        }

        private async Task Watch()
        {
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            while (!stop.IsCancellationRequested)
            {
                var said = await Task.WhenAll(silos.Select(async silo => (silo, isReady: await silo.IsReady())));
                var now = said.Where(pair => pair.isReady).Select(pair => pair.silo).ToList();
                if (now.Count > 0) ready = now;
                await tick.WaitForNextTickAsync();
            }
        }
    }
}
