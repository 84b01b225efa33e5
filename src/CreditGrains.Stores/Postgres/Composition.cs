using CreditGrains.Grains;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Stores.Postgres;

/// <summary>The store as a service.</summary>
public static class Composition
{
    /// <param name="connectionString">Its pool size limits reads; commits have connections of their own.</param>
    public static IServiceCollection AddCreditGrainsPostgres(this IServiceCollection services, string connectionString) => services
        .AddSingleton(provider => PostgresStore.Open(connectionString, provider.GetService<ILoggerFactory>()))
        .AddSingleton<IStore>(provider => provider.GetRequiredService<PostgresStore>())
        .AddSingleton<IQueries>(provider => provider.GetRequiredService<PostgresStore>());
}
