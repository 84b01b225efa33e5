using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using CreditGrains.Editions;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>Time in a cluster: reminders show what falls due while nobody asks (T3), and a test clock holds for all silos (T4).</summary>
public sealed class TimeTests(ITestOutputHelper output)
{
    [Fact]
    public async Task What_falls_due_while_nobody_asks_shows_in_the_ledger_and_what_fell_due_while_the_cluster_was_down_is_made_up_for_once()
    {
        await using var cluster = await RunningCluster.Start(silos: 2);
        using var client = new Client(cluster.Silos);

        // The credit of player p, and what is left of its lot, both end in a few seconds.
        await Ending("while-up", TimeSpan.FromSeconds(4));
        await Told("while-up");

        await Ending("while-down", TimeSpan.FromSeconds(4));
        await Task.WhenAll(cluster.Silos.Select(silo => silo.Stop()));
        await Past(TimeSpan.FromSeconds(6));
        await cluster.StartAll();
        await Told("while-down");

        async Task Ending(string contract, TimeSpan after)
        {
            await client.Contract(contract, contract, "u", credits: 0, more: new JsonObject { ["coverageFrom"] = "creation" });
            var lot = new JsonObject { ["lotId"] = "lot", ["paymentId"] = "paid", ["quantity"] = 10, ["expiresAt"] = DateTimeOffset.UtcNow.Add(after).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) };
            Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, $"/v1/contracts/{contract}/lots", lot)).Status);
            Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r", contract, "u", "p"))).Status);
        }

        async Task Told(string contract)
        {
            // A reminder may be up to its jitter and period late.
            using var tick = new PeriodicTimer(TimeSpan.FromSeconds(1));
            List<JsonNode?> ended = [];
            for (var tries = 0; tries < 150 && ended.Count < 2; tries++, await tick.WaitForNextTickAsync())
                ended = [.. (await client.Get($"/v1/ledger?contractId={contract}&limit=1000"))["items"]!.AsArray().Where(entry => (string)entry!["kind"]! is "lot-expired" or "coverage-expired")];
            Assert.Equal(["coverage-expired", "lot-expired"], ended.Select(entry => (string)entry!["kind"]!).Order());
            var lot = (await client.Get($"/v1/contracts/{contract}/lots"))["items"]![0]!;
            Assert.All(ended, entry => Assert.Equal((string)lot["expiresAt"]!, (string)entry!["effectiveAt"]!));
            Assert.Equal(9, (long)ended.Single(entry => (string)entry!["kind"]! == "lot-expired")!["quantity"]!);
            Assert.True((bool)(await client.Get($"/v1/contracts/{contract}/audit"))["balanced"]!);
        }
    }

    [Fact]
    public async Task Many_player_credits_need_no_more_reminders_than_few()
    {
        await using var cluster = await RunningCluster.Start(silos: 1);
        using var client = new Client(cluster.Silos);
        await client.Contract("c", "acme", "u", 1_000_000);
        var few = await Reminders();
        for (var report = 0; report < 20; report++)
            Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report($"r{report}", "c", "u", Enumerable.Range(0, 1_000).Select(player => $"p{report}-{player}")))).Status);
        Assert.Equal(few, await Reminders());
        output.WriteLine($"20,000 player credits, {few} reminders");

        async Task<long> Reminders()
        {
            await using var connection = new NpgsqlConnection(cluster.Postgres.ConnectionString);
            await connection.OpenAsync();
            await using var count = new NpgsqlCommand("select count(*) from orleans_reminder", connection);
            return (long)(await count.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task The_world_cups_charge_11062_credits_on_three_silos_whose_test_clock_moves_for_all()
    {
        var file = Path.Combine(Child.Root, "..", "shared", "data", "worldcup-men-reports.ndjson");
        Assert.SkipUnless(File.Exists(file), "the file of world cup reports is not beside the project");
        var reports = File.ReadLines(file).Select(line => JsonNode.Parse(line)!).ToList();
        await using var cluster = await RunningCluster.Start(silos: 3, testClock: (string)reports[0]["at"]!);
        using var client = new Client(cluster.Silos);
        await client.Contract("cups", "fifa", "scout", 100_000, startsOn: "1930-01-01");

        var charged = 0L;
        foreach (var instant in reports.GroupBy(report => (string)report["at"]!))
        {
            Assert.Equal(HttpStatusCode.OK, (await client.Ask(HttpMethod.Post, "/v1/clock", new JsonObject { ["advanceTo"] = instant.Key })).Status);
            foreach (var silo in cluster.Silos) Assert.Equal(instant.Key, (string)(await client.Once(silo, HttpMethod.Get, "/v1/clock")).Body!["now"]!);
            var answers = await Task.WhenAll(instant.Select(report => client.Ask(HttpMethod.Post, "/v1/reports",
                Client.Report((string)report["reportId"]!, "cups", "scout", report["players"]!.AsArray().Select(player => (string)player!["playerId"]!)))));
            Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Created, answer.Status));
            charged += answers.Sum(answer => (long)answer.Body!["charged"]!);
        }
        Assert.Equal(11_062, charged);
        Assert.True((bool)(await client.Get("/v1/contracts/cups/audit"))["balanced"]!);
    }

    private static async Task Past(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }
}
