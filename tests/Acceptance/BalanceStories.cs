using System.Globalization;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>Balances as of any instant (G3): what was answered then, and what will be.</summary>
public sealed class BalanceStories
{
    private const int Foretold = 60, Audited = 5;

    private static readonly int Instants = Edition.IsCluster ? 250 : 1_000;

    [Fact]
    public async Task G3_the_balance_as_of_every_instant_of_a_random_history_is_what_was_answered_then_and_forecasts_come_true()
    {
        var random = new Random(7);
        await using var edition = await Edition.Start(new(TestClock: At(0)));
        var api = edition.Api;
        await api.Contract(terms: new { timeZone = "Europe/Berlin", unallocatedLifetimeDays = 12, coverageDays = 3, billingCycle = new { unit = "week", every = 1, anchor = "2026-01-05", credits = 9 } });
        await api.Contract("M", terms: new { type = "unlimited", coverageDays = 5 });
        var answered = new List<(string At, string Contract, string Text)>();
        var minute = 0;
        for (var instant = 0; instant < Instants; instant++)
        {
            minute += random.Next(1, 900);
            await api.Clock(At(minute));
            await Deed(instant);
            var contract = instant % 7 == 0 ? "M" : "C1";
            answered.Add((At(minute), contract, instant % Audited == 0 ? await Check(contract) : (await api.Get($"/v1/contracts/{contract}/balance")).Is(200).Text));
        }

        // What is known now, of instants to come.
        var coming = Enumerable.Range(1, Foretold).Select(i => At(minute + 613 * i)).ToList();
        var foretold = new List<string>();
        foreach (var at in coming) foretold.Add((await api.Get($"/v1/contracts/C1/balance?at={at}")).Is(200).Text);

        await Parallel.ForEachAsync(answered, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (was, _) => Assert.Equal(was.Text, (await api.Get($"/v1/contracts/{was.Contract}/balance?at={was.At}")).Is(200).Text));

        foreach (var (at, text) in coming.Zip(foretold))
        {
            await api.Clock(at);
            Assert.Equal(text, (await api.Get("/v1/contracts/C1/balance")).Is(200).Text);
        }
        await Check("C1");
        Assert.Contains(answered, was => was.Text.Contains("\"available\":0,", StringComparison.Ordinal));
        Assert.Equal(0, (int)(await api.Get("/v1/contracts/C1/balance?at=2025-01-01T00:00:00Z")).Is(200)["granted"]!);
        (await api.Get("/v1/contracts/C1/balance?at=2300-01-01T00:00:00Z")).Is(422, "invalid-field", "at");
        (await api.Get("/v1/contracts/none/balance")).Is(404, "not-found");

        async Task Deed(int number)
        {
            var user = random.Next(2) == 0 ? "U1" : "U2";
            var players = Some("p", 40).OrderBy(_ => random.Next()).Take(random.Next(1, 4)).ToArray();
            switch (random.Next(12))
            {
                case < 7:
                    _ = await api.Report($"R{number}", players, random.Next(5) == 0 ? "M" : "C1", user);
                    break;
                case 7:
                    _ = await api.Post("/v1/contracts/C1/lots", new
                    {
                        lotId = $"G{number}",
                        paymentId = "PAY",
                        quantity = random.Next(1, 9),
                        availableFrom = At(minute + random.Next(0, 3_000)),
                        expiresAt = At(minute + random.Next(3_001, 20_000)),
                    });
                    break;
                case 8:
                    _ = await api.Put("/v1/contracts/C1", Terms(terms: new
                    {
                        timeZone = "Europe/Berlin",
                        unallocatedLifetimeDays = 12,
                        coverageDays = 3,
                        endsOn = random.Next(2) == 0 ? At(minute + random.Next(2, 20) * 1_440)[..10] : null,
                        billingCycle = new { unit = "week", every = 1, anchor = "2026-01-05", credits = random.Next(1, 12) },
                    }));
                    break;
            }
        }

        // By other ways to the same numbers: the audit, and what a report would be told.
        async Task<string> Check(string contract)
        {
            var balance = (await api.Get($"/v1/contracts/{contract}/balance")).Is(200);
            var audit = await api.Balanced(contract);
            foreach (var field in (string[])["granted", "minted", "unallocated", "allocated", "expired"]) Assert.Equal((long)audit[field]!, (long)balance[field]!);
            Assert.Equal((long)audit["used"]!, balance["users"]!.AsArray().Sum(user => (long)user!["totalUsed"]!));
            var rehearsed = await api.Report("dry", ["nobody"], contract, dryRun: true);
            if (rehearsed.Status == 200 && (string?)rehearsed["refusal"]?["code"] is null or "insufficient-contract-credits")
                Assert.Equal((long?)rehearsed["balance"]!["contractRemaining"] + (rehearsed["refusal"] is null ? 1 : 0), (long?)balance["available"]);
            return balance.Text;
        }
    }

    private static string At(int minute) => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minute).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
