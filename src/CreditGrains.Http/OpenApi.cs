using System.ComponentModel.DataAnnotations;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>The description of the calls, made from the calls themselves.</summary>
internal static class OpenApi
{
    // What any call may be answered with, whatever it does.
    private static readonly string[] Common =
        [Problems.Malformed, Problems.UnknownField, Problems.Unauthenticated, Problems.Forbidden, Problems.Overloaded.Code, Problems.Unavailable];

    /// <summary>The refusals of a call, as metadata of its endpoint.</summary>
    private sealed record Refusals(RefusalCode[] Codes);

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder call, string summary, params int[] statuses) =>
        statuses.Aggregate(call.WithSummary(summary), (described, status) => described.Produces<T>(status));

    public static RouteHandlerBuilder Answers(this RouteHandlerBuilder call, string summary, int status) => call.WithSummary(summary).Produces(status);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder call, params RefusalCode[] codes) => call.WithMetadata(new Refusals(codes));

    public static IServiceCollection AddCreditGrainsOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<Description>();
        return services.AddOpenApi("v1", options =>
        {
            options.CreateSchemaReferenceId = NameOf;
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new()
                {
                    Title = "CreditGrains",
                    Version = "v1",
                    Description = "Credits of contracts, consumed by reports on players, and services credits of accounts, allocated to milestones. "
                        + "Answers may gain fields.",
                    License = new() { Name = "MIT", Identifier = "MIT" },
                };
                document.Servers = [new() { Url = "/" }];
                document.Components ??= new();
                var schemas = document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();

                // A patch is told as the fields that it may have.
                foreach (var patch in schemas.Keys.Where(name => name.StartsWith(nameof(MergePatch<>), StringComparison.Ordinal)).ToList())
                    schemas.Remove(patch);

                // Answers may gain fields.
                foreach (var (name, schema) in schemas)
                    if (schema is OpenApiSchema plain && !name.Contains("Body", StringComparison.Ordinal))
                        plain.AdditionalPropertiesAllowed = true;
                document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["key"] = new OpenApiSecurityScheme
                    {
                        Type = SecuritySchemeType.Http,
                        Scheme = "bearer",
                        Description = "An API key. Without any key configured only loopback is served.",
                    },
                };
                return Task.CompletedTask;
            });
            options.AddOperationTransformer(Describe);
            options.AddSchemaTransformer((schema, context, _) =>
            {
                Describe(schema, context.JsonTypeInfo, context.JsonPropertyInfo);
                return Task.CompletedTask;
            });
        });
    }

    /// <summary>The description is made once, and served with its entity tag.</summary>
    public static IEndpointConventionBuilder MapDescription(this IEndpointRouteBuilder app) =>
        app.MapGet("/openapi/v1.json", async (Description description, HttpContext context) =>
        {
            var (plain, zipped) = await description.Made;
            var isZipped = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
            var (text, tag) = isZipped ? zipped : plain;
            context.Response.Headers.Vary = HeaderNames.AcceptEncoding;
            if (isZipped) context.Response.Headers.ContentEncoding = "gzip";
            Tags.Tag(context.Response, tag);
            return TypedResults.Bytes(text, "application/json; charset=utf-8", entityTag: new(tag));
        }).ExcludeFromDescription();

    /// <summary>The description as text, plain and zipped.</summary>
    internal sealed class Description(IServiceProvider services)
    {
        private readonly Lazy<Task<(Tagged Plain, Tagged Zipped)>> made = new(() => Make(services));

        public readonly record struct Tagged(byte[] Text, string Tag);

        public Task<(Tagged Plain, Tagged Zipped)> Made => made.Value;

        private static async Task<(Tagged, Tagged)> Make(IServiceProvider services)
        {
            var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync(CancellationToken.None);
            var plain = Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1));
            using var zipped = new MemoryStream();
            await using (var zip = new GZipStream(zipped, CompressionLevel.SmallestSize, leaveOpen: true)) await zip.WriteAsync(plain);
            return (Tag(plain), Tag(zipped.ToArray()));

            static Tagged Tag(byte[] text) => new(text, Tags.Of(text));
        }
    }

    // A nested type is named with the one around it; values are told where they stand, not as components.
    private static string? NameOf(JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        if (IsValue(type) || OpenApiOptions.CreateDefaultSchemaReferenceId(info) is not { } name) return null;
        return type.DeclaringType is { } around ? around.Name + name : name;
    }

    private static bool IsValue(Type type) =>
        type.IsEnum || type == typeof(RenewalDay) || type == typeof(Instant) || type == typeof(LocalDate) || type == typeof(CreditId);

    private static bool IsRequest(Type type) =>
        type.Name.EndsWith("Body", StringComparison.Ordinal) || type.DeclaringType?.Name.EndsWith("Body", StringComparison.Ordinal) == true;

    // The domain's values are texts; the schema generator cannot see into their converters.
    private static void Describe(OpenApiSchema schema, JsonTypeInfo info, JsonPropertyInfo? property)
    {
        var value = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        var orNull = value == info.Type || IsRequired(property) ? 0 : JsonSchemaType.Null;
        if (value == typeof(RenewalDay))
        {
            schema.Type = JsonSchemaType.String | JsonSchemaType.Integer | orNull;
            schema.Description = "monday to sunday for weekly, 1 to 31 for monthly";
            schema.Properties?.Clear();
        }
        else if (IsValue(value))
        {
            schema.Type = JsonSchemaType.String | orNull;
            schema.Format = value == typeof(Instant) ? "date-time" : value == typeof(LocalDate) ? "date" : null;
            if (value.IsEnum) schema.Enum = orNull == 0 ? Names(value) : [.. Names(value), JsonNullSentinel.JsonNull];
        }
        else if (value == typeof(decimal))
        {
            schema.Type = JsonSchemaType.Number | orNull;
            schema.Pattern = null;
        }
        else if (info.Kind == JsonTypeInfoKind.Object)
        {
            // What is null is not written at all.
            foreach (var member in info.Properties)
                if (member.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), true)
                    is [JsonIgnoreAttribute { Condition: JsonIgnoreCondition.WhenWritingNull }])
                    schema.Required?.Remove(member.Name);
        }
        if (IsRequired(property) && schema.Type is { } type) schema.Type = type & ~JsonSchemaType.Null;
    }

    // A body's fields are optional in C#, so that all that are missing can be told together; those without a default must be given.
    private static bool IsRequired(JsonPropertyInfo? property) => property is not null && IsRequest(property.DeclaringType)
        && (property.AssociatedParameter is { HasDefaultValue: false } || property.AttributeProvider?.IsDefined(typeof(RequiredAttribute), true) == true);

    // POST /v1/contracts/{contractId}/lots is postContractLots: a segment before an id is of one.
    private static string IdOf(string method, string path)
    {
        var segments = path.Trim('/').Split('/').Where(segment => segment != "v1").Append("").ToList();
        var names = segments.Zip(segments.Skip(1), (segment, next) => segment.StartsWith('{') ? ""
            : next.StartsWith('{') ? Words(segment).TrimEnd('s')
            : Words(segment));
        return method.ToLowerInvariant() + string.Concat(names);

        static string Words(string segment) => string.Concat(segment.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static async Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancelled)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var method = context.Description.HttpMethod!;
        operation.OperationId = IdOf(method, context.Description.RelativePath!);
        var isOpen = metadata.OfType<IAllowAnonymous>().Any();
        var codes = metadata.OfType<Refusals>().SelectMany(refusals => refusals.Codes).Select(Problems.Code)
            .Concat(isOpen ? [Problems.Unavailable] : Common)
            .Concat(operation.RequestBody is null ? [] : [Problems.TooLarge]);

        if (context.Document!.Components?.Schemas?.ContainsKey(nameof(Problem)) is not true)
        {
            var schema = await context.GetOrCreateSchemaAsync(typeof(Shortage), cancellationToken: cancelled);
            schema.Required = new HashSet<string> { "type", "title", "status", "detail", "code" };
            var services = await context.GetOrCreateSchemaAsync(typeof(ServicesShortage), cancellationToken: cancelled);
            foreach (var (name, property) in services.Properties!) schema.Properties![name] = property;
            schema.Properties!["code"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Enum = [.. Problems.Codes.Select(code => JsonValue.Create(code))],
            };
            context.Document.AddComponent(nameof(Problem), schema);
        }

        operation.Responses ??= [];
        foreach (var status in codes.GroupBy(code => Problems.Meaning(code).Status).OrderBy(status => status.Key))
            operation.Responses[$"{status.Key}"] = new OpenApiResponse
            {
                Description = string.Join(", ", status),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem.ContentType] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) },
                },
            };
        if (context.Description.ParameterDescriptions.Select(parameter => parameter.Type).FirstOrDefault(IsPatch) is { } patch)
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = await PatchOf(patch.GenericTypeArguments[0], context, cancelled) };
        Headers(operation, method, comparesTags: !isOpen && (method is "GET" || metadata.OfType<Tags.Compares>().Any()));
        if (!isOpen) operation.Security = [new() { [new OpenApiSecuritySchemeReference("key", context.Document)] = [] }];
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            if (parameter.In != ParameterLocation.Header)
                parameter.Schema = SchemaOf(parameter.Name!);
    }

    private static bool IsPatch(Type? type) => type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(MergePatch<>);

    // A merge patch has the fields that a PUT has, and needs none of them (RFC 7396).
    private static async Task<Dictionary<string, OpenApiMediaType>> PatchOf(Type body, OpenApiOperationTransformerContext context, CancellationToken cancelled)
    {
        var schema = await context.GetOrCreateSchemaAsync(body, cancellationToken: cancelled);
        schema.Required?.Clear();
        var name = body.Name.Replace("Body", "PatchBody", StringComparison.Ordinal);
        context.Document!.AddComponent(name, schema);
        return new() { ["application/json"] = new() { Schema = new OpenApiSchemaReference(name, context.Document) } };
    }

    private static void Headers(OpenApiOperation operation, string method, bool comparesTags)
    {
        operation.Parameters ??= [];
        if (method is "POST" or "PATCH")
            Take(IdempotencyKeys.Header, $"Sent again with the same key and request, the call gets its first answer; {IdempotencyKeys.Rule}");
        if (comparesTags) Take(HeaderNames.IfMatch, "Entity tags of which the present one must be one (RFC 9110)");
        if (comparesTags) Take(HeaderNames.IfNoneMatch, "Entity tags of which the present one must not be one (RFC 9110)");
        foreach (var (status, response) in operation.Responses!)
        {
            if (status is "201") Give(response, HeaderNames.Location, "Where what was made is");
            if (status is "200" && method is "POST" or "PATCH") Give(response, IdempotencyKeys.Replayed, "true: this is the first answer, given again");
            if (status is "429" or "503") Give(response, HeaderNames.RetryAfter, "Seconds to wait before the request is sent again");
            if (status is "401") Give(response, HeaderNames.WWWAuthenticate, "Bearer");
        }

        void Take(string name, string description) =>
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Header,
                Description = description,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });

        static void Give(IOpenApiResponse response, string name, string description)
        {
            if (response is not OpenApiResponse { } plain) return;
            plain.Headers ??= new Dictionary<string, IOpenApiHeader>();
            plain.Headers[name] = new OpenApiHeader { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        }
    }

    private static OpenApiSchema SchemaOf(string parameter) => parameter switch
    {
        "limit" => new() { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = $"{Parameters.MaxLimit}", Default = Parameters.DefaultLimit },
        "count" => new() { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = $"{Parameters.MaxLimit}", Default = Parameters.DefaultCount },
        "from" or "to" or "at" => new() { Type = JsonSchemaType.String, Format = "date-time" },
        "status" => new() { Type = JsonSchemaType.String, Enum = Names(typeof(CreditStatus)) },
        "groupBy" => new() { Type = JsonSchemaType.String, Enum = Names(typeof(UsageBy)) },
        "cursor" or Parameters.CreditId => new() { Type = JsonSchemaType.String },
        _ => new() { Type = JsonSchemaType.String, Pattern = "^[A-Za-z0-9._:-]+$" },
    };

    private static List<JsonNode> Names(Type enumeration) => [.. BodyFaults.Names(enumeration).Select(name => JsonValue.Create(name))];
}
