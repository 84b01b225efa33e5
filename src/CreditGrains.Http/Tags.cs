using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace CreditGrains.Http;

/// <summary>
/// ETags and conditional requests (RFC 9110, 8.8.3 and 13), here alone. What a GET answers is tagged by its content, unless its call says which version it is;
/// the call that changes it answers with the new tag and compares If-Match and If-None-Match with the present one. Any other call refuses these headers.
/// </summary>
internal static class Tags
{
    private const int HashBytes = 12;

    /// <summary>The call compares If-Match and If-None-Match, as metadata of its endpoint.</summary>
    internal sealed record Compares;

    /// <summary>The call answers with the tag of what it has changed, and compares none, as metadata of its endpoint.</summary>
    internal sealed record Tells;

    public static TBuilder TellsTag<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Tells());

    public static TBuilder ComparesTags<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Compares());

    /// <summary>The tag of a version.</summary>
    public static string OfVersion(object version) => $"\"{version}\"";

    /// <summary>The tag of a document as it is shown: equal documents, equal tags.</summary>
    public static string Of<T>(T document) where T : class => Of(JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), Json.Options));

    public static bool IsConditional(HttpRequest request) => request.Headers.IfMatch.Count + request.Headers.IfNoneMatch.Count > 0;

    /// <summary>What a request demands of something that is to change.</summary>
    /// <param name="present">Its tag; null: there is nothing.</param>
    public static Demand DemandOf(HttpRequest request, string? present)
    {
        var (match, noneMatch) = (request.Headers.IfMatch, request.Headers.IfNoneMatch);
        var isUnchanged = match.Count == 0 || Names(match, present, strong: true);
        var isNew = noneMatch.Count == 0 || !Names(noneMatch, present, strong: false);
        return new(IsConditional(request), isUnchanged, isNew ? null : NotNew);
    }

    /// <summary>Tags what a call answers, and answers 304 where the caller has it already.</summary>
    public static EndpointFilterDelegate Apply(EndpointFilterFactoryContext call, EndpointFilterDelegate next) => async invocation =>
    {
        var (request, response) = (invocation.HttpContext.Request, invocation.HttpContext.Response);
        var isRead = HttpMethods.IsGet(request.Method);
        if (!isRead && invocation.HttpContext.GetEndpoint()!.Metadata.GetMetadata<Compares>() is null)
            return Refuse(request, HeaderNames.IfMatch) ?? Refuse(request, HeaderNames.IfNoneMatch) ?? await next(invocation);

        var result = await next(invocation);
        if (result is not IValueHttpResult { Value: { } document } || (result as IStatusCodeHttpResult)?.StatusCode is not (200 or 201)) return result;
        if (!isRead)
        {
            Tag(response, response.Headers.ETag.Count == 0 ? Of(document) : response.Headers.ETag.ToString());
            return result;
        }

        var json = result is Csv.Text
            ? Encoding.UTF8.GetBytes((string)document)
            : JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), Json.Options);
        var tag = response.Headers.ETag.Count == 0 ? Of(json) : response.Headers.ETag.ToString();
        Tag(response, tag);
        var isAnother = request.Headers.IfMatch.Count > 0 && !Names(request.Headers.IfMatch, tag, strong: true);
        if (!isAnother && !Names(request.Headers.IfNoneMatch, tag, strong: false)) return result is Csv.Text ? result : new Shown(json);

        // A page that is not shown leads to no other.
        response.Headers.Remove(HeaderNames.Link);
        return isAnother ? NotTheSame : TypedResults.StatusCode(StatusCodes.Status304NotModified);
    };

    /// <summary>Says the tag of what is answered, which may be kept as long as it is compared.</summary>
    public static void Tag(HttpResponse response, string tag) => (response.Headers.ETag, response.Headers.CacheControl) = (tag, "private, no-cache");

    private static Problem NotTheSame { get; } = Problems.Of(new Refusal(RefusalCode.PreconditionFailed, "If-Match must name the present version.", HeaderNames.IfMatch));

    private static Problem NotNew { get; } = Problems.Of(
        new Refusal(RefusalCode.PreconditionFailed, "If-None-Match must not name what is there; read it, and change it with If-Match.", HeaderNames.IfNoneMatch));

    private static Problem? Refuse(HttpRequest request, string header) =>
        request.Headers[header].Count == 0 ? null : Problems.Of(Problems.Malformed, $"{header} must be left out: this call compares no versions.", header);

    /// <summary>The tag of a text.</summary>
    public static string Of(byte[] json) => $"\"{Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, HashBytes))}\"";

    // Whether one of the tags of a header, in however many lines, is the present one. "*": there is something.
    private static bool Names(StringValues header, string? present, bool strong) => present is not null && header.Any(line => Names(line!, present, strong));

    private static bool Names(string line, string present, bool strong) =>
        EntityTagHeaderValue.TryParseList([line], out var tags) && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || (tag.Tag == present && !(strong && tag.IsWeak)));

    private sealed class Shown(byte[] json) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = "application/json; charset=utf-8";
            httpContext.Response.ContentLength = json.Length;
            return httpContext.Response.Body.WriteAsync(json).AsTask();
        }
    }
}

/// <summary>What a conditional request demands of the present state of something.</summary>
/// <param name="IsMade">Whether it demands anything.</param>
/// <param name="Holds">Whether If-Match holds.</param>
/// <param name="Refused">If-None-Match does not hold.</param>
internal readonly record struct Demand(bool IsMade, bool Holds, Problem? Refused)
{
    /// <summary>The version that the caller has seen, which the decision compares again; null: any.</summary>
    public long? Version(long? present) => !IsMade ? null : Holds ? present ?? 0 : -1;

    /// <summary>The value that the caller has seen, which the decision compares again; null: any.</summary>
    public string? Value<T>(T? present) where T : class => !IsMade ? null : Holds ? Seen.Of(present) : Seen.Other;
}
