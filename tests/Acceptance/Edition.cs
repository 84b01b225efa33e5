using CreditGrains.Editions;
using CreditGrains.Grains;
using CreditGrains.Http;

namespace CreditGrains.Acceptance;

/// <summary>How an edition is started; each null: not at all.</summary>
/// <param name="TestClock">Where the test clock stands at first.</param>
/// <param name="ApiKeys">A file of keys.</param>
/// <param name="Tokens">Whose JSON Web Tokens are taken.</param>
/// <param name="MaxFileBytes">The most that any of its files may hold: its disk is full then.</param>
/// <param name="IsProcess">Whether it is a process of its own, which may be killed; else it is a silo of this process, which starts ten times as fast.</param>
internal sealed record EditionOptions(string? TestClock = null, string? ApiKeys = null, long? MaxFileBytes = null, bool IsProcess = false, TokenOptions? Tokens = null);

/// <summary>
/// One silo with data of its own: an embedded store or a database, as <c>CREDITGRAINS_EDITION</c> says, <c>embedded</c> (the default)
/// or <c>cluster</c>. What is asked of it goes over HTTP only, so that each edition passes the very same stories.
/// </summary>
internal sealed class Edition : IAsyncDisposable
{
    /// <summary>Whether the stories run on PostgreSQL.</summary>
    public static readonly bool IsCluster = Environment.GetEnvironmentVariable("CREDITGRAINS_EDITION") == "cluster";

    private readonly SiloProcess? process;
    private readonly HostedSilo? hosted;
    private readonly string? data;

    private Edition(SiloProcess? process, HostedSilo? hosted, string? data)
    {
        (this.process, this.hosted, this.data) = (process, hosted, data);
        Api = new(process?.Url ?? hosted!.Url);
    }

    /// <summary>Says it by HTTP.</summary>
    public Api Api { get; }

    /// <summary>What its process has printed since it was started last.</summary>
    public string Output => Process.Output;

    private SiloProcess Process => process ?? throw new InvalidOperationException("This story's silo has no process of its own; start it with IsProcess.");

    /// <summary>An edition that is ready to serve.</summary>
    public static async Task<Edition> Start(EditionOptions? options = null)
    {
        options ??= new();
        var edition = options.IsProcess ? await NewProcess() : await NewHosted();
        try
        {
            await edition.Restart(options);
            return edition;
        }
        catch
        {
            await edition.DisposeAsync();
            throw;
        }
    }

    /// <summary>A process that is not started yet; at that address, or null: at one of its own.</summary>
    public static async Task<Edition> NewProcess(string? url = null)
    {
        if (IsCluster) return new(SiloProcess.Cluster(await SharedPostgres.NewDatabase(), url), null, null);
        var data = NewDirectory();
        return new(SiloProcess.Embedded(data, url), null, data);
    }

    private static async Task<Edition> NewHosted()
    {
        if (IsCluster) return new(null, new(new() { Postgres = await SharedPostgres.NewDatabase(), SiloPort = Child.FreePort(), GatewayPort = Child.FreePort() }), null);
        var data = NewDirectory();
        return new(null, new(new() { Data = data }), data);
    }

    /// <summary>Ends it as an operator does, and waits for its end.</summary>
    public Task Stop() => hosted?.Stop() ?? Process.Stop();

    /// <summary>Ends its process at once, as a power cut does.</summary>
    public Task Kill() => Process.Kill();

    /// <summary>Starts it again on the same data and address, and returns when it is ready.</summary>
    public async Task Restart(EditionOptions options)
    {
        Assert.SkipWhen(IsCluster && options.MaxFileBytes is not null, "a silo of a cluster has no disk of its own; its store's is PostgreSQL's");
        await (hosted?.Start(options) ?? Process.Start(Of(options)));
    }

    /// <summary>Archives what was booked before an instant, beside a silo of a cluster; the embedded store's one silo stops and starts.</summary>
    public async Task Archive(string before, EditionOptions options)
    {
        if (IsCluster)
        {
            await hosted!.Archive(before);
            return;
        }
        var refused = await Assert.ThrowsAsync<DataRefusedException>(() => hosted!.Archive(before));
        Assert.Equal($"The data in {data} is in use by another process.", refused.Message);
        await Stop();
        await hosted!.Archive(before);
        await Restart(options);
    }

    /// <summary>Starts its process where it cannot start, and answers its exit code and what it printed.</summary>
    public Task<(int ExitCode, string Output)> Fail(EditionOptions options) => Process.Fail(Of(options));

    public async ValueTask DisposeAsync()
    {
        // First what the client still reads, or a stopping host would wait for its readers of the feed.
        Api.Dispose();
        if (process is not null) await process.DisposeAsync();
        if (hosted is not null) await hosted.Stop();
        if (data is not null) Directory.Delete(data, recursive: true);
    }

    private static SiloOptions Of(EditionOptions options) => new(options.TestClock, options.ApiKeys, DrainSeconds: 0, MaxFileBytes: options.MaxFileBytes);

    private static string NewDirectory() => Directory.CreateTempSubdirectory("creditgrains-").FullName;
}
