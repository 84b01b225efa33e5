using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Credits by hand, batches of reports, a credit's history and usage, told over HTTP.</summary>
public sealed class UsageStories
{
    [Fact]
    public async Task P5_an_operator_creates_credits_by_hand_once_for_each_key()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { unallocatedLifetimeDays = 30 });
        await api.Contract("B1", "B");
        var body = new { clientId = "A", contractId = "C1", paymentId = "GIFT", quantity = 3, reason = "a fair", expiresAt = Day(9) };

        var made = (await api.Post("/v1/credits", body, ("Idempotency-Key", "k1"))).Is(201);
        Assert.Equal(("manual", "GIFT", 3, 3, Day(9)), ((string)made["source"]!, (string)made["paymentId"]!, (int)made["quantity"]!, (int)made["available"]!, (string)made["expiresAt"]!));
        await api.Clock(Day(1));
        var again = (await api.Post("/v1/credits", body, ("Idempotency-Key", "k1"))).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(made.Text, again.Text);
        (await api.Post("/v1/credits", body with { quantity = 4 }, ("Idempotency-Key", "k1"))).Is(409, "idempotency-key-reused");
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "GIFT", quantity = 3 }, ("Idempotency-Key", "k1"))).Is(409, "idempotency-key-reused");
        (await api.Post("/v1/credits", body, ("Idempotency-Key", "a b"))).Is(400, "malformed", "Idempotency-Key");
        (await api.Post("/v1/credits", body with { clientId = "B" })).Is(404, "not-found");
        (await api.Post("/v1/credits", body with { contractId = "B1" })).Is(404, "not-found");
        (await api.Post("/v1/credits", body with { expiresAt = Day(1) })).Is(422, "invalid-field", "expiresAt");

        var other = (await api.Post("/v1/credits", new { clientId = "A", contractId = "C1", paymentId = "GIFT", quantity = 3, reason = "another" })).Is(201);
        (await api.Post("/v1/credits", new { clientId = "A", contractId = "C1", paymentId = "GIFT", quantity = 3 })).Is(422, "invalid-field", "reason");
        Assert.Equal(["a fair", "another"], (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! == "lot-granted").Select(entry => (string?)entry["reason"]));
        Assert.NotEqual((string)made["lotId"]!, (string)other["lotId"]!);
        Assert.Equal(Day(31), (string)other["expiresAt"]!);
        Assert.Equal(6, (await api.All("/v1/credits?paymentId=GIFT&status=UNALLOCATED")).Count);
        Assert.Equal(6, (int)(await api.Balanced())["granted"]!);
    }

    [Fact]
    public async Task A_batch_is_its_reports_one_after_another_and_may_be_sent_again()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 4);
        static object Report(string report, string[] players, string contract = "C1", bool dryRun = false) =>
            new { reportId = report, contractId = contract, userId = "U1", players = players.Select(player => new { playerId = player }), dryRun };
        object[] reports =
        [
            Report("R1", ["P1", "P2"]), Report("R2", ["P2", "P3"]), Report("R1", ["P2", "P1"]), Report("R1", ["P9"]), Report("R3", ["P4", "P5"]), Report("R4", ["P4"], dryRun: true),
            Report("R5", ["P1"], contract: "none"), new { reportId = "R6" }, Report("R7", ["P6"]), Report("R8", ["P7"]), Report("R9", ["P3"]),
        ];

        var first = (await api.Post("/v1/reports/batch", new { reports })).Is(200);
        Assert.Equal([201, 201, 200, 409, 402, 200, 404, 422, 201, 402, 201], Statuses(first));
        Assert.Equal(["R1", "R2", "R1"], first.Items.Take(3).Select(item => (string)item!["body"]!["reportId"]!));
        Assert.Equal(("P2 covered", "P3 new"), (Outcome(first, 1, 0), Outcome(first, 1, 1)));
        Assert.Equal(first.Items[0]!["body"]!.ToJsonString(), first.Items[2]!["body"]!.ToJsonString());
        Assert.Equal(("report-id-reused", "insufficient-contract-credits", 2, "not-found", "contractId"),
            (Body(first, 3, "code"), Body(first, 4, "code"), (int)first.Items[4]!["body"]!["toCharge"]!, Body(first, 6, "code"), Body(first, 7, "field")));

        await api.Clock(Day(1));
        var again = (await api.Post("/v1/reports/batch", new { reports })).Is(200);
        Assert.Equal([200, 200, 200, 409, 402, 200, 404, 422, 200, 402, 200], Statuses(again));
        Assert.Equal(first.Items[0]!["body"]!.ToJsonString(), again.Items[0]!["body"]!.ToJsonString());
        Assert.Equal(4, (int)(await api.Balanced())["used"]!);

        (await api.Post("/v1/reports/batch", new { reports = Array.Empty<object>() })).Is(422, "invalid-field", "reports");
        (await api.Post("/v1/reports/batch", new { reports = Enumerable.Repeat(new { }, 101) })).Is(422, "invalid-field", "reports");
        Assert.All(Statuses((await api.Post("/v1/reports/batch", new { reports = Enumerable.Repeat(new { }, 100) })).Is(200)), status => Assert.Equal(422, status));

        static IEnumerable<int> Statuses(Answer answer) => answer.Items.Select(item => (int)item!["status"]!);
        static string Body(Answer answer, int item, string field) => (string)answer.Items[item]!["body"]![field]!;
        static string Outcome(Answer answer, int item, int player) => $"{answer.Items[item]!["body"]!["players"]![player]!["playerId"]} {answer.Items[item]!["body"]!["players"]![player]!["charge"]}";
    }

    [Fact]
    public async Task A_credit_tells_its_own_history()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { coverageDays = 3 });
        await api.Grant("G1", 3, expiresAt: Day(20));
        await api.Grant("G2", 3, expiresAt: Day(21));
        (await api.Report("R1", ["P1"])).Is(201);
        (await api.Report("R2", ["P2"])).Is(201);
        await api.Contract("M", terms: new { type = "unlimited", coverageDays = 3 });
        (await api.Report("R3", ["P3"], contract: "M")).Is(201);
        await api.Clock(Day(22));

        Assert.Equal(["lot-granted", "credits-charged", "coverage-expired"], await History("C1~G1~000000001"));
        Assert.Equal("R2", (string?)(await api.Get("/v1/credits/C1~G1~000000002"))["history"]![1]!["reportId"]);
        Assert.Equal(["lot-granted", "lot-expired"], await History("C1~G1~000000003"));
        Assert.Equal(["credits-minted", "credits-charged", "coverage-expired"], await History("M~minted~000000001"));

        async Task<IEnumerable<string>> History(string credit) => (await api.Get($"/v1/credits/{credit}")).Is(200)["history"]!.AsArray().Select(entry => (string)entry!["kind"]!);
    }

    [Fact]
    public async Task Usage_adds_up_by_contract_user_day_and_month_each_day_that_of_its_contract()
    {
        await using var edition = await Edition.Start(new(TestClock: "2026-01-30T00:00:00Z"));
        var api = edition.Api;
        await api.Contract(terms: new { timeZone = "Pacific/Auckland", coverageDays = 1 });
        await api.Contract("C2", terms: new { timeZone = "America/St_Johns", coverageDays = 1 });
        await api.Contract("B1", "B");
        foreach (var contract in (string[])["C1", "C2", "B1"]) await api.Grant("G1", 50, contract: contract);

        // Midnight: C1 at 11:00, C2 at 03:30.
        await Reports("2026-01-30T03:29:59Z", "C1", "U1", "a", "b");
        await Reports("2026-01-30T03:29:59Z", "C2", "U1", "a", "c");
        await Reports("2026-01-30T03:30:00Z", "C2", "U2", "d");
        await Reports("2026-01-31T10:59:59.999999Z", "C1", "U1", "e", "f", "g");
        await Reports("2026-01-31T11:00:00Z", "C1", "U2", "e", "h");
        await Reports("2026-02-01T03:29:59Z", "C2", "U2", "k");
        await Reports("2026-02-01T03:30:00Z", "C2", "U2", "l");
        await Reports("2026-02-01T03:30:00Z", "B1", "U1", "a");

        Assert.Equal(["B1 1 1 0", "C1 3 6 1", "C2 4 4 1"], await Usage("groupBy=contract", "contractId"));
        Assert.Equal(["B1 1 1 0", "C1 3 6 1", "C2 4 4 1"], await Usage("", "contractId"));
        Assert.Equal(["U1 3 6 1", "U2 4 4 1"], await Usage("groupBy=user&clientId=A", "userId"));
        Assert.Equal(["U1 3 6 1", "U2 4 4 1", "U1 1 1 0"], await Usage("groupBy=user", "userId"));
        Assert.Equal(["2026-01-30 1 2 0", "2026-01-31 1 3 0", "2026-02-01 1 1 1"], await Usage("groupBy=day&contractId=C1", "day"));
        Assert.Equal(["2026-01-29 1 1 1", "2026-01-30 1 1 0", "2026-01-31 1 1 0", "2026-02-01 1 1 0"], await Usage("groupBy=day&contractId=C2", "day"));
        Assert.Equal(["2026-01 5 8 1", "2026-02 2 2 1"], await Usage("groupBy=month&clientId=A", "month"));
        Assert.Equal(["2026-01-31 1 3 0"], await Usage("groupBy=day&contractId=C1&userId=U1&from=2026-01-31T00:00:00Z", "day"));
        Assert.Equal(["C1 1 3 0"], await Usage("from=2026-01-31T10:59:59.999999Z&to=2026-01-31T11:00:00Z", "contractId"));
        (await api.Get("/v1/usage?clientId=B&contractId=C1")).Is(404, "not-found");

        async Task Reports(string at, string contract, string user, params string[] players)
        {
            await api.Clock(at);
            (await api.Report($"R-{at.Replace("Z", "")}-{contract}-{user}", players, contract, user)).Is(201);
        }

        async Task<IEnumerable<string>> Usage(string query, string key)
        {
            var items = await api.All($"/v1/usage?{query}");
            Assert.Equal(items.Select(item => item.ToJsonString()), (await api.All($"/v1/usage?{query}", limit: 1)).Select(item => item.ToJsonString()));
            Assert.All(items, item => Assert.Equal(0, (int)item["givenBack"]!));
            return items.Select(item => $"{item[key]} {item["reports"]} {item["charged"]} {item["covered"]}");
        }
    }
}
