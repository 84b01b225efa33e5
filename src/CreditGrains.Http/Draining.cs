using Microsoft.Extensions.Hosting;

namespace CreditGrains.Http;

/// <summary>A process that is told to stop says first that it is not ready, and serves on until load balancers have noticed.</summary>
internal sealed class Draining(IHostApplicationLifetime lifetime, Readiness readiness, HttpOptions options, TimeProvider time) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() =>
        {
            readiness.Leave();
            if (options.Drain > TimeSpan.Zero) Task.Delay(options.Drain, time).Wait(CancellationToken.None);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
