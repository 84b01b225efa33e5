using System.Net;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Cluster;

/// <summary>How a silo, or a front of its own, joins a cluster: from the command line (<c>--postgres ...</c>) or the environment (<c>CREDITGRAINS_POSTGRES</c> ...).</summary>
public sealed record MemberOptions
{
    /// <summary>The connection string of the cluster's database; required.</summary>
    public required string Postgres { get; init; }

    /// <summary>Where HTTP is served, separated by semicolons.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:5080";

    /// <summary>Which cluster; silos of one name and database find each other.</summary>
    public string ClusterId { get; init; } = "creditgrains";

    /// <summary>The address at which the other silos reach this one; <c>auto</c>: what this machine's name stands for.</summary>
    public IPAddress Advertise { get; init; } = IPAddress.Loopback;

    /// <summary>The port for the other silos, 1 to 65,535.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>The port for fronts of their own, 0 to 65,535; 0: none.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary>Whether this silo serves HTTP itself.</summary>
    public bool Front { get; init; } = true;

    /// <summary>How long a stopping silo goes on serving after it has said that it is no longer ready, 0 to 300 seconds, so that load balancers turn away first.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where a test clock starts (T4); null: the machine's clock.</summary>
    public Instant? TestClock { get; init; }

    /// <summary>The file of hashed API keys; null: loopback only.</summary>
    public string? ApiKeys { get; init; }

    private static readonly Dictionary<string, string> Switches = new[] { "postgres", "cluster-id", "advertise", "silo-port", "gateway-port", "front", "drain", "test-clock", "api-keys", "urls" }
        .ToDictionary(name => $"--{name}", name => name);

    /// <summary>For the store: what commits and what reads, so few that several silos stay below PostgreSQL's own limit.</summary>
    public string StorePool => Pool(20);

    /// <summary>For Orleans' own membership, reminders and state, which go by a pool of theirs.</summary>
    public string OrleansPool => Pool(5);

    private string Pool(int connections) => new NpgsqlConnectionStringBuilder(Postgres)
    {
        MaxPoolSize = connections,
        MaxAutoPrepare = 100,
        AutoPrepareMinUsages = 2,
        Timeout = 5,
        CommandTimeout = 15,
        ApplicationName = "creditgrains",
    }.ConnectionString;

    /// <summary>Reads and checks the options; throws <see cref="InvalidDataException"/> naming the one that is wrong.</summary>
    public static MemberOptions Read(string[] args)
    {
        if (args.FirstOrDefault(arg => arg.StartsWith('-') && !Switches.ContainsKey(arg.Split('=')[0])) is { } unknown) throw new InvalidDataException($"{unknown} is not known; there are {string.Join(", ", Switches.Keys)}.");
        var environment = Switches.Values.ToDictionary(name => name, name => Environment.GetEnvironmentVariable($"CREDITGRAINS_{name.Replace('-', '_').ToUpperInvariant()}"));
        var given = new ConfigurationBuilder().AddInMemoryCollection(environment.Where(pair => pair.Value is not null)).AddCommandLine(args, Switches).Build();
        var defaults = new MemberOptions { Postgres = "" };
        return new()
        {
            Postgres = Option(given, "postgres", text => new NpgsqlConnectionStringBuilder(text) is { Host.Length: > 0 } ? text : null, "is a connection string such as Host=db;Username=creditgrains;Database=creditgrains", null),
            Urls = Option(given, "urls", text => text.Split(';').All(url => Uri.TryCreate(url.Replace("*", "any", StringComparison.Ordinal), UriKind.Absolute, out _)) ? text : null, "is an address such as http://0.0.0.0:8080", defaults.Urls),
            ClusterId = Option(given, "cluster-id", text => text.Length is > 0 and <= 100 ? text : null, "has 1 to 100 characters", defaults.ClusterId),
            Advertise = Option(given, "advertise", text => text == "auto" ? OwnAddress() : IPAddress.TryParse(text, out var address) ? address : null, "is an IP address, or auto", defaults.Advertise),
            SiloPort = Number(given, "silo-port", 1, 65_535, defaults.SiloPort),
            GatewayPort = Number(given, "gateway-port", 0, 65_535, defaults.GatewayPort),
            Front = Option(given, "front", text => bool.TryParse(text, out var front) ? front : (bool?)null, "is true or false", defaults.Front)!.Value,
            Drain = TimeSpan.FromSeconds(Number(given, "drain", 0, 300, (int)defaults.Drain.TotalSeconds)),
            TestClock = given["test-clock"] is null ? null : Option(given, "test-clock", Calendar.ReadInstant, "is an instant such as 2026-01-01T00:00:00Z", null),
            ApiKeys = given["api-keys"] is null ? null : Option(given, "api-keys", text => File.Exists(text) ? text : null, "is a file that exists", null),
        };
    }

    private static IPAddress? OwnAddress() => Dns.GetHostAddresses(Dns.GetHostName()).FirstOrDefault(address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

    private static int Number(IConfiguration given, string name, int least, int most, int otherwise) =>
        Option(given, name, text => int.TryParse(text, out var number) && number >= least && number <= most ? number : (int?)null, $"is a number from {least} to {most}", otherwise)!.Value;

    private static T Option<T>(IConfiguration given, string name, Func<string, T?> read, string rule, T? otherwise)
    {
        if (given[name] is not { } text) return otherwise ?? throw new InvalidDataException($"--{name} is required: it {rule}.");
        try
        {
            if (read(text) is { } value) return value;
        }
        catch (ArgumentException)
        {
            // A connection string that cannot be read.
        }
        throw new InvalidDataException($"--{name} {rule}.");
    }
}
