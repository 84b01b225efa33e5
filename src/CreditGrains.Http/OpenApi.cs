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
            document.Info = new() { Title = "CreditGrains", Version = "v1", Description = "Credits of contracts, consumed by reports on players." };
            document.Components ??= new();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme> { ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" } };
            return Task.CompletedTask;
        })
        .AddOperationTransformer(Describe)
        .AddSchemaTransformer((schema, context, _) =>
        {
            if (Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) is var inner && (inner ?? context.JsonTypeInfo.Type) is var type && (type == typeof(Instant) || type == typeof(LocalDate) || type == typeof(CreditId)))
            {
                schema.Type = inner is null ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
                schema.Format = type == typeof(Instant) ? "date-time" : type == typeof(LocalDate) ? "date" : null;
            }
            return Task.CompletedTask;
        }));

    private static async Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancelled)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var isOpen = metadata.OfType<IAllowAnonymous>().Any();
        var codes = metadata.OfType<Refusals>().SelectMany(refusals => refusals.Codes).Select(Problems.Code)
            .Concat(isOpen ? [Problems.Unavailable] : Common)
            .Concat(operation.RequestBody is null ? [] : [Problems.TooLarge]);

        var schema = await context.GetOrCreateSchemaAsync(typeof(Shortage), cancellationToken: cancelled);
        operation.Responses ??= [];
        foreach (var status in codes.GroupBy(code => Problems.Table[code].Status).OrderBy(status => status.Key))
            operation.Responses[$"{status.Key}"] = new OpenApiResponse
            {
                Description = string.Join(", ", status),
                Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new OpenApiMediaType { Schema = schema } },
            };
        if (!isOpen) operation.Security = [new() { [new OpenApiSecuritySchemeReference("key", context.Document)] = [] }];
    }
}
