using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>PUT replaces, PATCH is a JSON merge patch, and what a GET answers its PUT takes back (§3).</summary>
public sealed class PatchStories(Served served) : IClassFixture<Served>
{
    [Theory]
    [InlineData("/v1/contracts/C1")]
    [InlineData("/v1/contracts/C1/users")]
    [InlineData("/v1/accounts/A1")]
    [InlineData("/v1/projects/J1")]
    [InlineData("/v1/milestones/M1")]
    [InlineData("/v1/settings/services-credits")]
    public async Task What_a_GET_answers_its_PUT_takes_back_and_nothing_changes(string path)
    {
        var api = served.Api;
        var (shown, ledger) = ((await api.Get(path)).Is(200), await api.Ledger());

        Assert.Equal(shown.Text, (await api.Send("PUT", path, shown.Text)).Is(200).Text);
        Assert.Equal(ledger, await api.Ledger());
    }

    [Fact]
    public async Task What_only_the_service_writes_must_stay_as_it_is()
    {
        var api = served.Api;
        var milestone = (await api.Get("/v1/milestones/M1")).Is(200).Json.AsObject();
        foreach (var (field, value) in (IEnumerable<(string, JsonNode)>)[("allocated", 4), ("timeZone", "Europe/Berlin"), ("holdings", new JsonArray())])
        {
            var other = milestone.DeepClone();
            other[field] = value;
            (await api.Send("PUT", "/v1/milestones/M1", other.ToJsonString())).Is(422, "invalid-field", field);
            (await api.Send("PATCH", "/v1/milestones/M1", new JsonObject { [field] = value.DeepClone() }.ToJsonString())).Is(422, "invalid-field", field);
        }
        (await api.Put("/v1/projects/J1", new { accountId = "A1", currency = "EUR", clientId = "B" })).Is(422, "invalid-field", "clientId");
        (await api.Put("/v1/milestones/M9", new { projectId = "J1", allocated = 0 })).Is(422, "invalid-field", "allocated");
        (await api.Put("/v1/contracts/C1/users", new { items = Array.Empty<object>(), nextCursor = "x" })).Is(422, "invalid-field", "nextCursor");
    }

    [Fact]
    public async Task C1_A_patch_changes_what_it_names_and_null_clears_what_can_be_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        (await api.Put("/v1/contracts/C1", Terms(terms: new { endsOn = Date(100), timeZone = "Europe/Berlin", billingCycle = new { unit = "month", credits = 5 } }))).Is(201);
        const string Path = "/v1/contracts/C1";

        var renamed = (await api.Send("PATCH", Path, """{"name":"Renamed"}""", ("Content-Type", "application/merge-patch+json"))).Is(200);
        Assert.Equal(("Renamed", Date(100), 5), ((string)renamed["name"]!, (string?)renamed["endsOn"], (int)renamed["billingCycle"]!["credits"]!));
        var more = (await api.Send("PATCH", Path, """{"billingCycle":{"credits":7}}""")).Is(200);
        Assert.Equal((7, "month"), ((int)more["billingCycle"]!["credits"]!, (string?)more["billingCycle"]!["unit"]));
        var open = (await api.Send("PATCH", Path, """{"endsOn":null,"billingCycle":null}""")).Is(200);
        Assert.Equal((null, null, "Europe/Berlin"), (open["endsOn"], open["billingCycle"], (string?)open["timeZone"]));
        Assert.Equal(open.Text, (await api.Get(Path)).Text);

        foreach (var field in (string[])["name", "timeZone", "coverageDays", "coverageFrom", "clientId", "startsOn", "type"])
            (await api.Send("PATCH", Path, $$"""{"{{field}}":null}""")).Is(422, "invalid-field", field);
        (await api.Send("PATCH", Path, """{"color":"red"}""")).Is(400, "unknown-field", "color");
        (await api.Send("PATCH", Path, """{"name":"a","name":"b"}""")).Is(400, "malformed");
        (await api.Send("PATCH", Path, """{"billingCycle":{"credits":1,"credits":2}}""")).Is(400, "malformed");
        (await api.Send("PATCH", Path, "[]")).Is(400, "malformed");
        (await api.Send("PATCH", Path, """{"coverageDays":"x","name":7}""")).Is(422, "invalid-field", "name");
        (await api.Send("PATCH", Path, """{"clientId":"B"}""")).Is(422, "invalid-field", "clientId");
        (await api.Send("PATCH", "/v1/contracts/nobody", """{"name":"N"}""")).Is(404, "not-found");
        Assert.Equal(open.Text, (await api.Send("PATCH", Path, "{}")).Is(200).Text);
    }

    [Fact]
    public async Task S1_Accounts_projects_and_milestones_are_patched_too()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await Served.Furnish(api);

        Assert.Equal("Renamed", (string?)(await api.Send("PATCH", "/v1/accounts/A1", """{"name":"Renamed"}""")).Is(200)["name"]);
        (await api.Send("PATCH", "/v1/accounts/A1", """{"name":null}""")).Is(422, "invalid-field", "name");
        await api.Project("J2");
        Assert.Equal("USD", (string?)(await api.Send("PATCH", "/v1/projects/J2", """{"currency":"USD"}""")).Is(200)["currency"]);
        (await api.Send("PATCH", "/v1/projects/J2", """{"accountId":"nobody"}""")).Is(404, "not-found");

        var done = (await api.Send("PATCH", "/v1/milestones/M1", $$"""{"status":"Done","actualDate":"{{Date(0)}}"}""")).Is(200);
        Assert.Equal((5, "Done", Date(0)), ((decimal)done["servicesCredits"]!, (string?)done["status"], (string?)done["actualDate"]));
        var undone = (await api.Send("PATCH", "/v1/milestones/M1", """{"actualDate":null}""")).Is(200);
        Assert.Equal(("Done", null), ((string?)undone["status"], undone["actualDate"]));

        // Both have a name, and a contract notes; a PUT that leaves them out takes them away.
        foreach (var (path, field) in (IEnumerable<(string, string)>)[("/v1/projects/J2", "name"), ("/v1/milestones/M1", "name"), ("/v1/contracts/C1", "notes")])
        {
            Assert.Equal("Ștefan", (string?)(await api.Send("PATCH", path, $$"""{"{{field}}":"Ștefan"}""")).Is(200)[field]);
            Assert.Equal("Ștefan", (string?)(await api.Get(path)).Is(200)[field]);
        }
        Assert.Equal("", (string?)(await api.Put("/v1/projects/J2", new { accountId = "A1", currency = "USD" })).Is(200)["name"]);
        Assert.Null((await api.Send("PATCH", "/v1/contracts/C1", """{"notes":null}""")).Is(200)["notes"]);
        (await api.Send("PATCH", "/v1/contracts/C1", $$"""{"notes":"{{new string('x', 2_001)}}"}""")).Is(422, "invalid-field", "notes");

        // PUT replaces: what it leaves out has its default.
        (await api.Milestone("M2", 3, "Planned")).Is(201);
        Assert.Equal((0, "None"), ((decimal)(await api.Put("/v1/milestones/M2", new { projectId = "J1" })).Is(200)["servicesCredits"]!, (string?)(await api.Get("/v1/milestones/M2"))["status"]));
    }

    [Fact]
    public async Task P5_Null_frees_a_credit_s_player_and_is_refused_elsewhere()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await Served.Furnish(api);
        const string Credit = "/v1/credits/C1~G1~000000001";

        // What a client sends that writes all its fields, set or not.
        (await api.Send("PATCH", Credit, """{"status":null,"playerName":null,"expiresAt":"2026-06-01T00:00:00Z","reason":"R","playerId":null}""")).Is(422, "invalid-field", "status");
        (await api.Send("PATCH", Credit, """{"expiresAt":null,"reason":"R"}""")).Is(422, "invalid-field", "expiresAt");
        Assert.Equal("P1", (string?)(await api.Get(Credit))["playerId"]);
        Assert.Null((await api.Send("PATCH", Credit, """{"playerId":null,"reason":"R"}""")).Is(200)["playerId"]);
    }

    [Fact]
    public async Task Patches_at_the_same_time_lose_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();

        await Task.WhenAll(
            api.Send("PATCH", "/v1/contracts/C1", """{"name":"Renamed"}"""), api.Send("PATCH", "/v1/contracts/C1", """{"coverageDays":7}"""),
            api.Send("PATCH", "/v1/contracts/C1", """{"unallocatedLifetimeDays":9}"""), api.Send("PATCH", "/v1/contracts/C1", $$"""{"endsOn":"{{Date(50)}}"}"""));
        var contract = (await api.Get("/v1/contracts/C1")).Is(200);
        Assert.Equal(("Renamed", 7, 9, Date(50)), ((string)contract["name"]!, (int)contract["coverageDays"]!, (int)contract["unallocatedLifetimeDays"]!, (string)contract["endsOn"]!));
    }

    [Fact]
    public async Task A_repeated_patch_is_made_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await Served.Furnish(api);
        foreach (var (path, first, second) in (IEnumerable<(string, string, string)>)[
            ("/v1/contracts/C1", """{"name":"One"}""", """{"name":"Two"}"""), ("/v1/accounts/A1", """{"name":"One"}""", """{"name":"Two"}"""),
            ("/v1/milestones/M1", """{"status":"One"}""", """{"status":"Two"}""")])
        {
            var answer = (await api.Send("PATCH", path, first, ("Idempotency-Key", $"K{path}"))).Is(200);
            (await api.Send("PATCH", path, second)).Is(200);
            var again = (await api.Send("PATCH", path, first, ("Idempotency-Key", $"K{path}"))).Is(200);
            Assert.Equal((answer.Text, true), (again.Text, again.IsReplay));
            Assert.Contains("Two", (await api.Get(path)).Text);
            (await api.Send("PATCH", path, second, ("Idempotency-Key", $"K{path}"))).Is(409, "idempotency-key-reused");
        }
    }
}
