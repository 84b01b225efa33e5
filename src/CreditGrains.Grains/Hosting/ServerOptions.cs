using System.Net;
using System.Net.Sockets;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains.Hosting;

/// <summary>How a log is written.</summary>
public enum LogFormat
{
    Text,
    Json,
}

/// <summary>How a server is started: from the command line (<c>--data ...</c>) or the environment (<c>CREDITGRAINS_DATA ...</c>).</summary>
public sealed record ServerOptions
{
    /// <summary>The directory of the embedded store; null: PostgreSQL is the store.</summary>
    public string? Data { get; init; }

    /// <summary>The connection string of the cluster's database; null: the embedded store.</summary>
    public string? Postgres { get; init; }

    /// <summary>Where HTTP is served, separated by semicolons.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:5080";

    /// <summary>Where a test clock starts (T4); null: the machine's clock.</summary>
    public Instant? TestClock { get; init; }

    /// <summary>The file of hashed API keys; null: loopback only.</summary>
    public string? ApiKeys { get; init; }

    /// <summary>How long a stopping silo serves on after it has said that it is not ready, 0 to 300 seconds.</summary>
    public TimeSpan Drain { get; init; }

    /// <summary>Which cluster: silos of one name and database find each other.</summary>
    public string ClusterId { get; init; } = "creditgrains";

    /// <summary>The address at which the other silos reach this one.</summary>
    public IPAddress Advertise { get; init; } = IPAddress.Loopback;

    /// <summary>The port for the other silos, 1 to 65,535.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>The port for fronts of their own, 0 to 65,535; 0: none.</summary>
    public int GatewayPort { get; init; }

    /// <summary>Whether this silo serves HTTP itself.</summary>
    public bool Front { get; init; } = true;

    /// <summary>The port on which Prometheus finds the metrics, 0 to 65,535; 0: none.</summary>
    public int MetricsPort { get; init; }

    /// <summary>The address on which it does.</summary>
    public IPAddress MetricsAddress { get; init; } = IPAddress.Loopback;

    public LogFormat Logs { get; init; }

    private sealed record Option(string Name, string Value, string Help, bool OfCluster = false);

    private static readonly Option[] All =
    [
        new("data", "DIR", "embedded store in this directory; one process uses it at a time (default ./.data)"),
        new("postgres", "CONNECTION", "PostgreSQL instead of the embedded store, e.g. Host=db;Username=u;Database=d"),
        new("urls", "URL[;URL]", "where HTTP is served (default http://127.0.0.1:5080)"),
        new("test-clock", "INSTANT", "a clock that starts there and is moved by POST /v1/clock"),
        new("api-keys", "FILE", "hashed API keys; without it only loopback is served"),
        new("drain", "SECONDS", "serve on that long after SIGTERM, not ready (default 0; with --postgres 5)"),
        new("metrics-port", "PORT", "metrics for Prometheus, at /metrics and without a key (default 0: none)"),
        new("metrics-address", "IP", "where that port listens (default 127.0.0.1)"),
        new("logs", "text|json", "a line an event (default text)"),
        new("cluster-id", "NAME", "silos of one name and database form a cluster (default creditgrains)", OfCluster: true),
        new("advertise", "IP|auto", "where the other silos reach this one (default 127.0.0.1)", OfCluster: true),
        new("silo-port", "PORT", "for the other silos (default 11111)", OfCluster: true),
        new("gateway-port", "PORT", "for fronts of their own, without keys: open it to them only (default 0: none)", OfCluster: true),
        new("front", "true|false", "whether this silo serves HTTP (default true)", OfCluster: true),
    ];

    /// <summary>The options, one a line.</summary>
    public static string Help => string.Join('\n', All.Select(option =>
        $"  {$"--{option.Name} {option.Value}",-23} {option.Help}{(option.OfCluster ? "; with --postgres only" : "")}"));

    /// <summary>Reads and checks the options; throws <see cref="InvalidDataException"/> with a sentence that names the one that is wrong.</summary>
    public static ServerOptions Read(string[] args)
    {
        var given = Given(args);
        if (given.ContainsKey("data") && given.ContainsKey("postgres"))
            throw new InvalidDataException("--data and --postgres exclude each other: the store is embedded or PostgreSQL.");
        var isCluster = given.ContainsKey("postgres");
        if (!isCluster && All.FirstOrDefault(option => option.OfCluster && given.ContainsKey(option.Name)) is { } alien)
            throw new InvalidDataException($"--{alien.Name} goes with --postgres only.");

        var defaults = new ServerOptions();
        return new()
        {
            Data = isCluster ? null : Read("data", "is a directory", "./.data", text => text.Length > 0 ? text : null),
            Postgres = given.GetValueOrDefault("postgres"),
            Urls = Read("urls", "is an address such as http://0.0.0.0:8080", defaults.Urls, text => text.Split(';').All(IsUrl) ? text : null),
            TestClock = given.TryGetValue("test-clock", out var clock)
                ? Calendar.ReadInstant(clock) ?? throw Wrong("test-clock", "is an instant such as 2026-01-01T00:00:00Z")
                : null,
            ApiKeys = given.TryGetValue("api-keys", out var file) && !File.Exists(file)
                ? throw Wrong("api-keys", "is a file that exists")
                : file,
            Drain = TimeSpan.FromSeconds(Number("drain", 0, 300, isCluster ? 5 : 0)),
            ClusterId = Read("cluster-id", "has 1 to 100 characters", defaults.ClusterId, text => text.Length is > 0 and <= 100 ? text : null),
            Advertise = Read("advertise", "is an IP address, or auto", defaults.Advertise, Address),
            SiloPort = Number("silo-port", 1, 65_535, defaults.SiloPort),
            GatewayPort = Number("gateway-port", 0, 65_535, defaults.GatewayPort),
            MetricsPort = Number("metrics-port", 0, 65_535, defaults.MetricsPort),
            MetricsAddress = Read("metrics-address", "is an IP address", defaults.MetricsAddress, text => IPAddress.TryParse(text, out var ip) ? ip : null),
            Logs = given.GetValueOrDefault("logs") switch
            {
                null or "text" => LogFormat.Text,
                "json" => LogFormat.Json,
                _ => throw Wrong("logs", "is text or json"),
            },
            Front = given.TryGetValue("front", out var front)
                ? bool.TryParse(front, out var serves) ? serves : throw Wrong("front", "is true or false")
                : defaults.Front,
        };

        T Read<T>(string name, string rule, T otherwise, Func<string, T?> read) where T : class =>
            given.TryGetValue(name, out var text) ? read(text) ?? throw Wrong(name, rule) : otherwise;

        int Number(string name, int least, int most, int otherwise) =>
            !given.TryGetValue(name, out var text) ? otherwise
            : int.TryParse(text, out var number) && number >= least && number <= most ? number
            : throw Wrong(name, $"is a number from {least} to {most}");
    }

    // The command line wins over the environment.
    private static Dictionary<string, string> Given(string[] args)
    {
        var given = new Dictionary<string, string>();
        foreach (var option in All)
            if (Environment.GetEnvironmentVariable($"CREDITGRAINS_{option.Name.Replace('-', '_').ToUpperInvariant()}") is { Length: > 0 } value)
                given[option.Name] = value;

        for (var i = 0; i < args.Length; i++)
        {
            var (name, value) = args[i].Split('=', 2) is [var before, var after] ? (before, after) : (args[i], null);
            if (!All.Any(option => $"--{option.Name}" == name))
                throw new InvalidDataException($"{name} is not known; there are {string.Join(", ", All.Select(option => $"--{option.Name}"))}.");
            given[name[2..]] = value ?? (++i < args.Length ? args[i] : throw new InvalidDataException($"{name} needs a value."));
        }
        return given;
    }

    private static InvalidDataException Wrong(string name, string rule) => new($"--{name} {rule}.");

    // Kestrel takes * and + for every address.
    private static bool IsUrl(string text) =>
        Uri.TryCreate(text.Replace("//*", "//any", StringComparison.Ordinal).Replace("//+", "//any", StringComparison.Ordinal), UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https";

    private static IPAddress? Address(string text)
    {
        if (text != "auto") return IPAddress.TryParse(text, out var address) ? address : null;
        return Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(own => own.AddressFamily == AddressFamily.InterNetwork);
    }
}
