using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>The list of credits (P4), against one that is made of all credits there are.</summary>
public abstract class CreditListStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    private static readonly (string ContractId, string ClientId)[] Contracts =
        [("A", "acme"), ("A-1", "acme"), ("B", "other"), ("M", "acme")];

    [Fact]
    public async Task P4_credits_touched_and_untouched_are_one_list_for_any_mix_of_filters()
    {
        // The same history in memory knows all rows there are.
        var memory = new MemoryStore();
        await Tell(Store);
        var now = await Tell(memory) - Duration.FromDays(7);
        var random = new Random(5);
        var reads = new Unbooked(Queries);
        var oracle = Oracle(memory, now);
        Assert.InRange(oracle.Count, 100, 1_000);
        foreach (var status in Enum.GetValues<CreditStatus>()) Assert.Contains(oracle, credit => credit.Status == status);

        for (var round = 0; round < 400; round++)
        {
            var some = oracle[random.Next(oracle.Count)];
            var filter = new CreditFilter(
                Maybe(some.ClientId), Maybe(some.ContractId), random.Next(2) == 0 ? null : some.Status,
                Maybe(some.PlayerId), Maybe(some.UsedBy), Maybe(some.LotId), Maybe(some.PaymentId))
            {
                CreatedFrom = Sometimes(some.CreatedAt),
                CreatedTo = Sometimes(some.CreatedAt + Duration.FromDays(random.Next(20))),
                ExpiresFrom = Sometimes(some.ExpiresAt),
                ExpiresTo = Sometimes(some.ExpiresAt + Duration.FromDays(random.Next(1, 20))),
            };
            var expected = oracle.Where(filter.Passes).ToList();
            Assert.Equal(expected, await Paging.All(page => Queries.Credits(filter, now, page), random.Next(1, 60)));

            // Several statuses, and one report, are read from what the store lists.
            var (anyStatus, limit) = (filter with { Status = null }, random.Next(1, 60));
            var statuses = Enum.GetValues<CreditStatus>().Where(_ => random.Next(2) == 0).ToImmutableArray();
            Assert.Equal(
                oracle.Where(credit => statuses.Contains(credit.Status)).Where(anyStatus.Passes),
                await Paging.All(page => reads.Credits(anyStatus, statuses, now, page), limit));
            Assert.Equal(Counted(oracle.Where(anyStatus.Passes)), Told(await reads.Count(anyStatus, null, null, now)));
            if (some.ReportId is not { } report) continue;
            Assert.Equal(
                oracle.Where(credit => credit.ReportId == report).Where(anyStatus.Passes),
                await Paging.All(page => reads.CreditsOf(report, anyStatus, null, now, page), limit));
            Assert.Equal(
                Counted(oracle.Where(credit => credit.ReportId == report).Where(anyStatus.Passes)),
                Told(await reads.Count(anyStatus, report, null, now)));
        }

        foreach (var (client, contract) in new[] { (null, null), ("acme", null), ((string?)null, (string?)"A"), ("other", "B") })
        {
            var expected = oracle.Where(new CreditFilter(client, contract, null, null, null, null, null).Passes).ToList();
            Assert.Equal(
                expected.GroupBy(credit => (credit.ClientId, credit.PaymentId)).OrderBy(group => group.Key.ClientId, StringComparer.Ordinal)
                    .ThenBy(group => group.Key.PaymentId, StringComparer.Ordinal)
                    .Select(group => $"{group.Key} {group.Select(credit => (credit.ContractId, credit.LotId)).Distinct().Count()} {group.Count()} {Counted(group)}"),
                (await Paging.All(page => reads.Payments(client, contract, now, page), 2)).Where(one => one.Payment.Quantity > 0).Select(one =>
                    $"{(one.Payment.ClientId, one.Payment.PaymentId)} {one.Payment.Lots} {one.Payment.Quantity} {Told(one.Credits)}"));
        }
        foreach (var credit in oracle) Assert.Equal(credit, await Queries.Credit(credit.CreditId, now));
        Assert.Null(await Queries.Credit(new("A", "none", 1), now));
        foreach (var (contractId, _) in Contracts)
        {
            Assert.Equal(await ((IQueries)memory).Apart(contractId), await Queries.Apart(contractId));
            Assert.True((await Queries.Audit(contractId))!.Balanced);
        }

        foreach (var credit in oracle.Where(credit => credit.ReportId is not null).Take(20))
        {
            var expected = await ((IQueries)memory).History(credit);
            Assert.NotEmpty(expected);
            Assert.Equal(expected.Select(booked => booked.Entry), (await Queries.History(credit)).Select(booked => booked.Entry));
        }

        string? Maybe(string? value) => random.Next(3) == 0 ? value : null;

        Instant? Sometimes(Instant? value) => random.Next(6) == 0 ? value : null;

        static string Counted(IEnumerable<CreditDocument> credits)
        {
            var counts = credits.ToLookup(credit => credit.Status);
            return string.Join(' ', Enum.GetValues<CreditStatus>().Select(status => $"{status}:{counts[status].Count()}"));
        }

        static string Told(IEnumerable<StatusCount> counts) => string.Join(' ', counts.Select(count => $"{count.Status}:{count.Credits}"));
    }

    [Fact]
    public async Task P4_a_page_deep_in_a_lot_of_a_billion_is_as_short_as_the_first()
    {
        var books = new Books(Store);
        await books.Agree("A", 999_999_999, ["U"]);
        Assert.NotNull(await books.Report("R", "A", "U", ["P1", "P2"]));

        var page = await Queries.Credits(All, books.Now, new(2, Cursor.After("credits", Books.Start, "A~L1~999999990")));

        Assert.Equal([999_999_991, 999_999_992], page.Items.Select(credit => credit.CreditId.Ordinal));
    }

    [Fact]
    public async Task P4_lots_of_one_instant_of_which_one_begins_as_the_other_are_in_the_order_of_their_credits_ids()
    {
        var books = new Books(Store);
        await books.Agree("A", 2, ["U"]);
        await books.Grant("A", "L", 2);
        await books.Grant("A", "L10", 2);
        Assert.NotNull(await books.Report("R", "A", "U", ["P1", "P2", "P3", "P4"]));

        foreach (var limit in new[] { 1, 2, 5 })
        {
            CreditFilter[] filters = [All, All with { UserId = "U" }, All with { Status = CreditStatus.Allocated }, All with { ContractId = "A" }];
            foreach (var filter in filters)
            {
                var listed = await Paging.All(page => Queries.Credits(filter, books.Now, page), limit);
                Assert.Equal(filter.UserId is null && filter.Status is null ? 6 : 4, listed.Count);
                var ids = listed.Select(credit => $"{credit.CreditId}").ToList();
                Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
            }
        }
    }

    private static CreditFilter All => new(null, null, null, null, null, null, null);

    // Two months of four contracts; then credits lose their players: some return to their lots, some lie apart from them.
    private static async Task<Instant> Tell(IStore store)
    {
        var (books, random) = (new Books(store), new Random(4));
        foreach (var (contract, client) in Contracts)
            await books.Agree(contract, 0, ["U", "V"], client, contract == "M" ? ContractType.Unlimited : ContractType.Metered);
        for (var day = 0; day < 60; day += random.Next(0, 4))
        {
            await books.Advance(Books.Start + Duration.FromDays(day), day < 40 ? ["acme", "other"] : []);
            var (contract, _) = Contracts[random.Next(Contracts.Length)];
            if (contract != "M")
            {
                var (lot, payment, expiresAt) = ($"L{random.Next(1_000_000)}", $"PAY{random.Next(3)}", books.Now + Duration.FromDays(random.Next(1, 50)));
                await books.Grant(contract, lot, random.Next(1, 12), payment, expiresAt);
            }
            foreach (var (report, by) in Contracts)
            {
                var players = Enumerable.Range(0, 3).Select(_ => $"P{random.Next(30)}").Distinct().ToList();
                await books.Report($"R{day}-{report}-{random.Next()}", report, random.Next(2) == 0 ? "U" : "V", players, by);
            }
        }

        var edited = 0;
        var credits = (await ((IQueries)store).Credits(All, books.Now, new(1_000, null))).Items;
        foreach (var credit in credits.Where(credit => credit.CreditId.Ordinal % 3 != 1 && credit.LotId != Lot.MintedId))
        {
            Instant? until = credit.CreditId.Ordinal % 3 == 0 ? null : books.Now + Duration.FromDays(credit.CreditId.Ordinal);
            if (await books.Edit(new(credit.CreditId, CreditStatus.Unallocated, null, Frees: false, null, until, "why", "ops"))) edited++;
        }
        Assert.InRange(edited, 20, 1_000);

        // Of some lots a part is taken back, of some all, those apart too.
        foreach (var (contract, _) in Contracts)
        {
            var open = (await store.Contract(contract))!.OpenLots.Where(lot => lot.Source != LotSource.Minted).DistinctBy(lot => lot.LotId).ToList();
            foreach (var (lot, place) in open.Select((lot, place) => (lot, place)).Where(one => one.place % 3 > 0))
                await books.Withdraw(contract, lot.LotId, place % 3 == 1 ? 1 : null);
            foreach (var lot in open.Take(2)) await books.Change(contract, lot.LotId, "PAY9");
        }
        return books.Now;
    }

    // Each ordinal of each lot, as its row says or, without one, its lot.
    private static List<CreditDocument> Oracle(MemoryStore memory, Instant now)
    {
        var apart = memory.Lots.Where(lot => lot.Lot is { Apart: > 0, Free.Count: > 0 })
            .ToDictionary(lot => new CreditId(lot.ContractId, lot.Lot.LotId, lot.Lot.Apart), lot => lot.Lot);
        Assert.NotEmpty(apart);
        return [.. memory.Lots.Where(lot => lot.Lot.Apart == 0)
            .SelectMany(lot => Runs.UpTo(lot.Lot.Quantity).Ordinals()
                .Select(ordinal => new CreditId(lot.ContractId, lot.Lot.LotId, ordinal))
                .Select(id => memory.Credit(id) is { } credit ? CreditDocument.Of(credit with { PaymentId = lot.Lot.PaymentId }, now)
                    : CreditDocument.Untouched(lot.ClientId, id, apart.GetValueOrDefault(id, lot.Lot), now)))
            .OrderBy(credit => credit.CreatedAt).ThenBy(credit => credit.CreditId.ToString(), StringComparer.Ordinal)];
    }
}
