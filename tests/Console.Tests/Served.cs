using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CreditGrains.Domain;
using CreditGrains.Editions;
using CreditGrains.Grains.Hosting;
using CreditGrains.Silo;
using Microsoft.AspNetCore.Builder;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(CreditGrains.Pages.Tests.Served))]

// One browser on one silo: stories take turns.
[assembly: Xunit.v3.Parallelization(MaxThreads = 1)]

namespace CreditGrains.Pages.Tests;

/// <summary>One silo with an embedded store, or on PostgreSQL with <c>CREDITGRAINS_EDITION=cluster</c>, a test clock and a key a role, and one browser, for all stories; each has a client and contracts of its own.</summary>
public sealed class Served : IAsyncLifetime
{
    /// <summary>A Tuesday.</summary>
    public const string Now = "2026-03-10T09:00:00Z";

    // As in Acceptance.
    private static readonly bool IsCluster = Environment.GetEnvironmentVariable("CREDITGRAINS_EDITION") == "cluster";

    private readonly string folder = Directory.CreateTempSubdirectory("creditgrains-").FullName;
    private readonly List<JsonObject> keys = [];
    private readonly Dictionary<string, string> sessions = [];
    private WebApplication? app;
    private IPlaywright? playwright;
    private IBrowser? browser;

    // What comes comes soon, but where the machine does other things as well.
    private const int Patience = 30_000;

    // Stories print what matters.
    static Served()
    {
        Environment.SetEnvironmentVariable("Logging__Console__LogLevel__Default", "None");
        Assertions.SetDefaultExpectTimeout(Patience);
    }

    public string Url { get; } = $"http://127.0.0.1:{Child.FreePort()}";

    /// <summary>Where people sign in without a key.</summary>
    internal IdentityProvider Provider { get; } = new();

    internal string KeysFile => Path.Combine(folder, "keys.json");

    internal HttpClient Http { get; } = new();

    internal IServiceProvider Services => app!.Services;

    public async ValueTask InitializeAsync()
    {
        AddKey("op", "operator", null);
        AddKey("auditor", "auditor", null);
        foreach (var client in Clients.All)
        {
            AddKey($"manager-{client}", "manager", client);
            AddKey($"consumer-{client}", "consumer", client);
        }
        AddKey("user-roles", "consumer", "roles", "anna");
        await WriteKeys();
        Http.BaseAddress = new(Url);
        await Provider.Start();
        await File.WriteAllTextAsync(Path.Combine(folder, "secret"), IdentityProvider.Secret);
        app = await Start((await NewStore(folder)) with
        {
            Urls = Url, OidcAuthority = new(Provider.Address), OidcClientId = Issuer.Audience, OidcClientSecretFile = Path.Combine(folder, "secret"),
        });
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = await Chromium(), Args = ["--no-sandbox", "--disable-gpu", "--disable-extensions"] });
    }

    /// <summary>An empty store of the edition: embedded in that folder, or a database of its own.</summary>
    internal static async Task<ServerOptions> NewStore(string folder) => IsCluster
        ? new() { Postgres = await SharedPostgres.NewDatabase(), SiloPort = Child.FreePort(), GatewayPort = Child.FreePort() }
        : new() { Data = Path.Combine(folder, "data") };

    /// <summary>A silo in this process, with the clock and the keys of all.</summary>
    internal async Task<WebApplication> Start(ServerOptions options)
    {
        var silo = await SiloHost.Build(options with { TestClock = Calendar.ReadInstant(Now), ApiKeys = KeysFile });
        await silo.StartAsync();
        return silo;
    }

    /// <summary>A browser's window in which somebody is signed in; null: nobody.</summary>
    /// <param name="url">Where; null: at the silo of all stories.</param>
    public async Task<IPage> Open(string? key, string? url = null)
    {
        var session = $"{url} {key}";
        var context = await browser!.NewContextAsync(new()
        {
            BaseURL = url ?? Url, ViewportSize = new() { Width = 1280, Height = 800 }, ReducedMotion = ReducedMotion.Reduce,
            StorageState = sessions.GetValueOrDefault(session),
        });
        context.SetDefaultTimeout(Patience);
        var page = await context.NewPageAsync();
        if (key is null) return page;
        await page.GotoAsync("/console");
        if (sessions.ContainsKey(session)) return page;
        await page.GetByLabel("API key").FillAsync(KeyOf(key));
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToBeVisibleAsync();
        sessions[session] = await context.StorageStateAsync();
        return page;
    }

    /// <summary>Calls the API as the operator, or by another key.</summary>
    public async Task<JsonNode?> Call(string method, string path, object? body = null, string key = "op", int? status = null)
    {
        using var request = new HttpRequestMessage(new(method), path) { Headers = { Authorization = new("Bearer", KeyOf(key)) } };
        if (body is not null) request.Content = body is string text ? new StringContent(text, Encoding.UTF8, "application/json") : JsonContent.Create(body);
        using var response = await Http.SendAsync(request);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.True(status is { } expected ? (int)response.StatusCode == expected : response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {answer}");
        return answer.Length == 0 ? null : JsonNode.Parse(answer);
    }

    /// <summary>A key that can be taken away again.</summary>
    public async Task Revoke(string name)
    {
        keys.RemoveAll(key => (string?)key["name"] == name);
        await WriteKeys();
    }

    public static string KeyOf(string name) => $"cg_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))}";

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
        if (app is not null)
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
        await new SharedPostgres().DisposeAsync();
        await Provider.DisposeAsync();
        Http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void AddKey(string name, string role, string? clientId, string? userId = null) => keys.Add(new()
    {
        ["name"] = name, ["role"] = role, ["clientId"] = clientId, ["userId"] = userId,
        ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(KeyOf(name)))),
    });

    private Task WriteKeys() => File.WriteAllTextAsync(KeysFile, JsonSerializer.Serialize(new { keys }));

    // Debian's, which is installed where it is missing.
    private static async Task<string> Chromium()
    {
        const string Path = "/usr/bin/chromium";
        if (File.Exists(Path)) return Path;
        await Child.Run("apt-get", "update", "-qq");
        await Child.Run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium");
        return Path;
    }
}

/// <summary>Whose stories these are: a client each, so that none sees another's.</summary>
internal static class Clients
{
    public static readonly string[] All = ["wave", "scout", "certus", "roles", "two", "other", "looks", "gone", "start", "pictures", "books", "big", "death"];
}
