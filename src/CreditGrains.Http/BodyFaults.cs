using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Finds every fault of a body that could not be read: broken JSON, unknown fields, values of a wrong type, and what the other fields must be besides.</summary>
internal static class BodyFaults
{
    private static readonly JsonDocumentOptions Once = new() { AllowDuplicateProperties = false };

    public static Problem Of(ReadOnlyMemory<byte> json, Type type, RouteValueDictionary path)
    {
        JsonNode? body;
        try
        {
            body = JsonNode.Parse(json.Span);
        }
        catch (JsonException e)
        {
            return Problems.Of(Problems.Malformed, $"The body must be JSON; it is none at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.");
        }
        try
        {
            JsonDocument.Parse(json, Once).Dispose();
        }
        catch (JsonException)
        {
            return Problems.Of(Problems.Malformed, "The body must have each field once.");
        }
        return body is JsonObject fields ? Of(fields, type, path) : Problems.Of(Problems.Malformed, "The body must be a JSON object.");
    }

    /// <summary>The faults of an object that is to become that type.</summary>
    public static Problem Of(JsonObject body, Type type, RouteValueDictionary path)
    {
        var search = new Search();
        search.Look(body, Json.Options.GetTypeInfo(type), "");
        if (search.Unknown is [var first, ..])
            return Problems.Of(Problems.UnknownField, first.Reason, first.Field) with { Errors = [.. search.Unknown, .. search.Wrong] };

        // What is wrong has been taken out, so that the rest can be checked.
        var rest = body.Deserialize(type, Json.Options) is IBody read ? read.Check(path) : null;
        var others = (rest?.Told ?? []).Where(fault => search.Wrong.All(wrong => wrong.Field != fault.Field));
        return search.Wrong is [var wrong, ..]
            ? Problems.Of(Refusal.Invalid(wrong.Field, "") with { Detail = wrong.Reason, Faults = [.. search.Wrong, .. others] })
            : Problems.Of(Problems.Malformed, "The body must be JSON that fits this call.");
    }

    /// <summary>What a value of that type must be; the rule, and every possible value where they are few.</summary>
    public static (string Rule, ImmutableArray<string>? Allowed) Expected(Type type)
    {
        var value = Nullable.GetUnderlyingType(type) ?? type;
        if (value.IsEnum)
        {
            var names = Names(value);
            return ($"must be one of {string.Join(", ", names)}", names);
        }
        return (value == typeof(Instant) ? "must be an RFC 3339 instant, e.g. 2026-03-31T12:00:00Z"
            : value == typeof(LocalDate) ? "must be a date, e.g. 2026-03-31"
            : value == typeof(RenewalDay) ? "must be monday to sunday, or 1 to 31"
            : value == typeof(bool) ? "must be true or false"
            : value == typeof(int) || value == typeof(long) ? $"must be a whole number of at most {long.MaxValue.ToString(null, null).Length - 1} digits"
            : value == typeof(decimal) ? $"must be a number of at most {Json.MaxNumberCharacters} characters"
            : value == typeof(string) ? "must be a text"
            : Json.Options.GetTypeInfo(value).Kind is JsonTypeInfoKind.Enumerable ? "must be a list"
            : "must be an object", null);
    }

    /// <summary>All values of an enumeration as they are written.</summary>
    public static ImmutableArray<string> Names(Type enumeration) =>
        [.. Enum.GetValuesAsUnderlyingType(enumeration).Cast<object>().Select(number => Name(Enum.ToObject(enumeration, number)))];

    /// <summary>A value of an enumeration as it is written.</summary>
    public static string Name(object value) => JsonSerializer.SerializeToNode(value, value.GetType(), Json.Options)!.GetValue<string>();

    /// <summary>The member of a closed set that has that name in JSON; null: none has.</summary>
    public static T? Named<T>(string? text) where T : struct, Enum =>
        Enum.GetValues<T>().Cast<T?>().FirstOrDefault(value => Name(value!.Value) == text);

    private sealed class Search
    {
        public List<FieldFault> Unknown { get; } = [];

        public List<FieldFault> Wrong { get; } = [];

        /// <summary>Takes out of an object or a list what cannot be read.</summary>
        public void Look(JsonNode node, JsonTypeInfo type, string at)
        {
            if (node is JsonObject fields)
            {
                foreach (var (name, value) in fields.ToList())
                {
                    var field = at.Length == 0 ? name : $"{at}.{name}";
                    if (type.Properties.FirstOrDefault(property => property.Name == name) is not { } known)
                        Unknown.Add(new(field, $"{(field.Length == 0 ? "A field without a name" : field)} must be left out; it is not known here."));
                    else if (!Fits(value, known.PropertyType, field)) fields.Remove(name);
                }
            }
            else if (node is JsonArray items)
            {
                for (var i = 0; i < items.Count; i++)
                    if (!Fits(items[i], type.ElementType!, $"{at}[{i}]")) items[i] = null;
            }
        }

        private bool Fits(JsonNode? value, Type type, string field)
        {
            var known = Json.Options.GetTypeInfo(type);
            if (value is null ? !type.IsValueType || Nullable.GetUnderlyingType(type) is not null : IsOf(value, known))
            {
                if (value is JsonObject or JsonArray) Look(value, known, field);
                return true;
            }
            var (rule, allowed) = Expected(type);
            Wrong.Add(new(field, $"{field} {rule}.", allowed));
            return false;
        }

        private static bool IsOf(JsonNode value, JsonTypeInfo type)
        {
            if (type.Kind is JsonTypeInfoKind.Object) return value is JsonObject;
            if (type.Kind is JsonTypeInfoKind.Enumerable) return value is JsonArray;
            try
            {
                value.Deserialize(type);
                return true;
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                return false;
            }
        }
    }
}
