using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CreditGrains.Editions;

/// <summary>A process that a test started, and that ends with it.</summary>
public sealed class Child : IAsyncDisposable
{
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    private readonly ConcurrentQueue<string> output = new();
    private readonly Process process;

    private Child(Process process) => this.process = process;

    public bool HasExited => process.HasExited;

    public int ProcessId => process.Id;

    public string Output => string.Join('\n', output);

    /// <summary>The memory that it has now, in bytes.</summary>
    public long Memory
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    public static Child Start(ProcessStartInfo command)
    {
        command.RedirectStandardOutput = command.RedirectStandardError = true;
        var child = new Child(Process.Start(command)!);
        child.process.OutputDataReceived += (_, line) => child.output.Enqueue(line.Data ?? "");
        child.process.ErrorDataReceived += (_, line) => child.output.Enqueue(line.Data ?? "");
        child.process.BeginOutputReadLine();
        child.process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a program to its end and answers what it printed; throws where it fails.</summary>
    public static async Task<string> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var printed = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? printed.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {printed}");
    }

    /// <summary>Ends it as an operator does (SIGTERM), and waits for its end.</summary>
    public async Task Stop()
    {
        _ = Signal(process.Id, 15);
        await process.WaitForExitAsync();
    }

    /// <summary>Ends it at once (SIGKILL), as a power cut does.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Lets it stand still (SIGSTOP), as a machine does that is starved.</summary>
    public void Pause() => _ = Signal(process.Id, 19);

    /// <summary>Lets it go on.</summary>
    public void Resume() => _ = Signal(process.Id, 18);

    /// <summary>Returns when it answers <paramref name="isReady"/>; throws with its output where it ends before, or after 90 seconds.</summary>
    public async Task Ready(Func<Task<bool>> isReady)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(90) && !process.HasExited; await tick.WaitForNextTickAsync())
            if (await isReady())
                return;
        if (process.HasExited) await Ended();
        throw new InvalidOperationException($"The process did not get ready:\n{Output}");
    }

    /// <summary>Waits until it has ended by itself, all it printed read, and answers its exit code.</summary>
    public async Task<int> Ended()
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    /// <summary>A port of loopback that is free now, given once; below those that the system takes for connections.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_000);
            if (!Given.TryAdd(port, true)) continue;
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }
    }

    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Up(AppContext.BaseDirectory);

    /// <summary>The build that this one is of: Debug or Release.</summary>
    public static string Configuration { get; } = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/')))!;

    private static string Up(string folder) => File.Exists(Path.Combine(folder, "CreditGrains.sln")) ? folder : Up(Path.GetDirectoryName(folder.TrimEnd('/'))!);

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);
}
