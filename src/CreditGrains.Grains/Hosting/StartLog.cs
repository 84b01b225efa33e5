using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Grains.Hosting;

/// <summary>What is logged of the libraries below: errors only, and none before the server has started, for what stops a start is one sentence.</summary>
public sealed class StartLog(IHostApplicationLifetime lifetime) : IHostedService
{
    private static readonly string[] Libraries = ["Orleans", "Polly", "Microsoft.Extensions.Hosting"];
    private static volatile bool isStarted;

    /// <summary>Filters the log of this process's server.</summary>
    public static void Add(IHostApplicationBuilder builder)
    {
        foreach (var library in Libraries) builder.Logging.AddFilter(library, level => isStarted && level >= LogLevel.Error);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        builder.Services.AddHostedService<StartLog>();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => isStarted = true);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
