using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Stores.Postgres;
using CreditGrains.Telemetry;
using Orleans.Configuration;
using Orleans.Runtime;

namespace CreditGrains.Silo;

/// <summary>One silo of several on one PostgreSQL database, which keeps membership, reminders and grain state, too.</summary>
internal static class Cluster
{
    /// <summary>Brings the database to this program's schema.</summary>
    public static Task Migrate(ServerOptions options) => Migrator.Migrate(new PostgresPools(options.Postgres!).Store, Console.WriteLine);

    /// <summary>The database is brought to this program's schema first, or only looked at.</summary>
    public static async Task UsePostgres(this IHostApplicationBuilder builder, ServerOptions options)
    {
        Ports.Check(options, isSilo: true);
        var tls = ClusterTls.Read(options);
        var pools = new PostgresPools(options.Postgres!);
        if (options.Migrate) await Migrator.Migrate(pools.Store, Console.WriteLine);
        else await Migrator.Check(pools.Store);
        await Neighbours.Check(pools.Orleans, options);

        // It tells each statement at Information.
        builder.Logging.AddFilter("Npgsql", LogLevel.Warning);
        builder.Services.AddCreditGrainsPostgres(pools.Store).AddCreditGrainsGrains(ReminderTimes.Cluster, options.TestClock);
        builder.UseOrleans(silo =>
        {
            silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ClusterId));

            // Whoever reaches these ports may do everything: nobody does from where no silo is.
            silo.ConfigureEndpoints(options.Advertise, options.SiloPort, options.GatewayPort, listenOnAnyHostAddress: false);
            if (tls is not null) silo.UseTls(tls.Apply);
            silo.UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", pools.Orleans));
            silo.UseAdoNetReminderService(database => (database.Invariant, database.ConnectionString) = ("Npgsql", pools.Orleans));
            silo.AddAdoNetGrainStorageAsDefault(database => (database.Invariant, database.ConnectionString) = ("Npgsql", pools.Orleans));
            silo.Configure<ClusterMembershipOptions>(NoticeDeathsSoon);
            silo.Services.AddSingleton<IFatalErrorHandler, FatalErrors>();
            silo.Services.AddHostedService<Membership>();
            if (Exports.ByOtlp) silo.AddActivityPropagation();
        });
    }

    // A silo that was killed is noticed within a few seconds, not half a minute.
    private static void NoticeDeathsSoon(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(1);
        membership.NumMissedProbesLimit = 2;
        membership.NumVotesForDeathDeclaration = 1;
        membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);
        membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(10);
        membership.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(10);
        membership.DefunctSiloExpiration = TimeSpan.FromDays(1);
    }
}
