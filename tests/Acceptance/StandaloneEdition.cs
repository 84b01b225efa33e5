using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CreditGrains.Acceptance;

/// <summary>The one-machine edition, as a child process.</summary>
internal sealed class StandaloneEdition : Edition
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CreditGrains.Standalone.dll");

    private readonly string data = Directory.CreateTempSubdirectory("creditgrains-").FullName;
    private readonly string url = $"http://127.0.0.1:{FreePort()}";
    private readonly ConcurrentQueue<string> output = new();
    private Process? process;

    public StandaloneEdition() => Api = new(url);

    public override Api Api { get; }

    public override async Task Stop()
    {
        _ = Signal(process!.Id, 15);
        await Ended();
    }

    public override async Task Kill()
    {
        process!.Kill();
        await Ended();
    }

    public override async Task Restart(EditionOptions options)
    {
        process = Process.Start(Command(options))!;
        process.OutputDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => output.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Ready();
    }

    public override async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false }) await Kill();
        process?.Dispose();
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

        var command = new ProcessStartInfo(arguments[0], arguments.Skip(1)) { RedirectStandardOutput = true, RedirectStandardError = true };
        // The runtime maps a file of its own for compiled code, which the limit would hit, too.
        if (options.MaxFileBytes is not null) command.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return command;
    }

    private async Task Ready()
    {
        var isReady = false;
        await Eventually.Is(async () => process!.HasExited || (isReady = await Api.IsReady()));
        if (!isReady) throw new InvalidOperationException($"The edition did not get ready:\n{string.Join('\n', output)}");
    }

    private async Task Ended()
    {
        await process!.WaitForExitAsync();
        process.Dispose();
        process = null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
