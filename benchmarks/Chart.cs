using System.Globalization;
using System.Text;

namespace CreditGrains.Bench;

/// <summary>The ratios to the function as an SVG: a group of bars a load, to the right of 1 what is faster than the function.</summary>
internal static class Chart
{
    private const int LabelWidth = 300;
    private const int PlotWidth = 560;
    private const int RightMargin = 60;
    private const int BarHeight = 13;
    private const int GroupGap = 14;
    private const int Top = 74;

    private static readonly double[] Marks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
    private static readonly string[] Colours = ["#9aa5b1", "#d9a441", "#2f7d5b", "#2563a8", "#7aa7d9", "#b0487a"];

    public static string Draw(IReadOnlyCollection<Figures> all)
    {
        var shown = all.Where(figures => figures is { Ratio: not null, System: not SystemUnderTest.Limit } && Load.Main.Contains(figures.Load)).ToList();
        var systems = shown.Select(figures => figures.System).Distinct().ToList();
        var groups = shown.GroupBy(figures => figures.Load).ToList();
        var least = Marks.Last(mark => mark <= Math.Max(Marks[0], shown.Select(figures => figures.Ratio!.Least).Append(0.5).Min()));
        var most = Marks.First(mark => mark >= Math.Min(Marks[^1], shown.Select(figures => figures.Ratio!.Most).Append(2).Max()));
        var bottom = Top + groups.Sum(group => (group.Count() * BarHeight) + GroupGap);

        var svg = new StringBuilder();
        var (width, height) = (LabelWidth + PlotWidth + RightMargin, bottom + 30);
        Write($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Write($"<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");
        Write($"<text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">Requests a second, as a ratio to one hand-written PL/pgSQL function</text>");
        foreach (var (i, system) in systems.Index())
        {
            Write($"<rect x=\"{12 + (i * 130)}\" y=\"36\" width=\"11\" height=\"11\" fill=\"{Colour(system)}\"/>");
            Write($"<text x=\"{28 + (i * 130)}\" y=\"46\">{system}</text>");
        }
        foreach (var mark in Marks.Where(mark => mark >= least && mark <= most))
        {
            Write($"<line x1=\"{X(mark):F1}\" x2=\"{X(mark):F1}\" y1=\"{Top - 8}\" y2=\"{bottom}\" stroke=\"{(mark == 1 ? "#333" : "#ddd")}\"/>");
            Write($"<text x=\"{X(mark):F1}\" y=\"{bottom + 16}\" text-anchor=\"middle\" fill=\"#555\">{mark}</text>");
        }
        var y = Top;
        foreach (var group in groups)
        {
            Write($"<text x=\"{LabelWidth - 10}\" y=\"{y + (group.Count() * BarHeight / 2) + 4}\" text-anchor=\"end\">{group.Key.Name}</text>");
            foreach (var figures in group)
            {
                Bar(figures, y);
                y += BarHeight;
            }
            y += GroupGap;
        }
        return svg.Append("</svg>\n").ToString();

        void Bar(Figures figures, int top)
        {
            var (ratio, middle) = (figures.Ratio!, top + (BarHeight / 2));
            var (from, to) = (Math.Min(X(1), X(ratio.Median)), Math.Max(X(1), X(ratio.Median)));
            Write($"<rect x=\"{from:F1}\" y=\"{top + 1}\" width=\"{to - from:F1}\" height=\"{BarHeight - 2}\" fill=\"{Colour(figures.System)}\"/>");
            Write($"<line x1=\"{X(ratio.Least):F1}\" x2=\"{X(ratio.Most):F1}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#333\"/>");
            Write($"<text x=\"{Math.Max(X(ratio.Most), X(1)) + 5:F1}\" y=\"{middle + 4}\" font-size=\"10\">{ratio.Median:N2}</text>");
        }

        double X(double ratio) => LabelWidth + (PlotWidth * Math.Log(Math.Clamp(ratio, least, most) / least) / Math.Log(most / least));

        string Colour(string system) => Colours[systems.IndexOf(system) % Colours.Length];

        void Write(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
