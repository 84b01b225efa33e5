using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Grains;

namespace CreditGrains.Acceptance;

/// <summary>An edition with a key for each role.</summary>
public sealed class Keyed : IAsyncLifetime
{
    public static readonly string[] Names = ["operator", "auditor", "auditor-a", "manager-a", "consumer-a", "user-a", "manager-b", "consumer-b", "none"];

    internal const string Purchase = """{"purchaseId":"P1","currency":"EUR","quantity":9,"startsOn":"2026-03-01","expiresOn":"2026-12-31"}""";

    private readonly string file = Path.GetTempFileName();
    private Edition? edition;

    internal Api Api => edition!.Api;

    internal static string Key(string name) => $"cg_{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(name))).TrimEnd('=').Replace('+', '-').Replace('/', '_')}";

    internal static string Line(string name, string role, string? clientId = null, string? userId = null, string? expiresAt = null, string? sha256Of = null) =>
        JsonSerializer.Serialize(new { name, role, clientId, userId, expiresAt, sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key(sha256Of ?? name)))) });

    internal Task<Answer> Send(string name, string method, string path, string? body = null) =>
        Api.Send(method, path, body, name == "none" ? [] : [("Authorization", $"Bearer {Key(name)}")]);

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(file, $$"""
            {"keys": [
              {{Line("operator", "operator")}}, {{Line("auditor", "auditor")}}, {{Line("auditor-a", "auditor", "A")}}, {{Line("manager-a", "manager", "A")}},
              {{Line("consumer-a", "consumer", "A")}}, {{Line("user-a", "consumer", "A", "U1")}}, {{Line("manager-b", "manager", "B")}}, {{Line("consumer-b", "consumer", "B")}}
            ]}
            """);
        edition = await Edition.Start(new(TestClock: Words.Day(0), ApiKeys: file));
        foreach (var (account, project, milestone, client) in (IEnumerable<(string, string, string, string)>)[("A1", "J1", "M1", "A"), ("AB", "JB", "MB", "B")])
        {
            (await Send("operator", "PUT", $"/v1/accounts/{account}", $$"""{"clientId":"{{client}}","name":"Account"}""")).Is(201);
            (await Send("operator", "POST", $"/v1/accounts/{account}/purchases", Purchase)).Is(201);
            (await Send("operator", "PUT", $"/v1/projects/{project}", $$"""{"accountId":"{{account}}","currency":"EUR"}""")).Is(201);
            (await Send($"manager-{client.ToLowerInvariant()}", "PUT", $"/v1/milestones/{milestone}", $$"""{"projectId":"{{project}}","servicesCredits":5}""")).Is(201);
            (await Send($"manager-{client.ToLowerInvariant()}", "POST", $"/v1/milestones/{milestone}/allocate", "{}")).Is(200);
        }
        foreach (var (contract, client) in (IEnumerable<(string, string)>)[("C1", "A"), ("B1", "B")])
        {
            (await Send("operator", "PUT", $"/v1/contracts/{contract}", Words.Terms(client).ToJsonString())).Is(201);
            (await Send("operator", "PUT", $"/v1/contracts/{contract}/users", """{"users":[{"userId":"U1","name":""},{"userId":"U2","name":""}]}""")).Is(200);
            (await Send("operator", "POST", $"/v1/contracts/{contract}/lots", """{"lotId":"G1","paymentId":"PAY","quantity":9}""")).Is(201);
            foreach (var user in (string[])["U1", "U2"])
                (await Send("operator", "POST", "/v1/reports", $$"""{"reportId":"R-{{user}}","contractId":"{{contract}}","userId":"{{user}}","players":[{"playerId":"P-{{user}}"}]}""")).Is(201);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (edition is not null) await edition.DisposeAsync();
        File.Delete(file);
    }
}

/// <summary>Who may do what (§3, Keys): another client's id reads as 404, a role that may not is 403, no key is 401.</summary>
public sealed class KeyTable(Keyed keyed) : IClassFixture<Keyed>
{
    // Each call changes nothing when repeated, so that the order of the columns does not matter.
    private const string Table = """
        call                                    operator auditor auditor-a manager-a consumer-a user-a manager-b consumer-b none
        GET /v1/contracts/C1                         200     200       200       200        200    200       404        404  401
        GET /v1/contracts/nobody                     404     404       404       404        404    404       404        404  401
        GET /v1/contracts                            200     200       200       200        200    403       200        200  401
        GET /v1/contracts?clientId=A                 200     200       200       200        200    403       404        404  401
        GET /v1/clients                              200     200       200       200        200    403       200        200  401
        GET /v1/users                                200     200       200       200        200    403       200        200  401
        GET /v1/users?clientId=A                     200     200       200       200        200    403       404        404  401
        GET /v1/users/U1?clientId=A                  200     200       200       200        200    200       404        404  401
        GET /v1/users/U2?clientId=A                  200     200       200       200        200    404       404        404  401
        PUT /v1/users/U1?clientId=A                  200     403       403       200        403    403       404        403  401
        GET /v1/contracts/C1/users                   200     200       200       200        200    403       404        404  401
        GET /v1/contracts/C1/lots                    200     200       200       200        200    403       404        404  401
        GET /v1/contracts/C1/lots/G1                 200     200       200       200        200    403       404        404  401
        GET /v1/contracts/C1/audit                   200     200       200       200        200    403       404        404  401
        GET /v1/contracts/C1/allocations             200     200     200       200        200    403       404        404  401
        GET /v1/contracts/C1/allocations/U1          200     200     200       200        200    200       404        404  401
        GET /v1/contracts/C1/allocations/U2          200     200     200       200        200    404       404        404  401
        GET /v1/contracts/C1/allocations/U1/renewals 200     200     200       200        200    200       404        404  401
        GET /v1/users/U1/allocations?clientId=A      200     200     200       200        200    200       404        404  401
        GET /v1/users/U2/allocations?clientId=A      200     200     200       200        200    404       404        404  401
        PATCH /v1/contracts/C1/allocations           200     403     403       200        403    403       404        403  401
        POST /v1/contracts/C1/allocations/preview    200     403     403       200        403    403       404        403  401
        POST /v1/contracts/C1/allocations/confirm    404     403     403       404        403    403       404        403  401
        POST /v1/contracts/C1/allocations/U1/extra   422     403     403       422        403    403       422        403  401
        GET /v1/contracts/C1/balance                 200     200       200       200        200    200       404        404  401
        GET /v1/reports                              200     200       200       200        200    200       200        200  401
        GET /v1/reports/R-U1?clientId=A              200     200       200       200        200    200       404        404  401
        GET /v1/reports/R-U2?clientId=A              200     200       200       200        200    404       404        404  401
        GET /v1/reports?userId=U2                    200     200       200       200        200    404       200        200  401
        GET /v1/credits                              200     200       200       200        200    200       200        200  401
        GET /v1/credits?userId=U2                    200     200       200       200        200    404       200        200  401
        GET /v1/credits/summary                      200     200       200       200        200    200       200        200  401
        GET /v1/payments                             200     200       200       200        200    403       200        200  401
        GET /v1/contracts/C1/statement               200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/statement                200     200       200       200        200    403       404        404  401
        GET /v1/credits/C1~G1~000000001              200     200       200       200        200    403       404        404  401
        GET /v1/credits?clientId=A                   200     200       200       200        200    200       404        404  401
        PATCH /v1/credits/C1~G1~000000001            422     403       403       403        403    403       403        403  401
        POST /v1/credits                             201     403       403       403        403    403       403        403  401
        GET /v1/ledger                               200     200       200       200        200    403       200        200  401
        GET /v1/ledger/feed?cursor=nonsense          400     400       400       400        400    403       400        400  401
        GET /v1/ledger/feed?clientId=A&cursor=no     400     400       400       400        400    403       404        404  401
        GET /v1/usage                                200     200       200       200        200    200       200        200  401
        GET /v1/usage?clientId=A                     200     200       200       200        200    200       404        404  401
        GET /v1/usage?userId=U2                      200     200       200       200        200    404       200        200  401
        GET /v1/me                                   200     200       200       200        200    200       200        200  401
        GET /v1/clock                                200     200       200       200        200    200       200        200  401
        POST /v1/clock                               200     403       403       403        403    403       403        403  401
        PUT /v1/contracts/C1                         200     403       403       403        403    403       403        403  401
        POST /v1/contracts/C1/lots                   200     403       403       403        403    403       403        403  401
        PATCH /v1/contracts/C1/lots/G1               200     403       403       403        403    403       403        403  401
        POST /v1/contracts/C1/lots/G1/withdraw       422     403       403       403        403    403       403        403  401
        PUT /v1/contracts/C1/users                   200     403       403       200        403    403       404        403  401
        POST /v1/contracts/C1/users                  200     403       403       200        403    403       404        403  401
        PUT /v1/contracts/C1/users/U1                200     403       403       200        403    403       404        403  401
        DELETE /v1/contracts/C1/users/U9             404     403       403       404        403    403       404        403  401
        POST /v1/users/U1/enable                     200     403       403       200        403    403       404        403  401
        POST /v1/users/U1/disable                    404     403       403       404        403    403       404        403  401
        POST /v1/reports                             200     403       403       403        200    200       403        404  401
        POST /v1/reports/R-U2/void?clientId=A        200     403       403       200        403    404       404        404  401
        POST /v1/reports/R-U2/capture?clientId=A     422     403       403       422        422    404       404        404  401
        POST /v1/reports/batch                       200     403       403       403        200    200       403        200  401
        GET /v1/accounts/A1                          200     200       200       200        200    403       404        404  401
        GET /v1/accounts                             200     200       200       200        200    403       200        200  401
        GET /v1/accounts?clientId=A                  200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/purchases                200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/purchases/P1             200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/balance                  200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/audit                    200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/consumptions             200     200       200       200        200    403       404        404  401
        GET /v1/accounts/A1/allocations              200     200       200       200        200    403       404        404  401
        GET /v1/projects/J1                          200     200       200       200        200    403       404        404  401
        GET /v1/projects                             200     200       200       200        200    403       200        200  401
        GET /v1/milestones/M1                        200     200       200       200        200    403       404        404  401
        GET /v1/milestones                           200     200       200       200        200    403       200        200  401
        GET /v1/milestones/M1/allocations            200     200       200       200        200    403       404        404  401
        GET /v1/milestones/M1/consumptions           200     200       200       200        200    403       404        404  401
        GET /v1/settings/services-credits            200     200       200       200        200    403       200        200  401
        PUT /v1/accounts/A1                          200     403       403       403        403    403       403        403  401
        POST /v1/accounts/A1/purchases               200     403       403       403        403    403       403        403  401
        PATCH /v1/accounts/A1/purchases/P1           200     403       403       403        403    403       403        403  401
        POST /v1/accounts/A1/purchases/P1/expire     422     403       403       403        403    403       403        403  401
        PUT /v1/projects/J1                          200     403       403       200        403    403       404        403  401
        PATCH /v1/projects/J1                        200     403       403       200        403    403       404        403  401
        PATCH /v1/contracts/C1                       200     403       403       200        403    403       404        403  401
        PATCH /v1/accounts/A1                        200     403       403       403        403    403       403        403  401
        PATCH /v1/milestones/M1                      200     403       403       200        403    403       404        403  401
        PUT /v1/settings/services-credits            200     403       403       403        403    403       403        403  401
        PUT /v1/milestones/M1                        200     403       403       200        403    403       404        403  401
        PUT /v1/milestones/M9                        404     403       403       404        403    403       404        403  401
        POST /v1/milestones/M1/allocate              200     403       403       200        403    403       404        403  401
        POST /v1/projects/J1/allocate                200     403       403       200        403    403       404        403  401
        POST /v1/milestones/M1/adjust                200     403       403       200        403    403       404        403  401
        GET /v1/nothing                              404     404       404       404        404    404       404        404  401
        GET /health/live                             200     200       200       200        200    200       200        200  200
        GET /health/ready                            200     200       200       200        200    200       200        200  200
        GET /openapi/v1.json                         200     200       200       200        200    200       200        200  200
        """;

    private static readonly Dictionary<string, string> Bodies = new()
    {
        ["POST /v1/clock"] = $$"""{"advanceTo":"{{Words.Day(0)}}"}""",
        ["PUT /v1/contracts/C1"] = Words.Terms().ToJsonString(),
        ["POST /v1/contracts/C1/lots"] = """{"lotId":"G1","paymentId":"PAY","quantity":9}""",
        ["PATCH /v1/contracts/C1/lots/G1"] = """{"paymentId":"PAY","reason":"as it is"}""",
        ["POST /v1/contracts/C1/lots/G1/withdraw"] = "{}",
        ["PUT /v1/contracts/C1/users"] = """{"users":[{"userId":"U1","name":""},{"userId":"U2","name":""}]}""",
        ["POST /v1/contracts/C1/users"] = """{"users":[{"userId":"U1","name":""}]}""",
        ["PUT /v1/contracts/C1/users/U1"] = """{"name":""}""",
        ["PUT /v1/users/U1?clientId=A"] = """{"name":""}""",
        ["POST /v1/users/U1/enable"] = """{"clientId":"A"}""",
        ["POST /v1/users/U1/disable"] = """{"clientId":"nobody"}""",
        ["PATCH /v1/contracts/C1/allocations"] = """{"enabled":false}""",
        ["POST /v1/contracts/C1/allocations/preview"] = """{"enabled":true}""",
        ["POST /v1/contracts/C1/allocations/confirm"] = """{"confirmationToken":"none"}""",
        ["POST /v1/contracts/C1/allocations/U1/extra"] = "{}",
        ["PATCH /v1/credits/C1~G1~000000001"] = "{}",
        ["POST /v1/credits"] = """{"clientId":"A","contractId":"C1","paymentId":"PAY","quantity":1,"reason":"a gift"}""",
        ["POST /v1/reports/batch"] = """{"reports":[{"reportId":"R-U1","contractId":"C1","userId":"U1","players":[{"playerId":"P-U1"}]}]}""",
        ["POST /v1/reports/R-U2/void?clientId=A"] = """{"reason":"wrong"}""",
        ["PUT /v1/accounts/A1"] = """{"clientId":"A","name":"Account"}""",
        ["POST /v1/accounts/A1/purchases"] = Keyed.Purchase,
        ["PATCH /v1/accounts/A1/purchases/P1"] = """{"quantity":9}""",
        ["POST /v1/accounts/A1/purchases/P1/expire"] = "{}",
        ["PATCH /v1/projects/J1"] = """{"currency":"EUR"}""",
        ["PATCH /v1/contracts/C1"] = """{"name":"Scouting"}""",
        ["PATCH /v1/accounts/A1"] = """{"name":"Account"}""",
        ["PATCH /v1/milestones/M1"] = """{"status":"None"}""",
        ["PUT /v1/projects/J1"] = """{"accountId":"A1","currency":"EUR"}""",
        ["PUT /v1/settings/services-credits"] = """{"noAllocationStatuses":["Planned","Canceled","None"]}""",
        ["PUT /v1/milestones/M1"] = """{"projectId":"J1","servicesCredits":5}""",
        ["PUT /v1/milestones/M9"] = """{"projectId":"nobody"}""",
        ["POST /v1/milestones/M1/allocate"] = "{}",
        ["POST /v1/projects/J1/allocate"] = "{}",
        ["POST /v1/milestones/M1/adjust"] = """{"quantity":5}""",
        ["POST /v1/reports"] = """{"reportId":"R-U1","contractId":"C1","userId":"U1","players":[{"playerId":"P-U1"}]}""",
    };

    public static IEnumerable<TheoryDataRow<string, string>> Rows => Table.Split('\n').Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(parts => new TheoryDataRow<string, string>($"{parts[0]} {parts[1]}", string.Join(' ', parts[2..])));

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Each_role_may_do_what_it_may(string call, string statuses)
    {
        var got = new List<int>();
        foreach (var name in Keyed.Names) got.Add((await keyed.Send(name, call.Split(' ')[0], call.Split(' ')[1], Bodies.GetValueOrDefault(call))).Status);

        Assert.Equal(statuses, string.Join(' ', got));
    }

    [Fact]
    public async Task Lists_hold_only_what_belongs_to_the_key()
    {
        async Task<IEnumerable<string>> Clients(string name, string path) =>
            (await keyed.Send(name, "GET", path)).Is(200).Items.Select(item => (string)item!["clientId"]!).Distinct().Order();

        foreach (var path in (string[])["/v1/clients", "/v1/users", "/v1/contracts", "/v1/reports", "/v1/credits", "/v1/ledger", "/v1/accounts", "/v1/projects"])
        {
            Assert.Equal(["A", "B"], await Clients("operator", path));
            Assert.Equal(["A"], await Clients("consumer-a", path));
            Assert.Equal(["B"], await Clients("manager-b", path));
            var narrower = path is "/v1/accounts" or "/v1/projects" ? "/v1/projects?accountId=A1" : path.Replace("contracts", "reports").Replace("clients", "reports").Replace("users", "reports") + "?contractId=C1";
            (await keyed.Send("manager-b", "GET", narrower)).Is(404, "not-found");
        }
        Assert.Equal(["R-U1"], (await keyed.Send("user-a", "GET", "/v1/reports")).Is(200).Items.Select(item => (string)item!["reportId"]!));
    }

    [Fact]
    public async Task A_user_s_key_makes_reports_as_that_user_only() =>
        (await keyed.Send("user-a", "POST", "/v1/reports", """{"reportId":"R9","contractId":"C1","userId":"U2","players":[{"playerId":"P9"}]}""")).Is(403, "forbidden", "userId");

    [Fact]
    public async Task A_key_of_one_client_need_not_say_whose_user_it_disables()
    {
        (await keyed.Send("manager-a", "POST", "/v1/users/U2/disable")).Is(200);
        Assert.False((bool)(await keyed.Send("manager-a", "POST", "/v1/users/U2/enable", "{}")).Is(200)["disabled"]!);
        (await keyed.Send("operator", "POST", "/v1/users/U2/disable")).Is(422, "invalid-field", "clientId");
    }

    [Fact]
    public async Task A_user_s_key_reads_its_contract_s_terms_its_own_credits_and_the_pool()
    {
        (await keyed.Send("operator", "PATCH", "/v1/contracts/C1", """{"notes":"for managers"}""")).Is(200);
        Assert.Null((await keyed.Send("user-a", "GET", "/v1/contracts/C1")).Is(200)["notes"]);
        Assert.Equal("for managers", (string)(await keyed.Send("consumer-a", "GET", "/v1/contracts/C1")).Is(200)["notes"]!);
        Assert.Equal(["U1"], (await keyed.Send("user-a", "GET", "/v1/credits?contractId=C1")).Is(200).Items.Select(item => (string)item!["usedBy"]!).Distinct());
        Assert.Equal(1, (int)(await keyed.Send("user-a", "GET", "/v1/credits/summary")).Is(200)["total"]!);
        var pool = (await keyed.Send("user-a", "GET", "/v1/contracts/C1/balance")).Is(200);
        Assert.Equal(["U1"], pool["users"]!.AsArray().Select(user => (string)user!["userId"]!));
        Assert.Equal((int)(await keyed.Send("consumer-a", "GET", "/v1/contracts/C1/balance")).Is(200)["available"]!, (int)pool["available"]!);

        (await keyed.Send("operator", "PUT", "/v1/contracts/C8", Words.Terms("A").ToJsonString())).Is(201);
        (await keyed.Send("user-a", "GET", "/v1/contracts/C8")).Is(404, "not-found");
        (await keyed.Send("user-a", "GET", "/v1/contracts/C8/balance")).Is(404, "not-found");
    }

    [Fact]
    public async Task The_ledger_names_the_key()
    {
        (await keyed.Send("manager-b", "PUT", "/v1/contracts/B1/users/U5", """{"name":"Five"}""")).Is(200);
        Assert.Equal("manager-b", (string)(await keyed.Send("operator", "GET", "/v1/ledger?userId=U5")).Items.Single()!["actor"]!);
    }

    [Theory]
    [InlineData("Bearer cg_nonsense")]
    [InlineData("Bearer ")]
    [InlineData("Bearer")]
    [InlineData("Basic b3BlcmF0b3I6")]
    [InlineData("operator")]
    public async Task What_is_no_key_is_not_let_in(string authorization)
    {
        var answer = (await keyed.Api.Send("GET", "/v1/contracts", null, ("Authorization", authorization))).Is(401, "unauthenticated");
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("{}", "there are none")]
    [InlineData("nonsense", "cannot be read")]
    [InlineData("""{"keys":[{"name":"x","role":"king","sha256":""}]}""", "cannot be read")]
    [InlineData("""{"keys":[{"name":"x","role":"consumer","sha256":""}]}""", "x needs a clientId")]
    [InlineData("""{"keys":[{"name":"x","role":"operator","sha256":"abc"}]}""", "x needs a sha256")]
    [InlineData("""{"keys":[{"name":"x","role":"operator","key":"secret"}]}""", "cannot be read")]
    [InlineData("""{"keys":[{"name":"jwt:x","role":"operator","sha256":""}]}""", "jwt:x is no name for a key")]
    public async Task A_file_that_is_not_as_it_must_be_stops_the_start(string keys, string why)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, keys, TestContext.Current.CancellationToken);

        var fault = await Assert.ThrowsAsync<InvalidDataException>(() => FrontAlone.Start(Stub<IQueries>.Answering((_, _) => null), Stub<IMovableClock>.Answering((_, _) => null), new() { ApiKeysFile = file }));
        Assert.Contains(why, fault.Message);
        File.Delete(file);
    }
}
