using System.Diagnostics.Metrics;
using CreditGrains.Grains.Hosting;

namespace CreditGrains.Http;

/// <summary>What the front counts.</summary>
internal sealed class HttpMetrics : IDisposable
{
    /// <summary>The limits that a request can meet.</summary>
    public const string OfKey = "key", OfTurns = "turns", OfBodies = "bodies", OfFeeds = "feeds";

    public HttpMetrics()
    {
        Refusals = new(Meter, "creditgrains.refusals", "Requests, and reports of a batch, answered with a problem", "code", Problems.Codes);
        Limits = new(Meter, "creditgrains.limits.hit", "Requests answered 429, by the limit that they met", "limit", OfKey, OfTurns, OfBodies, OfFeeds);
        Keys = new(Meter, "creditgrains.keys.refused", "Requests without a key, or with one that is not known", "sent", "none", "unknown");
    }

    public Meter Meter { get; } = new("CreditGrains.Http");

    public Tally Refusals { get; }

    public Tally Limits { get; }

    public Tally Keys { get; }

    public void Dispose() => Meter.Dispose();
}
