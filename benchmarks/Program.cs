using System.Diagnostics;
using System.Runtime.InteropServices;
using CreditGrains.Bench;
using CreditGrains.Editions;

if (args is ["serve", var name, var url, var postgres])
{
    await Front.Serve(name, url, postgres);
    return 0;
}

// Systems and their databases end with this program, also where it is stopped.
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

try
{
    var watch = Stopwatch.StartNew();
    var options = Options.Read(args);
    if (options.IsGrowth)
    {
        Console.WriteLine(await Growth.Measure(stop.Token));
        return 0;
    }
    var figures = await Run.All(options, stop.Token);
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
catch (OperationCanceledException)
{
    await Console.Error.WriteLineAsync("bench: stopped.");
    return 130;
}
catch (Exception e) when (e is WrongAnswerException or HttpRequestException or InvalidOperationException or TimeoutException)
{
    // The output of a process that did not start may be long.
    await Console.Error.WriteLineAsync($"bench: {string.Join('\n', e.Message.Split('\n').Take(10))}");
    return 1;
}
