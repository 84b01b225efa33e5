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
