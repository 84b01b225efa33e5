using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Acceptance;

/// <summary>Callers by JSON Web Token, beside keys (§3).</summary>
public sealed class TokenStories : IAsyncLifetime
{
    private readonly string keys = Path.GetTempFileName(), set = Path.GetTempFileName();
    private readonly Issuer issuer = new("https://id.example/realm");
    private Edition? edition;

    private Api Api => edition!.Api;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(keys, $$"""{"keys":[{{Keyed.Line("operator", "operator")}}]}""");
        await File.WriteAllTextAsync(set, issuer.Keys);
        edition = await Edition.Start(new(TestClock: Words.Day(0), ApiKeys: keys, Tokens: new(new(issuer.Address), Issuer.Audience, set)));
    }

    [Fact]
    public async Task A_token_s_claims_say_who_calls()
    {
        var anna = issuer.Sign(issuer.Claims("anna@example.org", "consumer", "A", "U1"));
        Assert.Equal(
            """{"name":"jwt:anna@example.org","role":"consumer","clientId":"A","userId":"U1","may":["report","undo"]}""",
            (await Send(anna, "GET", "/v1/me")).Is(200).Text);

        // The same roles as keys have, and the ledger knows who it was.
        var manager = issuer.Sign(issuer.Claims("max", "manager", "A"));
        (await Send(Keyed.Key("operator"), "PUT", "/v1/contracts/C1", Words.Terms().ToJsonString())).Is(201);
        (await Send(manager, "PUT", "/v1/contracts/C1/users/U1", """{"name":"Anna"}""")).Is(200);
        (await Send(anna, "PUT", "/v1/contracts/C1/users/U2", """{"name":"Bo"}""")).Is(403, "forbidden");
        (await Send(issuer.Sign(issuer.Claims("mo", "manager", "B")), "GET", "/v1/contracts/C1")).Is(404, "not-found");
        Assert.Equal("jwt:max", (string?)(await Send(manager, "GET", "/v1/ledger?userId=U1")).Is(200).Items.Single()!["actor"]);
        Assert.Equal("operator", (string?)(await Send(issuer.Sign(issuer.Claims("root", "operator")), "GET", "/v1/me")).Is(200)["role"]);
    }

    [Theory]
    [InlineData("aud", "\"other\"", 401)]
    [InlineData("aud", null, 401)]
    [InlineData("iss", "\"https://other.example\"", 401)]
    [InlineData("exp", "1600000000", 401)]
    [InlineData("exp", null, 401)]
    [InlineData("nbf", "4000000000", 401)]
    [InlineData("creditgrains_role", null, 403)]
    [InlineData("creditgrains_role", "\"king\"", 403)]
    [InlineData("creditgrains_role", "\"Consumer\"", 403)]
    [InlineData("creditgrains_role", "\"operator\"", 403)]
    [InlineData("creditgrains_client", null, 403)]
    [InlineData("creditgrains_client", "\"a b\"", 403)]
    [InlineData("creditgrains_user", "\"\"", 403)]
    [InlineData("sub", null, 403)]
    [InlineData("sub", "\"\"", 403)]
    public async Task A_token_that_is_not_as_it_must_be_lets_nobody_in(string claim, string? value, int status)
    {
        var claims = issuer.Claims("anna", "consumer", "A", "U1");
        if (value is null) claims.Remove(claim);
        else claims[claim] = JsonNode.Parse(value);
        (await Send(issuer.Sign(claims), "GET", "/v1/me")).Is(status, status == 401 ? "unauthenticated" : "forbidden");
    }

    [Fact]
    public async Task What_the_issuer_has_not_signed_is_no_token()
    {
        using var other = new Issuer(issuer.Address);
        var claims = issuer.Claims("anna", "operator");
        var signed = issuer.Sign(issuer.Claims("anna", "consumer", "A")).Split('.');
        foreach (var token in (string[])[
            other.Sign(claims), issuer.Sign(claims, "none"), $"{signed[0]}.{issuer.Sign(claims).Split('.')[1]}.{signed[2]}", $"{signed[0]}.{signed[1]}.", "a.b.c", "..", "token"])
        {
            var answer = (await Send(token, "GET", "/v1/me")).Is(401, "unauthenticated");
            Assert.Contains("invalid_token", $"{answer.Headers.WwwAuthenticate}");
        }
        (await Api.Get("/v1/me")).Is(401, "unauthenticated");
        (await Api.Get("/health/ready")).Is(200);
        (await Send(Keyed.Key("operator"), "GET", "/v1/me")).Is(200);
    }

    [Fact]
    public async Task The_issuer_s_keys_are_found_by_discovery_and_tokens_alone_close_the_service()
    {
        var address = $"http://127.0.0.1:{Child.FreePort()}";
        using var local = new Issuer(address);
        using var server = new HttpListener { Prefixes = { $"{address}/" } };
        server.Start();
        var serving = Serve(server, local);
        await using var open = await Edition.Start(new(TestClock: Words.Day(0), Tokens: new(new(address), Issuer.Audience)));

        (await open.Api.Get("/v1/me")).Is(401, "unauthenticated");
        var token = local.Sign(local.Claims("ada", "auditor"));
        Assert.Equal("jwt:ada", (string?)(await open.Api.Send("GET", "/v1/me", null, ("Authorization", $"Bearer {token}"))).Is(200)["name"]);
        server.Stop();
        await serving;
    }

    public async ValueTask DisposeAsync()
    {
        if (edition is not null) await edition.DisposeAsync();
        issuer.Dispose();
        File.Delete(keys);
        File.Delete(set);
    }

    private static async Task Serve(HttpListener server, Issuer issuer)
    {
        try
        {
            while (true)
            {
                var context = await server.GetContextAsync();
                var text = context.Request.Url!.AbsolutePath == "/keys" ? issuer.Keys : JsonSerializer.Serialize(new { issuer = issuer.Address, jwks_uri = $"{issuer.Address}/keys" });
                context.Response.ContentType = "application/json";
                context.Response.Close(Encoding.UTF8.GetBytes(text), willBlock: false);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
            // It was stopped.
        }
    }

    private Task<Answer> Send(string key, string method, string path, string? body = null) => Api.Send(method, path, body, ("Authorization", $"Bearer {key}"));
}
