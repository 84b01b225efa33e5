using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>What an archive leaves: every answer is what it was, or says that it cannot be given.</summary>
public abstract class RetentionStories<TStores> : Suite<TStores> where TStores : IStores, new()
{
    private const int AtOnce = 7;

    private static readonly ImmutableArray<EntryKind> Moved = [EntryKind.CreditsCharged, EntryKind.CreditsMinted, EntryKind.CoverageExpired];

    private readonly MemoryStore plain = new();
    private long moved;

    private IQueries Expected => plain;

    private Books[] Both => field ??= [new(Store), new(plain)];

    private Instant Now => Both[0].Now;

    [Fact]
    public async Task G3_G5_G2_behind_an_archive_each_answer_is_that_of_all_entries_and_before_it_is_refused()
    {
        await Live(days: 0..48);
        await Compare(null);
        await WriteCheckpoints("C", 9);

        // Ended between two batches.
        var first = Day(30) + Duration.FromHours(12);
        await Assert.ThrowsAsync<OperationCanceledException>(() => Archive(first, AtOnce, count =>
        {
            moved += count;
            throw new OperationCanceledException();
        }));
        Assert.Equal(AtOnce, moved);
        await Compare(first);
        await WriteCheckpoints("C", 9);
        await Archive(first);
        await Compare(first);
        await Archive(Day(25));
        await Compare(first);

        await Live(days: 48..60);
        await WriteCheckpoints("C", 9);
        await Compare(first);
        var second = Day(52) + Duration.FromHours(12);
        await Archive(second);
        await Compare(second);
        await Live(days: 60..66);
        await Compare(second);
    }

    [Fact]
    public async Task G4_behind_an_archive_the_feed_starts_and_misses_none_and_cursors_before_are_gone()
    {
        await Live(days: 0..20);
        var all = await Queries.Feed(new(null, null), await Queries.FeedStart(), 1_000);
        var end = await Queries.FeedEnd();
        await Archive(Day(12) + Duration.FromHours(12));

        var start = await Queries.FeedStart();
        var left = await Queries.Feed(new(null, null), start, 1_000);
        Assert.Equal(all[^left.Length..], left);
        Assert.Equal(all.Count(fed => fed.Booked.Entry.BookedAt > Day(12)), left.Count(fed => fed.Booked.Entry.BookedAt > Day(12)));
        Assert.Equal(end, await Queries.FeedEnd());
        Assert.Empty(await Queries.Feed(new(null, null), end, 10));
        var gone = await Assert.ThrowsAsync<CursorGoneException>(() => Queries.Feed(new(null, null), all[3].Place, 10));
        Assert.Equal("Entries behind the cursor are archived; read the feed from its start.", gone.Message);
    }

    [Fact]
    public async Task What_is_not_past_by_the_ledger_s_own_word_is_not_archived()
    {
        await Assert.ThrowsAsync<DataRefusedException>(() => Archive(Day(1)));
        await Live(days: 0..2);
        var refused = await Assert.ThrowsAsync<DataRefusedException>(() => Archive(Day(9)));
        Assert.Equal("--before must not be after the ledger's last entry, which was booked at 2026-03-02T00:00:00Z.", refused.Message);
        await Archive(Day(0));
        Assert.Equal(0, moved);
    }

    private Task Archive(Instant before) => Archive(before, AtOnce, count => moved += count);

    private static Instant Day(int day) => Books.Start + Duration.FromDays(day);

    // Reports every other day, what else a contract sees now and then, and ends of coverage that are booked up to twelve days late.
    private async Task Live(Range days)
    {
        foreach (var day in Enumerable.Range(days.Start.Value, days.End.Value - days.Start.Value))
        {
            foreach (var books in Both)
            {
                await books.Advance(Day(day), day % 13 == 12 ? ["acme"] : []);
                if (day == 0)
                {
                    await books.Agree("C", 200, ["U", "V"]);
                    await books.Agree("M", 0, ["U"], type: ContractType.Unlimited);
                }
                if (day == 47) await books.Agree("later", 10, ["U"]);
                if (day % 20 == 0) await books.Grant("C", $"B{day}", 50, $"PAY{day}");
                if (day % 2 == 0)
                {
                    var (user, hold) = (day % 4 == 0 ? "U" : "V", day % 6 == 0 ? 600 : (int?)null);
                    Assert.NotNull(await books.Report($"R{day}", "C", user, [$"P{day}.1", $"P{day}.2", "P"], holdSeconds: hold));
                    Assert.NotNull(await books.Report($"M{day}", "M", "U", [$"Q{day}"]));
                }
                if (day % 10 == 7 && await Freed(books, day)) await books.Withdraw("C", "B0", 1);
            }
        }
    }

    private static Task<bool> Freed(Books books, int day) =>
        books.Edit(new(new("C", "B0", day / 10 + 1), CreditStatus.Unallocated, null, Frees: true, null, null, "why", "ops"));

    /// <param name="before">What is archived.</param>
    private async Task Compare(Instant? before)
    {
        foreach (var contract in new[] { "C", "M", "later" })
        {
            if (await Queries.Contract(contract) is null) continue;
            var known = contract == "later" ? null : before;
            for (var at = Day(-2); at <= Now + Duration.FromDays(40); at += Duration.FromHours(97))
            {
                var asked = at;
                await Same(!(at < known), $"at must not be before {known}: the ledger before is archived.", queries => queries.Balance(contract, asked, Now));
            }
            await Same(true, "", queries => queries.Balance(contract, null, Now));
            for (var from = -1; Day(from) <= Now; from += 5)
            {
                var (first, last) = (Day(from).InUtc().Date, Instant.Min(Day(from + 4), Now).InUtc().Date);
                await Same(
                    !(Day(from) < known), $"from must not be before {known?.InUtc().Date.PlusDays(1):R}: the ledger before is archived.",
                    queries => queries.Statement(contract, first, last, Now));
            }

            var expected = (await Expected.Audit(contract))!;
            var (quick, full) = ((await Queries.Audit(contract))!, (await Queries.Audit(contract, isFull: true))!);
            Assert.Equal(known is not null, full.Checkpoint is not null);
            Assert.Equal(Json.Write(expected), Json.Write(full with { Checkpoint = null }));
            Assert.Equal(Json.Write(expected), Json.Write(quick with { Checkpoint = null }));
            Assert.True(expected.Balanced);
        }

        var filter = new UsageFilter(null, null, null, null, null, [UsageBy.Contract, UsageBy.Day]);
        Assert.Equal(Told(await Expected.Usage(filter)), Told(await Queries.Usage(filter)));
        foreach (var report in new[] { "R0", "M2", "R44", "none" })
            Assert.Equal(Json.Write(await CreditsOf(Expected, report)), Json.Write(await CreditsOf(Queries, report)));

        // What is gone are entries that come with reports, and the archive has them.
        var (all, left) = (await Ledger(Expected), await Ledger(Queries));
        Assert.Equal(moved, all.Count - left.Count);
        Assert.Equal(all.Where(IsLeft).Select(Json.Write).Order(StringComparer.Ordinal), left.Where(IsLeft).Select(Json.Write).Order(StringComparer.Ordinal));
        if (before is not null) Assert.InRange(moved, AtOnce, all.Count);

        bool IsLeft(Entry entry) => !Moved.Contains(entry.Kind) || entry.BookedAt >= before || before is null;

        string Told(IEnumerable<UsageRow> rows) => Json.Write(Usage.Page(rows, filter, new(1_000, null)));

        async Task Same<T>(bool isKnown, string refusal, Func<IQueries, Task<T>> ask)
        {
            if (isKnown) Assert.Equal(Json.Write(await ask(Expected)), Json.Write(await ask(Queries)));
            else Assert.Equal(refusal, (await Assert.ThrowsAsync<ArchivedException>(() => ask(Queries))).Message);
        }

        Task<Page<CreditDocument>> CreditsOf(IQueries queries, string reportId) =>
            new Unbooked(queries).CreditsOf(reportId, new(null, null, null, null, null, null, null), null, Now, new(100, null));
    }

    private static async Task<List<Entry>> Ledger(IQueries queries) =>
        [.. (await Paging.All(page => queries.Ledger(new(null, null, null, null), page), 1_000)).Select(booked => booked.Entry)];
}
