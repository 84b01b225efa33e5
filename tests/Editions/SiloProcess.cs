using System.Diagnostics;

namespace CreditGrains.Editions;

/// <summary>How a silo is started; each null: not at all.</summary>
public sealed record SiloOptions(string? TestClock = null, string? ApiKeys = null, int DrainSeconds = 1, string ClusterId = "test");

/// <summary>One silo as a child process, at an address of its own that it keeps through restarts.</summary>
public sealed class SiloProcess(string postgres) : IAsyncDisposable
{
    private static readonly HttpClient Http = new();
    private static readonly string Built = Path.Combine(Child.Root, "silo", "bin", Child.Configuration, "net10.0", "CreditGrains.Silo.dll");

    private readonly int siloPort = Child.FreePort(), gatewayPort = Child.FreePort();
    private SiloOptions started = new();
    private Child? child;

    public string Url { get; } = $"http://127.0.0.1:{Child.FreePort()}";

    public string Output => child?.Output ?? "";

    /// <summary>Which build it starts with next.</summary>
    public string Program { get; set; } = Built;

    /// <summary>Starts it as it was started last. Returns when it is ready to serve.</summary>
    public Task Start() => Start(started);

    public async Task Start(SiloOptions options)
    {
        started = options;
        if (child is not null) await child.DisposeAsync();
        var command = new ProcessStartInfo("dotnet",
        [
            Program, "--postgres", postgres, "--urls", Url, "--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}", "--drain", $"{options.DrainSeconds}", "--cluster-id", options.ClusterId,
            .. options.TestClock is { } clock ? ["--test-clock", clock] : Array.Empty<string>(), .. options.ApiKeys is { } keys ? ["--api-keys", keys] : Array.Empty<string>(),
        ]);
        command.Environment["Logging__LogLevel__Default"] = "Warning";
        child = Child.Start(command);
        await child.Ready(IsReady);
    }

    public Task Stop() => child!.Stop();

    public Task Kill() => child!.Kill();

    public async Task<bool> IsReady()
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri($"{Url}/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (child is not null) await child.DisposeAsync();
    }
}
