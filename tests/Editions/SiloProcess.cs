using System.Diagnostics;
using System.Net.Sockets;

namespace CreditGrains.Editions;

/// <summary>How a silo is started; each null: not at all.</summary>
/// <param name="MaxFileBytes">The most that any of its files may hold: its disk is full then.</param>
/// <param name="Arguments">Further options.</param>
/// <param name="Environment">Further variables.</param>
/// <param name="MaxHeapBytes">The most that its heap may hold: what .NET takes in a container.</param>
public sealed record SiloOptions(
    string? TestClock = null, string? ApiKeys = null, int DrainSeconds = 1, string ClusterId = "test", long? MaxFileBytes = null, long? MaxHeapBytes = null,
    IReadOnlyList<string>? Arguments = null, IReadOnlyDictionary<string, string>? Environment = null);

/// <summary>One silo as a child process, at an address of its own that it keeps through restarts.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private static readonly string BuiltFront = Path.Combine(Child.Root, "api", "bin", Child.Configuration, "net10.0", "CreditGrains.Api.dll");
    /// <summary>The silo of this build.</summary>
    public static string Built { get; } = Path.Combine(Child.Root, "silo", "bin", Child.Configuration, "net10.0", "CreditGrains.Silo.dll");

    private readonly Func<SiloOptions, IEnumerable<string>> store;
    private SiloOptions started = new();
    private Child? child;

    private SiloProcess(Func<SiloOptions, IEnumerable<string>> store, string? url)
    {
        this.store = store;
        Url = url ?? $"http://127.0.0.1:{Child.FreePort()}";
    }

    public string Url { get; }

    public string Output => child?.Output ?? "";

    /// <summary>The memory that it has now, in bytes.</summary>
    public long Memory => child!.Memory;

    public int ProcessId => child!.ProcessId;

    /// <summary>Which build it starts with next.</summary>
    public string Program { get; set; } = Built;

    /// <summary>One silo of a cluster on that database.</summary>
    public static SiloProcess Cluster(string postgres, string? url = null)
    {
        string[] member = ["--postgres", postgres, "--silo-port", $"{Child.FreePort()}", "--gateway-port", $"{Child.FreePort()}"];
        return new(options => [.. member, "--drain", $"{options.DrainSeconds}", "--cluster-id", options.ClusterId], url);
    }

    /// <summary>A front of its own of the silos on that database.</summary>
    public static SiloProcess Front(string postgres) =>
        new(options => ["--postgres", postgres, "--drain", $"{options.DrainSeconds}", "--cluster-id", options.ClusterId], null) { Program = BuiltFront };

    /// <summary>One silo on an embedded store in that directory.</summary>
    public static SiloProcess Embedded(string data, string? url = null) => new(_ => ["--data", data], url);

    /// <summary>Starts it as it was started last. Returns when it is ready to serve.</summary>
    public Task Start() => Start(started);

    public async Task Start(SiloOptions options)
    {
        started = options;
        if (child is not null) await child.DisposeAsync();
        child = Child.Start(Command(options));
        await child.Ready(IsReady);
    }

    /// <summary>Starts it where it cannot start, and answers its exit code and what it printed.</summary>
    public async Task<(int ExitCode, string Output)> Fail(SiloOptions options)
    {
        await using var failing = Child.Start(Command(options));
        return (await failing.Ended(), failing.Output);
    }

    public Task Stop() => child!.Stop();

    public Task Kill() => child!.Kill();

    /// <summary>Lets it stand still for a while.</summary>
    public async Task Stall(TimeSpan time)
    {
        var stalled = child!;
        stalled.Pause();
        await Trials.After(time);
        stalled.Resume();
    }

    /// <summary>Waits until it has ended by itself, and answers its exit code.</summary>
    public Task<int> Ended() => child!.Ended();

    public async Task<bool> IsReady()
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri($"{Url}/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (child is not null) await child.DisposeAsync();
    }

    private ProcessStartInfo Command(SiloOptions options)
    {
        List<string> arguments = ["dotnet", Program, "--urls", Url, .. store(options)];
        if (options.TestClock is { } clock) arguments.AddRange(["--test-clock", clock]);
        if (options.ApiKeys is { } keys) arguments.AddRange(["--api-keys", keys]);

        arguments.AddRange(options.Arguments ?? []);

        // A write beyond the limit shall fail, not end the process.
        if (options.MaxFileBytes is { } limit) arguments.InsertRange(0, ["bash", "-c", "trap '' XFSZ; exec \"$@\"", "limited", "prlimit", $"--fsize={limit}"]);

        var command = new ProcessStartInfo(arguments[0], arguments.Skip(1));
        command.Environment["Logging__LogLevel__Default"] = "Warning";

        // Its code is compiled ahead of time, and it seldom lives long enough to gain from being compiled again: in milliseconds, hexadecimal.
        if (Trials.AreShort) command.Environment["DOTNET_TC_CallCountingDelayMs"] = "2710";

        foreach (var (name, value) in options.Environment ?? new Dictionary<string, string>()) command.Environment[name] = value;

        if (options.MaxHeapBytes is { } heap) command.Environment["DOTNET_GCHeapHardLimit"] = $"0x{heap:x}";

        // The runtime maps a file of its own for compiled code, which the limit would hit, too.
        if (options.MaxFileBytes is not null) command.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return command;
    }
}
