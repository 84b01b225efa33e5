using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>A path or query parameter, or a header.</summary>
/// <param name="In"><c>path</c>, <c>query</c> or <c>header</c>.</param>
internal sealed record Parameter(string Name, string In, bool IsRequired, JsonObject Schema);

/// <summary>A field of a body; <c>[]</c> in its path: of the first item.</summary>
internal sealed record Field(ImmutableArray<string> Path, bool IsRequired, JsonObject Schema)
{
    public override string ToString() => string.Join('.', Path);
}

/// <summary>A call as the document describes it.</summary>
/// <param name="Body">The schema of its body; null: it takes none.</param>
/// <param name="Statuses">Those it may be answered with.</param>
/// <param name="Streams">It never ends by itself.</param>
internal sealed record Call(
    string Method, string Path, ImmutableArray<Parameter> Parameters, JsonObject? Body, ImmutableHashSet<string> Statuses, bool Streams)
{
    public bool Changes => Method != "GET";

    public override string ToString() => $"{Method} {Path}";
}

/// <summary>What /openapi/v1.json says.</summary>
internal sealed class Description
{
    private readonly JsonNode document;

    public Description(JsonNode document)
    {
        this.document = document;
        Calls =
        [
            .. from path in document["paths"]!.AsObject()
               from call in path.Value!.AsObject()
               where call.Value is JsonObject described && described.ContainsKey("responses")
               select Read(call.Key.ToUpperInvariant(), path.Key, path.Value!, call.Value!),
        ];
    }

    public ImmutableArray<Call> Calls { get; }

    /// <summary>Every field of a body, those of its objects and items too.</summary>
    public IEnumerable<Field> Fields(JsonObject schema, params ImmutableArray<string> at)
    {
        if (schema["items"] is { } items) return Fields(Plain(items), at.Add("[]"));
        return from property in schema["properties"]?.AsObject().ToList() ?? []
               let field = new Field(at.Add(property.Key), schema["required"]?.AsArray().Any(name => (string?)name == property.Key) == true, Plain(property.Value!))
               from one in Fields(field.Schema, field.Path).Prepend(field)
               select one;
    }

    /// <summary>A schema without references and without alternatives of null.</summary>
    public JsonObject Plain(JsonNode schema)
    {
        if (schema["$ref"] is not null) return Plain(Dereferenced(schema));
        var either = schema["oneOf"] ?? schema["anyOf"];
        if (either is null) return schema.AsObject();

        // One of the alternatives is null.
        var plain = Plain(either.AsArray().First(one => (string?)(one!["type"] as JsonValue) != "null")!).DeepClone().AsObject();
        plain["nullable"] = true;
        return plain;
    }

    public static ImmutableArray<string> TypesOf(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => [.. several.Select(type => (string)type!)],
        JsonValue one => [(string)one!],
        _ => [],
    };

    public static bool IsNullable(JsonObject schema) => schema.ContainsKey("nullable") || TypesOf(schema).Contains("null");

    private Call Read(string method, string path, JsonNode shared, JsonNode call)
    {
        var parameters = (shared["parameters"]?.AsArray() ?? []).Concat(call["parameters"]?.AsArray() ?? []).Select(Dereferenced).Select(parameter => new Parameter(
            (string)parameter["name"]!, (string)parameter["in"]!, (bool?)parameter["required"] == true, Plain(parameter["schema"]!)));
        var body = call["requestBody"] is { } given ? Dereferenced(given)["content"]!.AsObject().First().Value!["schema"] : null;
        return new(
            method, path, [.. parameters], body is null ? null : Plain(body), [.. call["responses"]!.AsObject().Select(response => response.Key)],
            Streams: call["responses"]!["200"] is { } answer && Dereferenced(answer)["content"]?["text/event-stream"] is not null);
    }

    private JsonNode Dereferenced(JsonNode? node) =>
        node!["$ref"] is { } reference ? ((string)reference!).Split('/').Skip(1).Aggregate(document, (there, name) => there[name]!) : node;
}
