using System.Diagnostics.Metrics;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>What every actor works with.</summary>
/// <param name="Time">Real time, for leases and waits (T4).</param>
public sealed record ActorServices(IActors Actors, IStore Store, IBusinessClock Clock, IWakeups Wakeups, TimeProvider Time, ActorMetrics Metrics)
{
    internal Instant RealNow => Instant.FromDateTimeOffset(Time.GetUtcNow());
}

/// <summary>How long actors wait for one another, and how much they decide at once.</summary>
public static class Limits
{
    /// <summary>How long a claim or a hold outlives a silent report, in real time.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>How long a report tries before it answers that the store is away, in real time.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>The most commands of one commit.</summary>
    public const int MaxBatch = 256;
}

/// <summary>What actors count.</summary>
public sealed class ActorMetrics : IDisposable
{
    private readonly Meter meter = new("CreditGrains.Grains");

    public ActorMetrics()
    {
        LeasesLapsed = meter.CreateCounter<long>("creditgrains.leases.lapsed", description: "Claims and holds that outlived their report");
        ReportRetries = meter.CreateCounter<long>("creditgrains.report.retries", description: "Attempts of reports after the first");
    }

    public Counter<long> LeasesLapsed { get; }

    public Counter<long> ReportRetries { get; }

    public void Dispose() => meter.Dispose();
}

/// <summary>What a store counts.</summary>
public sealed class StoreMetrics : IDisposable
{
    private readonly Meter meter = new("CreditGrains.Store");

    public StoreMetrics()
    {
        Commits = meter.CreateCounter<long>("creditgrains.commits", description: "Commits that became durable");
        Transactions = meter.CreateCounter<long>("creditgrains.transactions", description: "Transactions that carried them");
    }

    public Counter<long> Commits { get; }

    public Counter<long> Transactions { get; }

    public void Dispose() => meter.Dispose();
}
