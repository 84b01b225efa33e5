using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CreditGrains.Domain;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Pages;

/// <summary>How values are shown and read back.</summary>
internal static class Show
{
    /// <summary>What stands where there is nothing.</summary>
    public const string Nothing = "–";

    private static readonly LocalDateTimePattern Local = LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd HH:mm");

    // As browsers write local times in forms.
    private static readonly LocalDateTimePattern OfForms = LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm");

    /// <summary>A value as the API writes it, without quotes; null: none.</summary>
    public static string? Value(object? value) => value switch
    {
        null => null,
        string text => text,
        bool flag => flag ? "true" : "false",
        int or long => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        decimal quantity => quantity.ToString("0.####", CultureInfo.InvariantCulture),
        _ => JsonSerializer.SerializeToNode(value, value.GetType(), Json.Options) switch
        {
            JsonValue json when json.TryGetValue<string>(out var text) => text,
            var json => json?.ToJsonString(Json.Options),
        },
    };

    /// <summary>"1,200"; null: no limit.</summary>
    public static string Credits(long? number) => number is { } credits ? credits.ToString("N0", CultureInfo.InvariantCulture) : "no limit";

    /// <summary>Services credits, with at most four places.</summary>
    public static string Services(decimal quantity) => quantity.ToString("#,0.####", CultureInfo.InvariantCulture);

    /// <summary>The same as a change, with its sign: "+5", "-5", "0".</summary>
    public static string Change(decimal quantity) => quantity.ToString("+#,0.####;-#,0.####;0", CultureInfo.InvariantCulture);

    public static string Date(LocalDate? date) => date is { } day ? LocalDatePattern.Iso.Format(day) : Nothing;

    /// <summary>"2026-03-10 11:00" in that zone.</summary>
    public static string Time(Instant? instant, DateTimeZone zone) => instant is { } at ? Local.Format(at.InZone(zone).LocalDateTime) : Nothing;

    /// <summary>"Next renewal" of <c>next-renewal</c>.</summary>
    public static string Title(string word) => word.Length == 0 ? word : $"{char.ToUpperInvariant(word[0])}{word[1..].Replace('-', ' ')}";

    public static string Title<T>(T value) where T : struct, Enum => Title(value.Word());

    public static string Day(RenewalDay? day) => day is { } on ? Title(Value(on)!) : Nothing;

    /// <summary>A number as JSON where it is one, else the text as it is, so that the API says what it must be.</summary>
    public static JsonNode? Number(string? text) =>
        text is null ? null
        : decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? JsonValue.Create(number)
            : JsonValue.Create(text);

    /// <summary>An instant of a local time of a form, <c>2026-03-10T11:00</c>; else the text as it is.</summary>
    public static string? Instant(string? local, DateTimeZone zone) =>
        local is not null && OfForms.Parse(local) is { Success: true, Value: var time }
            ? InstantPattern.ExtendedIso.Format(time.InZoneLeniently(zone).ToInstant())
            : local;

    /// <summary>The value of a form's field for a local time.</summary>
    public static string? Field(Instant? instant, DateTimeZone zone) =>
        instant is { } at ? OfForms.Format(at.InZone(zone).LocalDateTime) : null;
}
