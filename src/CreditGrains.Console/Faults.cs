using CreditGrains.Http;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Pages;

/// <summary>Shows as a page what went wrong outside of any: a form that is too old, a fault of the service.</summary>
internal static class Faults
{
    public static async Task Show(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Hosting.Root))
        {
            await next(context);
            return;
        }

        // A page says itself what is not there.
        if (context.Features.Get<IStatusCodePagesFeature>() is { } pages) pages.Enabled = false;
        Problem? problem = null;
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status400BadRequest })
                problem = Problems.Of(Problems.Malformed, "The form is too old, or is not ours; load the page again.");
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            problem = Problems.Of(e);
            context.RequestServices.GetRequiredService<ILogger<Problem>>().LogError(
                e, "{Path} ended with {Code}, request {RequestId}", context.Request.Path, problem.Code, context.TraceIdentifier);
        }
        if (problem is null) return;

        // The page that failed has said so already.
        context.Response.Headers.Remove("blazor-enhanced-nav");
        await Tell(context, problem);
    }

    /// <summary>Answers with a page of its own.</summary>
    public static Task Tell(HttpContext context, Problem problem) =>
        new RazorComponentResult<FaultPage>(new { problem.Title, problem.Detail, context.TraceIdentifier }) { StatusCode = problem.Status }
            .ExecuteAsync(context);
}
