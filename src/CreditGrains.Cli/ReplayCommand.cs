using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace CreditGrains.Cli;

/// <summary><c>credits replay FILE</c>: posts a file of reports and says what they cost.</summary>
internal static class ReplayCommand
{
    private const int MaxConcurrency = 1_000;

    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "Reports as NDJSON: {reportId, at, players:[{playerId, name}]} a line." };
        var contract = new Option<string>("--contract") { Description = "The contract that pays.", Required = true };
        var user = new Option<string>("--user") { Description = "The user who reports.", Required = true };
        var client = new Option<string?>("--client") { Description = "The contract's client, for --setup." };
        var concurrency = new Option<int>("--concurrency") { Description = "The most reports under way at once.", DefaultValueFactory = _ => 16 };
        var moveClock = new Option<bool>("--move-clock") { Description = "Moves the service's test clock to each report's instant, in the order of the file." };
        var setup = new Option<bool>("--setup") { Description = "Makes the contract, the user and a lot large enough where they are not there." };
        var service = new ServiceOptions();

        var command = new Command("replay", "Replays reports from a file.") { file, contract, user, client, concurrency, moveClock, setup };
        service.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var atOnce = parsed.GetValue(concurrency);
            if (atOnce is < 1 or > MaxConcurrency) throw new InputException($"--concurrency is 1 to {MaxConcurrency}.");
            if (parsed.GetValue(setup) && parsed.GetValue(client) is null) throw new InputException("--setup needs --client.");
            var reports = ReportFile.Read(parsed.GetValue(file)!, parsed.GetValue(moveClock));

            using var open = service.Open(parsed);
            if (parsed.GetValue(setup)) await new Setup(open, parsed.GetValue(client)!, parsed.GetValue(contract)!, parsed.GetValue(user)!).Run(reports, stop);

            var replay = new Replay(open, parsed.GetValue(contract)!, parsed.GetValue(user)!, atOnce, parsed.GetValue(moveClock));
            return await Run(replay, reports, parsed.InvocationConfiguration.Output, stop);
        });
        return command;
    }

    private static async Task<int> Run(Replay replay, IReadOnlyList<ReportLine> reports, TextWriter output, CancellationToken stop)
    {
        var tally = new Tally();
        var started = Stopwatch.GetTimestamp();
        try
        {
            await WithProgress(reports.Count, reported => replay.Run(reports, tally, reported, stop));
        }
        finally
        {
            Write(tally, Stopwatch.GetElapsedTime(started), output);
        }
        return tally.Refused == 0 ? 0 : 1;
    }

    // Where nobody watches, nothing is drawn.
    private static Task WithProgress(int reports, Func<Action, Task> run) => !AnsiConsole.Profile.Out.IsTerminal
        ? run(() => { })
        : AnsiConsole.Progress().AutoClear(true).StartAsync(async progress =>
        {
            var bar = progress.AddTask("Replaying", maxValue: reports);
            await run(() => bar.Increment(1));
        });

    private static void Write(Tally tally, TimeSpan elapsed, TextWriter output)
    {
        output.WriteLine($"reports   {tally.Reports}");
        output.WriteLine($"charged   {tally.Charged}");
        output.WriteLine($"covered   {tally.Covered}");
        output.WriteLine($"refused   {tally.Refused}{(tally.Refused == 0 ? "" : $"  ({string.Join(", ", tally.Refusals.Select(refusal => $"{refusal.Key} {refusal.Value}"))})")}");
        output.WriteLine($"replayed  {tally.Replayed}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"elapsed   {elapsed.TotalSeconds:0.0} s"));
    }
}
