using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using CreditGrains.Editions;
using Npgsql;

namespace CreditGrains.Cluster.Tests;

/// <summary>A silo on a PostgreSQL of its own, which tests stop and start, and whose clock they set.</summary>
public sealed class DisturbedSilo : IAsyncLifetime
{
    // Time goes its own way in this database: by that table its clock is ahead of the machine's.
    internal const string Clock = """
        create schema own;
        create table own.ahead (by interval not null);
        insert into own.ahead values ('0');
        create function own.clock_timestamp() returns timestamptz language sql volatile as 'select pg_catalog.clock_timestamp() + (select by from own.ahead)';
        alter database postgres set search_path = own, pg_catalog;
        """;

    internal ScratchPostgres Postgres { get; private set; } = null!;

    internal SiloProcess Silo { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Postgres = await ScratchPostgres.New();
        await Sql(Clock);
        Silo = NewSilo();
        await Silo.Start(new());
    }

    public async ValueTask DisposeAsync()
    {
        await Silo.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    /// <summary>Another silo on that PostgreSQL.</summary>
    internal SiloProcess NewSilo() => SiloProcess.Cluster(Postgres.ConnectionString);

    internal async Task Sql(string sql)
    {
        await using var source = NpgsqlDataSource.Create($"{Postgres.ConnectionString};Pooling=false;Options=-c default_transaction_read_only=off");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}

/// <summary>What a silo says of itself while its store or its clock is not as it must be.</summary>
public sealed class ReadinessTests(DisturbedSilo disturbed) : IClassFixture<DisturbedSilo>, IDisposable
{
    private readonly SiloProcess silo = disturbed.Silo;
    private readonly ScratchPostgres postgres = disturbed.Postgres;
    private readonly Client client = new([disturbed.Silo]);

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task A_silo_whose_clock_differs_from_the_databases_does_not_start_or_is_not_ready_and_decides_nothing()
    {
        await using var other = disturbed.NewSilo();
        await Sql("update own.ahead set by = '-10 minutes'");
        var (exitCode, output) = await other.Fail(new(ClusterId: "other"));
        Assert.Equal(2, exitCode);
        Assert.Contains("s ahead of the database's", output);

        await Sql("update own.ahead set by = '0'");
        var checks = await Until(HttpStatusCode.OK);
        await client.Contract("clock", "clock", "u", 10);
        Assert.All(new[] { "storeReadable", "storeWritable", "inCluster", "staying", "clocksAgree" }, check => Assert.True((bool)checks[check]!));

        await Sql("update own.ahead set by = '1 minute'");
        checks = await Until(HttpStatusCode.ServiceUnavailable);
        Assert.False((bool)checks["clocksAgree"]!);
        Assert.InRange((double)checks["clockSkewSeconds"]!, -60.1, -50);
        var refused = await client.Once(silo, HttpMethod.Post, "/v1/reports", Client.Report("r", "clock", "u", "p"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);

        await Sql("update own.ahead set by = '0'");
        await Until(HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r", "clock", "u", "p"))).Status);
    }

    [Fact]
    public async Task A_read_only_database_answers_503_at_once_what_writes_and_still_what_reads()
    {
        await client.Contract("reads", "reads", "u", 10);
        await Sql("alter system set default_transaction_read_only = on");
        await Sql("select pg_reload_conf()");
        Assert.False((bool)(await Until(HttpStatusCode.ServiceUnavailable))["storeWritable"]!);

        var began = Stopwatch.GetTimestamp();
        var refused = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => client.Once(silo, HttpMethod.Post, "/v1/reports", Client.Report($"r{i}", "reads", "u", $"p{i}"))));
        Assert.All(refused, answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status));
        Assert.Equal(HttpStatusCode.OK, (await client.Once(silo, HttpMethod.Get, "/v1/contracts/reads")).Status);
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(15));

        await Sql("alter system reset default_transaction_read_only");
        await Sql("select pg_reload_conf()");
        await Until(HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r", "reads", "u", "p"))).Status);
    }

    [Fact]
    public async Task A_database_that_is_away_is_told_at_once_and_a_feed_that_waits_for_another_databases_transaction_is_told()
    {
        await client.Contract("away", "away", "u", 10);
        var other = await postgres.NewDatabase();
        await using (var source = NpgsqlDataSource.Create(other))
        await using (var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var open = new NpgsqlCommand("begin; create table t ()", connection);
            await open.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r", "away", "u", "p"));
            await Until(HttpStatusCode.OK, checks => (double)checks["feedLagSeconds"]! > 1);
        }
        await Until(HttpStatusCode.OK, checks => (double)checks["feedLagSeconds"]! == 0);

        await postgres.Stop();
        Assert.False((bool)(await Until(HttpStatusCode.ServiceUnavailable))["storeReadable"]!);
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await client.Once(silo, HttpMethod.Get, "/health/ready");
            fastest = Stopwatch.GetElapsedTime(began) is var took && took < fastest ? took : fastest;
        }
        Assert.InRange(fastest, TimeSpan.Zero, TimeSpan.FromMilliseconds(200));
        await postgres.Start();
        await Until(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_silo_that_is_told_to_stop_says_so_serves_on_and_closes_connections_that_are_kept_alive()
    {
        await client.Contract("stays", "stays", "u", 10);
        await using var leaving = disturbed.NewSilo();
        await leaving.Start(new(DrainSeconds: 10, ClusterId: "other"));
        var stopped = leaving.Stop();
        Assert.False((bool)(await Until(HttpStatusCode.ServiceUnavailable, of: leaving))["staying"]!);
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{leaving.Url}/v1/contracts/stays"), TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, true), (answer.StatusCode, answer.Headers.ConnectionClose));
        await stopped;
    }

    // The checks, once readiness answers so.
    private async Task<JsonNode> Until(HttpStatusCode status, Func<JsonNode, bool>? also = null, SiloProcess? of = null)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tries = 0; ; tries++)
        {
            var answer = await client.Once(of ?? silo, HttpMethod.Get, "/health/ready");
            var checks = answer.Body!["checks"]!;
            if (answer.Status == status && (also is null || also(checks))) return checks;
            Assert.True(tries < 600, $"still {answer.Status}: {answer.Body}");
            await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    private Task Sql(string sql) => disturbed.Sql(sql);
}
