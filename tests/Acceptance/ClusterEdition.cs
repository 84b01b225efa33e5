using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>The cluster edition: a silo as a child process, on a database of its own in a PostgreSQL that all stories share.</summary>
internal sealed class ClusterEdition : Edition
{
    private static readonly Lazy<Task<ScratchPostgres>> Shared = new(async () =>
    {
        var postgres = await ScratchPostgres.New();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => postgres.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return postgres;
    });

    private readonly SiloProcess silo;

    private ClusterEdition(string database) => Api = new((silo = new(database)).Url);

    public override Api Api { get; }

    public static async Task<Edition> New() => new ClusterEdition(await (await Shared.Value).NewDatabase());

    public override Task Stop() => silo.Stop();

    public override Task Kill() => silo.Kill();

    public override async Task Restart(EditionOptions options)
    {
        Assert.SkipWhen(options.MaxFileBytes is not null, "a silo has no disk of its own; its store's is PostgreSQL's");
        await silo.Start(new(options.TestClock, options.ApiKeys));
    }

    public override async ValueTask DisposeAsync()
    {
        await silo.DisposeAsync();
        Api.Dispose();
    }
}
