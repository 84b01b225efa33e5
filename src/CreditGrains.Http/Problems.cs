using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>What every refused request is answered with (RFC 9457); <paramref name="Code"/> is stable.</summary>
/// <param name="Type">Where a short page explains it.</param>
/// <param name="Field">The field, header or query parameter that is not as it must be; of several the first.</param>
[JsonDerivedType(typeof(Shortage))]
[JsonDerivedType(typeof(ServicesShortage))]
[JsonDerivedType(typeof(NotReady))]
internal record Problem(
    string Type, string Title, int Status, string Detail, string Code, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Field) : IResult
{
    public const string ContentType = "application/problem+json";

    /// <summary>Every field that is wrong; null where it is none's fault.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<FieldFault>? Errors { get; init; }

    /// <summary>The same as in the header Request-Id.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RequestId { get; init; }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        CountIn(httpContext);
        httpContext.Features.Set(this);

        // The page that asked says it.
        if (httpContext.Features.Get<InsideAnswer>() is not null) return Task.CompletedTask;

        var response = httpContext.Response;
        response.StatusCode = Status;
        if (Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = Challenge(httpContext.Request);
        if (Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable && response.Headers.RetryAfter.Count == 0) response.Headers.RetryAfter = "1";
        response.Headers.Remove(HeaderNames.ETag);
        response.Headers.CacheControl = "no-store";
        return response.WriteAsJsonAsync(this with { RequestId = httpContext.TraceIdentifier }, options: null, ContentType);
    }

    // RFC 6750, 3.
    private static string Challenge(HttpRequest request) =>
        $"Bearer realm=\"CreditGrains\"{(request.Headers.Authorization.Count > 0 ? ", error=\"invalid_token\"" : "")}";

    /// <summary>Counts it as one more refusal.</summary>
    public void CountIn(HttpContext context) => context.RequestServices.GetRequiredService<HttpMetrics>().Refusals.Add(Code);
}

/// <summary>A refused report, and what it would have needed (R2), in credits; null where there is no limit.</summary>
internal sealed record Shortage(
    string Type, string Title, int Status, string Detail, string Code, string? Field,
    long ToCharge, long? UserAvailable, long? ContractRemaining, Instant? NextRenewalAt, Instant? NextCreditsAt) : Problem(Type, Title, Status, Detail, Code, Field);

/// <summary>A refused allocation, and what it would have needed (S2), in services credits.</summary>
internal sealed record ServicesShortage(
    string Type, string Title, int Status, string Detail, string Code, string? Field,
    string Currency, decimal ToAllocate, decimal Available) : Problem(Type, Title, Status, Detail, Code, Field);

/// <summary>Why a process is not ready.</summary>
internal sealed record NotReady(string Type, string Title, int Status, string Detail, string Code, string? Field, Checks Checks)
    : Problem(Type, Title, Status, Detail, Code, Field)
{
    public static NotReady Of(Problem problem, Checks checks) =>
        new(problem.Type, problem.Title, problem.Status, problem.Detail, problem.Code, problem.Field, checks);
}

/// <summary>The one table from refusals and failures to problems (§3).</summary>
internal static class Problems
{
    public const string Malformed = "malformed", UnknownField = "unknown-field", TooLarge = "too-large", Unauthenticated = "unauthenticated",
        Unavailable = "unavailable", CursorGone = "cursor-gone", Timeout = "request-timeout", MediaType = "unsupported-media-type",
        Internal = "internal-error", Archived = "archived";

    public static readonly string Forbidden = Code(RefusalCode.Forbidden);

    private const string NotAllowed = "method-not-allowed", Overload = "overloaded";

    // Failures that are not refusals of a rule.
    private static readonly FrozenDictionary<string, (int Status, string Title)> Failures = new Dictionary<string, (int, string)>
    {
        [Malformed] = (400, "The request cannot be read"),
        [UnknownField] = (400, "The request has a field that is not known"),
        [Unauthenticated] = (401, "A valid API key is needed"),
        [NotAllowed] = (405, "The method is not allowed here"),
        [Timeout] = (408, "The body took too long"),
        [Archived] = (410, "The ledger of that time is archived"),
        [CursorGone] = (410, "The cursor's place is gone"),
        [TooLarge] = (413, "The body is too large"),
        [MediaType] = (415, "The body is of a media type that is not read here"),
        [Overload] = (429, "Too many requests at once"),
        [Internal] = (500, "Something is wrong with the service"),
        [Unavailable] = (503, "The service cannot answer now"),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, (int Status, string Title)> Refusals = Enum.GetValues<RefusalCode>().ToFrozenDictionary(Code, Of);

    /// <summary>The status and title of a refusal; the compiler says where a code has none.</summary>
    private static (int Status, string Title) Of(RefusalCode code) => code switch
    {
        RefusalCode.InsufficientAllocation => (402, "The user may use too few credits"),
        RefusalCode.InsufficientContractCredits => (402, "The contract has too few credits"),
        RefusalCode.InsufficientServicesCredits => (402, "The account has too few services credits"),
        RefusalCode.Forbidden => (403, "The caller may not do this"),
        RefusalCode.NotFound => (404, "Not found"),
        RefusalCode.ContractNotActive => (409, "The contract is not active"),
        RefusalCode.UserNotAssigned => (409, "The user is not assigned to the contract"),
        RefusalCode.UserDisabled => (409, "The user is disabled"),
        RefusalCode.AllocationNotSupported => (409, "The contract has no user allocation"),
        RefusalCode.AllocationChanged => (409, "The allocation has changed since the preview"),
        RefusalCode.PlayerCovered => (409, "The player has a credit already"),
        RefusalCode.HoldOver => (409, "The hold is over"),
        RefusalCode.ReportIdReused => (409, "The report id was used for another request"),
        RefusalCode.IdempotencyKeyReused => (409, "The key or id was used for another request"),
        RefusalCode.NotAllocated => (409, "The milestone has not been allocated"),
        RefusalCode.AllocationRequired => (409, "The services credits must be allocated first"),
        RefusalCode.PreconditionFailed => (412, "The document has changed"),
        RefusalCode.InvalidField => (422, "A field breaks a rule"),
    };

    /// <summary>The status and title of a problem's code.</summary>
    public static (int Status, string Title) Meaning(string code) => Refusals.TryGetValue(code, out var refusal) ? refusal : Failures[code];

    /// <summary>All codes, by status.</summary>
    public static IEnumerable<string> Codes => Refusals.Keys.Concat(Failures.Keys).OrderBy(code => Meaning(code).Status).ThenBy(code => code, StringComparer.Ordinal);

    public static Problem Overloaded { get; } = Of(Overload, "Too many requests wait already; try again after a moment.");

    public static Problem TooMany { get; } = Of(Overload, "The key must send fewer requests, at once and in a second; RateLimit-Policy says how many.");

    public static Problem NoBody { get; } = Of(Malformed, "A JSON body must be sent.");

    public static Problem BodyTooLarge { get; } = Of(TooLarge, "The body must be smaller.");

    public static Problem TooSlow { get; } = Of(Timeout, "The whole body must arrive sooner; send the same request again.");

    public static Problem NotJson { get; } = Of(MediaType, "Content-Type must be application/json.", HeaderNames.ContentType);

    public static Problem NotUtf8 { get; } = Of(MediaType, "The charset of Content-Type must be utf-8.", HeaderNames.ContentType);

    public static Problem Encoded { get; } = Of(MediaType, "Content-Encoding must be left out: the body must be sent as it is.", HeaderNames.ContentEncoding);

    /// <summary>The stable code of a refusal.</summary>
    public static string Code(RefusalCode code) => code.Word();

    public static Problem Of(Refusal refusal)
    {
        var problem = Of(Code(refusal.Code), refusal.Detail, refusal.Field) with { Errors = refusal.Told.IsEmpty ? null : refusal.Told };
        var (type, title, status, detail, code, field) = problem;
        if (refusal.Services is { } needed)
            return new ServicesShortage(type, title, status, detail, code, field, needed.Currency, needed.ToAllocate, needed.Available) { Errors = problem.Errors };
        return refusal.Amounts is not { } amounts
            ? problem
            : new Shortage(
                type, title, status, detail, code, field, amounts.ToCharge, amounts.UserAvailable, amounts.ContractRemaining, amounts.NextRenewalAt, amounts.NextCreditsAt)
            {
                Errors = problem.Errors,
            };
    }

    public static Problem Of(string code, string detail, string? field = null)
    {
        var (status, title) = Meaning(code);
        return new($"{ProblemPages.Path}/{code}", title, status, detail, code, field) { Errors = field is null ? null : [new(field, detail)] };
    }

    public static Problem NotFound(string what) => Of(Refusal.NotFound(what));

    public static Problem NoContract(string contractId) => NotFound($"contract {contractId}");

    /// <summary>Gives a status that came without a body its problem: a route or method that is not there, a body that could not be received.</summary>
    public static Task Explain(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => NotFound($"{context.Request.Path}").ExecuteAsync(context),
        StatusCodes.Status405MethodNotAllowed => ExplainMethods(context),
        StatusCodes.Status408RequestTimeout => TooSlow.ExecuteAsync(context),
        StatusCodes.Status413PayloadTooLarge => BodyTooLarge.ExecuteAsync(context),
        StatusCodes.Status415UnsupportedMediaType => NotJson.ExecuteAsync(context),
        StatusCodes.Status400BadRequest => NoBody.ExecuteAsync(context),
        _ => Task.CompletedTask,
    };

    private static Task ExplainMethods(HttpContext context)
    {
        var methods = Conventions.Allowed(context.Response.Headers.Allow.ToString());
        context.Response.Headers.Allow = methods;
        if (!HttpMethods.IsOptions(context.Request.Method)) return Of(NotAllowed, $"The method must be one of {methods}.").ExecuteAsync(context);
        Conventions.Allow(context, methods);
        return Task.CompletedTask;
    }

    /// <summary>Turns what was thrown on the way into a problem; nothing of the service's inside shows in it.</summary>
    public static async Task Catch(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (IsOfLeaving(e, context))
        {
            // Who leaves is no fault of anybody's.
            if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var problem = Of(e, context);
            if (problem.Status >= 500)
                context.RequestServices.GetRequiredService<ILogger<Problem>>().Log(
                    problem.Code == Internal ? LogLevel.Error : LogLevel.Warning, e, "{Method} {Path} ended with {Code}, request {RequestId}",
                    context.Request.Method, context.Request.Path, problem.Code, context.TraceIdentifier);
            await problem.ExecuteAsync(context);
        }
    }

    private static bool IsOfLeaving(Exception exception, HttpContext context) =>
        exception is ConnectionResetException || (context.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException);

    // The body is looked through again only where it could not be read.
    private static Problem Of(Exception exception, HttpContext context) =>
        exception is BadHttpRequestException { StatusCode: StatusCodes.Status400BadRequest } && context.Features.Get<Bodies.Received>() is { } body
            ? BodyFaults.Of(body.Json, body.Type, context.Request.RouteValues)
            : Of(exception);

    /// <summary>The problem of what was thrown.</summary>
    public static Problem Of(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => BodyTooLarge,
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => TooSlow,
        BadHttpRequestException { StatusCode: StatusCodes.Status415UnsupportedMediaType } => NotJson,
        BadHttpRequestException => NoBody,
        InvalidCursorException => Of(Malformed, exception.Message, "cursor"),
        StoreUnavailableException or UnknownSchemaException => Of(Unavailable, "The store is away; send the same request again."),
        CursorGoneException => Of(CursorGone, exception.Message, "cursor"),
        ArchivedException archived => Of(Archived, archived.Message, archived.Field),
        AskAgainException => Of(Unavailable, "The service is being moved; send the same request again."),
        _ when Calls.IsLost(exception) => Of(Unavailable, "An answer was lost; send the same request again."),
        _ => Of(Internal, "The request was not carried out because of a fault in the service."),
    };
}
