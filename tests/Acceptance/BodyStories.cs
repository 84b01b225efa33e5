using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>What bodies and parameters may be (§3, T1), and how a caller learns what they must be.</summary>
public sealed class BodyStories(Served served) : IClassFixture<Served>
{
    private Api Api => served.Api;

    [Theory]
    [InlineData("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z")]
    [InlineData("2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00Z")]
    [InlineData("2030-01-01T00:00:00-00:00", "2030-01-01T00:00:00Z")]
    [InlineData("2029-12-31T19:00:00.25-05:00", "2030-01-01T00:00:00.25Z")]
    [InlineData("2030-01-01t05:45:00+05:45", "2030-01-01T00:00:00Z")]
    [InlineData("2030-01-01T23:59:00+23:59", "2030-01-01T00:00:00Z")]
    [InlineData("8999-12-31T23:59:59z", "8999-12-31T23:59:59Z")]
    public async Task T1_An_instant_may_have_any_offset_and_is_answered_in_UTC(string sent, string answered)
    {
        var lot = (await Api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-1", quantity = 1, expiresAt = sent })).Is(201);
        Assert.Equal(answered, (string?)lot["expiresAt"]);
        Assert.Equal(answered, (string?)(await Api.Get($"/v1/contracts/C1/lots?limit=1000")).Is(200).Items.Single(item => (string)item!["lotId"]! == (string)lot["lotId"]!)!["expiresAt"]);
        (await Api.Get($"/v1/reports?from={Uri.EscapeDataString(sent)}")).Is(200);
    }

    [Theory]
    [InlineData("2030-01-01T24:00:00Z")]
    [InlineData("2030-01-01T00:00:00,5Z")]
    [InlineData("2030-01-01 00:00:00Z")]
    [InlineData("2030-01-01T00:00:00+0100")]
    [InlineData("2030-01-01T00:00:00+24:00")]
    [InlineData("2030-01-01T00:00Z")]
    [InlineData("9000-01-01T00:00:00Z")]
    public async Task T1_Nothing_else_is_an_instant(string sent)
    {
        (await Api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-1", quantity = 1, expiresAt = sent })).Is(422, "invalid-field", "expiresAt");
        (await Api.Get($"/v1/reports?from={Uri.EscapeDataString(sent)}")).Is(422, "invalid-field", "from");
    }

    [Theory]
    [InlineData("1.0", 1)]
    [InlineData("1e3", 1_000)]
    [InlineData("2.50E2", 250)]
    [InlineData("7000e-3", 7)]
    public async Task A_number_without_a_fraction_is_whole_however_it_is_written(string sent, long read)
    {
        var lot = (await Api.Send("POST", "/v1/contracts/C1/lots", $$"""{"paymentId":"PAY-1","quantity":{{sent}}}""")).Is(201);
        Assert.Equal(read, (long)lot["quantity"]!);
    }

    [Fact]
    public async Task Every_field_that_is_wrong_is_told_at_once_and_what_it_must_be()
    {
        var answer = (await Api.Send("PUT", "/v1/contracts/C9", """
            {"clientId":"a b","name":"N","type":"golden","startsOn":"2026-02-30","coverageDays":"x","billingCycle":{"unit":"moon","credits":null}}
            """)).Is(422, "invalid-field", "type");
        Assert.Equal(
            ["billingCycle.credits", "billingCycle.unit", "clientId", "coverageDays", "startsOn", "type"],
            answer["errors"]!.AsArray().Select(error => (string)error!["field"]!).Order(StringComparer.Ordinal));
        Assert.All(answer["errors"]!.AsArray(), error => Assert.StartsWith($"{error!["field"]} must ", (string?)error["reason"]));
        var type = answer["errors"]!.AsArray().Single(error => (string)error!["field"]! == "type")!;
        Assert.Equal(["metered", "unlimited"], type["allowed"]!.AsArray().Select(value => (string)value!));
    }

    [Fact]
    public async Task Rules_that_only_the_whole_document_can_break_are_told_together_too()
    {
        var answer = (await Api.Put("/v1/contracts/C9", Words.Terms(terms: new { name = "", timeZone = "Mars/Olympus", endsOn = "2019-12-31", coverageDays = 0 }))).Is(422, "invalid-field", "name");
        Assert.Equal(["name", "timeZone", "endsOn", "coverageDays"], answer["errors"]!.AsArray().Select(error => (string)error!["field"]!));
        Assert.Contains(answer["errors"]!.AsArray(), error => (string?)error!["reason"] == "endsOn must not be before startsOn.");
    }

    [Fact]
    public async Task Fields_of_items_are_told_with_their_place()
    {
        var answer = (await Api.Send("POST", "/v1/reports", """
            {"reportId":"R9","contractId":"C1","userId":"U1","players":[{"playerId":"P1"},{"playerId":"a~b"},null,{"playerId":7}]}
            """)).Is(422, "invalid-field", "players[3].playerId");
        Assert.Equal(
            ["players[1].playerId", "players[2]", "players[3].playerId"],
            answer["errors"]!.AsArray().Select(error => (string)error!["field"]!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Parameters_that_are_wrong_are_told_together_with_what_is_allowed()
    {
        var answer = (await Api.Get("/v1/credits?limit=0&status=GOLD&playerId=a~b")).Is(422, "invalid-field", "limit");
        Assert.Equal(["limit", "status", "playerId"], answer["errors"]!.AsArray().Select(error => (string)error!["field"]!));
        Assert.Contains("ALLOCATED", answer["errors"]![1]!["allowed"]!.AsArray().Select(value => (string)value!));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("application/json;charset=UTF-8")]
    [InlineData("application/merge-patch+json")]
    public async Task A_JSON_body_is_read_however_its_type_is_spelt(string type) =>
        (await Api.Send("POST", "/v1/milestones/M1/allocate", """{"dryRun":true}""", ("Content-Type", type))).Is(200);

    [Fact]
    public async Task A_POST_whose_fields_are_all_optional_needs_no_body()
    {
        (await Api.Send("POST", "/v1/milestones/M1/allocate")).Is(200);
        (await Api.Send("POST", "/v1/contracts/C1/allocations/preview")).Is(200);
    }

    [Fact]
    public async Task Each_type_of_problem_can_be_opened()
    {
        var problem = (await Api.Get("/v1/contracts/nobody")).Is(404, "not-found");
        var page = await Api.Get((string)problem["type"]!);
        Assert.Equal((200, "text/html"), (page.Status, page.ContentType?.MediaType));
        Assert.Contains("Not found (status 404).", page.Text);
        Assert.Contains("idempotency-key-reused", (await Api.Get("/problems")).Text);
        (await Api.Get("/problems/nonsense")).Is(404, "not-found");
    }

    [Theory]
    [InlineData("/openapi/v2.json")]
    [InlineData("/nothing")]
    [InlineData("/v1/nothing")]
    public async Task Whatever_is_not_there_is_a_problem_document(string path) => (await Api.Get(path)).Is(404, "not-found");

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_its_body_is_no_fault()
    {
        using (var socket = new TcpClient())
        {
            var url = new Uri(Api.Url);
            await socket.ConnectAsync(url.Host, url.Port, TestContext.Current.CancellationToken);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/reports HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{{"), TestContext.Current.CancellationToken);
        }
        (await Api.Get("/v1/contracts/C1")).Is(200);
    }

    [Theory]
    [InlineData("/v1/ledger?contractId=nobody", "contract nobody")]
    [InlineData("/v1/credits?clientId=nobody", "client nobody")]
    [InlineData("/v1/usage?clientId=A&contractId=B1", "contract B1")]
    [InlineData("/v1/contracts?clientId=nobody", "client nobody")]
    [InlineData("/v1/projects?accountId=nobody", "account nobody")]
    [InlineData("/v1/milestones?projectId=nobody", "project nobody")]
    [InlineData("/v1/milestones?accountId=nobody", "account nobody")]
    [InlineData("/v1/milestones?clientId=B&accountId=A1", "account A1")]
    [InlineData("/v1/reports?contractId=C1&userId=nobody", "user nobody")]
    [InlineData("/v1/ledger?clientId=A&reportId=nobody", "report nobody")]
    [InlineData("/v1/ledger/feed?contractId=nobody", "contract nobody")]
    [InlineData("/v1/ledger/feed?clientId=A&contractId=B1", "contract B1")]
    public async Task A_filter_by_what_is_not_there_is_not_found(string path, string what) =>
        Assert.Equal($"There is no {what}.", (string?)(await Api.Get(path)).Is(404, "not-found")["detail"]);
}

/// <summary>What is measured for the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Lists that are longer than they may be.</summary>
[Collection(nameof(Alone))]
public sealed class LongBodyStories(Served served) : IClassFixture<Served>
{
    private Api Api => served.Api;

    [Theory]
    [InlineData("POST", "/v1/reports", """{"reportId":"R9","contractId":"C1","userId":"U1","players":[#]}""", """{"playerId":"P1"}""", 2_001, "players")]
    [InlineData("POST", "/v1/reports/batch", """{"reports":[#]}""", """{"reportId":"0123456789012345678901234567890123456789","contractId":"01234567890123456789","players":[],"userId":"0123456789012345678901234567890123456789"}""", 101, "reports")]
    [InlineData("PUT", "/v1/contracts/C1/users", """{"users":[#]}""", "{}", 10_001, "users")]
    [InlineData("POST", "/v1/reports/batch", """{"reports":[#]}""", "{}", 5_000_000, "reports")]
    public async Task A_list_is_read_no_further_than_its_limit(string method, string path, string body, string item, int count, string field)
    {
        var text = body.Replace("#", string.Join(',', Enumerable.Repeat(item, count)), StringComparison.Ordinal).PadRight(70_000);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        (await Api.Send(method, path, text)).Is(422, "invalid-field", field);

        // The test's own copies of the text are some six; five million objects would be many more.
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 10L * text.Length + (20 << 20));
    }
}
