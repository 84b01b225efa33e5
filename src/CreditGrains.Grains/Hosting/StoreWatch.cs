using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace CreditGrains.Grains.Hosting;

/// <summary>What is known of the store now.</summary>
/// <param name="FeedLag">How long entries have been waiting for a transaction that is still open, here or in another database of the server.</param>
public sealed record StoreHealth(bool IsReadable, bool IsWritable, Duration Skew, Duration FeedLag)
{
    /// <summary>How far the clocks of a silo and its database may be apart.</summary>
    public static readonly Duration MaxSkew = Duration.FromSeconds(1);

    public static readonly StoreHealth Unknown = new(false, false, Duration.Zero, Duration.Zero);

    public bool ClocksAgree => Agree(Skew);

    public static bool Agree(Duration skew) => skew <= MaxSkew && skew >= -MaxSkew;
}

/// <summary>Looks at the store every second, so that whoever asks is told at once what was learnt last.</summary>
public sealed partial class StoreWatch : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(3);

    private readonly IQueries queries;
    private readonly TimeProvider time;
    private readonly ILogger<StoreWatch> log;
    private readonly Meter meter = new("CreditGrains.Hosting");
    private volatile StoreHealth health = StoreHealth.Unknown;
    private (long End, long Since)? feed;
    private string? history;

    public StoreWatch(IQueries queries, TimeProvider time, ILogger<StoreWatch> log)
    {
        (this.queries, this.time, this.log) = (queries, time, log);
        meter.CreateObservableGauge("creditgrains.store.readable", () => health.IsReadable ? 1 : 0, description: "1: the store can be read");
        meter.CreateObservableGauge("creditgrains.store.writable", () => health.IsWritable ? 1 : 0, description: "1: the store can be written");
        meter.CreateObservableGauge("creditgrains.clock.skew", () => health.Skew.TotalSeconds, "s", "How far this machine's clock is ahead of the database's");
        meter.CreateObservableGauge("creditgrains.feed.lag", () => health.FeedLag.TotalSeconds, "s", "How long the feed has waited for an older transaction");
    }

    public StoreHealth Health => health;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Look();
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var tick = new PeriodicTimer(Pause, time);
        while (await tick.WaitForNextTickAsync(stoppingToken)) await Look();
    }

    private async Task Look()
    {
        try
        {
            var view = await queries.Look().WaitAsync(Longest, time);
            EndAfterRestore(view.History);
            Turn(new(true, view.IsWritable, view.Skew, FeedLag(view)));
        }
        catch (Exception e)
        {
            if (health.IsReadable) Away(log, e);
            feed = null;
            health = StoreHealth.Unknown;
        }
    }

    // What grains and the front have in memory is of another history: nothing of it may be answered any more.
    private void EndAfterRestore(string present)
    {
        history ??= present;
        if (present != history) FatalEnd.Now("the database was restored, or has failed over to a server that lacks entries; what was known of it is dropped.");
    }

    // The feed stands still where its end is the same as before although there are entries behind it.
    private Duration FeedLag(StoreView view)
    {
        if (!view.FeedWaits) feed = null;
        else if (feed?.End != view.FeedEnd) feed = (view.FeedEnd, time.GetTimestamp());
        return feed is { } standing ? Duration.FromTimeSpan(time.GetElapsedTime(standing.Since)) : Duration.Zero;
    }

    private void Turn(StoreHealth now)
    {
        var before = health;
        health = now;
        if (!before.IsReadable) Back(log);
        if (before.IsWritable && !now.IsWritable) NotWritable(log);
        if (before.ClocksAgree && !now.ClocksAgree) Skewed(log, now.Skew.TotalSeconds);
        if (!before.ClocksAgree && now.ClocksAgree) Agreed(log);
    }

    [LoggerMessage(LogLevel.Warning, "The store cannot be read; nothing is answered from it until it can")]
    private static partial void Away(ILogger log, Exception e);

    [LoggerMessage(LogLevel.Information, "The store can be read")]
    private static partial void Back(ILogger log);

    [LoggerMessage(LogLevel.Warning, "The store is full or read-only; what would change anything is answered 503")]
    private static partial void NotWritable(ILogger log);

    [LoggerMessage(LogLevel.Error, "This machine's clock is {Skew:F1} s ahead of the database's: nothing is decided here until both are set")]
    private static partial void Skewed(ILogger log, double skew);

    [LoggerMessage(LogLevel.Information, "This machine's clock agrees with the database's again")]
    private static partial void Agreed(ILogger log);
}
