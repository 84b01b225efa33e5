using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CreditGrains.Editions;

/// <summary>An issuer of JSON Web Tokens.</summary>
public sealed class Issuer(string address) : IDisposable
{
    public const string Audience = "creditgrains";

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Its issuer claim.</summary>
    public string Address => address;

    /// <summary>Its JSON Web Key Set.</summary>
    public string Keys
    {
        get
        {
            var point = key.ExportParameters(includePrivateParameters: false).Q;
            return JsonSerializer.Serialize(new
            {
                keys = new[] { new { kty = "EC", crv = "P-256", alg = "ES256", use = "sig", kid = "1", x = Base64Url.EncodeToString(point.X), y = Base64Url.EncodeToString(point.Y) } },
            });
        }
    }

    /// <summary>The claims of a token that is good for five minutes.</summary>
    public JsonObject Claims(string subject, string? role, string? client = null, string? user = null)
    {
        var claims = new JsonObject { ["iss"] = address, ["aud"] = Audience, ["sub"] = subject, ["exp"] = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds() };
        foreach (var (name, value) in new[] { ("creditgrains_role", role), ("creditgrains_client", client), ("creditgrains_user", user) })
            if (value is not null) claims[name] = value;
        return claims;
    }

    public string Sign(JsonObject claims, string algorithm = "ES256")
    {
        var text = $"{Part($$"""{"alg":"{{algorithm}}","typ":"JWT","kid":"1"}""")}.{Part(claims.ToJsonString())}";
        return $"{text}.{(algorithm == "none" ? "" : Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256)))}";
    }

    public void Dispose() => key.Dispose();

    private static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
