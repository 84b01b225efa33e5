using System.Diagnostics;

namespace CreditGrains.Bench;

/// <summary>How long a system was loaded before it was measured, and whether its rate stood still by then.</summary>
internal sealed record WarmUp(double Seconds, bool IsSteady);

/// <summary>How long things take.</summary>
/// <param name="First">A window of a system's first warm-up.</param>
/// <param name="Later">The same once the system has been warm.</param>
/// <param name="MostWindows">After so many the system is measured, though its rate does not stand still.</param>
/// <param name="Round">What is measured at a time.</param>
internal sealed record Pace(TimeSpan First, TimeSpan Later, int MostWindows, TimeSpan Round, int Rounds);

/// <summary>What had been answered and used at a moment.</summary>
/// <param name="Log">The write-ahead log's position; for the embedded store the bytes that its process wrote.</param>
internal sealed record Moment(long Log, long Answered, TimeSpan Time, TimeSpan Server, TimeSpan Database);

/// <summary>One measured round. <paramref name="Taken"/>: by each answer, in ticks of the stopwatch.</summary>
internal sealed record Round(Moment From, Moment To, IReadOnlyList<long> Taken)
{
    public long Requests => To.Answered - From.Answered;

    public double PerSecond => Requests / (To.Time - From.Time).TotalSeconds;

    public double ServerMs => (To.Server - From.Server).TotalMilliseconds;

    public double DatabaseMs => (To.Database - From.Database).TotalMilliseconds;

    public long LogBytes => To.Log - From.Log;
}

/// <summary>Loads one system, and tells what it did and used.</summary>
internal sealed class Measuring(RunningSystem system, Pace pace, CancellationToken stop) : IAsyncDisposable
{
    // A rate stands still when the mean of the last windows differs by less than this from that of as many before.
    private const int ComparedWindows = 5;
    private const double Steady = 0.05;
    private const int LeastWindows = 2 * ComparedWindows;
    private const int MostParts = 20;

    // After a pause the first answers, and the first look at what was used, take longer.
    private static readonly TimeSpan RunIn = TimeSpan.FromMilliseconds(200);

    private readonly WriteAheadLog? log = system.Postgres is { } postgres ? new(postgres.ConnectionString) : null;
    private readonly List<int> servers = [.. system.Servers.Select(server => server.ProcessId)];

    public RunningSystem System => system;

    /// <summary>Loads it until the rate stands still.</summary>
    public async Task<WarmUp> WarmUp(Load load)
    {
        await system.Prime(load);
        var window = system.IsWarm ? pace.Later : pace.First;
        var callers = Callers.Start(system, load);
        var rates = new List<double>();
        var watch = Stopwatch.StartNew();
        do
        {
            var (before, began) = (callers.Answered, watch.Elapsed);
            await Task.Delay(window, stop);
            rates.Add((callers.Answered - before) / (watch.Elapsed - began).TotalSeconds);
        }
        while (rates.Count < LeastWindows || (!IsSteady(rates) && rates.Count < pace.MostWindows));
        await callers.Stop();
        system.IsWarm = true;
        return new(watch.Elapsed.TotalSeconds, IsSteady(rates));
    }

    /// <summary>One round, which lasts longer where fewer requests than callers have been answered in its time.</summary>
    public async Task<Round> Measure(Load load)
    {
        var callers = Callers.Start(system, load);
        await Now(callers);
        await Task.Delay(RunIn, stop);
        var from = await Now(callers);
        callers.Record();
        for (var parts = 0; parts < MostParts && (parts == 0 || callers.Answered - from.Answered < load.Callers); parts++) await Task.Delay(pace.Round, stop);
        var to = await Now(callers);
        return new(from, to, await callers.Stop());
    }

    /// <summary>What PostgreSQL wrote in that round; null where it cannot be told.</summary>
    public async Task<Written?> Written(Round round) =>
        log is null ? null : await log.Between(round.From.Log, round.To.Log);

    /// <summary>Bytes that the servers have in memory.</summary>
    public long Resident() => servers.Sum(Processes.Resident);

    public async ValueTask DisposeAsync()
    {
        if (log is not null) await log.DisposeAsync();
        await system.DisposeAsync();
    }

    private async Task<Moment> Now(Callers callers) => new(
        log is null ? servers.Sum(Processes.Written) : await log.Position(),
        callers.Answered,
        Stopwatch.GetElapsedTime(0),
        Processes.Used(servers),
        system.Postgres is { } postgres ? Processes.Used([postgres.ProcessId]) : TimeSpan.Zero);

    private static bool IsSteady(List<double> rates)
    {
        var (last, before) = (rates.TakeLast(ComparedWindows).Average(), rates.SkipLast(ComparedWindows).TakeLast(ComparedWindows).Average());
        return Math.Abs(last - before) < Steady * before;
    }
}
