using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>S1 to S6 and L3, told over HTTP.</summary>
public sealed class ServicesStories
{
    [Fact]
    public async Task S2_S3_A_hundred_adjusted_to_75_return_25_latest_expiry_first()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 60, expiresOn: 10);
        await api.Buy("P2", 50, expiresOn: 20);
        await api.Buy("P3", 50, expiresOn: 30);
        await api.Project();
        (await api.Milestone("M1", 100)).Is(201);

        Assert.Equal("P1:60 P2:40", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("P2:-25", (await api.Adjust("M1", 75)).Is(200).Moved());
        Assert.Equal("P1:60 P2:15", (await api.Get("/v1/milestones/M1")).Holds());
        Assert.Equal("EUR 85/75/0", await api.ServicesBalance());

        Assert.Equal("P2:35 P3:10", (await api.Adjust("M1", 120)).Is(200).Moved());
        Assert.Equal("P3:-10 P2:-50 P1:-30", (await api.Adjust("M1", 30)).Is(200).Moved());

        var records = await api.All("/v1/milestones/M1/consumptions");
        Assert.Equal(
            ["consumption P1 60", "consumption P2 40", "adjustment P2 -25", "adjustment P2 35", "adjustment P3 10", "adjustment P3 -10", "adjustment P2 -50", "adjustment P1 -30"],
            records.Select(record => $"{record["kind"]} {record["purchaseId"]} {record["quantity"]}"));
        Assert.All(records, record => Assert.Equal(("EUR", Date(0), "M1", "A1"), ((string)record["currency"]!, (string)record["date"]!, (string)record["milestoneId"]!, (string)record["accountId"]!)));
        var allocation = Assert.Single(await api.All("/v1/milestones/M1/allocations"));
        Assert.Equal(30, (decimal)allocation["quantity"]!);
    }
}

/// <summary>The words of those stories: account A1 of client A, project J1 in euros, milestones by name.</summary>
internal static class ServicesWords
{
    public static async Task<Answer> Account(this Api api, string account = "A1", string client = "A", string timeZone = "UTC") =>
        (await api.Put($"/v1/accounts/{account}", new { clientId = client, name = "Account", timeZone })).Is(201);

    public static async Task<Answer> Buy(this Api api, string purchase, decimal quantity, int expiresOn = 30, int startsOn = 0, string currency = "EUR", string account = "A1") =>
        (await api.Post($"/v1/accounts/{account}/purchases", new { purchaseId = purchase, currency, quantity, startsOn = Date(startsOn), expiresOn = Date(expiresOn) })).Is(201);

    public static async Task<Answer> Project(this Api api, string project = "J1", string account = "A1", string currency = "EUR") =>
        (await api.Put($"/v1/projects/{project}", new { accountId = account, currency })).Is(201);

    public static Task<Answer> Milestone(this Api api, string milestone, decimal? servicesCredits = null, string? status = null, string? actualDate = null, string project = "J1") =>
        api.Put($"/v1/milestones/{milestone}", new { projectId = project, servicesCredits, status, actualDate });

    public static Task<Answer> Allocate(this Api api, string milestone, bool dryRun = false) => api.Post($"/v1/milestones/{milestone}/allocate", new { dryRun });

    public static Task<Answer> Adjust(this Api api, string milestone, decimal quantity, bool dryRun = false) => api.Post($"/v1/milestones/{milestone}/adjust", new { quantity, dryRun });

    /// <summary>What moved: <c>P1:60 P2:40</c>.</summary>
    public static string Moved(this Answer answer) => Text(answer["purchases"]);

    /// <summary>What a milestone holds: <c>P1:60 P2:40</c>.</summary>
    public static string Holds(this Answer milestone) => Text(milestone["holdings"]);

    /// <summary>Available, allocated and expired in each currency: <c>EUR 85/75/0</c>.</summary>
    public static async Task<string> ServicesBalance(this Api api, string account = "A1", string? at = null) => string.Join(' ',
        (await api.Get($"/v1/accounts/{account}/balance{(at is null ? "" : $"?at={at}")}")).Is(200)["currencies"]!.AsArray()
            .Select(one => $"{one!["currency"]} {one["available"]}/{one["allocated"]}/{one["expired"]}"));

    private static string Text(JsonNode? holdings) => string.Join(' ', holdings!.AsArray().Select(one => $"{one!["purchaseId"]}:{one["quantity"]}"));
}
