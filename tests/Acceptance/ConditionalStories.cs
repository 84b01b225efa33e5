using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Conditional requests by RFC 9110, and what every response carries (§3).</summary>
public sealed class ConditionalStories(Served served) : IClassFixture<Served>
{
    private Api Api => served.Api;

    public static TheoryData<string> Resources =>
    [
        "/v1/contracts/C1", "/v1/contracts", "/v1/contracts/C1/users", "/v1/contracts/C1/lots", "/v1/contracts/C1/lots/G1", "/v1/contracts/C1/allocations", "/v1/contracts/C1/allocations/U1",
        "/v1/contracts/C1/balance", "/v1/contracts/C1/audit", "/v1/reports/R1?clientId=A", "/v1/credits/C1~G1~000000001", "/v1/credits", "/v1/ledger", "/v1/usage",
        "/v1/accounts/A1", "/v1/accounts/A1/purchases", "/v1/accounts/A1/purchases/P1", "/v1/projects/J1", "/v1/milestones/M1", "/v1/settings/services-credits", "/v1/users/U1/allocations?clientId=A",
    ];

    [Theory]
    [MemberData(nameof(Resources))]
    public async Task Every_resource_has_a_tag_and_is_not_sent_again(string path)
    {
        var first = (await Api.Get(path)).Is(200);
        var tag = first.Headers.ETag!.ToString();
        Assert.Equal("private, no-cache", string.Join(", ", first.Headers.GetValues("Cache-Control").SelectMany(value => value.Split(", ")).OrderDescending()));

        foreach (var known in (string[])[tag, $"W/{tag}", $"\"x\", {tag}", "*"])
        {
            var again = await Api.Send("GET", path, null, ("If-None-Match", known));
            Assert.Equal((304, "", tag), (again.Status, again.Text, again.Headers.ETag?.ToString()));
        }
        var lines = await Api.Send("GET", path, null, ("If-None-Match", "\"x\""), ("If-None-Match", tag));
        Assert.Equal(304, lines.Status);
        Assert.Equal(first.Text, (await Api.Send("GET", path, null, ("If-None-Match", "\"x\""))).Is(200).Text);
        (await Api.Send("GET", path, null, ("If-Match", tag))).Is(200);
        (await Api.Send("GET", path, null, ("If-Match", "\"x\""))).Is(412, "precondition-failed", "If-Match");
    }

    private static readonly string[] Currencies = ["EUR", "USD", "GBP", "CHF"];

    public static TheoryData<string, string, string, string> Changes => new()
    {
        { "PUT", "/v1/contracts/C1", "/v1/contracts/C1", """{"clientId":"A","name":"#","type":"metered","startsOn":"2020-01-01","unallocatedLifetimeDays":null}""" },
        { "PUT", "/v1/contracts/C1/users", "/v1/contracts/C1/users", """{"users":[{"userId":"U1","name":"#"},{"userId":"U2","name":"U2"}]}""" },
        { "PATCH", "/v1/contracts/C1/allocations", "/v1/contracts/C1/allocations", """{"users":[{"userId":"U1","extraCredits":#}]}""" },
        { "PATCH", "/v1/contracts/C1/lots/G1", "/v1/contracts/C1/lots/G1", """{"paymentId":"#","reason":"R"}""" },
        { "POST", "/v1/contracts/C1/lots/G1", "/v1/contracts/C1/lots/G1/withdraw", """{"quantity":#,"reason":"R"}""" },
        { "PUT", "/v1/accounts/A1", "/v1/accounts/A1", """{"clientId":"A","name":"#"}""" },
        { "PATCH", "/v1/accounts/A1/purchases/P1", "/v1/accounts/A1/purchases/P1", """{"description":"#","reason":"R"}""" },
        { "PUT", "/v1/projects/J2", "/v1/projects/J2", """{"accountId":"A1","currency":"#"}""" },
        { "PUT", "/v1/milestones/M2", "/v1/milestones/M2", """{"projectId":"J1","servicesCredits":#,"status":"Planned"}""" },
        { "POST", "/v1/milestones/M1", "/v1/milestones/M1/adjust", """{"quantity":#}""" },
        { "PATCH", "/v1/credits/C1~G1~000000001", "/v1/credits/C1~G1~000000001", """{"playerName":"#","reason":"R"}""" },
        { "PUT", "/v1/settings/services-credits", "/v1/settings/services-credits", """{"noAllocationStatuses":["None","Planned","#"]}""" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_of_what_the_caller_has_not_seen_is_refused(string method, string resource, string call, string body)
    {
        string Body(int version) => body
            .Replace("\"#\"", resource.EndsWith("J2", StringComparison.Ordinal) ? $"\"{Currencies[version]}\"" : $"\"v{version}\"", StringComparison.Ordinal)
            .Replace("#", $"{version + 6}", StringComparison.Ordinal);
        Assert.InRange((await Api.Put("/v1/projects/J2", new { accountId = "A1", currency = "JPY" })).Status, 200, 201);
        Assert.InRange((await Api.Milestone("M2", 1, "Planned")).Status, 200, 201);
        var old = (await Api.Get(resource)).Is(200).Headers.ETag!.ToString();

        foreach (var wrong in (string[])["\"nope\"", $"W/{old}", "nonsense"])
            (await Api.Send(method, call, Body(0), ("If-Match", wrong))).Is(412, "precondition-failed", "If-Match");
        foreach (var wrong in (string[])["*", old, $"W/{old}"])
            (await Api.Send(method, call, Body(0), ("If-None-Match", wrong))).Is(412, "precondition-failed", "If-None-Match");
        Assert.Equal(old, (await Api.Get(resource)).Headers.ETag!.ToString());

        var changed = await Api.Send(method, call, Body(1), ("If-Match", "\"x\""), ("If-Match", $"\"y\", {old}"));
        Assert.True(changed.Status is 200, changed.Text);
        var present = (await Api.Get(resource)).Headers.ETag!.ToString();
        Assert.NotEqual(old, present);
        Assert.Equal(present, changed.Headers.ETag?.ToString());

        (await Api.Send(method, call, Body(2), ("If-Match", old))).Is(412, "precondition-failed", "If-Match");
        Assert.Equal(200, (await Api.Send(method, call, Body(2), ("If-Match", "*"))).Status);
        Assert.Equal(200, (await Api.Send(method, call, Body(3), ("If-None-Match", "\"x\""))).Status);
    }

    [Theory]
    [InlineData("/v1/contracts/N1", """{"clientId":"A","name":"N","type":"metered","startsOn":"2020-01-01"}""")]
    [InlineData("/v1/accounts/N1", """{"clientId":"A","name":"N"}""")]
    [InlineData("/v1/projects/N1", """{"accountId":"A1","currency":"EUR"}""")]
    [InlineData("/v1/milestones/N1", """{"projectId":"J1"}""")]
    public async Task What_is_there_already_is_not_made_again(string path, string body)
    {
        (await Api.Send("PUT", path, body, ("If-Match", "*"))).Is(412, "precondition-failed", "If-Match");
        var made = (await Api.Send("PUT", path, body, ("If-None-Match", "*"))).Is(201);
        Assert.Equal(path, made.Headers.Location?.ToString());
        (await Api.Send("PUT", path, body, ("If-None-Match", "*"))).Is(412, "precondition-failed", "If-None-Match");
    }

    [Theory]
    [InlineData("PUT", "/v1/contracts/C1/users/U1", """{"name":"N"}""")]
    [InlineData("DELETE", "/v1/contracts/C1/users/U2", null)]
    [InlineData("POST", "/v1/contracts/C1/lots", """{"paymentId":"P","quantity":1}""")]
    [InlineData("POST", "/v1/users/U1/disable", """{"clientId":"A"}""")]
    [InlineData("POST", "/v1/contracts/C1/allocations/confirm", """{"confirmationToken":"T"}""")]
    public async Task A_call_that_compares_no_versions_refuses_the_headers(string method, string path, string? body)
    {
        (await Api.Send(method, path, body, ("If-Match", "\"nope\""))).Is(400, "malformed", "If-Match");
        (await Api.Send(method, path, body, ("If-None-Match", "*"))).Is(400, "malformed", "If-None-Match");
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/v1/ledger/feed")]
    [InlineData("/v1/contracts/C1")]
    [InlineData("/v1/contracts")]
    public async Task HEAD_and_OPTIONS_work_wherever_GET_does(string path)
    {
        var head = await Api.Send("HEAD", path);
        Assert.Equal((200, ""), (head.Status, head.Text));
        if (!path.EndsWith("feed", StringComparison.Ordinal))
        {
            var get = await Api.Get(path);
            Assert.Equal((get.Status, get.ContentType?.MediaType, get.Headers.ETag), (head.Status, head.ContentType?.MediaType, head.Headers.ETag));
        }
        var options = await Api.Send("OPTIONS", path);
        Assert.Equal(204, options.Status);
        Assert.Superset(new HashSet<string>(["GET", "HEAD", "OPTIONS"]), options.Allow);
    }

    [Fact]
    public async Task A_list_links_to_its_next_page()
    {
        var first = (await Api.Get("/v1/contracts?limit=1&clientId=A")).Is(200);
        Assert.Equal("C1", (string?)first.Items.Single()!["contractId"]);
        await Api.Contract("C2");
        first = (await Api.Get("/v1/contracts?limit=1&clientId=A")).Is(200);
        var link = first.Headers.GetValues("Link").Single();
        Assert.Matches("^</v1/contracts\\?limit=1&clientId=A&cursor=[^>]+>; rel=\"next\"$", link);
        var second = (await Api.Get(link[1..link.IndexOf('>', StringComparison.Ordinal)])).Is(200);
        Assert.Equal("C2", (string?)second.Items.Single()!["contractId"]);
    }

    [Fact]
    public async Task A_resource_that_is_not_there_is_not_there_for_HEAD_and_OPTIONS_either()
    {
        Assert.Equal(404, (await Api.Send("HEAD", "/v1/contracts/nobody")).Status);
        Assert.Equal(404, (await Api.Send("OPTIONS", "/v1/nothing/here")).Status);
        Assert.Equal(["DELETE", "OPTIONS", "PUT"], (await Api.Send("GET", "/v1/contracts/C1/users/U1")).Is(405, "method-not-allowed").Allow.Order());
    }

    [Theory]
    [InlineData("GET", "/v1/contracts/C1", 200)]
    [InlineData("GET", "/v1/contracts/nobody", 404)]
    [InlineData("POST", "/v1/reports", 400)]
    [InlineData("GET", "/health/live", 200)]
    public async Task Every_response_has_an_id_and_does_not_name_its_server(string method, string path, int status)
    {
        var first = await Api.Send(method, path);
        var second = await Api.Send(method, path);
        Assert.Equal((status, status), (first.Status, second.Status));
        Assert.NotEqual(first.Headers.GetValues("Request-Id").Single(), second.Headers.GetValues("Request-Id").Single());
        Assert.Empty(first.Headers.Server);
        Assert.Equal(first.Headers.ETag is null, first.Headers.CacheControl!.NoStore);
        Assert.Equal("nosniff", first.Headers.GetValues("X-Content-Type-Options").Single());
    }
}
