using CreditGrains.Grains;
using CreditGrains.Http;
using ClusterOptions = CreditGrains.Cluster.ClusterOptions;
using IClock = CreditGrains.Actors.IClock;

namespace CreditGrains.Silo;

/// <summary>Once the silo is part of the cluster: takes the cluster's instant and sets the sweepers' alarm clocks. Before that the front serves nobody.</summary>
internal sealed class Joining(IClock clock, IGrainFactory grains) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (clock is ClusterClock shared) await shared.Join();
        await Sweepers.Start(grains);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>A silo that is told to stop says first that it is not ready, and serves on until load balancers have noticed.</summary>
internal sealed class Draining(IHostApplicationLifetime lifetime, Readiness readiness, ClusterOptions options, TimeProvider time) : IHostedService
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
