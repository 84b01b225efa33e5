using Microsoft.AspNetCore.Http;

namespace CreditGrains.Http;

/// <summary>What holds for every request and response (§3): an id of its own, no caching unless a tag says how, HEAD as GET.</summary>
internal static class Conventions
{
    public const string RequestId = "Request-Id";

    private const string AllMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    private static readonly object Head = new();

    public static Task Apply(HttpContext context, RequestDelegate next)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        context.TraceIdentifier = $"{Guid.CreateVersion7():N}";
        System.Diagnostics.Activity.Current?.SetTag("request.id", context.TraceIdentifier);
        headers[RequestId] = context.TraceIdentifier;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";

        // The server sends no body in answer to HEAD, whatever is written.
        if (HttpMethods.IsHead(request.Method)) (request.Method, context.Items[Head]) = (HttpMethods.Get, true);
        if (!HttpMethods.IsOptions(request.Method) || request.Path.HasValue && request.Path != "/*") return next(context);

        // OPTIONS * asks about the service as a whole.
        Allow(context, AllMethods);
        return Task.CompletedTask;
    }

    /// <summary>Whether the request was HEAD, and is answered as GET without a body.</summary>
    public static bool IsHead(this HttpContext context) => context.Items.ContainsKey(Head);

    /// <summary>What a resource can be asked: HEAD wherever GET, and OPTIONS.</summary>
    public static string Allowed(string methods) =>
        string.Join(", ", methods.Split(", ").SelectMany(method => HttpMethods.IsGet(method) ? [method, HttpMethods.Head] : (string[])[method]).Append(HttpMethods.Options).Distinct());

    /// <summary>Answers OPTIONS.</summary>
    public static void Allow(HttpContext context, string methods)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.Allow = methods;
    }
}
