using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Http;
using CreditGrains.Pages;
using CreditGrains.Stores.Postgres;
using CreditGrains.Telemetry;

return await Server.Run("a front of its own", args, Build, (app, options) => $"front, {string.Join(' ', app.Urls.Except(options.Addresses()))}, cluster id {options.ClusterId}");

static Task<WebApplication> Build(ServerOptions options)
{
    if (options.Postgres is null) throw new InvalidDataException("--postgres is required: a front of its own has no store.");
    if (options.TestClock is not null) throw new InvalidDataException("--test-clock is an option of silos; a front of its own runs on the machine's clock only.");

    Ports.Check(options, isSilo: false);
    var tls = ClusterTls.Read(options);
    var pools = new PostgresPools(options.Postgres);
    var builder = WebApplication.CreateBuilder();
    StartLog.Add(builder, options.Logs);
    builder.AddCreditGrainsTelemetry(options);
    builder.WebHost.UseUrls(options.Addresses(options.Urls.Split(';')));
    if (Exports.ByOtlp) builder.UseOrleansClient(client => client.AddActivityPropagation());
    var tries = 0;
    Readiness? readiness = null;
    builder.UseOrleansClient(client => client
        .Configure<Orleans.Configuration.ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ClusterId))
        .UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", pools.Orleans))
        .AddGatewayCountChangedHandler((_, gateways) => readiness?.IsInCluster = gateways.NumberOfConnectedGateways > 0)
        .UseConnectionRetryFilter(async (fault, cancel) =>
        {
            if (tries++ % 10 == 0) Console.WriteLine($"CreditGrains waits for a silo of the cluster {options.ClusterId} that has a gateway: {fault.GetBaseException().Message}");
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            return true;
        }));
    if (tls is not null) builder.UseOrleansClient(client => client.UseTls(tls.Apply));
    builder.Services.AddCreditGrainsPostgres(pools.Store);
    builder.Services.AddCreditGrainsMessages().AddSingleton<IBusinessClock, MachineClock>();
    var http = HttpOptions.Of(options);
    builder.Services.AddCreditGrainsHttp(http).AddCreditGrainsConsole(http);
    var app = builder.Build();
    readiness = app.Services.GetRequiredService<Readiness>();
    app.MapMetrics(options);
    app.UseCreditGrainsConsole().MapCreditGrains().MapCreditGrainsConsole();
    return Task.FromResult(app);
}
