using System.Text.RegularExpressions;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>What the tree must not contain. What is forbidden is put together here, so that this file does not contain it.</summary>
public sealed class TidyTests
{
    private const int MaxColumns = 160;

    private static readonly string Root = FindRoot(AppContext.BaseDirectory);

    private static readonly string Waiting = $@"Thread\.{"Sleep"}|Task\.{"Delay"}\((?!.*, world\.Time\))";

    // These wait for a PostgreSQL server, whose time nobody drives.
    private static readonly HashSet<string> MayWait = ["tests/Stores.Tests/PostgresRestoreTests.cs", "tests/Stores.Tests/PostgresWriterTests.cs"];

    public static TheoryData<string, string, string> Rules => new()
    {
        {
            "src/CreditGrains.Domain",
            @"\bDateTime\b|\bTimeProvider\b|System\.Threading|\bTask\b|\basync\b|Orleans|Npgsql|Sqlite|AspNetCore|System\.IO\b",
            "the rules are pure: no clock, no waiting, no grains, no store, no HTTP"
        },
        { "src/CreditGrains.Domain", @"Refusal\.Invalid\((?:\$?""[^""]*""|\w+), \$?""(?!must )", "a message says what must hold or must be done" },
        { "src/CreditGrains.Grains", @"DateTime\.(Utc)?Now|Npgsql|Sqlite|AspNetCore", "grains know ports only" },
        { "src/CreditGrains.Stores", "AspNetCore", "stores know the grains' ports and the domain" },
        { "src/CreditGrains.Http", "Npgsql|Sqlite", "the front asks grains and ports, never a store" },
        { "src/CreditGrains.Console", "Npgsql|Sqlite|IQueries|IStore", "the pages call the API, which asks grains and ports" },
        { "src/CreditGrains.Cli", @"CreditGrains\.(Domain|Grains|Stores|Http)|Orleans|Npgsql|Sqlite", "the command line speaks HTTP" },
        { "tests", Waiting, "time is driven, not waited for" },
        { "src", $@"{"TO"}DO|{"FIX"}ME|{"NotImplemented"}Exception", "what is here is done" },
        { "tests", $@"{"TO"}DO|{"FIX"}ME|{"NotImplemented"}Exception", "what is here is done" },
    };

    // Lines that were too wide when the limit came; their number may only fall, and what has none left is not here.
    private static readonly Dictionary<string, int> StillWide = new()
    {
        ["src/CreditGrains.Cli"] = 18,
        ["src/CreditGrains.Grains"] = 50,
        ["src/CreditGrains.Http"] = 118,
        ["src/CreditGrains.Stores"] = 35,
        ["silo"] = 2,
    };

    // Switches that hid the next member when the rule came; what has none left is not here.
    private static readonly Dictionary<string, int> StillHiding = new()
    {
        ["src/CreditGrains.Grains/Committing/Batch.cs"] = 1,
        ["src/CreditGrains.Grains/Committing/Committing.cs"] = 1,
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_tree_is_tidy(string folder, string forbidden, string because) =>
        Assert.True(Untidy(folder, forbidden) is [], $"{because}: {string.Join(", ", Untidy(folder, forbidden))}");

    [Fact]
    public void What_is_forbidden_is_found() => Assert.NotEmpty(Untidy("src/CreditGrains.Domain", "NodaTime"));

    [Fact]
    public void A_line_has_at_most_160_columns() => Assert.All(
        Sources("src").Concat(Sources("silo")).GroupBy(source => Regex.Match(source.Path, "^(src/[^/]+|[^/]+)").Value),
        project =>
        {
            var wide = project.SelectMany(source => Wide(source.Text).Select(line => $"{source.Path}:{line}")).ToList();
            Assert.True(wide.Count <= StillWide.GetValueOrDefault(project.Key), $"lines of more than {MaxColumns} columns: {string.Join(", ", wide)}");
        });

    [Fact]
    public void A_line_that_is_too_wide_is_found() => Assert.Equal([2], Wide($"{new string('x', MaxColumns)}\n{new string('x', MaxColumns + 1)}"));

    // The compiler finds a switch that lacks a member, unless a discard takes it.
    [Fact]
    public void A_switch_over_an_enum_or_a_closed_set_names_every_member()
    {
        var sources = Sources("src").Concat(Sources("silo")).ToList();
        var closed = Closed(string.Join('\n', sources.Select(source => source.Text)));
        Assert.All(sources, source =>
        {
            var hiding = Hiding(source.Text, closed).ToList();
            Assert.True(hiding.Count <= StillHiding.GetValueOrDefault(source.Path), $"a discard hides the next member: {source.Path}:{string.Join(',', hiding)}");
        });
    }

    [Theory]
    [InlineData("    Colour.Red => 1,\n    _ => 2,", true)]
    [InlineData("    Colour.Red or Colour.Green => 1,\n    _ => 2,", true)]
    [InlineData("    Shape.Square(var side) => side,\n    _ => 0,", true)]
    [InlineData("    Circle { Radius: 1 } => 1,\n    _ => 0,", true)]
    [InlineData("    (Colour.Red, _) => 1,\n    _ => 0,", true)]
    [InlineData("    Colour.Red => 1,\n    Colour.Green => 2,", false)]
    [InlineData("    \"red\" => 1,\n    _ => 2,", false)]
    [InlineData("    { Colour: Colour.Red } => 1,\n    _ => 2,", false)]
    [InlineData("    ConsoleColor.Red => 1,\n    _ => 2,", false)]
    public void A_discard_that_hides_the_next_member_is_found(string arms, bool found)
    {
        const string Types = "enum Colour { Red, Green }\nabstract record Shape\n{\n  record Square(int Side) : Shape;\n}\nrecord Circle(\n  int Radius) : Shape;\n";
        Assert.Equal(found, Hiding($"x switch\n{{\n{arms}\n}}", Closed(Types)).Any());
        Assert.Equal(found, Hiding($"x switch {{ {Regex.Replace(arms, @"\s+", " ")} }}", Closed(Types)).Any());
    }

    private static IEnumerable<int> Wide(string text) =>
        text.Split('\n').Index().Where(line => line.Item.Length > MaxColumns).Select(line => line.Index + 1);

    // How a pattern over our enums and closed sets begins: Enum.Member, Set.Member, or the name of a record of a set.
    private static Regex Closed(string text)
    {
        var sets = Regex.Matches(text, @"\b(?:enum|abstract record) (\w+)").Select(match => match.Groups[1].Value).ToHashSet();
        var members = Regex.Matches(text, @"\brecord (\w+)(?:\([^()]*\))?\s*:\s*(\w+)").Where(match => sets.Contains(match.Groups[2].Value)).Select(match => match.Groups[1].Value);
        return new($@"^\(?(?:(?:{string.Join('|', sets)})\.\w|(?:{string.Join('|', members)})\b)");
    }

    // The lines of discards in switches of which another arm begins as a closed set's does.
    private static IEnumerable<int> Hiding(string text, Regex closed)
    {
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Regex.Match(lines[i], @"^(\s+)_ => ") is { Success: true, Groups: [_, var indent] })
            {
                var arms = lines.Take(i).Reverse().TakeWhile(line => line.TrimEnd().Length == 0 || line.StartsWith(indent.Value, StringComparison.Ordinal))
                    .Where(line => line.Length > indent.Length && line[indent.Length] != ' ');
                if (arms.Any(arm => closed.IsMatch(arm.TrimStart()))) yield return i + 1;
            }
            else if (Regex.Match(lines[i], @"switch \{ (.*?)_ => .*\}") is { Success: true, Groups: [_, var arms] } && Regex.Split(arms.Value, "(?<=,) ").Any(arm => closed.IsMatch(arm.TrimStart())))
            {
                yield return i + 1;
            }
        }
    }

    private static List<string> Untidy(string folder, string forbidden) =>
    [
        .. Sources(folder)
            .Where(source => forbidden != Waiting || !MayWait.Contains(source.Path))
            .SelectMany(source => source.Text.Split('\n').Index().Where(line => Regex.IsMatch(line.Item, forbidden)).Select(line => $"{source.Path}:{line.Index + 1}")),
    ];

    private static IEnumerable<(string Path, string Text)> Sources(string folder) => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
        .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".csproj", StringComparison.Ordinal))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
        .Select(file => (Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/'), File.ReadAllText(file)));

    private static string FindRoot(string folder) => File.Exists(Path.Combine(folder, "CreditGrains.sln"))
        ? folder
        : FindRoot(Path.GetDirectoryName(folder.TrimEnd(Path.DirectorySeparatorChar)) ?? throw new DirectoryNotFoundException("no solution above the tests"));
}
