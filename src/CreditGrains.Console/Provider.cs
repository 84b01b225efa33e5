using System.Security.Claims;
using CreditGrains.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace CreditGrains.Pages;

/// <summary>
/// Signing in at an OpenID Connect provider. The ID token's claims say who it is, as those of tokens for the API do, and a cookie keeps these alone.
/// </summary>
internal static class Provider
{
    /// <summary>The cookie's scheme.</summary>
    public const string Session = "creditgrains-provider";

    /// <summary>Where the provider leads back to, below the console.</summary>
    public const string CallbackPage = "/signed-in";

    private const string Scheme = "creditgrains-oidc";

    /// <summary>Throws <see cref="InvalidDataException"/> where the file of the secret cannot be used.</summary>
    public static void AddProvider(this IServiceCollection services, ProviderOptions? options)
    {
        if (options is null) return;
        var secret = options.ClientSecretFile is { } file ? SecretOf(file) : null;
        services.AddAuthentication()
            .AddCookie(Session, cookie =>
            {
                (cookie.Cookie.Name, cookie.Cookie.Path, cookie.Cookie.SameSite) = (Session, Hosting.Root, SameSiteMode.Lax);
                (cookie.ExpireTimeSpan, cookie.SlidingExpiration) = (Sessions.Lifetime, false);
            })
            .AddOpenIdConnect(Scheme, oidc =>
            {
                (oidc.SignInScheme, oidc.CallbackPath) = (Session, $"{Hosting.Root}{CallbackPage}");
                (oidc.Authority, oidc.RequireHttpsMetadata) = (options.Authority.OriginalString, !options.Authority.IsLoopback);
                (oidc.ClientId, oidc.ClientSecret) = (options.ClientId, secret);
                (oidc.ResponseType, oidc.ResponseMode) = (OpenIdConnectResponseType.Code, OpenIdConnectResponseMode.Query);
                oidc.MapInboundClaims = false;

                // The provider leads back by a link, which brings lax cookies along.
                foreach (var cookie in new[] { oidc.CorrelationCookie, oidc.NonceCookie })
                    (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
                oidc.Events = new() { OnTokenValidated = Admit, OnRemoteFailure = Fail };
            });
    }

    /// <summary>Leads to the provider, and afterwards to a place of the console.</summary>
    public static IResult Challenge(HttpOptions options, string? to) => options.Provider is null
        ? Results.NotFound()
        : Results.Challenge(new() { RedirectUri = Sessions.Inside(to) }, [Scheme]);

    private static async Task Admit(TokenValidatedContext token)
    {
        var (caller, problem) = Tokens.CallerOf(token.Principal!);
        if (caller is null)
        {
            token.HandleResponse();
            await Faults.Tell(token.HttpContext, problem!);
            return;
        }
        Sessions.Forget(token.HttpContext);
        string[] kept = ["sub", Tokens.Role, Tokens.Client, Tokens.User];
        token.Principal = new(new ClaimsIdentity(token.Principal!.Claims.Where(claim => kept.Contains(claim.Type)), Scheme));
    }

    private static async Task Fail(RemoteFailureContext failure)
    {
        failure.HandleResponse();
        failure.HttpContext.RequestServices.GetRequiredService<ILogger<ProviderOptions>>().LogWarning(
            failure.Failure, "Signing in at the provider failed, request {RequestId}", failure.HttpContext.TraceIdentifier);
        await Faults.Tell(failure.HttpContext, Problems.Of(Problems.Unauthenticated, "The provider did not say who you are; sign in again."));
    }

    private static string SecretOf(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } secret
                ? secret
                : throw new InvalidDataException($"The client's secret in {file} must not be empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The client's secret in {file} cannot be read: {e.Message}", e);
        }
    }
}
