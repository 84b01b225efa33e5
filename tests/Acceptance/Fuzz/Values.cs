using System.Globalization;
using System.Text.Json.Nodes;

namespace CreditGrains.Acceptance.Fuzz;

/// <summary>Values that parameters and fields may have, by their schema and by what is there, and values that they may not have.</summary>
internal sealed class Values(Random dice, Description description)
{
    // Whatever the schema: what programs and people send by mistake, and what breaks parsers.
    private static readonly string[] Texts =
        ["", " ", "a b", "a/b", "a~b", "é", "🎽", "\u202e", "a\u0000b", "a\nb", "'; DROP TABLE lots;--", "<script>", "null", "-1", "1e999", new('x', 65), new('x', 2_001)];

    private static readonly string[] Instants = ["", "soon", "2026-02-30T00:00:00Z", "2026-03-01T00:00:00", "2026-03-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-01T25:00:00Z"];

    private static readonly string[] Dates = ["", "soon", "2026-02-30", "2026-03-01T00:00:00Z", "0001-01-01", "9999-12-31", "1.3.2026"];

    private static readonly string[] Numbers = ["-1", "0", "1.5", "0.00001", "1e99", "1e400", "9223372036854775807", "-9223372036854775809", "123456789012345678901234567890"];

    private int made;

    /// <summary>The instant of the test clock.</summary>
    public DateTime Now { get; set; } = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>What answers gave by name: cursors, tokens, reports.</summary>
    public Dictionary<string, string> Given { get; } = [];

    public bool Chance(double probability) => dice.NextDouble() < probability;

    public T Pick<T>(params IReadOnlyList<T> from) => from[dice.Next(from.Count)];

    /// <summary>A value that may well be taken.</summary>
    public JsonNode? Of(string name, JsonObject schema)
    {
        if (Description.IsNullable(schema) && Chance(0.1)) return null;
        if (schema["enum"] is JsonArray { Count: > 0 } several) return Pick([.. several.Where(one => one is not null)])!.DeepClone();
        if (Known(name) is { } known) return known;
        if (schema["items"] is { } items) return new JsonArray([.. Enumerable.Range(0, dice.Next(1, 4)).Select(_ => Of(name.TrimEnd('s'), description.Plain(items)))]);
        if (schema["properties"] is JsonObject properties)
            return new JsonObject([.. properties.ToList().Where(property => IsIn(property.Key, schema)).Select(property =>
                KeyValuePair.Create(property.Key, Of(property.Key, description.Plain(property.Value!))))]);
        var types = Description.TypesOf(schema);
        return types.Contains("boolean") ? Chance(0.5)
            : types.Contains("integer") ? dice.Next(1, 10)
            : types.Contains("number") ? dice.Next(1, 100) / 4m
            : (string?)schema["format"] switch
            {
                "date-time" => Instant(dice.Next(1, 40)),
                "date" => Date(dice.Next(0, 40)),
                _ => $"text {dice.Next(10)}",
            };
    }

    /// <summary>The same as a text of a path, query or header.</summary>
    public string TextOf(string name, JsonObject schema) => Of(name, schema) switch
    {
        null => "",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => other.ToJsonString(),
    };

    /// <summary>Texts that break a parameter, or try to.</summary>
    public static IEnumerable<string> Broken(Parameter parameter)
    {
        var format = (string?)parameter.Schema["format"];
        IEnumerable<string> texts = format == "date-time" ? Instants
            : Description.TypesOf(parameter.Schema).Contains("integer") ? [.. Bounds(parameter.Schema), .. Numbers, "ten", ""]
            : parameter.Schema["enum"] is JsonArray names ? [.. OfEnum(names), "", $"{names[0]},{names[0]}"]
            : Texts;

        // A path without its id is another path; with NUL the server refuses it before it is a request.
        return parameter.In == "path" ? texts.Where(text => text.Trim().Length > 0 && !text.Contains('\0')).Append("nobody") : parameter.In == "header" ? texts.Where(IsOfHeader) : texts;
    }

    /// <summary>Values that break a field, or try to.</summary>
    public static IEnumerable<JsonNode?> Broken(JsonObject schema)
    {
        IEnumerable<string> values = ["null", "true", "5", "\"text\"", "[]", "{}", "[[]]", "{\"\":1}"];
        foreach (var value in values) yield return JsonNode.Parse(value);
        var types = Description.TypesOf(schema);
        IEnumerable<string> texts = (string?)schema["format"] switch { "date-time" => Instants, "date" => Dates, _ => schema["enum"] is JsonArray names ? OfEnum(names) : Texts };
        if (types.Contains("string")) foreach (var text in texts) yield return text;
        if (types.Contains("integer") || types.Contains("number"))
            foreach (var number in Bounds(schema).Concat(Numbers)) yield return JsonNode.Parse(number);
        if (schema["maxLength"] is { } most) yield return new string('x', (int)most + 1);
        if (schema["items"] is not null) foreach (var list in (string[])["[null]", "[5]", "[\"\"]", $"[{string.Join(',', Enumerable.Repeat("{}", 2_001))}]"]) yield return JsonNode.Parse(list);
    }

    private static bool IsOfHeader(string text) => text.All(c => c is >= ' ' and <= '~');

    private static IEnumerable<string> OfEnum(JsonArray names) => [((string?)names[0] ?? "x").ToUpperInvariant(), ((string?)names[0] ?? "x").ToLowerInvariant(), $" {names[0]}", "gold", "0"];

    private static IEnumerable<string> Bounds(JsonObject schema)
    {
        if (schema["minimum"] is JsonValue least && least.TryGetValue<decimal>(out var first)) yield return (first - 1).ToString(CultureInfo.InvariantCulture);
        if (schema["maximum"] is JsonValue most && most.TryGetValue<decimal>(out var last)) yield return (last + 1).ToString(CultureInfo.InvariantCulture);
    }

    private bool IsIn(string name, JsonObject schema) => schema["required"]?.AsArray().Any(required => (string?)required == name) == true || Chance(0.35);

    // What is there, or may be made, under the names that the product uses; null: nothing special.
    private JsonNode? Known(string name) => name switch
    {
        "contractId" => Pick("C1", "C1", "C1", "C2", "B1"),
        "clientId" => "A",
        "userId" or "usedBy" => Pick("U1", "U1", "U2", "U3"),
        "playerId" => $"P{dice.Next(1, 60)}",
        "lotId" => Pick("G1", "G1", New("L")),
        "paymentId" => Pick("PAY-1", "PAY-2"),
        "reportId" when Given.TryGetValue("hold", out var hold) && Chance(0.2) => hold,
        "reportId" => Given.TryGetValue("reportId", out var report) && Chance(0.3) ? report : New("R"),
        "accountId" => "A1",
        "projectId" => Pick("J1", "J1", "J2"),
        "milestoneId" => $"M{dice.Next(1, 5)}",
        "purchaseId" => Pick("P1", New("P")),
        "creditId" => $"C1~G1~{dice.Next(1, 40):D9}",
        "confirmationToken" => Given.GetValueOrDefault("confirmationToken", "none"),
        "cursor" => Given.GetValueOrDefault("cursor", "none"),
        "currency" => Pick("EUR", "EUR", "USD"),
        "status" or "noAllocationStatuse" => Pick("Planned", "Canceled", "None"),
        "timeZone" => "UTC",
        "startsOn" => Pick("2020-01-01", Date(0)),
        "endsOn" or "expiresOn" => Date(dice.Next(200, 400)),
        "startDate" or "actualDate" => Date(dice.Next(0, 3)),
        "advanceTo" => Now.AddMinutes(dice.Next(-60, 600)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        "from" => Instant(-dice.Next(1, 3)),
        "to" or "at" => Instant(dice.Next(0, 3)),
        "limit" or "count" => dice.Next(1, 6),
        "Idempotency-Key" => New("K"),
        "If-Match" => "*",
        "If-None-Match" => "\"other\"",
        "Last-Event-ID" => "none",
        _ => null,
    };

    private string New(string prefix) => $"{prefix}{++made}-{dice.Next(1_000)}";

    private string Instant(int days) => Now.AddDays(days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private string Date(int days) => Now.AddDays(days).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
