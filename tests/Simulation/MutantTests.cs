using System.Diagnostics;
using System.Reflection;
using Xunit;

namespace CreditGrains.Simulation;

/// <summary>The simulation catches planted bugs. All of them are built at once into one copy of the sources, each behind a switch of its own; number 0 is none of them.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    // A bug ends its trial when it is caught.
    private const int CalmRounds = 30, MostRounds = 120;

    private static readonly string? Chosen = Environment.GetEnvironmentVariable("CREDITGRAINS_MUTANTS");

    [Fact(DisplayName = "Every planted bug is caught")]
    public void EveryPlantedBugIsCaught()
    {
        Assert.SkipUnless(Chosen is not null, "the planted bugs take some ten minutes; CREDITGRAINS_MUTANTS=all tries them, or those with one of these words, parted by commas");
        var clock = Stopwatch.StartNew();
        var folder = Directory.CreateTempSubdirectory("mutants-").FullName;
        try
        {
            var trial = Build(folder).GetType("CreditGrains.Simulation.Planted")!.GetMethod("Try")!;
            output.WriteLine($"built in {clock.Elapsed.TotalSeconds:F1} s");
            var results = new (string Check, int Reports)?[Mutant.All.Length + 1];
            int[] numbers = [.. Enumerable.Range(0, results.Length).Where(number => Chosen == "all" || (number > 0 && Chosen!.Split(',').Any(Mutant.All[number - 1].Name.Contains)))];
            Threads.Run(numbers.Length, place =>
            {
                var number = numbers[place];
                results[number] = ((string, int)?)trial.Invoke(null, [number, number == 0 ? CalmRounds : MostRounds]);
                output.WriteLine($"{(number == 0 ? "none" : Mutant.All[number - 1].Name)}: {(results[number] is var (check, reports) ? $"\"{check}\" after {reports} reports" : "nothing caught")}");
            });
            output.WriteLine($"{clock.Elapsed.TotalSeconds:F1} s");
            Assert.Null(results[0]);
            Assert.Empty(numbers.Where(number => number > 0 && results[number] is null).Select(number => Mutant.All[number - 1]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact(DisplayName = "Every planted bug has its place in the sources")]
    public void EveryPlantedBugHasItsPlace()
    {
        var engine = Engine();
        Assert.Empty(Mutant.All.Where(mutant => engine[mutant.File].Split(mutant.Old).Length != 2).Select(mutant => mutant.Name));
    }

    // What only a server has.
    private static readonly string[] Unused = ["Hosting/ClusterTls.cs", "Hosting/FatalEnd.cs", "Hosting/Ports.cs", "Hosting/Product.cs", "Hosting/Server", "Hosting/StartLog.cs", "Hosting/StoreWatch.cs", "Time/Caretaker.cs", "Time/Clock.cs", "Grains/Composition.cs"];

    // What is simulated, and the simulation, without its tests.
    private static Dictionary<string, string> Engine()
    {
        var root = Root();
        return new[] { "src/CreditGrains.Domain", "src/CreditGrains.Grains", "src/CreditGrains.Stores/Rows", "src/CreditGrains.Stores/Lists", "src/CreditGrains.Stores/Memory", "tests/Simulation" }
            .SelectMany(project => Directory.GetFiles(Path.Combine(root, project), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(root, file))
            .Where(file => !file.Split('/').Any(part => part is "obj" or "bin"))
            .Where(file => !file.EndsWith("Mutants.cs", StringComparison.Ordinal) && !Unused.Any(file.Contains))
            .ToDictionary(file => file, file => File.ReadAllText(Path.Combine(root, file)))
            .Where(source => !source.Value.Contains("using Xunit;")).ToDictionary();
    }

    private static Assembly Build(string folder)
    {
        var engine = Engine();
        for (var number = 1; number <= Mutant.All.Length; number++)
        {
            var mutant = Mutant.All[number - 1];
            Assert.Equal(2, engine[mutant.File].Split(mutant.Old).Length);
            engine[mutant.File] = engine[mutant.File].Replace(mutant.Old, mutant.New.Replace(Mutant.Switch, $"global::CreditGrains.Simulation.Planted.Is({number})"));
        }
        foreach (var (file, text) in engine)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            File.WriteAllText(Path.Combine(folder, file), text);
        }
        File.WriteAllText(Path.Combine(folder, "Planted.cs"), """
            namespace CreditGrains.Simulation;

            public static class Planted
            {
                [ThreadStatic]
                private static int bug;

                public static bool Is(int number) => bug == number;

                public static (string Check, int Reports)? Try(int number, int rounds)
                {
                    bug = number;
                    return Trial.Run(rounds);
                }
            }
            """);
        File.Copy(Path.Combine(Root(), "Directory.Build.props"), Path.Combine(folder, "Directory.Build.props"));
        File.WriteAllText(Path.Combine(folder, "Mutants.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <Nullable>annotations</Nullable>
                <NoWarn>$(NoWarn);CS8632</NoWarn>
                <RunAnalyzers>false</RunAnalyzers>
                <DebugType>none</DebugType>
                <ProduceReferenceAssembly>false</ProduceReferenceAssembly>
                <UseSharedCompilation>false</UseSharedCompilation>
                <EnforceCodeStyleInBuild>false</EnforceCodeStyleInBuild>
              </PropertyGroup>
              <ItemGroup>
                <Using Include="Orleans" />
                <Using Include="Orleans.Runtime" />
                {string.Join("\n    ", References().Select(file => $"<Reference Include=\"{file}\" />"))}
              </ItemGroup>
            </Project>
            """);
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", "-c", "Release", "-v", "quiet", "-nologo", "-nodeReuse:false", "-o", Path.Combine(folder, "out")])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        })!;
        var said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, said);
        return Assembly.Load(File.ReadAllBytes(Path.Combine(folder, "out", "Mutants.dll")));
    }

    // What lies beside this program, so that nothing is asked of a feed; of the product and of the test framework only sources are used.
    private static IEnumerable<string> References() => Directory.GetFiles(AppContext.BaseDirectory, "*.dll").Where(file =>
        Path.GetFileName(file) is var name && (name == "NodaTime.dll" || name.StartsWith("Orleans", StringComparison.Ordinal) || name.StartsWith("Microsoft.Extensions", StringComparison.Ordinal)));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CreditGrains.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
