using System.Text.Json;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>The header by which a POST or PATCH is told from another one that asks the same (§3).</summary>
internal static class IdempotencyKeys
{
    public const string Header = "Idempotency-Key";

    /// <summary>The header of an answer that is the first one again.</summary>
    public const string Replayed = "Idempotency-Replayed";

    /// <summary>The longest key, in characters.</summary>
    public const int MaxLength = 200;

    /// <summary>What a key must be.</summary>
    public static string Rule { get; } = $"must have 1 to {MaxLength} visible ASCII characters";

    /// <summary>
    /// The key of a request and what it asks, both hashed; null where none was given. Refuses one that is none. Keys of a client are its own; those of callers
    /// who are bound to no client are for all clients.
    /// </summary>
    /// <param name="part">Which report of a batch: each has a key of its own.</param>
    public static (RequestKey? Key, Problem? Refusal) Of(HttpRequest request, int? part = null) => request.Headers[Header] switch
    {
        [] => (null, null),
        [{ Length: >= 1 and <= MaxLength } key] when key.All(c => c is > ' ' and <= '~') => (
            new(
                Fingerprint.Of($"{request.HttpContext.Features.Get<Caller>()!.ClientId} {key} {part}"),
                Fingerprint.Of($"{request.Method} {Path(request)} {Body(request, part)}")),
            null),
        _ => (null, Problems.Of(Problems.Malformed, $"{Header} {Rule}.", Header)),
    };

    // However the path is spelt: its letter case and a slash at its end tell no two requests apart.
    private static string Path(HttpRequest request) =>
        ((RouteEndpoint)request.HttpContext.GetEndpoint()!).RoutePattern.RawText!.TrimEnd('/') + string.Concat(request.RouteValues.OrderBy(pair => pair.Key).Select(pair => $" {pair.Value}"));

    private static string Body(HttpRequest request, int? part)
    {
        using var body = JsonDocument.Parse(request.HttpContext.Features.Get<Bodies.Received>()!.Json);
        var asked = part is { } report ? body.RootElement.GetProperty("reports")[report] : body.RootElement;
        try
        {
            return Canonical(asked);
        }
        catch (InvalidOperationException)
        {
            // A text with half a surrogate pair; the body is refused for it.
            return asked.GetRawText();
        }
    }

    // However the body is spelt: blanks, the order of fields and 1.0 for 1 tell no two bodies apart; null and a field that is left out do.
    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().OrderBy(field => field.Name, StringComparer.Ordinal).Select(Canonical))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Canonical))}]",
        JsonValueKind.Number => value.GetRawText() is { Length: <= Json.MaxNumberCharacters } && value.TryGetDecimal(out var number)
            ? Json.Write(number)
            : value.GetRawText(),
        JsonValueKind.String => Json.Write(value.GetString()),
        JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined => value.GetRawText(),
    };

    private static string Canonical(JsonProperty field) => $"{Json.Write(field.Name)}:{Canonical(field.Value)}";
}
