using CreditGrains.Editions;

namespace CreditGrains.Bench;

/// <summary>A server process: where it listens, and its id.</summary>
internal sealed record Server(string Url, int ProcessId);

/// <summary>A system that serves: its servers, its database, and what its callers ask for.</summary>
/// <param name="Postgres">Its own database server; null: the embedded store.</param>
/// <param name="Parts">What ends with it, in this order.</param>
internal sealed record RunningSystem(string Name, IReadOnlyList<Server> Servers, ScratchPostgres? Postgres, IReadOnlyList<IAsyncDisposable> Parts)
    : IAsyncDisposable
{
    private readonly HashSet<string> primed = [];

    /// <summary>All callers' connections. They are given up sooner than a server ends them.</summary>
    public HttpMessageInvoker Http { get; } = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    });

    public IReadOnlyList<Uri> Reports { get; } = [.. Servers.Select(server => new Uri($"{server.Url}/v1/reports"))];

    public IReadOnlyList<Uri> Windows { get; } = [.. Servers.Select(server => new Uri($"{server.Url}/v1/contracts/{Contracts.CrowdId}/allocations"))];

    /// <summary>The first page of the million credits and others behind it.</summary>
    public IReadOnlyList<Uri> Pages { get; set; } = [];

    /// <summary>Whether it has once been loaded until its rate stood still.</summary>
    public bool IsWarm { get; set; }

    /// <summary>The API as it is used before and beside the loads: by the operator, on the first server.</summary>
    public Client Client { get; } = new(Servers[0].Url);

    /// <summary>Gives credits to the players whom the load expects to be covered.</summary>
    public async Task Prime(Load load)
    {
        if (load.CoveredPlayers == 0) return;
        var contracts = Enumerable.Range(0, load.Contracts).Select(load.ContractId).Where(primed.Add).ToList();
        var players = Enumerable.Range(0, Contracts.KnownPlayers).Select(Contracts.KnownPlayer).ToList();
        await Client.ForEach(contracts, contract => Client.Report($"prime-{contract}", contract, players));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Client.Dispose();
        foreach (var part in Parts) await part.DisposeAsync();
    }
}
