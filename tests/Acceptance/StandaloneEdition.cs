using System.Diagnostics;
using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>The one-machine edition, as a child process.</summary>
internal sealed class StandaloneEdition : Edition
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CreditGrains.Standalone.dll");

    private readonly string data = Directory.CreateTempSubdirectory("creditgrains-").FullName;
    private readonly string url = $"http://127.0.0.1:{Child.FreePort()}";
    private Child? child;

    public StandaloneEdition() => Api = new(url);

    public override Api Api { get; }

    public override Task Stop() => child!.Stop();

    public override Task Kill() => child!.Kill();

    public override async Task Restart(EditionOptions options)
    {
        if (child is not null) await child.DisposeAsync();
        child = Child.Start(Command(options));
        await child.Ready(Api.IsReady);
    }

    public override async ValueTask DisposeAsync()
    {
        if (child is not null) await child.DisposeAsync();
        Api.Dispose();
        Directory.Delete(data, recursive: true);
    }

    private ProcessStartInfo Command(EditionOptions options)
    {
        var arguments = new List<string> { "dotnet", Program, "--urls", url, "--data", data };
        if (options.TestClock is { } clock) arguments.AddRange(["--test-clock", clock]);
        if (options.ApiKeys is { } keys) arguments.AddRange(["--api-keys", keys]);

        // A write beyond the limit shall fail, not end the process.
        if (options.MaxFileBytes is { } limit) arguments.InsertRange(0, ["bash", "-c", "trap '' XFSZ; exec \"$@\"", "limited", "prlimit", $"--fsize={limit}"]);

        var command = new ProcessStartInfo(arguments[0], arguments.Skip(1));
        // The runtime maps a file of its own for compiled code, which the limit would hit, too.
        if (options.MaxFileBytes is not null) command.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return command;
    }
}
