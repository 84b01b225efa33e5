using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Idempotency-Key on every POST and PATCH that changes anything (§3): a late retry changes nothing, and gets the first answer.</summary>
public sealed class IdempotencyStories
{
    [Fact]
    public async Task A_late_edit_takes_no_credit_from_its_next_player()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 1);
        (await api.Report("R1", ["P1"])).Is(201);
        const string Credit = "/v1/credits/C1~G1~000000001", Free = """{"status":"UNALLOCATED","reason":"refund"}""";

        var freed = (await api.Send("PATCH", Credit, Free, ("Idempotency-Key", "E1"))).Is(200);
        (await api.Report("R2", ["P2"])).Is(201);
        await Repeats(api, "PATCH", Credit, Free, "E1", freed);
        Assert.Equal("P2", (string?)(await api.Get(Credit)).Is(200)["playerId"]);
        (await api.Send("PATCH", Credit, """{"status":"EXPIRED","reason":"refund"}""", ("Idempotency-Key", "E1"))).Is(409, "idempotency-key-reused");
        (await api.Send("PATCH", Credit, Free, ("Idempotency-Key", "a b"))).Is(400, "malformed", "Idempotency-Key");
        await api.Balanced();
    }

    [Fact]
    public async Task A_late_adjustment_or_allocation_undoes_no_newer_one()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 50);
        await api.Project();
        (await api.Milestone("M1", 20)).Is(201);
        const string Allocate = "/v1/milestones/M1/allocate", Adjust = "/v1/milestones/M1/adjust";

        (await api.Send("POST", Allocate, """{"dryRun":true}""", ("Idempotency-Key", "A1"))).Is(200);
        var allocated = (await api.Send("POST", Allocate, null, ("Idempotency-Key", "A1"))).Is(200);
        var first = (await api.Send("POST", Adjust, """{"quantity":15}""", ("Idempotency-Key", "J1"))).Is(200);
        (await api.Send("POST", Adjust, """{"quantity":10}""", ("Idempotency-Key", "J2"))).Is(200);
        await Repeats(api, "POST", Adjust, """{"quantity":15}""", "J1", first);
        await Repeats(api, "POST", Allocate, "{}", "A1", allocated);
        (await api.Send("POST", Adjust, """{"quantity":3}""", ("Idempotency-Key", "J2"))).Is(409, "idempotency-key-reused");
        Assert.Equal(10, (decimal)(await api.Get("/v1/milestones/M1"))["allocated"]!);
    }

    [Fact]
    public async Task A_late_switch_of_a_user_does_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 5);
        const string Body = """{"clientId":"A"}""";

        var disabled = (await api.Send("POST", "/v1/users/U1/disable", Body, ("Idempotency-Key", "D1"))).Is(200);
        (await api.Send("POST", "/v1/users/U1/enable", Body, ("Idempotency-Key", "D2"))).Is(200);
        await Repeats(api, "POST", "/v1/users/U1/disable", Body, "D1", disabled);
        await Repeats(api, "POST", "/V1/Users/U1/Disable/", Body, "D1", disabled);
        (await api.Send("POST", "/v1/users/U2/disable", Body, ("Idempotency-Key", "D1"))).Is(409, "idempotency-key-reused");
        (await api.Report("R1", ["P1"])).Is(201);
    }

    [Fact]
    public async Task A7_a_repeated_preview_gives_its_token_again_and_a_repeated_change_is_made_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        const string Window = "/v1/contracts/C1/allocations", Change = """{"enabled":true,"users":[{"userId":"U1","amount":5,"renewal":"fixed"}]}""";

        var shown = (await api.Send("POST", $"{Window}/preview", Change, ("Idempotency-Key", "P1"))).Is(200);
        await Repeats(api, "POST", $"{Window}/preview", Change, "P1", shown);
        var confirm = $$"""{"confirmationToken":"{{shown["confirmationToken"]}}"}""";
        var confirmed = (await api.Send("POST", $"{Window}/confirm", confirm, ("Idempotency-Key", "P2"))).Is(200);
        await Repeats(api, "POST", $"{Window}/confirm", confirm, "P2", confirmed);
        (await api.Send("POST", $"{Window}/confirm", """{"confirmationToken":"other"}""", ("Idempotency-Key", "P2"))).Is(409, "idempotency-key-reused");

        var changed = (await api.Send("PATCH", Window, """{"enabled":false}""", ("Idempotency-Key", "P3"))).Is(200);
        (await api.Send("PATCH", Window, """{"enabled":true}""")).Is(200);
        await Repeats(api, "PATCH", Window, """{"enabled":false}""", "P3", changed);
        Assert.True((bool)(await api.Get(Window))["enabled"]!);
    }

    [Fact]
    public async Task T4_A_late_move_of_the_clock_gets_its_first_answer()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        var move = $$"""{"advanceTo":"{{Day(1)}}"}""";

        var moved = (await api.Send("POST", "/v1/clock", move, ("Idempotency-Key", "T1"))).Is(200);
        await api.Clock(Day(2));
        await Repeats(api, "POST", "/v1/clock", move, "T1", moved);
        (await api.Send("POST", "/v1/clock", $$"""{"advanceTo":"{{Day(3)}}"}""", ("Idempotency-Key", "T1"))).Is(409, "idempotency-key-reused");
        (await api.Send("POST", "/v1/clock", move, ("Idempotency-Key", "T2"))).Is(422, "invalid-field", "advanceTo");
        Assert.Equal(Day(2), (string)(await api.Get("/v1/clock")).Is(200)["now"]!);
    }

    [Fact]
    public async Task C3_A_late_addition_brings_no_removed_user_back()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        const string Users = "/v1/contracts/C1/users", More = """{"users":[{"userId":"U3","name":"Cy"}]}""";

        var added = (await api.Send("POST", Users, More, ("Idempotency-Key", "N1"))).Is(200);
        Assert.Equal(["U1", "U2", "U3"], added.Items.Select(user => (string)user!["userId"]!));
        (await api.Delete($"{Users}/U3")).Is(204);
        await Repeats(api, "POST", Users, More, "N1", added);
        (await api.Send("POST", Users, """{"users":[{"userId":"U4","name":""}]}""", ("Idempotency-Key", "N1"))).Is(409, "idempotency-key-reused");
        Assert.Equal(["U1", "U2"], (await api.Get(Users)).Items.Select(user => (string)user!["userId"]!));
    }

    // A body is the same however it is spelt; null is not a field that is left out.
    [Theory]
    [InlineData("""{"enabled":true,"defaults":{"renewal":"weekly","on":"monday","amount":5}}""", """ { "defaults" : {"amount": 5.0, "on":"mond\u0061y", "renewal":"weekly"}, "enabled":true}""", true)]
    [InlineData("""{"enabled":true}""", """{"enabled":true,"defaults":null}""", false)]
    [InlineData("""{"users":[{"userId":"U1","renewal":null}]}""", """{"users":[{"userId":"U1"}]}""", false)]
    [InlineData("""{"users":[{"userId":"U1","amount":1e1,"renewal":"fixed"}]}""", """{"users":[{"userId":"U1","amount":1,"renewal":"fixed"}]}""", false)]
    [InlineData("""{"users":[{"userId":"U1"},{"userId":"U2"}]}""", """{"users":[{"userId":"U2"},{"userId":"U1"}]}""", false)]
    public async Task A_request_is_the_same_where_its_body_says_the_same(string first, string second, bool isSame)
    {
        await using var edition = await AtDay0();
        await edition.Api.Contract();
        (await edition.Api.Send("PATCH", "/v1/contracts/C1/allocations", first, ("Idempotency-Key", "K"))).Is(200);

        var again = await edition.Api.Send("PATCH", "/v1/contracts/C1/allocations", second, ("Idempotency-Key", "K"));
        if (isSame) Assert.True(again.Is(200).IsReplay);
        else again.Is(409, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_merge_patch_is_the_same_where_it_says_the_same()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var first = (await api.Send("PATCH", "/v1/contracts/C1", """{"coverageDays":20,"notes":"n"}""", ("Idempotency-Key", "K"))).Is(200);
        await Repeats(api, "PATCH", "/v1/contracts/C1", """{"notes":"n","coverageDays":2.0e1}""", "K", first);
        (await api.Send("PATCH", "/v1/contracts/C1", """{"coverageDays":20}""", ("Idempotency-Key", "K"))).Is(409, "idempotency-key-reused");
    }

    [Fact]
    public async Task An_operator_s_key_is_for_all_clients()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Contract("B1", "B");
        static object Gift(string contract, string client) => new { clientId = client, contractId = contract, paymentId = "P", quantity = 5, reason = "gift" };

        var given = (await api.Post("/v1/credits", Gift("C1", "A"), ("Idempotency-Key", "K"))).Is(201);
        (await api.Post("/v1/credits", Gift("B1", "B"), ("Idempotency-Key", "K"))).Is(409, "idempotency-key-reused");
        (await api.Post("/v1/contracts/B1/lots", new { paymentId = "P", quantity = 5 }, ("Idempotency-Key", "K"))).Is(409, "idempotency-key-reused");
        (await api.Post("/v1/reports", new { reportId = "R", contractId = "B1", userId = "U1", players = new[] { new { playerId = "P" } } }, ("Idempotency-Key", "K")))
            .Is(409, "idempotency-key-reused");
        Assert.Equal(given["lotId"]!.ToJsonString(), (await api.Post("/v1/credits", Gift("C1", "A"), ("Idempotency-Key", "K"))).Is(200)["lotId"]!.ToJsonString());
        Assert.Empty((await api.Get("/v1/contracts/B1/lots")).Items);

        // Of many at once for two clients one takes effect.
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => api.Post("/v1/credits", i % 2 == 0 ? Gift("C1", "A") : Gift("B1", "B"), ("Idempotency-Key", "L"))));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Equal(5, answers.Count(answer => answer.Status == 200 && answer.IsReplay));
        Assert.Equal(6, answers.Count(answer => answer.Code == "idempotency-key-reused"));
    }

    [Fact]
    public async Task Of_twenty_at_once_one_takes_effect()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 5);
        (await api.Report("R1", ["P1"])).Is(201);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.Send(
            "PATCH", "/v1/credits/C1~G1~000000001", """{"playerId":null,"reason":"refund"}""", ("Idempotency-Key", "E1"))));
        Assert.Single(answers.Select(answer => answer.Is(200).Text).Distinct());
        Assert.Single(answers, answer => !answer.IsReplay);
        Assert.Single(await api.All("/v1/ledger?contractId=C1"), entry => (string)entry["kind"]! == "credits-returned");
    }

    private static async Task Repeats(Api api, string method, string path, string body, string key, Answer first)
    {
        Assert.False(first.IsReplay);
        var again = (await api.Send(method, path, body, ("Idempotency-Key", key))).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text, again.Text);
    }
}
