using System.Net;
using CreditGrains.Editions;

// One class loads the machine while another one waits for a reminder.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]
[assembly: AssemblyFixture(typeof(SharedPostgres))]

namespace CreditGrains.Cluster.Tests;

/// <summary>What silos and the database may do while reports come in: nothing answered is lost, nothing happens twice (R5).</summary>
[Collection("load")]
public sealed class DeathTests(ITestOutputHelper output)
{
    private const int Writers = 64, Contracts = 16;

    // The whole trial: two minutes and ten kills, and twenty seconds without PostgreSQL. A shorter one runs with every test.
    private static readonly int Kills = Trials.AreWhole ? 10 : 2;
    private static readonly TimeSpan BetweenKills = TimeSpan.FromSeconds(Trials.AreWhole ? 10 : 5), Away = TimeSpan.FromSeconds(Trials.AreWhole ? 20 : 5);

    private readonly int seed = Random.Shared.Next();

    [Fact]
    public async Task Reports_survive_silos_that_are_killed_and_replaced()
    {
        await using var cluster = await RunningCluster.Start(silos: 3);
        var load = await Under(cluster, async () =>
        {
            var random = new Random(seed);
            using var time = new PeriodicTimer(BetweenKills);
            for (var kill = 0; kill < Kills; kill++)
            {
                await time.WaitForNextTickAsync();
                var silo = cluster.Silos[random.Next(cluster.Silos.Count)];
                await silo.Kill();
                await silo.Start();
            }
            await time.WaitForNextTickAsync();
        });
        output.WriteLine($"{Kills} silos killed, {load.Answered} reports answered, longest time without an answer {load.LongestGap.TotalSeconds:F1} s (seed {seed})");
        Assert.True(load.LongestGap < TimeSpan.FromSeconds(15), $"no report was answered for {load.LongestGap}");
    }

    [Fact]
    public async Task Reports_survive_the_whole_cluster_being_killed()
    {
        await using var cluster = await RunningCluster.Start(silos: 3);
        var load = await Under(cluster, async () =>
        {
            await Trials.After(TimeSpan.FromSeconds(3));
            await cluster.KillAll();
            await cluster.StartAll();
            await Trials.After(TimeSpan.FromSeconds(3));
        });
        output.WriteLine($"{load.Answered} reports answered, longest time without an answer {load.LongestGap.TotalSeconds:F1} s");
    }

    [Fact]
    public async Task Reports_are_answered_503_while_PostgreSQL_is_away_and_again_when_it_is_back()
    {
        await using var postgres = await ScratchPostgres.New();
        await using var cluster = await RunningCluster.Start(silos: 2, postgres: postgres.ConnectionString);
        using var client = new Client(cluster.Silos);
        var load = await Under(cluster, async () =>
        {
            await Trials.After(TimeSpan.FromSeconds(3));
            await postgres.Stop();
            var meanwhile = await client.Once(cluster.Silos[0], HttpMethod.Post, "/v1/reports", Client.Report("while-away", "c0", "u", "nobody"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, meanwhile.Status);
            Assert.NotNull(meanwhile.RetryAfter);
            await Trials.After(Away);
            await postgres.Start();
            await Trials.After(TimeSpan.FromSeconds(3));
        });
        var again = await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("while-away", "c0", "u", "nobody"));
        Assert.Equal(HttpStatusCode.Created, again.Status);
        output.WriteLine($"{load.Answered} reports answered, longest time without an answer {load.LongestGap.TotalSeconds:F1} s");
    }

    [Fact]
    public async Task A_second_activation_of_an_actor_cannot_commit_what_it_does_not_know()
    {
        // Two clusters on one database: every actor lives twice, each with a memory of its own.
        var postgres = await SharedPostgres.NewDatabase();
        await using var one = SiloProcess.Cluster(postgres);
        await using var other = SiloProcess.Cluster(postgres);
        await one.Start(new(ClusterId: "one"));
        await other.Start(new(ClusterId: "other"));
        using var client = new Client([one, other]);
        var load = new Load(client, writers: 16, contracts: 2, seed);
        await load.Prepare();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await load.Run(stop.Token);
        await load.Check();
        output.WriteLine($"{load.Answered} reports answered by two clusters on one database");
    }

    private async Task<Load> Under(RunningCluster cluster, Func<Task> disturb)
    {
        using var client = new Client(cluster.Silos);
        var load = new Load(client, Writers, Contracts, seed);
        await load.Prepare();
        using var stop = new CancellationTokenSource();
        var writing = load.Run(stop.Token);
        try
        {
            await disturb();
            await stop.CancelAsync();
            await writing;
        }
        catch
        {
            foreach (var silo in cluster.Silos) output.WriteLine($"{silo.Url} printed at the end:\n{string.Join('\n', silo.Output.Split('\n').TakeLast(60))}");
            await stop.CancelAsync();
            throw;
        }
        await load.Check();
        return load;
    }
}
