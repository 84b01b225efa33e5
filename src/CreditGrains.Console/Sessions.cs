using System.Security.Cryptography;
using CreditGrains.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using NodaTime.Extensions;

namespace CreditGrains.Pages;

/// <summary>
/// Who uses the console. A cookie holds the hash of an API key, protected; the key itself is kept nowhere; one that is revoked or expires ends its sessions.
/// Whoever has signed in at a provider has a cookie of <see cref="Provider"/> instead.
/// Without keys everybody on this machine is the operator, as for the API.
/// </summary>
internal sealed class Sessions(IDataProtectionProvider protection, KeyFile keys, Gate gate, HttpOptions options, TimeProvider time)
{
    private const string Cookie = "creditgrains-session";

    /// <summary>How long a session lasts at most.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    // Scripts and styles of this address only, none within a page; nobody may frame it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("console.session").ToTimeLimitedDataProtector();

    /// <summary>Where one may sign in without a key; null: nowhere.</summary>
    public Uri? Provided => options.Provider?.Authority;

    /// <summary>Whether everybody on this machine is the operator.</summary>
    public bool AreOpen => gate.IsOpen;

    /// <summary>Makes the caller of a session known to all that follows; leads others to where they sign in.</summary>
    public async Task Recognize(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Hosting.Root, out var page))
        {
            await next(context);
            return;
        }

        var headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers["Referrer-Policy"], headers["Cross-Origin-Opener-Policy"]) = (Policy, "same-origin", "same-origin");
        if (await CallerOf(context) is { } caller) context.Features.Set(caller);
        else if (!Public.Any(open => page.StartsWithSegments(open)))
        {
            var to = QueryString.Create("to", $"{context.Request.Path.ToUriComponent()}{context.Request.QueryString}");
            context.Response.Redirect($"{Hosting.Root}{SignInPage}{to}");
            return;
        }
        await next(context);
    }

    private const string SignInPage = "/sign-in";

    private static readonly string[] Public = [SignInPage, "/sign-out", Provider.CallbackPage, "/assets"];

    /// <summary>A place of the console to be led to; anything else: its first page.</summary>
    public static string Inside(string? to) => to is not null && to.StartsWith($"{Hosting.Root}/", StringComparison.Ordinal) ? to : Hosting.Root;

    /// <summary>Begins a session; false: it is no key that is known here.</summary>
    public async Task<bool> SignIn(HttpContext context, string key)
    {
        if (await gate.Recognize(context, key) is null) return false;
        context.Response.Cookies.Append(Cookie, protector.Protect(ApiKeys.Hash(key), Lifetime), CookieOptions(context));
        return true;
    }

    /// <summary>Ends the session.</summary>
    public static async Task<IResult> SignOut(HttpContext context, IAntiforgery forgery, HttpOptions options)
    {
        if (!await forgery.IsRequestValidAsync(context)) return Results.BadRequest();
        Forget(context);
        if (options.Provider is not null) await context.SignOutAsync(Provider.Session);
        return Results.Redirect($"{Hosting.Root}{SignInPage}");
    }

    /// <summary>Ends a session that began with a key.</summary>
    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(Cookie, CookieOptions(context));

    private async Task<Caller?> CallerOf(HttpContext context) =>
        AreOpen ? Caller.Local
        : CallerByKey(context) is { } caller ? caller
        : options.Provider is not null && (await context.AuthenticateAsync(Provider.Session)).Principal is { } person ? Tokens.CallerOf(person).Caller
        : null;

    private Caller? CallerByKey(HttpContext context)
    {
        if (context.Request.Cookies[Cookie] is not { Length: > 0 } cookie) return null;
        try
        {
            return keys.Keys.FindHashed(protector.Unprotect(cookie), time.GetUtcNow().ToInstant());
        }
        catch (CryptographicException)
        {
            // It is over, or was never ours.
            return null;
        }
    }

    private static CookieOptions CookieOptions(HttpContext context) => new()
    {
        HttpOnly = true, IsEssential = true, Path = Hosting.Root, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps,
    };
}
