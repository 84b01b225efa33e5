using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Http;
using CreditGrains.Stores.Postgres;

return await Server.Run("a front of its own", args, Build, (app, options) => $"front, {string.Join(' ', app.Urls)}, cluster id {options.ClusterId}");

static Task<WebApplication> Build(ServerOptions options)
{
    if (options.Postgres is null) throw new InvalidDataException("--postgres is required: a front of its own has no store.");
    if (options.TestClock is not null) throw new InvalidDataException("--test-clock is an option of silos; a front of its own runs on the machine's clock only.");

    var pools = new PostgresPools(options.Postgres);
    var builder = WebApplication.CreateBuilder();
    StartLog.Add(builder);
    builder.WebHost.UseUrls(options.Urls.Split(';'));
    builder.UseOrleansClient(client => client
        .Configure<Orleans.Configuration.ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ClusterId))
        .UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", pools.Orleans))
        .UseConnectionRetryFilter(async (_, cancel) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            return true;
        }));
    builder.Services.AddCreditGrainsPostgres(pools.Store);
    builder.Services.AddCreditGrainsMessages().AddSingleton<IBusinessClock, MachineClock>();
    builder.Services.AddCreditGrainsHttp(HttpOptions.Of(options));
    var app = builder.Build();
    app.MapCreditGrains();
    return Task.FromResult(app);
}
