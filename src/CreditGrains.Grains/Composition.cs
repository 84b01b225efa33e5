using CreditGrains.Actors;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using IClock = CreditGrains.Actors.IClock;

namespace CreditGrains.Grains;

/// <summary>What a silo needs besides its store.</summary>
public static class Composition
{
    /// <param name="testClock">Where the test clock starts (T4); null: the machine's clock.</param>
    public static IServiceCollection AddCreditGrainsGrains(this IServiceCollection services, Instant? testClock)
    {
        services.AddCreditGrainsMessages();
        services.AddSingleton(TimeProvider.System).AddSingleton<ActorOptions>().AddSingleton<ActorMetrics>().AddSingleton<ActorServices>().AddSingleton<CoverageSweeper>().AddSingleton<DueWork>();
        services.AddSingleton<GrainActors>();
        services.AddSingleton<IActors>(provider => provider.GetRequiredService<GrainActors>());
        services.AddSingleton<IWakeups>(provider => provider.GetRequiredService<GrainActors>());
        if (testClock is { } start)
        {
            services.AddSingleton(provider => new ClusterClock(provider.GetRequiredService<IGrainFactory>(), start));
            services.AddSingleton<IClock>(provider => provider.GetRequiredService<ClusterClock>());
        }
        else
        {
            services.AddSingleton<IClock, MachineClock>();
        }
        return services;
    }
}
