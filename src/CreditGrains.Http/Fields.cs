using CreditGrains.Domain;

namespace CreditGrains.Http;

/// <summary>What fields of bodies must be before they become a command; each answers the refusal, or null.</summary>
internal static class Fields
{
    /// <summary>The longest name, in characters.</summary>
    public const int MaxName = 200;

    private const int MaxReason = 1_000;

    public static Refusal? Given(string field, object? value) => value is null ? Refusal.Invalid(field, "is required") : null;

    public static Refusal? Id(string field, string? value) => Given(field, value) ?? (Ids.IsValid(value) ? null : Refusal.Invalid(field, $"has 1 to {Ids.MaxLength} characters of {Ids.Alphabet}"));

    public static Refusal? IdIfGiven(string field, string? value) => value is null ? null : Id(field, value);

    /// <summary>An id that the path gives and the body may repeat.</summary>
    public static Refusal? OfPath(string field, string? value, string ofPath) => value is null || value == ofPath ? null : Refusal.Invalid(field, "is the one of the path");

    /// <summary>A name: at most 200 characters, any but control characters.</summary>
    public static Refusal? Name(string field, string? value) => Given(field, value) ?? NameIfGiven(field, value);

    public static Refusal? NameIfGiven(string field, string? value) =>
        value is null || (value.Length <= MaxName && !value.Any(char.IsControl)) ? null : Refusal.Invalid(field, $"has at most {MaxName} characters and no control characters");

    /// <summary>Why somebody does something: 1 to 1,000 characters.</summary>
    public static Refusal? Reason(string field, string? value) => Given(field, value)
        ?? (value!.Trim().Length > 0 && value.Length <= MaxReason && !value.Any(char.IsControl) ? null : Refusal.Invalid(field, $"has 1 to {MaxReason} characters and no control characters"));

    /// <summary>The first refusal of a list's items; <paramref name="check"/> gets the item's place in the body.</summary>
    public static Refusal? Each<T>(string field, IReadOnlyList<T?> items, Func<string, T, Refusal?> check) where T : class => items
        .Select((item, i) => item is null ? Refusal.Invalid($"{field}[{i}]", "is required") : check($"{field}[{i}].", item))
        .FirstOrDefault(refusal => refusal is not null);
}
