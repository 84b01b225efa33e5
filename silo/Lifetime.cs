using CreditGrains.Grains;
using CreditGrains.Cluster;
using CreditGrains.Http;

namespace CreditGrains.Silo;

/// <summary>
/// Once the silo is part of the cluster: takes the cluster's instant and sets the sweeper's alarm clock. Before that the front serves nobody.
/// A message may still be sent to a silo that is gone, such as the one that was at this address before; so what is lost is asked again, for a minute.
/// </summary>
internal sealed class Joining(IBusinessClock clock, IActors actors, IGrainFactory grains, TimeProvider time) : IHostedService
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1), Pause = TimeSpan.FromMilliseconds(250);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        for (var began = time.GetTimestamp(); !await Joined(began); await Task.Delay(Pause, time, cancellationToken))
        {
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> Joined(long began)
    {
        try
        {
            if (clock is ClusterClock shared) await shared.Join();
            await grains.GetGrain<ISweeperGrain>(0).Start();
            return true;
        }
        catch (Exception e) when (actors.IsLost(e) && time.GetElapsedTime(began) < Patience)
        {
            return false;
        }
    }
}

/// <summary>A silo that is told to stop says first that it is not ready, and serves on until load balancers have noticed.</summary>
internal sealed class Draining(IHostApplicationLifetime lifetime, Readiness readiness, MemberOptions options, TimeProvider time) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() =>
        {
            readiness.Leave();
            Task.Delay(options.Drain, time).Wait(CancellationToken.None);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
