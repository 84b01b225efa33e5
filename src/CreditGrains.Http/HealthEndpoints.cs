using CreditGrains.Grains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Whether the process lives, and whether it can serve; both need no key, are never queued and ask nobody.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder health)
    {
        health.MapGet("/live", () => TypedResults.Ok(new Life("live", Product.Version))).Answers<Life>("The process lives", 200);
        health.MapGet("/ready", Ready).Answers<Health>("The process can serve: what that rests on, as it was learnt last", 200);
    }

    private static IResult Ready(Readiness readiness)
    {
        var checks = readiness.Check();
        return checks.Fault() is { } fault ? NotReady.Of(Problems.Of(Problems.Unavailable, fault), checks) : TypedResults.Ok(new Health("ready", checks));
    }
}

internal sealed record Health(string Status, Checks Checks);

internal sealed record Life(string Status, string Version);
