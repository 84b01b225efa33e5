using System.Globalization;

namespace CreditGrains.Bench;

/// <summary>The ratios that docs/bench.md shows: what a new run is compared with.</summary>
internal sealed class Published
{
    // What rounds of a second scatter by on a busy machine is less.
    private const double Tolerated = 0.75;

    private readonly Dictionary<(string Load, string System), double> ratios = [];

    /// <summary>Nothing where the file is not there.</summary>
    public static Published Read(string file)
    {
        var published = new Published();
        string[] systems = [];
        foreach (var line in File.Exists(file) ? File.ReadLines(file) : [])
        {
            if (line.Split('|', StringSplitOptions.TrimEntries) is not ["", var first, .. var cells, ""]) continue;
            if (first == "load") systems = cells;
            else if (cells.Length == systems.Length)
                foreach (var (system, cell) in systems.Zip(cells))
                    if (double.TryParse(cell.Split(' ')[0], CultureInfo.InvariantCulture, out var ratio)) published.ratios[(first, system)] = ratio;
        }
        return published;
    }

    /// <summary>A sentence for each ratio that has fallen.</summary>
    public IEnumerable<string> Regressions(IEnumerable<Figures> all)
    {
        foreach (var figures in all)
        {
            if (figures.Ratio is { } ratio && ratios.TryGetValue((figures.Load.Name, figures.System), out var before) && ratio.Median < Tolerated * before)
                yield return FormattableString.Invariant($"REGRESSION: {figures.System}, {figures.Load.Name}: {ratio.Median:N2} of the function, published {before:N2}.");
        }
    }
}
