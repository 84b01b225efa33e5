using System.Globalization;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Billing cycles (L5), told over HTTP.</summary>
public sealed class BillingStories
{
    [Fact]
    public async Task L5_a_contract_says_its_billing_cycle_and_each_cycle_brings_a_lot()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { startsOn = Date(0), unallocatedLifetimeDays = 10, billingCycle = new { unit = "week", every = 2, credits = 5 } });

        var cycle = (await api.Get("/v1/contracts/C1")).Is(200)["billingCycle"]!;
        Assert.Equal(("week", 2, Date(0), 5), ((string)cycle["unit"]!, (int)cycle["every"]!, (string)cycle["anchor"]!, (int)cycle["credits"]!));
        var lot = await api.Lot($"billing:{Date(0)}");
        Assert.Equal(("billing", $"C1:{Date(0)}", 5, 5, Day(0)), ((string)lot["source"]!, (string)lot["paymentId"]!, (int)lot["quantity"]!, (int)lot["available"]!, (string)lot["availableFrom"]!));

        await api.Clock(Day(20));
        var report = (await api.Report("R1", ["P1"])).Is(201);
        Assert.Equal($"C1~billing:{Date(14)}~000000001", (string?)report["players"]![0]!["creditId"]);
        Assert.Equal(4, (int)report["balance"]!["contractRemaining"]!);
        Assert.Equal(9, (await api.All($"/v1/credits?contractId=C1&paymentId=C1:{Date(14)}&status=UNALLOCATED")).Count + (await api.All($"/v1/credits?paymentId=C1:{Date(0)}&status=EXPIRED")).Count);
        Assert.Equal([$"{Day(0)} request", $"{Date(14)}T00:00:00Z expiry", $"{Date(14)}T00:00:00Z renewal"],
            (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! is "lot-granted" or "lot-expired").Select(entry => $"{entry["effectiveAt"]} {entry["cause"]}"));

        (await api.Put("/v1/contracts/C1", Terms(terms: new { startsOn = Date(0) }))).Is(200);
        Assert.Null((await api.Get("/v1/contracts/C1"))["billingCycle"]);
        (await api.Put("/v1/contracts/M", Terms(terms: new { type = "unlimited", billingCycle = new { unit = "week", credits = 5 } }))).Is(422, "invalid-field", "billingCycle");
        (await api.Post("/v1/contracts/C1/lots", new { lotId = $"billing:{Date(28)}", paymentId = "PAY", quantity = 1 })).Is(422, "invalid-field", "lotId");
        await api.Balanced();
    }

    [Fact]
    public async Task L5_two_years_of_months_bring_24_lots_though_the_service_was_down_for_three_of_them_and_started_three_times()
    {
        Assert.SkipWhen(Edition.IsCluster, "Cluster.Tests tells the same of two silos on PostgreSQL");
        await using var edition = await Edition.Start(new(TestClock: "2025-12-01T00:00:00Z", IsProcess: true));
        var api = edition.Api;
        await api.Contract(terms: new
        {
            startsOn = "2026-01-31",
            endsOn = "2028-01-30",
            timeZone = "Europe/Berlin",
            unallocatedLifetimeDays = 7,
            billingCycle = new { unit = "month", every = 1, anchor = "2026-01-31", credits = 100 },
        });
        await api.Clock("2026-12-15T00:00:00Z");
        (await api.Report("R1", ["P1"])).Is(201);
        await edition.Stop();
        for (var start = 0; start < 3; start++)
        {
            await edition.Restart(new(TestClock: "2027-03-15T00:00:00Z"));
            await api.Clock("2027-03-15T00:00:00Z");
            if (start < 2) await edition.Kill();
        }
        Assert.Equal(99, (int)(await api.Report("R2", ["P2"])).Is(201)["balance"]!["contractRemaining"]!);
        await api.Clock("2028-06-01T00:00:00Z");

        var lots = await api.All("/v1/contracts/C1/lots");
        var dates = Enumerable.Range(0, 24).Select(month => new DateTime(2026, 1, 31).AddMonths(month).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(dates.Select(date => $"C1:{date}"), lots.Select(lot => (string)lot["paymentId"]!));
        var granted = (await api.All("/v1/ledger?contractId=C1")).Where(entry => (string)entry["kind"]! == "lot-granted").ToList();
        Assert.Equal(dates.Select(date => $"billing:{date}"), granted.Select(entry => (string)entry["lotId"]!));
        Assert.Equal(lots.Select(lot => (string)lot["createdAt"]!), granted.Select(entry => (string)entry["effectiveAt"]!));
        Assert.Equal(("2026-02-27T23:00:00Z", "2026-07-30T22:00:00Z"), ((string)lots[1]["createdAt"]!, (string)lots[6]["createdAt"]!));

        // What was due while it was down was booked once, late, as of its own instant; a lot lives until the next cycle starts.
        Assert.Equal(3, granted.Count(entry => (string)entry["bookedAt"]! == "2027-03-15T00:00:00Z"));
        Assert.Equal(lots.Skip(1).Select(lot => (string)lot["createdAt"]!).Append("2028-01-30T23:00:00Z"), lots.Select(lot => (string)lot["expiresAt"]!));
        var audit = await api.Balanced();
        Assert.Equal((2_400, 0, 2_400), ((int)audit["granted"]!, (int)audit["unallocated"]!, (int)audit["expired"]!));
    }
}
