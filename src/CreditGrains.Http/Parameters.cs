using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using NodaTime;
using NodaTime.Text;
using Calendar = CreditGrains.Domain.Calendar;

namespace CreditGrains.Http;

/// <summary>In which direction a list is read.</summary>
internal enum Order { Asc, Desc }

/// <summary>Ids of paths, parameters of queries and fields of bodies: all are checked before a call is made, and what a call does not take is refused (§3).</summary>
internal static class Parameters
{
    public const int MaxLimit = 1_000, DefaultLimit = 100, DefaultCount = 12;

    /// <summary>A credit's id is made by the service: one that cannot be is just not found.</summary>
    public const string CreditId = "creditId";

    /// <summary>What parameters of some names mean in this call alone, as metadata of its endpoint.</summary>
    internal sealed record Meaning(string Of)
    {
        /// <summary>from and to are local dates.</summary>
        public const string Days = "days";

        /// <summary>status and allocated are a milestone's.</summary>
        public const string Milestones = "milestones";
    }

    private const string UserId = "userId", EscapedSlash = "%2F";

    /// <summary>An external id may have a slash, which the server leaves escaped in the path.</summary>
    public static Task Unescape(HttpContext context, RequestDelegate next)
    {
        if (context.Request.RouteValues.TryGetValue(UserId, out var value) && value is string id && id.Contains(EscapedSlash, StringComparison.OrdinalIgnoreCase))
            context.Request.RouteValues[UserId] = id.Replace(EscapedSlash, "/", StringComparison.OrdinalIgnoreCase);
        return next(context);
    }

    /// <summary>A call takes the query parameters that its handler names, once each.</summary>
    public static EndpointFilterDelegate Check(EndpointFilterFactoryContext call, EndpointFilterDelegate next)
    {
        var parameters = call.MethodInfo.GetParameters();
        var taken = parameters.Where(parameter => parameter.ParameterType == typeof(string)).Select(parameter => parameter.Name!).ToFrozenSet();
        var body = Array.FindIndex(parameters, parameter => parameter.ParameterType.IsAssignableTo(typeof(IBody)));
        return async invocation =>
        {
            var context = invocation.HttpContext;
            if ((Strange(context, taken) ?? Wrong(context) ?? await Unknown(context)) is { } problem) return problem;
            return body >= 0 && invocation.GetArgument<IBody>(body).Check(context.Request.RouteValues) is { } refusal ? Problems.Of(refusal) : await next(invocation);
        };
    }

    /// <summary>A cursor is of one order, which need not be said again.</summary>
    public static PageRequest Page(string? limit, string? cursor, string? order) => new(
        limit is null ? DefaultLimit : int.Parse(limit, CultureInfo.InvariantCulture), cursor,
        BodyFaults.Named<Order>(order) is { } asked ? asked == Order.Desc : cursor is not null && Cursor.IsDescending(cursor));

    public static int Count(string? count) => count is null ? DefaultCount : int.Parse(count, CultureInfo.InvariantCulture);

    public static Instant? Instant(string? text) => text is null ? null : Calendar.ReadInstant(text);

    public static bool? Flag(string? text) => text switch { "true" => true, "false" => false, _ => null };

    public static LocalDate? Date(string? text) => text is not null && LocalDatePattern.Iso.Parse(text) is { Success: true, Value: var date } ? date : null;

    /// <summary>Members of a closed set, each once, with commas between them; null: the text is none such.</summary>
    public static ImmutableArray<T>? Several<T>(string? text) where T : struct, Enum
    {
        if (text is null) return null;
        var named = text.Split(',').Select(BodyFaults.Named<T>).ToList();
        return named.Contains(null) || named.Distinct().Count() < named.Count ? null : [.. named.Select(one => one!.Value)];
    }

    // A parameter that is not known here, or is given twice.
    private static Problem? Strange(HttpContext context, FrozenSet<string> taken)
    {
        foreach (var (name, values) in context.Request.Query)
        {
            if (!taken.Contains(name) || context.Request.RouteValues.ContainsKey(name))
                return Problems.Of(Problems.UnknownField, $"{(name.Length == 0 ? "A query parameter without a name" : name)} must be left out; it is not known here.", name);
            if (values is not [not null]) return Problems.Of(Problems.Malformed, $"{name} must be given once.", name);
        }
        return null;
    }

    private static Problem? Wrong(HttpContext context)
    {
        var (path, query) = (context.Request.RouteValues, context.Request.Query);
        var meaning = context.GetEndpoint()!.Metadata.GetMetadata<Meaning>()?.Of;
        var ids = path.Where(pair => pair.Key != CreditId)
            .Select(pair => pair.Key == UserId ? Fields.ExternalId(pair.Key, (string?)pair.Value) : Fields.Id(pair.Key, (string?)pair.Value));
        return Refusal.All([.. ids, .. query.Select(pair => Wrong(pair.Key, pair.Value!, meaning))]) is { } refusal ? Problems.Of(refusal) : null;
    }

    private static Refusal? Wrong(string name, string value, string? meaning) => name switch
    {
        "cursor" => null,
        "limit" or "count" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit
            ? null
            : Refusal.Invalid(name, $"must be a whole number from 1 to {MaxLimit:N0}"),
        "from" or "to" when meaning == Meaning.Days => Date(value) is not { } date ? NotOf<LocalDate>(name) : Calendar.CheckDate(name, date),
        "from" or "to" or "at" or "createdFrom" or "createdTo" or "expiresFrom" or "expiresTo" =>
            Calendar.ReadInstant(value) is not { } instant ? NotOf<Instant>(name)
            : Calendar.IsInstant(instant) ? null
            : Refusal.Invalid(name, Calendar.InstantRange),
        "status" when meaning == Meaning.Milestones => value.Length is >= 1 and <= Planning.MaxStatus && !value.Any(char.IsControl)
            ? null
            : Refusal.Invalid(name, $"must have 1 to {Planning.MaxStatus} characters and no control characters"),
        "allocated" or "full" => Flag(value) is null ? NotOf<bool>(name) : null,
        "status" => Several<CreditStatus>(value) is null ? NotSeveralOf<CreditStatus>(name) : null,
        "state" => BodyFaults.Named<ContractState>(value) is null ? NotOf<ContractState>(name) : null,
        "type" => BodyFaults.Named<ContractType>(value) is null ? NotOf<ContractType>(name) : null,
        "kind" => BodyFaults.Named<EntryKind>(value) is null ? NotOf<EntryKind>(name) : null,
        "name" or "actor" => value.Length > 0 && Fields.NameIfGiven(name, value) is null
            ? null
            : Refusal.Invalid(name, $"must have 1 to {Fields.MaxName} characters and no control characters"),
        "order" => BodyFaults.Named<Order>(value) is null ? NotOf<Order>(name) : null,
        "groupBy" => Several<UsageBy>(value) is null ? NotSeveralOf<UsageBy>(name) : null,
        "lotId" => Ids.CanBe(value) ? null : Refusal.Invalid(name, $"must have 1 to {Ids.MaxMadeLength} characters of {Ids.Alphabet}"),
        "paymentId" => Ids.CanBeExternal(value) ? null : Refusal.Invalid(name, $"must have 1 to {Ids.MaxMadeLength} {Ids.ExternalAlphabet}"),
        UserId or "playerId" => Fields.ExternalId(name, value),
        _ => Fields.Id(name, value),
    };

    private static Refusal NotSeveralOf<T>(string name)
    {
        var (rule, allowed) = BodyFaults.Expected(typeof(T));
        var several = $"{rule.Replace("one", "one or more, each once and with commas between them,", StringComparison.Ordinal)}";
        return Refusal.Invalid(name, several) with { Faults = [new(name, $"{name} {several}.", allowed)] };
    }

    private static Refusal NotOf<T>(string name)
    {
        var (rule, allowed) = BodyFaults.Expected(typeof(T));
        return Refusal.Invalid(name, rule) with { Faults = [new(name, $"{name} {rule}.", allowed)] };
    }

    // A filter by what is not there is no empty list.
    private static async ValueTask<Problem?> Unknown(HttpContext context)
    {
        if (context.Request.Query.Count == 0) return null;
        var (known, caller) = (context.RequestServices.GetRequiredService<Known>(), context.Features.Get<Caller>()!);
        var query = context.Request.Query;
        string? clientId = query["clientId"], contractId = query["contractId"];
        if (clientId is not null && !await known.Client(clientId, caller)) return Problems.NotFound($"client {clientId}");
        if (contractId is not null && await known.ClientOf(contractId, caller) is var owner && (owner is null || (clientId ?? owner) != owner)) return Problems.NoContract(contractId);
        if (query["accountId"] is [{ } accountId] && !await known.Account(accountId, clientId, caller)) return Problems.NotFound($"account {accountId}");
        if (query["projectId"] is [{ } projectId] && !await known.Project(projectId, clientId, caller)) return Problems.NotFound($"project {projectId}");

        // Users and reports belong to a client, which an operator need not name.
        var client = caller.ClientId ?? clientId ?? (contractId is null ? null : await known.ClientOf(contractId, caller));
        if (query["userId"] is [{ } userId] && (!caller.IsFor(userId) || (client is not null && !await known.User(client, userId)))) return Problems.NotFound($"user {userId}");
        if (query["reportId"] is [{ } reportId] && client is not null && !await known.Report(client, reportId)) return Problems.NotFound($"report {reportId}");
        return null;
    }
}
