using System.Globalization;

namespace CreditGrains.Bench;

/// <summary>What shall be measured, as the command line says.</summary>
internal sealed record Options
{
    private const int Rounds = 3;

    public bool IsQuick { get; private init; }

    /// <summary>Whether, instead of speed, it is measured what a contract's past costs.</summary>
    public bool IsGrowth { get; private init; }

    /// <summary>Whether docs/bench.md and docs/bench.svg are written.</summary>
    public bool Writes { get; private init; }

    /// <summary>The loads' names must contain all words of one of these; empty: no matter.</summary>
    public IReadOnlyList<string> Only { get; private init; } = [];

    /// <summary>The same for the systems' names.</summary>
    public IReadOnlyList<string> Systems { get; private init; } = [];

    public double? Seconds { get; private init; }

    /// <summary>Another build of CreditGrains.Silo.dll.</summary>
    public string? Silo { get; private init; }

    public Pace Pace => IsQuick
        ? new(TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(0.2), MostWindows: 20, TimeSpan.FromSeconds(Seconds ?? 0.8), Rounds)
        : new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.4), MostWindows: 40, TimeSpan.FromSeconds(Seconds ?? 2), Rounds);

    /// <summary>Throws <see cref="InvalidDataException"/> with a sentence where they cannot be read.</summary>
    public static Options Read(string[] args)
    {
        var options = new Options();
        for (var i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { IsQuick = true },
                "--growth" => options with { IsGrowth = true },
                "--write" => options with { Writes = true },
                "--only" => options with { Only = Value().Split(',') },
                "--systems" => options with { Systems = Value().Split(',') },
                "--seconds" => options with { Seconds = Number(Value()) },
                "--silo" => options with { Silo = Path.GetFullPath(Value()) },
                var other => throw new InvalidDataException($"{other} is not known; ./bench --help tells the options."),
            };

            string Value() => ++i < args.Length ? args[i] : throw new InvalidDataException($"{args[i - 1]} needs a value.");
        }
        if (options.Silo is { } silo && !File.Exists(silo)) throw new InvalidDataException($"--silo must be a CreditGrains.Silo.dll; {silo} is not there.");
        return options;
    }

    /// <summary>The systems that are measured.</summary>
    public IReadOnlyList<SystemUnderTest> Chosen(IReadOnlyList<SystemUnderTest> all)
    {
        IReadOnlyList<SystemUnderTest> chosen = Systems.Count > 0 ? [.. all.Where(system => Matches(system.Name, Systems))]
            : IsQuick ? [.. all.Where(system => system.MeasuresMore)]
            : all;
        return chosen.Count > 0 ? chosen : throw None("--systems", all.Select(system => system.Name));
    }

    /// <summary>The loads that are measured.</summary>
    public IReadOnlyList<Load> Loads()
    {
        var all = IsQuick && Only.Count == 0 ? Load.Quick : [.. Load.Main, .. Load.More];
        IReadOnlyList<Load> chosen = Only.Count == 0 ? all : [.. all.Where(load => Matches(load.Name, Only))];
        return chosen.Count > 0 ? chosen : throw None("--only", all.Select(load => load.Name));
    }

    /// <summary>Whether that load is measured on that system: systems that were named take all that they can.</summary>
    public bool Measures(SystemUnderTest system, Load load) => system.Can(load) && (system.MeasuresMore || Systems.Count > 0 || Load.Main.Contains(load));

    private static InvalidDataException None(string option, IEnumerable<string> names) => new($"{option} must name some of: {string.Join("; ", names)}.");

    private static bool Matches(string name, IEnumerable<string> phrases) => phrases.Any(phrase =>
        phrase.Split(' ', StringSplitOptions.RemoveEmptyEntries).All(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)));

    private static double Number(string text) => double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number is >= 0.1 and <= 600
        ? number
        : throw new InvalidDataException("--seconds must be 0.1 to 600.");
}
