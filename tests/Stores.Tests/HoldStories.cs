using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>The ends of holds (R8): every read shows them from their instant on, whether or not they are booked (T3).</summary>
public abstract class HoldStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    private static readonly Instant Later = Books.Start + Duration.FromHours(2);

    private Books? kept;

    private Books Books => kept ??= new(Store);

    [Fact]
    public async Task T3_the_end_of_a_hold_that_is_booked_between_two_reads_counts_once()
    {
        await Books.Agree("C", 3, ["U"]);
        await Books.Report("H1", "C", "U", ["P1", "P2"], holdSeconds: 3_600);
        var (contract, before) = ((await Store.Contract("C"))!, (await Store.Members("C"))[0]);
        Assert.Equal(2, before.Allocation.TotalUsed);
        await Books.Advance(Later);
        Assert.Equal(0, contract.MemberAt(before, Later).Allocation.TotalUsed);
        Assert.Equal(0, contract.MemberAt((await Store.Members("C"))[0], Later).Allocation.TotalUsed);

        await Books.Report("R1", "C", "U", ["P3"]);
        Assert.Equal(1, contract.MemberAt((await Store.Members("C"))[0], Later).Allocation.TotalUsed);
    }

    [Fact]
    public async Task T3_the_end_of_a_hold_is_read_before_it_is_booked_as_it_is_afterwards()
    {
        await Books.Agree("C", 3, ["U", "V"]);
        await Books.Agree("D", 0, ["U"], type: ContractType.Unlimited);
        await Books.Grant("C", "L2", 1, expiresAt: Books.Start + Duration.FromMinutes(30));
        await Books.Report("H1", "C", "U", ["P1", "P2", "P3"], holdSeconds: 3_600);
        await Books.Report("R1", "C", "V", ["P3", "P4"]);
        await Books.Report("H2", "D", "U", ["P5"], holdSeconds: 3_600);
        await Books.Report("H3", "D", "U", ["P6"], holdSeconds: 80_000);
        Assert.Equal(Books.Start + Duration.FromHours(1), (await Store.Contract("C"))!.Document.DueAt);
        Assert.Equal(["P1", "P2", "P3"], (await Store.Contract("C"))!.Holds.Credits.Select(credit => credit.PlayerId!).Order(StringComparer.Ordinal));
        Assert.Equal(["C", "D"], (await Store.DueContracts(Later, 10)).Order(StringComparer.Ordinal));
        Assert.Empty(await Store.DueEndings("acme", Later, 10));

        var unbooked = await Read();
        await Books.Advance(Later);
        Assert.Empty(await Store.DueContracts(Later, 10));
        Assert.Empty((await Store.Contract("C"))!.Holds.Credits);
        Assert.Equal(await Read(), unbooked);
        Assert.All(await Task.WhenAll(Queries.Audit("C"), Queries.Audit("D")), audit => Assert.True(audit!.Balanced, Json.Write(audit)));
        Assert.Equal((0, 1), ((await Store.Members("C"))[0].Allocation.TotalUsed, (await Store.Members("D"))[0].Allocation.TotalUsed));
    }

    [Fact]
    public async Task R8_credits_are_read_by_their_ids()
    {
        await Books.Agree("C", 3, ["U"]);
        var made = await Books.Report("H1", "C", "U", ["P1", "P2"], holdSeconds: 60);
        var ids = made!.Players.Select(player => CreditId.Parse(player.CreditId!)).ToList();
        var rows = await Store.Read(new("acme", "C") { Credits = [.. ids, ids[0], new("C", "L1", 3), new("C", "none", 1)] });
        Assert.Equal(["P1", "P2"], rows.Credits.Values.Select(credit => credit.PlayerId!).Order(StringComparer.Ordinal));
        Assert.All(rows.Credits, pair => Assert.Equal((pair.Key, Books.Start + Duration.FromMinutes(1)), (pair.Value.Id, pair.Value.HeldUntil!.Value)));
        Assert.Equal(made.HoldUntil, (await Queries.Report(new("acme", "H1")))!.HoldUntil);
    }

    // All that a caller can read, each list in pages of several sizes.
    private async Task<string> Read()
    {
        var unbooked = new Unbooked(Queries);
        var all = new List<object?>();
        foreach (var contract in (string[])["C", "D"])
        {
            all.Add(await Paging.All(page => unbooked.Lots(contract, null, Later, page), 1));
            all.Add(await unbooked.Lot(contract, contract == "C" ? "L2" : Lot.MintedId, Later));
            all.Add(await Queries.Balance(contract, null, Later));
            all.Add(await Queries.Balance(contract, Later + Duration.FromDays(3), Later));
        }
        foreach (var limit in (int[])[1, 2, 100])
        {
            foreach (var status in (CreditStatus?[])[null, .. Enum.GetValues<CreditStatus>()])
                foreach (var (contract, player, user) in ((string?, string?, string?)[])[(null, null, null), ("C", null, null), (null, "P1", null), (null, null, "U")])
                    all.Add(await Paging.All(page => unbooked.Credits(new("acme", contract, status, player, user, null, null), null, Later, page), limit));
            all.Add(await Paging.All(page => unbooked.Reports(new(null, null, null, null, null), Later, page), limit));
        }
        foreach (var id in ((string, string, int)[])[("C", "L1", 1), ("C", "L1", 2), ("C", "L1", 3), ("C", "L2", 1), ("D", Lot.MintedId, 1), ("D", Lot.MintedId, 2)])
            all.Add(await unbooked.Credit(new(id.Item1, id.Item2, id.Item3), Later));
        all.Add(await unbooked.Report(new("acme", "H1"), Later));
        all.Add((await unbooked.Memberships(new("acme", "U"), Later, new(10, null))).Items.Select(allowance => allowance.Member!.Allocation));
        foreach (var by in Enum.GetValues<UsageBy>())
        {
            var filter = new UsageFilter("acme", null, null, null, null, by);
            all.Add(Usage.Page(await unbooked.Usage(filter, Later), filter, new(10, null)).Items);
        }
        foreach (var (player, user, from) in ((string?, string?, Instant?)[])[(null, null, null), ("P1", null, null), (null, "U", null), (null, null, Books.Start)])
            all.Add(await unbooked.Count(new("acme", null, null, player, user, null, null) { CreatedFrom = from }, null, null, Later));
        all.Add(await unbooked.Count(new("acme", null, null, null, null, null, null), "H1", null, Later));
        all.Add((await unbooked.Payments("acme", "C", Later, new(10, null))).Items.Select(payment => payment.Credits));
        all.Add(await Queries.Statement("C", Later.InUtc().Date.PlusDays(-3), Later.InUtc().Date, Later));
        var list = await new ContractList(Queries).Page(new(null, null, null, null), Later, new(10, null));
        all.Add(list.Items.Select(contract => contract.Figures));
        return string.Join('\n', all.Select(item => Json.Write(item)));
    }
}
