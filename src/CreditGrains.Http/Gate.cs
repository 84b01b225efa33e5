using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NodaTime;
using NodaTime.Extensions;

namespace CreditGrains.Http;

/// <summary>Lets a request in with its caller (§3, Keys), and notices who tries keys that are none.</summary>
internal sealed class Gate(KeyFile file, HttpOptions options, TimeProvider time, HttpMetrics metrics, ILogger<Gate> log)
{
    // Whoever fails that often in a minute is answered later; nobody guesses 256 bits, but somebody may try.
    private const int FreeFailures = 10, MaxAddresses = 10_000;

    private static readonly TimeSpan Slowed = TimeSpan.FromMilliseconds(500), Minute = TimeSpan.FromMinutes(1);
    private static readonly string[] OfProxies = ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"];

    private readonly ConcurrentDictionary<IPAddress, int> failures = new();
    private long began, said;

    /// <summary>Without keys, tokens and a provider every caller of this machine is the operator.</summary>
    public bool IsOpen => file.Keys.AreNone && options is { Tokens: null, Provider: null };

    public async Task Admit(HttpContext context, RequestDelegate next)
    {
        if (await Refuse(context) is { } problem) await problem.ExecuteAsync(context);
        else await next(context);
    }

    private async ValueTask<Problem?> Refuse(HttpContext context)
    {
        var isOpen = IsOpen;
        if (isOpen && !IsLocal(context)) return Problems.Of(Problems.Forbidden, "Without configured API keys only this machine is served, and no proxy.");

        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata?.GetMetadata<IAllowAnonymous>() is not null || HttpMethods.IsOptions(context.Request.Method)) return null;
        var authorization = context.Request.Headers.Authorization.ToString();
        var (sender, problem) = isOpen ? (Caller.Local, null) : Find(authorization) is { } known ? (known, null) : Tokens.CallerOf(context.User);
        if (problem is not null) return problem;
        if (sender is not { } caller)
        {
            await Notice(context, authorization);
            return Problems.Of(Problems.Unauthenticated, "Authorization must be Bearer and a key or token that is known here and has not expired.");
        }

        context.Features.Set(caller);
        return Forbidden(context, caller);
    }

    /// <summary>Lets a call in whose caller is known already.</summary>
    public static Task AdmitKnown(HttpContext context, RequestDelegate next) =>
        Forbidden(context, context.Features.Get<Caller>()!) is { } problem ? problem.ExecuteAsync(context) : next(context);

    /// <summary>Whose key it is that somebody signs in with; null: nobody's, which is noticed.</summary>
    public async Task<Caller?> Recognize(HttpContext context, string key)
    {
        var authorization = $"Bearer {key}";
        if (Find(authorization) is { } caller) return caller;
        await Notice(context, authorization);
        return null;
    }

    private static Problem? Forbidden(HttpContext context, Caller caller) =>
        context.GetEndpoint()?.Metadata.GetMetadata<Needs>() is { Access: var access } && !caller.May(access)
            ? Problems.Of(
                Problems.Forbidden, $"A key of the role {caller.Role.ToString().ToLowerInvariant()}{(caller.UserId is null ? "" : " and of one user")} may not do this.")
            : null;

    private Caller? Find(string authorization) => authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
        ? file.Keys.Find(authorization["Bearer ".Length..].Trim(), time.GetUtcNow().ToInstant())
        : null;

    // Counted, told once in a while, and slowed where one address fails again and again.
    private async Task Notice(HttpContext context, string authorization)
    {
        metrics.Keys.Add(authorization.Length == 0 ? "none" : "unknown");
        if (authorization.Length == 0 || context.Connection.RemoteIpAddress is not { } address) return;

        var now = time.GetTimestamp();
        if (time.GetElapsedTime(Interlocked.Read(ref began), now) > Minute || failures.Count > MaxAddresses)
        {
            Interlocked.Exchange(ref began, now);
            failures.Clear();
        }
        var times = failures.AddOrUpdate(address, 1, (_, before) => before + 1);
        var last = Interlocked.Read(ref said);
        if ((last == 0 || time.GetElapsedTime(last, now) > Minute / 6) && Interlocked.CompareExchange(ref said, now, last) == last)
            log.LogWarning("A key that is none was sent from {Address}, {Times} times in this minute; request {RequestId}", address, times, context.TraceIdentifier);
        if (times > FreeFailures) await Task.Delay(Slowed, time, context.RequestAborted);
    }

    // The Host, too: a web page elsewhere may have its own name resolved to this machine. What a proxy passes on comes from elsewhere.
    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
        && context.Request.Host.Host.TrimEnd('.') is var host
        && (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)))
        && !OfProxies.Any(header => context.Request.Headers.ContainsKey(header));
}
