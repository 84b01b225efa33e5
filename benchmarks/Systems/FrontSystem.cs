using System.Diagnostics;
using System.Net.Sockets;
using CreditGrains.Editions;
using CreditGrains.Stores.Postgres;
using Npgsql;

namespace CreditGrains.Bench;

/// <summary>What CreditGrains is compared with: this program's own servers, each on a PostgreSQL of its own.</summary>
internal static class FrontSystem
{
    /// <summary>The function, or the usual way, on the tables of function.sql.</summary>
    public static async Task<RunningSystem> OnTables(string name, Contracts contracts)
    {
        var postgres = await ScratchPostgres.New();
        await using (var source = NpgsqlDataSource.Create(postgres.ConnectionString)) await Fill(source, contracts);
        return await Start(name, postgres);
    }

    /// <summary>Orleans' own transactions, their states in the tables that the product uses for grain storage.</summary>
    public static async Task<RunningSystem> Transactions(Contracts contracts)
    {
        var postgres = await ScratchPostgres.New();
        await Migrator.Migrate(postgres.ConnectionString);
        var system = await Start("transactions", postgres);
        await Client.ForEach(
            contracts.RealIds.Concat(contracts.BareIds),
            contract => system.Client.Post($"/v1/contracts/{contract}/lots", $$"""{"quantity":{{Contracts.Credits}}}"""));
        return system;
    }

    private static async Task<RunningSystem> Start(string name, ScratchPostgres postgres)
    {
        var url = $"http://127.0.0.1:{Child.FreePort()}";
        var command = new ProcessStartInfo("dotnet", [Environment.GetCommandLineArgs()[0], "serve", name, url, postgres.ConnectionString]);
        command.Environment["Logging__LogLevel__Default"] = "Warning";
        var child = Child.Start(command);
        await child.Ready(() => IsReady(url));
        return new(name, [new(url, child.ProcessId)], postgres, [child, postgres]);
    }

    private static async Task<bool> IsReady(string url)
    {
        using var http = new HttpClient();
        try
        {
            return (await http.GetAsync(new Uri($"{url}/health/ready"))).IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return false;
        }
    }

    private static async Task Fill(NpgsqlDataSource source, Contracts contracts)
    {
        using var script = new StreamReader(typeof(FrontSystem).Assembly.GetManifestResourceStream("function.sql")!);
        await using (var make = source.CreateCommand(await script.ReadToEndAsync())) await make.ExecuteNonQueryAsync();

        var ids = contracts.ReportedIds.ToArray();
        await using var fill = source.CreateBatch();
        fill.BatchCommands.Add(new("insert into limit_contract select contract, client, credits from unnest($1, $2, $3) c(contract, client, credits)")
        {
            Parameters =
            {
                new() { Value = ids },
                new() { Value = ids.Select(Contracts.ClientOf).ToArray() },
                new() { Value = ids.Select(id => id == Contracts.PoorId ? 0 : Contracts.Credits).ToArray() },
            },
        });
        fill.BatchCommands.Add(new("insert into limit_member select contract, consumer from unnest($1) contract, unnest($2) consumer")
        {
            Parameters = { new() { Value = ids }, new() { Value = Enumerable.Range(0, Contracts.Users).Select(Contracts.UserId).ToArray() } },
        });
        await fill.ExecuteNonQueryAsync();
    }
}
