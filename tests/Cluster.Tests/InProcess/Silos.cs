using System.Diagnostics;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Providers;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.TestingHost;

namespace CreditGrains.Cluster.Tests.InProcess;

/// <summary>A clock that stands at an instant until it is let run, then as fast as real time.</summary>
internal sealed class StoppedClock(Instant start) : IBusinessClock
{
    private readonly Stopwatch watch = new();

    public Instant Now => Calendar.InMicroseconds(start + Duration.FromTimeSpan(watch.Elapsed));

    public void Run() => watch.Start();
}

/// <summary>Silos of this process on one embedded store. Their reminders may ring each second; the caretaker does nothing until it is started.</summary>
internal sealed class Silos : IAsyncDisposable
{
    private static readonly ReminderTimes Times = new(TimeSpan.FromMilliseconds(10)) { Period = TimeSpan.FromSeconds(1) };

    private readonly InProcessTestCluster cluster;

    private Silos(InProcessTestCluster cluster, SqliteStore store) => (this.cluster, Store) = (cluster, store);

    public SqliteStore Store { get; }

    public required ReminderRows Reminders { get; init; }

    public required StoppedClock Clock { get; init; }

    public IGrainFactory Grains => cluster.Client;

    /// <summary>The services of each silo.</summary>
    public IEnumerable<IServiceProvider> Services => cluster.Silos.Select(silo => silo.ServiceProvider);

    /// <param name="now">Where the clock stands until it is let run.</param>
    /// <param name="testClock">Where the product's own test clock stands, which is used instead (T4); null: it is not.</param>
    public static async Task<Silos> Start(string directory, Instant now, Instant? testClock = null, short silos = 1)
    {
        var store = SqliteStore.Open(directory);
        var (rows, clock) = (new ReminderRows(), new StoppedClock(now));
        var builder = new InProcessTestClusterBuilder(silos) { Options = { ConfigureFileLogging = false } };
        builder.ConfigureClient(client => client.Services.AddCreditGrainsMessages());
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddCreditGrainsGrains(Times, testClock);
            if (testClock is null) silo.Services.AddSingleton<IBusinessClock>(clock);
            silo.Services.AddSingleton<IStore>(store).AddSingleton<IQueries>(store).AddSingleton<IUpcoming>(store);
            silo.Services.AddGrainStorage(ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME, (_, _) => new SqliteGrainStorage(store));
            silo.AddReminders();
            silo.Services.AddSingleton<IReminderTable>(rows);
            silo.Configure<ReminderOptions>(options => options.MinimumReminderPeriod = Times.Period);
        });
        var started = new Silos(builder.Build(), store) { Clock = clock, Reminders = rows };
        await started.cluster.DeployAsync();
        return started;
    }

    /// <summary>A contract with a lot of 10 credits and one user.</summary>
    public async Task Contract(string contractId, Instant? lotExpires, CoverageFrom coverageFrom = CoverageFrom.Activation)
    {
        var contract = Grains.GetGrain<IContractGrain>(contractId);
        var terms = new Terms(contractId, "acme", contractId, ContractType.Metered, "UTC", new(2026, 1, 1), null, null, 30, coverageFrom);
        Assert.Null((await contract.Set(new(terms, null, "test"))).Refusal);
        Assert.Null((await contract.AssignUser(new("U", "U"), "test")).Refusal);
        Assert.Null((await contract.Grant(new("L", LotSource.Purchase, "PAY", 10, null, lotExpires, "test"), null)).Refusal);
    }

    /// <summary>A report of one new player.</summary>
    public async Task Report(string contractId, string playerId) => Assert.IsType<ReportAnswer.First>(
        await Grains.Contract(contractId).Charge(new(new("acme", $"{contractId}-{playerId}"), contractId, "U", [new(playerId, null)], "test", false)));

    /// <summary>The one entry of that kind of a contract or account, as soon as it is there.</summary>
    public async Task<Entry> Booked(EntryKind kind, string? contractId = null, string? accountId = null)
    {
        Entry? booked = null;
        await Until(async () => (booked = (await Entries(contractId, accountId)).SingleOrDefault(entry => entry.Kind == kind)) is not null);
        return booked!;
    }

    public async Task<IEnumerable<Entry>> Entries(string? contractId = null, string? accountId = null) =>
        (await Store.Ledger(new(null, contractId, null, null, accountId), new(100, null))).Items.Select(entry => entry.Entry);

    /// <summary>Returns when it is so; throws after half a minute.</summary>
    public static async Task Until(Func<Task<bool>> isSo)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var began = Stopwatch.GetTimestamp(); !await isSo(); await tick.WaitForNextTickAsync())
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), "It did not come to be so.");
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.DisposeAsync();
        Store.Dispose();
    }
}
