using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Grains.Hosting;

/// <summary>
/// How a server logs: a line an event, with its instant, as text or JSON. Of the libraries below errors only, and none before the server has started, for what
/// stops a start is one sentence. A level that the operator gives, such as <c>Logging__LogLevel__Orleans</c>, holds from the start.
/// </summary>
public sealed class StartLog(IHostApplicationLifetime lifetime) : IHostedService
{
    private static readonly string[] Libraries = ["Orleans", "Polly", "Microsoft.Extensions.Hosting"];
    private static volatile bool isStarted;

    /// <summary>Sets up the log of this process's server.</summary>
    public static void Add(IHostApplicationBuilder builder, LogFormat format)
    {
        // Below all that is configured.
        builder.Configuration.Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:Console:FormatterName"] = format == LogFormat.Json ? "json" : "simple",
                ["Logging:Console:FormatterOptions:TimestampFormat"] = "yyyy-MM-dd'T'HH:mm:ss.fff'Z '",
                ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
                ["Logging:Console:FormatterOptions:SingleLine"] = "true",
                ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = nameof(LogLevel.Warning),
            },
        });
        foreach (var library in Libraries.Where(library => builder.Configuration[$"Logging:LogLevel:{library}"] is null))
            builder.Logging.AddFilter(library, level => isStarted && level >= LogLevel.Error);
        builder.Services.AddHostedService<StartLog>();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(() => isStarted = true);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
