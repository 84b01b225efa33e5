using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace CreditGrains.Bench;

/// <summary>The figures as Markdown.</summary>
internal static class Report
{
    private const string NotTold = "-";

    private static readonly string[] Columns =
    [
        "system", "requests/s", "players/s", "p50 ms", "p99 ms", "p99.9 ms", "server ms", "database ms", "rows", "index entries", "log KiB", "memory MiB", "warm-up s",
    ];

    /// <summary>Ratios to the function: a row a load, a column a system.</summary>
    public static string Ratios(IReadOnlyCollection<Figures> all)
    {
        var systems = all.Where(figures => figures is { Ratio: not null, System: not SystemUnderTest.Limit }).Select(figures => figures.System).Distinct().ToList();
        var text = new StringBuilder();
        Row(text, ["load", .. systems]);
        Row(text, ["---", .. systems.Select(_ => "---:")]);
        foreach (var load in all.GroupBy(figures => figures.Load).Where(load => load.Any(figures => figures.Ratio is not null)))
            Row(text, [load.Key.Name, .. systems.Select(system => Ratio(load.FirstOrDefault(figures => figures.System == system)?.Ratio))]);
        return text.ToString();
    }

    /// <summary>All that was measured, a table a load.</summary>
    public static string Details(IReadOnlyCollection<Figures> all)
    {
        var text = new StringBuilder();
        foreach (var load in all.GroupBy(figures => figures.Load))
        {
            text.Append(CultureInfo.InvariantCulture, $"### {load.Key.Name}\n\n");
            Row(text, Columns);
            Row(text, ["---", .. Columns.Skip(1).Select(_ => "---:")]);
            foreach (var figures in load) Row(text, Cells(figures));
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>The whole page.</summary>
    public static string Page(IReadOnlyCollection<Figures> all, Pace pace, TimeSpan took) => $"""
        # How fast
        Written by `./bench --write` on {DateTime.UtcNow:yyyy-MM-dd}, in {took.TotalSeconds:N0} s, on {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}.

        The load generator, the systems and PostgreSQL share one machine, so three silos show the cost of a network hop, not the gain of scaling out.
        Compare ratios of one run only.

        ![Reports a second, as a ratio to the function](bench.svg)

        ## Systems
        | system | |
        | --- | --- |
        | function | a report as one PL/pgSQL function in one round trip, [function.sql](../benchmarks/function.sql); it checks balances and coverage and nothing else |
        | usual | what most would write: a transaction with `select ... for update`, a statement a step, on the same tables |
        | transactions | Orleans' own transactions: a grain a contract, user and player; it keeps neither reports nor a ledger |
        | embedded | CreditGrains on SQLite |
        | cluster of one, of three | CreditGrains on PostgreSQL, one silo or three |

        Each speaks the same JSON over HTTP, has a PostgreSQL of its own where it needs one, and is checked for right answers first. A wrong or failed answer ends the run.

        ## How it is measured
        - A system is loaded until its rate stands still: the mean of the last five windows differs by less than 5 % from that of the five before. A window lasts {pace.First.TotalSeconds:0.#} s
          until the system has once been warm, and {pace.Later.TotalSeconds:0.#} s from then on; after {pace.MostWindows} windows it is measured all the same (marked "+").
        - Then the systems take turns: {pace.Rounds} rounds of {pace.Round.TotalSeconds:0.#} s each. A ratio is the median of the rounds' ratios, with the least and the most.
        - 64 callers unless the load says otherwise. Contracts have allocation on, two purchases that expire, a billing cycle and a consumer's key, unless they
          are bare. The function checks none of that.
        - Processor time, rows, index entries and write-ahead log are of one request. The embedded store's log is all that its process wrote to the disk.
          Memory is that of all server processes, without PostgreSQL.

        ## Ratio to the function
        Requests a second; more than 1 is faster than the function.

        {Ratios(all)}
        {Refusals(all)}

        ## Figures
        {Details(all)}
        """;

    // What a refusal costs, beside a success.
    private static string Refusals(IReadOnlyCollection<Figures> all)
    {
        var successes = all.Where(figures => figures.Load == Load.Main[0]).ToDictionary(figures => figures.System, ProcessorMs);
        var ratios = all.Where(figures => figures.Load.Takes is Call.Refusal && successes.ContainsKey(figures.System))
            .Select(figures => FormattableString.Invariant($"{figures.System} {ProcessorMs(figures) / successes[figures.System]:N2}"))
            .ToList();
        return ratios.Count == 0 ? "" : $"Processor time of a refusal, as a ratio to a success ({Load.Main[0].Name}): {string.Join(", ", ratios)}.";
    }

    private static double ProcessorMs(Figures figures) => figures.ServerMs + (figures.DatabaseMs ?? 0);

    private static string[] Cells(Figures figures) =>
    [
        figures.System,
        Text(figures.PerSecond.Median, "N0"),
        figures.Load.Takes is Call.Report or Call.DryRun ? Text(figures.PerSecond.Median * figures.Load.Players, "N0") : NotTold,
        Text(figures.P50, "N1"),
        Text(figures.P99, "N1"),
        Text(figures.P999, "N1"),
        Text(figures.ServerMs, "N2"),
        Text(figures.DatabaseMs, "N2"),
        Text(figures.Rows, "N1"),
        Text(figures.IndexEntries, "N1"),
        Text(figures.LogBytes / 1024, "N1"),
        Text(figures.Resident / 1024.0 / 1024.0, "N0"),
        Text(figures.WarmUp.Seconds, "N0") + (figures.WarmUp.IsSteady ? "" : "+"),
    ];

    private static string Ratio(Spread? ratio) =>
        ratio is null ? NotTold : string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:N2} ({ratio.Least:N2} to {ratio.Most:N2})");

    private static string Text(double? number, string format) => number is { } known ? known.ToString(format, CultureInfo.InvariantCulture) : NotTold;

    private static void Row(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
