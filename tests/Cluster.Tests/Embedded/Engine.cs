using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Sqlite;
using CreditGrains.Silo;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Cluster.Tests;

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("creditgrains-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>A silo on an embedded store, without HTTP, on a test clock.</summary>
internal sealed class Engine : IAsyncDisposable
{
    public static readonly Instant Start = At("2026-03-01T00:00:00Z");

    private readonly IHost host;
    private readonly TempDirectory? own;

    private Engine(IHost host, TempDirectory? own) => (this.host, this.own) = (host, own);

    public SqliteStore Store => host.Services.GetRequiredService<SqliteStore>();

    public IMovableClock Clock => (IMovableClock)host.Services.GetRequiredService<IBusinessClock>();

    public IGrainFactory Grains => host.Services.GetRequiredService<IGrainFactory>();

    public GrainMetrics Metrics => host.Services.GetRequiredService<GrainMetrics>();

    /// <summary>Every call of one grain's methods, by name, since the start.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public IQueries Queries => Store;

    /// <summary>On the data of <paramref name="directory"/>; null: on data of its own.</summary>
    public static async Task<Engine> Open(string? directory = null, ILoggerProvider? log = null)
    {
        var own = directory is null ? new TempDirectory() : null;
        var builder = Host.CreateEmptyApplicationBuilder(null);
        if (log is not null) builder.Logging.AddProvider(log);
        builder.UseEmbedded(SqliteStore.Open(directory ?? own!.Path), Start);
        var calls = new CallCounter();
        builder.Services.AddSingleton<IIncomingGrainCallFilter>(calls);
        var engine = new Engine(builder.Build(), own);
        calls.Calls = engine.Calls;
        await engine.host.StartAsync();
        await ((ClusterClock)engine.Clock).Join();
        return engine;
    }

    public static Instant At(string instant) => InstantPattern.ExtendedIso.Parse(instant).Value;

    /// <summary>A contract with one lot, and users who may use it.</summary>
    public async Task Agree(string contractId, long credits, ImmutableArray<string> users, string clientId = "acme", ContractType type = ContractType.Metered)
    {
        var terms = new Terms(contractId, clientId, contractId, type, "UTC", new(2026, 1, 1), null, 30, 30, CoverageFrom.Activation);
        Assert.Null((await Grains.Contract(contractId).Set(new(terms, null, "test"))).Refusal);
        if (credits > 0) await Grant(contractId, "L1", credits);
        Assert.Null((await Grains.Contract(contractId).ReplaceUsers([.. users.Select(user => new UserName(user, user))], "test")).Refusal);
    }

    public async Task Grant(string contractId, string lotId, long credits, string payment = "PAY", Instant? expiresAt = null) =>
        Assert.Null((await Grains.Contract(contractId).Grant(new(lotId, LotSource.Purchase, payment, credits, null, expiresAt, "test"), null)).Refusal);

    public Task<ReportAnswer> Report(string reportId, string contractId, string userId, IEnumerable<string> players, bool dryRun = false, string clientId = "acme") =>
        Grains.Contract(contractId).Charge(
            new(new(clientId, reportId), contractId, userId, [.. players.Select(player => new PlayerName(player, null))], "test", dryRun));

    public async Task<Report> Made(string reportId, string contractId, string userId, params string[] players) =>
        Assert.IsType<ReportAnswer.First>(await Report(reportId, contractId, userId, players)).Report;

    private sealed class CallCounter : IIncomingGrainCallFilter
    {
        public ConcurrentQueue<string>? Calls { get; set; }

        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceName.StartsWith("CreditGrains.", StringComparison.Ordinal)) Calls?.Enqueue($"{context.InterfaceName.Split('.')[^1]}.{context.MethodName}");
            return context.Invoke();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
        own?.Dispose();
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
