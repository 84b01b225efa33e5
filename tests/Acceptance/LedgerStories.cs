using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>G1 and G2, told over HTTP.</summary>
public sealed class LedgerStories
{
    [Fact]
    public async Task G1_Every_movement_and_every_change_is_an_entry_and_stays_as_it_is()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { endsOn = Date(40) });
        await api.Grant("G1", 3, expiresAt: Day(5));
        (await api.Report("R1", ["P1"])).Is(201);
        (await api.Post("/v1/users/U2/disable", new { clientId = "A" })).Is(200);
        (await api.Post("/v1/users/U2/disable", new { clientId = "A" })).Is(200);
        (await api.Delete("/v1/contracts/C1/users/U2")).Is(204);
        var early = await api.All("/v1/ledger");
        await api.Clock(Day(31));
        (await api.Put("/v1/contracts/C1", Terms(terms: new { endsOn = Date(50) }))).Is(200);

        var all = await api.All("/v1/ledger", limit: 3);
        Assert.Equal(
            ["contract-set", "user-set", "user-set", "lot-granted", "credits-charged", "user-switched", "user-set", "lot-expired", "coverage-expired", "contract-set"],
            all.Select(entry => (string)entry["kind"]!));
        Assert.Equal(early.Select(entry => entry.ToJsonString()), all.Take(early.Count).Select(entry => entry.ToJsonString()));
        Assert.Equal(all.Select(entry => (long)entry["entryId"]!).Order(), all.Select(entry => (long)entry["entryId"]!));

        var charged = all[4];
        Assert.Equal(("report:R1", "lot:C1~G1", 1, 3, 2, "local"), (Text(charged, "cause"), Text(charged, "subject"), (int)charged["quantity"]!, (int)charged["before"]!, (int)charged["after"]!, Text(charged, "actor")));
        Assert.Equal((Day(5), 2), (Text(all[7], "effectiveAt"), (int)all[7]["quantity"]!));
        Assert.Equal((Day(30), 1, "R1"), (Text(all[8], "effectiveAt"), (int)all[8]["quantity"]!, Text(all[8], "reportId")));
        Assert.Equal((Date(40), Date(50)), (Text(all[9]["before"]!, "endsOn"), Text(all[9]["after"]!, "endsOn")));

        var ofReport = await api.All("/v1/ledger?reportId=R1&clientId=A");
        Assert.Equal(["credits-charged", "coverage-expired"], ofReport.Select(entry => Text(entry, "kind")));
        Assert.Equal("ALLOCATED EXPIRED", $"{ofReport[1]["before"]!["status"]} {ofReport[1]["after"]!["status"]}");
        Assert.Equal(["user-set", "user-switched", "user-set"], (await api.All("/v1/ledger?userId=U2&clientId=A")).Select(entry => Text(entry, "kind")));
        (await api.Get("/v1/ledger?contractId=C2")).Is(404, "not-found");
        await api.Balanced();
    }

    [Fact]
    public async Task G1_What_changes_nothing_is_no_entry()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        var ledger = await api.Ledger();

        (await api.Put("/v1/contracts/C1", Terms())).Is(200);
        await api.Users("C1", "U1", "U2");
        (await api.Post("/v1/users/U1/enable", new { clientId = "A" })).Is(200);
        Assert.Equal(ledger, await api.Ledger());
    }

    [Fact]
    public async Task G2_The_books_balance_at_every_step()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract(terms: new { coverageDays = 3 });
        await api.Balanced();
        for (var day = 1; day <= 12; day++)
        {
            await api.Clock(Day(day));
            await api.Grant($"G{day}", 10, expiresAt: Day(day + 4));
            (await api.Report($"R{day}", Some("p", day))).Is(201);
            var audit = await api.Balanced();
            Assert.Equal((int)audit["granted"]! + (int)audit["minted"]!, (int)audit["unallocated"]! + (int)audit["allocated"]! + (int)audit["expired"]!);
        }
        (await api.Get("/v1/contracts/C9/audit")).Is(404, "not-found");
    }

    private static string? Text(JsonNode entry, string field) => (string?)entry[field];
}
