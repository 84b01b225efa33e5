using CreditGrains.Grains.Hosting;
using Microsoft.AspNetCore.Http;

namespace CreditGrains.Http;

/// <summary>Whether this process should get traffic, as far as it has learnt by now: nothing is asked for the answer.</summary>
public sealed class Readiness(StoreWatch store)
{
    private volatile bool leaves, isOutside;

    /// <summary>From now on it says that it is not ready, and still answers what it is asked.</summary>
    public void Leave() => leaves = true;

    /// <summary>Whether it is part of the cluster: an active silo, or a front that is connected to one.</summary>
    public bool IsInCluster
    {
        get => !isOutside;
        set => isOutside = !value;
    }

    /// <summary>A connection that is kept alive would bring requests until the end: its client is told to open another one, elsewhere.</summary>
    internal Task CloseWhileLeaving(HttpContext context, RequestDelegate next)
    {
        if (leaves && HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
        return next(context);
    }

    internal Checks Check()
    {
        var known = store.Health;
        return new(
            known.IsReadable, known.IsWritable, IsInCluster, !leaves, known.ClocksAgree,
            Math.Round(known.Skew.TotalSeconds, 3), Math.Round(known.FeedLag.TotalSeconds, 3));
    }
}

/// <summary>What readiness rests on; <paramref name="FeedLagSeconds"/> is told only.</summary>
internal sealed record Checks(
    bool StoreReadable, bool StoreWritable, bool InCluster, bool Staying, bool ClocksAgree, double ClockSkewSeconds, double FeedLagSeconds)
{
    /// <summary>Why the process is not ready; null: it is.</summary>
    public string? Fault() =>
        !Staying ? "This process is about to stop."
        : !InCluster ? "This process is not part of the cluster."
        : !StoreReadable ? "The store cannot be read."
        : !ClocksAgree ? "The clocks of this machine and of the database must agree within a second."
        : !StoreWritable ? "The store is full or read-only."
        : null;
}
