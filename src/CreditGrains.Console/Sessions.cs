using System.Security.Cryptography;
using CreditGrains.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using NodaTime.Extensions;

namespace CreditGrains.Pages;

/// <summary>
/// Who uses the console. A cookie holds the hash of an API key, protected; the key itself is kept nowhere; one that is revoked or expires ends its sessions.
/// Without keys everybody on this machine is the operator, as for the API.
/// </summary>
internal sealed class Sessions(IDataProtectionProvider protection, KeyFile keys, Gate gate, TimeProvider time)
{
    private const string Cookie = "creditgrains-session";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    // Scripts and styles of this address only, none within a page; nobody may frame it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly ITimeLimitedDataProtector protector = protection.CreateProtector("console.session").ToTimeLimitedDataProtector();

    /// <summary>Whether everybody on this machine is the operator.</summary>
    public bool AreOpen => gate.IsOpen;

    /// <summary>Makes the caller of a session known to all that follows; leads others to where they sign in.</summary>
    public Task Recognize(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Hosting.Root, out var page)) return next(context);

        var headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers["Referrer-Policy"], headers["Cross-Origin-Opener-Policy"]) = (Policy, "same-origin", "same-origin");
        if (CallerOf(context) is { } caller)
        {
            context.Features.Set(caller);
            return next(context);
        }
        if (page == SignInPage || page == SignOutPage || page.StartsWithSegments("/assets")) return next(context);

        var to = QueryString.Create("to", $"{context.Request.Path.ToUriComponent()}{context.Request.QueryString}");
        context.Response.Redirect($"{Hosting.Root}{SignInPage}{to}");
        return Task.CompletedTask;
    }

    private const string SignInPage = "/sign-in", SignOutPage = "/sign-out";

    /// <summary>Begins a session; false: it is no key that is known here.</summary>
    public async Task<bool> SignIn(HttpContext context, string key)
    {
        if (await gate.Recognize(context, key) is null) return false;
        context.Response.Cookies.Append(Cookie, protector.Protect(ApiKeys.Hash(key), Lifetime), CookieOptions(context));
        return true;
    }

    /// <summary>Ends the session.</summary>
    public static async Task<IResult> SignOut(HttpContext context, IAntiforgery forgery)
    {
        if (!await forgery.IsRequestValidAsync(context)) return Results.BadRequest();
        context.Response.Cookies.Delete(Cookie, CookieOptions(context));
        return Results.Redirect($"{Hosting.Root}{SignInPage}");
    }

    private Caller? CallerOf(HttpContext context)
    {
        if (AreOpen) return Caller.Local;
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
