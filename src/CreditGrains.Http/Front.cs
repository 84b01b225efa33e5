using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CreditGrains.Http;

/// <summary>Puts the HTTP front (§3) before an engine that offers the ports.</summary>
public static class Front
{
    public static IServiceCollection AddCreditGrainsHttp(this IServiceCollection services, HttpOptions options) => services
        .AddSingleton(options)
        .AddSingleton<KeyFile>()
        .AddHostedService(provider => provider.GetRequiredService<KeyFile>())
        .AddTokens(options.Tokens)
        .AddSingleton<HttpMetrics>()
        .AddSingleton<Gate>()
        .AddSingleton<InsideCalls>()
        .AddSingleton<Admission>()
        .AddSingleton<Bodies>()
        .AddSingleton(TimeProvider.System)
        .AddSingleton<Clients>()
        .AddSingleton<Known>()
        .AddSingleton<Zones>()
        .AddSingleton<Unbooked>()
        .AddSingleton<ContractList>()
        .AddSingleton<LotReader>()
        .AddSingleton(provider => new Feed(provider.GetRequiredService<IQueries>(), TimeProvider.System))
        .AddSingleton<StoreWatch>()
        .AddHostedService(provider => provider.GetRequiredService<StoreWatch>())
        .AddSingleton<Readiness>()
        .AddHostedService<Draining>()
        .ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions))
        .Configure<KestrelServerOptions>(kestrel => kestrel.AddServerHeader = false)
        .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true)
        .AddLogging(logging => logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning))
        .AddCreditGrainsOpenApi();

    /// <summary>
    /// Adds the calls and what stands before them: problems, keys, bodies, turns. Throws <see cref="InvalidDataException"/> with a clear text where the file of keys
    /// is not as it must be.
    /// </summary>
    public static WebApplication MapCreditGrains(this WebApplication app)
    {
        var admission = app.Services.GetRequiredService<Admission>();
        var gate = app.Services.GetRequiredService<Gate>();
        if (gate.IsOpen)
            app.Logger.LogWarning("NO API KEYS ARE CONFIGURED: only loopback is served, and every caller there is the operator. Name a file of keys before this is more than a try-out.");

        app.Use(app.Services.GetRequiredService<Readiness>().CloseWhileLeaving);
        app.Use(Conventions.Apply);
        app.Use(Problems.Catch);
        app.UseStatusCodePages(pages => Problems.Explain(pages.HttpContext));
        app.UseRouting();
        app.Use(Parameters.Unescape);
        if (app.Services.GetRequiredService<HttpOptions>() is { Tokens: not null } or { Provider: not null }) app.UseAuthentication();
        app.Use(gate.Admit);
        app.Use(admission.Enter);
        app.Use(app.Services.GetRequiredService<Bodies>().Receive);
        app.Use(admission.TakeTurn);

        app.MapGroup("/health").WithTags("operation").AllowAnonymous().DisableRateLimiting().MapHealth();
        app.MapDescription().AllowAnonymous();
        app.MapReference().AllowAnonymous();
        app.MapProblems();

        var v1 = app.MapGroup("/v1")
            .WithMetadata(new RequestSizeLimitAttribute(app.Services.GetRequiredService<HttpOptions>().MaxBodyBytes))
            .AddEndpointFilterFactory(Parameters.Check)
            .AddEndpointFilterFactory(Tags.Apply)
            .AddEndpointFilterFactory(IListing.Link)
            .AddEndpointFilterFactory(InsideCalls.Keep)
            .AddEndpointFilterFactory(Csv.Apply);
        v1.MapGroup("").WithTags("contracts").MapContracts();
        v1.MapGroup("").WithTags("users").MapUsers();
        v1.MapGroup("").WithTags("users").MapDirectory();
        v1.MapGroup("").WithTags("allocations").MapAllocations();
        v1.MapGroup("").WithTags("lots").MapLots();
        v1.MapGroup("").WithTags("lots").MapPayments();
        v1.MapGroup("").WithTags("reports").MapReports();
        v1.MapGroup("").WithTags("credits").MapCredits();
        v1.MapGroup("").WithTags("ledger").MapLedger();
        v1.MapGroup("").WithTags("ledger").MapFeed();
        v1.MapGroup("").WithTags("ledger").MapBalances();
        v1.MapGroup("").WithTags("ledger").MapStatements();
        v1.MapGroup("").WithTags("usage").MapUsage();
        v1.MapGroup("").WithTags("accounts").MapAccounts();
        v1.MapGroup("").WithTags("projects").MapProjects();
        v1.MapGroup("").WithTags("milestones").MapMilestones();
        v1.MapGroup("").WithTags("settings").MapServicesSettings();
        v1.MapGroup("").WithTags("operation").MapClock(app.Services);
        v1.MapGroup("").WithTags("operation").MapMe();
        app.Services.GetRequiredService<InsideCalls>().Map(app);
        return app;
    }
}
