using System.Security.Claims;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace CreditGrains.Http;

/// <summary>Whose JSON Web Tokens are taken as keys (OpenID Connect).</summary>
/// <param name="Authority">The issuer, where its keys are found by discovery.</param>
/// <param name="Audience">For whom the tokens must be.</param>
/// <param name="KeysFile">A JSON Web Key Set of the issuer, instead of discovery.</param>
public sealed record TokenOptions(Uri Authority, string Audience, string? KeysFile = null);

/// <summary>Where people sign in (OpenID Connect, authorization code with PKCE).</summary>
/// <param name="Authority">The provider, which tells by discovery what it has where.</param>
/// <param name="ClientId">Who this service is there.</param>
/// <param name="ClientSecretFile">The file of the client's secret; null: the client is public.</param>
public sealed record ProviderOptions(Uri Authority, string ClientId, string? ClientSecretFile = null);

/// <summary>Callers by JSON Web Token: the framework's handler checks the token, its claims say who calls.</summary>
internal static class Tokens
{
    public const string Role = "creditgrains_role", Client = "creditgrains_client", User = "creditgrains_user";

    /// <summary>With it begins the name of each caller by token, and of no key.</summary>
    public const string Prefix = "jwt:";

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Throws <see cref="InvalidDataException"/> where the file of keys cannot be used.</summary>
    public static IServiceCollection AddTokens(this IServiceCollection services, TokenOptions? options)
    {
        if (options is null) return services;
        var keys = options.KeysFile is { } file ? KeysOf(file) : null;
        services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(bearer =>
        {
            bearer.MapInboundClaims = false;
            bearer.TokenValidationParameters.ValidAudience = options.Audience;
            bearer.TokenValidationParameters.ClockSkew = Skew;
            bearer.Events = new() { OnMessageReceived = LeaveKeysAlone };
            if (keys is null)
            {
                bearer.Authority = options.Authority.OriginalString;
                bearer.RequireHttpsMetadata = !options.Authority.IsLoopback;
            }
            else
            {
                bearer.TokenValidationParameters.ValidIssuer = options.Authority.OriginalString;
                bearer.TokenValidationParameters.IssuerSigningKeys = keys;
            }
        });
        return services;
    }

    /// <summary>Who sent a token; neither: there is none, or none that is valid.</summary>
    public static (Caller? Caller, Problem? Problem) CallerOf(ClaimsPrincipal sender)
    {
        if (sender.Identity is not { IsAuthenticated: true }) return (null, null);
        var (role, client, user) = (sender.FindFirst(Role)?.Value, sender.FindFirst(Client)?.Value, sender.FindFirst(User)?.Value);
        if (sender.FindFirst("sub")?.Value is not { Length: > 0 and <= ApiKeys.MaxName } subject || subject.Any(char.IsControl))
            return (null, Refuse($"the claim sub must have 1 to {ApiKeys.MaxName} characters and no control characters"));
        if (BodyFaults.Named<Role>(role) is not { } known)
            return (null, Refuse($"the claim {Role} must be one of {string.Join(", ", BodyFaults.Names(typeof(Role)))}"));

        var caller = new Caller(Prefix + subject, known, client, user);
        return caller.Fault("the token", Client, User) is { } fault ? (null, Refuse(fault)) : (caller, null);
    }

    private static Problem Refuse(string fault) => Problems.Of(Problems.Forbidden, $"The token does not say who calls: {fault}.");

    // A key is no token, which has three parts.
    private static Task LeaveKeysAlone(MessageReceivedContext message)
    {
        if (message.Request.Headers.Authorization.ToString().Count(c => c == '.') != 2) message.NoResult();
        return Task.CompletedTask;
    }

    private static IList<SecurityKey> KeysOf(string file)
    {
        try
        {
            return new JsonWebKeySet(File.ReadAllText(file)).GetSigningKeys() is { Count: > 0 } keys
                ? keys
                : throw new InvalidDataException($"The keys of tokens in {file} must be at least one.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidDataException($"The keys of tokens in {file} cannot be read: {e.Message}", e);
        }
    }
}
