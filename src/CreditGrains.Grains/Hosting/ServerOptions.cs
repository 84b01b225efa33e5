using System.Net;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains.Hosting;

/// <summary>How a log is written.</summary>
public enum LogFormat
{
    Text,
    Json,
}

/// <summary>What a server may be told to do instead of serving: the first argument.</summary>
public enum ServerCommand
{
    /// <summary>Brings the store's schema up to date.</summary>
    Migrate,

    /// <summary>Moves old entries out of the ledger.</summary>
    Archive,
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

    /// <summary>The issuer of JSON Web Tokens that are taken beside keys; null: none are.</summary>
    public Uri? JwtAuthority { get; init; }

    /// <summary>For whom those tokens must be.</summary>
    public string? JwtAudience { get; init; }

    /// <summary>A JSON Web Key Set of the issuer; null: its keys are found by discovery.</summary>
    public string? JwtKeys { get; init; }

    /// <summary>The OpenID Connect provider where people sign in to the console; null: with API keys only.</summary>
    public Uri? OidcAuthority { get; init; }

    /// <summary>Who the console is there.</summary>
    public string? OidcClientId { get; init; }

    /// <summary>The file of that client's secret; null: the client is public.</summary>
    public string? OidcClientSecretFile { get; init; }

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

    /// <summary>Whether this silo shows operators the Orleans Dashboard at /dashboard, and profiles its grains for that; all silos of a cluster alike.</summary>
    public bool Dashboard { get; init; }

    public LogFormat Logs { get; init; }

    /// <summary>This process's certificate towards silos and fronts, its key, and the authority that has signed all of theirs: PEM files; null: no TLS.</summary>
    public string? TlsCertificate { get; init; }

    public string? TlsKey { get; init; }

    public string? TlsAuthority { get; init; }

    /// <summary>Whether the schema is made or brought up to date at the start; else it is only checked.</summary>
    public bool Migrate { get; init; } = true;

    /// <summary>What is done instead of serving; null: it serves.</summary>
    public ServerCommand? Command { get; init; }

    /// <summary>Of <see cref="ServerCommand.Archive"/>: entries booked before are archived.</summary>
    public Instant Before { get; init; }

    private sealed record Option(string Name, string Value, string Help, bool OfCluster = false);

    private static readonly Option[] All =
    [
        new("data", "DIR", "embedded store in this directory; one process uses it at a time (default ./.data)"),
        new("postgres", "CONNECTION", "PostgreSQL instead of the embedded store, e.g. Host=db;Username=u;Database=d"),
        new("urls", "URL[;URL]", "where HTTP is served (default http://127.0.0.1:5080)"),
        new("test-clock", "INSTANT", "a clock that starts there and is moved by POST /v1/clock"),
        new("api-keys", "FILE", "hashed API keys; without it only loopback is served"),
        new("jwt-authority", "URL", "take JSON Web Tokens of this OpenID Connect issuer beside keys"),
        new("jwt-audience", "NAME", "for whom they must be; with --jwt-authority"),
        new("jwt-keys", "FILE", "the issuer's JSON Web Key Set instead of discovery; with --jwt-authority"),
        new("oidc-authority", "URL", "people sign in to the console at this OpenID Connect provider, too"),
        new("oidc-client-id", "NAME", "who the console is there; with --oidc-authority"),
        new("oidc-client-secret-file", "FILE", "that client's secret (default: it is public); with --oidc-authority"),
        new("drain", "SECONDS", "serve on that long after SIGTERM, not ready (default 0; with --postgres 5)"),
        new("metrics-port", "PORT", "metrics for Prometheus, at /metrics and without a key (default 0: none)"),
        new("metrics-address", "IP", "where that port listens (default 127.0.0.1)"),
        new("dashboard", "true|false", "the Orleans Dashboard for operators, at /dashboard; on all silos alike (default false)"),
        new("logs", "text|json", "a line an event (default text)"),
        new("cluster-id", "NAME", "silos of one name and database form a cluster (default creditgrains)", OfCluster: true),
        new("advertise", "IP|auto", "where the other silos reach this one (default 127.0.0.1)", OfCluster: true),
        new("silo-port", "PORT", "for the other silos (default 11111)", OfCluster: true),
        new("gateway-port", "PORT", "for fronts of their own, without keys: open it to them only (default 0: none)", OfCluster: true),
        new("front", "true|false", "whether this silo serves HTTP (default true)", OfCluster: true),
        new("tls-certificate", "FILE", "this process's certificate towards silos and fronts, PEM", OfCluster: true),
        new("tls-key", "FILE", "its key, PEM", OfCluster: true),
        new("tls-authority", "FILE", "the certificate that has signed those of all silos and fronts, PEM", OfCluster: true),
        new("insecure-cluster", "true|false", "do without TLS between silos that are not all on this machine (default false)", OfCluster: true),
        new("migrate", "on|off", "bring the schema up to date at the start, or only check it (default on)", OfCluster: true),
        new(OfArchive, "INSTANT", "which entries the command archive moves: those booked before"),
    ];

    /// <summary>The options, one a line.</summary>
    public static string Help => string.Join('\n', All.Select(option =>
        $"  {$"--{option.Name} {option.Value}",-23} {option.Help}{(option.OfCluster ? "; with --postgres only" : "")}"));

    /// <summary>Reads and checks the options; throws <see cref="InvalidDataException"/> with a sentence that names the one that is wrong.</summary>
    public static ServerOptions Read(string[] args)
    {
        ServerCommand? command = args is [var first, ..] ? Words.Find<ServerCommand>(first) : null;
        var given = Given(command is null ? args : args[1..]);
        if (given.ContainsKey("data") && given.ContainsKey("postgres"))
            throw new InvalidDataException("--data and --postgres exclude each other: the store is embedded or PostgreSQL.");
        var isCluster = given.ContainsKey("postgres");
        if (command is ServerCommand.Migrate && !isCluster) throw new InvalidDataException("migrate needs --postgres CONNECTION: the embedded store migrates by itself.");
        if ((command is ServerCommand.Archive) != given.ContainsKey(OfArchive))
            throw new InvalidDataException("archive and --before INSTANT go together: entries booked before are archived.");
        if (!isCluster && All.FirstOrDefault(option => option.OfCluster && given.ContainsKey(option.Name)) is { } alien)
            throw new InvalidDataException($"--{alien.Name} goes with --postgres only.");

        if (given.ContainsKey("jwt-authority") != given.ContainsKey("jwt-audience"))
            throw new InvalidDataException("--jwt-authority and --jwt-audience go together.");
        if (given.ContainsKey("oidc-authority") != given.ContainsKey("oidc-client-id"))
            throw new InvalidDataException("--oidc-authority and --oidc-client-id go together.");
        if (given.ContainsKey("oidc-client-secret-file") && !given.ContainsKey("oidc-authority"))
            throw new InvalidDataException("--oidc-client-secret-file goes with --oidc-authority only.");
        if (given.ContainsKey("jwt-keys") && !given.ContainsKey("jwt-authority")) throw new InvalidDataException("--jwt-keys goes with --jwt-authority only.");

        var defaults = new ServerOptions();
        var read = new ServerOptions
        {
            Data = isCluster ? null : Read("data", "must be a directory", "./.data", text => text.Length > 0 ? text : null),
            Postgres = given.GetValueOrDefault("postgres"),
            Urls = Read(
                "urls", "must be an address such as http://0.0.0.0:8080, without a path", defaults.Urls, text => text.Split(';').All(IsUrl) ? text : null),
            TestClock = At("test-clock"),
            ApiKeys = Existing("api-keys"),
            JwtAuthority = Read<Uri>("jwt-authority", "must be an https address, or an http one of this machine", null!, Issuer),
            JwtAudience = Read<string>("jwt-audience", "must have 1 to 200 characters", null!, text => text.Length is > 0 and <= 200 ? text : null),
            JwtKeys = Existing("jwt-keys"),
            OidcAuthority = Read<Uri>("oidc-authority", "must be an https address, or an http one of this machine", null!, Issuer),
            OidcClientId = Read<string>("oidc-client-id", "must have 1 to 200 characters", null!, text => text.Length is > 0 and <= 200 ? text : null),
            OidcClientSecretFile = Existing("oidc-client-secret-file"),
            Drain = TimeSpan.FromSeconds(Number("drain", 0, 300, isCluster ? 5 : 0)),
            ClusterId = Read("cluster-id", "must have 1 to 100 characters", defaults.ClusterId, text => text.Length is > 0 and <= 100 ? text : null),
            Advertise = Read("advertise", "must be an IP address, or auto where this machine has one", defaults.Advertise, Address),
            SiloPort = Number("silo-port", 1, 65_535, defaults.SiloPort),
            GatewayPort = Number("gateway-port", 0, 65_535, defaults.GatewayPort),
            MetricsPort = Number("metrics-port", 0, 65_535, defaults.MetricsPort),
            MetricsAddress = Read(
                "metrics-address", "must be an IP address", defaults.MetricsAddress, text => IPAddress.TryParse(text, out var ip) ? ip : null),
            Dashboard = Flag("dashboard", "true", "false", defaults.Dashboard),
            Logs = given.GetValueOrDefault("logs") switch
            {
                null or "text" => LogFormat.Text,
                "json" => LogFormat.Json,
                _ => throw Wrong("logs", "must be text or json"),
            },
            Front = Flag("front", "true", "false", defaults.Front),
            TlsCertificate = given.GetValueOrDefault("tls-certificate"),
            TlsKey = given.GetValueOrDefault("tls-key"),
            TlsAuthority = given.GetValueOrDefault("tls-authority"),
            Migrate = Flag("migrate", "on", "off", defaults.Migrate),
            Command = command,
            Before = At(OfArchive) ?? default,
        };
        CheckTls(read, Flag("insecure-cluster", "true", "false", otherwise: false));
        return read;

        Instant? At(string name) => given.TryGetValue(name, out var text)
            ? Calendar.ReadInstant(text) ?? throw Wrong(name, "must be an instant such as 2026-01-01T00:00:00Z")
            : null;

        string? Existing(string name) => given.TryGetValue(name, out var file) && !File.Exists(file) ? throw Wrong(name, "must be a file that exists") : file;

        bool Flag(string name, string yes, string no, bool otherwise) => !given.TryGetValue(name, out var text) ? otherwise
            : text == yes ? true
            : text == no ? false
            : throw Wrong(name, $"must be {yes} or {no}");

        // Kubernetes sets CREDITGRAINS_SILO_PORT=tcp://... where a service has a name of that kind.
        InvalidDataException Wrong(string name, string rule) => new(given[name].StartsWith("tcp://", StringComparison.Ordinal)
            ? $"--{name} {rule}, not {given[name]}, which Kubernetes has put into {Variable(name)}: set enableServiceLinks: false for the pod."
            : $"--{name} {rule}, not {given[name]}.");

        T Read<T>(string name, string rule, T otherwise, Func<string, T?> read) where T : class =>
            given.TryGetValue(name, out var text) ? read(text) ?? throw Wrong(name, rule) : otherwise;

        int Number(string name, int least, int most, int otherwise) =>
            !given.TryGetValue(name, out var text) ? otherwise
            : int.TryParse(text, out var number) && number >= least && number <= most ? number
            : throw Wrong(name, $"must be a number from {least} to {most}");
    }

    private const string OfArchive = "before";

    private static void CheckTls(ServerOptions read, bool isInsecure)
    {
        if (new[] { read.TlsCertificate, read.TlsKey, read.TlsAuthority }.Count(file => file is not null) is 1 or 2)
            throw new InvalidDataException("--tls-certificate, --tls-key and --tls-authority must be given together.");
        if (!IPAddress.IsLoopback(read.Advertise) && read.TlsCertificate is null && !isInsecure && read.Command is null)
            throw new InvalidDataException(
                $"--advertise {read.Advertise} is reached from other machines, and whoever reaches a silo may do everything: "
                + "give --tls-certificate, --tls-key and --tls-authority, or --insecure-cluster true where the network lets nobody else in.");
    }

    // The command line wins over the environment.
    private static Dictionary<string, string> Given(string[] args)
    {
        var given = new Dictionary<string, string>();
        foreach (var option in All)
            if (Environment.GetEnvironmentVariable(Variable(option.Name)) is { Length: > 0 } value)
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

    private static string Variable(string name) => $"CREDITGRAINS_{name.Replace('-', '_').ToUpperInvariant()}";

    // Kestrel takes * and + for every address.
    private static bool IsUrl(string text) =>
        Uri.TryCreate(text.Replace("//*", "//any", StringComparison.Ordinal).Replace("//+", "//any", StringComparison.Ordinal), UriKind.Absolute, out var url)
        && url is { Scheme: "http" or "https", AbsolutePath: "/", Query: "", Fragment: "" };

    private static Uri? Issuer(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == "https" || (url.Scheme == "http" && url.IsLoopback)) ? url : null;

    private static IPAddress? Address(string text) => text == "auto" ? Ports.OfThisMachine() : IPAddress.TryParse(text, out var address) ? address : null;
}
