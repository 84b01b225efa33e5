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

        // The first end of coverage is the client's one reminder of all its players'.
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("first", "c", "u", "one"))).Status);
        for (var tries = 0; tries < 1_000 && await Reminders() == 0; tries++) { }
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
            await using var connection = new NpgsqlConnection(cluster.Postgres);
            await connection.OpenAsync();
            await using var count = new NpgsqlCommand("select count(*) from orleans_reminder", connection);
            return (long)(await count.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task The_world_cups_charge_their_credits_on_three_silos_whose_test_clock_moves_for_all()
    {
        var file = Path.Combine(Child.Root, "..", "shared", "data", "worldcup-men-reports.ndjson");
        Assert.SkipUnless(File.Exists(file), "the file of world cup reports is not beside the project");
        var reports = File.ReadLines(file).Select(line => JsonNode.Parse(line)!).Where(report => Trials.AreWhole || (string)report["tournament"]! is "WC-2014" or "WC-2022").ToList();
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
        Assert.Equal(Trials.AreWhole ? 11_062 : 759 + 831, charged);
        Assert.True((bool)(await client.Get("/v1/contracts/cups/audit"))["balanced"]!);
    }

    [Fact]
    public async Task Two_years_of_monthly_cycles_bring_24_lots_on_two_silos_that_are_both_down_for_three_months_L5()
    {
        await using var cluster = await RunningCluster.Start(silos: 2, testClock: "2026-01-01T00:00:00Z");
        using var client = new Client(cluster.Silos);
        await client.Contract("c", "acme", "u", credits: 0, startsOn: "2026-01-31", more: new JsonObject
        {
            ["endsOn"] = "2028-01-30",
            ["unallocatedLifetimeDays"] = 7,
            ["billingCycle"] = new JsonObject { ["unit"] = "month", ["every"] = 1, ["anchor"] = "2026-01-31", ["credits"] = 10 },
        });
        await Advance("2026-12-15T00:00:00Z");
        await cluster.KillAll();
        await cluster.StartAll();
        await Task.WhenAll(Enumerable.Range(0, 9).Select(i => client.Ask(HttpMethod.Post, "/v1/reports", Client.Report($"r{i}", "c", "u", $"p{i}"))));
        await Advance("2027-03-15T00:00:00Z");
        await Advance("2028-03-01T00:00:00Z");

        var lots = (await client.Get("/v1/contracts/c/lots?limit=1000"))["items"]!.AsArray();
        Assert.Equal(Enumerable.Range(0, 24).Select(month => $"c:{new DateTime(2026, 1, 31).AddMonths(month):yyyy-MM-dd}"), lots.Select(lot => (string)lot!["paymentId"]!));
        var granted = (await client.Get("/v1/ledger?contractId=c&limit=1000"))["items"]!.AsArray().Where(entry => (string)entry!["kind"]! == "lot-granted").ToList();
        Assert.Equal(lots.Select(lot => (string)lot!["lotId"]!), granted.Select(entry => (string)entry!["lotId"]!));
        Assert.Equal(lots.Select(lot => (string)lot!["createdAt"]!), granted.Select(entry => (string)entry!["effectiveAt"]!));
        var audit = await client.Get("/v1/contracts/c/audit");
        Assert.True((bool)audit["balanced"]!, audit.ToJsonString());
        Assert.Equal(240, (long)audit["granted"]!);

        async Task Advance(string to) => Assert.Equal(HttpStatusCode.OK, (await client.Ask(HttpMethod.Post, "/v1/clock", new JsonObject { ["advanceTo"] = to })).Status);
    }
}
