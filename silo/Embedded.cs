using System.Net;
using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using CreditGrains.Telemetry;
using NodaTime;
using Orleans.Configuration;

namespace CreditGrains.Silo;

/// <summary>One silo on a store of its own: membership and reminders live as long as the process.</summary>
public static class Embedded
{
    /// <param name="store">Closed with the host.</param>
    /// <param name="testClock">Where the test clock starts (T4); null: the machine's clock.</param>
    public static void UseEmbedded(this IHostApplicationBuilder builder, SqliteStore store, Instant? testClock)
    {
        builder.Services.AddCreditGrainsSqlite(store).AddCreditGrainsGrains(ReminderTimes.Embedded, testClock);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(gatewayPort: 0);
            silo.UseInMemoryReminderService();
            if (Exports.ByOtlp) silo.AddActivityPropagation();

            // Nobody connects to the one silo, whose address is only its name: it listens where the system finds a free port.
            silo.Configure<EndpointOptions>(endpoint => endpoint.SiloListeningEndpoint = new(IPAddress.Loopback, 0));
        });
    }
}
