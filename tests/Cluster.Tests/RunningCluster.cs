using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Silos as child processes on a PostgreSQL of their own.</summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private RunningCluster(ScratchPostgres postgres, IReadOnlyList<SiloProcess> silos) => (Postgres, Silos) = (postgres, silos);

    public ScratchPostgres Postgres { get; }

    public IReadOnlyList<SiloProcess> Silos { get; }

    public static async Task<RunningCluster> Start(int silos, string? testClock = null, int drainSeconds = 1)
    {
        var postgres = await ScratchPostgres.New();
        var cluster = new RunningCluster(postgres, [.. Enumerable.Range(0, silos).Select(_ => SiloProcess.Cluster(postgres.ConnectionString))]);
        try
        {
            await Task.WhenAll(cluster.Silos.Select(silo => silo.Start(new(testClock, DrainSeconds: drainSeconds))));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public Task StartAll() => Task.WhenAll(Silos.Select(silo => silo.Start()));

    public Task KillAll() => Task.WhenAll(Silos.Select(silo => silo.Kill()));

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Silos) await silo.DisposeAsync();
        await Postgres.DisposeAsync();
    }
}
