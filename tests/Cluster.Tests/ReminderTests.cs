using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace CreditGrains.Cluster.Tests;

/// <summary>Reminders show what falls due while nobody asks (T3).</summary>
public sealed class ReminderTests
{
    [Fact]
    public async Task What_falls_due_while_nobody_asks_shows_in_the_ledger_and_what_fell_due_while_the_cluster_was_down_is_made_up_for_once()
    {
        await using var cluster = await RunningCluster.Start(silos: 2);
        using var client = new Client(cluster.Silos);

        // The credit of player p, and what is left of its lot, both end in a few seconds.
        await Ending("while-up", TimeSpan.FromSeconds(10));
        await Told("while-up");

        await Ending("while-down", TimeSpan.FromSeconds(10));
        await Task.WhenAll(cluster.Silos.Select(silo => silo.Stop()));
        await Past(TimeSpan.FromSeconds(12));
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

    private static async Task Past(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }
}
