using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Cluster.Tests;

/// <summary>What has fallen due and is not booked yet shows in every read, as it will be booked (T3, L5).</summary>
public sealed class UnbookedTests : IDisposable
{
    private static readonly Terms Daily = new(
        "C", "acme", "C", ContractType.Metered, "UTC", new(2026, 1, 1), null, 3, 30, CoverageFrom.Activation, new(RecurrenceUnit.Day, 1, new(2026, 1, 1), 4));

    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task T3_lots_and_credits_that_are_due_show_before_they_are_booked_and_as_they_are_booked()
    {
        await using var engine = await Engine.Open(directory.Path);
        await Set(engine, Daily);
        await Set(engine, Daily with { ContractId = "D", ClientId = "other" });
        await engine.Grant("C", "A", 3);
        await engine.Grant("C", "Z", 3);
        var now = Engine.Start + Duration.FromDays(6) + Duration.FromHours(1);
        var reads = new Unbooked(engine.Queries);

        var before = await Reads();
        Assert.Equal(1 + 2 + 6, before.Lots[0].Count);
        Assert.Empty((await engine.Queries.Ledger(new(null, "C", null, null), new(100, null))).Items.Where(entry => entry.Entry.Cause == "renewal"));
        Assert.Equal(4, (await reads.Credits(new("acme", null, null, null, null, "billing:2026-03-03", null), null, now, new(100, null))).Items.Length);
        Assert.Equal(CreditStatus.Expired, (await reads.Credit(new("C", "billing:2026-03-02", 4), now))!.Status);
        Assert.Null(await reads.Credit(new("C", "billing:2026-03-02", 5), now));
        Assert.Null(await reads.Credit(new("C", "billing:2026-03-08", 1), now));

        await engine.Clock.Advance(now);
        var after = await Reads();

        Assert.Equal(before.Lots, after.Lots);
        Assert.Equal(before.Credits, after.Credits);
        Assert.Empty(await engine.Queries.Due(null, null, now));

        async Task<(List<List<string>> Lots, List<List<CreditDocument>> Credits)> Reads()
        {
            var lots = new List<List<string>>();
            var credits = new List<List<CreditDocument>>();
            foreach (var limit in new[] { 1, 2, 3, 100 })
            {
                lots.Add([.. (await Pages.All(page => reads.Lots("C", null, now, page), limit)).Select(lot => $"{lot.LotId} {lot.CreatedAt} {lot.ExpiresAt} {lot.AvailableAt(now)}")]);
                foreach (var filter in new CreditFilter[]
                {
                    new(null, null, null, null, null, null, null), new("acme", null, null, null, null, null, null), new(null, "D", null, null, null, null, null),
                    new(null, null, CreditStatus.Unallocated, null, null, null, null), new("acme", "C", CreditStatus.Expired, null, null, null, "C:2026-03-02"),
                })
                    credits.Add(await Pages.All(page => reads.Credits(filter, null, now, page), 5 * limit));
            }
            Assert.Equal(lots[0], lots[3]);
            return (lots, credits);
        }
    }

    [Fact]
    public async Task A_lot_that_was_used_up_is_not_granted_again_when_its_cycle_comes_back_L5()
    {
        await using var engine = await Engine.Open(directory.Path);
        await Set(engine, Daily);
        await engine.Grains.Contract("C").AssignUser(new("U", ""), "test");
        await engine.Made("R", "C", "U", "P1", "P2", "P3", "P4");
        await Set(engine, Daily with { BillingCycle = null });
        await Set(engine, Daily);

        Assert.Equal(0, (await engine.Queries.Audit("C"))!.Unallocated);
    }

    [Fact]
    public async Task A_document_is_stored_under_its_schema()
    {
        await using var engine = await Engine.Open(directory.Path);
        await Set(engine, Daily with { BillingCycle = null });
        Assert.Equal(
            """{"schema":1,"value":{"terms":{"contractId":"C","clientId":"acme","name":"C","type":"metered","timeZone":"UTC","startsOn":"2026-01-01","endsOn":null,"unallocatedLifetimeDays":3,"coverageDays":30,"coverageFrom":"activation","voidMinutes":0},"revision":1}}""",
            (await engine.Store.Document(DocumentKind.Contract, "C"))!.Body);
    }

    private static async Task Set(Engine engine, Terms terms) => Assert.Null((await engine.Grains.Contract(terms.ContractId).Set(new(terms, null, "test"))).Refusal);
}
