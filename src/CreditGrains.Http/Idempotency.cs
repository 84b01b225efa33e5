using System.Security.Cryptography;
using System.Text;
using CreditGrains.Actors;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Http;

/// <summary>The header Idempotency-Key of a request that adds something (§3).</summary>
internal static class Idempotency
{
    private const string Header = "Idempotency-Key";

    private const int MaxKey = 200;

    /// <summary>The key, hashed, with what the request asks; both null: none was given.</summary>
    public static (RequestKey? Key, Problem? Fault) Of<TBody>(HttpRequest request, TBody body)
    {
        var header = request.Headers[Header];
        if (header.Count == 0) return (null, null);
        return header is [{ Length: >= 1 and <= MaxKey } key] && key.All(c => c is > ' ' and <= '~')
            ? (new(Hash(key), Hash($"{request.Method} {request.Path} {Json.Write(body)}")), null)
            : (null, Problems.Of(Problems.Malformed, $"{Header} has 1 to {MaxKey} visible ASCII characters.", Header));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
