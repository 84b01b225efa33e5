using System.Diagnostics;
using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>A1 to A12, told over HTTP. Day 0 is a Sunday.</summary>
public sealed class AllocationStories
{
    private const string Path = "/v1/contracts/C1/allocations";

    [Fact]
    public async Task A10_The_window_shows_all_of_it()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);

        var empty = (await api.Get(Path)).Is(200);
        Assert.Equal((false, 0, 100), ((bool)empty["enabled"]!, (int)empty["totalCreditsUsed"]!, (int)empty["contractRemainingCredits"]!));
        Assert.Null(empty["defaults"]);

        await api.Allocate(new { enabled = true, users = new object[] { Weekly("U1", 10), new { userId = "U2", amount = 5, renewal = "fixed", extraCredits = 3 } } });
        await api.Clock(Day(1.5));
        (await api.Report("R1", Some("a", 4))).Is(201);
        (await api.Report("R2", Some("b", 6), user: "U2")).Is(201);

        var window = (await api.Get(Path)).Is(200);
        Assert.Equal(
            $$"""{"userId":"U1","name":"U1","amount":10,"renewal":"weekly","frequency":1,"on":"monday","startDate":"{{Date(1)}}","startsAt":"{{Date(1)}}T00:00:00Z","nextRenewalDate":"{{Date(8)}}","nextRenewalAt":"{{Date(8)}}T00:00:00Z","usedInCycle":4,"available":6,"extraCredits":0,"extraUsed":0,"totalUsed":4,"assigned":true,"disabled":false,"changedBy":"local","changedAt":"{{Day(0)}}"}""",
            window["users"]![0]!.ToJsonString());
        Assert.Equal(
            $$"""{"userId":"U2","name":"U2","amount":5,"renewal":"fixed","frequency":null,"on":null,"startDate":"{{Date(0)}}","startsAt":"{{Date(0)}}T00:00:00Z","nextRenewalDate":null,"nextRenewalAt":null,"usedInCycle":5,"available":2,"extraCredits":3,"extraUsed":1,"totalUsed":6,"assigned":true,"disabled":false,"changedBy":"local","changedAt":"{{Day(0)}}"}""",
            window["users"]![1]!.ToJsonString());
        Assert.Equal((10, 90), ((int)window["totalCreditsUsed"]!, (int)window["contractRemainingCredits"]!));
        Assert.Empty(window["inactiveUsers"]!.AsArray());

        (await api.Delete("/v1/contracts/C1/users/U1")).Is(204);
        (await api.Post("/v1/users/U2/disable", new { clientId = "A" })).Is(200);
        var gone = (await api.Get(Path)).Is(200);
        var left = Assert.Single(gone["users"]!.AsArray())!;
        Assert.Equal(("U2", true, true, Day(1.5)), ((string)left["userId"]!, (bool)left["assigned"]!, (bool)left["disabled"]!, (string)left["changedAt"]!));
        var removed = (await api.Get($"{Path}/U1")).Is(200);
        Assert.Equal((false, false, Day(1.5)), ((bool)removed["assigned"]!, (bool)removed["disabled"]!, (string)removed["changedAt"]!));
        Assert.Equal(["U1 not-assigned 4", "U2 disabled 6"], gone["inactiveUsers"]!.AsArray().Select(user => $"{user!["userId"]} {user["status"]} {user["totalUsed"]}"));
        await api.Balanced();
    }

    [Fact]
    public async Task A7_A_preview_changes_nothing_and_its_token_confirms_it_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 12);
        var before = (await api.Get(Path)).Is(200);
        var ledger = await api.Ledger();

        var preview = (await api.Post($"{Path}/preview", new { enabled = true, defaults = Daily(7), applyToAll = true })).Is(200);
        Assert.Equal(["null 7", "null 7"], preview["changes"]!.AsArray().Select(change => $"{change!["before"]!["amount"]?.ToJsonString() ?? "null"} {change["after"]!["amount"]}"));
        Assert.Equal(["oversubscribed", "no-credits-until", "no-credits-until"], preview["warnings"]!.AsArray().Select(warning => (string)warning!["code"]!));
        Assert.Contains("startDate: ", (string)preview["warnings"]![1]!["detail"]!);
        Assert.Equal(Date(1), (string)preview["warnings"]![1]!["date"]!);
        Assert.True((bool)preview["enabled"]!);
        Assert.Equal(before.Text, (await api.Get(Path)).Is(200).Text);
        Assert.Equal(ledger, await api.Ledger());

        // Use is no change.
        (await api.Report("R1", ["P1"])).Is(201);
        var token = (string)preview["confirmationToken"]!;
        var confirmed = (await api.Post($"{Path}/confirm", new { confirmationToken = token })).Is(200);
        Assert.Equal(7, (int)confirmed["users"]![0]!["amount"]!);
        (await api.Put("/v1/contracts/C1/users/U3", new { name = "Three" })).Is(200);
        var again = (await api.Post($"{Path}/confirm", new { confirmationToken = token })).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(confirmed.Text, again.Text);

        var told = (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["cause"]! == $"confirm:{token}").Select(entry => (string)entry["kind"]!).ToList();
        Assert.Equal(["allocation-switched", "defaults-set", "allocation-set", "allocation-set"], told);
        Assert.Equal(Date(1), (string)(await api.Get($"{Path}/U3")).Is(200)["startDate"]!);
        (await api.Post($"{Path}/confirm", new { confirmationToken = "nonsense" })).Is(404, "not-found");
        await api.Balanced();
    }

    [Fact]
    public async Task R2_A4_A_report_says_what_its_user_can_use_by_the_managers_last_word()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 12);
        await api.Allocate(new { enabled = true, users = new[] { new { userId = "U1", amount = 10, renewal = "fixed" } } });
        await Says("R1", ["P1"], 9);

        (await api.Post($"{Path}/U1/extra", new { amount = 5, reason = "a fair" })).Is(201);
        await Says("R2", ["P2"], 13);
        await Says("R3", ["P1"], 13);
        (await api.Post($"{Path}/U1/extra", new { amount = 2, reason = "a fair" })).Is(201);
        await Says("R4", ["P1"], 15);
        (await api.Post($"{Path}/U1/extra", new { amount = 3, reason = "a fair" })).Is(201);
        var refusal = (await api.Report("R5", [.. Enumerable.Range(10, 11).Select(player => $"P{player}")])).Is(402, "insufficient-contract-credits");
        Assert.Equal((18, 10), ((int)refusal["userAvailable"]!, (int)refusal["contractRemaining"]!));
        await api.Allocate(new { users = new[] { new { userId = "U1", amount = 20, renewal = "fixed", startDate = Date(1) } } });
        await Says("R6", ["P1"], 10);
        await api.Allocate(new { enabled = false });
        await Says("R7", ["P1"], null);
        await api.Balanced();

        async Task Says(string report, string[] players, int? available)
        {
            var answer = (await api.Report(report, players)).Is(201);
            Assert.Equal(available, (int?)answer["balance"]!["userAvailable"]);
        }
    }

    [Fact]
    public async Task A7_A_warning_advises_only_what_helps()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { users = new[] { new { userId = "U1", amount = 1, renewal = "daily", startDate = Date(0) } } });

        // A6: a given start date counts, also where it is the present one.
        var preview = (await api.Post($"{Path}/preview", new { users = new[] { Daily("U1"), Daily("U2") } })).Is(200);
        Assert.Equal(
            [$"Until {Date(1)} U1 can use extra credits only; startDate: {Date(0)} avoids this.", $"Until {Date(1)} U2 can use extra credits only; startDate: {Date(0)} avoids this."],
            preview["warnings"]!.AsArray().Select(warning => (string)warning!["detail"]!));

        await api.Contract("C2", terms: new { startsOn = Date(5), endsOn = Date(7) });
        var later = (await api.Post("/v1/contracts/C2/allocations/preview", new { users = new[] { Daily("U1"), Weekly("U2", 4) } })).Is(200);
        Assert.Equal([$"never-starts U2 {Date(8)}"], later["warnings"]!.AsArray().Skip(1).Select(warning => $"{warning!["code"]} {warning["userId"]} {warning["date"]}"));
        Assert.Equal(("oversubscribed", 6), ((string)later["warnings"]![0]!["code"]!, (int)later["warnings"]![0]!["credits"]!));

        static object Daily(string user) => new { userId = user, amount = 2, renewal = "daily" };
    }

    [Fact]
    public async Task A1_Nothing_that_is_sent_is_swallowed()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true, defaults = Daily(4), users = new[] { new { userId = "U1", renewal = "unlimited" } } });
        var before = (await api.Get(Path)).Is(200);
        var ledger = await api.Ledger();

        foreach (var (body, field) in ((string, string)[])
        [
            ("""{"users":[{"userId":"U1","amount":5}]}""", "users[0].amount"),
            ("""{"users":[{"userId":"U1","amount":5,"renewal":"unlimited"}]}""", "users[0].amount"),
            ("""{"users":[{"userId":"U2","renewal":"unlimited","frequency":1}]}""", "users[0].frequency"),
            ("""{"users":[{"userId":"U2","amount":5,"renewal":"daily","on":"monday"}]}""", "users[0].on"),
            ("""{"users":[{"userId":"U2","amount":null}]}""", "users[0].amount"),
            ("""{"users":[{"userId":"U2","amount":null,"renewal":"daily"}]}""", "users[0].amount"),
            ("""{"users":[{"userId":"U2","amount":5,"renewal":"daily","frequency":null}]}""", "users[0].frequency"),
            ("""{"users":[{"userId":"U2","amount":5,"renewal":"weekly","on":null}]}""", "users[0].on"),
            ("""{"users":[{"userId":"U2","amount":5,"renewal":"daily","startDate":null}]}""", "users[0].startDate"),
            ("""{"users":[{"userId":"U2","amount":5,"renewal":null}]}""", "users[0].renewal"),
            ("""{"users":[{"userId":"U2","extraCredits":null}]}""", "users[0].extraCredits"),
            ("""{"users":[{"userId":"U2","assigned":null}]}""", "users[0].assigned"),
            ("""{"users":[{"userId":"U2","name":null}]}""", "users[0].name"),
            ("""{"users":[{"userId":"U2","assigned":false,"extraCredits":3}]}""", "users[0].assigned"),
            ("""{"users":[{"userId":"U9","assigned":true}]}""", "users[0].name"),
            ("""{"users":null}""", "users"),
            ("""{"enabled":null}""", "enabled"),
            ("""{"reason":null}""", "reason"),
            ("""{"defaults":{"amount":null}}""", "defaults.amount"),
            ("""{"defaults":{"amount":5,"renewal":null}}""", "defaults.renewal"),
        ])
            (await api.Send("PATCH", Path, body)).Is(422, "invalid-field", field);
        Assert.Equal(before.Text, (await api.Get(Path)).Is(200).Text);
        Assert.Equal(ledger, await api.Ledger());

        // What a window shows of the defaults can be sent back, and null takes away.
        var shown = (await api.Send("PATCH", Path, $$"""{"defaults":{{before["defaults"]!.ToJsonString()}}}""")).Is(200);
        Assert.Equal(before["version"]!.ToJsonString(), shown["version"]!.ToJsonString());
        var none = (await api.Send("PATCH", Path, """{"defaults":{"renewal":null},"users":[{"userId":"U1","amount":null,"renewal":null,"frequency":null,"on":null,"startDate":null}]}""")).Is(200);
        Assert.Null(none["defaults"]);
        Assert.Equal((null, null, 0), ((string?)none["users"]![0]!["renewal"], (string?)none["users"]![0]!["startDate"], (int)none["users"]![0]!["available"]!));
        (await api.Report("R1", ["P1"])).Is(402, "insufficient-allocation");
        await api.Allocate(new { defaults = Daily(4) });
        Assert.Null((await api.Send("PATCH", Path, """{"defaults":null}""")).Is(200)["defaults"]);
    }

    [Fact]
    public async Task A7_Users_join_and_leave_with_the_change_and_the_ledger_says_why()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true, users = new[] { Weekly("U1", 10, Date(0)) } });
        (await api.Report("R1", Some("a", 4))).Is(201);

        var change = """{"users":[{"userId":"U1","assigned":false},{"userId":"U3","name":"Three","assigned":true,"amount":7,"renewal":"fixed","extraCredits":2}],"reason":"the new season"}""";
        var preview = (await api.Send("POST", $"{Path}/preview", change)).Is(200);
        Assert.Equal(["U1 True False", "U3  True"], preview["changes"]!.AsArray().Select(row => $"{row!["userId"]} {row["before"]?["assigned"]} {row["after"]!["assigned"]}"), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(["cycle-lost U1 6"], preview["warnings"]!.AsArray().Select(warning => $"{warning!["code"]} {warning["userId"]} {warning["credits"]}"));
        (await api.Get($"{Path}/U3")).Is(404, "not-found");

        var token = (string)preview["confirmationToken"]!;
        var window = (await api.Post($"{Path}/confirm", new { confirmationToken = token })).Is(200);
        Assert.Equal(["U2 U2", "U3 Three"], window["users"]!.AsArray().Select(row => $"{row!["userId"]} {row["name"]}"));
        Assert.Equal(
            ["user-set U1", "user-set U3", "allocation-set U3", "extra-granted U3"],
            (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string?)entry["reason"] == "the new season" && (string)entry["cause"]! == $"confirm:{token}").Select(entry => $"{entry["kind"]} {entry["userId"]}"));
        (await api.Report("R2", ["b"])).Is(409, "user-not-assigned");
        Assert.Equal(8, (int)(await api.Report("R2", ["b"], user: "U3")).Is(201)["balance"]!["userAvailable"]!);
        await api.Balanced();
    }

    [Fact]
    public async Task A11_Leaving_and_coming_back_is_no_way_round_a_fixed_amount()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true, users = new[] { new { userId = "U1", amount = 3, renewal = "fixed" } } });
        (await api.Report("R1", Some("a", 3))).Is(201);

        (await api.Delete("/v1/contracts/C1/users/U1")).Is(204);
        await api.Clock(Day(1));
        (await api.Put("/v1/contracts/C1/users/U1", new { name = "U1" })).Is(200);
        (await api.Report("R2", ["b"])).Is(402, "insufficient-allocation");
        (await api.Put("/v1/contracts/C1/users", new { users = Array.Empty<object>() })).Is(200);
        await api.Users("C1", "U1", "U2");
        var row = (await api.Get($"{Path}/U1")).Is(200);
        Assert.Equal((3, 0, 3, Date(1)), ((int)row["usedInCycle"]!, (int)row["available"]!, (int)row["totalUsed"]!, (string)row["startDate"]!));
        await api.Balanced();
    }

    [Fact]
    public async Task A10_The_window_foretells_when_the_pool_runs_out()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { endsOn = Date(99) });
        await api.Grant("G1", 45);
        Assert.Null((await api.Get(Path)).Is(200)["poolRunsOutOn"]);

        // 20 a Monday from day 1 on; the third time there are 5 left.
        await api.Allocate(new { enabled = true, users = new[] { Weekly("U1", 10), Weekly("U2", 10) } });
        Assert.Equal(Date(15), (string)(await api.Get(Path)).Is(200)["poolRunsOutOn"]!);
        await api.Grant("G2", 15, from: Day(8));
        Assert.Equal(Date(22), (string)(await api.Get(Path)).Is(200)["poolRunsOutOn"]!);
        (await api.Post("/v1/users/U2/disable", new { clientId = "A" })).Is(200);
        Assert.Equal(Date(43), (string)(await api.Get(Path)).Is(200)["poolRunsOutOn"]!);
    }

    [Fact]
    public async Task A7_Of_two_managers_with_the_same_view_one_wins_and_the_other_sees_why()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        var tokens = new List<string>();
        foreach (var amount in (int[])[5, 6]) tokens.Add((string)(await api.Post($"{Path}/preview", new { users = new[] { Weekly("U1", amount) } })).Is(200)["confirmationToken"]!);

        var answers = await Task.WhenAll(tokens.Select(token => api.Post($"{Path}/confirm", new { confirmationToken = token })));
        Assert.Equal([200, 409], answers.Select(answer => answer.Status).Order());
        var lost = answers.Single(answer => answer.Status == 409).Is(409, "allocation-changed");
        Assert.Contains("settings of U1 by local", (string)lost["detail"]!);
        Assert.Equal((int)answers.Single(answer => answer.Status == 200)["users"]![0]!["amount"]!, (int)(await api.Get($"{Path}/U1"))["amount"]!);
    }

    [Theory]
    [InlineData("the switch", "PATCH", "/v1/contracts/C1/allocations", """{"enabled":true}""")]
    [InlineData("the defaults", "PATCH", "/v1/contracts/C1/allocations", """{"defaults":{"amount":3,"renewal":"daily"}}""")]
    [InlineData("extra credits", "POST", "/v1/contracts/C1/allocations/U2/extra", """{"amount":3,"reason":"a fair"}""")]
    [InlineData("users", "DELETE", "/v1/contracts/C1/users/U2", null)]
    [InlineData("disabled", "POST", "/v1/users/U2/disable", """{"clientId":"A"}""")]
    [InlineData("the date", "POST", "/v1/clock", """{"advanceTo":"2026-03-02T00:00:00Z"}""")]
    [InlineData("terms", "PUT", "/v1/contracts/C1", """{"clientId":"A","name":"Other","type":"metered","startsOn":"2020-01-01","unallocatedLifetimeDays":null}""")]
    public async Task A7_What_has_changed_since_a_preview_refuses_it(string what, string method, string path, string? body)
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        var seen = (await api.Get(Path)).Is(200).Headers.ETag!.Tag;
        var token = (string)(await api.Post($"{Path}/preview", new { users = new[] { Weekly("U1", 5) } })).Is(200)["confirmationToken"]!;
        (await api.Report("R1", ["P1"])).Is(201);
        Assert.Equal(seen, (await api.Get(Path)).Headers.ETag!.Tag);

        Assert.InRange((await api.Send(method, path, body)).Status, 200, 204);
        Assert.NotEmpty(what);
        (await api.Post($"{Path}/confirm", new { confirmationToken = token })).Is(409, "allocation-changed");
        (await api.Send("PATCH", Path, """{"enabled":true}""", ("If-Match", seen))).Is(412, "precondition-failed");
        Assert.Null((await api.Get($"{Path}/U1"))["amount"]);
        (await api.Send("PATCH", Path, """{"enabled":true}""", ("If-Match", (await api.Get(Path)).Headers.ETag!.Tag))).Is(200);
    }

    // C3 holds for a user who is disabled before the contract knows of the user; the defaults of a newcomer wait (A9).
    [Fact]
    public async Task C3_A_disabled_newcomer_is_assigned_but_gets_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 10);
        await api.Contract("C2");
        await api.Users("C2", "U1", "U9");
        (await api.Post("/v1/users/U9/disable", new { clientId = "A" })).Is(200);
        await api.Allocate(new { enabled = true, defaults = new { amount = 5, renewal = "fixed" } });
        var ledger = await api.Ledger();

        foreach (var more in (object[])[new { userId = "U9", name = "Cy", assigned = true, amount = 9, renewal = "fixed" }, new { userId = "U9", name = "Cy", assigned = true, extraCredits = 3 }])
        {
            (await api.Post($"{Path}/preview", new { users = new[] { more } })).Is(409, "user-disabled");
            (await api.Send("PATCH", Path, System.Text.Json.JsonSerializer.Serialize(new { users = new[] { more } }))).Is(409, "user-disabled");
        }
        Assert.Equal(ledger, await api.Ledger());

        var window = await api.Allocate(new { users = new[] { new { userId = "U9", name = "Cy", assigned = true } } });
        var row = window["users"]!.AsArray().Single(user => (string)user!["userId"]! == "U9")!;
        Assert.Equal((true, 5), ((bool)row["disabled"]!, (int)row["amount"]!));
        (await api.Post($"{Path}/U9/extra", new { amount = 3, reason = "a fair" })).Is(409, "user-disabled");
        (await api.Report("R1", ["P1"], user: "U9")).Is(409, "user-disabled");
        (await api.Post("/v1/users/U9/enable", new { clientId = "A" })).Is(200);
        Assert.Equal(4, (int)(await api.Report("R2", ["P1"], user: "U9")).Is(201)["balance"]!["userAvailable"]!);

        // One who has been enabled again is like any other.
        (await api.Delete("/v1/contracts/C1/users/U9")).Is(204);
        await api.Allocate(new { users = new[] { new { userId = "U9", name = "Cy", assigned = true, amount = 7, renewal = "fixed" } } });
        await api.Balanced();
    }

    [Fact]
    public async Task A4_A_refusal_names_what_there_was_and_when_more_comes()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true, users = new[] { Weekly("U1", 10, Date(0)) } });

        (await api.Report("R1", Some("a", 7))).Is(201);
        var refused = (await api.Report("R2", Some("b", 4))).Is(402, "insufficient-allocation");
        Assert.Equal((4, 3, 93, $"{Date(1)}T00:00:00Z"), ((int)refused["toCharge"]!, (int)refused["userAvailable"]!, (int)refused["contractRemaining"]!, (string)refused["nextRenewalAt"]!));
        var rehearsed = (await api.Report("R2", Some("b", 4), dryRun: true)).Is(200);
        Assert.Equal("insufficient-allocation", (string)rehearsed["refusal"]!["code"]!);

        // R1, R2: what charges nothing passes, and what is covered is not counted.
        (await api.Report("R3", Some("a", 7))).Is(201);
        Assert.Equal(0, (int)(await api.Report("R4", [.. Some("a", 7), .. Some("c", 3)])).Is(201)["balance"]!["userAvailable"]!);
        await api.Clock($"{Date(1)}T00:00:00Z");
        (await api.Report("R2", Some("b", 4))).Is(201);
        await api.Balanced();
    }

    [Fact]
    public async Task A5_Extra_credits_are_granted_once_by_their_key()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true });

        var first = (await api.Post($"{Path}/U1/extra", new { amount = 5, reason = "a fair" }, ("Idempotency-Key", "k1"))).Is(201);
        var again = (await api.Post($"{Path}/U1/extra", new { amount = 5, reason = "a fair" }, ("Idempotency-Key", "k1"))).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text, again.Text);
        (await api.Post($"{Path}/U1/extra", new { amount = 6, reason = "a fair" }, ("Idempotency-Key", "k1"))).Is(409, "idempotency-key-reused");
        (await api.Report("R1", Some("a", 3))).Is(201);
        (await api.Post($"{Path}/U1/extra", new { amount = -3, reason = "too many" })).Is(422, "invalid-field", "amount");
        Assert.Equal(0, (int)(await api.Post($"{Path}/U1/extra", new { amount = -2, reason = "too many" })).Is(201)["available"]!);
        Assert.Equal(["5 a fair", "-2 too many"], (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! == "extra-granted").Select(entry => $"{entry["quantity"]} {entry["reason"]}"));
        await api.Balanced();
    }

    [Fact]
    public async Task C2_An_unlimited_contract_has_no_allocation()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { type = "unlimited" });

        (await api.Get(Path)).Is(409, "allocation-not-supported");
        (await api.Get($"{Path}/U1")).Is(409, "allocation-not-supported");
        (await api.Get($"{Path}/U1/renewals")).Is(409, "allocation-not-supported");
        (await api.Send("PATCH", Path, """{"enabled":true}""")).Is(409, "allocation-not-supported");
        (await api.Post($"{Path}/preview", new { enabled = true })).Is(409, "allocation-not-supported");
        (await api.Post($"{Path}/confirm", new { confirmationToken = "none" })).Is(409, "allocation-not-supported");
        (await api.Post($"{Path}/U1/extra", new { amount = 1, reason = "why" })).Is(409, "allocation-not-supported");
        Assert.Null((await api.Report("R1", ["P1"])).Is(201)["balance"]!["userAvailable"]);
        Assert.Empty((await api.Get("/v1/users/U1/allocations?clientId=A")).Is(200).Items);
        (await api.Get("/v1/users/U9/allocations?clientId=A")).Is(404, "not-found");
    }

    [Fact]
    public async Task A3_The_coming_dates_and_all_of_a_users_allocations_can_be_read()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { endsOn = Date(29), timeZone = "Europe/Berlin" });
        await api.Contract("C2");
        await api.Allocate(new { enabled = true, users = new[] { new { userId = "U1", amount = 5, renewal = "weekly", frequency = 2, on = "sunday" } } });

        var renewals = (await api.Get($"{Path}/U1/renewals")).Is(200);
        Assert.Equal("Europe/Berlin", (string)renewals["timeZone"]!);
        Assert.Equal([$"{Date(21)} {Date(20)}T23:00:00Z"], renewals.Items.Select(item => $"{item!["renewalDate"]} {item["renewalAt"]}"));
        Assert.Empty((await api.Get($"{Path}/U2/renewals?count=5")).Is(200).Items);
        (await api.Get($"{Path}/U1/renewals?count=0")).Is(422, "invalid-field", "count");
        (await api.Get($"{Path}/U9")).Is(404, "not-found");
        Assert.Equal("Europe/Berlin", (string)(await api.Get($"{Path}/U1")).Is(200)["timeZone"]!);

        Assert.Equal(["C1 5 True", "C2  False"], (await api.All("/v1/users/U1/allocations?clientId=A", limit: 1)).Select(item => $"{item["contractId"]} {item["amount"]} {(bool)item["enabled"]!}"));
        (await api.Get("/v1/users/U1/allocations")).Is(422, "invalid-field", "clientId");
    }

    [Fact]
    public async Task T3_Ten_years_of_daily_renewals_unread_cost_a_report_nothing_and_the_ledger_a_line()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 100);
        await api.Allocate(new { enabled = true, users = new[] { Day5("U1"), Day5("U2") } });
        await api.Clock(Day(1));
        (await api.Report("R1", Some("a", 5))).Is(201);
        await api.Clock(Day(3653));

        // The start, the end of the cycle that was used, and all the others as one; of who used nothing nobody was told.
        Assert.Equal(["U1", "U1", "U1"], await Begun());
        Assert.Equal(5, (int)(await api.Get($"{Path}/U2")).Is(200)["available"]!);
        Assert.Equal(["U1", "U1", "U1"], await Begun());
        (await api.Report("R2", Some("b", 5), user: "U2")).Is(201);
        (await api.Report("R3", Some("c", 5))).Is(201);
        Assert.Equal(["U1", "U1", "U1", "U2"], await Begun());
        (await api.Report("R4", Some("d", 1))).Is(402, "insufficient-allocation");
        await api.Balanced();

        async Task<List<string>> Begun() => [.. (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! == "cycles-begun").Select(entry => (string)entry["userId"]!)];
        static object Day5(string user) => new { userId = user, amount = 5, renewal = "daily" };
    }

    [Fact]
    public async Task A4_Of_64_reports_at_once_just_the_10_credits_left_are_charged_and_no_hold_that_was_let_go_refuses_one()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 1000);
        await api.Allocate(new { enabled = true, users = new[] { new { userId = "U1", amount = 10, renewal = "fixed" } } });

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => api.Report($"R{i}", [$"P{i}"])));
        Assert.Equal(10, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => Assert.Equal(0, (int)answer.Is(402, "insufficient-allocation")["userAvailable"]!));

        // Big ones are refused by the pool, holding what the small ones need meanwhile: all of these fit.
        await api.Contract("C2");
        await api.Grant("G1", 32, contract: "C2");
        (await api.Send("PATCH", "/v1/contracts/C2/allocations", """{"enabled":true,"users":[{"userId":"U1","amount":64,"renewal":"fixed"}]}""")).Is(200);
        var small = Enumerable.Range(0, 32).Select(i => api.Report($"S{i}", [$"S{i}"], "C2"));
        var big = Enumerable.Range(0, 32).Select(i => api.Report($"B{i}", Some($"B{i}", 60), "C2"));
        Assert.Equal((32, 32), ((await Task.WhenAll(small.Zip(big, (one, other) => (one, other)).SelectMany(pair => new[] { pair.one, pair.other })))
            .GroupBy(answer => answer.Status).ToDictionary(group => group.Key, group => group.Count()) is var counts ? (counts.GetValueOrDefault(201), counts.GetValueOrDefault(402)) : default));
        await api.Balanced();
        await api.Balanced("C2");
    }

    [Fact]
    public async Task A7_Three_hundred_users_are_changed_by_one_confirm_while_all_of_them_report()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var users = Some("u", 300);
        await api.Users("C1", users);
        await api.Grant("G1", 999_999);
        await api.Allocate(new { enabled = true, defaults = new { amount = 3, renewal = "fixed" }, applyToAll = true });

        var stop = false;
        var (answered, confirms) = (0, 0);
        var reporters = Enumerable.Range(0, 16).Select(number => Task.Run(async () =>
        {
            for (var i = number; !Volatile.Read(ref stop); i += 16)
            {
                var answer = await api.Report($"R{i}", [$"P{i}"], user: users[i % 300]);
                Assert.True(answer.Status is 201 or 402, answer.Text);
                Interlocked.Increment(ref answered);
            }
        })).ToList();
        var watch = Stopwatch.StartNew();
        for (var amount = 4; amount <= 6; amount++)
        {
            var until = answered + 300;
            Assert.True(await Eventually.Is(() => Task.FromResult(Volatile.Read(ref answered) >= until)));
            var preview = (await api.Post($"{Path}/preview", new { defaults = new { amount }, applyToAll = true })).Is(200);
            Assert.Equal(300, preview["changes"]!.AsArray().Count);
            var confirmed = (await api.Post($"{Path}/confirm", new { confirmationToken = (string)preview["confirmationToken"]! })).Is(200);
            Assert.All(confirmed["users"]!.AsArray(), row => Assert.Equal(amount, (int)row!["amount"]!));
            confirms++;
        }
        stop = true;
        await Task.WhenAll(reporters);
        Assert.Equal(3, confirms);

        // Between two confirms nobody has used more than the amount of then: the entries are counted in the order of booking.
        var (limit, used) = (3, new Dictionary<string, int>());
        var totals = new Dictionary<string, int>();
        foreach (var entry in await api.All("/v1/ledger?contractId=C1"))
        {
            var user = (string?)entry["userId"];
            switch ((string)entry["kind"]!)
            {
                case "defaults-set": limit = (int)entry["after"]!["amount"]!; break;
                case "allocation-set": used[user!] = 0; break;
                case "credits-charged":
                    used[user!] += (int)entry["quantity"]!;
                    totals[user!] = totals.GetValueOrDefault(user!) + (int)entry["quantity"]!;
                    Assert.True(used[user!] <= limit, $"{user} used {used[user!]} of {limit}");
                    break;
            }
        }
        foreach (var row in (await api.Get(Path)).Is(200)["users"]!.AsArray())
            Assert.Equal((used[(string)row!["userId"]!], totals.GetValueOrDefault((string)row["userId"]!)), ((int)row["usedInCycle"]!, (int)row["totalUsed"]!));
        await api.Balanced();
        TestContext.Current.TestOutputHelper?.WriteLine($"{answered} reports beside 3 confirms of 300 users in {watch.Elapsed.TotalSeconds:F1} s");
    }

    private static JsonObject Weekly(string user, int amount, string? from = null)
    {
        var settings = new JsonObject { ["userId"] = user, ["amount"] = amount, ["renewal"] = "weekly", ["on"] = "monday" };
        if (from is not null) settings["startDate"] = from;
        return settings;
    }

    private static object Daily(int amount) => new { amount, renewal = "daily" };
}
