using System.Net;
using CreditGrains.Editions;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>A backup that is restored while silos run (G4): what they have in memory is of a history that is gone.</summary>
public sealed class RestoreTests
{
    [Fact]
    public async Task A_silo_whose_database_is_restored_under_it_ends_and_what_was_answered_since_the_backup_is_made_again()
    {
        var postgres = await SharedPostgres.NewDatabase();
        await using var silo = SiloProcess.Cluster(postgres);
        await silo.Start(new());
        using var client = new Client([silo]);
        await client.Contract("c", "acme", "u", 10);
        Assert.Equal(HttpStatusCode.Created, (await Post("before")).Status);

        using var backup = new TempDirectory();
        var at = new NpgsqlConnectionStringBuilder(postgres);
        string[] server = [$"--host={at.Host}", $"--port={at.Port}", $"--username={at.Username}", $"--dbname={at.Database}"];
        var file = Path.Combine(backup.Path, "backup");
        await Child.Run("pg_dump", [.. server, "--format=custom", $"--file={file}"]);
        Assert.Equal(HttpStatusCode.Created, (await Post("after")).Status);
        var cursor = await LastOfFeed(silo.Url);
        await Child.Run("pg_restore", [.. server, "--single-transaction", "--clean", "--if-exists", file]);

        Assert.Equal(70, await silo.Ended());
        Assert.Contains("CreditGrains ended, to be started again: the database was restored", silo.Output);
        await silo.Start();
        Assert.Equal(HttpStatusCode.OK, (await Post("before")).Status);
        Assert.Equal(HttpStatusCode.Created, (await Post("after")).Status);
        Assert.True((bool)(await client.Get("/v1/contracts/c/audit"))["balanced"]!);
        Assert.Equal(HttpStatusCode.Gone, (await client.Once(silo, HttpMethod.Get, $"/v1/ledger/feed?cursor={cursor}")).Status);

        Task<Answer> Post(string report) => client.Ask(HttpMethod.Post, "/v1/reports", Client.Report(report, "c", "u", $"player-{report}"));
    }

    // Where the feed has come to the report that was answered last.
    private static async Task<string> LastOfFeed(string url)
    {
        using var http = new HttpClient();
        using var feed = new StreamReader(await http.GetStreamAsync(new Uri($"{url}/v1/ledger/feed"), TestContext.Current.CancellationToken));
        for (var id = ""; ;)
        {
            var line = await feed.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("the feed has ended");
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line["id: ".Length..];
            if (line.Contains("\"reportId\":\"after\"", StringComparison.Ordinal)) return id;
        }
    }
}
