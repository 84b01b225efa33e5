using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Clients, their users, and how their contracts stand (C3, C4), told over HTTP.</summary>
public sealed class DirectoryStories(Served served) : IClassFixture<Served>
{
    private Api Api => served.Api;

    [Fact]
    public async Task C3_a_user_has_one_name_in_all_contracts_of_the_client()
    {
        foreach (var contract in (string[])["D1", "D2"]) await Api.Contract(contract, "Dahl");
        (await Api.Put("/v1/contracts/D2/users/anna@d.com", new { name = "Anna" })).Is(200);

        var anna = (await Api.Get("/v1/users/anna@d.com?clientId=Dahl")).Is(200);
        Assert.Equal("""{"clientId":"Dahl","userId":"anna@d.com","name":"Anna","disabled":false,"contracts":[{"contractId":"D2","contractName":"Scouting","assigned":true}]}""", anna.Text);
        var tag = anna.Headers.ETag!.Tag;

        // What one GET answers, the PUT takes back; renamed, the name is another in her contract, too.
        (await Api.Put("/v1/users/anna@d.com?clientId=Dahl", anna.Json)).Is(200);
        var renamed = anna.Json.DeepClone();
        renamed["name"] = "Anna Dahl";
        (await Api.Send("PUT", "/v1/users/anna@d.com?clientId=Dahl", renamed.ToJsonString(), ("If-Match", "\"other\""))).Is(412, "precondition-failed", "If-Match");
        Assert.Equal("Anna Dahl", (string)(await Api.Send("PUT", "/v1/users/anna@d.com?clientId=Dahl", renamed.ToJsonString(), ("If-Match", tag))).Is(200)["name"]!);
        Assert.Contains((await Api.Get("/v1/contracts/D2/users")).Is(200).Items, user => (string)user!["name"]! == "Anna Dahl");
        Assert.Contains((await Api.Get("/v1/contracts/D2/allocations")).Is(200)["users"]!.AsArray(), user => (string)user!["name"]! == "Anna Dahl");

        // The name that is given last counts, wherever it is given.
        (await Api.Post("/v1/contracts/D1/users", new { users = new[] { new { userId = "anna@d.com", name = "A. Dahl" } } })).Is(200);
        Assert.Equal("A. Dahl", (string)(await Api.Get("/v1/users/anna@d.com?clientId=Dahl")).Is(200)["name"]!);
        (await Api.Put("/v1/users/anna@d.com?clientId=Dahl", new { name = "Anna" })).Is(200);
        (await Api.Put("/v1/contracts/D1/users/anna@d.com", new { name = "A. Dahl" })).Is(200);
        Assert.Equal("A. Dahl", (string)(await Api.Get("/v1/users/anna@d.com?clientId=Dahl")).Is(200)["name"]!);

        (await Api.Delete("/v1/contracts/D1/users/anna@d.com")).Is(204);
        Assert.Equal(["D1 false", "D2 true"], (await Api.Get("/v1/users/anna@d.com?clientId=Dahl")).Is(200)["contracts"]!.AsArray()
            .Select(contract => $"{contract!["contractId"]} {contract["assigned"]}"));
    }

    [Fact]
    public async Task C3_the_directory_is_written_directly_and_its_users_are_assigned_later()
    {
        await Api.Contract("E1", "Egge");
        var made = (await Api.Put("/v1/users/ben?clientId=Egge", new { name = "Ben", disabled = true })).Is(201);
        Assert.Equal("/v1/users/ben?clientId=Egge", made.Headers.Location!.OriginalString);
        Assert.Empty(made["contracts"]!.AsArray());
        (await Api.Put("/v1/users/ben?clientId=none", new { name = "Ben" })).Is(404, "not-found");
        (await Api.Put("/v1/users/ben", new { name = "Ben" })).Is(422, "invalid-field", "clientId");
        (await Api.Put("/v1/users/ben?clientId=Egge", new { name = "Ben", clientId = "A" })).Is(422, "invalid-field", "clientId");
        (await Api.Put("/v1/users/ben?clientId=Egge", new { name = "Ben", contracts = new[] { new { contractId = "E1" } } })).Is(422, "invalid-field", "contracts");

        // Disabled for the client, he gets nothing; enabled again, he reports.
        (await Api.Put("/v1/contracts/E1/users/ben", new { name = "Ben" })).Is(200);
        await Api.Grant("G1", 5, contract: "E1");
        (await Api.Report("E-R1", ["P1"], "E1", "ben")).Is(409, "user-disabled");
        (await Api.Put("/v1/users/ben?clientId=Egge", new { name = "Ben" })).Is(200);
        (await Api.Report("E-R1", ["P1"], "E1", "ben")).Is(201);

        Assert.Equal(["U1 U1", "U2 U2", "ben Ben"], (await Api.All("/v1/users?clientId=Egge")).Select(user => $"{user["userId"]} {user["name"]}"));
        Assert.Equal(["ben"], (await Api.All("/v1/users?clientId=Egge&name=BE")).Select(user => (string)user["userId"]!));
        Assert.Equal(["user-set", "user-switched", "user-set", "user-switched", "credits-charged"],
            (await Api.All("/v1/ledger?clientId=Egge&userId=ben")).Select(entry => (string)entry["kind"]!));
        Assert.Equal("""{"clientId":"Egge","contracts":1,"accounts":0,"users":3}""",
            (await Api.All("/v1/clients")).Single(client => (string)client["clientId"]! == "Egge").ToJsonString());
    }

    [Fact]
    public async Task C4_a_list_of_contracts_says_how_each_stands()
    {
        await Api.Contract("F1", "Falk", new { name = "Falk first team" });
        await Api.Contract("F2", "Falk", new { name = "Falk youth", type = "unlimited" });
        (await Api.Put("/v1/contracts/F3", Terms("Falk", new { name = "Next year", startsOn = "2027-01-01" }))).Is(201);
        await Api.Grant("G1", 100, contract: "F1");
        (await Api.Report("F-R1", Some("F", 3), "F1")).Is(201);
        (await Api.Report("F-R2", Some("F", 4), "F2")).Is(201);

        var all = (await Api.Get("/v1/contracts?clientId=Falk")).Is(200).Items;
        Assert.Equal(
            ["F1 running 97 3 2 0.1 ", "F2 running  1 2 0.03 ", "F3 coming 0 0 0 0 "],
            all.Select(item => $"{item!["contractId"]} {item["state"]} {item["remaining"]} {item["used"]} {item["users"]} {item["burn"]!["creditsPerDay"]} {item["burn"]!["runsOutOn"]}"));
        Assert.Equal("Falk first team", (string)all[0]!["name"]!);

        foreach (var (query, ids) in (IEnumerable<(string, string)>)[("name=YOUTH", "F2"), ("state=coming", "F3"), ("type=metered", "F1 F3"), ("state=over", ""), ("name=falk&type=metered&limit=1", "F1")])
            Assert.Equal(ids, string.Join(' ', (await Api.Get($"/v1/contracts?clientId=Falk&{query}")).Is(200).Items.Select(item => (string)item!["contractId"]!)));
    }

    [Fact]
    public async Task The_ledger_is_filtered_by_kind_actor_and_time_and_lots_by_payment()
    {
        await Api.Contract("L1", "Lund");
        await Api.Grant("G1", 5, contract: "L1");
        (await Api.Post("/v1/contracts/L1/lots", new { lotId = "G2", paymentId = "INV 7 / 2026", quantity = 5 })).Is(201);
        (await Api.Report("L-R1", ["P1"], "L1")).Is(201);

        async Task<IEnumerable<string>> Kinds(string query) => (await Api.All($"/v1/ledger?contractId=L1&{query}")).Select(entry => (string)entry["kind"]!);
        Assert.Equal(["lot-granted", "lot-granted"], await Kinds("kind=lot-granted"));
        Assert.Equal(["credits-charged"], await Kinds("kind=credits-charged&actor=local"));
        Assert.Empty(await Kinds("actor=nobody"));
        Assert.Empty(await Kinds($"from={Day(1)}"));
        Assert.Empty(await Kinds($"to={Day(0)}"));
        Assert.Equal(await Kinds(""), await Kinds($"from={Day(0)}&to={Day(1)}"));
        Assert.Equal("credits-charged", (await Kinds("order=desc")).First());
        Assert.Equal(["G2"], (await Api.All("/v1/contracts/L1/lots?paymentId=INV%207%20%2F%202026")).Select(lot => (string)lot["lotId"]!));
    }
}
