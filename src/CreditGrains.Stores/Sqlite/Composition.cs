using CreditGrains.Grains;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Runtime.Hosting;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The embedded store as a service.</summary>
public static class Composition
{
    /// <param name="store">Closed with the services.</param>
    public static IServiceCollection AddCreditGrainsSqlite(this IServiceCollection services, SqliteStore store) => services
        .AddSingleton(_ => store)
        .AddSingleton<IStore>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton<IQueries>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton<IUpcoming>(provider => provider.GetRequiredService<SqliteStore>())
        .AddGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, (provider, _) => new SqliteGrainStorage(provider.GetRequiredService<SqliteStore>()));
}
