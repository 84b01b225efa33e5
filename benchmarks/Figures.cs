using System.Diagnostics;

namespace CreditGrains.Bench;

/// <summary>The middle of several rounds, the least and the most.</summary>
internal sealed record Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return new((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2, sorted[0], sorted[^1]);
    }
}

/// <summary>What one system did under one load; each is of one request where nothing else is said.</summary>
/// <param name="Ratio">Its rate to the function's in the same round; null where the function was not measured.</param>
/// <param name="P50">Milliseconds that half of the answers took at most.</param>
/// <param name="ServerMs">Processor time of the server processes.</param>
/// <param name="DatabaseMs">Processor time of PostgreSQL; null for the embedded store.</param>
/// <param name="Rows">Rows and index entries written; null where that is not told.</param>
/// <param name="LogBytes">Bytes of write-ahead log; for the embedded store all that the process wrote.</param>
/// <param name="Resident">Bytes that all servers have in memory.</param>
internal sealed record Figures(
    string System, Load Load, Spread PerSecond, Spread? Ratio, double P50, double P99, double P999,
    double ServerMs, double? DatabaseMs, double? Rows, double? IndexEntries, double LogBytes, long Resident, WarmUp WarmUp)
{
    public static Figures Of(
        string system, Load load, IReadOnlyList<Round> rounds, IReadOnlyList<Round>? limits, Written? written, long resident, WarmUp warmUp)
    {
        var taken = rounds.SelectMany(round => round.Taken).Order().ToList();
        if (taken.Count == 0) throw new WrongAnswerException($"{system}, {load.Name}: nothing was answered within the rounds.");

        var requests = (double)rounds.Sum(round => round.Requests);
        return new(
            system, load,
            Spread.Of(rounds.Select(round => round.PerSecond)),
            limits is null ? null : Spread.Of(rounds.Zip(limits, (round, limit) => round.PerSecond / limit.PerSecond)),
            Within(0.5), Within(0.99), Within(0.999),
            rounds.Sum(round => round.ServerMs) / requests,
            rounds[0].To.Database > TimeSpan.Zero ? rounds.Sum(round => round.DatabaseMs) / requests : null,
            (double?)written?.Rows / rounds[^1].Requests,
            (double?)written?.IndexEntries / rounds[^1].Requests,
            rounds.Sum(round => round.LogBytes) / requests,
            resident, warmUp);

        double Within(double share) => taken[Math.Min(taken.Count - 1, (int)(taken.Count * share))] * 1000.0 / Stopwatch.Frequency;
    }
}
