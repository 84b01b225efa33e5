using System.Collections.Frozen;
using System.Globalization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;
using Calendar = CreditGrains.Domain.Calendar;

namespace CreditGrains.Http;

/// <summary>Ids of paths and parameters of queries: all are checked before a call is made, and what a call does not take is refused (§3).</summary>
internal static class Parameters
{
    public const int MaxLimit = 1_000, DefaultLimit = 100, DefaultCount = 12;

    /// <summary>A credit's id is made by the service: one that cannot be is just not found.</summary>
    public const string CreditId = "creditId";

    /// <summary>A call takes the query parameters that its handler names, once each.</summary>
    public static EndpointFilterDelegate Check(EndpointFilterFactoryContext call, EndpointFilterDelegate next)
    {
        var taken = call.MethodInfo.GetParameters().Where(parameter => parameter.ParameterType == typeof(string)).Select(parameter => parameter.Name!).ToFrozenSet();
        return async invocation => Fault(invocation.HttpContext, taken) is { } problem ? problem : await next(invocation);
    }

    public static PageRequest Page(string? limit, string? cursor) => new(limit is null ? DefaultLimit : int.Parse(limit, CultureInfo.InvariantCulture), cursor);

    public static int Count(string? count) => count is null ? DefaultCount : int.Parse(count, CultureInfo.InvariantCulture);

    public static Instant? Instant(string? text) => text is null ? null : Calendar.ReadInstant(text);

    public static CreditStatus? Status(string? text) => Enum.GetValues<CreditStatus>().Cast<CreditStatus?>().FirstOrDefault(status => Text(status!.Value) == text);

    public static UsageBy? GroupBy(string? text) => Enum.GetValues<UsageBy>().Cast<UsageBy?>().FirstOrDefault(by => Text(by!.Value) == text);

    private static Problem? Fault(HttpContext context, FrozenSet<string> taken)
    {
        var path = context.Request.RouteValues;
        foreach (var (name, value) in path)
            if (name != CreditId && Fields.Id(name, (string?)value) is { } refusal) return Problems.Of(refusal);

        foreach (var (name, values) in context.Request.Query)
        {
            if (!taken.Contains(name) || path.ContainsKey(name)) return Problems.Of(Problems.UnknownField, $"There is no query parameter {name} here.", name);
            if (values is not [{ } value]) return Problems.Of(Problems.Malformed, $"{name} is given once.", name);
            if (Fault(name, value, context.Features.Get<Caller>()!) is { } problem) return problem;
        }
        return null;
    }

    private static Problem? Fault(string name, string value, Caller caller) => name switch
    {
        "limit" or "count" when !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit is < 1 or > MaxLimit => Malformed(name, $"is 1 to {MaxLimit}"),
        "from" or "to" or "at" when Calendar.ReadInstant(value) is null => Malformed(name, "is an ISO-8601 UTC instant"),
        "status" when Status(value) is null => Malformed(name, $"is one of {string.Join(", ", Enum.GetValues<CreditStatus>().Select(Text))}"),
        "groupBy" when GroupBy(value) is null => Malformed(name, $"is one of {string.Join(", ", Enum.GetValues<UsageBy>().Select(Text))}"),
        "lotId" or "paymentId" => Ids.CanBe(value) ? null : Problems.Of(Refusal.Invalid(name, $"has 1 to {Ids.MaxMadeLength} characters of {Ids.Alphabet}")),
        "cursor" or "limit" or "count" or "from" or "to" or "at" or "status" or "groupBy" => null,
        _ when Fields.Id(name, value) is { } refusal => Problems.Of(refusal),
        "clientId" when !caller.Sees(value) => Problems.NotFound($"client {value}"),
        "userId" when !caller.IsFor(value) => Problems.NotFound($"user {value}"),
        _ => null,
    };

    private static Problem Malformed(string name, string rule) => Problems.Of(Problems.Malformed, $"{name} {rule}.", name);

    private static string Text(UsageBy by) => by.ToString().ToLowerInvariant();

    private static string Text(CreditStatus status) => status.ToString().ToUpperInvariant();
}
