using System.Buffers;
using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.IO.Pipelines;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace CreditGrains.Http;

/// <summary>
/// Receives a request's body whole, within a time and a size, before the request takes anybody's turn. What it cannot read is refused here.
/// </summary>
internal sealed class Bodies(HttpOptions options, TimeProvider time, HttpMetrics metrics)
{
    // In fewer bytes no list is so long that it would matter.
    private const int LeastSearched = 64 << 10, LeastBuffered = 256;

    private static readonly ConcurrentDictionary<Type, Dictionary<string, int>> Limits = new();
    private static readonly ConcurrentDictionary<Type, bool> NeedNone = new();

    private long received;

    /// <summary>A body as it was received.</summary>
    /// <param name="Type">What it is to become.</param>
    internal sealed record Received(byte[] Json, Type Type) : IRequestBodyPipeFeature, IHttpRequestBodyDetectionFeature
    {
        public PipeReader Reader { get; } = PipeReader.Create(new ReadOnlySequence<byte>(Json));

        public bool CanHaveBody => true;
    }

    public async Task Receive(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>()?.RequestType is not { } type)
        {
            await next(context);
            return;
        }

        var request = context.Request;
        if (Unreadable(request) is { } unreadable)
        {
            await unreadable.ExecuteAsync(context);
            return;
        }
        var held = 0L;
        try
        {
            var (json, problem) = await ReadAll(request, bytes => Hold(bytes, ref held));
            if (problem is null && json!.Length > 0 && request.ContentType is null) problem = Problems.NotJson;
            if (problem is null && json!.Length == 0) (json, problem) = NeedsNone(request.Method, type) ? ("{}"u8.ToArray(), null) : (json, Problems.NoBody);
            if (problem is null && json!.Length >= LeastSearched && Overlong(json, type) is { } refusal) problem = Problems.Of(refusal);
            if (problem is not null)
            {
                await problem.ExecuteAsync(context);
                return;
            }

            // In its normal spelling: the framework's reader fails on a charset in quotes.
            request.ContentType = "application/json";
            var body = new Received(json!, type);
            request.Body = new MemoryStream(json!, writable: false);
            context.Features.Set<IRequestBodyPipeFeature>(body);
            context.Features.Set<IHttpRequestBodyDetectionFeature>(body);
            context.Features.Set(body);
            await next(context);
        }
        finally
        {
            Interlocked.Add(ref received, -held);
        }
    }

    private static Problem? Unreadable(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity") return Problems.Encoded;
        if (request.ContentType is null) return null;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !IsJson(type)) return Problems.NotJson;
        return HeaderUtilities.RemoveQuotes(type.Charset).Value is { Length: > 0 } charset && !IsUtf8(charset) ? Problems.NotUtf8 : null;
    }

    private static bool IsJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);

    private static bool IsUtf8(string charset) =>
        charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase);

    // Each read that is begun is awaited to its end, so that the connection can be used or closed in order.
    private async Task<(byte[]? Json, Problem? Problem)> ReadAll(HttpRequest request, Func<long, bool> hold)
    {
        if (request.ContentLength > MaxSize(request.HttpContext)) return (null, Problems.BodyTooLarge);
        var buffer = new ArrayBufferWriter<byte>((int)Math.Clamp(request.ContentLength ?? 0, LeastBuffered, LeastSearched));
        using var deadline = new Deadline(options.BodyDeadline, time, request.HttpContext.RequestAborted);
        try
        {
            while (true)
            {
                if (!request.BodyReader.TryRead(out var read)) read = await request.BodyReader.ReadAsync(deadline.Token);
                if (!hold(read.Buffer.Length))
                {
                    metrics.Limits.Add(HttpMetrics.OfBodies);
                    return (null, Problems.Overloaded);
                }
                foreach (var part in read.Buffer) buffer.Write(part.Span);
                request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) return (buffer.WrittenSpan.ToArray(), null);
            }
        }
        catch (OperationCanceledException) when (!deadline.IsGone)
        {
            request.HttpContext.Response.Headers.Connection = "close";
            return (null, Problems.TooSlow);
        }
    }

    private static long? MaxSize(HttpContext context) => context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;

    // All bodies that are being received or worked on share one budget.
    private bool Hold(long bytes, ref long held)
    {
        held += bytes;
        return Interlocked.Add(ref received, bytes) <= options.MaxBytesOfBodies;
    }

    /// <summary>Whether it is a POST whose fields are all optional, and needs no body.</summary>
    public static bool NeedsNone(string method, Type type) => HttpMethods.IsPost(method)
        && NeedNone.GetOrAdd(type, body => body.GetConstructors().Any(constructor => constructor.GetParameters().All(parameter => parameter.HasDefaultValue)));

    // A refusal of a list that has more items than any such list may have, before they become objects.
    private static Refusal? Overlong(ReadOnlySpan<byte> json, Type type)
    {
        var limits = Limits.GetOrAdd(type, body => LimitsOf(body).DistinctBy(pair => pair.Key).ToDictionary());
        var reader = new Utf8JsonReader(json);
        var open = new (string Name, int Limit, int Left)[reader.CurrentState.Options.MaxDepth is > 0 and var depth ? depth + 2 : 66];
        open.AsSpan().Fill(("", 0, int.MaxValue));
        var name = "";
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    name = "";
                    foreach (var known in limits.Keys)
                        if (reader.ValueTextEquals(known)) name = known;
                    continue;
                }
                if (reader.TokenType is JsonTokenType.EndArray or JsonTokenType.EndObject) continue;

                ref var list = ref open[reader.CurrentDepth];
                if (--list.Left < 0) return Refusal.Invalid(list.Name, $"must have at most {list.Limit:N0} items");
                open[reader.CurrentDepth + 1] = reader.TokenType == JsonTokenType.StartArray && limits.TryGetValue(name, out var limit)
                    ? (name, limit, limit)
                    : ("", 0, int.MaxValue);
                name = "";
            }
        }
        catch (JsonException)
        {
            // Whoever reads it next says what is wrong with it.
        }
        return null;
    }

    private static IEnumerable<KeyValuePair<string, int>> LimitsOf(Type body) =>
        from property in Json.Options.GetTypeInfo(body).Properties
        from limit in OfList(property).Concat(ItemOf(property.PropertyType) is { } item && item.IsAssignableTo(typeof(IBody)) ? LimitsOf(item) : [])
        select limit;

    private static IEnumerable<KeyValuePair<string, int>> OfList(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(MaxLengthAttribute), inherit: true) is [MaxLengthAttribute most] && property.PropertyType.IsArray
            ? [new(property.Name, most.Length)]
            : [];

    private static Type? ItemOf(Type type) => type.IsArray ? type.GetElementType() : null;
}
