using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Whether the process lives, and whether it can serve; both need no key and are never queued.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder health)
    {
        health.MapGet("/live", () => TypedResults.Ok(new Life("live", Product.Version))).Answers<Life>("The process lives", 200);
        health.MapGet("/ready", Ready).Answers<Health>("The store can be read", 200);
    }

    private static async Task<IResult> Ready(IQueries queries, Readiness readiness, CancellationToken gone)
    {
        if (readiness.Reason is { } reason) return Problems.Of(Problems.Unavailable, reason);
        await queries.Ping().WaitAsync(gone);
        return TypedResults.Ok(new Health("ready"));
    }
}

internal sealed record Health(string Status);

internal sealed record Life(string Status, string Version);
