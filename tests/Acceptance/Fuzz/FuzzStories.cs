using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>
/// Requests made from the OpenAPI document, most of them broken: every answer is as described, none is a fault of the service, and a refusal changes nothing (§3).
/// The requests follow from a seed; <c>CREDITGRAINS_SEED</c> sets another one.
/// </summary>
public sealed class FuzzStories(ITestOutputHelper output)
{
    private const int Lanes = 2, Requests = 20_000;

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("CREDITGRAINS_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    [Fact]
    public async Task Whatever_is_sent_the_answer_is_as_described_and_a_refusal_changes_nothing()
    {
        output.WriteLine($"CREDITGRAINS_SEED={Seed} repeats this");
        var watch = Stopwatch.StartNew();
        var lanes = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(() => Fuzzer.Run(lane, Lanes, Seed, Requests / Lanes))));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lanes.Sum(lane => lane.Sent)} requests in {watch.Elapsed.TotalSeconds:F1} s"));
        foreach (var status in lanes.SelectMany(lane => lane.Statuses).GroupBy(pair => pair.Key, pair => pair.Value).OrderBy(group => group.Key))
            output.WriteLine($"{status.Key}: {status.Sum()}");

        // It has tried every call, and not only been refused.
        Assert.Equal(Requests, lanes.Sum(lane => lane.Sent));
        Assert.Empty(lanes.SelectMany(lane => lane.Succeeded).GroupBy(pair => pair.Key, pair => pair.Value).Where(call => call.Sum() == 0).Select(call => call.Key));
    }

    [Fact]
    public async Task A_change_that_nobody_asked_for_is_noticed()
    {
        await using var edition = await Words.AtDay0();
        await Served.Furnish(edition.Api);
        var rows = new Watched(edition.Api);
        await rows.Note();
        foreach (var (method, path, body) in ((string, string, string)[])[
            ("PATCH", "/v1/contracts/C1", """{"name":"other"}"""),
            ("PUT", "/v1/contracts/C1/users/U3", """{"name":"Cy"}"""),
            ("POST", "/v1/contracts/C1/lots", """{"paymentId":"P","quantity":1}"""),
            ("POST", "/v1/reports", """{"reportId":"R9","contractId":"C1","userId":"U1","players":[{"playerId":"P9"}]}"""),
            ("POST", "/v1/reports", """{"reportId":"R10","contractId":"C1","userId":"U1","players":[{"playerId":"P1"}]}"""),
            ("PATCH", "/v1/contracts/C1/allocations", """{"enabled":true}"""),
            ("POST", "/v1/users/U1/disable", """{"clientId":"A"}"""),
            ("POST", "/v1/accounts/A1/purchases", """{"currency":"EUR","quantity":1,"startsOn":"2026-03-01","expiresOn":"2026-03-31"}"""),
            ("PATCH", "/v1/milestones/M1", """{"name":"other"}"""),
            ("PUT", "/v1/settings/services-credits", """{"noAllocationStatuses":["Planned"]}"""),
            ("POST", "/v1/clock", """{"advanceTo":"2026-03-02T00:00:00Z"}""")])
        {
            Assert.Null(await rows.Changed());
            Assert.InRange((await edition.Api.Send(method, path, body)).Status, 200, 201);
            Assert.True(await rows.Changed() is not null, $"{method} {path}");
            await rows.Note();
        }
    }
}

/// <summary>What a refusal must leave as it is: each list and document of the service, by their tags.</summary>
internal sealed class Watched(Api api)
{
    private static readonly string[] Paths =
    [
        "/v1/contracts", "/v1/contracts/C1", "/v1/contracts/C1/lots?limit=1000", "/v1/contracts/C1/users", "/v1/contracts/C1/allocations", "/v1/contracts/C1/balance",
        "/v1/credits?contractId=C1&status=ALLOCATED", "/v1/reports?order=desc", "/v1/accounts", "/v1/accounts/A1/purchases?limit=1000", "/v1/projects", "/v1/milestones",
        "/v1/settings/services-credits", "/v1/clock", "/v1/ledger?order=desc&limit=1",
    ];

    private ImmutableArray<string> noted = [];

    public async Task Note() => noted = await Tags();

    /// <summary>What is not as it was noted; null: nothing.</summary>
    public async Task<string?> Changed()
    {
        var present = await Tags();
        return present.Zip(noted).Index().Where(pair => pair.Item.First != pair.Item.Second).Select(pair => Paths[pair.Index]).FirstOrDefault();
    }

    private async Task<ImmutableArray<string>> Tags() => [.. await Task.WhenAll(Paths.Select(Tag))];

    private async Task<string> Tag(string path) => (await api.Send("HEAD", path)).Headers.ETag!.Tag;
}
