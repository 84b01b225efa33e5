using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace CreditGrains.Cluster.Tests;

/// <summary>What time does: the test clock, and what falls due on it.</summary>
public sealed class EmbeddedTimeTests : IDisposable
{
    private static readonly Duration Day = Duration.FromDays(1);

    private readonly TempDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task The_test_clock_goes_forward_only_and_a_restart_does_not_turn_it_back_T4()
    {
        await using (var engine = await Engine.Open(directory.Path))
        {
            Assert.Null((await engine.Clock.Advance(Engine.Start + Day)).Refusal);
            Assert.Equal(RefusalCode.InvalidField, (await engine.Clock.Advance(Engine.Start)).Refusal?.Code);
            Assert.Null((await engine.Clock.Advance(Engine.Start + Day)).Refusal);
        }
        await using var again = await Engine.Open(directory.Path);

        Assert.Equal(Engine.Start + Day, again.Clock.Now);
        Assert.Null((await again.Clock.Advance(Engine.Start + 2 * Day)).Refusal);
    }

    [Fact]
    public async Task Now_is_never_before_what_was_decided_last_though_a_clock_is_behind_G3()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 10, ["U"]);
        await engine.Made("R", "C", "U", "P1", "P2");

        var balance = (await engine.Queries.Balance("C", null, Engine.Start - Day))!;

        Assert.Equal((Engine.Start, 10, 8L), (balance.At, balance.Granted, balance.Available));
    }

    [Fact]
    public async Task Advancing_returns_when_all_that_fell_due_is_booked_T3()
    {
        // day 0    C has L1 of 10 until day 30; a report charges 2, covered until day 30
        // day 15   a report charges 1, covered until day 45
        // day 40   L1 is over: 7 expired; the 2 are over too
        await using var engine = await Engine.Open(directory.Path);
        await engine.Agree("C", 10, ["U"]);
        await engine.Made("R1", "C", "U", "P1", "P2");
        await engine.Clock.Advance(Engine.Start + 15 * Day);
        await engine.Made("R2", "C", "U", "P1", "P3");

        await engine.Clock.Advance(Engine.Start + 40 * Day);

        var audit = (await engine.Queries.Audit("C"))!;
        Assert.True(audit.Balanced);
        Assert.Equal((10L, 0L, 1L, 9L), (audit.Granted, audit.Unallocated, audit.Allocated, audit.Expired));
        var told = await Pages.All(page => engine.Queries.Ledger(new(null, "C", null, null), page), 2);
        Assert.Equal(
            [(EntryKind.CreditsCharged, 2L), (EntryKind.CreditsCharged, 1L), (EntryKind.LotExpired, 7L), (EntryKind.CoverageExpired, 2L)],
            told.Where(entry => entry.Entry.Quantity > 0 && entry.Entry.Kind != EntryKind.LotGranted).Select(entry => (entry.Entry.Kind, entry.Entry.Quantity)));
        Assert.All(told.Where(entry => entry.Entry.Actor == Entry.System), entry => Assert.Equal(Engine.Start + 30 * Day, entry.Entry.EffectiveAt));
        Assert.Equal(1, (await engine.Made("R3", "C", "U", "P3")).Covered);
    }

    [Fact]
    public async Task Many_contracts_that_fall_due_together_are_all_booked()
    {
        await using var engine = await Engine.Open(directory.Path);
        await Task.WhenAll(Enumerable.Range(0, 250).Select(i => engine.Agree($"C{i}", 1, [])));

        await engine.Clock.Advance(Engine.Start + 31 * Day);

        Assert.Empty(await engine.Store.DueContracts(engine.Clock.Now, 1));
        Assert.Equal(250, (await Pages.All(page => engine.Queries.Credits(new("acme", null, CreditStatus.Expired, null, null, null, null), engine.Clock.Now, page), 100)).Count);
    }

    [Fact]
    public async Task One_contract_that_cannot_be_processed_is_logged_and_is_no_obstacle_to_the_others()
    {
        var log = new Errors();
        await using var engine = await Engine.Open(directory.Path, log);
        var later = new DocumentChange(DocumentKind.Contract, "later", 1, 0, """{"schema":99,"value":{}}""", "acme", Engine.Start, Engine.Start + Day);
        await engine.Store.Commit(new("acme", [later]));
        await engine.Agree("C", 5, []);

        Assert.Null((await engine.Clock.Advance(Engine.Start + 31 * Day)).Refusal);

        Assert.Equal(["later"], await engine.Store.DueContracts(Engine.Start + 31 * Day, 10));
        Assert.Contains(log.Seen, error => error is UnknownSchemaException);
    }

    [Fact]
    public async Task All_that_will_fall_due_is_told_page_by_page_in_the_order_of_its_instants()
    {
        await using var engine = await Engine.Open(directory.Path);
        await engine.Clock.Advance(Engine.Start + Day);
        for (var i = 0; i < 5; i++) await engine.Agree($"C{i}", 1, []);
        await engine.Grant("C3", "sooner", 1, expiresAt: Engine.Start + 2 * Day);

        var told = new List<Upcoming>();
        var last = new Upcoming("", "", Engine.Start);
        while (await engine.Store.Upcoming(last, Engine.Start + 31 * Day, 2) is { Count: > 0 } page)
        {
            told.AddRange(page);
            last = page[^1];
        }

        Assert.Single(await engine.Store.Upcoming(new("", "", Engine.Start), Engine.Start + 2 * Day, 100));
        Assert.Equal(["C3", "C0", "C1", "C2", "C4"], told.Select(each => each.Key));
        Assert.Equal(Engine.Start + 2 * Day, told[0].At);
        Assert.All(told, each => Assert.Equal(DocumentKind.Contract, each.Kind));
    }

    private sealed class Errors : ILoggerProvider, ILogger
    {
        public ImmutableList<Exception> Seen { get; private set; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (this) Seen = exception is null ? Seen : Seen.Add(exception);
        }

        public void Dispose() { }
    }
}
