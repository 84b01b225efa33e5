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

    /// <summary>The key of a request and what it asks, both hashed; null where none was given. Refuses one that is none.</summary>
    /// <param name="part">Which part of the request the body is, where it has several: each has a key of its own.</param>
    public static (RequestKey? Key, Problem? Refusal) Of<TBody>(HttpRequest request, TBody body, int? part = null) => request.Headers[Header] switch
    {
        [] => (null, null),
        [{ Length: >= 1 and <= MaxLength } key] when key.All(c => c is > ' ' and <= '~') =>
            (new(Fingerprint.Of(part is null ? key : $"{key} {part}"), Fingerprint.Of($"{request.Method} {Path(request)} {Json.Write(body)}")), null),
        _ => (null, Problems.Of(Problems.Malformed, $"{Header} {Rule}.", Header)),
    };

    // However the path is spelt: its letter case and a slash at its end tell no two requests apart.
    private static string Path(HttpRequest request) =>
        ((RouteEndpoint)request.HttpContext.GetEndpoint()!).RoutePattern.RawText!.TrimEnd('/') + string.Concat(request.RouteValues.OrderBy(pair => pair.Key).Select(pair => $" {pair.Value}"));
}
