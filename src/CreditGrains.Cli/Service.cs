using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CreditGrains.Cli;

/// <summary>The service cannot be reached, or does not do what a command cannot go on without.</summary>
internal sealed class ServiceException(string message) : Exception(message);

/// <summary>What the service answered: the body as JSON, null where it is none.</summary>
internal sealed record Answer(HttpStatusCode Status, JsonNode? Body)
{
    public bool IsRefusal => (int)Status >= 400;

    /// <summary>The problem's stable code.</summary>
    public string Code => Text("code") ?? $"http-{(int)Status}";

    public string Detail => Text("detail") ?? $"the service answered {(int)Status}";

    public string? Text(string member) => Member(member) is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    public long Number(string member) => Member(member) is JsonValue value && value.TryGetValue<long>(out var number)
        ? number
        : throw new ServiceException($"The service's answer has no number {member}; is this CreditGrains?");

    /// <summary>A number as it was written.</summary>
    public string Digits(string member) => Member(member) is JsonValue value && value.GetValueKind() == JsonValueKind.Number
        ? value.ToJsonString()
        : throw new ServiceException($"The service's answer has no number {member}; is this CreditGrains?");

    public IEnumerable<JsonNode?> Items(string member) => Member(member) as JsonArray ?? throw new ServiceException($"The service's answer has no list {member}; is this CreditGrains?");

    private JsonNode? Member(string member) => Body is JsonObject document ? document[member] : null;
}

/// <summary>
/// CreditGrains by HTTP. What can be asked again safely is asked again, a bounded number of times: after a lost connection, 429 and 503, no sooner than
/// Retry-After says. A service that has never answered is given up within 5 seconds.
/// </summary>
internal sealed class Service : IDisposable
{
    private const int MaxAttempts = 10;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(30);

    // An attempt to connect takes so long at most; with it, all attempts to reach a service that has never answered take no longer than that.
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(1.5), LongestFirstContact = TimeSpan.FromSeconds(5);

    private readonly HttpClient http;
    private readonly Func<TimeSpan, CancellationToken, Task> pause;
    private bool hasAnswered;

    public Service(Uri address, string? key, HttpMessageHandler? handler = null, Func<TimeSpan, CancellationToken, Task>? pause = null)
    {
        http = new(handler ?? new SocketsHttpHandler { ConnectTimeout = LongestConnect }) { BaseAddress = address };
        if (key is not null) http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        this.pause = pause ?? Task.Delay;
    }

    public Task<Answer> Get(string path, CancellationToken stop) => Send(HttpMethod.Get, path, null, stop);

    /// <summary>Sends a request that may be repeated: it names what it makes.</summary>
    public async Task<Answer> Send(HttpMethod method, string path, object? body, CancellationToken stop)
    {
        var (clock, paused) = (new Stopwatch(), TimeSpan.Zero);
        for (var attempt = 1; ; attempt++)
        {
            clock.Start();
            var (answer, retryAfter, failure) = await Attempt(method, path, body, stop);
            clock.Stop();
            hasAnswered |= answer is not null;
            if (answer is not null && answer.Status is not (HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)) return answer;

            var backoff = FirstPause * Math.Pow(2, attempt - 1);
            var wait = retryAfter > backoff ? retryAfter.Value : backoff;
            if (wait > LongestPause) wait = LongestPause;
            var isGivenUp = !hasAnswered && clock.Elapsed + paused + wait + LongestConnect > LongestFirstContact;
            if (attempt == MaxAttempts || isGivenUp)
                throw new ServiceException($"{http.BaseAddress} cannot be reached after {attempt} attempts: {failure ?? answer!.Detail}");
            await pause(wait, stop);
            paused += wait;
        }
    }

    /// <summary>All pages of a list.</summary>
    public async Task<List<JsonNode>> List(string path, CancellationToken stop)
    {
        var items = new List<JsonNode>();
        var joint = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        for (string? cursor = null; ;)
        {
            var page = Expect(await Get($"{path}{joint}limit=1000{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", stop));
            items.AddRange(page.Items("items").OfType<JsonNode>());
            cursor = page.Text("nextCursor");
            if (cursor is null) return items;
        }
    }

    /// <summary>Copies an answer as it comes; what breaks off is told, not begun anew.</summary>
    public async Task Copy(string path, string mediaType, TextWriter to, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new(mediaType) } } };
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (!response.IsSuccessStatusCode) Expect(new(response.StatusCode, Parse(await response.Content.ReadAsStringAsync(stop))));
            if (response.Content.Headers.ContentType?.MediaType != mediaType)
                throw new ServiceException($"The service does not answer {mediaType}; is this CreditGrains?");

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
            var buffer = new char[16 << 10];
            for (int read; (read = await reader.ReadAsync(buffer, stop)) > 0;) await to.WriteAsync(buffer.AsMemory(0, read), stop);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException && e is not DirectoryNotFoundException)
        {
            throw new ServiceException($"{http.BaseAddress} cannot be reached, or broke off: {e.Message}");
        }
    }

    /// <summary>The answer; throws where it is a refusal.</summary>
    public static Answer Expect(Answer answer) => answer.IsRefusal ? throw new ServiceException($"{answer.Detail} ({answer.Code})") : answer;

    public void Dispose() => http.Dispose();

    private async Task<(Answer? Answer, TimeSpan? RetryAfter, string? Failure)> Attempt(HttpMethod method, string path, object? body, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
            using var response = await http.SendAsync(request, stop);
            return (new(response.StatusCode, Parse(await response.Content.ReadAsStringAsync(stop))), After(response.Headers.RetryAfter), null);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException
            || (e is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return (null, null, e.Message);
        }
    }

    private static TimeSpan? After(RetryConditionHeaderValue? header) => header?.Delta ?? header?.Date - DateTimeOffset.UtcNow;

    private static JsonNode? Parse(string body)
    {
        try
        {
            return body.Length == 0 ? null : JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
