using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using CreditGrains.Grains;
using Json.Schema;

namespace CreditGrains.Acceptance;

/// <summary>What the document says of each call: every answer that a story gets must be as it says.</summary>
internal sealed class Described
{
    private const string Id = "https://creditgrains.test/document", Components = "#/components/";

    // Headers that HTTP itself, a proxy or every answer has; all others must be named by the answer.
    private static readonly HashSet<string> Everywhere = new(StringComparer.OrdinalIgnoreCase)
    {
        "Allow", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Transfer-Encoding", "Vary", "X-Accel-Buffering",
        "X-Content-Type-Options",
    };

    private static readonly string[] Undescribed = ["/openapi/", "/problems", "/docs"];

    private static readonly EvaluationOptions Strict = new() { OutputFormat = OutputFormat.Flag, RequireFormatValidation = true };
    private static readonly EvaluationOptions Telling = new() { OutputFormat = OutputFormat.List, RequireFormatValidation = true };

    private static readonly Lazy<Task<Described>> Whole = new(Read);

    private readonly JsonNode document;
    private readonly List<(string[] Segments, JsonObject Calls)> paths;
    private readonly ConcurrentDictionary<(JsonObject Call, int Status), Reply?> replies = new();
    private readonly Dictionary<string, JsonSchema> schemas = [];
    private readonly BuildOptions build = new() { SchemaRegistry = new() };

    private Described(JsonNode document)
    {
        this.document = document;
        paths = [.. document["paths"]!.AsObject()
            .Select(path => (path.Key.Split('/'), path.Value!.AsObject()))
            .OrderBy(path => path.Item1.Count(segment => segment.StartsWith('{')))];
        var definitions = new JsonObject { ["$id"] = Id, ["$defs"] = JsonNode.Parse(Defs(document["components"]!["schemas"]!)) };
        JsonSchema.FromText(definitions.ToJsonString(), build);
    }

    /// <summary>Fails where an answer is not as the document says.</summary>
    public static async Task Check(string method, string path, HttpResponseMessage response, string body)
    {
        var fault = (await Whole.Value).Fault(method, path, (int)response.StatusCode, response.Headers, response.Content.Headers, body);
        Assert.True(fault is null, $"{method} {path} answered {(int)response.StatusCode}, and {fault}: {body[..Math.Min(body.Length, 1_000)]}");
    }

    // The document of a front with a test clock has every call.
    private static async Task<Described> Read()
    {
        await using var app = await FrontAlone.Start(Stub<IQueries>.Answering((_, _) => null), Stub<IMovableClock>.Answering((_, _) => null), new());
        using var http = new HttpClient { BaseAddress = new(app.Urls.Single()) };
        return new(JsonNode.Parse(await http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative)))!);
    }

    // Why an answer is not as the document says; null: it is.
    private string? Fault(string method, string path, int status, HttpResponseHeaders headers, HttpContentHeaders contentHeaders, string body)
    {
        var segments = path.Split('?', '#')[0].TrimEnd('/').Split('/');
        if (method == "OPTIONS" || Undescribed.Any(known => path.StartsWith(known, StringComparison.Ordinal))) return null;
        if (paths.FirstOrDefault(known => Fits(known.Segments, segments)).Calls is not { } calls) return status is 404 or 401 or 403 ? null : "it is no call of the document";
        if (calls[method == "HEAD" ? "get" : method.ToLowerInvariant()] is not JsonObject call) return status is 405 or 401 or 403 ? null : "the path has no such method in the document";
        if (replies.GetOrAdd((call, status), key => ReplyOf(key.Call, key.Status)) is not { } reply) return "the call has no such status in the document";

        var given = headers.Concat(contentHeaders).Select(header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (given.FirstOrDefault(name => !Everywhere.Contains(name) && !reply.Headers.Contains(name)) is { } unnamed) return $"the answer has no header {unnamed} in the document";
        // A CSV of several pages is sent before all of it is known.
        if (contentHeaders.ContentType?.MediaType == "text/csv") given.Add("ETag");
        if (reply.Required.FirstOrDefault(name => !given.Contains(name)) is { } missing) return $"the header {missing} is missing";

        if (method == "HEAD") return null;
        if (reply.Content.Count == 0) return body.Length == 0 ? null : "the answer has no body in the document";
        if (!reply.Content.TryGetValue(contentHeaders.ContentType?.MediaType ?? "", out var schema)) return $"the answer has no content type {contentHeaders.ContentType} in the document";
        if (schema is null || body == reply.Valid) return null;
        if (Fault(schema.Value, body) is { } fault) return fault;
        reply.Valid = body;
        return null;
    }

    // What the document says of one status of a call; a body that is no JSON has no schema.
    private Reply? ReplyOf(JsonObject call, int status)
    {
        if (Resolved(call["responses"]![$"{status}"]) is not { } answer) return null;
        var headers = answer["headers"]?.AsObject() ?? [];
        return new(
            headers.Select(header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase),
            [.. headers.Where(header => (bool?)Resolved(header.Value)!["required"] == true).Select(header => header.Key)],
            (answer["content"]?.AsObject() ?? []).Where(content => content.Value?["schema"] is not null).ToDictionary(
                content => content.Key,
                content => content.Key.EndsWith("json", StringComparison.Ordinal) ? new Lazy<JsonSchema>(() => Compiled(content.Value!["schema"]!)) : null));
    }

    private JsonSchema Compiled(JsonNode schema)
    {
        var text = Defs(schema, Id);
        lock (schemas) return schemas.TryGetValue(text, out var known) ? known : schemas[text] = JsonSchema.FromText(text, build);
    }

    private static string? Fault(JsonSchema schema, string body)
    {
        using var json = JsonDocument.Parse(body);
        if (schema.Evaluate(json.RootElement, Strict).IsValid) return null;
        var result = schema.Evaluate(json.RootElement, Telling);
        return string.Join("; ", (result.Details ?? []).Where(detail => detail.Errors is not null)
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}")).Take(5));
    }

    private static string Defs(JsonNode schema, string at = "") => schema.ToJsonString().Replace($"{Components}schemas/", $"{at}#/$defs/", StringComparison.Ordinal);

    private JsonNode? Resolved(JsonNode? node) =>
        (string?)node?["$ref"] is { } reference && reference[Components.Length..].Split('/') is [var kind, var name] ? document["components"]![kind]![name] : node;

    private static bool Fits(string[] known, string[] segments) => known.Length == segments.Length
        && known.Zip(segments).All(pair => pair.First.StartsWith('{') ? pair.Second.Length > 0 : pair.First.Equals(pair.Second, StringComparison.OrdinalIgnoreCase));

    /// <summary>What the document says of one status of a call: the headers that it may have, those that it must have, and its bodies by content type.</summary>
    private sealed record Reply(HashSet<string> Headers, IReadOnlyList<string> Required, IReadOnlyDictionary<string, Lazy<JsonSchema>?> Content)
    {
        /// <summary>The last body that was as it must be: a report that is sent four times is answered the same.</summary>
        public string? Valid { get; set; }
    }
}
