using System.Diagnostics;
using System.Reflection;
using Xunit;

namespace CreditGrains.Simulation;

/// <summary>The simulation catches planted bugs. All of them are built at once: one assembly with one copy of the sources for each bug, in a namespace of its own; number 0 has none.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    private const int Rounds = 20;

    [Fact(DisplayName = "Every planted bug is caught")]
    public void EveryPlantedBugIsCaught()
    {
        var clock = Stopwatch.StartNew();
        var folder = Directory.CreateTempSubdirectory("mutants-").FullName;
        try
        {
            var trials = Trials(Build(folder));
            output.WriteLine($"built in {clock.Elapsed.TotalSeconds:F1} s");
            var results = new (string Check, int Reports)?[trials.Length];
            Threads.Run(trials.Length, number => results[number] = ((string, int)?)trials[number].Invoke(null, [Rounds]));
            for (var number = 1; number < results.Length; number++)
                output.WriteLine($"{Mutant.All[number - 1].Name}: {(results[number] is var (check, reports) ? $"\"{check}\" after {reports} reports" : "NOT CAUGHT")}");
            output.WriteLine($"{clock.Elapsed.TotalSeconds:F1} s");
            Assert.Null(results[0]);
            Assert.Empty(Mutant.All.Where((_, index) => results[index + 1] is null));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Assembly Build(string folder)
    {
        var root = Root();
        var sources = new[] { "src/CreditGrains.Domain", "src/CreditGrains.Actors", "tests/Simulation" }
            .SelectMany(project => Directory.GetFiles(Path.Combine(root, project), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(root, file))
            .Where(file => !file.Split('/').Any(part => part is "obj" or "bin"))
            .ToDictionary(file => file, file => File.ReadAllText(Path.Combine(root, file)));
        var engine = sources.Where(source => !source.Value.Contains("using Xunit;") && !source.Key.EndsWith("Mutants.cs", StringComparison.Ordinal)).ToDictionary();
        Copy(engine, folder, 0);
        for (var number = 1; number <= Mutant.All.Length; number++)
        {
            var mutant = Mutant.All[number - 1];
            Assert.Equal(2, engine[mutant.File].Split(mutant.Old).Length);
            Copy(new(engine) { [mutant.File] = engine[mutant.File].Replace(mutant.Old, mutant.New) }, folder, number);
        }
        File.Copy(Path.Combine(root, "Directory.Build.props"), Path.Combine(folder, "Directory.Build.props"));
        File.WriteAllText(Path.Combine(folder, "Mutants.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <Nullable>annotations</Nullable>
                <NoWarn>$(NoWarn);CS8632</NoWarn>
                <RunAnalyzers>false</RunAnalyzers>
                <Optimize>false</Optimize>
                <DebugType>none</DebugType>
                <ProduceReferenceAssembly>false</ProduceReferenceAssembly>
                <UseSharedCompilation>false</UseSharedCompilation>
                <EnforceCodeStyleInBuild>false</EnforceCodeStyleInBuild>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{Path.Combine(AppContext.BaseDirectory, "NodaTime.dll")}" />
              </ItemGroup>
            </Project>
            """);
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["build", "-c", "Release", "-v", "quiet", "-nologo", "-nodeReuse:false", "-o", Path.Combine(folder, "out")])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            // What a compiler of that many lines is quickest with.
            Environment = { ["DOTNET_TieredPGO"] = "0", ["DOTNET_GCgen0size"] = "0x10000000" },
        })!;
        var said = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        Assert.True(build.ExitCode == 0, said);
        return Assembly.Load(File.ReadAllBytes(Path.Combine(folder, "out", "Mutants.dll")));
    }

    private static void Copy(Dictionary<string, string> sources, string folder, int number)
    {
        foreach (var (file, text) in sources)
        {
            var path = Path.Combine(folder, $"M{number}", file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text.Replace("namespace CreditGrains", $"namespace M{number}.CreditGrains").Replace("using CreditGrains", $"using M{number}.CreditGrains"));
        }
    }

    private static MethodInfo[] Trials(Assembly assembly) =>
        [.. Enumerable.Range(0, Mutant.All.Length + 1).Select(number => assembly.GetType($"M{number}.CreditGrains.Simulation.Trial")!.GetMethod("Run")!)];

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CreditGrains.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
