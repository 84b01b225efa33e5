using System.Globalization;
using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Lots and purchases that are corrected by hand (L6), on every edition. All stories share one, each with a contract of its own and days counted from its begin.</summary>
public sealed class CorrectionStories(CorrectionStories.Shared shared) : IClassFixture<CorrectionStories.Shared>
{
    private readonly string contract = $"C{Guid.NewGuid():N}"[..12];
    private double first;

    public sealed class Shared : IAsyncLifetime
    {
        private Edition? edition;

        internal Api Api => edition!.Api;

        public async ValueTask InitializeAsync() => edition = await AtDay0();

        public ValueTask DisposeAsync() => edition?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    private Api Api => shared.Api;

    private string Lots => $"/v1/contracts/{contract}/lots";

    [Fact]
    public async Task L6_a_lot_of_1000_typed_for_100_is_corrected_by_one_call()
    {
        await Begin();
        await Api.Grant("G1", 1000, On(30), contract: contract);
        (await Api.Report($"{contract}-1", Some("P", 10), contract)).Is(201);
        await Api.Clock(On(1));

        var corrected = (await Withdraw("G1", """{"quantity":900,"reason":"typed for 100"}""", "W1")).Is(200);
        Assert.Equal("1000 90 900", $"{corrected["quantity"]} {corrected["available"]} {corrected["withdrawn"]}");
        Assert.Equal(corrected.Text, (await Api.Get($"{Lots}/G1")).Is(200).Text);
        var again = (await Withdraw("G1", """{"quantity":900,"reason":"typed for 100"}""", "W1")).Is(200);
        Assert.Equal((true, corrected.Text), (again.IsReplay, again.Text));

        Assert.Equal("1000 90 10 0 900", Books(await Api.Balanced(contract)));
        var told = Assert.Single(await Told("lot-withdrawn"));
        Assert.Equal(
            "900 typed for 100 990 90 900",
            $"{told["quantity"]} {told["reason"]} {told["before"]!["unallocated"]} {told["after"]!["unallocated"]} {told["after"]!["withdrawn"]}");
        Assert.Equal(900, (await Api.All($"/v1/credits?contractId={contract}&status=WITHDRAWN")).Count);
        Assert.Equal(90, (await Api.All($"/v1/credits?contractId={contract}&status=UNALLOCATED", 7)).Count);
        Assert.Equal(1000, (await Api.All($"/v1/credits?contractId={contract}", 501)).Count);
        Assert.Empty(await Api.All($"/v1/credits?contractId={contract}&status=EXPIRED"));
        var credit = (await Api.Get($"/v1/credits/{contract}~G1~000001000")).Is(200);
        Assert.Equal("WITHDRAWN ", $"{credit["status"]} {credit["expiresAt"]}");
        Assert.Equal(["lot-granted", "lot-withdrawn"], Kinds(credit));
        Assert.Equal(["lot-granted"], Kinds((await Api.Get($"/v1/credits/{contract}~G1~000000100")).Is(200)));
        (await Api.Send("PATCH", $"/v1/credits/{contract}~G1~000001000", """{"status":"UNALLOCATED","reason":"back"}""")).Is(422, "invalid-field", "status");

        // As it was before, now, and as it will be: what was withdrawn does not expire.
        Assert.Equal("1000 990 10 0 0", Books((await Api.Get($"/v1/contracts/{contract}/balance?at={On(0.5)}")).Is(200)));
        Assert.Equal("1000 90 10 0 900", Books((await Api.Get($"/v1/contracts/{contract}/balance")).Is(200)));
        Assert.Equal("1000 0 0 100 900", Books((await Api.Get($"/v1/contracts/{contract}/balance?at={On(31)}")).Is(200)));
        await Api.Clock(On(31));
        Assert.Equal("1000 0 0 100 900", Books(await Api.Balanced(contract)));
        Assert.Equal("0 900", await Shown("G1", "available", "withdrawn"));
        (await Withdraw("G1", """{"quantity":1,"reason":"too late"}""")).Is(422, "invalid-field", "quantity");
        (await Withdraw("G1", """{"reason":"nothing left"}""")).Is(200);
    }

    [Fact]
    public async Task L6_a_lot_wholly_taken_back_gets_back_what_is_freed_later()
    {
        await Begin();
        await Api.Grant("G1", 3, On(30), contract: contract);
        (await Api.Report($"{contract}-1", ["P1"], contract)).Is(201);
        (await Withdraw("G1", """{"reason":"cancelled"}""")).Is(200);
        (await Api.Report($"{contract}-2", ["P2"], contract)).Is(402, "insufficient-contract-credits");
        (await Api.Send("PATCH", $"/v1/credits/{contract}~G1~000000001", """{"playerId":null,"reason":"mistake"}""")).Is(200);
        Assert.Equal("1 2", await Shown("G1", "available", "withdrawn"));
        Assert.Equal("G1:1", (await Api.Report($"{contract}-2", ["P2"], contract)).Is(201).Draws());
        await Api.Balanced(contract);
    }

    [Fact]
    public async Task L6_credits_with_an_expiry_of_their_own_keep_it_and_are_taken_back_last()
    {
        await Begin();
        await Api.Grant("G1", 5, On(30), contract: contract);
        (await Api.Send("PATCH", $"/v1/credits/{contract}~G1~000000002", $$"""{"expiresAt":"{{On(5)}}","reason":"longer"}""")).Is(200);
        (await Change("G1", $$"""{"expiresAt":"{{On(40)}}","reason":"typed wrong"}""")).Is(200);
        Assert.Equal($"{On(5)}", (string?)(await Api.Get($"/v1/credits/{contract}~G1~000000002")).Is(200)["expiresAt"]);
        Assert.Equal($"{On(40)}", (string?)(await Api.Get($"/v1/credits/{contract}~G1~000000003")).Is(200)["expiresAt"]);

        (await Withdraw("G1", """{"quantity":4,"reason":"typed wrong"}""")).Is(200);
        Assert.Equal("1 4", await Shown("G1", "available", "withdrawn"));
        Assert.Equal("UNALLOCATED", (string?)(await Api.Get($"/v1/credits/{contract}~G1~000000002")).Is(200)["status"]);
        (await Withdraw("G1", """{"reason":"all of it"}""")).Is(200);
        Assert.Equal("WITHDRAWN", (string?)(await Api.Get($"/v1/credits/{contract}~G1~000000002")).Is(200)["status"]);
        Assert.Equal(5, (await Api.All($"/v1/credits?contractId={contract}&status=WITHDRAWN", 2)).Count);
        Assert.Equal("5 0 0 0 5", Books(await Api.Balanced(contract)));
    }

    [Fact]
    public async Task L6_a_lots_expiry_begin_and_payment_are_changed()
    {
        await Begin();
        var first = await Api.Grant("G1", 5, On(30), On(10), contract);
        (await Change("G1", $$"""{"availableFrom":"{{On(2)}}","expiresAt":"{{On(3)}}","paymentId":"INV 7 / 2026","reason":"typed wrong"}""")).Is(200);
        Assert.Equal($"{On(2)} {On(3)} INV 7 / 2026 0", await Shown("G1", "availableFrom", "expiresAt", "paymentId", "available"));
        var told = Assert.Single(await Told("lot-set"));
        Assert.Equal($"PAY-1 {On(10)} {On(30)}", $"{told["before"]!["paymentId"]} {told["before"]!["availableFrom"]} {told["before"]!["expiresAt"]}");
        Assert.Equal($"INV 7 / 2026 {On(2)} {On(3)}", $"{told["after"]!["paymentId"]} {told["after"]!["availableFrom"]} {told["after"]!["expiresAt"]}");

        // The lot was added as it was, and is found by what it is paid with now.
        Assert.Equal(first.Text, (await Api.Post(Lots, new { lotId = "G1", paymentId = "PAY-1", quantity = 5, availableFrom = On(10), expiresAt = On(30) })).Is(200).Text);
        Assert.Equal(5, (await Api.All($"/v1/credits?contractId={contract}&paymentId=INV%207%20%2F%202026")).Count);

        (await Change("G1", """{"availableFrom":null,"expiresAt":null,"reason":"at once, for good"}""")).Is(200);
        Assert.Equal($"{On(0)}  5", await Shown("G1", "availableFrom", "expiresAt", "available"));
        (await Change("G1", $$"""{"availableFrom":"{{On(1)}}","reason":"it has begun"}""")).Is(422, "invalid-field", "availableFrom");
        (await Change("G1", $$"""{"expiresAt":"{{On(0)}}","reason":"it is over"}""")).Is(422, "invalid-field", "expiresAt");
        (await Change("G1", """{"paymentId":null,"reason":"none"}""")).Is(422, "invalid-field", "paymentId");
        (await Change("G9", """{"paymentId":"INV","reason":"none"}""")).Is(404, "not-found");

        (await Change("G1", $$"""{"expiresAt":"{{On(1)}}","reason":"not so long"}""")).Is(200);
        await Api.Clock(On(1));
        Assert.Equal(0, (int)(await Api.Get($"/v1/contracts/{contract}/balance")).Is(200)["unallocated"]!);
        (await Change("G1", $$"""{"expiresAt":"{{On(9)}}","reason":"too late"}""")).Is(422, "invalid-field", "expiresAt");
        Assert.Equal("5 0 0 5 0", Books(await Api.Balanced(contract)));
    }

    [Fact]
    public async Task L5_a_billing_cycles_lot_that_nobody_has_booked_is_taken_back()
    {
        await Begin(new { billingCycle = new { unit = "day", credits = 4 } });
        await Api.Clock(On(1));
        var lot = (string)(await Api.All(Lots))[^1]["lotId"]!;
        (await Withdraw(lot, """{"quantity":3,"reason":"too many"}""")).Is(200);
        Assert.Equal("4 1 3", await Shown(lot, "quantity", "available", "withdrawn"));
        await Api.Balanced(contract);
    }

    [Fact]
    public async Task L6_withdrawals_and_reports_at_once_take_each_credit_once()
    {
        await Begin();
        await Api.Grant("G1", 60, contract: contract);
        var reports = Enumerable.Range(0, 10).Select(i => Api.Report($"{contract}-{i}", Some($"R{i}", 5), contract));
        var withdrawals = Enumerable.Range(0, 10).Select(_ => Withdraw("G1", """{"quantity":5,"reason":"typed wrong"}"""));
        var answers = await Task.WhenAll(reports.Concat(withdrawals));
        Assert.Equal(12, answers.Count(answer => answer.Status is 200 or 201));
        Assert.All(answers.Where(answer => answer.Status >= 400), answer => Assert.Contains(answer.Code, (string[])["insufficient-contract-credits", "invalid-field"]));
        Assert.Equal(0, (int)(await Api.Balanced(contract))["unallocated"]!);
    }

    [Fact]
    public async Task L6_a_purchase_extended_the_day_after_its_expiry_is_available_again_and_records_and_audit_agree()
    {
        await BeginAccount();
        var bought = await Buy("P1", 10, 0, 2);
        await Allocate("M1", 4);
        await Api.Clock(On(3));
        Assert.Equal("EUR 0/4/6", await Balance());

        var extended = (await Correct("P1", $$"""{"expiresOn":"{{On(9)[..10]}}","reason":"goodwill"}""", "X1")).Is(200);
        Assert.Equal("6 4 0", $"{extended["available"]} {extended["allocated"]} {extended["expired"]}");
        Assert.Equal(extended.Text, (await Api.Get($"{Purchases}/P1")).Is(200).Text);
        Assert.True((await Correct("P1", $$"""{"expiresOn":"{{On(9)[..10]}}","reason":"goodwill"}""", "X1")).Is(200).IsReplay);
        Assert.Equal("EUR 6/4/0", await Balance());
        Assert.Equal(["expiry P1 6", "expiry P1 -6"], (await Records()).Where(record => record.StartsWith("expiry", StringComparison.Ordinal)));
        await Audited();

        // As it was, whatever was corrected since; and as it will be.
        Assert.Equal("EUR 6/4/0", await Balance(On(1)));
        Assert.Equal("EUR 0/4/6", await Balance(On(2.9)));
        Assert.Equal("EUR 0/4/6", await Balance(On(10)));
        Assert.Equal("P1:5", (await Adjust("M1", 9)).Is(200).Moved());
        await Audited();

        // It was bought as it was.
        Assert.Equal(bought.Text, (await Api.Post(Purchases, Purchase("P1", 10, 0, 2))).Is(200).Text);
        var told = Assert.Single(await Api.All($"/v1/ledger?accountId={Account}"), entry => (string?)entry["kind"] == "purchase-set");
        Assert.Equal(
            $"goodwill {On(2)[..10]} {On(9)[..10]}", $"{told["reason"]} {told["before"]!["expiresOn"]} {told["after"]!["expiresOn"]}");
    }

    [Fact]
    public async Task L6_a_purchase_is_expired_by_hand_and_corrected()
    {
        await BeginAccount();
        await Buy("P1", 100, 0, 9);
        await Buy("P2", 5, 3, 9);
        await Allocate("M1", 4);
        (await Correct("P1", """{"quantity":10,"description":"Season","reason":"typed wrong"}""")).Is(200);
        (await Correct("P1", """{"quantity":3}""")).Is(422, "invalid-field", "quantity");
        (await Correct("P1", $$"""{"startsOn":"{{On(1)[..10]}}"}""")).Is(422, "invalid-field", "startsOn");
        (await Correct("P1", $$"""{"expiresOn":"{{On(-1)[..10]}}"}""")).Is(422, "invalid-field", "expiresOn");
        (await Correct("P1", """{"quantity":null}""")).Is(422, "invalid-field", "quantity");
        (await Correct("P9", """{"quantity":3}""")).Is(404, "not-found");
        Assert.Equal("Season", (string?)(await Api.Get($"{Purchases}/P1")).Is(200)["description"]);
        Assert.Null((await Correct("P1", """{"description":null}""")).Is(200)["description"]);
        Assert.Equal(5, (decimal)(await Correct("P2", $$"""{"startsOn":"{{On(0)[..10]}}"}""")).Is(200)["available"]!);
        await Audited();

        await Api.Clock(On(0.25));
        var over = (await Api.Send("POST", $"{Purchases}/P1/expire", """{"reason":"cancelled"}""")).Is(200);
        Assert.Equal($"0 4 6 {On(0)[..10]}", $"{over["available"]} {over["allocated"]} {over["expired"]} {over["expiresOn"]}");
        Assert.Equal(over.Text, (await Api.Send("POST", $"{Purchases}/P1/expire", """{"reason":"again"}""")).Is(200).Text);
        Assert.Equal("EUR 5/4/6", await Balance());
        Assert.Equal("EUR 11/4/0", await Balance(On(0.125)));
        await Audited();
        Assert.Equal("6 4 0", Three((await Correct("P1", $$"""{"expiresOn":"{{On(0)[..10]}}","reason":"not cancelled"}""")).Is(200)));
        await Audited();
        await Api.Clock(On(1));
        Assert.Equal("EUR 5/4/6", await Balance());
        await Audited();
    }

    [Fact]
    public async Task S2_purchases_are_chosen_by_hand_and_many_milestones_allocated_in_one_call()
    {
        await BeginAccount();
        await Buy("P1", 10, 0, 3);
        await Buy("P2", 10, 0, 9);
        foreach (var (milestone, credits) in new[] { ("M1", 4m), ("M2", 30m), ("M3", 6m), ("M4", 0m) })
            (await Api.Put($"/v1/milestones/{Account}-{milestone}", new { projectId = Account, servicesCredits = credits })).Is(201);

        var choose = """{"from":[{"purchaseId":"P2","quantity":3.5},{"purchaseId":"P1","quantity":0.5}]}""";
        var path = $"/v1/milestones/{Account}-M1/allocate";
        (await Api.Send("POST", path, """{"from":[{"purchaseId":"P2","quantity":3}]}""")).Is(422, "invalid-field", "from");
        (await Api.Send("POST", path, """{"from":[]}""")).Is(422, "invalid-field", "from");
        (await Api.Send("POST", path, """{"from":[{"purchaseId":"P9","quantity":4}]}""")).Is(404, "not-found");
        Assert.Equal("P2:3.5 P1:0.5", (await Api.Send("POST", path, choose.Replace("}]}", "}],\"dryRun\":true}", StringComparison.Ordinal))).Is(200).Moved());
        Assert.Equal("P2:3.5 P1:0.5", (await Api.Send("POST", path, choose)).Is(200).Moved());
        Assert.Equal("", (await Api.Send("POST", path, choose)).Is(200).Moved());

        var all = $"/v1/projects/{Account}/allocate";
        string[] named = [$"{Account}-M3", $"{Account}-M2", $"{Account}-M4", $"{Account}-M9"];
        Assert.Equal("M3 200, M2 402, M4 422, M9 404", Statuses((await Api.Post(all, new { milestoneIds = named, dryRun = true })).Is(200)));
        Assert.Equal("M2 402, M3 200", Statuses((await Api.Send("POST", all, null, ("Idempotency-Key", $"{contract}-A"))).Is(200)));
        Assert.Equal("M2 402, M3 200", Statuses((await Api.Send("POST", all, null, ("Idempotency-Key", $"{contract}-A"))).Is(200)));
        Assert.Equal("M2 402", Statuses((await Api.Send("POST", all)).Is(200)));
        (await Api.Post(all, new { milestoneIds = Array.Empty<string>() })).Is(422, "invalid-field", "milestoneIds");
        (await Api.Post("/v1/projects/nobody/allocate", "{}")).Is(404, "not-found");
        Assert.Equal("EUR 10/10/0", await Balance());
        await Audited();

        // Milestones by account, status and whether they still need allocating.
        foreach (var (query, ids) in new[] { ("", "M1 M2 M3 M4"), ("&allocated=true", "M1 M3 M4"), ("&allocated=false", "M2"), ("&status=None", "M1 M2 M3 M4"), ("&status=Planned", "") })
            Assert.Equal(ids, string.Join(' ', (await Api.All($"/v1/milestones?accountId={Account}{query}")).Select(one => $"{one["milestoneId"]}"[^2..])));

        // S4: an allocation record a milestone, and one an expiry.
        await Api.Clock(On(4));
        (await Api.Put($"/v1/accounts/{Account}", new { clientId = contract, name = "Renamed" })).Is(200);
        await Adjust("M3", 5);
        Assert.Equal(
            ["allocated 4", "allocated 5", "expired 1", "expired 3.5"],
            (await Api.All($"/v1/accounts/{Account}/allocations")).Select(record => $"{record["type"]} {record["quantity"]}").Order(StringComparer.Ordinal));

        string Statuses(Answer answer) => string.Join(", ", answer.Items.Select(item => $"{((string)item!["milestoneId"]!)[(Account.Length + 1)..]} {item["status"]}"));
    }

    private string Account => $"a{contract}";

    private string Purchases => $"/v1/accounts/{Account}/purchases";

    private async Task BeginAccount()
    {
        await Begin();
        (await Api.Put($"/v1/accounts/{Account}", new { clientId = contract, name = "Account" })).Is(201);
        (await Api.Put($"/v1/projects/{Account}", new { accountId = Account, currency = "EUR", name = "Academy" })).Is(201);
    }

    private object Purchase(string id, decimal quantity, double from, double to) =>
        new { purchaseId = id, currency = "EUR", quantity, startsOn = On(from)[..10], expiresOn = On(to)[..10] };

    private async Task<Answer> Buy(string id, decimal quantity, double from, double to) => (await Api.Post(Purchases, Purchase(id, quantity, from, to))).Is(201);

    private async Task Allocate(string milestone, decimal quantity)
    {
        (await Api.Put($"/v1/milestones/{Account}-{milestone}", new { projectId = Account, servicesCredits = quantity })).Is(201);
        (await Api.Post($"/v1/milestones/{Account}-{milestone}/allocate", "{}")).Is(200);
    }

    private Task<Answer> Adjust(string milestone, decimal quantity) => Api.Post($"/v1/milestones/{Account}-{milestone}/adjust", new { quantity });

    private Task<Answer> Correct(string purchase, string body, string? key = null) =>
        Api.Send("PATCH", $"{Purchases}/{purchase}", body, key is null ? [] : [("Idempotency-Key", $"{contract}-{key}")]);

    private async Task<string> Balance(string? at = null) =>
        string.Join(' ', (await Api.Get($"/v1/accounts/{Account}/balance{(at is null ? "" : $"?at={at}")}")).Is(200)["currencies"]!.AsArray()
            .Select(one => $"{one!["currency"]} {one["available"]}/{one["allocated"]}/{one["expired"]}"));

    private async Task<IEnumerable<string>> Records() =>
        (await Api.All($"/v1/accounts/{Account}/consumptions")).Select(record => $"{record["kind"]} {record["purchaseId"]} {record["quantity"]}");

    private async Task Audited()
    {
        var audit = (await Api.Get($"/v1/accounts/{Account}/audit")).Is(200);
        Assert.True((bool)audit["balanced"]!, audit.Text);
    }

    private static string Three(Answer purchase) => $"{purchase["available"]} {purchase["allocated"]} {purchase["expired"]}";

    private async Task Begin(object? terms = null)
    {
        var now = DateTime.Parse((string)(await Api.Get("/v1/clock")).Is(200)["now"]!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
        first = (now - new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc)).TotalDays;
        await Api.Contract(contract, contract, terms);
    }

    // That many days after the story's begin.
    private string On(double day) => Day(first + day);

    private Task<Answer> Withdraw(string lot, string body, string? key = null) =>
        Api.Send("POST", $"{Lots}/{lot}/withdraw", body, key is null ? [] : [("Idempotency-Key", $"{contract}-{key}")]);

    private Task<Answer> Change(string lot, string body) => Api.Send("PATCH", $"{Lots}/{lot}", body);

    private async Task<string> Shown(string lot, params string[] fields)
    {
        var shown = (await Api.Get($"{Lots}/{lot}")).Is(200);
        Assert.Equal(shown.Text, (await Api.Lot(lot, contract)).ToJsonString());
        return string.Join(' ', fields.Select(field => $"{shown[field]}"));
    }

    private async Task<List<JsonNode>> Told(string kind) =>
        [.. (await Api.All($"/v1/ledger?contractId={contract}")).Where(entry => (string?)entry["kind"] == kind)];

    private static IEnumerable<string> Kinds(Answer credit) => credit["history"]!.AsArray().Select(entry => (string)entry!["kind"]!);

    private static string Books(Answer books) => $"{books["granted"]} {books["unallocated"]} {books["allocated"]} {books["expired"]} {books["withdrawn"]}";
}
