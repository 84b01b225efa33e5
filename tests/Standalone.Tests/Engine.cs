using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Standalone.Tests;

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("creditgrains-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>The embedded engine without HTTP: a store, its actors and a test clock.</summary>
internal sealed class Engine : IAsyncDisposable
{
    public static readonly Instant Start = At("2026-03-01T00:00:00Z");

    private readonly TempDirectory? own;

    private Engine(TempDirectory? own, SqliteStore store) => (this.own, Store) = (own, store);

    public SqliteStore Store { get; }

    public TestClock Clock { get; private set; } = null!;

    public InProcessActors Actors { get; private set; } = null!;

    public ActorMetrics Metrics { get; } = new();

    public IQueries Queries => Store;

    /// <summary>On the data of <paramref name="directory"/>; null: on data of its own.</summary>
    public static async Task<Engine> Open(string? directory = null, ActivationLimits? limits = null)
    {
        var own = directory is null ? new TempDirectory() : null;
        var engine = new Engine(own, SqliteStore.Open(directory ?? own!.Path));
        DueWork? work = null;
        engine.Clock = await TestClock.Open(engine.Store, Start, () => work!.Settle());
        engine.Actors = new(self => new(self, engine.Store, engine.Clock, new NoAlarm(), TimeProvider.System, engine.Metrics), limits);
        work = new(engine.Actors, engine.Store, engine.Clock, (_, cause) => throw cause);
        return engine;
    }

    public static Instant At(string instant) => InstantPattern.ExtendedIso.Parse(instant).Value;

    /// <summary>A contract with one lot, and users who may use it.</summary>
    public async Task Agree(string contractId, long credits, ImmutableArray<string> users, string clientId = "acme", ContractType type = ContractType.Metered)
    {
        var terms = new Terms(contractId, clientId, contractId, type, "UTC", new(2026, 1, 1), null, 30, 30, CoverageFrom.Activation);
        Assert.Null((await Actors.Contract(contractId).Set(new(terms, null, "test"))).Refusal);
        if (credits > 0) await Grant(contractId, "L1", credits);
        Assert.Null((await Actors.Contract(contractId).ReplaceUsers([.. users.Select(user => new UserName(user, user))], "test")).Refusal);
    }

    public async Task Grant(string contractId, string lotId, long credits, string payment = "PAY", Instant? expiresAt = null) =>
        Assert.Null((await Actors.Contract(contractId).Grant(new(lotId, LotSource.Purchase, payment, credits, null, expiresAt, "test"), null)).Refusal);

    public Task<ReportAnswer> Report(string reportId, string contractId, string userId, IEnumerable<string> players, bool dryRun = false, string clientId = "acme") =>
        Actors.Report(new(clientId, reportId)).Submit(new(contractId, userId, [.. players.Select(player => new PlayerName(player, null))], "test", dryRun));

    public async Task<Report> Made(string reportId, string contractId, string userId, params string[] players) =>
        Assert.IsType<ReportAnswer.First>(await Report(reportId, contractId, userId, players)).Report;

    public async ValueTask DisposeAsync()
    {
        await Task.Yield();
        Actors.Dispose();
        Store.Dispose();
        Metrics.Dispose();
        own?.Dispose();
    }

    private sealed class NoAlarm : IWakeups
    {
        public void Schedule(string contractId, Instant at) { }

        public void Schedule(AllocationKey allocation, Instant at) { }

        public void ScheduleAccount(string accountId, Instant at) { }
    }
}

/// <summary>What one counter has counted since.</summary>
internal sealed class Counted : IDisposable
{
    private readonly MeterListener listener = new();
    private long total;

    public Counted(Instrument counter)
    {
        listener.SetMeasurementEventCallback<long>((_, more, _, _) => Interlocked.Add(ref total, more));
        listener.EnableMeasurementEvents(counter);
        listener.Start();
    }

    public long Total => Interlocked.Read(ref total);

    public void Dispose() => listener.Dispose();
}

/// <summary>Everything a list has, page by page.</summary>
internal static class Pages
{
    public static async Task<List<T>> All<T>(Func<PageRequest, Task<Page<T>>> list, int limit)
    {
        var all = new List<T>();
        string? after = null;
        do
        {
            var page = await list(new(limit, after));
            Assert.True(page.Next is null || page.Items.Length == limit);
            all.AddRange(page.Items);
            after = page.Next;
        }
        while (after is not null);
        return all;
    }
}
