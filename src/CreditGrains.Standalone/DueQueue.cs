using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Standalone;

/// <summary>Wakes when something falls due, on the machine's clock.</summary>
internal sealed partial class DueQueue(Stores.Sqlite.SqliteStore store, Func<DueWork> work, IBusinessClock clock, ILogger<DueQueue> log) : BackgroundService, IWakeups
{
    // What could not be processed, or was not announced, is looked at this often.
    private static readonly Duration Longest = Duration.FromMinutes(1);

    private readonly SemaphoreSlim sooner = new(0);
    private readonly Lock waiting = new();
    private Instant until = Instant.MaxValue;

    public void Schedule(string contractId, Instant at) => Schedule(at);

    public void Schedule(AllocationKey allocation, Instant at) => Schedule(at);

    public void ScheduleAccount(string accountId, Instant at) => Schedule(at);

    private void Schedule(Instant at)
    {
        lock (waiting)
        {
            if (at >= until) return;
            until = at;
        }
        sooner.Release();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            lock (waiting) until = Instant.MaxValue;
            var next = await Settle();
            lock (waiting) until = Instant.Min(until, next);
            while (Left() is var left && left > TimeSpan.Zero && await sooner.WaitAsync(left, stoppingToken)) { }
        }
    }

    // Answers when to look again.
    private async Task<Instant> Settle()
    {
        // What falls due while this goes on may have been passed over: it is the next.
        var began = clock.Now;
        var latest = began + Longest;
        try
        {
            await work().Settle();
            return Instant.Min(latest, await store.NextDue(began) ?? latest);
        }
        catch (Exception e)
        {
            CannotSettle(log, e);
            return latest;
        }
    }

    // Waits are counted in whole milliseconds: rather one too long than many of none.
    private TimeSpan Left()
    {
        lock (waiting) return until <= clock.Now ? TimeSpan.Zero : (until - clock.Now).ToTimeSpan() + TimeSpan.FromMilliseconds(1);
    }

    [LoggerMessage(LogLevel.Error, "What has fallen due could not be processed; it will be tried again")]
    private static partial void CannotSettle(ILogger log, Exception e);
}
