using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Credits edited by hand (P5), on every edition.</summary>
public sealed class EditStories
{
    [Fact]
    public async Task P5_a_credit_freed_by_hand_gives_the_use_back_and_its_player_is_charged_anew()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 3, expiresAt: Day(60));
        await api.Allocate(new { enabled = true, users = new[] { new { userId = "U1", amount = 1, renewal = "daily", startDate = Date(0), extraCredits = 2 } } });
        var report = (await api.Report("R1", ["P1", "P2", "P3"])).Is(201);
        Assert.Equal("1 2 3 0", await Used(api));

        // The cycle's, of which a renewal is to come: it comes back, and is charged anew.
        Assert.Equal("UNALLOCATED", (string?)(await Edit(api, 1, """{"playerId":null,"reason":"mistake"}"""))["status"]);
        Assert.Equal("0 2 2 1", await Used(api));
        Assert.Equal(1, (int)(await api.Lot("G1"))["available"]!);
        await api.Balanced();
        Assert.Equal("G1:1", (await api.Report("R2", ["P1", "P2"])).Is(201).Draws());
        Assert.Equal("1 2 3 0", await Used(api));

        // An extra credit comes back at any time; the cycle's only while it runs.
        await api.Clock(Day(1));
        Assert.Equal("UNALLOCATED", (string?)(await Edit(api, 3, """{"status":"UNALLOCATED","reason":"mistake"}"""))["status"]);
        Assert.Equal("0 1 2 1", await Used(api));
        await Edit(api, 1, """{"status":"UNALLOCATED","reason":"mistake"}""");
        Assert.Equal("0 1 1 2", await Used(api));
        await api.Balanced();

        // What was reported stays what was said; usage knows what was given back.
        Assert.Equal(report.Text, (await api.Get("/v1/reports/R1?clientId=A")).Is(200).Text);
        var usage = (await api.Get("/v1/usage?groupBy=user")).Is(200).Items.Single()!;
        Assert.Equal("4 1 3", $"{usage["charged"]} {usage["covered"]} {usage["givenBack"]}");
        Assert.Equal(["lot-granted", "credits-charged", "credits-charged", "credits-returned"], await History(api, 3));
        var balance = (await api.Get("/v1/contracts/C1/balance")).Is(200);
        Assert.Equal("2 1 0 2", $"{balance["unallocated"]} {balance["allocated"]} {balance["expired"]} {balance["available"]}");
        balance = (await api.Get($"/v1/contracts/C1/balance?at={Day(0.5)}")).Is(200);
        Assert.Equal("0 3 0 0", $"{balance["unallocated"]} {balance["allocated"]} {balance["expired"]} {balance["available"]}");
    }

    [Fact]
    public async Task P5_a_credit_ended_by_hand_stays_used_and_its_player_is_charged_anew()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 4, expiresAt: Day(60));
        (await api.Report("R1", ["P1"])).Is(201);
        await api.Clock(Day(1));

        Assert.Equal($"EXPIRED {Day(1)}", Shown(await Edit(api, 1, """{"status":"EXPIRED","reason":"fraud"}""")));
        await api.Balanced();
        Assert.Equal(1, (await api.Report("R2", ["P1"])).Is(201).Charged());
        Assert.Equal(2, (int)(await api.Balanced())["used"]!);
        Refused(await Patch(api, 1, $$"""{"expiresAt":"{{Day(9)}}","reason":"back"}"""), 409, "player-covered");
        Refused(await Patch(api, 1, """{"status":"ALLOCATED","reason":"back"}"""), 422, "invalid-field", "expiresAt");
        Refused(await Patch(api, 1, """{"status":"UNALLOCATED","reason":"back"}"""), 422, "invalid-field", "expiresAt");

        // Its second one ends, too; the first comes back, and covers.
        await Edit(api, 2, """{"status":"EXPIRED","reason":"fraud"}""");
        Assert.Equal($"ALLOCATED {Day(9)}", Shown(await Edit(api, 1, $$"""{"expiresAt":"{{Day(9)}}","reason":"back"}""")));
        Assert.Equal(0, (await api.Report("R3", ["P1"])).Is(201).Charged());
        await api.Balanced();
        Assert.Equal($"ALLOCATED {Day(5)}", Shown(await Edit(api, 1, $$"""{"expiresAt":"{{Day(5)}}","reason":"shorter"}""")));
        await api.Clock(Day(5));
        await api.Balanced();
        Assert.Equal(1, (await api.Report("R4", ["P1"])).Is(201).Charged());
        Assert.Equal(["lot-granted", "credits-charged", "coverage-expired", "coverage-expired", "credit-set", "coverage-expired"], await History(api, 1));
        Assert.Equal(3, (int)(await api.Balanced())["used"]!);
    }

    [Fact]
    public async Task P5_a_credit_is_given_and_passed_on_by_hand_and_is_nobody_s_use()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { coverageDays = 3 });
        await api.Grant("G1", 3, expiresAt: Day(60));
        await api.Allocate(new { users = new[] { new { userId = "U1", amount = 5, renewal = "daily", startDate = Date(0) } } });

        var given = await Edit(api, 2, """{"playerId":"P1","playerName":"One","reason":"gift"}""");
        Assert.Equal($"ALLOCATED {Day(3)} P1 One ", $"{Shown(given)} {given["playerId"]} {given["playerName"]} {given["usedBy"]}");
        Assert.Equal(0, (await api.Report("R1", ["P1"])).Is(201).Charged());
        Refused(await Patch(api, 3, """{"playerId":"P1","reason":"gift"}"""), 409, "player-covered");
        (await api.Report("R2", ["P2"])).Is(201);
        Assert.Equal("0 0 1 1", await Used(api));

        var passed = await Edit(api, 1, """{"playerId":"P3","reason":"wrong player"}""");
        Assert.Equal(("P3", null, null), ((string?)passed["playerId"], (string?)passed["usedBy"], (string?)passed["reportId"]));
        Assert.Equal("0 0 0 1", await Used(api));
        Assert.Equal(0, (int)(await api.Balanced())["used"]!);
        Assert.Equal("G1:1", (await api.Report("R3", ["P2", "P3"])).Is(201).Draws());

        var before = await api.Ledger();
        await Edit(api, 1, """{"playerId":"P3","status":"ALLOCATED","reason":"nothing"}""");
        Assert.Equal(before, await api.Ledger());

        // An unlimited contract's has no pool to return to.
        await api.Contract("M", terms: new { type = "unlimited" });
        (await api.Report("R4", ["P4"], contract: "M")).Is(201);
        Assert.StartsWith("EXPIRED", Shown((await api.Send("PATCH", "/v1/credits/M~minted~000000001", """{"playerId":null,"reason":"mistake"}""")).Is(200)));
        Assert.Equal(0, (int)(await api.Balanced("M"))["used"]!);
        Assert.Equal(1, (await api.Report("R5", ["P4"], contract: "M")).Is(201).Charged());
        await api.Balanced("M");
        Assert.Equal(3, (await api.All("/v1/credits?contractId=C1")).Count);
        Assert.Single(await api.All("/v1/credits?contractId=M&status=EXPIRED"));
    }

    [Fact]
    public async Task P5_L3_what_returns_to_a_lot_that_is_over_is_returned_and_expired_and_what_lapsed_can_be_given()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { coverageDays = 30 });
        await api.Grant("G1", 4, expiresAt: Day(5));
        (await api.Report("R1", ["P1"])).Is(201);
        Assert.StartsWith("EXPIRED", Shown(await Edit(api, 4, """{"status":"EXPIRED","reason":"not needed"}""")));
        Assert.Equal(2, (int)(await api.Lot("G1"))["available"]!);
        await api.Clock(Day(6));

        Assert.StartsWith("EXPIRED", Shown(await Edit(api, 1, """{"playerId":null,"reason":"mistake"}""")));
        Assert.Equal("0 4 0", await Sums());
        foreach (var ordinal in (int[])[1, 3, 4])
            Assert.Equal($"ALLOCATED {Day(9)}", Shown(await Edit(api, ordinal, $$"""{"playerId":"P{{ordinal}}","expiresAt":"{{Day(9)}}","reason":"goodwill"}""")));
        Assert.Equal("3 1 0", await Sums());
        Assert.Equal(0, (await api.Report("R2", ["P1", "P3", "P4"])).Is(201).Charged());
        Assert.StartsWith("EXPIRED", Shown(await Edit(api, 3, """{"playerId":null,"reason":"mistake"}""")));
        Assert.Equal("2 2 0", await Sums());
        await api.Clock(Day(9));
        Assert.Equal("0 4 0", await Sums());
        Assert.Equal(4, (await api.All("/v1/credits?contractId=C1&status=EXPIRED", limit: 1)).Count);

        async Task<string> Sums()
        {
            var audit = await api.Balanced();
            return $"{audit["allocated"]} {audit["expired"]} {audit["used"]}";
        }
    }

    [Fact]
    public async Task P5_an_unallocated_credit_with_an_expiry_of_its_own_is_drawn_and_expires_by_it_and_its_lot_s_others_keep_theirs()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 5, expiresAt: Day(60));

        Assert.Equal($"UNALLOCATED {Day(9)}", Shown(await Edit(api, 2, $$"""{"expiresAt":"{{Day(9)}}","reason":"a trial"}""")));
        Assert.Equal([Day(60), Day(9), Day(60), Day(60), Day(60)], await Expiries());
        Assert.Equal(5, (int)(await api.Lot("G1"))["available"]!);
        await api.Balanced();
        Assert.Equal("C1~G1~000000002", (string?)(await api.Report("R1", ["P1"])).Is(201)["players"]![0]!["creditId"]);
        Assert.Equal(1, (int)(await api.Balanced())["used"]!);

        // Freed until day 5: it is apart again, and the forecast knows.
        Assert.Equal($"UNALLOCATED {Day(5)}", Shown(await Edit(api, 2, $$"""{"playerId":null,"expiresAt":"{{Day(5)}}","reason":"mistake"}""")));
        Assert.Equal(0, (int)(await api.Balanced())["used"]!);
        var foretold = (await api.Get($"/v1/contracts/C1/balance?at={Day(6)}")).Is(200);
        Assert.Equal("4 0 1 4", $"{foretold["unallocated"]} {foretold["allocated"]} {foretold["expired"]} {foretold["available"]}");
        await api.Clock(Day(6));
        Assert.Equal(4, (int)(await api.Lot("G1"))["available"]!);
        Assert.Equal("C1~G1~000000002", (string?)(await api.All("/v1/credits?contractId=C1&status=EXPIRED")).Single()!["creditId"]);
        var balance = (await api.Get("/v1/contracts/C1/balance")).Is(200);
        Assert.Equal("4 0 1 4", $"{balance["unallocated"]} {balance["allocated"]} {balance["expired"]} {balance["available"]}");
        await api.Balanced();

        // What is over comes back with a future expiry; what had a player gives its use back.
        Refused(await Patch(api, 2, """{"status":"UNALLOCATED","reason":"back"}"""), 422, "invalid-field", "expiresAt");
        Assert.Equal($"UNALLOCATED {Day(20)}", Shown(await Edit(api, 2, $$"""{"expiresAt":"{{Day(20)}}","reason":"back"}""")));
        Assert.Equal("C1~G1~000000002", (string?)(await api.Report("R2", ["P2"])).Is(201)["players"]![0]!["creditId"]);
        await Edit(api, 2, """{"status":"EXPIRED","reason":"fraud"}""");
        Assert.Equal(1, (int)(await api.Balanced())["used"]!);
        Assert.Equal($"UNALLOCATED {Day(30)}", Shown(await Edit(api, 2, $$"""{"status":"UNALLOCATED","expiresAt":"{{Day(30)}}","reason":"no fraud"}""")));
        Assert.Equal(0, (int)(await api.Balanced())["used"]!);
        Assert.Equal($"UNALLOCATED {Day(7)}", Shown(await Edit(api, 4, $$"""{"expiresAt":"{{Day(7)}}","reason":"a trial"}""")));
        Assert.Equal([Day(60), Day(30), Day(60), Day(7), Day(60)], await Expiries());
        Assert.Equal(["G1:3"], [(await api.Report("R3", ["P3", "P4", "P5"])).Is(201).Draws()]);
        Assert.Equal("C1~G1~000000001 C1~G1~000000002 C1~G1~000000004", string.Join(' ', (await api.All("/v1/credits?contractId=C1&status=ALLOCATED")).Select(credit => (string?)credit!["creditId"])));
        Assert.Equal(
            ["lot-granted", "credit-set", "credits-charged", "credits-returned", "lot-expired", "lot-expired", "credits-charged", "coverage-expired", "coverage-expired", "credits-returned", "credits-charged"],
            await History(api, 2));
        await api.Balanced();

        // What outlives its lot has nothing to do with the lot's end.
        await Edit(api, 5, $$"""{"expiresAt":"{{Day(70)}}","reason":"longer"}""");
        await api.Clock(Day(61));
        Assert.Equal(["lot-granted", "credit-set"], await History(api, 5));
        Assert.Equal(["lot-granted", "lot-expired"], await History(api, 3));
        Assert.Equal(1, (int)(await api.Lot("G1"))["available"]!);
        await api.Balanced();

        await api.Contract("M", terms: new { type = "unlimited" });
        (await api.Report("R4", ["P9"], contract: "M")).Is(201);
        Refused(await api.Send("PATCH", "/v1/credits/M~minted~000000001", $$"""{"playerId":null,"expiresAt":"{{Day(70)}}","reason":"x"}"""), 422, "invalid-field", "status");

        async Task<IEnumerable<string?>> Expiries() => (await api.All("/v1/credits?contractId=C1", limit: 1)).Select(credit => (string?)credit!["expiresAt"]);
    }

    [Fact]
    public async Task P4_credits_of_one_instant_come_by_their_ids_whatever_the_page_and_the_filter()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Contract("C1-b");
        foreach (var contract in (string[])["C1", "C1-b"])
            foreach (var lot in (string[])["G", "G1", "G-1", "G10", "G.1"])
                await api.Grant(lot, 3, expiresAt: Day(60), contract: contract);
        (await api.Report("R1", Some("P", 7))).Is(201);
        (await api.Report("R2", Some("Q", 7), contract: "C1-b")).Is(201);
        await api.Send("PATCH", "/v1/credits/C1~G~000000003", $$"""{"expiresAt":"{{Day(9)}}","reason":"a trial"}""");

        foreach (var (filter, count) in ((string, int)[])[("", 30), ("status=UNALLOCATED", 16), ("status=ALLOCATED", 14), ("status=EXPIRED", 0), ("userId=U1", 14), ("contractId=C1&userId=U1", 7), ("contractId=C1", 15), ("lotId=G1", 6)])
            foreach (var limit in (int[])[1, 4, 100])
            {
                var ids = (await api.All($"/v1/credits?{filter}", limit)).Select(credit => (string)credit["creditId"]!).ToList();
                Assert.Equal((filter, count), (filter, ids.Count));
                Assert.Equal(ids.Distinct().Order(StringComparer.Ordinal), ids);
            }
        Assert.Equal(["G", "G-1", "G.1", "G1", "G10"], (await api.All("/v1/contracts/C1/lots", limit: 2)).Select(lot => (string)lot["lotId"]!));
    }

    [Fact]
    public async Task P5_what_cannot_be_is_refused_and_changes_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 2, expiresAt: Day(60));
        (await api.Report("R1", ["P1"])).Is(201);
        var before = await api.Ledger();

        Refused(await Patch(api, 1, """{"playerId":null}"""), 422, "invalid-field", "reason");
        Refused(await Patch(api, 1, """{"playerId":"a~b","reason":"x"}"""), 422, "invalid-field", "playerId");
        Refused(await Patch(api, 1, $$"""{"expiresAt":"{{Day(0)}}","reason":"x"}"""), 422, "invalid-field", "expiresAt");
        Refused(await Patch(api, 2, $$"""{"expiresAt":"{{Day(0)}}","reason":"x"}"""), 422, "invalid-field", "expiresAt");
        Refused(await Patch(api, 2, """{"playerId":"P1","reason":"x"}"""), 409, "player-covered");
        Refused(await Patch(api, 3, """{"playerId":"P2","reason":"x"}"""), 404, "not-found");
        Refused(await api.Send("PATCH", "/v1/credits/C2~G1~000000001", """{"playerId":"P2","reason":"x"}"""), 404, "not-found");
        Refused(await api.Send("PATCH", "/v1/credits/nonsense", """{"playerId":"P2","reason":"x"}"""), 404, "not-found");
        Assert.Equal(before, await api.Ledger());
    }

    [Fact]
    public async Task P5_credits_of_a_used_up_lot_that_are_freed_at_once_all_come_back()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 20);
        (await api.Report("R1", Some("P", 20))).Is(201);

        var freed = await Task.WhenAll(Enumerable.Range(1, 20).Select(ordinal => Patch(api, ordinal, """{"playerId":null,"reason":"mistake"}""")));
        Assert.All(freed, answer => answer.Is(200));
        Assert.Equal(20, (int)(await api.Lot("G1"))["available"]!);
        await api.Balanced();
    }

    [Fact]
    public async Task P5_edits_and_reports_on_the_same_players_at_once_leave_the_books_balanced()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Contract("C2");
        await api.Grant("G1", 500, expiresAt: Day(60));
        await api.Grant("G2", 500, expiresAt: Day(60), contract: "C2");
        (await api.Report("R0", Some("P", 4))).Is(201);

        var reports = Task.WhenAll(Enumerable.Range(1, 40).Select(i => api.Report($"R{i}", Some("P", 1 + (i % 4)), contract: i % 2 == 0 ? "C1" : "C2")));
        var edits = Task.WhenAll(Enumerable.Range(0, 40).Select(i => Patch(api, 1 + (i % 4), (i % 3) switch
        {
            0 => """{"playerId":null,"reason":"free"}""",
            1 => $$"""{"playerId":"P-{{1 + (i % 4)}}","reason":"give"}""",
            _ => """{"status":"EXPIRED","reason":"end"}""",
        })));
        Assert.All(await reports, answer => answer.Is(201));
        Assert.All(await edits, answer => Assert.True(answer.Status is 200 or 409 or 422, answer.Text));

        await api.Balanced();
        await api.Balanced("C2");
        Assert.All((await api.All("/v1/credits?status=ALLOCATED")).GroupBy(credit => (string)credit["playerId"]!), credits => Assert.Single(credits));
        var last = (await api.Report("last", Some("P", 4))).Is(201);
        Assert.Equal(4, (await api.All("/v1/credits?status=ALLOCATED")).Count);
        Assert.Equal(4, last["players"]!.AsArray().Select(player => (string)player!["creditId"]!).Distinct().Count());
    }

    private static Task<Answer> Patch(Api api, int ordinal, string body) => api.Send("PATCH", $"/v1/credits/C1~G1~{ordinal:D9}", body);

    private static async Task<Answer> Edit(Api api, int ordinal, string body)
    {
        var answer = (await Patch(api, ordinal, body)).Is(200);
        var credit = (await api.Get($"/v1/credits/C1~G1~{ordinal:D9}")).Is(200);
        Assert.All(answer.Json.AsObject(), field => Assert.Equal(field.Value?.ToJsonString(), credit[field.Key]?.ToJsonString()));
        return answer;
    }

    private static void Refused(Answer answer, int status, string code, string? field = null) => answer.Is(status, code, field);

    private static string Shown(Answer credit) => $"{credit["status"]} {credit["expiresAt"]}";

    // Of U1: used in cycle, extra credits used, used in all, left.
    private static async Task<string> Used(Api api)
    {
        var row = (await api.Get("/v1/contracts/C1/allocations/U1")).Is(200);
        var audit = await api.Balanced();
        Assert.Equal((int)row["totalUsed"]!, (int)audit["used"]!);
        return $"{row["usedInCycle"]} {row["extraUsed"]} {row["totalUsed"]} {audit["unallocated"]}";
    }

    private static async Task<IEnumerable<string>> History(Api api, int ordinal) =>
        (await api.Get($"/v1/credits/C1~G1~{ordinal:D9}")).Is(200)["history"]!.AsArray().Select(entry => (string)entry!["kind"]!);
}
