using CreditGrains.Grains.Hosting;

namespace CreditGrains.Http;

/// <summary>How the front admits requests (§3).</summary>
public sealed record HttpOptions
{
    /// <summary>As the server was started.</summary>
    public static HttpOptions Of(ServerOptions server) => new()
    {
        ApiKeysFile = server.ApiKeys,
        Drain = server.Drain,
        Tokens = server is { JwtAuthority: { } authority, JwtAudience: { } audience } ? new(authority, audience, server.JwtKeys) : null,
        Provider = server is { OidcAuthority: { } provider, OidcClientId: { } client } ? new(provider, client, server.OidcClientSecretFile) : null,
    };

    /// <summary>The file of hashed API keys; null: only loopback is served, and whoever calls from there is the operator.</summary>
    public string? ApiKeysFile { get; init; }

    /// <summary>Whose JSON Web Tokens are taken beside keys; null: nobody's.</summary>
    public TokenOptions? Tokens { get; init; }

    /// <summary>Where people sign in to the console, beside doing so with keys; null: nowhere.</summary>
    public ProviderOptions? Provider { get; init; }

    /// <summary>How long a stopping process serves on after it has said that it is not ready.</summary>
    public TimeSpan Drain { get; init; }

    /// <summary>Requests worked on at the same time.</summary>
    public int MaxConcurrentRequests { get; init; } = 1_024;

    /// <summary>Requests that wait for their turn; one more is answered 429.</summary>
    public int MaxQueuedRequests { get; init; } = 4_096;

    /// <summary>Readers of the feed at the same time; one more is answered 429.</summary>
    public int MaxFeedReaders { get; init; } = 4_096;

    /// <summary>How long a request waits for its turn at most; a longer wait is answered 429.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests of one key that are worked on at the same time; more wait.</summary>
    public int MaxConcurrentRequestsOfKey { get; init; } = 64;

    /// <summary>Requests of one key that are open: received, waiting or worked on; one more is answered 429.</summary>
    public int MaxOpenRequestsOfKey { get; init; } = 512;

    /// <summary>Requests that one key begins in a second; one more is answered 429.</summary>
    public int MaxRequestsASecondOfKey { get; init; } = 10_000;

    /// <summary>Readers of the feed with one key; one more is answered 429.</summary>
    public int MaxFeedReadersOfKey { get; init; } = 256;

    /// <summary>How long a request beyond its key's limits waits for its refusal.</summary>
    public TimeSpan PauseBeforeRefusal { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a body may take to arrive; a later one is answered 408.</summary>
    public TimeSpan BodyDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>All bodies together that are being received or worked on, in bytes; one more is answered 429.</summary>
    public long MaxBytesOfBodies { get; init; } = 256 << 20;

    /// <summary>The largest body, in bytes; a larger one is answered 413. 10,000 users and 1,000 players with ordinary names fit.</summary>
    public long MaxBodyBytes { get; init; } = 4 << 20;
}
