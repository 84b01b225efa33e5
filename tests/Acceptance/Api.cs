using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance;

/// <summary>Calls an edition, as any client would.</summary>
internal sealed class Api(string url) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(1) }) { BaseAddress = new(url), Timeout = TimeSpan.FromSeconds(60) };

    public string Url => url;

    public Task<Answer> Get(string path) => Send("GET", path);

    public Task<Answer> Put(string path, object body) => Send("PUT", path, Text(body));

    public Task<Answer> Post(string path, object body, params (string Name, string Value)[] headers) => Send("POST", path, Text(body), headers);

    public Task<Answer> Delete(string path) => Send("DELETE", path);

    /// <summary>Sends that text as it is.</summary>
    public async Task<Answer> Send(string method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new(method), new Uri(path, UriKind.Relative));
        if (body is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new("application/json") } };
        foreach (var (name, value) in headers)
        {
            if (name == "Content-Type") request.Content!.Headers.ContentType = value == "" ? null : MediaTypeHeaderValue.Parse(value);
            else if (name == "Content-Encoding") request.Content!.Headers.ContentEncoding.Add(value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        // On PostgreSQL the front is the same.
        if (!Edition.IsCluster) await Described.Check(method, path, response, text);
        return new((int)response.StatusCode, text, response.Headers, response.Content.Headers.ContentType) { Allow = [.. response.Content.Headers.Allow] };
    }

    /// <summary>Whether it answers that it is ready.</summary>
    public async Task<bool> IsReady()
    {
        try
        {
            return (await Get("/health/ready")).Status == 200;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return false;
        }
    }

    public void Dispose() => http.Dispose();

    private static string Text(object body) => body as string ?? (body as JsonNode ?? JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(body)))!.ToJsonString();
}

/// <summary>What was answered.</summary>
internal sealed record Answer(int Status, string Text, HttpResponseHeaders Headers, MediaTypeHeaderValue? ContentType)
{
    private JsonNode? json;

    public JsonNode Json => json ??= JsonNode.Parse(Text)!;

    /// <summary>The methods of the header Allow.</summary>
    public HashSet<string> Allow { get; init; } = [];

    /// <summary>A field of the body; null where it is null or missing.</summary>
    public JsonNode? this[string field] => Json[field];

    public string? Code => Status >= 400 ? (string?)this["code"] : null;

    public bool IsReplay => Headers.TryGetValues("Idempotency-Replayed", out var values) && values.Single() == "true";

    public JsonArray Items => Json["items"]!.AsArray();

    /// <summary>Fails unless it is that status, and that problem.</summary>
    public Answer Is(int status, string? code = null, string? field = null)
    {
        Assert.True(Status == status && Code == code && (field is null || (string?)this["field"] == field), $"expected {status} {code} {field}, got {Status}: {Text}");
        if (status < 400) return this;

        // Each is a problem with all that RFC 9457 and §3 demand, and tells nothing of the inside.
        Assert.Equal("application/problem+json", ContentType?.MediaType);
        Assert.Equal(status, (int)this["status"]!);
        Assert.All(["title", "detail"], name => Assert.NotEmpty((string)this[name]!));
        Assert.Equal($"/problems/{code}", (string?)this["type"]);
        Assert.Equal(Headers.GetValues("Request-Id").Single(), (string?)this["requestId"]);
        if (this["field"] is { } wrong) Assert.Contains(this["errors"]!.AsArray(), error => (string?)error!["field"] == (string?)wrong);
        Assert.DoesNotContain("   at ", Text);
        Assert.DoesNotContain("System.", Text);
        return this;
    }
}
