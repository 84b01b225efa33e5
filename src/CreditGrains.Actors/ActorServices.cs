using System.Diagnostics.Metrics;
using NodaTime;

namespace CreditGrains.Actors;

/// <summary>What every actor works with.</summary>
/// <param name="Time">Real time, for leases and waits (T4).</param>
public sealed record ActorServices(IActors Actors, IStore Store, IClock Clock, IWakeups Wakeups, TimeProvider Time, ActorOptions Options, ActorMetrics Metrics)
{
    internal Instant RealNow => Instant.FromDateTimeOffset(Time.GetUtcNow());
}

public sealed record ActorOptions
{
    /// <summary>How long a claim or a hold outlives a silent report, in real time.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a report tries before it answers that the store is away, in real time.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The most commands of one commit.</summary>
    public int MaxBatch { get; init; } = 256;
}

/// <summary>What actors count.</summary>
public sealed class ActorMetrics : IDisposable
{
    private readonly Meter meter = new("CreditGrains.Actors");

    public ActorMetrics()
    {
        LeasesLapsed = meter.CreateCounter<long>("creditgrains.leases.lapsed", description: "Claims and holds that outlived their report");
        ReportAttempts = meter.CreateCounter<long>("creditgrains.report.retries", description: "Attempts of reports after the first");
    }

    public Counter<long> LeasesLapsed { get; }

    public Counter<long> ReportAttempts { get; }

    public void Dispose() => meter.Dispose();
}
