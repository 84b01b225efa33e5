using CreditGrains.Cluster;
using CreditGrains.Grains;
using CreditGrains.Http;
using CreditGrains.Stores.Postgres;
using Npgsql;
using Orleans.Configuration;

namespace CreditGrains.Silo;

/// <summary>Puts a silo together: grains, store, membership, reminders and, by default, the HTTP front.</summary>
public static class SiloHost
{
    /// <summary>The database is brought to this program's schema first.</summary>
    public static async Task<WebApplication> Build(MemberOptions options)
    {
        var source = NpgsqlDataSource.Create(options.StorePool);
        await Migrator.Migrate(source);

        var builder = WebApplication.CreateBuilder();
        builder.Logging.AddFilter("Orleans", LogLevel.Error);
        builder.Services.AddSingleton(source).AddSingleton(options);
        builder.Services.AddHostedService<Draining>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.UseOrleans(silo => Join(silo, options));
        builder.Services.AddHostedService<Joining>();
        builder.Services.AddCreditGrainsGrains(options.TestClock);
        builder.Services.AddCreditGrainsPostgres();
        builder.Services.AddCreditGrainsHttp(new() { ApiKeysFile = options.ApiKeys });
        builder.WebHost.UseUrls(options.Front ? options.Urls.Split(';') : ["http://127.0.0.1:0"]);

        var app = builder.Build();
        if (options.Front) app.MapCreditGrains();
        return app;
    }

    private static void Join(ISiloBuilder silo, MemberOptions options)
    {
        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ClusterId));
        silo.ConfigureEndpoints(options.Advertise, options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: true);
        silo.UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", options.OrleansPool));
        silo.UseAdoNetReminderService(database => (database.Invariant, database.ConnectionString) = ("Npgsql", options.OrleansPool));
        silo.AddAdoNetGrainStorageAsDefault(database => (database.Invariant, database.ConnectionString) = ("Npgsql", options.OrleansPool));

        // A silo that was killed is noticed within a few seconds, not half a minute.
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromSeconds(1);
            membership.NumMissedProbesLimit = 2;
            membership.NumVotesForDeathDeclaration = 1;
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);
            membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(10);
            membership.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);
            membership.DefunctSiloExpiration = TimeSpan.FromDays(1);
        });
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = TimeSpan.FromMinutes(5));
    }
}
