using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>An answer: its status and its body.</summary>
internal sealed record Answer(HttpStatusCode Status, JsonNode? Body, TimeSpan? RetryAfter);

/// <summary>A client that knows all silos and asks another one where one does not answer.</summary>
internal sealed class Client(IReadOnlyList<SiloProcess> silos) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2), PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { Timeout = TimeSpan.FromSeconds(40) };
    private int next;

    /// <summary>How often each status was answered.</summary>
    public ConcurrentDictionary<HttpStatusCode, int> Statuses { get; } = new();

    /// <summary>One try at one silo; throws where it does not answer.</summary>
    public async Task<Answer> Once(SiloProcess silo, HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, $"{silo.Url}{path}");
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Statuses.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
        return new(response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), response.Headers.RetryAfter?.Delta);
    }

    /// <summary>Asks one silo after another until one answers with less than 500; the same request is safe to repeat.</summary>
    public async Task<Answer> Ask(HttpMethod method, string path, JsonNode? body = null)
    {
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var tries = 0; ; tries++)
        {
            try
            {
                var answer = await Once(silos[(int)((uint)Interlocked.Increment(ref next) % silos.Count)], method, path, body);
                if ((int)answer.Status < 500) return answer;
                if (tries > 600) throw new InvalidOperationException($"{method} {path} is answered {answer.Status} for a minute: {answer.Body}");
            }
            catch (Exception e) when (tries <= 600 && e is HttpRequestException or SocketException or TaskCanceledException or IOException)
            {
                // That silo is gone for now; one that goes while it is connected to is a bare SocketException.
            }
            await pause.WaitForNextTickAsync();
        }
    }

    public async Task<JsonNode> Get(string path) => (await Ask(HttpMethod.Get, path)) is { Status: HttpStatusCode.OK, Body: { } body } ? body : throw new InvalidOperationException($"GET {path} failed");

    /// <summary>A contract of a client with one lot that never expires and one user.</summary>
    public async Task Contract(string contractId, string clientId, string userId, long credits, string startsOn = "2026-01-01", JsonNode? more = null)
    {
        var terms = new JsonObject { ["clientId"] = clientId, ["name"] = contractId, ["type"] = "metered", ["startsOn"] = startsOn, ["unallocatedLifetimeDays"] = null };
        foreach (var (name, value) in more as JsonObject ?? []) terms[name] = value?.DeepClone();
        Expect(await Ask(HttpMethod.Put, $"/v1/contracts/{contractId}", terms));
        Expect(await Ask(HttpMethod.Put, $"/v1/contracts/{contractId}/users/{userId}", new JsonObject { ["name"] = userId }));
        if (credits > 0) Expect(await Ask(HttpMethod.Post, $"/v1/contracts/{contractId}/lots", new JsonObject { ["lotId"] = "lot", ["paymentId"] = "paid", ["quantity"] = credits }));
    }

    public static JsonObject Report(string reportId, string contractId, string userId, params IEnumerable<string> players) => new()
    {
        ["reportId"] = reportId,
        ["contractId"] = contractId,
        ["userId"] = userId,
        ["players"] = new JsonArray([.. players.Select(player => new JsonObject { ["playerId"] = player })]),
    };

    public void Dispose() => http.Dispose();

    private static void Expect(Answer answer)
    {
        if ((int)answer.Status >= 300) throw new InvalidOperationException($"{answer.Status}: {answer.Body}");
    }
}
