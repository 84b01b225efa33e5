using CreditGrains.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CreditGrains.Pages;

/// <summary>Puts the console beside the API: pages that any silo renders, for nothing of them is kept in one.</summary>
public static class Hosting
{
    /// <summary>Where the console is.</summary>
    public const string Root = "/console";

    // A list of 10,000 users has some fields each.
    private const int MaxFormFields = 200_000;

    /// <summary>To be called after the silo's or client's own services, which its key ring asks when it starts.</summary>
    public static IServiceCollection AddCreditGrainsConsole(this IServiceCollection services, HttpOptions options)
    {
        services.AddProvider(options.Provider);
        services.AddRazorComponents();
        services.AddDataProtection().SetApplicationName("CreditGrains");
        return services
            .AddSingleton<Sessions>()
            .AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(
                keys => keys.XmlRepository = new KeyRing(provider.GetRequiredService<IGrainFactory>())))
            .Configure<AntiforgeryOptions>(forgery => (forgery.Cookie.Name, forgery.Cookie.Path) = ("creditgrains-form", Root))
            .Configure<FormOptions>(form => form.ValueCountLimit = MaxFormFields)
            // These warn that keys lie unencrypted in the store, as all else does, and that pages with forms are not to be cached, as they are not anyway.
            .AddLogging(logging => logging
                .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
                .AddFilter("Microsoft.AspNetCore.Antiforgery", LogLevel.Error));
    }

    /// <summary>To be called before the API is mapped: whoever is signed in is known before turns are counted.</summary>
    public static WebApplication UseCreditGrainsConsole(this WebApplication app)
    {
        app.Use(app.Services.GetRequiredService<Sessions>().Recognize);
        return app;
    }

    /// <summary>To be called after the API is mapped.</summary>
    public static WebApplication MapCreditGrainsConsole(this WebApplication app)
    {
        app.Use(Faults.Show);
        app.UseAntiforgery();
        app.MapGet("/", () => Results.Redirect(Root)).AllowAnonymous().ExcludeFromDescription();
        app.MapGet($"{Asset.Root}/{{version}}/{{name}}", Asset.Get).AllowAnonymous().ExcludeFromDescription();
        app.MapPost($"{Root}/sign-out", Sessions.SignOut).AllowAnonymous().ExcludeFromDescription();
        foreach (var page in Download.Pages) app.MapGet($"{Root}/{page}{Download.Extension}", Download.Get).AllowAnonymous().ExcludeFromDescription();
        app.MapGet($"{Root}/sign-in/provider", Provider.Challenge).AllowAnonymous().ExcludeFromDescription();
        app.MapRazorComponents<Document>().AllowAnonymous();
        return app;
    }
}
