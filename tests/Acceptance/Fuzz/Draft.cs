using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>A request in the making.</summary>
internal sealed class Draft(Call call)
{
    public Call Call => call;

    /// <summary>What was broken in it.</summary>
    public List<string> Broken { get; } = [];

    public Dictionary<string, string> Path { get; } = [];

    public List<(string Name, string Value)> Query { get; } = [];

    public List<(string Name, string Value)> Headers { get; } = [];

    public JsonNode? Body { get; set; }

    /// <summary>Sent instead of <see cref="Body"/>.</summary>
    public string? Text { get; set; }

    public string Url
    {
        get
        {
            var path = Path.Aggregate(call.Path, (text, part) => text.Replace($"{{{part.Key}}}", Uri.EscapeDataString(part.Value), StringComparison.Ordinal));
            return Query.Count == 0 ? path : $"{path}?{string.Join('&', Query.Select(pair => $"{Uri.EscapeDataString(pair.Name)}={Uri.EscapeDataString(pair.Value)}"))}";
        }
    }

    public string? Content => Text ?? Body?.ToJsonString();

    /// <summary>Sets a field, or takes it out; what is around it is made where it is missing.</summary>
    public void Set(Field field, JsonNode? value, bool isMissing = false)
    {
        Body = Body as JsonObject ?? [];
        var at = Body;
        for (var i = 0; i < field.Path.Length - 1; i++) at = Step(at, field.Path[i], isList: field.Path[i + 1] == "[]");
        if (at is not JsonObject around) return;
        if (isMissing) around.Remove(field.Path[^1]);
        else around[field.Path[^1]] = value?.DeepClone();
    }

    private static JsonNode Step(JsonNode at, string name, bool isList)
    {
        if (name == "[]")
        {
            var items = at.AsArray();
            if (items.Count == 0 || items[0] is not JsonObject) items.Insert(0, new JsonObject());
            return items[0]!;
        }
        if (isList ? at[name] is not JsonArray : at[name] is not JsonObject) at[name] = isList ? new JsonArray() : new JsonObject();
        return at[name]!;
    }

    public override string ToString() =>
        $"{call.Method} {Url}\n{string.Concat(Headers.Select(header => $"{header.Name}: {header.Value}\n"))}{Content}\n(broken: {string.Join("; ", Broken.DefaultIfEmpty("nothing"))})";
}
