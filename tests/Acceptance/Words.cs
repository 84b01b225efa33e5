using System.Globalization;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>The words of the stories: contract C1 of client A, user U1, players by name, days on the test clock.</summary>
internal static class Words
{
    /// <summary>Noon of that day; day 0 is 1 March 2026, when a story's test clock starts.</summary>
    public static string Day(double day) => new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc).AddDays(day).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Date(int day) => Day(day)[..10];

    /// <summary>That many players, named after the prefix.</summary>
    public static string[] Some(string prefix, int count) => [.. Enumerable.Range(1, count).Select(i => $"{prefix}-{i}")];

    /// <summary>An edition whose test clock stands at day 0.</summary>
    public static Task<Edition> AtDay0() => Edition.Start(new(TestClock: Day(0)));

    /// <summary>The same as a process of its own, which may be killed.</summary>
    public static Task<Edition> ProcessAtDay0() => Edition.Start(new(TestClock: Day(0), IsProcess: true));

    /// <summary>A contract that began long ago and is open-ended, whose lots never expire, unless <paramref name="terms"/> says otherwise.</summary>
    public static JsonObject Terms(string client = "A", object? terms = null)
    {
        var body = new JsonObject { ["clientId"] = client, ["name"] = "Scouting", ["type"] = "metered", ["startsOn"] = "2020-01-01", ["unallocatedLifetimeDays"] = null };
        foreach (var (name, value) in System.Text.Json.JsonSerializer.SerializeToNode(terms ?? new { })!.AsObject().ToList()) body[name] = value?.DeepClone();
        return body;
    }

    /// <summary>That contract with the users U1 and U2.</summary>
    public static async Task Contract(this Api api, string contract = "C1", string client = "A", object? terms = null)
    {
        (await api.Put($"/v1/contracts/{contract}", Terms(client, terms))).Is(201);
        await api.Users(contract, "U1", "U2");
    }

    public static async Task Users(this Api api, string contract, params string[] users) =>
        (await api.Put($"/v1/contracts/{contract}/users", new { users = users.Select(user => new { userId = user, name = user }) })).Is(200);

    public static async Task<Answer> Grant(this Api api, string lot, long quantity, string? expiresAt = null, string? from = null, string contract = "C1") =>
        (await api.Post($"/v1/contracts/{contract}/lots", new { lotId = lot, paymentId = "PAY-1", quantity, availableFrom = from, expiresAt })).Is(201);

    /// <summary>Changes what users of C1 may use.</summary>
    public static async Task<Answer> Allocate(this Api api, object change) => (await api.Send("PATCH", "/v1/contracts/C1/allocations", System.Text.Json.JsonSerializer.Serialize(change))).Is(200);

    public static Task<Answer> Report(this Api api, string report, string[] players, string contract = "C1", string user = "U1", bool dryRun = false) =>
        api.Post("/v1/reports", new { reportId = report, contractId = contract, userId = user, players = players.Select(player => new { playerId = player, name = $"Player {player}" }), dryRun });

    /// <summary>Moves the test clock.</summary>
    public static async Task Clock(this Api api, string to) => Assert.Equal(to, (string)(await api.Post("/v1/clock", new { advanceTo = to })).Is(200)["now"]!);

    /// <summary>Of which lots a report drew, in order: <c>G2:50 G1:10</c>.</summary>
    public static string Draws(this Answer report) => string.Join(' ', report["players"]!.AsArray()
        .Where(player => (string?)player!["charge"] == "new")
        .GroupBy(player => ((string)player!["creditId"]!).Split('~')[1])
        .Select(lot => $"{lot.Key}:{lot.Count()}"));

    public static int Charged(this Answer report) => (int)report["charged"]!;

    public static async Task<JsonNode> Lot(this Api api, string lot, string contract = "C1") =>
        (await api.Get($"/v1/contracts/{contract}/lots")).Is(200).Items.Single(item => (string?)item!["lotId"] == lot)!;

    /// <summary>The first page of the ledger as text: equal texts, nothing was booked.</summary>
    public static async Task<string> Ledger(this Api api, string query = "") => (await api.Get($"/v1/ledger?limit=1000{query}")).Is(200).Text;

    /// <summary>The newest entry of the ledger, which never changes: equal texts, nothing was booked.</summary>
    public static async Task<string> LastEntry(this Api api) => (await api.Get("/v1/ledger?order=desc&limit=1")).Is(200).Text;

    /// <summary>G2: the books balance; returns the audit.</summary>
    public static async Task<Answer> Balanced(this Api api, string contract = "C1")
    {
        var audit = (await api.Get($"/v1/contracts/{contract}/audit?full=true")).Is(200);
        Assert.True((bool)audit["balanced"]!, audit.Text);
        return audit;
    }

    /// <summary>All items of a list, page by page.</summary>
    public static async Task<List<JsonNode>> All(this Api api, string path, int limit = 1000)
    {
        var items = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = (await api.Get($"{path}{(path.Contains('?') ? '&' : '?')}limit={limit}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}")).Is(200);
            Assert.True(page.Items.Count <= limit);
            items.AddRange(page.Items!);
            cursor = (string?)page["nextCursor"];
        }
        while (cursor is not null);
        return items;
    }
}
