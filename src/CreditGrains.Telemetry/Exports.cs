using System.Net;
using CreditGrains.Grains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CreditGrains.Telemetry;

/// <summary>
/// What is seen from outside, by OpenTelemetry: metrics for Prometheus on a port of its own (<c>--metrics-port</c>), and metrics and traces by OTLP where
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector. Without either nothing is collected and a start costs nothing.
/// </summary>
public static class Exports
{
    private static readonly string[] Meters =
    [
        "CreditGrains.*", "Microsoft.Orleans", "Npgsql", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime",
    ];

    // Orleans' spans join a request's parts on several silos; the runtime's own calls between silos are not asked for by anybody.
    private static readonly string[] Sources = [Traces.Name, "Microsoft.Orleans.Application"];

    /// <summary>Whether spans and metrics are sent to a collector.</summary>
    public static bool ByOtlp { get; } = Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 };

    public static void AddCreditGrainsTelemetry(this IHostApplicationBuilder builder, ServerOptions options)
    {
        if (options.MetricsPort == 0 && !ByOtlp) return;
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(
            "creditgrains", serviceVersion: Product.Version, serviceInstanceId: $"{Dns.GetHostName()}:{options.SiloPort}"));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter(Meters);
            if (options.MetricsPort > 0) metrics.AddPrometheusExporter(prometheus => prometheus.ScrapeResponseCacheDurationMilliseconds = 0);
            if (ByOtlp) metrics.AddOtlpExporter();
        });
        if (ByOtlp) telemetry.WithTracing(tracing => tracing.AddSource(Sources).AddAspNetCoreInstrumentation().AddNpgsql().AddOtlpExporter());
    }

    /// <summary>Where HTTP is served: the addresses given, and that of the metrics.</summary>
    public static string[] Addresses(this ServerOptions options, params IEnumerable<string> urls) =>
        options.MetricsPort == 0 ? [.. urls] : [.. urls, $"http://{new IPEndPoint(options.MetricsAddress, options.MetricsPort)}"];

    /// <summary>Answers <c>/metrics</c> on the port of the metrics, and nothing else there.</summary>
    public static void MapMetrics(this WebApplication app, ServerOptions options)
    {
        if (options.MetricsPort == 0) return;
        app.MapWhen(context => context.Connection.LocalPort == options.MetricsPort, metrics =>
        {
            metrics.UseOpenTelemetryPrometheusScrapingEndpoint();
            metrics.Run(context =>
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            });
        });
    }
}
