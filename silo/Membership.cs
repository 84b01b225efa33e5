using System.Diagnostics.Metrics;
using CreditGrains.Grains.Hosting;
using CreditGrains.Http;
using Orleans.Runtime;

namespace CreditGrains.Silo;

/// <summary>Tells in a line each who joins the cluster, leaves it, or is evicted, and counts its silos.</summary>
internal sealed partial class Membership(
    IClusterMembershipService cluster, ILocalSiloDetails self, Readiness readiness, ILogger<Membership> log) : BackgroundService
{
    private readonly Meter meter = new("CreditGrains.Silo");
    private Dictionary<SiloAddress, SiloStatus> known = [];

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        meter.CreateObservableUpDownCounter("creditgrains.silos", Active, description: "Active silos of the cluster, as this one sees it");
        await foreach (var view in cluster.MembershipUpdates.WithCancellation(stoppingToken))
        {
            var before = known;
            known = view.Members.ToDictionary(member => member.Key, member => member.Value.Status);
            readiness.IsInCluster = known.GetValueOrDefault(self.SiloAddress) == SiloStatus.Active;
            foreach (var (silo, status) in known) Tell(silo, before.GetValueOrDefault(silo), status);
        }
    }

    private int Active() => known.Values.Count(status => status == SiloStatus.Active);

    // Who was gone before this silo came is nobody's news.
    private void Tell(SiloAddress silo, SiloStatus before, SiloStatus after)
    {
        if (before == after) return;
        if (after == SiloStatus.Active) Joined(silo);
        else if (after == SiloStatus.Dead && before is SiloStatus.ShuttingDown or SiloStatus.Stopping) Left(silo);
        else if (after == SiloStatus.Dead && before != SiloStatus.None) Evicted(silo);
    }

    [LoggerMessage(LogLevel.Information, "Silo {Silo} joined")]
    private partial void Joined(SiloAddress silo);

    [LoggerMessage(LogLevel.Information, "Silo {Silo} left")]
    private partial void Left(SiloAddress silo);

    [LoggerMessage(LogLevel.Warning, "Silo {Silo} was evicted: it did not answer the others' probes")]
    private partial void Evicted(SiloAddress silo);
}

/// <summary>A silo that was declared dead, or cannot go on, ends at once: its grains may live elsewhere already.</summary>
internal sealed class FatalErrors : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception) =>
        FatalEnd.Now($"the silo cannot go on: {exception?.GetBaseException().Message ?? context ?? "no reason was given"}");
}
