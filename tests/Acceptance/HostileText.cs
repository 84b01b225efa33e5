using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>Names may be anything that people write; what is no text at all is refused.</summary>
public sealed class HostileText(Served served) : IClassFixture<Served>
{
    [Theory]
    [InlineData("'; DROP TABLE credits; --")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\"quoted\" \\ back/slash {json: [1]}")]
    [InlineData("Ștefan Müller Łukasz 日本 محمد 🎽👨‍👩‍👧 e\u0301")]
    [InlineData("\u202Edrow\u202C \u200B\uFEFF %s %n ${x} {{y}}")]
    [InlineData("")]
    public async Task A_name_is_just_text(string name)
    {
        var api = served.Api;
        var id = $"H-{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(name))}"[..^0];
        id = id.Length > 64 ? id[..64] : id;

        (await api.Put($"/v1/contracts/C1/users/{id}", new { name })).Is(200);
        Assert.Equal(name, (string)(await api.All("/v1/contracts/C1/users")).Single(user => (string)user["userId"]! == id)["name"]!);

        (await api.Post("/v1/reports", new { reportId = id, contractId = "C1", userId = "U1", players = new[] { new { playerId = id, name } } })).Is(201);
        Assert.Equal(name, (string)(await api.All($"/v1/credits?playerId={id}")).Single()["playerName"]!);

        if (name == "") return;
        var terms = Words.Terms(terms: new { name });
        (await api.Put($"/v1/contracts/{id}", terms)).Is(201);
        Assert.Equal(name, (string)(await api.Get($"/v1/contracts/{id}")).Is(200)["name"]!);
        Assert.Equal(name, (string)JsonNode.Parse((await api.All($"/v1/ledger?contractId={id}")).Single()["after"]!.ToJsonString())!["name"]!);
    }

    // Ids of users, players and payments come from other systems; what they give is one id all the way, also in paths and filters.
    [Theory]
    [InlineData("anna@example.com")]
    [InlineData("team/a+b #7")]
    [InlineData("Łukasz Müller")]
    [InlineData("日本 太郎")]
    [InlineData("กิตติ")]
    [InlineData("𠮷野")]
    public async Task An_external_id_is_what_people_write(string id)
    {
        var (api, escaped) = (served.Api, Uri.EscapeDataString(id));
        var contract = $"X-{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(id))}"[..14];
        (await api.Put($"/v1/contracts/{contract}", Words.Terms())).Is(201);
        (await api.Put($"/v1/contracts/{contract}/users/{escaped}", new { name = "N" })).Is(200);
        (await api.Post($"/v1/contracts/{contract}/lots", new { lotId = "L", paymentId = id, quantity = 5 })).Is(201);
        var amount = new { enabled = true, users = new[] { new { userId = id, amount = 3, renewal = "fixed" } } };
        (await api.Send("PATCH", $"/v1/contracts/{contract}/allocations", System.Text.Json.JsonSerializer.Serialize(amount))).Is(200);
        var extra = (await api.Post($"/v1/contracts/{contract}/allocations/{escaped}/extra", new { amount = 2, reason = "more" })).Is(201);
        Assert.Equal(extra.Text, (await api.Get(extra.Headers.Location!.OriginalString)).Is(200).Text);

        (await api.Post("/v1/reports", new { reportId = contract, contractId = contract, userId = id, players = new[] { new { playerId = id } } })).Is(201);
        var credit = Assert.Single(await api.All($"/v1/credits?contractId={contract}&playerId={escaped}&userId={escaped}&paymentId={escaped}&status=ALLOCATED"));
        Assert.Equal((id, id, id), ((string)credit["playerId"]!, (string)credit["usedBy"]!, (string)credit["paymentId"]!));
        Assert.Equal(id, (string)Assert.Single(await api.All($"/v1/usage?contractId={contract}&groupBy=user"))["userId"]!);
        Assert.NotEmpty(await api.All($"/v1/ledger?userId={escaped}&clientId=A"));
        (await api.Post($"/v1/users/{escaped}/disable", new { clientId = "A" })).Is(200);
        (await api.Post("/v1/reports", new { reportId = $"{contract}-2", contractId = contract, userId = id, players = new[] { new { playerId = $"{id}2" } } }))
            .Is(409, "user-disabled");
        Assert.True((bool)(await api.Get($"/v1/contracts/{contract}/audit")).Is(200)["balanced"]!);
        (await api.Send("DELETE", $"/v1/contracts/{contract}/users/{escaped}", null)).Is(204);
    }

    [Fact]
    public async Task A_name_may_be_left_out_or_200_characters_long()
    {
        var api = served.Api;
        (await api.Post("/v1/reports", new { reportId = "long", contractId = "C1", userId = "U1", players = new[] { new { playerId = "long", name = new string('é', 200) } } })).Is(201);
        (await api.Send("POST", "/v1/reports", """{"reportId":"none","contractId":"C1","userId":"U1","players":[{"playerId":"none"}]}""")).Is(201);
        Assert.Null((await api.All("/v1/credits?playerId=none")).Single()["playerName"]);
    }

    [Theory]
    [InlineData("minted", 422, "invalid-field")]
    public async Task A_lot_cannot_have_an_id_of_the_service(string lotId, int status, string code) =>
        (await served.Api.Post("/v1/contracts/C1/lots", new { lotId, paymentId = "P", quantity = 1 })).Is(status, code, "lotId");

    [Theory]
    [InlineData("")]
    [InlineData("with blank")]
    [InlineData("x201")]
    public async Task An_idempotency_key_is_1_to_200_visible_characters(string key) =>
        (await served.Api.Post("/v1/contracts/C1/lots", new { paymentId = "P", quantity = 1 }, ("Idempotency-Key", key == "x201" ? new string('x', 201) : key))).Is(400, "malformed", "Idempotency-Key");

    [Fact]
    public async Task A_list_of_users_names_each_once() =>
        (await served.Api.Put("/v1/contracts/C1/users", new { users = new[] { new { userId = "U1", name = "" }, new { userId = "U1", name = "" } } })).Is(422, "invalid-field", "users[1].userId");

    [Fact]
    public async Task Ten_thousand_users_are_the_most()
    {
        var contract = Words.Terms();
        (await served.Api.Put("/v1/contracts/crowd", contract)).Is(201);
        (await served.Api.Put("/v1/contracts/crowd/users", new { users = Words.Some("u", 10_001).Select(user => new { userId = user, name = "" }) })).Is(422, "invalid-field", "users");
        await served.Api.Users("crowd", Words.Some("u", 10_000));
        Assert.Equal(10_000, (await served.Api.All("/v1/contracts/crowd/users")).Count);
    }

    [Fact]
    public async Task Another_host_s_name_is_not_loopback() =>
        (await served.Api.Send("GET", "/v1/contracts", null, ("Host", "rebound.example"))).Is(403, "forbidden");
}
