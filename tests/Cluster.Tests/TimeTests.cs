using System.Net;
using System.Text.Json.Nodes;
using CreditGrains.Editions;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>Time in a cluster: reminders are few, and a test clock holds for all silos (T4).</summary>
[Collection("load")]
public sealed class TimeTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Many_player_credits_need_no_more_reminders_than_few_and_a_user_one_only_for_a_cycle_in_use()
    {
        await using var cluster = await RunningCluster.Start(silos: 1);
        using var client = new Client(cluster.Silos);
        await client.Contract("c", "acme", "u", 1_000_000);
        var few = await Reminders();
        for (var report = 0; report < 20; report++)
            Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report($"r{report}", "c", "u", Enumerable.Range(0, 1_000).Select(player => $"p{report}-{player}")))).Status);
        Assert.Equal(few, await Reminders());
        output.WriteLine($"20,000 player credits, {few} reminders");

        var settings = JsonNode.Parse($$"""{"enabled":true,"users":[{"userId":"u","amount":5,"renewal":"daily","startDate":"{{DateTime.UtcNow:yyyy-MM-dd}}"}]}""");
        Assert.Equal(HttpStatusCode.OK, (await client.Ask(HttpMethod.Patch, "/v1/contracts/c/allocations", settings)).Status);
        Assert.Equal(few, await Reminders());
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("cycle", "c", "u", "one-more"))).Status);
        for (var tries = 0; tries < 1_000 && await Reminders() == few; tries++) { }
        Assert.Equal(few + 1, await Reminders());

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
}
