namespace CreditGrains.Http;

/// <summary>How the front admits requests (§3).</summary>
public sealed record HttpOptions
{
    /// <summary>The file of hashed API keys; null: only loopback is served, and whoever calls from there is the operator.</summary>
    public string? ApiKeysFile { get; init; }

    /// <summary>Requests worked on at the same time.</summary>
    public int MaxConcurrentRequests { get; init; } = 1_024;

    /// <summary>Requests that wait for their turn; one more is answered 429.</summary>
    public int MaxQueuedRequests { get; init; } = 4_096;

    /// <summary>Readers of the feed at the same time; one more is answered 429.</summary>
    public int MaxFeedReaders { get; init; } = 4_096;

    /// <summary>The largest body, in bytes; a larger one is answered 413. 10,000 users and 1,000 players with ordinary names fit.</summary>
    public long MaxBodyBytes { get; init; } = 4 << 20;
}
