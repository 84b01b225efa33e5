using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CreditGrains.Editions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Pages.Tests;

/// <summary>An OpenID Connect provider that asks nobody for a password: authorization code with PKCE, and a client that has a secret.</summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    public const string Secret = "the client's secret";

    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge)> codes = new();
    private readonly Issuer issuer;
    private readonly WebApplication app;

    public IdentityProvider()
    {
        issuer = new($"http://127.0.0.1:{Child.FreePort()}");
        Person = issuer => issuer.Claims("nobody", null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        app = builder.Build();
        app.Urls.Add(Address);
        app.MapGet("/.well-known/openid-configuration", () => new Dictionary<string, string>
        {
            ["issuer"] = Address, ["authorization_endpoint"] = $"{Address}/authorize", ["token_endpoint"] = $"{Address}/token", ["jwks_uri"] = $"{Address}/keys",
        });
        app.MapGet("/keys", () => Results.Text(issuer.Keys, "application/json"));
        app.MapGet("/authorize", Authorize);
        app.MapPost("/token", Token);
    }

    public string Address => issuer.Address;

    /// <summary>The claims of whoever signs in next.</summary>
    public Func<Issuer, JsonObject> Person { get; set; }

    public Task Start() => app.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        issuer.Dispose();
    }

    private IResult Authorize(HttpRequest request)
    {
        string Of(string name) => request.Query[name].ToString();
        Assert.Equal(("code", Issuer.Audience, "S256"), (Of("response_type"), Of("client_id"), Of("code_challenge_method")));
        var code = $"{Guid.NewGuid():N}";
        codes[code] = (Of("nonce"), Of("code_challenge"));
        return Results.Redirect($"{Of("redirect_uri")}{QueryString.Create("code", code).Add("state", Of("state"))}");
    }

    // A code is good once, for whoever knows the verifier and the secret.
    private async Task<IResult> Token(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        if (!codes.TryRemove(form["code"].ToString(), out var asked) || form["client_secret"] != Secret
            || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
            return Results.BadRequest(new { error = "invalid_grant" });
        var claims = Person(issuer);
        claims["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        claims.TryAdd("nonce", asked.Nonce);
        return Results.Json(new { id_token = issuer.Sign(claims), access_token = "none", token_type = "Bearer" });
    }
}
