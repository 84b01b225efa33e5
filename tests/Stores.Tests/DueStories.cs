using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>What falls due, and what may be forgotten.</summary>
public abstract class DueStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    [Fact]
    public async Task T3_contracts_accounts_and_allocations_fall_due_earliest_first()
    {
        await Done([
            .. new[] { (3, "late"), (1, "early"), (2, "next"), (9, "future") }.SelectMany(due => new Change[]
            {
                Samples.Document with { Kind = DocumentKind.Contract, Id = due.Item2, DueAt = Samples.Day(due.Item1) },
                Samples.Document with { Kind = DocumentKind.Account, Id = $"account-{due.Item2}", DueAt = Samples.Day(due.Item1) },
                Samples.Member with { ContractId = due.Item2, DueAt = Samples.Day(due.Item1) },
            }),
            Samples.Document with { Kind = DocumentKind.Contract, Id = "never", DueAt = null },
            Samples.Member with { ContractId = "never", DueAt = null },
        ]);

        Assert.Equal(["early", "next", "late"], await Store.DueContracts(Samples.Day(3), 10));
        Assert.Equal(["early", "next"], await Store.DueContracts(Samples.Day(3), 2));
        Assert.Empty(await Store.DueContracts(Samples.Day(1) - Duration.FromMilliseconds(1), 10));
        Assert.Equal(["account-early", "account-next", "account-late"], await Store.DueAccounts(Samples.Day(3), 10));
        Assert.Equal(["early", "next", "late"], (await Store.DueAllocations(Samples.Day(3), 10)).Select(key => key.ContractId));
        Assert.Equal([new("early", "U")], await Store.DueAllocations(Samples.Day(3), 1));

        await Done([Samples.Member with { ContractId = "early", Expected = 1, DueAt = null },
            Samples.Document with { Kind = DocumentKind.Contract, Id = "early", Expected = 1, DueAt = Samples.Day(4) }]);
        Assert.Equal(["next", "late"], (await Store.DueAllocations(Samples.Day(3), 10)).Select(key => key.ContractId));
        Assert.Equal(["next", "late", "early"], await Store.DueContracts(Samples.Day(4), 10));
    }

    [Fact]
    public async Task P3_ends_of_coverage_that_are_not_booked_are_found_by_client_earliest_first()
    {
        await Done([Of("acme", 1, 5), Of("acme", 2, 3), Of("acme", 3, 9), Of("other", 4, 4), Of("none-due", 5, 9)]);

        Assert.Equal(["acme", "other"], (await Store.DueClients(Samples.Day(5), 10)).Order(StringComparer.Ordinal));
        Assert.Single(await Store.DueClients(Samples.Day(5), 1));
        Assert.Equal(["acme"], await Store.DueClients(Samples.Day(3), 10));
        Assert.Empty(await Store.DueClients(Samples.Day(2), 10));
        Assert.Equal([Of("acme", 2, 3).Ending, Of("acme", 1, 5).Ending], await Store.DueEndings("acme", Samples.Day(5), 10));
        Assert.Equal([Of("acme", 2, 3).Ending], await Store.DueEndings("acme", Samples.Day(5), 1));
        Assert.Empty(await Store.DueEndings("none-due", Samples.Day(5), 10));
        Assert.Equal(Samples.Day(3), await Store.NextEnd("acme"));
        Assert.Equal(Samples.Day(9), await Store.NextEnd("none-due"));
        Assert.Null(await Store.NextEnd("nobody"));

        await Done([Gone("acme", 2, 3), Gone("acme", 1, 5)]);
        Assert.Empty(await Store.DueEndings("acme", Samples.Day(5), 10));
        Assert.Equal(Samples.Day(9), await Store.NextEnd("acme"));

        static EndingChange Of(string client, long ordinal, int ends) => new(new(new(client, Samples.Day(ends), "C", "L", null, ordinal), null, 1, ordinal), 0);

        static EndingChange Gone(string client, long ordinal, int ends) =>
            new(Of(client, ordinal, ends).Ending with { Credits = 0 }, 1);
    }

    [Fact]
    public async Task Requests_and_previews_are_forgotten_when_they_expire_and_nothing_else_is()
    {
        await Done([
            .. new[] { DocumentKind.Request, DocumentKind.Preview, DocumentKind.Contract, "thing" }.SelectMany(kind =>
                new[] { 1, 2, 3 }.Select(day =>
                Samples.Document with { Kind = kind, Id = $"{day}", DueAt = Samples.Day(day) })),
            Samples.Document with { Kind = DocumentKind.Request, Id = "for-ever", DueAt = null },
        ]);

        await Store.Forget(Samples.Day(2));

        Assert.Equal(
            ["request 3", "request for-ever", "preview 3", "contract 1", "contract 2", "contract 3", "thing 1", "thing 2", "thing 3"],
            await Left());
        await Done([Samples.Document with { Kind = DocumentKind.Request, Id = "1" }]);

        async Task<List<string>> Left()
        {
            var left = new List<string>();
            foreach (var kind in new[] { DocumentKind.Request, DocumentKind.Preview, DocumentKind.Contract, "thing" })
                foreach (var id in new[] { "1", "2", "3", "for-ever" })
                    if (await Store.Document(kind, id) is not null) left.Add($"{kind} {id}");
            return left;
        }
    }

    [Fact]
    public async Task L6_the_first_change_of_a_lot_is_remembered()
    {
        var set = Samples.Entry with { Kind = EntryKind.LotSet, Subject = Subjects.Lot("C", "L"), Before = "1" };
        Assert.Null(await Store.FirstLotSet("C", "L"));
        await Done([set with { Kind = EntryKind.LotGranted }, set with { Subject = Subjects.Lot("C", "M"), LotId = "M" }, set,
            set with { Before = "2" }]);

        Assert.Equal(set, await Store.FirstLotSet("C", "L"));
    }

    private async Task Done(IEnumerable<Change> changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", [.. changes])));
}
