using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Silos as child processes on a database of their own.</summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private RunningCluster(string postgres, int silos) => (Postgres, Silos) = (postgres, [.. Enumerable.Range(0, silos).Select(_ => SiloProcess.Cluster(postgres))]);

    /// <summary>The connection string of their database.</summary>
    public string Postgres { get; }

    public IReadOnlyList<SiloProcess> Silos { get; }

    public static async Task<RunningCluster> Start(int silos, string? testClock = null, int drainSeconds = 1, string? postgres = null)
    {
        var cluster = new RunningCluster(postgres ?? await SharedPostgres.NewDatabase(), silos);
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
    }
}
