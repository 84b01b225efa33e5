using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CreditGrains.Acceptance;

/// <summary>Keys while the service runs (§3): added, revoked, replaced, expired; and who is no caller of this machine.</summary>
public sealed class KeyStories : IAsyncLifetime
{
    private readonly string file = Path.GetTempFileName();
    private Edition? edition;

    private Api Api => edition!.Api;

    public async ValueTask InitializeAsync()
    {
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("consumer-a", "consumer", "A", "U1"));
        edition = await Edition.Start(new(TestClock: Words.Day(0), ApiKeys: file));
    }

    [Fact]
    public async Task Keys_are_added_and_revoked_without_a_restart()
    {
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("auditor", "auditor"));
        Assert.True(await Eventually.Is(async () => await Status("auditor") == 200));
        Assert.Equal(401, await Status("consumer-a"));
    }

    [Fact]
    public async Task What_cannot_be_used_leaves_the_keys_as_they_are()
    {
        await File.WriteAllTextAsync(file, "{\"keys\":[", TestContext.Current.CancellationToken);
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("auditor", "auditor"), Keyed.Line("auditor", "operator", sha256Of: "other"));
        Assert.Equal(200, await Status("consumer-a"));
        await Write(Keyed.Line("auditor", "auditor"));
        Assert.True(await Eventually.Is(async () => await Status("auditor") == 200));
    }

    [Fact]
    public async Task Two_keys_of_one_name_replace_one_another_without_a_gap()
    {
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("operator", "operator", sha256Of: "newer"));
        Assert.True(await Eventually.Is(async () => await Status("newer") == 200));
        Assert.Equal(200, await Status("operator"));
        await Write(Keyed.Line("operator", "operator", sha256Of: "newer"));
        Assert.True(await Eventually.Is(async () => await Status("operator") == 401));
        Assert.Equal("operator", (string?)(await Send("newer", "/v1/me")).Is(200)["name"]);
    }

    [Fact]
    public async Task An_expired_key_is_none()
    {
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("auditor", "auditor", expiresAt: "2020-01-01T00:00:00Z"), Keyed.Line("manager-a", "manager", "A", expiresAt: "2999-01-01T00:00:00+01:00"));
        Assert.True(await Eventually.Is(async () => await Status("manager-a") == 200));
        Assert.Equal(401, await Status("auditor"));
    }

    [Fact]
    public async Task A_caller_learns_who_it_is_and_what_it_may()
    {
        var me = (await Send("consumer-a", "/v1/me")).Is(200);
        Assert.Equal("""{"name":"consumer-a","role":"consumer","clientId":"A","userId":"U1","may":["report","undo"]}""", me.Text);
        Assert.Equal(["read", "report", "undo", "manage", "operate"], (await Send("operator", "/v1/me")).Is(200)["may"]!.AsArray().Select(may => (string)may!));
    }

    [Fact]
    public async Task Whoever_tries_many_keys_is_slowed()
    {
        for (var i = 0; i < 11; i++) Assert.Equal(401, await Status($"guess-{i}"));
        var watch = Stopwatch.StartNew();
        Assert.Equal(401, await Status("guess"));
        Assert.True(watch.Elapsed > TimeSpan.FromMilliseconds(300), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task A_key_has_limits_of_its_own_and_learns_them()
    {
        var answer = (await Send("operator", "/v1/contracts")).Is(200);
        Assert.Matches("^\"key\";q=\\d+;w=1$", answer.Headers.GetValues("RateLimit-Policy").Single());
        Assert.Matches("^\"key\";r=\\d+;t=1$", answer.Headers.GetValues("RateLimit").Single());
    }

    // A body that never comes holds its own key's place only.
    [Fact]
    public async Task Slow_uploads_of_one_key_lock_nobody_out()
    {
        await Write(Keyed.Line("operator", "operator"), Keyed.Line("consumer-a", "consumer", "A"), Keyed.Line("consumer-b", "consumer", "B"));
        Assert.True(await Eventually.Is(async () => await Status("consumer-b") == 200));
        var url = new Uri(Api.Url);
        var slow = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 520; i++)
            {
                var client = new TcpClient();
                slow.Add(client);
                await client.ConnectAsync(IPAddress.Loopback, url.Port, TestContext.Current.CancellationToken);
                await client.GetStream().WriteAsync(
                    Encoding.ASCII.GetBytes($"POST /v1/reports HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {Keyed.Key("consumer-a")}\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n{{"),
                    TestContext.Current.CancellationToken);
            }
            Assert.True(await Eventually.Is(async () => await Status("consumer-a") == 429));
            Assert.Equal(200, await Status("consumer-b"));
        }
        finally
        {
            slow.ForEach(client => client.Dispose());
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (edition is not null) await edition.DisposeAsync();
        File.Delete(file);
    }

    private Task Write(params string[] lines) => File.WriteAllTextAsync(file, $$"""{"keys":[{{string.Join(',', lines)}}]}""");

    private Task<Answer> Send(string key, string path) => Api.Send("GET", path, null, ("Authorization", $"Bearer {Keyed.Key(key)}"));

    private async Task<int> Status(string key) => (await Send(key, "/v1/reports")).Status;
}

/// <summary>A service without keys serves its own machine alone.</summary>
public sealed class KeylessStories(Served served) : IClassFixture<Served>
{
    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.9")]
    [InlineData("Forwarded", "for=203.0.113.9")]
    [InlineData("X-Forwarded-Proto", "https")]
    [InlineData("Via", "1.1 proxy")]
    public async Task Whoever_comes_through_a_proxy_is_not_of_this_machine(string header, string value) =>
        (await served.Api.Send("GET", "/v1/contracts", null, (header, value))).Is(403, "forbidden");

    [Fact]
    public async Task A_host_s_name_has_no_case() => (await served.Api.Send("GET", "/v1/contracts", null, ("Host", "LOCALHOST."))).Is(200);

    [Fact]
    public async Task The_one_caller_is_the_operator() => Assert.Equal("local", (string?)(await served.Api.Get("/v1/me")).Is(200)["name"]);
}
