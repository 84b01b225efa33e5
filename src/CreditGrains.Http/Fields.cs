using CreditGrains.Domain;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>The body of a request.</summary>
internal interface IBody
{
    /// <summary>A refusal of every field that is not as it must be before the body becomes a command; null: none.</summary>
    /// <param name="path">The ids of the path.</param>
    Refusal? Check(RouteValueDictionary path);
}

/// <summary>What fields of bodies must be before they become a command; each answers the refusal, or null.</summary>
internal static class Fields
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxName = Terms.MaxName;

    /// <summary>The longest reason, in characters.</summary>
    public const int MaxReason = 1_000;

    public static Refusal? Given(string field, object? value) => value is null ? Refusal.Invalid(field, "must be given") : null;

    public static Refusal? Id(string field, string? value) =>
        Given(field, value) ?? (Ids.IsValid(value) ? null : Refusal.Invalid(field, $"must have 1 to {Ids.MaxLength} characters of {Ids.Alphabet}"));

    /// <summary>An id of a user, a player or a payment.</summary>
    public static Refusal? ExternalId(string field, string? value) =>
        Given(field, value) ?? (Ids.IsExternal(value) ? null : Refusal.Invalid(field, $"must have 1 to {Ids.MaxLength} {Ids.ExternalAlphabet}"));

    public static Refusal? ExternalIdIfGiven(string field, string? value) => value is null ? null : ExternalId(field, value);

    public static Refusal? IdIfGiven(string field, string? value) => value is null ? null : Id(field, value);

    /// <summary>An id that the path gives and the body may repeat.</summary>
    public static Refusal? OfPath(string field, string? value, RouteValueDictionary path) =>
        value is null || value == (string?)path[field] ? null : Refusal.Invalid(field, $"must be {path[field]}, as in the path");

    /// <summary>A field that only the service writes: it may be sent as it is.</summary>
    public static Refusal? ReadOnly<T>(string field, T? given, T? present) =>
        given is null || (present is not null && Json.Write(given) == Json.Write(present)) ? null : Refusal.Invalid(field, "must be left out, or stay as it is: only the service writes it");

    /// <summary>A name: at most 200 characters, any but control characters.</summary>
    public static Refusal? Name(string field, string? value) => Given(field, value) ?? NameIfGiven(field, value);

    public static Refusal? NameIfGiven(string field, string? value) => value is null || (value.Length <= MaxName && !value.Any(char.IsControl))
        ? null
        : Refusal.Invalid(field, $"must have at most {MaxName} characters and no control characters");

    /// <summary>Why somebody does something: 1 to 1,000 characters.</summary>
    public static Refusal? Reason(string field, string? value) => Given(field, value) ?? ReasonIfGiven(field, value);

    public static Refusal? ReasonIfGiven(string field, string? value) =>
        value is null || (value.Trim().Length > 0 && value.Length <= MaxReason && !value.Any(char.IsControl))
            ? null
            : Refusal.Invalid(field, $"must have 1 to {MaxReason:N0} characters and no control characters");

    /// <summary>The refusals of a list's items; <paramref name="check"/> names the fields of one item.</summary>
    public static IEnumerable<Refusal> Each<T>(string field, IReadOnlyList<T?>? items, Func<T, Refusal?> check) where T : class
    {
        for (var i = 0; i < (items?.Count ?? 0); i++)
        {
            if (items![i] is not { } item) yield return Refusal.Invalid($"{field}[{i}]", "must be given");
            else if (check(item) is { } refusal) yield return refusal.Within($"{field}[{i}].");
        }
    }
}
