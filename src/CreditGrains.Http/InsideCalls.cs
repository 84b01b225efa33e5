using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace CreditGrains.Http;

/// <summary>
/// Calls of the API from inside this process, for a caller who is known already: the same roles, checks and refusals as over a connection, and the answer
/// as it is before it becomes JSON.
/// </summary>
internal sealed class InsideCalls
{
    private RequestDelegate? api;

    /// <summary>Lets the calls that are mapped be made; what stands before a connection's (keys, turns) is not for them.</summary>
    public void Map(WebApplication app)
    {
        var calls = ((IApplicationBuilder)app).New();
        calls.Use(Problems.Catch);
        calls.UseStatusCodePages(pages => Problems.Explain(pages.HttpContext));
        calls.UseRouting();
        calls.Use(Parameters.Unescape);
        calls.Use(Gate.AdmitKnown);
        calls.Use(app.Services.GetRequiredService<Bodies>().Receive);
        calls.UseEndpoints(endpoints =>
        {
            foreach (var source in ((IEndpointRouteBuilder)app).DataSources) endpoints.DataSources.Add(source);
        });
        api = calls.Build();
    }

    /// <summary>Makes a call as part of a request, by its caller.</summary>
    /// <param name="path">With its query, escaped as in a request.</param>
    /// <param name="tag">What If-Match demands; null: nothing.</param>
    /// <param name="key">The Idempotency-Key; null: none.</param>
    public async Task<InsideAnswer> Send(HttpContext request, string method, string path, JsonObject? body = null, string? tag = null, string? key = null)
    {
        var (call, answer) = Of(request, method, path);
        if (tag is not null) call.Request.Headers.IfMatch = tag;
        if (key is not null) call.Request.Headers[IdempotencyKeys.Header] = key;
        if (body is not null)
        {
            var json = System.Text.Encoding.UTF8.GetBytes(body.ToJsonString());
            call.Request.Body = new MemoryStream(json, writable: false);
            (call.Request.ContentType, call.Request.ContentLength) = ("application/json", json.Length);
        }
        await api!(call);
        answer.Problem = call.Features.Get<Problem>();
        answer.Tag = call.Response.Headers[HeaderNames.ETag];
        return answer;
    }

    /// <summary>Answers a request with what a GET answers as CSV, as it comes.</summary>
    /// <returns>Why that was refused, and nothing is answered; null: it was not.</returns>
    public async Task<Problem?> SendCsv(HttpContext request, string path)
    {
        var (call, _) = Of(request, HttpMethods.Get, path);
        call.Items = request.Items;
        call.Features.Set(request.Features.GetRequiredFeature<IHttpResponseFeature>());
        call.Features.Set(request.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        call.Features.Set(request.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
        call.Request.Headers.Accept = Csv.MediaType;
        await api!(call);
        return call.Features.Get<Problem>();
    }

    private static (DefaultHttpContext Call, InsideAnswer Answer) Of(HttpContext request, string method, string path)
    {
        var call = new DefaultHttpContext
        {
            RequestServices = request.RequestServices, RequestAborted = request.RequestAborted, TraceIdentifier = request.TraceIdentifier,
        };
        var answer = new InsideAnswer();
        call.Features.Set(request.Features.Get<Caller>() ?? throw new InvalidOperationException("The caller is known before a call is made."));
        call.Features.Set(answer);
        call.Features.Set<IHttpMaxRequestBodySizeFeature>(new AnySize());
        var query = path.IndexOf('?');
        call.Request.Method = method;
        call.Request.Path = PathString.FromUriComponent(query < 0 ? path : path[..query]);
        call.Request.QueryString = new(query < 0 ? "" : path[query..]);
        return (call, answer);
    }

    // What the page received is not received again.
    private sealed class AnySize : IHttpMaxRequestBodySizeFeature
    {
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize { get; set; }
    }

    /// <summary>Keeps what a call answers, where it was made from inside.</summary>
    public static EndpointFilterDelegate Keep(EndpointFilterFactoryContext call, EndpointFilterDelegate next) => async invocation =>
    {
        var result = await next(invocation);
        if (invocation.HttpContext.Features.Get<InsideAnswer>() is { } answer && result is IValueHttpResult { Value: { } value }) answer.Value = value;
        return result;
    };
}

/// <summary>What a call made from inside answered: a document, or a problem.</summary>
internal sealed class InsideAnswer
{
    /// <summary>null: a problem, or nothing to tell.</summary>
    public object? Value { get; set; }

    /// <summary>null: there is none.</summary>
    public Problem? Problem { get; set; }

    public string? Tag { get; set; }
}
