using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Voids (R7), holds and captures (R8), on every edition: each story with a client and contract of its own.</summary>
public sealed class UndoStories(UndoStories.World world) : IClassFixture<UndoStories.World>
{
    private Api Api => world.Edition.Api;

    /// <summary>One edition for all stories, which go on where the one before left the clock.</summary>
    public sealed class World : IAsyncLifetime
    {
        internal Edition Edition { get; private set; } = null!;

        internal DateTimeOffset Now { get; set; } = DateTimeOffset.Parse(Day(0), System.Globalization.CultureInfo.InvariantCulture);

        public async ValueTask InitializeAsync() => Edition = await AtDay0();

        public ValueTask DisposeAsync() => Edition.DisposeAsync();
    }

    [Fact]
    public async Task R7_a_report_generator_that_fails_gives_its_credits_back_and_the_user_s_cycle_is_as_before()
    {
        var c = await Contract("fails", 10);
        await Allocate(c, new { enabled = true, users = new[] { new { userId = "U1", amount = 2, renewal = "daily", startDate = At(0)[..10], extraCredits = 3 } } });
        var before = await Row(c);
        var first = await Report(c, "R1", ["P1", "P2", "P3"]);
        Assert.Equal("2 1 3", await Used(c));
        Assert.Equal(7, await Available(c));

        var undone = (await Void(c, "R1", "the analysis failed")).Is(200);
        Assert.Equal(["P1", "P2", "P3"], Players(undone["givenBack"]!));
        Assert.Equal(before, await Row(c));
        Assert.Equal(10, await Available(c));
        Assert.Equal(undone.Text, (await Void(c, "R1", "again")).Is(200).Text);

        // What was answered stays; what is read says what became of it.
        var again = (await Post(c, "R1", ["P1", "P2", "P3"])).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text, again.Text);
        var report = (await Api.Get($"/v1/reports/R1?clientId={c}")).Is(200);
        Assert.Equal(["P1", "P2", "P3"], Players(report["voided"]!));
        Assert.All(report["voided"]!.AsArray(), given => Assert.Equal(("the analysis failed", At(0)), ((string)given!["reason"]!, (string)given["at"]!)));
        var listed = (await Api.Get($"/v1/reports?contractId={c}")).Is(200).Items.Single()!.AsObject();
        Assert.True(listed.Remove("contractName") && listed.Remove("userName"));
        Assert.Equal(report.Text, listed.ToJsonString(Plain));

        // The books know each credit, by whom, why and by what.
        var returned = (await Api.All($"/v1/ledger?contractId={c}")).Where(entry => (string)entry["kind"]! == "credits-returned").ToList();
        Assert.Equal(3, returned.Count);
        Assert.All(returned, entry => Assert.Equal(
            "the analysis failed local void:R1 R1 U1 1 ALLOCATED UNALLOCATED",
            $"{entry["reason"]} {entry["actor"]} {entry["cause"]} {entry["reportId"]} {entry["userId"]} {entry["quantity"]} {entry["before"]!["status"]} {entry["after"]!["status"]}"));
        var usage = (await Api.Get($"/v1/usage?contractId={c}")).Is(200).Items.Single()!;
        Assert.Equal("3 3", $"{usage["charged"]} {usage["givenBack"]}");
        Assert.Equal(0, (int)(await Api.Balanced(c))["used"]!);
        Assert.Equal("10 0 0", await Balance(c));
        Assert.Equal(1, (await Report(c, "R2", ["P1"])).Charged());
        Assert.Equal("1 0 1", await Used(c));
    }

    [Fact]
    public async Task R7_a_cycle_that_is_over_gets_nothing_back_extras_and_the_total_do()
    {
        var c = await Contract("later", 10);
        await Allocate(c, new { enabled = true, users = new[] { new { userId = "U1", amount = 1, renewal = "daily", startDate = At(0)[..10], extraCredits = 3 } } });
        await Report(c, "R1", ["P1", "P2"]);
        await Move(minutes: 24 * 60);
        await Report(c, "R2", ["P3"]);
        Assert.Equal("1 1 3", await Used(c));
        (await Void(c, "R1", "wrong")).Is(200);
        Assert.Equal("1 0 1", await Used(c));
        await Api.Balanced(c);
    }

    [Fact]
    public async Task R7_what_is_over_and_a_newer_credit_stay_and_a_lot_that_is_over_takes_nothing_back()
    {
        var c = await Contract("over", null, new { coverageDays = 2 });
        await Api.Grant("G1", 3, expiresAt: At(minutes: 60), contract: c);
        await Api.Grant("G2", 3, contract: c);
        await Report(c, "R1", ["P1", "P2", "P3"]);
        (await Void(c, "R1", "one", ["P1"])).Is(200);
        await Move(minutes: 120);
        Assert.Equal(["P2"], Players((await Void(c, "R1", "two", ["P2"])).Is(200)["givenBack"]!));
        Assert.Equal("3 1 2", await Balance(c));
        Assert.Equal("EXPIRED", (string?)(await Api.Get($"/v1/credits/{c}~G1~000000002")).Is(200)["status"]);
        await Move(minutes: 2 * 24 * 60);
        Assert.Equal(1, (await Report(c, "R2", ["P3"])).Charged());
        Assert.Equal(["P1", "P2"], Players((await Void(c, "R1", "three")).Is(200)["givenBack"]!));
        Assert.Equal(0, (await Report(c, "R3", ["P3"])).Charged());
        Assert.Equal("2 1 3", await Balance(c));
        await Api.Balanced(c);
    }

    [Fact]
    public async Task R8_a_hold_ends_at_its_instant_though_the_service_was_down()
    {
        var c = await Contract("down", 5);
        var d = await Contract("down-too", 5, client: c);
        await Allocate(c, new { enabled = true, users = new[] { new { userId = "U1", amount = 3, renewal = "fixed" } } });
        var held = await Report(c, "H1", ["P1", "P2"], hold: 3600);
        Assert.Equal(At(minutes: 60), (string?)held["holdUntil"]);
        Assert.All(held["players"]!.AsArray(), player => Assert.Equal(At(minutes: 60), (string?)player!["expiresAt"]));
        Assert.Equal(At(minutes: 60), (string?)(await Post(d, "D1", ["P1"], client: c)).Is(201)["players"]![0]!["expiresAt"]);
        Assert.Equal("3 2 0", await Balance(c));
        Assert.Equal("5 0 0", await Balance(c, At(minutes: 60)));

        await Move(minutes: 59);
        Assert.Equal("covered", (string?)(await Post(d, "D2", ["P1"], client: c)).Is(201)["players"]![0]!["charge"]);
        await world.Edition.Stop();
        world.Now += TimeSpan.FromMinutes(1);
        await world.Edition.Restart(new(TestClock: At(0)));
        await Api.Clock(At(0));

        Assert.Equal("new", (string?)(await Post(d, "D3", ["P1"], client: c)).Is(201)["players"]![0]!["charge"]);
        Assert.Equal("5 0 0", await Balance(c));
        Assert.Equal("0 0 0", await Used(c));
        var report = (await Api.Get($"/v1/reports/H1?clientId={c}")).Is(200);
        Assert.Equal(["P1", "P2"], Players(report["voided"]!));
        Assert.All(report["voided"]!.AsArray(), given => Assert.Equal((At(0), null), ((string?)given!["at"], (string?)given["reason"])));
        (await Capture(c, "H1")).Is(409, "hold-over");
        (await Void(c, "H1", "late")).Is(409, "hold-over");
        Assert.Equal(
            [$"{At(0)} system hold:H1"],
            (await Api.All($"/v1/ledger?contractId={c}")).Where(entry => (string)entry["kind"]! == "credits-returned")
                .Select(entry => $"{entry["effectiveAt"]} {entry["actor"]} {entry["cause"]}").Distinct());
        await Api.Balanced(c);
        await Api.Balanced(d);
    }

    [Fact]
    public async Task R8_a_capture_of_three_of_five_and_a_report_on_all_at_once_charge_nobody_twice()
    {
        var c = await Contract("race", 100);
        string[] five = ["P1", "P2", "P3", "P4", "P5"];
        for (var round = 0; round < 5; round++)
        {
            var names = five.Select(player => $"{player}-{round}").ToArray();
            await Report(c, $"H{round}", names, hold: 600);
            var capturing = Capture(c, $"H{round}", names[..3]);
            var reporting = Post(c, $"R{round}", names);
            var (captured, report) = ((await capturing).Is(200), (await reporting).Is(201));
            Assert.Equal(names[..3], Players(captured["captured"]!["players"]!));
            Assert.Equal(names[3..], Players(captured["givenBack"]!));

            // Whoever came first: the report found all covered, or paid for the two.
            Assert.Contains(report.Charged(), (int[])[0, 2]);
            Assert.Equal(2 - report.Charged(), (await Report(c, $"N{round}", names)).Charged());
            Assert.Equal(5 * (round + 1), (int)(await Api.Balanced(c))["used"]!);
        }
        await Move(minutes: 11);
        Assert.Equal(0, (await Report(c, "last", [.. five.Select(player => $"{player}-0")])).Charged());
    }

    [Fact]
    public async Task R8_a_hold_is_captured_once_for_some_and_is_any_report_from_then_on()
    {
        var c = await Contract("once", 10);
        await Report(c, "H1", ["P1", "P2", "P3"], hold: 600);
        (await Capture(c, "H1", ["P9"])).Is(422, "invalid-field", "players[0]");
        var captured = (await Capture(c, "H1", ["P2", "P1"])).Is(200);
        Assert.Equal(captured.Text, (await Capture(c, "H1", ["P1", "P2"])).Is(200).Text);
        (await Capture(c, "H1")).Is(409, "hold-over");
        await Move(minutes: 20);
        Assert.Equal(captured.Text, (await Capture(c, "H1", ["P1", "P2"])).Is(200).Text);
        Assert.Equal(["P1", "P2"], Players((await Api.Get($"/v1/reports/H1?clientId={c}")).Is(200)["captured"]!["players"]!));
        Assert.Equal(2, (await Api.All($"/v1/credits?contractId={c}&status=ALLOCATED")).Count);
        Assert.Equal(1, (await Report(c, "R2", ["P1", "P2", "P3"])).Charged());
        Assert.Equal(["P3", "P1"], Players((await Void(c, "H1", "refund", ["P1", "P3"])).Is(200)["givenBack"]!));
        await Report(c, "R4", ["P4"]);
        (await Capture(c, "R4")).Is(422, "invalid-field", "reportId");
        (await Capture(c, "R5")).Is(404, "not-found");
        (await Void(c, "R5", "none")).Is(404, "not-found");
        (await Api.Post("/v1/reports/R4/void", new { reason = "whose" })).Is(422, "invalid-field", "clientId");
        await Api.Balanced(c);
    }

    [Fact]
    public async Task R8_a_batch_holds_and_a_rehearsal_says_until_when()
    {
        var c = await Contract("batch", 10);
        var players = new[] { new { playerId = "P1" } };
        var batch = (await Api.Post("/v1/reports/batch", new
        {
            reports = new object[]
            {
                new { reportId = "H1", contractId = c, userId = "U1", players, holdSeconds = 10 },
                new { reportId = "H2", contractId = c, userId = "U1", players, holdSeconds = 9 },
                new { reportId = "H3", contractId = c, userId = "U1", players, holdSeconds = 60, dryRun = true },
            },
        })).Is(200);
        Assert.Equal([201, 422, 200], batch.Items.Select(item => (int)item!["status"]!));
        Assert.Equal(At(minutes: 1), (string?)batch.Items[2]!["body"]!["holdUntil"]);
        await Move(minutes: 1);
        Assert.Equal("10 0 0", await Balance(c));
        (await Api.Get($"/v1/reports/H3?clientId={c}")).Is(404, "not-found");
    }

    [Fact]
    public async Task R7_R8_a_key_tells_a_request_from_another_and_gets_the_first_answer_again()
    {
        var c = await Contract("keys", 10);
        await Report(c, "H1", ["P1", "P2"], hold: 600);
        await Report(c, "R1", ["P3", "P4"]);
        var captured = (await Capture(c, "H1", ["P1"], key: "k1")).Is(200);
        var voided = (await Void(c, "R1", "wrong", ["P3"], key: "k2")).Is(200);
        (await Void(c, "R1", "wrong", ["P4"])).Is(200);
        (await Void(c, "H1", "wrong", ["P1"])).Is(200);
        foreach (var (first, again) in new[] { (captured, await Capture(c, "H1", ["P1"], key: "k1")), (voided, await Void(c, "R1", "wrong", ["P3"], key: "k2")) })
        {
            Assert.True(again.Is(200).IsReplay);
            Assert.Equal(first.Text, again.Text);
        }
        (await Void(c, "R1", "wrong", ["P4"], key: "k2")).Is(409, "idempotency-key-reused");
        (await Capture(c, "H1", key: "k1")).Is(409, "idempotency-key-reused");
    }

    [Fact]
    public async Task R8_an_edit_by_hand_takes_a_credit_out_of_its_hold()
    {
        var c = await Contract("edit", 10);
        await Report(c, "H1", ["P1", "P2", "P3"], hold: 600);
        Assert.Equal(At(minutes: 10), (string?)(await Api.Get($"/v1/credits/{c}~G1~000000001")).Is(200)["expiresAt"]);
        (await Api.Send("PATCH", $"/v1/credits/{c}~G1~000000001", $$"""{"expiresAt":"{{At(minutes: 30)}}","reason":"keep"}""")).Is(200);
        (await Api.Send("PATCH", $"/v1/credits/{c}~G1~000000002", """{"playerId":"P9","reason":"other"}""")).Is(200);
        await Move(minutes: 20);
        Assert.Equal("8 2 0", await Balance(c));
        Assert.Equal(["P3"], Players((await Api.Get($"/v1/reports/H1?clientId={c}")).Is(200)["voided"]!));
        await Api.Balanced(c);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task R7_R8_days_of_chance_are_as_an_oracle_says(int seed)
    {
        var (dice, oracle) = (new Random(seed), new UndoOracle(world.Now));
        var (rationed, free, client) = ($"rationed-{seed}", $"free-{seed}", $"chance-{seed}");
        foreach (var contract in (string[])[rationed, free]) await Api.Contract(contract, client, new { coverageDays = UndoOracle.CoverageDays });
        await Allocate(rationed, new
        {
            enabled = true,
            users = new[] { "U1", "U2" }.Select(user => new { userId = user, amount = UndoOracle.Daily, renewal = "daily", startDate = At(0)[..10], extraCredits = UndoOracle.Extra }),
        });
        var made = new List<(string Id, string[] Players)>();
        for (var step = 0; step < 70; step++)
        {
            if (step % 20 == 0) await GrantTo(dice.Next(2) == 0 ? rationed : free, $"L{step}", 12, dice.Next(5, 60));
            if (dice.Next(3) == 0)
            {
                await Move(dice.Next(3) == 0 ? dice.Next(60, 1_500) : dice.Next(1, 40));
                oracle.MoveTo(world.Now);
            }
            var players = Enumerable.Range(1, 7).Where(_ => dice.Next(3) == 0).Select(player => $"P{player}").DefaultIfEmpty("P1").ToArray();
            var (id, some) = made.Count == 0 ? ("", []) : made[Math.Max(0, made.Count - 1 - dice.Next(6))];
            string[] named = dice.Next(2) == 0 ? some : [.. some.Where(_ => dice.Next(2) == 0).DefaultIfEmpty(some.FirstOrDefault("P1"))];
            switch (dice.Next(10))
            {
                case var chance when chance < 5 || made.Count == 0:
                    var (contract, user, hold) = (dice.Next(2) == 0 ? rationed : free, $"U{dice.Next(1, 3)}", dice.Next(2) == 0 ? dice.Next(10, 20_000) : (int?)null);
                    var report = await Api.Post("/v1/reports", new { reportId = $"R{step}", contractId = contract, userId = user, players = players.Select(player => new { playerId = player }), holdSeconds = hold });
                    Same(oracle.Report($"R{step}", contract[..^2], user, players, hold), report, answer => string.Join(' ', answer["players"]!.AsArray()
                        .Where(player => (string)player!["charge"]! == "new").Select(player => (string)player!["playerId"]!)));
                    if (report.Status == 201) made.Add(($"R{step}", players));
                    break;
                case < 7:
                    Same(oracle.Void(id, named), await Void(client, id, "chance", named), answer => Sorted(answer["givenBack"]!));
                    break;
                case < 9:
                    Same(oracle.Capture(id, named), await Capture(client, id, named), answer => Sorted(answer["captured"]!["players"]!));
                    break;
                default:
                    if (oracle.Credit(players[0]) is not { } credit) break;
                    oracle.Free(players[0]);
                    (await Api.Send("PATCH", $"/v1/credits/{credit.Insert(credit.IndexOf('~'), $"-{seed}")}", """{"status":"UNALLOCATED","reason":"chance"}""")).Is(200);
                    break;
            }
            Assert.Equal($"{oracle.Balance("rationed")} | {oracle.Balance("free")} | {oracle.Used("U1")} | {oracle.Used("U2")}",
                $"{await Balance(rationed)} | {await Balance(free)} | {await Used(rationed)} | {await Used(rationed, "U2")}");
        }
        foreach (var (id, _) in made) Assert.Equal(oracle.Voided(id), Sorted((await Api.Get($"/v1/reports/{id}?clientId={client}")).Is(200)["voided"]!));
        await Api.Balanced(rationed);
        await Api.Balanced(free);

        void Same(string expected, Answer answer, Func<Answer, string> tell) => Assert.Equal(expected, answer.Code ?? tell(answer));

        async Task GrantTo(string contract, string lot, int quantity, int hours)
        {
            await Api.Grant(lot, quantity, expiresAt: At(hours * 60), contract: contract);
            oracle.Grant(contract[..^2], lot, quantity, world.Now.AddHours(hours));
        }
    }

    private static string Sorted(JsonNode list) => string.Join(' ', Players(list).Order(StringComparer.Ordinal));

    private static readonly System.Text.Json.JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // So long after the clock's instant.
    private string At(double minutes) => world.Now.AddMinutes(minutes).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private async Task Move(double minutes)
    {
        world.Now = world.Now.AddMinutes(minutes);
        await Api.Clock(At(0));
    }

    // Contract and client have one name, unless the contract is a second one of a client.
    private async Task<string> Contract(string name, int? credits, object? terms = null, string? client = null)
    {
        await Api.Contract(name, client ?? name, terms);
        if (credits is { } quantity) await Api.Grant("G1", quantity, contract: name);
        return name;
    }

    private async Task Allocate(string contract, object change) =>
        (await Api.Send("PATCH", $"/v1/contracts/{contract}/allocations", System.Text.Json.JsonSerializer.Serialize(change))).Is(200);

    private Task<Answer> Post(string contract, string report, string[] players, int? hold = null, string? client = null) => Api.Post("/v1/reports", new
    {
        reportId = report, contractId = contract, userId = "U1", players = players.Select(player => new { playerId = player }), holdSeconds = hold,
    });

    private async Task<Answer> Report(string contract, string report, string[] players, int? hold = null) => (await Post(contract, report, players, hold)).Is(201);

    private Task<Answer> Void(string client, string report, string reason, string[]? players = null, string? key = null) =>
        Api.Post($"/v1/reports/{report}/void?clientId={client}", players is null ? new { reason } : new { players, reason }, Key(key));

    private Task<Answer> Capture(string client, string report, string[]? players = null, string? key = null) =>
        Api.Post($"/v1/reports/{report}/capture?clientId={client}", players is null ? new { } : new { players }, Key(key));

    private static (string, string)[] Key(string? key) => key is null ? [] : [("Idempotency-Key", key)];

    private static IEnumerable<string> Players(JsonNode list) => list.AsArray().Select(item => (string)item!["playerId"]!);

    private async Task<string> Row(string contract) => (await Api.Get($"/v1/contracts/{contract}/allocations/U1")).Is(200).Text;

    private async Task<string> Used(string contract, string user = "U1")
    {
        var row = (await Api.Get($"/v1/contracts/{contract}/allocations/{user}")).Is(200);
        return $"{row["usedInCycle"]} {row["extraUsed"]} {row["totalUsed"]}";
    }

    private async Task<int> Available(string contract) => (int)(await Api.Get($"/v1/contracts/{contract}/lots/G1")).Is(200)["available"]!;

    private async Task<string> Balance(string contract, string? at = null)
    {
        var balance = (await Api.Get($"/v1/contracts/{contract}/balance{(at is null ? "" : $"?at={at}")}")).Is(200);
        return $"{balance["unallocated"]} {balance["allocated"]} {balance["expired"]}";
    }
}
