using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>What operators see: metrics that are there before anything has happened, and the dashboard and alerts that are made of them.</summary>
public sealed partial class MetricsTests
{
    private static readonly string Deploy = Path.Combine(Child.Root, "deploy");

    [Fact]
    public async Task Dashboard_and_alerts_ask_only_for_metrics_that_are_exported_and_reports_and_refusals_are_counted()
    {
        var postgres = await SharedPostgres.NewDatabase();
        await using var silo = SiloProcess.Cluster(postgres);
        var port = Child.FreePort();
        await silo.Start(new(TestClock: "2026-03-01T12:00:00Z", Arguments: ["--metrics-port", $"{port}"]));
        using var http = new HttpClient();
        var metrics = new Uri($"http://127.0.0.1:{port}/metrics");
        var before = Values(await http.GetStringAsync(metrics, TestContext.Current.CancellationToken));

        using var client = new Client([silo]);
        await client.Contract("c", "acme", "u", 10);
        await client.Ask(HttpMethod.Patch, "/v1/contracts/c/allocations", JsonNode.Parse("""{"enabled":true,"users":[{"userId":"u","amount":5,"renewal":"daily","startDate":"2026-03-01"}]}"""));
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r1", "c", "u", "p1", "p2"))).Status);
        Assert.Equal(HttpStatusCode.Created, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r2", "c", "u", "p2", "p3"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r2", "c", "u", "p2", "p3"))).Status);
        Assert.Equal(HttpStatusCode.PaymentRequired, (await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r3", "c", "u", "p4", "p5", "p6"))).Status);
        await client.Ask(HttpMethod.Post, "/v1/clock", JsonNode.Parse("""{"advanceTo":"2026-03-02T12:00:00Z"}"""));

        var after = Values(await http.GetStringAsync(metrics, TestContext.Current.CancellationToken));
        Assert.Equal(2, Rise("creditgrains_reports_total", "outcome=\"made\""));
        Assert.Equal(1, Rise("creditgrains_reports_total", "outcome=\"replayed\""));
        Assert.Equal(1, Rise("creditgrains_reports_total", "outcome=\"refused\""));
        Assert.Equal(3, Rise("creditgrains_report_players_total", "charge=\"new\""));
        Assert.Equal(1, Rise("creditgrains_report_players_total", "charge=\"covered\""));
        Assert.Equal(1, Rise("creditgrains_refusals_total", "code=\"insufficient-allocation\""));
        Assert.Equal(1, Rise("creditgrains_booking_delay_seconds_count", "kind=\"cycles-begun\""));
        Assert.Equal(1, Sum(after, "creditgrains_silos", ""));

        var exported = after.Keys.SelectMany(series => Label().Matches(series).Select(label => label.Groups[1].Value).Append(series.Split('{')[0])).ToHashSet();
        foreach (var file in new[] { "grafana/creditgrains.json", "prometheus/alerts.yaml" })
        {
            var asked = Metric().Matches(await File.ReadAllTextAsync(Path.Combine(Deploy, file), TestContext.Current.CancellationToken)).Select(match => match.Value).ToHashSet();
            Assert.InRange(asked.Count, 5, 100);
            Assert.Empty(asked.Except(exported));
        }

        // Nothing but the metrics is on their port, and no metrics on that of the calls.
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(metrics, "/v1/clock"), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri($"{silo.Url}/metrics"), TestContext.Current.CancellationToken)).StatusCode);

        double Rise(string name, string label) => Sum(after, name, label) - Sum(before, name, label);
    }

    [Fact]
    public async Task Spans_and_metrics_reach_a_collector_a_report_is_one_trace_from_HTTP_to_the_commit_and_a_level_for_a_library_has_effect()
    {
        var postgres = await SharedPostgres.NewDatabase();
        await using var silo = SiloProcess.Cluster(postgres);
        using var collector = new Collector();
        await silo.Start(new(Environment: new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["Logging__LogLevel__Orleans"] = "Information",
        }));
        Assert.Contains("info: Orleans", silo.Output);
        using var client = new Client([silo]);
        await client.Contract("c", "acme", "u", 10);
        await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report("r1", "c", "u", "p1"));

        var spans = await collector.Trace("POST /v1/reports", "transaction");
        Assert.Contains("decide contract", spans);
        Assert.Contains("commit", spans);
        Assert.Contains(spans, name => name.StartsWith("IContractGrain/", StringComparison.Ordinal));
        Assert.Contains("creditgrains.reports", await collector.Metrics("creditgrains.reports"));
    }

    [Fact]
    public async Task Logs_are_JSON_where_that_is_asked_for_and_tell_who_joins_and_who_is_evicted()
    {
        var logs = new SiloOptions(Arguments: ["--logs", "json"], Environment: new Dictionary<string, string> { ["Logging__LogLevel__Default"] = "Information" });
        var postgres = await SharedPostgres.NewDatabase();
        await using var one = SiloProcess.Cluster(postgres);
        await using var other = SiloProcess.Cluster(postgres);
        await one.Start(logs);
        await other.Start(logs);
        await Told("joined");
        await other.Kill();
        await Told("was evicted");
        var lines = one.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z $", (string?)line["Timestamp"]));
        Assert.DoesNotContain(lines, line => (string)line["LogLevel"]! == "Information" && ((string)line["Category"]!).StartsWith("Orleans", StringComparison.Ordinal));

        async Task Told(string what)
        {
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            for (var tries = 0; !one.Output.Split('\n').Any(line => line.Contains("\"Silo S", StringComparison.Ordinal) && line.Contains(what, StringComparison.Ordinal)); tries++)
            {
                Assert.InRange(tries, 0, 600);
                await tick.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            }
        }
    }

    // Lines such as name{tag="value"} 3; what carries an instant has it behind.
    internal static Dictionary<string, double> Values(string text) => text.Split('\n')
        .Select(line => Sample().Match(line)).Where(match => match.Success)
        .ToDictionary(match => match.Groups[1].Value, match => double.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    private static double Sum(Dictionary<string, double> values, string name, string label) =>
        values.Where(value => value.Key.Split('{')[0] == name && value.Key.Contains(label, StringComparison.Ordinal)).Sum(value => value.Value);

    [GeneratedRegex(@"^([a-z_]\w*(?:\{.*\})?) ([-+.\deE]+|NaN|[-+]Inf)")]
    private static partial Regex Sample();

    [GeneratedRegex(@"(\w+)=""")]
    private static partial Regex Label();

    // By the beginnings of their meters' names.
    [GeneratedRegex(@"\b(creditgrains|orleans|db_client|http_server|dotnet)_\w+")]
    private static partial Regex Metric();
}
