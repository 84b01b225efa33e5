using System.Text.RegularExpressions;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>What the tree must not contain. What is forbidden is put together here, so that this file does not contain it.</summary>
public sealed class TidyTests
{
    private static readonly string Root = FindRoot(AppContext.BaseDirectory);

    public static TheoryData<string, string, string> Rules => new()
    {
        { "src/CreditGrains.Domain", @"\bDateTime\b|\bTimeProvider\b|System\.Threading|\bTask\b|\basync\b|Orleans|Npgsql|Sqlite|System\.IO\b", "the rules are pure: no clock, no waiting, no store" },
        { "src/CreditGrains.Grains", @"DateTime\.(Utc)?Now|Npgsql|Sqlite", "grains know ports only" },
        { "src/CreditGrains.Http", @"Orleans|Npgsql|Sqlite", "the front knows ports only" },
        { "src/CreditGrains.Cli", @"CreditGrains\.(Domain|Grains|Http)|Orleans|Npgsql|Sqlite", "the command line speaks HTTP" },
        { "tests", $@"Thread\.{"Sleep"}|Task\.{"Delay"}\((?!.*, world\.Time\))", "time is driven, not waited for" },
        { "src", $@"{"TO"}DO|{"FIX"}ME|{"NotImplemented"}Exception", "what is here is done" },
        { "tests", $@"{"TO"}DO|{"FIX"}ME|{"NotImplemented"}Exception", "what is here is done" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void The_tree_is_tidy(string folder, string forbidden, string because) =>
        Assert.True(Untidy(folder, forbidden) is [], $"{because}: {string.Join(", ", Untidy(folder, forbidden))}");

    [Fact]
    public void What_is_forbidden_is_found() => Assert.NotEmpty(Untidy("src/CreditGrains.Domain", "NodaTime"));

    private static List<string> Untidy(string folder, string forbidden) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".csproj", StringComparison.Ordinal))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (line, at: $"{Path.GetRelativePath(Root, file)}:{i + 1}")))
            .Where(found => Regex.IsMatch(found.line, forbidden)).Select(found => found.at),
    ];

    private static string FindRoot(string folder) => File.Exists(Path.Combine(folder, "CreditGrains.sln"))
        ? folder
        : FindRoot(Path.GetDirectoryName(folder.TrimEnd(Path.DirectorySeparatorChar)) ?? throw new DirectoryNotFoundException("no solution above the tests"));
}
