using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Statements (G5), payments, counts (P4), usage by several dimensions, and all of it as CSV, told over HTTP.</summary>
public sealed class ExportStories(Served served) : IClassFixture<Served>
{
    private static readonly (string, string) AsCsv = ("Accept", "text/csv");

    private Api Api => served.Api;

    [Fact]
    public async Task G5_a_statement_tells_what_moved_between_two_days()
    {
        await Api.Contract("S1", "Sand");
        await Api.Grant("G1", 10, contract: "S1");
        (await Api.Report("S-R1", Some("S", 3), "S1")).Is(201);

        var statement = (await Api.Get($"/v1/contracts/S1/statement?from={Date(0)}&to={Date(0)}")).Is(200);
        Assert.Equal(
            """
            {"contractId":"S1","clientId":"Sand","timeZone":"UTC","from":"2026-03-01","to":"2026-03-01","opening":{"unallocated":0,"allocated":0,"expired":0,"withdrawn":0},"movements":[{"kind":"lot-granted","paymentId":"PAY-1","userId":null,"credits":10,"effect":{"unallocated":10,"allocated":0,"expired":0,"withdrawn":0},"userName":null},{"kind":"credits-charged","paymentId":"PAY-1","userId":"U1","credits":3,"effect":{"unallocated":-3,"allocated":3,"expired":0,"withdrawn":0},"userName":"U1"}],"closing":{"unallocated":7,"allocated":3,"expired":0,"withdrawn":0}}
            """.Trim(), statement.Text);
        Assert.Equal(statement.Text, (await Api.Get("/v1/contracts/S1/statement")).Is(200).Text);
        Assert.Empty((await Api.Get($"/v1/contracts/S1/statement?from={Date(-9)}&to={Date(-1)}")).Is(200)["movements"]!.AsArray());
        (await Api.Get($"/v1/contracts/S1/statement?to={Date(1)}")).Is(422, "invalid-field", "to");
        (await Api.Get($"/v1/contracts/S1/statement?from={Date(0)}&to={Date(-1)}")).Is(422, "invalid-field", "from");
        (await Api.Get("/v1/contracts/none/statement")).Is(404, "not-found");

        var csv = (await Api.Send("GET", "/v1/contracts/S1/statement", null, AsCsv)).Is(200);
        Assert.Equal("text/csv", csv.ContentType!.MediaType);
        Assert.Equal(
            "kind,paymentId,userId,credits,unallocated,allocated,expired,withdrawn,userName\r\nopening,,,,0,0,0,0,\r\nlot-granted,PAY-1,,10,10,0,0,0,\r\n"
            + "credits-charged,PAY-1,U1,3,-3,3,0,0,U1\r\nclosing,,,,7,3,0,0,\r\n", csv.Text);

        var account = (await Api.Get("/v1/accounts/A1/statement")).Is(200)["currencies"]!.AsArray().Single()!;
        Assert.Equal("""{"unallocated":45,"allocated":5,"expired":0,"withdrawn":0}""", account["closing"]!.ToJsonString());
        Assert.Contains("services-credits-allocated,EUR,P1,M1,5,-5,5,0,0\r\n", (await Api.Send("GET", "/v1/accounts/A1/statement", null, AsCsv)).Is(200).Text);
    }

    [Fact]
    public async Task P4_credits_are_found_by_report_creation_expiry_and_statuses_and_counted()
    {
        await Api.Contract("K1", "Kern", new { unallocatedLifetimeDays = 90 });
        await Api.Grant("G1", 6, contract: "K1");
        (await Api.Report("K-R1", Some("K", 2), "K1")).Is(201);
        (await Api.Report("K-R2", Some("K", 3), "K1", "U2")).Is(201);

        async Task<string> Credits(string query) => string.Join(' ', (await Api.All($"/v1/credits?clientId=Kern&{query}")).Select(credit => $"{credit["creditId"]}"[^1]));
        async Task<string> Counts(string query) =>
            string.Join(' ', (await Api.Get($"/v1/credits/summary?clientId=Kern&{query}")).Is(200)["counts"]!.AsArray().Select(count => $"{count!["status"]}:{count["credits"]}"));

        Assert.StartsWith("UNALLOCATED:3 ALLOCATED:3 EXPIRED:0", await Counts(""));
        foreach (var (query, ids) in (IEnumerable<(string, string)>)
        [
            ("reportId=K-R1", "1 2"), ("reportId=K-R2", "3"), ("reportId=K-R1&status=EXPIRED", ""), ("userId=U2", "3"), ("status=UNALLOCATED,ALLOCATED", "1 2 3 4 5 6"),
            ("status=ALLOCATED,EXPIRED&order=asc", "1 2 3"), ($"expiresTo={Day(31)}", "1 2 3"), ($"expiresFrom={Day(31)}", "4 5 6"), ($"createdFrom={Day(0)}", "1 2 3 4 5 6"), ($"createdTo={Day(0)}", ""),
        ])
        {
            Assert.Equal(ids, await Credits(query));
            Assert.Equal(ids.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, (int)(await Api.Get($"/v1/credits/summary?clientId=Kern&{query.Replace("&order=asc", "")}")).Is(200)["total"]!);
        }
        (await Api.Get("/v1/credits?clientId=Kern&reportId=none")).Is(404, "not-found");
        var first = (await Api.Get("/v1/credits?clientId=Kern&limit=1")).Is(200).Items[0]!;
        Assert.Equal(("Scouting", "U1"), ((string)first["contractName"]!, (string)first["usedByName"]!));

        var payment = (await Api.Get("/v1/payments?contractId=K1")).Is(200).Items.Single()!;
        Assert.Equal(("PAY-1", 1, 6), ((string)payment["paymentId"]!, (int)payment["lots"]!, (int)payment["quantity"]!));
        Assert.Equal("""{"status":"UNALLOCATED","credits":3}""", payment["counts"]![0]!.ToJsonString());
    }

    [Fact]
    public async Task Usage_is_told_by_several_dimensions_with_totals_and_names()
    {
        await Api.Contract("W1", "Wolf");
        await Api.Grant("G1", 10, contract: "W1");
        (await Api.Report("W-R1", Some("W", 2), "W1")).Is(201);
        (await Api.Report("W-R2", Some("W", 3), "W1", "U2")).Is(201);

        var usage = (await Api.Get("/v1/usage?clientId=Wolf&groupBy=contract,user,day,month&limit=1")).Is(200);
        Assert.Equal(
            """{"clientId":"Wolf","contractId":"W1","contractName":"Scouting","userId":"U1","userName":"U1","day":"2026-03-01","month":"2026-03","reports":1,"charged":2,"covered":0,"givenBack":0}""",
            usage.Items[0]!.ToJsonString());
        Assert.Equal("""{"reports":2,"charged":3,"covered":2,"givenBack":0}""", usage["totals"]!.ToJsonString());
        Assert.Equal(
            "clientId,contractId,contractName,userId,userName,day,month,reports,charged,covered,givenBack\r\nWolf,,,U1,U1,,,1,2,0,0\r\nWolf,,,U2,U2,,,1,1,2,0\r\n",
            (await Api.Send("GET", "/v1/usage?clientId=Wolf&groupBy=user", null, AsCsv)).Is(200).Text);
    }

    [Fact]
    public async Task Reports_and_entries_are_listed_with_the_names_beside_the_ids()
    {
        await Api.Contract("X1", "Xeno");
        await Api.Grant("G1", 10, contract: "X1");
        (await Api.Report("X-R1", Some("X", 2), "X1")).Is(201);
        (await Api.Put("/v1/users/U1?clientId=Xeno", new { name = "Anna, \"U1\"" })).Is(200);

        var report = (await Api.Get("/v1/reports?clientId=Xeno")).Is(200).Items.Single()!;
        Assert.Equal(("Scouting", "Anna, \"U1\""), ((string)report["contractName"]!, (string)report["userName"]!));
        var csv = (await Api.Send("GET", "/v1/reports?clientId=Xeno", null, AsCsv)).Is(200).Text;
        Assert.EndsWith(",contractName,userName", csv.Split("\r\n")[0], StringComparison.Ordinal);
        Assert.EndsWith(",Scouting,\"Anna, \"\"U1\"\"\"", csv.Split("\r\n")[1], StringComparison.Ordinal);

        var entries = (await Api.Get("/v1/ledger?clientId=Xeno&order=desc")).Is(200).Items;
        Assert.Equal(
            ["user-set  Anna, \"U1\"", "credits-charged Scouting Anna, \"U1\"", "lot-granted Scouting ", "user-set Scouting U2"],
            entries.Take(4).Select(entry => $"{entry!["kind"]} {entry["contractName"]} {entry["userName"]}"));
        Assert.Contains(",contractName,userName", (await Api.Send("GET", "/v1/ledger?clientId=Xeno", null, AsCsv)).Is(200).Text.Split("\r\n")[0]);
    }

    [Fact]
    public async Task A_csv_is_whole_defuses_formulas_and_keeps_the_rules_of_tags()
    {
        await Api.Contract("V1", "Voss", new { name = "=HYPERLINK(\"x\"), \"Voss\"" });
        (await Api.Put("/v1/users/+49?clientId=Voss", new { name = "@SUM(A1)" })).Is(201);
        await Api.Grant("G1", 2_345, contract: "V1");

        // Without a limit it is all pages; with one it is a page, which names the next.
        var whole = (await Api.Send("GET", "/v1/credits?contractId=V1", null, AsCsv)).Is(200);
        var lines = whole.Text.Split("\r\n");
        Assert.Equal(2_345 + 2, lines.Length);
        Assert.StartsWith("creditId,clientId,contractId,lotId,paymentId,usedBy,playerId,playerName,status,createdAt,expiresAt,activatedAt,reportId,contractName,usedByName", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("V1~G1~000000001,Voss,V1,G1,PAY-1,,,,UNALLOCATED,", lines[1], StringComparison.Ordinal);
        Assert.Equal(lines[1..^1].Length, lines[1..^1].Distinct().Count());
        Assert.DoesNotContain("Link", whole.Headers.Select(header => header.Key));
        (await Api.Send("GET", "/v1/credits?contractId=V1", null, AsCsv, ("If-None-Match", "*"))).Is(400, "malformed");
        var page = (await Api.Send("GET", "/v1/credits?contractId=V1&limit=2", null, AsCsv)).Is(200);
        Assert.Equal(4, page.Text.Split("\r\n").Length);
        Assert.Contains("limit=2", page.Headers.GetValues("Link").Single());
        Assert.Equal(304, (await Api.Send("GET", "/v1/credits?contractId=V1&limit=2", null, AsCsv, ("If-None-Match", page.Headers.ETag!.Tag))).Status);
        Assert.NotEqual(page.Headers.ETag, (await Api.Get("/v1/credits?contractId=V1&limit=2")).Headers.ETag);
        Assert.Equal("", (await Api.Send("HEAD", "/v1/credits?contractId=V1", null, AsCsv)).Is(200).Text);

        var contracts = (await Api.Send("GET", "/v1/contracts?clientId=Voss", null, AsCsv)).Is(200).Text;
        Assert.Contains("billingCycle.unit", contracts.Split("\r\n")[0]);
        Assert.Contains(",burn.creditsPerDay,burn.runsOutOn", contracts.Split("\r\n")[0]);
        Assert.Contains(",\"'=HYPERLINK(\"\"x\"\"), \"\"Voss\"\"\",metered,", contracts);
        Assert.Contains("Voss,'+49,'@SUM(A1),false,[]\r\n", (await Api.Send("GET", "/v1/users?clientId=Voss", null, AsCsv)).Is(200).Text);

        // JSON is answered unless CSV is preferred; what is refused is a problem.
        foreach (var accept in (string[])["*/*", "application/json, text/csv;q=0.5", "text/html", "nonsense;;"])
            Assert.Equal("application/json", (await Api.Send("GET", "/v1/users?clientId=Voss", null, ("Accept", accept))).Is(200).ContentType!.MediaType);
        (await Api.Send("GET", "/v1/users?clientId=none", null, AsCsv)).Is(404, "not-found");
        foreach (var path in (string[])["/v1/reports?clientId=A", "/v1/ledger?clientId=A", "/v1/contracts/C1/users", "/v1/contracts/C1/lots", "/v1/accounts/A1/purchases", "/v1/milestones", "/v1/payments", "/v1/clients"])
            Assert.True((await Api.Send("GET", path, null, AsCsv)).Is(200).Text.Split("\r\n").Length > 2, path);
    }
}
