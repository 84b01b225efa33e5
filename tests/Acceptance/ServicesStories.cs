using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>S1 to S6 and L3, told over HTTP.</summary>
public sealed class ServicesStories
{
    [Fact]
    public async Task S2_S3_A_hundred_adjusted_to_75_return_25_latest_expiry_first()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 60, expiresOn: 10);
        await api.Buy("P2", 50, expiresOn: 20);
        await api.Buy("P3", 50, expiresOn: 30);
        await api.Project();
        (await api.Milestone("M1", 100)).Is(201);

        Assert.Equal("P1:60 P2:40", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("P2:-25", (await api.Adjust("M1", 75)).Is(200).Moved());
        Assert.Equal("P1:60 P2:15", (await api.Get("/v1/milestones/M1")).Holds());
        Assert.Equal("EUR 85/75/0", await api.ServicesBalance());

        Assert.Equal("P2:35 P3:10", (await api.Adjust("M1", 120)).Is(200).Moved());
        Assert.Equal("P3:-10 P2:-50 P1:-30", (await api.Adjust("M1", 30)).Is(200).Moved());

        var records = await api.All("/v1/milestones/M1/consumptions");
        Assert.Equal(
            ["consumption P1 60", "consumption P2 40", "adjustment P2 -25", "adjustment P2 35", "adjustment P3 10", "adjustment P3 -10", "adjustment P2 -50", "adjustment P1 -30"],
            records.Select(record => $"{record["kind"]} {record["purchaseId"]} {record["quantity"]}"));
        Assert.All(records, record => Assert.Equal(("EUR", Date(0), "M1", "A1"), ((string)record["currency"]!, (string)record["date"]!, (string)record["milestoneId"]!, (string)record["accountId"]!)));
        var allocation = Assert.Single(await api.All("/v1/milestones/M1/allocations"));
        Assert.Equal(30, (decimal)allocation["quantity"]!);
        Assert.Equal("EUR 130/30/0", await api.ServicesBalance());
    }

    [Fact]
    public async Task S1_What_is_made_is_shown_and_made_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        Assert.Equal("""{"accountId":"A1","clientId":"A","name":"Account","timeZone":"UTC"}""", (await api.Account()).Text);
        (await api.Put("/v1/accounts/A1", new { clientId = "A", name = "Renamed" })).Is(200);
        (await api.Put("/v1/accounts/A1", new { clientId = "B", name = "Renamed" })).Is(422, "invalid-field", "clientId");
        (await api.Put("/v1/accounts/A1", new { clientId = "A", name = "Renamed", timeZone = "Europe/Berlin" })).Is(422, "invalid-field", "timeZone");
        Assert.Equal("Renamed", (string)(await api.Get("/v1/accounts/A1")).Is(200)["name"]!);

        var bought = await api.Buy("P1", 12.5m, expiresOn: 3, startsOn: -2);
        Assert.Equal(
            $$"""{"purchaseId":"P1","accountId":"A1","currency":"EUR","quantity":12.5,"available":12.5,"allocated":0,"expired":0,"startsOn":"{{Date(-2)}}","expiresOn":"{{Date(3)}}","timeZone":"UTC","createdAt":"{{Day(0)}}","description":null}""",
            bought.Text);
        var body = new { purchaseId = "P1", currency = "EUR", quantity = 12.5m, startsOn = Date(-2), expiresOn = Date(3) };
        Assert.Equal("/v1/accounts/A1/purchases/P1", $"{bought.Headers.Location}");
        Assert.Equal(bought.Text, (await api.Get($"{bought.Headers.Location}")).Is(200).Text);
        (await api.Get("/v1/accounts/A1/purchases/P9")).Is(404, "not-found");
        var again = (await api.Post("/v1/accounts/A1/purchases", body)).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(bought.Text, again.Text);
        Assert.True((await api.Post("/v1/accounts/A1/purchases", """{"purchaseId":"P1","currency":"EUR","quantity":12.50,"startsOn":"2026-02-27","expiresOn":"2026-03-04"}""")).Is(200).IsReplay);
        (await api.Post("/v1/accounts/A1/purchases", body with { quantity = 12.6m })).Is(409, "idempotency-key-reused");
        var described = new { purchaseId = "P0", currency = "EUR", quantity = 1, startsOn = Date(0), expiresOn = Date(3), description = "Season 2026, first half" };
        Assert.Equal(described.description, (string?)(await api.Post("/v1/accounts/A1/purchases", described)).Is(201)["description"]);
        Assert.Equal(described.description, (string?)(await api.Get("/v1/accounts/A1/purchases/P0")).Is(200)["description"]);
        (await api.Post("/v1/accounts/A1/purchases", described with { description = "Other" })).Is(409, "idempotency-key-reused");

        var unnamed = new { currency = "EUR", quantity = 1, startsOn = Date(0), expiresOn = Date(3) };
        var keyed = (await api.Post("/v1/accounts/A1/purchases", unnamed, ("Idempotency-Key", "K1"))).Is(201);
        var keyedAgain = (await api.Post("/v1/accounts/A1/purchases", unnamed, ("Idempotency-Key", "K1"))).Is(200);
        Assert.True(keyedAgain.IsReplay);
        Assert.Equal(keyed.Text, keyedAgain.Text);
        (await api.Post("/v1/accounts/A1/purchases", unnamed with { quantity = 2 }, ("Idempotency-Key", "K1"))).Is(409, "idempotency-key-reused");
        Assert.Equal(3, (await api.All("/v1/accounts/A1/purchases", limit: 1)).Count);

        Assert.Equal("""{"projectId":"J1","clientId":"A","accountId":"A1","currency":"EUR","name":""}""", (await api.Project()).Text);
        Assert.Equal(
            """{"milestoneId":"M1","projectId":"J1","accountId":"A1","currency":"EUR","servicesCredits":0,"status":"None","actualDate":null,"timeZone":"UTC","wasAllocated":false,"allocated":0,"holdings":[],"name":""}""", (await api.Milestone("M1")).Is(201).Text);
        (await api.Milestone("M2", 7, "Planned")).Is(201);
        Assert.Equal(["A1"], (await api.All("/v1/accounts?clientId=A")).Select(account => (string)account["accountId"]!));
        Assert.Equal(["J1"], (await api.All("/v1/projects?accountId=A1")).Select(project => (string)project["projectId"]!));
        Assert.Equal(["M1", "M2"], (await api.All("/v1/milestones?projectId=J1", limit: 1)).Select(milestone => (string)milestone["milestoneId"]!));
        (await api.Get("/v1/milestones?projectId=J9")).Is(404, "not-found");
    }

    [Fact]
    public async Task S1_A_quantity_is_more_than_0_and_has_4_decimal_places_at_most()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 999_999_999.9999m);
        await api.Buy("P2", 0.0001m, expiresOn: 3);
        await api.Project();
        (await api.Milestone("M1", 0.0003m)).Is(201);
        Assert.Equal("P2:0.0001 P1:0.0002", (await api.Allocate("M1")).Is(200).Moved());
        Assert.Equal("EUR 999999999.9997/0.0003/0", await api.ServicesBalance());

        var ledger = await api.Ledger();
        foreach (var quantity in (string[])[
            "0", "-1", "0.00001", "1.00001", "1000000000", "999999999.99991", "1e20", "79228162514264337593543950335", "1.00000000000000000000000000001", "1e400", "\"5\""])
        {
            (await api.Post("/v1/accounts/A1/purchases", $$"""{"purchaseId":"P9","currency":"EUR","quantity":{{quantity}},"startsOn":"{{Date(0)}}","expiresOn":"{{Date(9)}}"}""")).Is(422, "invalid-field", "quantity");
            if (quantity != "0") (await api.Put("/v1/milestones/M2", $$"""{"projectId":"J1","servicesCredits":{{quantity}}}""")).Is(422, "invalid-field", "servicesCredits");
            if (quantity != "0") (await api.Post("/v1/milestones/M1/adjust", $$"""{"quantity":{{quantity}}}""")).Is(422, "invalid-field", "quantity");
        }
        Assert.Equal(ledger, await api.Ledger());
    }

    [Fact]
    public async Task S2_Draws_what_has_begun_and_expires_first_in_the_project_s_currency_only()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("later", 10, expiresOn: 20);
        await api.Buy("first", 10, expiresOn: 5);
        await api.Buy("small", 1.5m, expiresOn: 9);
        await api.Buy("future", 100, startsOn: 1, expiresOn: 2);
        await api.Buy("dollars", 100, expiresOn: 1, currency: "USD");
        await api.Project();
        (await api.Milestone("M1", 12)).Is(201);
        (await api.Milestone("M2", 10)).Is(201);

        Assert.Equal("first:10 small:1.5 later:0.5", (await api.Allocate("M1", dryRun: true)).Is(200).Moved());
        Assert.Equal("", (await api.Get("/v1/milestones/M1")).Holds());
        Assert.Equal("first:10 small:1.5 later:0.5", (await api.Allocate("M1")).Is(200).Moved());

        var ledger = await api.Ledger();
        var refused = (await api.Allocate("M2")).Is(402, "insufficient-services-credits");
        Assert.Equal(("EUR", 10m, 9.5m), ((string)refused["currency"]!, (decimal)refused["toAllocate"]!, (decimal)refused["available"]!));
        var rehearsed = (await api.Allocate("M2", dryRun: true)).Is(200);
        Assert.Equal("insufficient-services-credits", (string)rehearsed["refusal"]!["code"]!);
        Assert.Equal((9.5m, true), ((decimal)rehearsed["refusal"]!["available"]!, (bool)rehearsed["dryRun"]!));
        Assert.Equal(ledger, await api.Ledger());
        Assert.Equal("EUR 9.5/12/0 USD 100/0/0", await api.ServicesBalance());

        await api.Clock(Date(1) + "T00:00:00Z");
        Assert.Equal("future:10", (await api.Allocate("M2")).Is(200).Moved());
        Assert.Equal("", (await api.Allocate("M2")).Is(200).Moved());
    }

    [Fact]
    public async Task S3_Before_the_first_allocation_there_is_nothing_to_adjust_and_dry_runs_change_nothing()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 10);
        await api.Project();
        (await api.Milestone("M1", 5)).Is(201);
        (await api.Milestone("M0")).Is(201);
        (await api.Adjust("M1", 6)).Is(409, "not-allocated");
        Assert.Equal("not-allocated", (string)(await api.Adjust("M1", 6, dryRun: true)).Is(200)["refusal"]!["code"]!);
        (await api.Allocate("M0")).Is(422, "invalid-field", "servicesCredits");
        (await api.Allocate("M9")).Is(404, "not-found");
        (await api.Adjust("M9", 1)).Is(404, "not-found");

        (await api.Allocate("M1")).Is(200);
        var ledger = await api.Ledger();
        Assert.Equal("P1:3", (await api.Adjust("M1", 8, dryRun: true)).Is(200).Moved());
        Assert.Equal("P1:-5", (await api.Adjust("M1", 0, dryRun: true)).Is(200).Moved());
        Assert.Equal("insufficient-services-credits", (string)(await api.Adjust("M1", 11, dryRun: true)).Is(200)["refusal"]!["code"]!);
        Assert.Equal("", (await api.Adjust("M1", 5)).Is(200).Moved());
        (await api.Adjust("M1", 11)).Is(402, "insufficient-services-credits");
        Assert.Equal(ledger, await api.Ledger());

        (await api.Adjust("M1", 0)).Is(200);
        Assert.Equal("P1:2", (await api.Adjust("M1", 2)).Is(200).Moved());
        Assert.Equal((2m, "P1:2"), ((decimal)(await api.Get("/v1/milestones/M1"))["servicesCredits"]!, (await api.Get("/v1/milestones/M1")).Holds()));
    }

    [Fact]
    public async Task S5_A_milestone_that_was_adjusted_to_0_can_be_planned_again()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Project();
        await api.Buy("P1", 10);
        Assert.False((bool)(await api.Milestone("M1", 5, "Planned")).Is(201)["wasAllocated"]!);
        (await api.Allocate("M1")).Is(200);
        (await api.Milestone("M1", 6, "Planned")).Is(422, "invalid-field", "servicesCredits");
        (await api.Adjust("M1", 0)).Is(200);

        (await api.Milestone("M1", 7, "Done")).Is(409, "allocation-required", "status");
        var planned = (await api.Milestone("M1", 7, "--None--")).Is(200);
        Assert.Equal((7m, "None", true, 0m), ((decimal)planned["servicesCredits"]!, (string)planned["status"]!, (bool)planned["wasAllocated"]!, (decimal)planned["allocated"]!));
        Assert.Equal("EUR 10/0/0", await api.ServicesBalance());
        Assert.Equal("P1:7", (await api.Allocate("M1")).Is(200).Moved());
        await api.RecordsAddUp("J1");
    }

    [Fact]
    public async Task G2_An_audit_of_an_account_adds_up_its_entries_and_records()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Project();
        await api.Project("J2", currency: "USD");
        await api.Buy("P1", 10.5m, expiresOn: 2);
        await api.Buy("P2", 5);
        await api.Buy("P3", 9, currency: "USD");
        (await api.Milestone("M1", 12, "Planned")).Is(201);
        (await api.Allocate("M1")).Is(200);
        await api.Clock(Day(3));
        (await api.Adjust("M1", 4)).Is(200);

        Assert.Equal(
            """{"accountId":"A1","balanced":true,"currencies":[{"currency":"EUR","bought":15.5,"available":5,"allocated":4,"expired":6.5},{"currency":"USD","bought":9,"available":9,"allocated":0,"expired":0}],"differences":[]}""",
            (await api.Get("/v1/accounts/A1/audit")).Is(200).Text);
        (await api.Get("/v1/accounts/A9/audit")).Is(404, "not-found");
    }

    [Fact]
    public async Task S4_Records_are_read_only()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 10);
        await api.Project();
        (await api.Milestone("M1", 5)).Is(201);
        (await api.Allocate("M1")).Is(200);
        var records = (await api.Get("/v1/milestones/M1/consumptions")).Is(200);
        Assert.Equal("A1~000000001", (string)records.Items.Single()!["consumptionId"]!);
        var allocations = (await api.Get("/v1/milestones/M1/allocations")).Is(200);

        foreach (var path in (string[])["/v1/milestones/M1/consumptions", "/v1/milestones/M1/allocations", "/v1/accounts/A1/consumptions", "/v1/accounts/A1/allocations"])
            foreach (var method in (string[])["POST", "PUT", "PATCH", "DELETE"])
            {
                (await api.Send(method, path, """{"quantity":1}""")).Is(405, "method-not-allowed");
                (await api.Send(method, $"{path}/A1~000000001", """{"quantity":1}""")).Is(404, "not-found");
            }
        Assert.Equal(records.Text, (await api.Get("/v1/milestones/M1/consumptions")).Text);
        Assert.Equal(allocations.Text, (await api.Get("/v1/milestones/M1/allocations")).Text);
        (await api.Get("/v1/milestones/M9/consumptions")).Is(404, "not-found");
        (await api.Get("/v1/milestones/M9/allocations")).Is(404, "not-found");
    }

    [Fact]
    public async Task S5_What_is_not_allocated_stays_planned_and_what_is_held_stays_put()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Account("A2");
        await api.Account("B1", client: "B");
        await api.Buy("P1", 10);
        await api.Project();
        await api.Project("J2");
        await api.Project("JB", "B1");

        // Not allocated: exempt statuses only, no actual date.
        (await api.Milestone("M1", 5, "Done")).Is(409, "allocation-required", "status");
        (await api.Milestone("M1", 5, "Planned", Date(0))).Is(409, "allocation-required", "actualDate");
        foreach (var status in (string?[])["Planned", "Canceled", "None", null]) (await api.Milestone("M1", 5, status)).Is(status == "Planned" ? 201 : 200);
        (await api.Milestone("M1", 5, "Done")).Is(409, "allocation-required", "status");
        (await api.Milestone("M1", 5, "planned")).Is(409, "allocation-required", "status");
        (await api.Milestone("M1", 0, "Done", Date(0))).Is(200);
        (await api.Milestone("M1", 5)).Is(200);
        (await api.Milestone("M1", 6, project: "J2")).Is(200);
        (await api.Milestone("M1", 5)).Is(200);

        // Allocated: free to go on; what it costs changes by adjusting only, and its place is fixed.
        (await api.Allocate("M1")).Is(200);
        (await api.Milestone("M1", 5, "Done", Date(0))).Is(200);
        (await api.Milestone("M1", 5, "Done", Date(1))).Is(200);
        (await api.Milestone("M1", 6, "Done", Date(1))).Is(422, "invalid-field", "servicesCredits");
        (await api.Milestone("M1", 5, "Done", Date(1), "J2")).Is(422, "invalid-field", "projectId");
        (await api.Put("/v1/projects/J1", new { accountId = "A2", currency = "EUR" })).Is(422, "invalid-field", "accountId");
        (await api.Put("/v1/projects/J1", new { accountId = "A1", currency = "USD" })).Is(422, "invalid-field", "currency");
        (await api.Put("/v1/projects/J1", new { accountId = "A1", currency = "EUR" })).Is(200);
        (await api.Adjust("M1", 7)).Is(200);
        (await api.Adjust("M1", 0)).Is(409, "allocation-required", "status");
        (await api.Milestone("M1", 7, "Canceled", Date(1))).Is(200);
        (await api.Adjust("M1", 0)).Is(409, "allocation-required", "actualDate");
        (await api.Milestone("M1", 7, "Canceled")).Is(200);
        (await api.Adjust("M1", 0)).Is(200);

        // Nothing is held any more: all of it may move, within the client.
        (await api.Milestone("M1", project: "JB")).Is(422, "invalid-field", "projectId");
        (await api.Milestone("M1", project: "J9")).Is(404, "not-found");
        (await api.Milestone("M1", project: "J2")).Is(200);
        (await api.Put("/v1/projects/J2", new { accountId = "B1", currency = "EUR" })).Is(422, "invalid-field", "accountId");
        (await api.Put("/v1/projects/J2", new { accountId = "A9", currency = "EUR" })).Is(404, "not-found");
        (await api.Put("/v1/projects/J2", new { accountId = "A2", currency = "USD" })).Is(200);
        await api.Buy("P1", 4, currency: "USD", account: "A2");
        Assert.Equal("P1:4", (await api.Adjust("M1", 4)).Is(200).Moved());
        Assert.Equal(("EUR 10/0/0", "USD 0/4/0"), (await api.ServicesBalance(), await api.ServicesBalance("A2")));
        (await api.Put("/v1/projects/J2", new { accountId = "A1", currency = "USD" })).Is(422, "invalid-field", "accountId");
    }

    [Fact]
    public async Task S5_The_exempt_statuses_are_a_setting()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        Assert.Equal("""{"noAllocationStatuses":["Planned","Canceled","None"]}""", (await api.Get("/v1/settings/services-credits")).Is(200).Text);
        await api.Account();
        await api.Buy("P1", 10);
        await api.Project();
        (await api.Milestone("M1", 5, "Draft")).Is(409, "allocation-required", "status");

        Assert.Equal("""{"noAllocationStatuses":["Draft"]}""", (await api.Put("/v1/settings/services-credits", new { noAllocationStatuses = new[] { "Draft" } })).Is(200).Text);
        (await api.Milestone("M1", 5, "Planned")).Is(409, "allocation-required", "status");
        (await api.Milestone("M1", 5, "Draft")).Is(201);
        (await api.Allocate("M1")).Is(200);
        (await api.Milestone("M1", 5, "Planned")).Is(200);
        (await api.Adjust("M1", 0)).Is(409, "allocation-required", "status");

        var ledger = await api.Ledger();
        (await api.Put("/v1/settings/services-credits", new { noAllocationStatuses = new[] { "Draft" } })).Is(200);
        (await api.Put("/v1/settings/services-credits", new { noAllocationStatuses = new[] { "A", "A" } })).Is(422, "invalid-field", "noAllocationStatuses");
        (await api.Put("/v1/settings/services-credits", new { noAllocationStatuses = new[] { "" } })).Is(422, "invalid-field", "noAllocationStatuses");
        (await api.Put("/v1/settings/services-credits", """{"noAllocationStatuses":[null]}""")).Is(422, "invalid-field", "noAllocationStatuses[0]");
        Assert.Equal(ledger, await api.Ledger());
        (await api.Put("/v1/settings/services-credits", new { noAllocationStatuses = Array.Empty<string>() })).Is(200);
        (await api.Milestone("M2", 5, "Draft")).Is(409, "allocation-required", "status");
        Assert.Equal(["settings-set", "settings-set"], (await api.All("/v1/ledger")).Select(entry => (string)entry["kind"]!).Where(kind => kind == "settings-set"));
    }

    [Fact]
    public async Task S6_L3_What_is_left_expires_and_what_comes_back_too_late_expires_at_once()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 10, expiresOn: 1);
        await api.Buy("P2", 10, expiresOn: 30);
        await api.Project();
        (await api.Milestone("M1", 15)).Is(201);
        (await api.Milestone("M2", 1)).Is(201);
        (await api.Allocate("M1")).Is(200);
        Assert.Equal("P2:-1", (await api.Adjust("M1", 14)).Is(200).Moved());
        await api.Buy("P3", 7, expiresOn: 1);

        await api.Clock(Day(2));
        Assert.Equal("EUR 6/14/7", await api.ServicesBalance());
        Assert.Equal("P2:1", (await api.Allocate("M2")).Is(200).Moved());
        var expiry = (await api.All("/v1/accounts/A1/consumptions")).Single(record => (string?)record["kind"] == "expiry");
        Assert.Equal(("P3", 7m, Date(2), Date(2) + "T00:00:00Z"), ((string)expiry["purchaseId"]!, (decimal)expiry["quantity"]!, (string)expiry["date"]!, (string)expiry["at"]!));
        Assert.Null(expiry["milestoneId"]);
        Assert.Equal([7m], (await api.All("/v1/accounts/A1/allocations")).Where(record => record["milestoneId"] is null).Select(record => (decimal)record["quantity"]!));

        // L3: the latest expiry first; what falls back to P1 is recorded as returned and as expired.
        Assert.Equal("P2:-4 P1:-3", (await api.Adjust("M1", 7)).Is(200).Moved());
        Assert.Equal("EUR 9/8/10", await api.ServicesBalance());
        Assert.Equal(["adjustment P2 -4", "adjustment P1 -3", "expiry P1 3"],
            (await api.All("/v1/accounts/A1/consumptions")).TakeLast(3).Select(record => $"{record["kind"]} {record["purchaseId"]} {record["quantity"]}"));
        Assert.Equal(["services-credits-returned 4", "services-credits-returned 3", "services-credits-expired 3"],
            (await api.All("/v1/ledger?accountId=A1")).TakeLast(3).Select(entry => $"{entry["kind"]} {entry["quantity"]}"));
        Assert.Equal("7/0/7", Show((await api.All("/v1/accounts/A1/purchases"))[0]));
        (await api.Adjust("M1", 18)).Is(402, "insufficient-services-credits");

        static string Show(JsonNode purchase) => $"{purchase["allocated"]}/{purchase["available"]}/{(decimal)purchase["expired"]! + 4}";
    }

    [Fact]
    public async Task S1_Both_days_are_included_in_the_account_s_zone()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account(timeZone: "America/New_York");
        (await api.Post("/v1/accounts/A1/purchases", new { purchaseId = "P1", currency = "EUR", quantity = 5, startsOn = "2026-03-07", expiresOn = "2026-03-08" })).Is(201);
        await api.Project();
        (await api.Milestone("M1", 1)).Is(201);

        await api.Clock("2026-03-07T04:59:59Z");
        (await api.Allocate("M1")).Is(402, "insufficient-services-credits");
        await api.Clock("2026-03-07T05:00:00Z");
        (await api.Allocate("M1")).Is(200);

        // The clocks go forward on the last day.
        await api.Clock("2026-03-09T03:59:59Z");
        Assert.Equal("EUR 4/1/0", await api.ServicesBalance());
        await api.Clock("2026-03-09T04:00:00Z");
        Assert.Equal("EUR 0/1/4", await api.ServicesBalance());
        Assert.Equal("2026-03-09", (string)(await api.All("/v1/accounts/A1/consumptions"))[^1]["date"]!);
        foreach (var dated in (string[])["accounts/A1/purchases", "accounts/A1/consumptions", "accounts/A1/allocations", "milestones/M1/consumptions", "milestones/M1/allocations", "milestones?projectId=J1"])
            Assert.All(await api.All($"/v1/{dated}"), document => Assert.Equal("America/New_York", (string)document["timeZone"]!));
        Assert.Equal("America/New_York", (string)(await api.Get("/v1/milestones/M1")).Is(200)["timeZone"]!);
        (await api.Post("/v1/accounts/A1/purchases", new { purchaseId = "P2", currency = "EUR", quantity = 5, startsOn = "2026-03-07", expiresOn = "2026-03-08" })).Is(422, "invalid-field", "expiresOn");
    }

    [Fact]
    public async Task G3_The_balance_of_any_instant_is_what_was_answered_then_or_will_be()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 10, expiresOn: 2);
        await api.Buy("P2", 5, startsOn: 2, expiresOn: 6);
        await api.Project();
        (await api.Milestone("M1", 4)).Is(201);
        var answered = new Dictionary<string, string> { [Day(0)] = await api.ServicesBalance() };
        var forecast = await api.ServicesBalance(at: Day(20));

        await api.Clock(Day(1));
        (await api.Allocate("M1")).Is(200);
        answered[Day(1)] = await api.ServicesBalance();
        var later = new Dictionary<string, string> { [Day(2)] = await api.ServicesBalance(at: Day(2)), [Day(3.5)] = await api.ServicesBalance(at: Day(3.5)) };
        await api.Clock(Day(2));
        answered[Day(2)] = await api.ServicesBalance();
        await api.Clock(Day(3.5));
        answered[Day(3.5)] = await api.ServicesBalance();
        await api.Clock(Day(4));
        (await api.Adjust("M1", 1)).Is(200);
        answered[Day(4)] = await api.ServicesBalance();
        await api.Clock(Day(20));
        answered[Day(20)] = await api.ServicesBalance();

        Assert.Equal(["EUR 10/0/0", "EUR 6/4/0", "EUR 11/4/0", "EUR 5/4/6", "EUR 5/1/9", "EUR 0/1/14"], answered.Values);
        Assert.Equal("EUR 0/0/15", forecast);
        foreach (var (at, balance) in answered) Assert.Equal(balance, await api.ServicesBalance(at: at));
        foreach (var (at, balance) in later) Assert.Equal(answered[at], balance);
        Assert.Equal("", await api.ServicesBalance(at: Day(-1)));
        (await api.Get("/v1/accounts/A9/balance")).Is(404, "not-found");
    }

    [Fact]
    public async Task S2_Two_milestones_at_once_never_get_more_than_there_is()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Project();
        for (var round = 1; round <= 10; round++)
        {
            await api.Buy($"one-{round}", 5);
            (await api.Milestone($"a-{round}", 5)).Is(201);
            (await api.Milestone($"b-{round}", 5)).Is(201);
            var answers = await Task.WhenAll(api.Allocate($"a-{round}"), api.Allocate($"b-{round}"));
            Assert.Equal([200, 402], answers.Select(answer => answer.Status).Order());

            await api.Buy($"two-{round}", 5);
            var loser = answers[0].Status == 402 ? "a" : "b";
            (await api.Milestone($"c-{round}", 5)).Is(201);
            await api.Buy($"three-{round}", 5);
            Assert.All(await Task.WhenAll(api.Allocate($"{loser}-{round}"), api.Allocate($"c-{round}")), answer => answer.Is(200));
            Assert.Equal($"EUR 0/{15 * round}/0", await api.ServicesBalance());
        }
        await api.RecordsAddUp("J1");
    }

    [Fact]
    public async Task S5_A_status_change_and_an_adjustment_to_0_at_once_leave_nothing_forbidden()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 1000);
        await api.Project();
        for (var round = 1; round <= 20; round++)
        {
            var milestone = $"M{round}";
            (await api.Milestone(milestone, 5)).Is(201);
            (await api.Allocate(milestone)).Is(200);
            var answers = round % 2 == 0
                ? await Task.WhenAll(api.Adjust(milestone, 0), Done(milestone))
                : (await Task.WhenAll(Done(milestone), api.Adjust(milestone, 0))).Reverse().ToArray();

            // The change of status is allowed before and after; the adjustment only before it.
            answers[1].Is(200);
            var kinds = (await api.All("/v1/ledger?accountId=A1")).Where(entry => (string?)entry["subject"] == $"milestone:{milestone}").Select(entry => (string)entry["cause"]!).ToList();
            if (answers[0].Status == 200) Assert.Equal(["request", "adjustment", "request"], kinds);
            else answers[0].Is(409, "allocation-required", "status");
            Assert.Equal(answers[0].Status == 200 ? "" : "P1:5", (await api.Get($"/v1/milestones/{milestone}")).Holds());
        }
        await api.RecordsAddUp("J1");

        Task<Answer> Done(string milestone) => api.Send("PATCH", $"/v1/milestones/{milestone}", """{"status":"Done"}""");
    }

    [Fact]
    public async Task A_milestone_that_has_changed_is_changed_by_who_has_seen_that_only()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Account();
        await api.Buy("P1", 10);
        await api.Project();
        var made = (await api.Milestone("M1", 5)).Is(201).Headers.ETag!.Tag;
        var body = """{"projectId":"J1","servicesCredits":5,"status":"Planned"}""";
        var other = body.Replace("Planned", "Canceled", StringComparison.Ordinal);
        var set = (await api.Send("PUT", "/v1/milestones/M1", body, ("If-Match", made))).Is(200).Headers.ETag!.Tag;
        Assert.NotEqual(made, set);
        Assert.Equal(set, (await api.Send("PUT", "/v1/milestones/M1", body, ("If-Match", made))).Is(200).Headers.ETag!.Tag);
        (await api.Send("PUT", "/v1/milestones/M1", other, ("If-Match", made))).Is(412, "precondition-failed");
        (await api.Send("POST", "/v1/milestones/M1/allocate", "{}", ("If-Match", made))).Is(412, "precondition-failed");
        var allocated = (await api.Send("POST", "/v1/milestones/M1/allocate", "{}", ("If-Match", set))).Is(200).Headers.ETag!.Tag;
        (await api.Send("POST", "/v1/milestones/M1/adjust", """{"quantity":4}""", ("If-Match", set))).Is(412, "precondition-failed");
        (await api.Send("POST", "/v1/milestones/M1/adjust", """{"quantity":4}""", ("If-Match", allocated))).Is(200);
        Assert.Empty((await api.Send("POST", "/v1/milestones/M1/adjust", """{"quantity":4}""", ("If-Match", allocated))).Is(200)["purchases"]!.AsArray());
        (await api.Send("GET", "/v1/milestones/M1", null, ("If-None-Match", (await api.Get("/v1/milestones/M1")).Headers.ETag!.Tag))).Is(304);
        (await api.Send("PUT", "/v1/milestones/M9", body, ("If-Match", "*"))).Is(412, "precondition-failed");
    }
}

/// <summary>The words of those stories: account A1 of client A, project J1 in euros, milestones by name.</summary>
internal static class ServicesWords
{
    public static async Task<Answer> Account(this Api api, string account = "A1", string client = "A", string timeZone = "UTC") =>
        (await api.Put($"/v1/accounts/{account}", new { clientId = client, name = "Account", timeZone })).Is(201);

    public static async Task<Answer> Buy(this Api api, string purchase, decimal quantity, int expiresOn = 30, int startsOn = 0, string currency = "EUR", string account = "A1") =>
        (await api.Post($"/v1/accounts/{account}/purchases", new { purchaseId = purchase, currency, quantity, startsOn = Date(startsOn), expiresOn = Date(expiresOn) })).Is(201);

    public static async Task<Answer> Project(this Api api, string project = "J1", string account = "A1", string currency = "EUR") =>
        (await api.Put($"/v1/projects/{project}", new { accountId = account, currency })).Is(201);

    public static Task<Answer> Milestone(this Api api, string milestone, decimal? servicesCredits = null, string? status = null, string? actualDate = null, string project = "J1") =>
        api.Put($"/v1/milestones/{milestone}", new { projectId = project, servicesCredits, status, actualDate });

    public static Task<Answer> Allocate(this Api api, string milestone, bool dryRun = false) => api.Post($"/v1/milestones/{milestone}/allocate", new { dryRun });

    public static Task<Answer> Adjust(this Api api, string milestone, decimal quantity, bool dryRun = false) => api.Post($"/v1/milestones/{milestone}/adjust", new { quantity, dryRun });

    /// <summary>What moved: <c>P1:60 P2:40</c>.</summary>
    public static string Moved(this Answer answer) => Text(answer["purchases"]);

    /// <summary>What a milestone holds: <c>P1:60 P2:40</c>.</summary>
    public static string Holds(this Answer milestone) => Text(milestone["holdings"]);

    /// <summary>Available, allocated and expired in each currency: <c>EUR 85/75/0</c>.</summary>
    public static async Task<string> ServicesBalance(this Api api, string account = "A1", string? at = null) => string.Join(' ',
        (await api.Get($"/v1/accounts/{account}/balance{(at is null ? "" : $"?at={at}")}")).Is(200)["currencies"]!.AsArray()
            .Select(one => $"{one!["currency"]} {one["available"]}/{one["allocated"]}/{one["expired"]}"));

    /// <summary>S4: what the records of each milestone of a project sum up to is what it holds, purchase by purchase and in all.</summary>
    public static async Task RecordsAddUp(this Api api, string project)
    {
        foreach (var milestone in await api.All($"/v1/milestones?projectId={project}"))
        {
            var id = (string)milestone["milestoneId"]!;
            var records = await api.All($"/v1/milestones/{id}/consumptions");
            var sums = records.GroupBy(record => (string)record["purchaseId"]!).Select(group => (group.Key, Sum: group.Sum(record => (decimal)record["quantity"]!))).Where(sum => sum.Sum != 0).Order();
            Assert.Equal(sums, milestone["holdings"]!.AsArray().Select(holding => ((string)holding!["purchaseId"]!, (decimal)holding["quantity"]!)).Order());
            var allocations = await api.All($"/v1/milestones/{id}/allocations");
            Assert.Equal(records.Count == 0 ? [] : [(decimal)milestone["allocated"]!], allocations.Select(allocation => (decimal)allocation["quantity"]!));
        }
    }

    private static string Text(JsonNode? holdings) => string.Join(' ', holdings!.AsArray().Select(one => $"{one!["purchaseId"]}:{one["quantity"]}"));
}
