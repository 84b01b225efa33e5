using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using CreditGrains.Domain;
using Microsoft.OpenApi;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>A field of any JSON is of one of these types.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class EitherAttribute(params Type[] types) : Attribute
{
    public Type[] Types => types;
}

/// <summary>
/// The schemas of a document: made from the contracts by which JSON is read and written, and described by the <see cref="Glossary"/>.
/// Objects are components, each type under a name of its own; values are told where they stand, for generated clients can use them only there.
/// </summary>
internal sealed class OpenApiSchemas(OpenApiDocument document)
{
    // Answers that share one schema: what only some of them have is optional.
    private static readonly Dictionary<Type, Type[]> Variants = new()
    {
        [typeof(Problem)] = [typeof(Problem), typeof(Shortage), typeof(ServicesShortage), typeof(NotReady)],
        [typeof(Report)] = [typeof(Report), typeof(Rehearsal)],
    };

    private readonly SortedDictionary<string, IOpenApiSchema> components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> types = [];

    public IDictionary<string, IOpenApiSchema> Components => components;

    /// <summary>The schema of a value of that type, or the reference to it.</summary>
    public IOpenApiSchema Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum) return new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. BodyFaults.Names(type).Select(name => JsonValue.Create(name))] };
        if (type == typeof(RenewalDay)) return RenewalDays;
        if (type == typeof(Instant)) return new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" };
        if (type == typeof(LocalDate)) return new OpenApiSchema { Type = JsonSchemaType.String, Format = "date" };
        if (type == typeof(string) || type == typeof(CreditId)) return new OpenApiSchema { Type = JsonSchemaType.String };
        if (type == typeof(bool)) return new OpenApiSchema { Type = JsonSchemaType.Boolean };
        if (type == typeof(int)) return new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32" };
        if (type == typeof(long)) return new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" };
        if (type == typeof(double)) return new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" };
        if (type == typeof(decimal)) return new OpenApiSchema { Type = JsonSchemaType.Number, Format = "decimal" };

        var info = Json.Options.GetTypeInfo(type);
        return info.Kind == JsonTypeInfoKind.Enumerable ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = Of(info.ElementType!) } : Component(type);
    }

    /// <summary>The reference to a merge patch's schema: the fields that a PUT has, none of them needed (RFC 7396).</summary>
    public IOpenApiSchema OfPatch(Type body) => Component(body, isPatch: true);

    // A text or a number, or null: generators that know no type of both make something useless of any union, but can take it as it is where there is none.
    private static OpenApiSchema RenewalDays => new()
    {
        Not = new OpenApiSchema { Type = JsonSchemaType.Object | JsonSchemaType.Array | JsonSchemaType.Boolean, Items = new OpenApiSchema() },
        Pattern = $"^({string.Join('|', Weekdays)})$",
        Minimum = "1",
        Maximum = "31",
    };

    private static IEnumerable<JsonNode> Weekdays =>
        Enumerable.Range(1, 7).Select(day => JsonSerializer.SerializeToNode(RenewalDay.Of((IsoDayOfWeek)day), Json.Options)!);

    private OpenApiSchemaReference Component(Type type, bool isPatch = false)
    {
        var name = isPatch ? NameOf(type).Replace("Body", "PatchBody", StringComparison.Ordinal) : NameOf(type);
        var isNew = types.TryAdd(name, type);
        Invariant.Holds(types[name] == type, $"{name} is the name of one type");
        if (!isNew) return new(name, document);

        // It is there before its fields are, which may refer to it.
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>(),
            Required = new HashSet<string>(),
            AdditionalPropertiesAllowed = !IsRequest(type),
        };
        components[name] = schema;
        foreach (var variant in Variants.GetValueOrDefault(type, [type]))
        {
            foreach (var field in Json.Options.GetTypeInfo(variant).Properties.Where(field => field.Get is not null))
            {
                if (!schema.Properties.TryAdd(field.Name, FieldOf(field, type, isPatch)) || variant != type) continue;
                if (!isPatch && IsRequired(field)) schema.Required.Add(field.Name);
            }
        }
        return new(name, document);
    }

    private IOpenApiSchema FieldOf(JsonPropertyInfo field, Type type, bool isPatch)
    {
        var schema = field.AttributeProvider?.GetCustomAttributes(typeof(EitherAttribute), true) is [EitherAttribute either]
            ? new OpenApiSchema { AnyOf = [.. either.Types.Select(Of)] }
            : field.CustomConverter is null ? Of(field.PropertyType) : new OpenApiSchema();
        if (schema is OpenApiSchema list && MaxItems(field) is { } most) list.MaxItems = most;
        Tell(schema, Glossary.Find(NameOf(type), field.Name, isServices: schema.Type == JsonSchemaType.Number, NameOf(field.DeclaringType)));
        if (!isPatch && field.AssociatedParameter is { HasDefaultValue: true, DefaultValue: { } value } && IsRequest(type) && schema is OpenApiSchema plain)
            plain.Default = JsonSerializer.SerializeToNode(value, value.GetType(), Json.Options);
        return CanBeNull(field) ? OrNull(schema) : schema;
    }

    /// <summary>Describes and limits a schema.</summary>
    public static void Tell(IOpenApiSchema schema, Word? word)
    {
        if (word is null) return;
        schema.Description = word.Description;
        if (schema is not OpenApiSchema plain) return;
        word.Limit?.Invoke(plain);
        if ((word.Example ?? plain.Enum?.FirstOrDefault()) is { } example) plain.Examples = [example.DeepClone()];
    }

    private static IOpenApiSchema OrNull(IOpenApiSchema schema)
    {
        if (schema is OpenApiSchema { Type: { } type } plain)
        {
            plain.Type = type | JsonSchemaType.Null;
            plain.Enum?.Add(JsonNullSentinel.JsonNull);
        }
        else if (schema is OpenApiSchemaReference { Description: var description } reference)
        {
            reference.Description = null;
            return new OpenApiSchema { Description = description, OneOf = [Null, reference] };
        }
        return schema;
    }

    private static OpenApiSchema Null => new() { Type = JsonSchemaType.Null };

    // A nested type is named with the one around it, and a list by its items.
    private static string NameOf(Type type) => (type.DeclaringType?.Name ?? "")
        + (type.IsGenericType ? $"{type.Name.Split('`')[0]}Of{NameOf(type.GenericTypeArguments[0])}" : type.Name);

    private static bool IsRequest(Type type) => NameOf(type).Contains("Body", StringComparison.Ordinal);

    // A body's fields are optional in C#, so that all that are missing can be told together; those without a default must be given.
    // An answer has all its fields but those that are left out; generators take one that has no type for one that is never null, if it is required.
    private static bool IsRequired(JsonPropertyInfo field) => IsRequest(field.DeclaringType)
        ? field.AssociatedParameter is { HasDefaultValue: false } || field.AttributeProvider?.IsDefined(typeof(RequiredAttribute), true) == true
        : !IsLeftOut(field) && field.PropertyType != typeof(RenewalDay?);

    private static bool CanBeNull(JsonPropertyInfo field) => field.IsGetNullable && !IsLeftOut(field) && !(IsRequest(field.DeclaringType) && IsRequired(field));

    // What is null is not written at all.
    private static bool IsLeftOut(JsonPropertyInfo field) => field.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), true)
        is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.WhenWritingNull }];

    private static int? MaxItems(JsonPropertyInfo field) =>
        field.AttributeProvider?.GetCustomAttributes(typeof(MaxLengthAttribute), true) is [MaxLengthAttribute most] ? most.Length : null;
}
