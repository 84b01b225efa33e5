using System.Diagnostics;
using System.Text;
using CreditGrains.Editions;

namespace CreditGrains.Bench;

/// <summary>A system under test: where it listens, and how its contracts are made.</summary>
internal sealed record RunningSystem(string Name, IReadOnlyList<string> Urls, IReadOnlyList<IAsyncDisposable> Parts) : IAsyncDisposable
{
    public static async Task<RunningSystem> Embedded(int contracts)
    {
        var folder = Directory.CreateTempSubdirectory("creditgrains-bench-");
        var silo = SiloProcess.Embedded(folder.FullName);
        await silo.Start();
        var system = new RunningSystem("embedded", [silo.Url], [silo, new Folder(folder)]);
        await system.Prepare(contracts);
        return system;
    }

    public static async Task<RunningSystem> Cluster(int silos, int contracts)
    {
        var postgres = await ScratchPostgres.New();
        var processes = Enumerable.Range(0, silos).Select(_ => SiloProcess.Cluster(postgres.ConnectionString)).ToList();
        await Task.WhenAll(processes.Select(silo => silo.Start()));
        var system = new RunningSystem(silos == 1 ? "cluster, 1 silo" : $"cluster, {silos} silos", [.. processes.Select(silo => silo.Url)], [.. processes, postgres]);
        await system.Prepare(contracts);
        return system;
    }

    public static async Task<RunningSystem> Function(int contracts)
    {
        var postgres = await ScratchPostgres.New();
        await FunctionFront.Prepare(postgres.ConnectionString, contracts, Load.UserId);
        var url = $"http://127.0.0.1:{Child.FreePort()}";
        var child = Child.Start(Quiet(new("dotnet", [Environment.GetCommandLineArgs()[0], "function", url, postgres.ConnectionString])));
        await child.Ready(() => IsReady(url));
        return new("function", [url], [child, postgres]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Parts) await part.DisposeAsync();
    }

    private async Task Prepare(int contracts)
    {
        using var http = new HttpClient();
        await Parallel.ForEachAsync(Enumerable.Range(0, contracts), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (contract, _) =>
        {
            var url = $"{Urls[contract % Urls.Count]}/v1/contracts/c{contract}";
            await Say(HttpMethod.Put, url, $$"""{"clientId":"client{{contract}}","name":"c{{contract}}","type":"metered","startsOn":"2020-01-01","unallocatedLifetimeDays":null}""");
            await Say(HttpMethod.Put, $"{url}/users/{Load.UserId}", """{"name":"u"}""");
            await Say(HttpMethod.Post, $"{url}/lots", """{"lotId":"lot","paymentId":"paid","quantity":900000000}""");
        });

        async Task Say(HttpMethod method, string url, string body)
        {
            using var request = new HttpRequestMessage(method, url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            using var answer = await http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
        }
    }

    private static ProcessStartInfo Quiet(ProcessStartInfo command)
    {
        command.Environment["Logging__LogLevel__Default"] = "Warning";
        return command;
    }

    private static async Task<bool> IsReady(string url)
    {
        using var http = new HttpClient();
        try
        {
            return (await http.GetAsync(new Uri($"{url}/health/ready"))).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private sealed class Folder(DirectoryInfo folder) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
