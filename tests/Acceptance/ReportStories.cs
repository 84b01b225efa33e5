using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>P1 to P4 and R1 to R6, told over HTTP.</summary>
public sealed class ReportStories
{
    [Fact]
    public async Task P1_A_credit_has_its_id_from_its_lots_creation()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 999_999_999, expiresAt: Day(9));

        var untouched = (await api.Get("/v1/credits/C1~G1~999999999")).Is(200);
        Assert.Equal(
            $$"""{"creditId":"C1~G1~999999999","clientId":"A","contractId":"C1","lotId":"G1","paymentId":"PAY-1","usedBy":null,"playerId":null,"playerName":null,"status":"UNALLOCATED","createdAt":"{{Day(0)}}","expiresAt":"{{Day(9)}}","activatedAt":null,"reportId":null""",
            untouched.Text.Split(",\"history\":")[0]);
        foreach (var absent in (string[])["C1~G1~000000000", "C1~G2~000000001", "C2~G1~000000001", "C1~G1~1", "nonsense", "%27%20OR%201=1"])
            (await api.Get($"/v1/credits/{absent}")).Is(404, "not-found");

        await api.Clock(Day(1));
        (await api.Report("R1", ["P1"])).Is(201);
        var credit = (await api.Get("/v1/credits/C1~G1~000000001")).Is(200);
        Assert.Equal(
            $$"""{"creditId":"C1~G1~000000001","clientId":"A","contractId":"C1","lotId":"G1","paymentId":"PAY-1","usedBy":"U1","playerId":"P1","playerName":"Player P1","status":"ALLOCATED","createdAt":"{{Day(0)}}","expiresAt":"{{Day(31)}}","activatedAt":"{{Day(1)}}","reportId":"R1""" + "\"",
            credit.Text.Split(",\"history\":")[0]);
        Assert.Equal(["lot-granted", "credits-charged"], credit["history"]!.AsArray().Select(entry => (string)entry!["kind"]!));
    }

    [Fact]
    public async Task P2_A_covered_player_is_free_for_the_whole_client_and_for_no_other()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        foreach (var (contract, client) in (IEnumerable<(string, string)>)[("C1", "A"), ("C2", "A"), ("B1", "B")])
        {
            await api.Contract(contract, client);
            await api.Grant("G1", 5, contract: contract);
        }

        Assert.Equal(1, (await api.Report("R1", ["P1"])).Is(201).Charged());
        Assert.Equal(0, (await api.Report("R2", ["P1"], user: "U2")).Is(201).Charged());
        var other = (await api.Report("R3", ["P1"], contract: "C2")).Is(201);
        Assert.Equal((0, "covered", "C1~G1~000000001"), (other.Charged(), (string)other["players"]![0]!["charge"]!, (string)other["players"]![0]!["creditId"]!));
        Assert.Equal(1, (await api.Report("R1", ["P1"], contract: "B1")).Is(201).Charged());
    }

    [Fact]
    public async Task P3_Coverage_is_half_open_and_ends_at_the_same_local_time_of_day()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        // Summer time begins in Berlin on 29 March: the same local time is an hour earlier in UTC.
        await api.Contract(terms: new { timeZone = "Europe/Berlin" });
        await api.Grant("G1", 9);

        (await api.Report("R1", ["P1"])).Is(201);
        Assert.Equal("2026-03-31T11:00:00Z", (string)(await api.Get("/v1/credits/C1~G1~000000001"))["expiresAt"]!);
        await api.Clock("2026-03-31T10:59:59Z");
        Assert.Equal(0, (await api.Report("R2", ["P1"])).Is(201).Charged());
        await api.Clock("2026-03-31T11:00:00Z");
        Assert.Equal("EXPIRED", (string)(await api.Get("/v1/credits/C1~G1~000000001"))["status"]!);
        Assert.Equal(1, (await api.Report("R3", ["P1"])).Is(201).Charged());

        // What reports said in the past does not change.
        Assert.Equal("2026-03-31T11:00:00Z", (string)(await api.Get("/v1/reports/R1?clientId=A"))["players"]![0]!["expiresAt"]!);
        var audit = await api.Balanced();
        Assert.Equal((1, 1), ((int)audit["allocated"]!, (int)audit["expired"]!));
    }

    [Fact]
    public async Task P3_With_coverage_from_creation_a_credit_keeps_its_expiry()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { coverageFrom = "creation", coverageDays = 5 });
        await api.Grant("G1", 9, expiresAt: Day(10));

        await api.Clock(Day(9));
        Assert.Equal(Day(10), (string)(await api.Report("R1", ["P1"])).Is(201)["players"]![0]!["expiresAt"]!);
    }

    [Fact]
    public async Task P4_Credits_are_listed_by_any_mix()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 4, expiresAt: Day(5));
        await api.Clock(Day(1));
        await api.Grant("G2", 3);
        (await api.Report("R1", ["P1", "P2"])).Is(201);
        (await api.Report("R2", ["P3"], user: "U2")).Is(201);
        await api.Clock(Day(6));

        async Task<string> Listed(string query) => string.Join(' ', (await api.All($"/v1/credits?{query}", limit: 2)).Select(credit => ((string)credit["creditId"]!).Replace("C1~", "").Replace("~00000000", "-")));

        Assert.Equal("G1-1 G1-2 G1-3 G1-4 G2-1 G2-2 G2-3", await Listed("contractId=C1"));
        Assert.Equal("G1-1 G1-2 G1-3", await Listed("clientId=A&status=ALLOCATED"));
        Assert.Equal("G1-4", await Listed("contractId=C1&status=EXPIRED"));
        Assert.Equal("G2-1 G2-2 G2-3", await Listed("status=UNALLOCATED"));
        Assert.Equal("G1-2", await Listed("playerId=P2"));
        Assert.Equal("G1-3", await Listed("userId=U2&contractId=C1&status=ALLOCATED"));
        Assert.Equal("G2-1 G2-2 G2-3", await Listed("contractId=C1&lotId=G2"));
        Assert.Equal("G1-1 G1-2 G1-3 G1-4 G2-1 G2-2 G2-3", await Listed("paymentId=PAY-1"));
        Assert.Equal("", await Listed("paymentId=PAY-2"));
        (await api.Get("/v1/credits?clientId=B")).Is(404, "not-found");
    }

    [Fact]
    public async Task R1_All_players_or_none_and_a_duplicate_counts_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 3);

        var twice = (await api.Post("/v1/reports", new { reportId = "R1", contractId = "C1", userId = "U1", players = new[] { new { playerId = "P1", name = "First" }, new { playerId = "P1", name = "Second" } } })).Is(201);
        Assert.Equal(1, twice.Charged());
        Assert.Single(twice["players"]!.AsArray());
        Assert.Equal("First", (string)(await api.Get("/v1/credits/C1~G1~000000001"))["playerName"]!);

        var ledger = await api.Ledger();
        (await api.Report("R2", ["P1", "P2", "P3", "P4"])).Is(402, "insufficient-contract-credits");
        Assert.Equal(ledger, await api.Ledger());
        Assert.Single(await api.All("/v1/credits?status=ALLOCATED"));
        Assert.Equal(2, (await api.Report("R2", ["P1", "P2", "P3"])).Is(201).Charged());
    }

    [Fact]
    public async Task R1_A_thousand_players_are_the_most()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 2_000);

        (await api.Report("R1", Some("p", 1_001))).Is(422, "invalid-field", "players");
        (await api.Report("R1", [])).Is(422, "invalid-field", "players");
        Assert.Equal(1_000, (await api.Report("R1", [.. Some("p", 1_000), "p-1"])).Is(201).Charged());
    }

    [Fact]
    public async Task R2_The_first_check_that_fails_is_named_with_the_amounts()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { startsOn = Date(1), endsOn = Date(9) });
        await api.Grant("G1", 1);

        // Not active, not assigned and too few credits: the contract comes first, then the user, then the pool.
        (await api.Report("R1", ["P1", "P2"], user: "U9")).Is(409, "contract-not-active");
        await api.Clock(Day(1));
        (await api.Report("R1", ["P1", "P2"], user: "U9")).Is(409, "user-not-assigned");
        var poor = (await api.Report("R1", ["P1", "P2"])).Is(402, "insufficient-contract-credits");
        Assert.Equal((2, 1), ((int)poor["toCharge"]!, (int)poor["contractRemaining"]!));
        Assert.True(poor.Json.AsObject().ContainsKey("userAvailable") && poor.Json.AsObject().ContainsKey("nextRenewalAt"));

        // What charges nothing passes the pool.
        Assert.Equal("G1:1", (await api.Report("R1", ["P1"])).Is(201).Draws());
        Assert.Equal(0, (await api.Report("R2", ["P1"])).Is(201).Charged());
        (await api.Report("R3", ["P1"], user: "U9")).Is(409, "user-not-assigned");
    }

    [Fact]
    public async Task R3_The_same_request_gets_the_first_answer_for_ever_and_another_is_refused()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("C1");
        await api.Contract("C2");
        await api.Grant("G1", 9);

        var first = (await api.Report("R1", ["P1", "P2"])).Is(201);
        await api.Clock(Day(100));
        foreach (var players in (string[][])[["P1", "P2"], ["P2", "P1"], ["P2", "P1", "P2"]])
        {
            var again = (await api.Report("R1", players)).Is(200);
            Assert.True(again.IsReplay);
            Assert.Equal(first.Text, again.Text);
        }
        (await api.Report("R1", ["P1"])).Is(409, "report-id-reused");
        (await api.Report("R1", ["P1", "P2", "P3"])).Is(409, "report-id-reused");
        (await api.Report("R1", ["P1", "P2"], user: "U2")).Is(409, "report-id-reused");
        (await api.Report("R1", ["P1", "P2"], contract: "C2")).Is(409, "report-id-reused");
        Assert.Equal(2, (int)(await api.Balanced())["used"]!);
    }

    [Fact]
    public async Task R3_A_refusal_is_not_remembered()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();

        (await api.Report("R1", ["P1", "P2"])).Is(402, "insufficient-contract-credits");
        (await api.Get("/v1/reports/R1?clientId=A")).Is(404, "not-found");
        await api.Grant("G1", 1);
        (await api.Report("R1", ["P3"])).Is(201);
    }

    [Fact]
    public async Task R3_The_same_request_sent_eight_times_at_once_is_charged_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 1_000);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => api.Report("R1", Some("p", 50))));
        Assert.Equal((1, 7), (answers.Count(answer => answer.Status == 201), answers.Count(answer => answer is { Status: 200, IsReplay: true })));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Equal(50, (int)(await api.Balanced())["used"]!);
    }

    [Fact]
    public async Task R4_Reports_at_once_charge_each_new_player_exactly_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("C1");
        await api.Contract("C2");
        await api.Grant("G1", 1_000, contract: "C1");
        await api.Grant("G1", 1_000, contract: "C2");

        // Each names 20 of 40 players in an order of its own, over two contracts.
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            api.Report($"R{i}", [.. Enumerable.Range(0, 20).Select(j => $"p-{(i * 7 + j * (i % 2 == 0 ? 1 : 39)) % 40}")], contract: $"C{i % 2 + 1}")));

        Assert.All(answers, answer => answer.Is(201));
        Assert.Equal(40, answers.Sum(answer => answer.Charged()));
        Assert.Equal(40, (await api.All("/v1/credits?clientId=A&status=ALLOCATED")).Count);
        Assert.Equal(40, (int)(await api.Balanced("C1"))["used"]! + (int)(await api.Balanced("C2"))["used"]!);
    }

    [Fact]
    public async Task R3_An_Idempotency_Key_stands_for_one_report()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 10);
        var first = (await Report("R1", "k")).Is(201);
        var again = (await Report("R1", "k")).Is(200);
        Assert.Equal((true, first.Text), (again.IsReplay, again.Text));
        (await Report("R2", "k")).Is(409, "idempotency-key-reused");
        (await Report("R2", "k k")).Is(400, "malformed", "Idempotency-Key");
        (await api.Get("/v1/reports/R2?clientId=A")).Is(404, "not-found");
        (await Report("R2", null)).Is(201);

        // Of two at once one is made.
        var answers = await Task.WhenAll(Report("R3", "other"), Report("R4", "other"));
        Assert.Equal([201, 409], answers.Select(answer => answer.Status).Order());

        // A batch's key stands for each of its reports, in their order.
        Assert.Equal([201, 201], await Batch("R5", "R6"));
        Assert.Equal([200, 200], await Batch("R5", "R6"));
        Assert.Equal([200, 409], await Batch("R5", "R7"));
        (await api.Get("/v1/reports/R7?clientId=A")).Is(404, "not-found");
        await api.Balanced();

        static object Body(string report) => new { reportId = report, contractId = "C1", userId = "U1", players = new[] { new { playerId = $"P-{report}" } } };
        Task<Answer> Report(string report, string? key) => api.Post("/v1/reports", Body(report), key is null ? [] : [("Idempotency-Key", key)]);
        async Task<IEnumerable<int>> Batch(params string[] reports) =>
            (await api.Post("/v1/reports/batch", new { reports = reports.Select(Body) }, ("Idempotency-Key", "batch"))).Is(200).Items.Select(item => (int)item!["status"]!);
    }

    [Fact]
    public async Task R6_A_dry_run_says_what_would_happen_and_does_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 2);
        (await api.Report("R1", ["P1"])).Is(201);
        var ledger = await api.Ledger();

        var would = (await api.Report("R2", ["P1", "P2"], dryRun: true)).Is(200);
        Assert.Equal((1, 1, true, 0), (would.Charged(), (int)would["covered"]!, (bool)would["dryRun"]!, (int)would["balance"]!["contractRemaining"]!));
        Assert.Null(would["refusal"]);

        var wouldNot = (await api.Report("R2", ["P1", "P2", "P3"], dryRun: true)).Is(200);
        Assert.Equal(("insufficient-contract-credits", 402, 2, 1), ((string)wouldNot["refusal"]!["code"]!, (int)wouldNot["refusal"]!["status"]!, (int)wouldNot["refusal"]!["toCharge"]!, (int)wouldNot["refusal"]!["contractRemaining"]!));
        Assert.Equal("user-not-assigned", (string)(await api.Report("R2", ["P2"], user: "U9", dryRun: true)).Is(200)["refusal"]!["code"]!);

        // R3: under the id of a report that was made.
        var again = (await api.Report("R1", ["P1"], dryRun: true)).Is(200);
        Assert.Equal((1, 0, true, false), (again.Charged(), (int)again["covered"]!, (bool)again["dryRun"]!, again.IsReplay));
        Assert.Null(again["refusal"]);
        var other = (await api.Report("R1", ["P1", "P2"], dryRun: true)).Is(200);
        Assert.Equal((1, "report-id-reused"), (other.Charged(), (string)other["refusal"]!["code"]!));

        Assert.Equal(ledger, await api.Ledger());
        (await api.Get("/v1/reports/R2?clientId=A")).Is(404, "not-found");
        (await api.Report("R2", ["P9"])).Is(201);
    }

    [Fact]
    public async Task R5_Reports_are_listed_by_instant()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("C1");
        await api.Contract("C2");
        await api.Grant("G1", 9);
        (await api.Report("R3", ["P1"])).Is(201);
        await api.Clock(Day(1));
        (await api.Report("R2", ["P2"], user: "U2")).Is(201);
        (await api.Report("R1", ["P1"], contract: "C2")).Is(201);
        await api.Clock(Day(2));
        (await api.Report("R0", ["P1"])).Is(201);

        async Task<string> Listed(string query) => string.Join(' ', (await api.All($"/v1/reports?{query}", limit: 1)).Select(report => (string)report["reportId"]!));

        Assert.Equal("R3 R1 R2 R0", await Listed("clientId=A"));
        Assert.Equal("R1 R2", await Listed($"clientId=A&from={Day(1)}&to={Day(2)}"));
        Assert.Equal("R3 R2 R0", await Listed("contractId=C1"));
        Assert.Equal("R2", await Listed("userId=U2&clientId=A"));
        (await api.Get("/v1/reports/R0")).Is(422, "invalid-field", "clientId");
        (await api.Get("/v1/reports/R0?clientId=B")).Is(404, "not-found");
    }
}
