using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>A JSON merge patch (RFC 7396) of a document that is put as <typeparamref name="TBody"/>: what is absent stays; null clears, where a PUT takes null.</summary>
[JsonConverter(typeof(MergePatchConverter))]
internal sealed record MergePatch<TBody>(JsonObject Fields) : IBody where TBody : class, IBody
{
    public Refusal? Check(RouteValueDictionary path) => null;

    /// <summary>
    /// Patches what is there as it was read; where that has changed since, the patch is made again, unless the caller has said which version it is of.
    /// </summary>
    /// <param name="find">What is there for the caller, and as it is shown; null: nothing.</param>
    /// <param name="put">Puts the body in place of what was found, if that is there still.</param>
    public async Task<IResult> Make<TPresent, TDocument>(
        HttpRequest request, Problem absent, Func<Task<(TPresent Present, TDocument Shown)?>> find,
        Func<TBody, (TPresent Present, TDocument Shown), Demand, RequestKey?, Task<(Answered<TDocument>? Made, Problem? Problem)>> put) where TDocument : class
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        while (true)
        {
            if (await find() is not { } found) return absent;
            var demand = Tags.DemandOf(request, Tags.Of(found.Shown));
            if (demand.Refused is { } refused) return refused;
            var (body, wrong) = Over(found.Shown, request.RouteValues);
            if (wrong is not null) return wrong;

            var (made, problem) = await put(body!, found, demand, key);
            if (made is not null) return Replies.Ok(made.Answer, made.Replayed);
            if (demand.IsMade || problem!.Status != StatusCodes.Status412PreconditionFailed) return problem!;
        }
    }

    // The body whose PUT is this patch of a document as it is shown; or what is wrong with it.
    private (TBody? Body, Problem? Problem) Over<TDocument>(TDocument document, RouteValueDictionary path)
    {
        var merged = JsonSerializer.SerializeToNode(document, Json.Options)!.AsObject();
        Merge(merged, Fields);
        try
        {
            var body = merged.Deserialize<TBody>(Json.Options)!;
            return body.Check(path) is { } refusal ? (null, Problems.Of(refusal)) : (body, null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return (null, BodyFaults.Of(merged, typeof(TBody), path));
        }
    }

    // Null stays in the document, so that a field that cannot be null is refused rather than set to its default.
    private static void Merge(JsonObject document, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is JsonObject inner && document[name] is JsonObject before) Merge(before, inner);
            else document[name] = value?.DeepClone();
        }
    }
}

internal sealed class MergePatchConverter : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(MergePatch<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert.GenericTypeArguments))!;

    private sealed class Of<TBody> : JsonConverter<MergePatch<TBody>> where TBody : class, IBody
    {
        public override MergePatch<TBody> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("expected an object");
            try
            {
                var fields = JsonNode.Parse(ref reader)!.AsObject();
                LookThrough(fields);
                return new(fields);
            }
            catch (ArgumentException e)
            {
                throw new JsonException("expected each field once", e);
            }
        }

        // A node finds out that it has a field twice when it is looked into.
        private static void LookThrough(JsonNode? node)
        {
            if (node is JsonObject fields) foreach (var field in fields) LookThrough(field.Value);
            if (node is JsonArray items) foreach (var item in items) LookThrough(item);
        }

        public override void Write(Utf8JsonWriter writer, MergePatch<TBody> value, JsonSerializerOptions options) => value.Fields.WriteTo(writer, options);
    }
}
