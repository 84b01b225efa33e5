using System.Diagnostics;
using CreditGrains.Bench;
using CreditGrains.Editions;

if (args is ["serve", var name, var url, var postgres])
{
    await Front.Serve(name, url, postgres);
    return 0;
}

try
{
    var watch = Stopwatch.StartNew();
    var options = Options.Read(args);
    var figures = await Run.All(options);
    var page = Path.Combine(Child.Root, "docs", "bench.md");

    Console.WriteLine(Report.Details(figures));
    Console.WriteLine(Report.Ratios(figures));
    foreach (var regression in Published.Read(page).Regressions(figures)) Console.WriteLine(regression);
    if (options.Writes)
    {
        await File.WriteAllTextAsync(page, Report.Page(figures, options.Pace, watch.Elapsed));
        await File.WriteAllTextAsync(Path.ChangeExtension(page, ".svg"), Chart.Draw(figures));
    }
    Console.WriteLine($"Measured in {watch.Elapsed.TotalSeconds:N0} s.");
    return 0;
}
catch (InvalidDataException e)
{
    await Console.Error.WriteLineAsync($"bench: {e.Message}");
    return 2;
}
catch (WrongAnswerException e)
{
    await Console.Error.WriteLineAsync($"bench: {e.Message}");
    return 1;
}
