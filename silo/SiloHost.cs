using CreditGrains.Grains.Hosting;
using CreditGrains.Http;
using CreditGrains.Pages;
using CreditGrains.Stores.Postgres;
using CreditGrains.Stores.Sqlite;
using CreditGrains.Telemetry;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace CreditGrains.Silo;

/// <summary>Puts a silo together: grains, a store, membership, reminders and, by default, the HTTP front.</summary>
public static class SiloHost
{
    /// <summary>The store is opened and brought to this program's schema first.</summary>
    public static async Task<WebApplication> Build(ServerOptions options)
    {
        var builder = WebApplication.CreateBuilder();
        StartLog.Add(builder, options.Logs);
        builder.AddCreditGrainsTelemetry(options);
        builder.Services.AddSingleton(options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Services.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = TimeSpan.FromMinutes(5));
        var http = HttpOptions.Of(options);
        builder.Services.AddCreditGrainsHttp(http);
        if (options.Data is not null) Ports.Check(options, isSilo: false);
        if (options.Data is { } data) builder.UseEmbedded(SqliteStore.Open(data), options.TestClock);
        else await builder.UsePostgres(options);
        if (options.Dashboard) builder.UseOrleans(silo => silo.AddDashboard());
        builder.Services.AddCreditGrainsConsole(http);
        builder.Services.AddHostedService<Joining>();
        builder.WebHost.UseUrls(options.Addresses(options.Front ? options.Urls.Split(';') : ["http://127.0.0.1:0"]));

        var app = builder.Build();
        app.MapMetrics(options);
        if (options.Front) app.UseCreditGrainsConsole().MapCreditGrains().MapCreditGrainsConsole();
        if (options is { Front: true, Dashboard: true }) app.MapOrleansDashboard("/dashboard").ForOperators();
        return app;
    }

    public static Task CarryOut(ServerCommand command, ServerOptions options) => command switch
    {
        ServerCommand.Migrate => Cluster.Migrate(options),
        ServerCommand.Archive => Archive(options),
    };

    private static async Task Archive(ServerOptions options)
    {
        if (options.Data is { } data) SqliteArchiver.Archive(data, options.Before, Console.WriteLine);
        else await Archiver.Archive(new PostgresPools(options.Postgres!).Store, options.Before, Console.WriteLine);
    }

    /// <summary>Its edition, address and data.</summary>
    public static string Describe(WebApplication app, ServerOptions options)
    {
        var urls = app.Urls.Except(options.Addresses()).ToList();
        var address = options.Front ? $"{string.Join(' ', urls)}, console {urls[0]}{Hosting.Root}" : "no front";
        return options.Data is { } data ? $"embedded, {address}, data {data}" : $"cluster, {address}, data in PostgreSQL, cluster id {options.ClusterId}";
    }
}
