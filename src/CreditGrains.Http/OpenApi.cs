using System.IO.Compression;
using System.Text;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace CreditGrains.Http;

/// <summary>The description of the calls, made from the calls themselves.</summary>
internal static class OpenApi
{
    private const string OwnOnly =
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

    /// <summary>The refusals of a call, as metadata of its endpoint.</summary>
    internal sealed record Refusals(RefusalCode[] Codes);

    /// <summary>The problem of asking for what is gone.</summary>
    internal sealed record Gone(string Code);

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder call, string summary, params int[] statuses) =>
        statuses.Aggregate(call.WithSummary(summary), (described, status) => described.Produces<T>(status));

    public static RouteHandlerBuilder Answers(this RouteHandlerBuilder call, string summary, int status) => call.WithSummary(summary).Produces(status);

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder call, params RefusalCode[] codes) => call.WithMetadata(new Refusals(codes));

    public static RouteHandlerBuilder MayBeGone(this RouteHandlerBuilder call, string code) => call.WithMetadata(new Gone(code));

    public static IServiceCollection AddCreditGrainsOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<Description>();
        return services.AddOpenApi("v1", options =>
        {
            // The framework's own schemas are not used: they cannot see into the domain's values.
            options.CreateSchemaReferenceId = _ => null;
            options.AddDocumentTransformer((document, context, _) =>
            {
                Describe(document, context);
                return Task.CompletedTask;
            });
        });
    }

    private static void Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context)
    {
        document.Info = new()
        {
            Title = "CreditGrains",
            Version = "v1",
            Description = """
                Credits of contracts, consumed by reports on players, and services credits of accounts, allocated to milestones.

                Answers may gain fields. Instants are RFC 3339 with any offset, and answered in UTC; dates are local to the `timeZone` of their document.
                Lists come in pages: `nextCursor` is the `cursor` of the next one, and null on the last. Refusals are problems (RFC 9457) with a stable `code`.
                A request may be sent again after any error: reports, lots and purchases with the same id, other POST and PATCH with the same `Idempotency-Key`.
                """,
            Contact = new() { Name = "The operator of this service" },
            License = new() { Name = "MIT", Identifier = "MIT" },
        };
        document.Servers = [new() { Url = "/" }];
        document.Components = new()
        {
            SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                ["key"] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "An API key, or a JSON Web Token of the configured issuer. Without any configured only loopback is served.",
                },
            },
        };

        var schemas = new OpenApiSchemas(document);
        var operations = new OpenApiOperations(document, schemas);
        operations.DescribeHeaders();
        foreach (var call in context.DescriptionGroups.SelectMany(group => group.Items))
            operations.Describe(call, document.Paths[$"/{call.RelativePath!.TrimEnd('/')}"].Operations![new HttpMethod(call.HttpMethod!)]);
        document.Components.Schemas = schemas.Components;

        document.Tags = Glossary.Tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();
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

    /// <summary>The reference to read, at /docs; it asks nobody but this service, and the browser is told to see to that.</summary>
    public static IEndpointConventionBuilder MapReference(this IEndpointRouteBuilder app) => app
        .MapScalarApiReference("/docs", (options, context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = OwnOnly;
            options.Title = "CreditGrains";
            options.OpenApiRoutePattern = "/openapi/v1.json";
            options.DefaultFonts = false;
            options.Telemetry = false;
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            options.HideClientButton = true;
            options.DisableAgent();
            options.DisableMcp();
        });

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
}
