using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;

namespace CreditGrains.Http;

/// <summary>
/// Nobody may lock others out (§3). Each key has its own limits: requests a second, requests that are open, requests that are worked on, readers of the feed.
/// Whoever waits for a turn waits for a while at most; a turn is taken once the body is there. A key beyond its limits is refused after a moment, so that
/// callers who ask again at once do not take the processors from others.
/// </summary>
internal sealed class Admission : IDisposable
{
    private readonly HttpOptions options;
    private readonly TimeProvider time;
    private readonly HttpMetrics metrics;
    private readonly ConcurrentDictionary<string, Share> shares = new(StringComparer.Ordinal);

    private readonly ConcurrencyLimiter turns;
    private int feeds;

    public Admission(HttpOptions options, TimeProvider time, HttpMetrics metrics)
    {
        (this.options, this.time, this.metrics) = (options, time, metrics);
        turns = Turns(options.MaxConcurrentRequests, options.MaxQueuedRequests);
        metrics.Meter.CreateObservableUpDownCounter("creditgrains.requests.waiting", Waiting, description: "Requests that wait for their turn");
        metrics.Meter.CreateObservableUpDownCounter("creditgrains.feed.readers", () => feeds, description: "Readers of the feed");
    }

    /// <summary>Counts a request as one of its key's, before its body is received.</summary>
    public async Task Enter(HttpContext context, RequestDelegate next)
    {
        if (IsFree(context) || ShareOf(context) is not { } share)
        {
            await next(context);
            return;
        }
        var entered = share.TryEnter(out var left);
        context.Response.Headers["RateLimit-Policy"] = share.Policy;
        context.Response.Headers["RateLimit"] = $"\"key\";r={left};t=1";
        try
        {
            if (!entered) await Task.Delay(options.PauseBeforeRefusal, time, context.RequestAborted);
            await (entered ? next(context) : Refuse(context, Problems.TooMany, HttpMetrics.OfKey));
        }
        finally
        {
            if (entered) share.Leave();
        }
    }

    /// <summary>Waits for the request's turn: its key's, then everybody's.</summary>
    public async Task TakeTurn(HttpContext context, RequestDelegate next)
    {
        if (IsFree(context))
        {
            await next(context);
            return;
        }
        using var deadline = new Deadline(options.MaxWait, time, context.RequestAborted);
        using var ofKey = ShareOf(context) is { } share ? await Acquire(share.Turns, deadline) : null;
        using var ofAll = ofKey is { IsAcquired: false } ? null : await Acquire(turns, deadline);
        await (ofAll is { IsAcquired: true } ? next(context) : Refuse(context, Problems.Overloaded, HttpMetrics.OfTurns));
    }

    /// <summary>One more reader of the feed for this caller, who leaves later; a problem where there are too many.</summary>
    public Problem? EnterFeed(Caller caller)
    {
        var (all, own) = (Interlocked.Increment(ref feeds), ShareOf(caller) is { } share ? Interlocked.Increment(ref share.Feeds) : 0);
        if (all <= options.MaxFeedReaders && own <= options.MaxFeedReadersOfKey) return null;
        LeaveFeed(caller);
        metrics.Limits.Add(all > options.MaxFeedReaders ? HttpMetrics.OfFeeds : HttpMetrics.OfKey);
        return all > options.MaxFeedReaders ? Problems.Overloaded : Problems.TooMany;
    }

    public void LeaveFeed(Caller caller)
    {
        Interlocked.Decrement(ref feeds);
        if (ShareOf(caller) is { } share) Interlocked.Decrement(ref share.Feeds);
    }

    public void Dispose()
    {
        turns.Dispose();
        foreach (var share in shares.Values) share.Turns.Dispose();
    }

    private Task Refuse(HttpContext context, Problem problem, string limit)
    {
        metrics.Limits.Add(limit);
        return problem.ExecuteAsync(context);
    }

    private long Waiting() =>
        (turns.GetStatistics()?.CurrentQueuedCount ?? 0) + shares.Values.Sum(share => share.Turns.GetStatistics()?.CurrentQueuedCount ?? 0);

    private static bool IsFree(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null;

    private Share? ShareOf(HttpContext context) => ShareOf(context.Features.Get<Caller>() ?? Caller.Nobody);

    // Where there are no keys, everybody is the one operator of this machine, whom the limits of all bound.
    private Share? ShareOf(Caller caller) => caller == Caller.Local ? null : shares.GetOrAdd(caller.Name, _ => new(options, time));

    // Not acquired: there are too many who wait, or the wait was too long.
    private static async ValueTask<RateLimitLease> Acquire(ConcurrencyLimiter limiter, Deadline deadline)
    {
        var lease = limiter.AttemptAcquire();
        if (lease.IsAcquired) return lease;
        try
        {
            return await limiter.AcquireAsync(1, deadline.Token);
        }
        catch (OperationCanceledException) when (!deadline.IsGone)
        {
            return lease;
        }
    }

    private static ConcurrencyLimiter Turns(int atOnce, int waiting) => new(new() { PermitLimit = atOnce, QueueLimit = waiting });

    /// <summary>What one key has under way.</summary>
    private sealed class Share(HttpOptions options, TimeProvider time)
    {
        private readonly Lock counting = new();
        private long second;
        private int begun, open;

        /// <summary>Its readers of the feed.</summary>
        public int Feeds;

        public ConcurrencyLimiter Turns { get; } = Admission.Turns(options.MaxConcurrentRequestsOfKey, options.MaxOpenRequestsOfKey);

        public string Policy { get; } = string.Create(CultureInfo.InvariantCulture, $"\"key\";q={options.MaxRequestsASecondOfKey};w=1");

        /// <summary>One more request; false: too many are open, or have begun in this second.</summary>
        public bool TryEnter(out int left)
        {
            lock (counting)
            {
                var now = time.GetTimestamp() / time.TimestampFrequency;
                if (now != second) (second, begun) = (now, 0);
                left = Math.Max(0, options.MaxRequestsASecondOfKey - begun - 1);
                if (begun >= options.MaxRequestsASecondOfKey || open >= options.MaxOpenRequestsOfKey) return false;
                begun++;
                open++;
                return true;
            }
        }

        public void Leave()
        {
            lock (counting) open--;
        }
    }
}
