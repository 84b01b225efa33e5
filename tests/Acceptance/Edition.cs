using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>How an edition is started; each null: not at all.</summary>
/// <param name="TestClock">Where the test clock stands at first.</param>
/// <param name="ApiKeys">A file of keys.</param>
/// <param name="MaxFileBytes">The most that any of its files may hold: its disk is full then.</param>
internal sealed record EditionOptions(string? TestClock = null, string? ApiKeys = null, long? MaxFileBytes = null);

/// <summary>
/// One silo as a child process, with data of its own: an embedded store or a database, as <c>CREDITGRAINS_EDITION</c> says, <c>embedded</c> (the default)
/// or <c>cluster</c>. What is asked of it goes over HTTP only, so that each edition passes the very same stories.
/// </summary>
internal sealed class Edition : IAsyncDisposable
{
    private static readonly bool IsCluster = Environment.GetEnvironmentVariable("CREDITGRAINS_EDITION") == "cluster";

    // All stories share one PostgreSQL.
    private static readonly Lazy<Task<ScratchPostgres>> Postgres = new(async () =>
    {
        var postgres = await ScratchPostgres.New();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => postgres.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return postgres;
    });

    private readonly SiloProcess silo;
    private readonly string? data;

    private Edition(SiloProcess silo, string? data)
    {
        (this.silo, this.data) = (silo, data);
        Api = new(silo.Url);
    }

    /// <summary>Says it by HTTP.</summary>
    public Api Api { get; }

    /// <summary>What it has printed since it was started last.</summary>
    public string Output => silo.Output;

    /// <summary>An edition that is ready to serve.</summary>
    public static async Task<Edition> Start(EditionOptions? options = null)
    {
        var edition = await New();
        try
        {
            await edition.Restart(options ?? new());
            return edition;
        }
        catch
        {
            await edition.DisposeAsync();
            throw;
        }
    }

    /// <summary>An edition that is not started yet; at that address, or null: at one of its own.</summary>
    public static async Task<Edition> New(string? url = null)
    {
        if (IsCluster) return new(SiloProcess.Cluster(await (await Postgres.Value).NewDatabase(), url), null);
        var data = Directory.CreateTempSubdirectory("creditgrains-").FullName;
        return new(SiloProcess.Embedded(data, url), data);
    }

    /// <summary>Ends it as an operator does, and waits for its end.</summary>
    public Task Stop() => silo.Stop();

    /// <summary>Ends it at once, as a power cut does.</summary>
    public Task Kill() => silo.Kill();

    /// <summary>Starts it again on the same data and address, and returns when it is ready.</summary>
    public async Task Restart(EditionOptions options)
    {
        Assert.SkipWhen(IsCluster && options.MaxFileBytes is not null, "a silo of a cluster has no disk of its own; its store's is PostgreSQL's");
        await silo.Start(Of(options));
    }

    /// <summary>Starts it where it cannot start, and answers its exit code and what it printed.</summary>
    public Task<(int ExitCode, string Output)> Fail(EditionOptions options) => silo.Fail(Of(options));

    public async ValueTask DisposeAsync()
    {
        await silo.DisposeAsync();
        Api.Dispose();
        if (data is not null) Directory.Delete(data, recursive: true);
    }

    private static SiloOptions Of(EditionOptions options) => new(options.TestClock, options.ApiKeys, DrainSeconds: 0, MaxFileBytes: options.MaxFileBytes);
}
