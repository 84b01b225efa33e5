using System.Text.Json;
using System.Text.Json.Nodes;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>The description of the calls, made from the calls themselves.</summary>
internal static class OpenApi
{
    // What any call may be answered with, whatever it does.
    private static readonly string[] Common = [Problems.Malformed, Problems.UnknownField, Problems.Unauthenticated, Problems.Forbidden, Problems.Overloaded.Code, Problems.Unavailable];

    /// <summary>The refusals of a call, as metadata of its endpoint.</summary>
    private sealed record Refusals(RefusalCode[] Codes);

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder call, string summary, params int[] statuses) =>
        statuses.Aggregate(call.WithSummary(summary), (described, status) => described.Produces<T>(status));

    public static RouteHandlerBuilder Answers(this RouteHandlerBuilder call, string summary, int status) => call.WithSummary(summary).Produces(status);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder call, params RefusalCode[] codes) => call.WithMetadata(new Refusals(codes));

    public static IServiceCollection AddCreditGrainsOpenApi(this IServiceCollection services) => services.AddOpenApi("v1", options => options
        .AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "CreditGrains", Version = "v1", Description = "Credits of contracts, consumed by reports on players, and services credits of accounts, allocated to milestones." };
            document.Components ??= new();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme> { ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" } };
            return Task.CompletedTask;
        })
        .AddOperationTransformer(Describe)
        .AddSchemaTransformer((schema, context, _) =>
        {
            Describe(schema, context.JsonTypeInfo.Type);
            return Task.CompletedTask;
        }));

    // The domain's values are texts; the schema generator cannot see into their converters.
    private static void Describe(OpenApiSchema schema, Type type)
    {
        var value = Nullable.GetUnderlyingType(type) ?? type;
        if (value == typeof(RenewalDay))
        {
            schema.Type = JsonSchemaType.String | JsonSchemaType.Integer | (value == type ? 0 : JsonSchemaType.Null);
            schema.Properties?.Clear();
            return;
        }
        if (value == typeof(decimal)) schema.Type = value == type ? JsonSchemaType.Number : JsonSchemaType.Number | JsonSchemaType.Null;
        if (!value.IsEnum && value != typeof(Instant) && value != typeof(LocalDate) && value != typeof(CreditId)) return;

        schema.Type = value == type ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
        schema.Format = value == typeof(Instant) ? "date-time" : value == typeof(LocalDate) ? "date" : null;
        if (value.IsEnum) schema.Enum = Names(value);
    }

    private static async Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancelled)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var isOpen = metadata.OfType<IAllowAnonymous>().Any();
        var codes = metadata.OfType<Refusals>().SelectMany(refusals => refusals.Codes).Select(Problems.Code)
            .Concat(isOpen ? [Problems.Unavailable] : Common)
            .Concat(operation.RequestBody is null ? [] : [Problems.TooLarge]);

        if (context.Document!.Components?.Schemas?.ContainsKey(nameof(Problem)) is not true)
        {
            var schema = await context.GetOrCreateSchemaAsync(typeof(Shortage), cancellationToken: cancelled);
            schema.Required = new HashSet<string> { "type", "title", "status", "detail", "code" };
            foreach (var (name, property) in (await context.GetOrCreateSchemaAsync(typeof(ServicesShortage), cancellationToken: cancelled)).Properties!) schema.Properties![name] = property;
            context.Document.AddComponent(nameof(Problem), schema);
        }

        operation.Responses ??= [];
        foreach (var status in codes.GroupBy(code => Problems.Meaning(code).Status).OrderBy(status => status.Key))
            operation.Responses[$"{status.Key}"] = new OpenApiResponse
            {
                Description = string.Join(", ", status),
                Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) } },
            };
        if (!isOpen) operation.Security = [new() { [new OpenApiSecuritySchemeReference("key", context.Document)] = [] }];
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>()) parameter.Schema = SchemaOf(parameter.Name!);
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

    private static List<JsonNode> Names(Type enumeration) =>
        [.. Enum.GetValuesAsUnderlyingType(enumeration).Cast<int>().Select(number => JsonSerializer.SerializeToNode(Enum.ToObject(enumeration, number), enumeration, Json.Options)!)];
}
