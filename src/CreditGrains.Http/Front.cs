using System.Threading.RateLimiting;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Http;

/// <summary>Puts the HTTP front (§3) before an engine that offers the ports.</summary>
public static class Front
{
    /// <summary>Reads the keys, too: throws <see cref="InvalidDataException"/> with a clear text where their file is not as it must be.</summary>
    public static IServiceCollection AddCreditGrainsHttp(this IServiceCollection services, HttpOptions options) => services
        .AddSingleton(options)
        .AddSingleton(options.ApiKeysFile is { } file ? ApiKeys.Read(file) : ApiKeys.None)
        .AddSingleton<Clients>()
        .AddSingleton<Zones>()
        .AddSingleton<Unbooked>()
        .AddSingleton(provider => new Feed(provider.GetRequiredService<IQueries>(), TimeProvider.System))
        .AddSingleton<FeedReaders>()
        .AddSingleton<Readiness>()
        .ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions))
        .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true)
        .AddRateLimiter(limiter => Limit(limiter, options))
        .AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning))
        .AddCreditGrainsOpenApi();

    /// <summary>Adds the calls and what stands before them: problems, admission, keys.</summary>
    public static WebApplication MapCreditGrains(this WebApplication app)
    {
        var keys = app.Services.GetRequiredService<ApiKeys>();
        if (keys.AreNone)
            app.Logger.LogWarning("NO API KEYS ARE CONFIGURED: only loopback is served, and every caller there is the operator. Name a file of keys before this is more than a try-out.");

        app.Use(Problems.Catch);
        app.UseStatusCodePages(pages => Problems.Explain(pages.HttpContext));
        app.UseRateLimiter();
        app.Use((context, next) => keys.Admit(context) is { } problem ? problem.ExecuteAsync(context) : next(context));

        app.MapGroup("/health").WithTags("operation").AllowAnonymous().DisableRateLimiting().MapHealth();
        app.MapDescription().AllowAnonymous();

        var v1 = app.MapGroup("/v1")
            .WithMetadata(new RequestSizeLimitAttribute(app.Services.GetRequiredService<HttpOptions>().MaxBodyBytes))
            .AddEndpointFilterFactory(Parameters.Check);
        v1.MapGroup("").WithTags("contracts").MapContracts();
        v1.MapGroup("").WithTags("users").MapUsers();
        v1.MapGroup("").WithTags("allocations").MapAllocations();
        v1.MapGroup("").WithTags("lots").MapLots();
        v1.MapGroup("").WithTags("reports").MapReports();
        v1.MapGroup("").WithTags("credits").MapCredits();
        v1.MapGroup("").WithTags("ledger").MapLedger();
        v1.MapGroup("").WithTags("ledger").MapFeed();
        v1.MapGroup("").WithTags("ledger").MapBalances();
        v1.MapGroup("").WithTags("usage").MapUsage();
        v1.MapGroup("").WithTags("accounts").MapAccounts();
        v1.MapGroup("").WithTags("projects").MapProjects();
        v1.MapGroup("").WithTags("milestones").MapMilestones();
        v1.MapGroup("").WithTags("settings").MapServicesSettings();
        v1.MapGroup("").WithTags("operation").MapClock(app.Services);
        return app;
    }

    private static void Limit(RateLimiterOptions limiter, HttpOptions options)
    {
        var limits = new ConcurrencyLimiterOptions { PermitLimit = options.MaxConcurrentRequests, QueueLimit = options.MaxQueuedRequests };
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, bool>(_ => RateLimitPartition.GetConcurrencyLimiter(true, _ => limits));
        limiter.OnRejected = async (rejected, _) => await Problems.Overloaded.ExecuteAsync(rejected.HttpContext);
    }
}
