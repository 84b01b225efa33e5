using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Tests;

/// <summary>The feed's places (G4).</summary>
public abstract class FeedStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    [Fact]
    public async Task G4_the_feed_goes_on_behind_each_place_and_ends_where_the_ledger_does()
    {
        var start = await Queries.FeedStart();
        Assert.Empty(await Queries.Feed(new(null, null), start, 10));
        Assert.Equal(start.History, (await Queries.FeedEnd()).History);
        foreach (var (client, contract) in new[] { ("acme", "C"), ("other", "D"), ("acme", "E"), ("acme", "C") })
            await Done(Samples.Entry with { ClientId = client, ContractId = contract },
                Samples.Entry with { ClientId = client, ContractId = contract, Quantity = 8 });

        var all = await Queries.Feed(new(null, null), start, 10);
        Assert.Equal(8, all.Length);
        Assert.Equal(all.Select(fed => fed.Place).Order(), all.Select(fed => fed.Place));
        Assert.Equal((await Queries.Ledger(new(null, null, null, null), new(10, null))).Items, all.Select(fed => fed.Booked));
        Assert.Equal(0, all[^1].Place.CompareTo(await Queries.FeedEnd()));
        Assert.Equal(all[3..5], await Queries.Feed(new(null, null), all[2].Place, 2));
        Assert.Equal(all.Where(fed => fed.Booked.Entry.ClientId == "acme"), await Queries.Feed(new("acme", null), start, 10));
        Assert.Equal(all[6..], await Queries.Feed(new("acme", "C"), all[1].Place, 10));
        Assert.Empty(await Queries.Feed(new("other", "C"), start, 10));
        Assert.Empty(await Queries.Feed(new(null, null), all[^1].Place, 10));
        Assert.Equal(all[0].Place, FeedPlace.Read(all[0].Place.AsCursor()));
    }

    [Fact]
    public async Task G4_a_place_of_another_history_is_gone()
    {
        await Done(Samples.Entry);
        var end = await Queries.FeedEnd();
        await Assert.ThrowsAsync<CursorGoneException>(async () =>
            await Queries.Feed(new(null, null), end with { History = "another" }, 10));
        Assert.Empty(await Queries.Feed(new(null, null), end, 10));
    }

    private async Task Done(params Change[] changes) => Assert.IsType<CommitResult.Done>(await Store.Commit(new("acme", [.. changes])));
}
