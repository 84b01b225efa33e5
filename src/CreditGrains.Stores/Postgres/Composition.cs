using CreditGrains.Grains;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The store as a service; the <see cref="NpgsqlDataSource"/> is the host's.</summary>
public static class Composition
{
    public static IServiceCollection AddCreditGrainsPostgres(this IServiceCollection services) => services
        .AddSingleton(provider => new PostgresStore(provider.GetRequiredService<NpgsqlDataSource>()))
        .AddSingleton<IStore>(provider => provider.GetRequiredService<PostgresStore>())
        .AddSingleton<IQueries>(provider => provider.GetRequiredService<PostgresStore>());
}
