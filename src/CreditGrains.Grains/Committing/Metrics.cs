using System.Diagnostics;
using System.Diagnostics.Metrics;
using CreditGrains.Domain;
using CreditGrains.Grains.Hosting;

namespace CreditGrains.Grains;

/// <summary>What the grains count.</summary>
public sealed class GrainMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> Minutes = new() { HistogramBucketBoundaries = [1, 10, 60, 120, 300, 900, 3_600, 86_400] };

    private readonly Meter meter = new("CreditGrains.Grains");
    private readonly Tally reports, players;
    private readonly Histogram<double> delays;

    public GrainMetrics()
    {
        Decisions = meter.CreateHistogram<long>(
            "creditgrains.decisions", description: "How often a command was decided until it was answered: more than once after conflicts");
        Batches = meter.CreateHistogram<int>("creditgrains.batch.commands", description: "Commands that one commit of a grain carried");
        Conflicts = new(
            meter, "creditgrains.conflicts", "Batches decided again because a row had changed", "kind", DocumentKind.Contract, DocumentKind.Account);
        PlayersKept = meter.CreateUpDownCounter<long>("creditgrains.players.kept", description: "Players' rows that are kept in memory");
        reports = new(meter, "creditgrains.reports", "Reports by how they were answered", "outcome", "made", "replayed", "rehearsed", "refused");
        players = new(meter, "creditgrains.report.players", "Players of reports that were made", "charge", "new", "covered");
        delays = meter.CreateHistogram(
            "creditgrains.booking.delay", "s", "How long after it fell due something was booked that time does by itself: renewals, expiries", null, Minutes);
    }

    public Histogram<long> Decisions { get; }

    public Histogram<int> Batches { get; }

    public Tally Conflicts { get; }

    public UpDownCounter<long> PlayersKept { get; }

    /// <summary>Counts how a report was answered.</summary>
    public ReportAnswer Count(ReportAnswer answer)
    {
        switch (answer)
        {
            case ReportAnswer.First(var made):
                reports.Add("made");
                players.Add("new", made.Charged);
                players.Add("covered", made.Covered);
                break;
            case ReportAnswer.Replayed:
                reports.Add("replayed");
                break;
            case ReportAnswer.Rehearsed:
                reports.Add("rehearsed");
                break;
            case ReportAnswer.Refused:
                reports.Add("refused");
                break;
        }
        return answer;
    }

    /// <summary>Notes how late those of a commit's entries are that time has caused.</summary>
    public void NoteDelays(Changes changes)
    {
        if (!delays.Enabled) return;
        foreach (var entry in changes.Entries.Where(entry => entry.Actor == Entry.System))
            delays.Record((entry.BookedAt - entry.EffectiveAt).TotalSeconds, new KeyValuePair<string, object?>("kind", entry.Kind.Word()));
    }

    public void Dispose() => meter.Dispose();
}

/// <summary>What a store counts.</summary>
public sealed class StoreMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30],
    };

    private static readonly KeyValuePair<string, object?> Write = new("kind", "write"), Proof = new("kind", "proof");

    private readonly Meter meter = new("CreditGrains.Store");
    private readonly Histogram<double> durations;
    private readonly Tally failed;
    private long underWay;
    private volatile bool writesFail;

    public StoreMetrics()
    {
        Commits = meter.CreateCounter<long>("creditgrains.commits", description: "Commits that became durable");
        Transactions = meter.CreateCounter<long>("creditgrains.transactions", description: "Transactions that carried them");
        failed = new(meter, "creditgrains.commits.failed", "Commits that did not become durable, or nobody knows", "outcome", "conflict", "unknown", "failed");
        durations = meter.CreateHistogram("creditgrains.commit.duration", "s", "From a commit's asking to its answer; a proof writes nothing", null, Seconds);
        meter.CreateObservableUpDownCounter(
            "creditgrains.commits.waiting", () => Interlocked.Read(ref underWay), description: "Commits that wait for their answer");
    }

    public Counter<long> Commits { get; }

    public Counter<long> Transactions { get; }

    /// <summary>Whether the store takes writes: where the last one met a store that is away, full or read-only, another is tried.</summary>
    /// <param name="write">Makes something durable that changes nothing.</param>
    public async Task<bool> TakesWrites(Func<Task<CommitResult>> write)
    {
        if (!writesFail) return true;
        try
        {
            await Measure(write);
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Measures a commit from its asking to its answer.</summary>
    /// <param name="isProof">Whether it only proves its guards.</param>
    public async Task<CommitResult> Measure(Func<Task<CommitResult>> commit, bool isProof = false)
    {
        using var activity = Traces.Begin(isProof ? "prove" : "commit");
        var began = Stopwatch.GetTimestamp();
        var outcome = "failed";
        Interlocked.Increment(ref underWay);
        try
        {
            var result = await commit();
            outcome = result switch
            {
                CommitResult.Done => "done",
                CommitResult.Conflict => "conflict",
                CommitResult.Unknown => "unknown",
                var other => throw new InvariantException($"a commit does not end as {other}"),
            };
            if (!isProof) writesFail = outcome == "unknown";
            return result;
        }
        catch (StoreUnavailableException) when (!isProof)
        {
            writesFail = true;
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
            durations.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, isProof ? Proof : Write);
            if (outcome != "done") failed.Add(outcome);
            activity?.SetTag("outcome", outcome);
        }
    }

    public void Dispose() => meter.Dispose();
}
