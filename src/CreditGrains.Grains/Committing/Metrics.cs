using System.Diagnostics.Metrics;

namespace CreditGrains.Grains;

/// <summary>What the grains count.</summary>
public sealed class GrainMetrics : IDisposable
{
    private readonly Meter meter = new("CreditGrains.Grains");

    public GrainMetrics()
    {
        Decisions = meter.CreateHistogram<long>(
            "creditgrains.decisions", description: "How often a command was decided until it was answered: more than once after conflicts");
        Conflicts = meter.CreateCounter<long>("creditgrains.conflicts", description: "Commits that met a row that had changed");
    }

    public Histogram<long> Decisions { get; }

    public Counter<long> Conflicts { get; }

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
