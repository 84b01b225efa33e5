using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>C1 to C3, told over HTTP.</summary>
public sealed class ContractStories
{
    [Fact]
    public async Task C1_Client_type_zone_and_a_begun_start_are_fixed()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var ledger = await api.Ledger();

        (await api.Put("/v1/contracts/C1", Terms("B"))).Is(422, "invalid-field", "clientId");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { type = "unlimited" }))).Is(422, "invalid-field", "type");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { timeZone = "Europe/Berlin" }))).Is(422, "invalid-field", "timeZone");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { startsOn = Date(5) }))).Is(422, "invalid-field", "startsOn");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { endsOn = Date(-1) }))).Is(422, "invalid-field", "endsOn");
        Assert.Equal(ledger, await api.Ledger());

        (await api.Put("/v1/contracts/C1", Terms(terms: new { name = "Renamed", endsOn = Date(0) }))).Is(200);
        Assert.Equal("Renamed", (string)(await api.Get("/v1/contracts/C1")).Is(200)["name"]!);
    }

    [Fact]
    public async Task C1_A_start_to_come_may_move()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { startsOn = Date(5) });

        (await api.Put("/v1/contracts/C1", Terms(terms: new { startsOn = Date(-1) }))).Is(422, "invalid-field", "startsOn");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { startsOn = Date(7) }))).Is(200);
    }

    [Fact]
    public async Task L1_Credits_bought_before_the_contract_begins_last_from_its_first_day()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { startsOn = Date(92), unallocatedLifetimeDays = 30 });

        var lot = await api.Grant("early", 100);
        Assert.Equal((100, $"{Date(92)}T00:00:00Z", $"{Date(122)}T00:00:00Z"), ((int)lot["quantity"]!, (string)lot["availableFrom"]!, (string)lot["expiresAt"]!));
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY", quantity = 1, expiresAt = Day(9) })).Is(422, "invalid-field", "expiresAt");
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY", quantity = 1, availableFrom = Day(0), expiresAt = Day(9) })).Is(422, "invalid-field", "expiresAt");
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY", quantity = 1, availableFrom = Day(1) })).Is(422, "invalid-field", "availableFrom");
        (await api.Put("/v1/contracts/C1", Terms(terms: new { startsOn = Date(122), unallocatedLifetimeDays = 30 }))).Is(422, "invalid-field", "startsOn");

        await api.Clock($"{Date(92)}T00:00:00Z");
        Assert.Equal("early:1", (await api.Report("R1", ["P1"])).Is(201).Draws());
        await api.Balanced();
    }

    [Fact]
    public async Task C1_Both_days_are_included_in_the_contracts_zone()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { timeZone = "America/New_York", startsOn = "2026-03-10", endsOn = "2026-03-11" });
        await api.Grant("G1", 9);

        await api.Clock("2026-03-10T03:59:59Z");
        (await api.Report("R1", ["P1"])).Is(409, "contract-not-active");
        await api.Clock("2026-03-10T04:00:00Z");
        (await api.Report("R1", ["P1"])).Is(201);
        await api.Clock("2026-03-12T03:59:59Z");
        (await api.Report("R2", ["P2"])).Is(201);
        await api.Clock("2026-03-12T04:00:00Z");
        var over = (await api.Report("R3", ["P3"])).Is(409, "contract-not-active");
        Assert.Equal((1, 0), ((int)over["toCharge"]!, (int)over["contractRemaining"]!));
        (await api.Report("R1", ["P1"])).Is(200);
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-1", quantity = 1 })).Is(409, "contract-not-active");
        await api.Balanced();
    }

    [Fact]
    public async Task C1_Who_has_seen_an_older_version_changes_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        var body = Terms().ToJsonString();

        (await api.Send("PUT", "/v1/contracts/C1", body, ("If-Match", "*"))).Is(412, "precondition-failed");
        var made = (await api.Send("PUT", "/v1/contracts/C1", body)).Is(201);
        var seen = made.Headers.ETag!.ToString();
        Assert.Equal(seen, (await api.Get("/v1/contracts/C1")).Headers.ETag!.ToString());
        Assert.Equal(304, (await api.Send("GET", "/v1/contracts/C1", null, ("If-None-Match", seen))).Status);

        var renamed = Terms(terms: new { name = "Renamed" }).ToJsonString();
        var changed = (await api.Send("PUT", "/v1/contracts/C1", renamed, ("If-Match", seen))).Is(200);
        Assert.NotEqual(seen, changed.Headers.ETag!.ToString());
        (await api.Send("PUT", "/v1/contracts/C1", body, ("If-Match", seen))).Is(412, "precondition-failed");

        // What has been done already, as after a lost answer, is no conflict.
        Assert.Equal(changed.Headers.ETag, (await api.Send("PUT", "/v1/contracts/C1", renamed, ("If-Match", seen))).Is(200).Headers.ETag);
        (await api.Send("PUT", "/v1/contracts/C1", body, ("If-Match", "nonsense"))).Is(412, "precondition-failed");
        (await api.Send("PUT", "/v1/contracts/C1", body, ("If-Match", $"\"77\", {changed.Headers.ETag}"))).Is(200);
        (await api.Send("PUT", "/v1/contracts/C1", body, ("If-Match", "*"))).Is(200);
        Assert.Equal(3, (await api.All("/v1/ledger?contractId=C1")).Count);
    }

    [Fact]
    public async Task C1_Contracts_are_listed_by_client()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        foreach (var contract in (string[])["C3", "C1", "C2"]) await api.Contract(contract);
        await api.Contract("B1", "B");

        Assert.Equal(["C1", "C2", "C3"], (await api.All("/v1/contracts?clientId=A", limit: 2)).Select(item => (string)item["contractId"]!));
        Assert.Equal(["B1", "C1", "C2", "C3"], (await api.All("/v1/contracts", limit: 1)).Select(item => (string)item["contractId"]!));
        (await api.Get("/v1/contracts?clientId=nobody")).Is(404, "not-found");
    }

    [Fact]
    public async Task C2_An_unlimited_contract_mints_each_credit_as_it_is_used()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { type = "unlimited" });
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-1", quantity = 1 })).Is(422, "invalid-field", "contractId");

        var report = (await api.Report("R1", Some("a", 1000))).Is(201);
        Assert.Equal(1000, report.Charged());
        Assert.Null(report["balance"]!["contractRemaining"]);
        Assert.Equal("minted:1000", report.Draws());
        Assert.Equal(0, (await api.Report("R2", ["a-1"])).Is(201).Charged());
        Assert.Equal(1, (await api.Report("R3", ["b"])).Is(201).Charged());

        var audit = await api.Balanced();
        Assert.Equal((0, 1001, 0, 1001), ((int)audit["granted"]!, (int)audit["minted"]!, (int)audit["unallocated"]!, (int)audit["allocated"]!));
    }

    [Fact]
    public async Task C3_Only_an_assigned_and_enabled_user_may_consume()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("C1");
        await api.Contract("C2");
        await api.Grant("G1", 9, contract: "C1");
        await api.Grant("G1", 9, contract: "C2");

        (await api.Report("R1", ["P1"], user: "U9")).Is(409, "user-not-assigned");
        (await api.Put("/v1/contracts/C1/users/U9", new { name = "Nine" })).Is(200);
        (await api.Report("R1", ["P1"], user: "U9")).Is(201);

        (await api.Post("/v1/users/U9/disable", new { clientId = "A" })).Is(200);
        (await api.Report("R2", ["P2"], user: "U9")).Is(409, "user-disabled");
        (await api.Post("/v1/users/U9/enable", new { clientId = "A" })).Is(200);
        (await api.Report("R2", ["P2"], user: "U9")).Is(201);

        (await api.Delete("/v1/contracts/C1/users/U9")).Is(204);
        (await api.Delete("/v1/contracts/C1/users/U9")).Is(404, "not-found");
        (await api.Report("R3", ["P3"], user: "U9")).Is(409, "user-not-assigned");

        // Disabling holds for all contracts of the client, for those who come later, too.
        (await api.Post("/v1/users/U1/disable", new { clientId = "A" })).Is(200);
        (await api.Report("R3", ["P3"], contract: "C1")).Is(409, "user-disabled");
        (await api.Report("R3", ["P3"], contract: "C2")).Is(409, "user-disabled");
        await api.Contract("C3");
        (await api.Report("R3", ["P1"], contract: "C3")).Is(409, "user-disabled");
        (await api.Report("R3", ["P3"], user: "U2")).Is(201);
        await api.Balanced();
    }

    [Fact]
    public async Task C3_A_list_replaces_the_users()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 9);

        await api.Users("C1", "U2", "U3", "U4");
        Assert.Equal(["U2", "U3", "U4"], (await api.All("/v1/contracts/C1/users", limit: 2)).Select(user => (string)user["userId"]!));
        (await api.Report("R1", ["P1"])).Is(409, "user-not-assigned");
        await api.Users("C1");
        Assert.Empty(await api.All("/v1/contracts/C1/users"));
        await api.Users("C1", "U1");
        (await api.Report("R1", ["P1"])).Is(201);
    }

    [Fact]
    public async Task C3_Users_are_added_and_the_others_stay()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();

        var body = new { users = new[] { new { userId = "U3", name = "Three" }, new { userId = "U1", name = "One" } } };
        Assert.Equal(["U1 One", "U2 U2", "U3 Three"], (await api.Post("/v1/contracts/C1/users", body)).Is(200).Items.Select(user => $"{user!["userId"]} {user["name"]}"));
        var ledger = await api.Ledger();
        (await api.Post("/v1/contracts/C1/users", body)).Is(200);
        Assert.Equal(ledger, await api.Ledger());
        (await api.Post("/v1/contracts/C9/users", body)).Is(404, "not-found");
    }

    [Fact]
    public async Task C3_One_client_s_users_are_not_another_s()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("C1", "A");
        await api.Contract("B1", "B");
        await api.Grant("G1", 9, contract: "B1");

        (await api.Post("/v1/users/U1/disable", new { clientId = "A" })).Is(200);
        (await api.Report("R1", ["P1"], contract: "B1")).Is(201);
        (await api.Post("/v1/users/U9/disable", new { clientId = "A" })).Is(404, "not-found");
    }
}
