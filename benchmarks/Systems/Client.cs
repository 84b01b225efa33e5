using System.Net;
using System.Text;
using System.Text.Json;

namespace CreditGrains.Bench;

/// <summary>What was answered.</summary>
internal sealed record Reply(HttpStatusCode Status, JsonElement Body, bool IsReplayed)
{
    public int Charged => Body.GetProperty("charged").GetInt32();

    public int Covered => Body.GetProperty("covered").GetInt32();

    public string? Code => Body.TryGetProperty("code", out var code) ? code.GetString() : null;
}

/// <summary>Calls a system as its operator.</summary>
internal sealed class Client(string url) : IDisposable
{
    private const int Concurrency = 48;

    private readonly HttpClient http = new() { DefaultRequestHeaders = { Authorization = new("Bearer", Contracts.OperatorKey) } };

    /// <summary>Prepares many contracts at the same time.</summary>
    public static Task ForEach(IEnumerable<string> contracts, Func<string, Task> prepare) =>
        Parallel.ForEachAsync(contracts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (contract, _) => await prepare(contract));

    public Task<Reply> Put(string path, string body) => Send(HttpMethod.Put, path, body, mustSucceed: true);

    public Task<Reply> Post(string path, string body) => Send(HttpMethod.Post, path, body, mustSucceed: true);

    public Task<Reply> Patch(string path, string body) => Send(HttpMethod.Patch, path, body, mustSucceed: true);

    public Task<Reply> Get(string path) => Send(HttpMethod.Get, path, null, mustSucceed: true);

    public Task Report(string reportId, string contractId, IEnumerable<string> players) => Post("/v1/reports", ReportBody(reportId, contractId, players));

    /// <summary>A report that may be refused.</summary>
    public Task<Reply> TryReport(string reportId, string contractId, IEnumerable<string> players, bool dryRun = false) =>
        Send(HttpMethod.Post, "/v1/reports", ReportBody(reportId, contractId, players, dryRun), mustSucceed: false);

    public Uri Address(string path) => new($"{url}{path}");

    public void Dispose() => http.Dispose();

    private static string ReportBody(string reportId, string contractId, IEnumerable<string> players, bool dryRun = false)
    {
        var named = string.Join(',', players.Select(player => $$"""{"playerId":"{{player}}"}"""));
        var more = dryRun ? ",\"dryRun\":true" : "";
        return $$"""{"reportId":"{{reportId}}","contractId":"{{contractId}}","userId":"{{Contracts.UserId(0)}}","players":[{{named}}]{{more}}}""";
    }

    private async Task<Reply> Send(HttpMethod method, string path, string? body, bool mustSucceed)
    {
        using var request = new HttpRequestMessage(method, $"{url}{path}");
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (mustSucceed && !response.IsSuccessStatusCode) throw new WrongAnswerException($"{method} {path}: {(int)response.StatusCode} {text}");
        return new(response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement, response.Headers.Contains("Idempotency-Replayed"));
    }
}
