using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>What a silo needs besides its store.</summary>
public static class Composition
{
    /// <param name="times">When reminders ring.</param>
    /// <param name="testClock">Where the test clock starts (T4); null: the machine's clock.</param>
    public static IServiceCollection AddCreditGrainsGrains(this IServiceCollection services, ReminderTimes times, Instant? testClock)
    {
        services.AddCreditGrainsMessages();
        services.AddSingleton(TimeProvider.System).AddSingleton(times).AddSingleton<GrainMetrics>().AddSingleton<GrainServices>();
        services.AddSingleton(provider => Due(provider, provider.GetRequiredService<ILogger<DueWork>>()));
        if (testClock is { } start)
        {
            services.AddSingleton(provider => new ClusterClock(provider.GetRequiredService<IGrainFactory>(), start));
            services.AddSingleton<IBusinessClock>(provider => provider.GetRequiredService<ClusterClock>());
        }
        else
        {
            services.AddSingleton<IBusinessClock, MachineClock>();
        }
        return services;
    }

    private static DueWork Due(IServiceProvider provider, ILogger log) => new(
        provider.GetRequiredService<IGrainFactory>(), provider.GetRequiredService<IStore>(), provider.GetRequiredService<IBusinessClock>(),
        (grain, cause) => log.LogError(cause, "{Grain} has something due that cannot be processed", grain));
}
