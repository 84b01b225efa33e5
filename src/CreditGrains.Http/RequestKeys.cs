using System.Security.Cryptography;
using System.Text;
using CreditGrains.Actors;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Http;

/// <summary>The Idempotency-Key of a request that adds something (§3).</summary>
internal static class RequestKeys
{
    private const string Header = "Idempotency-Key";

    private const int MaxKey = 200;

    public static Problem? Fault(HttpRequest request)
    {
        var given = request.Headers[Header];
        return given.Count == 0 || (given is [{ Length: >= 1 and <= MaxKey } key] && key.All(c => c is > ' ' and <= '~'))
            ? null
            : Problems.Of(Problems.Malformed, $"{Header} has 1 to {MaxKey} visible ASCII characters.", Header);
    }

    /// <summary>The key, and what the request asks; null where there is none.</summary>
    public static RequestKey? Of<TBody>(HttpRequest request, TBody body) => request.Headers[Header] is { Count: > 0 } given
        ? new(Hash(given.ToString()), Hash($"{request.Method} {request.Path} {Json.Write(body)}"))
        : null;

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
