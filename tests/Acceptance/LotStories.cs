using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>T3, T4 and L1 to L4, told over HTTP.</summary>
public sealed class LotStories
{
    [Fact]
    public async Task T4_The_test_clock_stands_still_and_moves_forward_only()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;

        Assert.Equal(Day(0), (string)(await api.Get("/v1/clock"))["now"]!);
        await api.Clock(Day(3));
        Assert.Equal(Day(3), (string)(await api.Get("/v1/clock"))["now"]!);
        (await api.Post("/v1/clock", new { advanceTo = Day(2) })).Is(422, "invalid-field", "advanceTo");
        Assert.Equal(Day(3), (string)(await api.Get("/v1/clock"))["now"]!);
    }

    [Fact]
    public async Task T3_What_fell_due_shows_and_is_booked_once_at_its_own_instant()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 5, expiresAt: Day(10));

        await api.Clock(Day(20));
        Assert.Equal(0, (int)(await api.Lot("G1"))["available"]!);
        Assert.Equal(5, (await api.All("/v1/credits?contractId=C1&status=EXPIRED")).Count);
        (await api.Report("R1", ["P1"])).Is(402, "insufficient-contract-credits");
        await api.Clock(Day(21));

        var booked = (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! == "lot-expired").ToList();
        Assert.Equal((1, Day(10), 5, "system"), (booked.Count, (string)booked[0]["effectiveAt"]!, (int)booked[0]["quantity"]!, (string)booked[0]["actor"]!));
        Assert.Equal(5, (int)(await api.Balanced())["expired"]!);
    }

    [Fact]
    public async Task L1_A_lot_says_what_it_is()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();

        var lot = await api.Grant("G1", 7);
        Assert.Equal(
            $$"""{"lotId":"G1","contractId":"C1","source":"purchase","paymentId":"PAY-1","quantity":7,"available":7,"withdrawn":0,"createdAt":"{{Day(0)}}","availableFrom":"{{Day(0)}}","expiresAt":null}""",
            lot.Text);

        var later = await api.Grant("G2", 7, from: Day(1));
        Assert.Equal(0, (int)later["available"]!);
        await api.Clock(Day(1));
        Assert.Equal(7, (int)(await api.Lot("G2"))["available"]!);

        (await api.Report("R1", ["P1"])).Is(201);
        Assert.Equal(6, (int)(await api.Lot("G1"))["available"]!);
    }

    [Fact]
    public async Task L1_A_lot_is_added_once_by_its_id_or_its_key()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var body = new { lotId = "G1", paymentId = "PAY-1", quantity = 5 };

        var first = (await api.Post("/v1/contracts/C1/lots", body)).Is(201);
        (await api.Report("R1", ["P1"])).Is(201);
        var again = (await api.Post("/v1/contracts/C1/lots", body)).Is(200);
        Assert.True(again.IsReplay);
        Assert.Equal(first.Text, again.Text);

        // L4: what the contract's end has cut since is as it was first answered.
        foreach (var end in (int[])[20, 10])
        {
            (await api.Put("/v1/contracts/C1", Terms(terms: new { endsOn = Date(end) }))).Is(200);
            Assert.Equal(first.Text, (await api.Post("/v1/contracts/C1/lots", body)).Is(200).Text);
        }
        (await api.Post("/v1/contracts/C1/lots", new { lotId = "G1", paymentId = "PAY-1", quantity = 6 })).Is(409, "idempotency-key-reused");

        var keyed = (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-2", quantity = 1 }, ("Idempotency-Key", "purchase 1".Replace(' ', '/')))).Is(201);
        var keyedAgain = (await api.Post("/v1/contracts/C1/lots", new { quantity = 1, paymentId = "PAY-2" }, ("Idempotency-Key", "purchase/1"))).Is(200);
        Assert.True(keyedAgain.IsReplay);
        Assert.Equal(keyed.Text, keyedAgain.Text);
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-2", quantity = 2 }, ("Idempotency-Key", "purchase/1"))).Is(409, "idempotency-key-reused");
        (await api.Post("/v1/contracts/C1/lots", new { paymentId = "PAY-2", quantity = 1 })).Is(201);

        Assert.Equal(3, (await api.All("/v1/contracts/C1/lots")).Count);
        Assert.Equal(7, (int)(await api.Balanced())["granted"]!);
    }

    [Fact]
    public async Task L1_An_instant_finer_than_is_kept_is_answered_as_it_is_kept()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var body = new { lotId = "G1", paymentId = "PAY-1", quantity = 5, availableFrom = "2026-04-01T00:00:00.123456789Z" };

        var first = (await api.Post("/v1/contracts/C1/lots", body)).Is(201);
        Assert.Equal("2026-04-01T00:00:00.123456Z", (string)first["availableFrom"]!);
        Assert.Equal(first.Text, (await api.Post("/v1/contracts/C1/lots", body)).Is(200).Text);
    }

    [Fact]
    public async Task L2_Draws_what_expires_first_then_what_began_first_then_by_id()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G0", 2);                          // never expires
        await api.Grant("G1", 100, expiresAt: Day(30));
        await api.Grant("G2", 50, expiresAt: Day(10));
        await api.Grant("G3", 1, expiresAt: Day(10));
        await api.Grant("G4", 9, from: Day(2), expiresAt: Day(5));

        await api.Clock(Day(1));
        Assert.Equal("G2:50 G3:1 G1:9", (await api.Report("R1", Some("a", 60))).Is(201).Draws());
        await api.Clock(Day(2));
        Assert.Equal("G4:9 G1:1", (await api.Report("R2", Some("b", 10))).Is(201).Draws());
        Assert.Equal("G1:90 G0:1", (await api.Report("R3", Some("c", 91))).Is(201).Draws());
        (await api.Report("R4", Some("d", 2))).Is(402, "insufficient-contract-credits");
        Assert.Equal("G0:1", (await api.Report("R5", Some("d", 1))).Is(201).Draws());
        await api.Balanced();
    }

    [Fact]
    public async Task L2_Of_equal_expiry_the_earlier_begin_comes_first()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("A-later", 1, from: Day(2), expiresAt: Day(10));
        await api.Grant("B-sooner", 1, from: Day(1), expiresAt: Day(10));

        await api.Clock(Day(3));
        Assert.Equal("B-sooner:1", (await api.Report("R1", ["P1"])).Is(201).Draws());
    }

    [Fact]
    public async Task L4_Unallocated_credits_live_as_long_as_the_contract_says_and_never_beyond_its_end()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract("default", terms: new { unallocatedLifetimeDays = 30 });
        await api.Contract("ends", terms: new { unallocatedLifetimeDays = 30, endsOn = Date(9) });
        await api.Contract("null-ends", terms: new { endsOn = Date(99) });
        await api.Contract("open");

        var end = Date(10) + "T00:00:00Z";
        Assert.Equal(Day(30), (string?)(await api.Grant("G1", 1, contract: "default"))["expiresAt"]);
        Assert.Equal(Day(31), (string?)(await api.Grant("G2", 1, from: Day(1), contract: "default"))["expiresAt"]);
        Assert.Equal(end, (string?)(await api.Grant("G1", 1, contract: "ends"))["expiresAt"]);
        Assert.Equal(end, (string?)(await api.Grant("G2", 1, expiresAt: Day(20), contract: "ends"))["expiresAt"]);
        Assert.Equal(Day(3), (string?)(await api.Grant("G3", 1, expiresAt: Day(3), contract: "ends"))["expiresAt"]);
        Assert.Equal(Date(100) + "T00:00:00Z", (string?)(await api.Grant("G1", 1, contract: "null-ends"))["expiresAt"]);
        Assert.Null((await api.Grant("G1", 1, contract: "open"))["expiresAt"]);

        // With the contract's end moves the expiry of what it had cut.
        (await api.Put("/v1/contracts/ends", Terms(terms: new { unallocatedLifetimeDays = 30, endsOn = Date(24) }))).Is(200);
        Assert.Equal(Date(25) + "T00:00:00Z", (string?)(await api.Lot("G1", "ends"))["expiresAt"]);
        Assert.Equal(Day(20), (string?)(await api.Lot("G2", "ends"))["expiresAt"]);
        Assert.Equal(Day(3), (string?)(await api.Lot("G3", "ends"))["expiresAt"]);
        await api.Balanced("ends");
    }

    [Fact]
    public async Task L4_Left_out_the_lifetime_is_30_days_and_null_is_the_contracts_end()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;

        var left = (await api.Put("/v1/contracts/C1", new { clientId = "A", name = "N", type = "metered", startsOn = Date(0) })).Is(201);
        Assert.Equal(30, (int)left["unallocatedLifetimeDays"]!);
        var none = (await api.Put("/v1/contracts/C2", """{"clientId":"A","name":"N","type":"metered","startsOn":"2026-03-01","unallocatedLifetimeDays":null}""")).Is(201);
        Assert.Null(none["unallocatedLifetimeDays"]);
    }

    [Fact]
    public async Task L1_A_lot_is_where_its_Location_says()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { billingCycle = new { unit = "month", every = 1, credits = 4 } });
        var bought = await api.Grant("G1", 5);
        var given = (await api.Post("/v1/credits", new { clientId = "A", contractId = "C1", paymentId = "P", quantity = 2, reason = "gift" })).Is(201);

        Assert.Equal("/v1/contracts/C1/lots/G1", $"{bought.Headers.Location}");
        foreach (var made in (Answer[])[bought, given]) Assert.Equal(made.Text, (await api.Get($"{made.Headers.Location}")).Is(200).Text);

        // As it is now, that of the next cycle too.
        (await api.Report("R1", ["P1", "P2"])).Is(201);
        var lots = await api.All("/v1/contracts/C1/lots");
        await api.Clock(Day(40));
        foreach (var lot in await api.All("/v1/contracts/C1/lots"))
            Assert.Equal(lot.ToJsonString(), (await api.Get($"/v1/contracts/C1/lots/{lot["lotId"]}")).Is(200).Text);
        Assert.True((await api.All("/v1/contracts/C1/lots")).Count > lots.Count);
        (await api.Get("/v1/contracts/C1/lots/G9")).Is(404, "not-found");
    }
}
