using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Http;
using CreditGrains.Stores.Sqlite;
using NodaTime;

namespace CreditGrains.Standalone;

/// <summary>How the one-machine edition is started (§4).</summary>
/// <param name="Data">The directory of its store.</param>
/// <param name="TestClock">Where a test clock starts (T4); null: the machine's clock.</param>
/// <param name="ApiKeysFile">null: no keys, loopback only.</param>
public sealed record StandaloneOptions(string Urls, string Data, Instant? TestClock = null, string? ApiKeysFile = null);

/// <summary>Puts the one-machine edition together.</summary>
public static class StandaloneHost
{
    /// <summary>Ready to be run, with everything booked that fell due while it was down; throws <see cref="DataRefusedException"/>, and <see cref="InvalidDataException"/> where the keys cannot be used.</summary>
    public static async Task<WebApplication> Build(StandaloneOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        var store = SqliteStore.Open(options.Data);
        WebApplication? app = null;
        try
        {
            var builder = WebApplication.CreateBuilder();
            builder.WebHost.UseUrls(options.Urls.Split(';'));
            AddEngine(builder.Services, store);
            if (options.TestClock is { } start) AddTestClock(builder.Services, await TestClock.Open(store, start, () => Settle(app!)));
            else AddMachineClock(builder.Services);
            builder.Services.AddCreditGrainsHttp(new HttpOptions { ApiKeysFile = options.ApiKeysFile });
            configure?.Invoke(builder);

            app = builder.Build();
            app.MapCreditGrains();
            await Settle(app);
            return app;
        }
        catch
        {
            if (app is not null) await app.DisposeAsync();
            store.Dispose();
            throw;
        }
    }

    private static void AddEngine(IServiceCollection services, SqliteStore store) => services
        .AddSingleton(_ => store)
        .AddSingleton<IStore>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton<IQueries>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton(TimeProvider.System)
        .AddSingleton<ActorMetrics>()
        .AddSingleton<IActors>(provider => new InProcessActors(self => new(
            self, store, provider.GetRequiredService<IBusinessClock>(), provider.GetRequiredService<IWakeups>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ActorMetrics>())))
        .AddSingleton(provider => new DueWork(provider.GetRequiredService<IActors>(), store, provider.GetRequiredService<IBusinessClock>(), Cannot(provider.GetRequiredService<ILogger<DueWork>>())));

    private static Action<string, Exception> Cannot(ILogger log) =>
        (actor, cause) => log.LogError(cause, "{Actor} has something due that cannot be processed", actor);

    private static void AddMachineClock(IServiceCollection services) => services
        .AddSingleton<IBusinessClock, MachineClock>()
        .AddSingleton<Func<DueWork>>(provider => provider.GetRequiredService<DueWork>)
        .AddSingleton<DueQueue>()
        .AddSingleton<IWakeups>(provider => provider.GetRequiredService<DueQueue>())
        .AddHostedService(provider => provider.GetRequiredService<DueQueue>());

    private static void AddTestClock(IServiceCollection services, TestClock clock) => services
        .AddSingleton<IBusinessClock>(clock)
        .AddSingleton<IMovableClock>(clock)
        .AddSingleton<IWakeups, NoAlarm>();

    private static Task Settle(WebApplication app) => app.Services.GetRequiredService<DueWork>().Settle();

    // A test clock stands still until somebody moves it, and that processes what falls due.
    private sealed class NoAlarm : IWakeups
    {
        public void Schedule(string contractId, Instant at) { }

        public void Schedule(AllocationKey allocation, Instant at) { }

        public void ScheduleAccount(string accountId, Instant at) { }
    }
}
