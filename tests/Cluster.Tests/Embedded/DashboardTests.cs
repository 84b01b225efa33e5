using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Editions;
using CreditGrains.Silo;

namespace CreditGrains.Cluster.Tests;

/// <summary>The Orleans Dashboard, where it is asked for, is the operators' alone.</summary>
public sealed class DashboardTests
{
    [Fact]
    public async Task The_dashboard_is_shown_to_operators_only_and_knows_the_grains()
    {
        using var data = new TempDirectory();
        var keys = Path.Combine(data.Path, "keys.json");
        await File.WriteAllTextAsync(keys, JsonSerializer.Serialize(new { keys = new[] { Line("operator", null), Line("auditor", "acme") } }), TestContext.Current.CancellationToken);
        await using var silo = await SiloHost.Build(new() { Data = Path.Combine(data.Path, "data"), ApiKeys = keys, Dashboard = true, Urls = $"http://127.0.0.1:{Child.FreePort()}" });
        await silo.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = new(silo.Urls.First()) };

        Assert.Equal(HttpStatusCode.Unauthorized, (await Get("/dashboard/", null)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Get("/dashboard/DashboardCounters", null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Get("/dashboard/", "auditor")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await Get("/dashboard/DashboardCounters", "auditor")).Status);
        Assert.Contains("<html", (await Get("/dashboard/", "operator")).Text, StringComparison.OrdinalIgnoreCase);
        var counters = await Get("/dashboard/DashboardCounters", "operator");
        Assert.Equal(HttpStatusCode.OK, counters.Status);
        Assert.Contains("\"hosts\"", counters.Text);
        await silo.StopAsync(TestContext.Current.CancellationToken);

        async Task<(HttpStatusCode Status, string Text)> Get(string path, string? key)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        static object Line(string role, string? client) =>
            new { name = role, role, clientId = client, sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(role))) };
    }
}
