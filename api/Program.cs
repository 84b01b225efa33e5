using CreditGrains.Grains;
using CreditGrains.Cluster;
using CreditGrains.Http;
using CreditGrains.Stores.Postgres;
using Npgsql;

try
{
    var options = MemberOptions.Read(args);
    if (options.TestClock is not null) throw new InvalidDataException("--test-clock is an option of silos; a front of its own runs on the machine's clock only.");

    var builder = WebApplication.CreateBuilder();
    builder.WebHost.UseUrls(options.Urls.Split(';'));
    builder.UseOrleansClient(client => client
        .Configure<Orleans.Configuration.ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (options.ClusterId, options.ClusterId))
        .UseAdoNetClustering(database => (database.Invariant, database.ConnectionString) = ("Npgsql", options.OrleansPool))
        .UseConnectionRetryFilter(async (_, cancel) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancel);
            return true;
        }));
    builder.Services.AddSingleton(NpgsqlDataSource.Create(options.StorePool)).AddCreditGrainsPostgres();
    builder.Services.AddCreditGrainsMessages().AddSingleton<IActors, GrainActors>().AddSingleton<IBusinessClock, MachineClock>();
    builder.Services.AddCreditGrainsHttp(new() { ApiKeysFile = options.ApiKeys });
    await using var app = builder.Build();
    app.MapCreditGrains();
    await app.RunAsync();
    return 0;
}
catch (InvalidDataException e)
{
    await Console.Error.WriteLineAsync($"The front did not start: {e.Message}");
    return 2;
}
