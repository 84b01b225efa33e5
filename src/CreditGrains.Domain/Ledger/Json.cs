using System.Collections.Frozen;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>The JSON of the domain's values, the same in ledger entries, stored states, messages and HTTP (T1, §3).</summary>
public static class Json
{
    /// <summary>The most characters of a number that is read exactly.</summary>
    public const int MaxNumberCharacters = 28;

    public static readonly JsonSerializerOptions Options = Configure(new(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() });

    /// <summary>Sets those options up for the domain's values.</summary>
    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.AllowDuplicateProperties = false;
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new InstantConverter());
        options.Converters.Add(new TextConverter<LocalDate>(LocalDatePattern.Iso.Format, text => Read(LocalDatePattern.Iso.Parse(text), "an ISO-8601 date")));
        options.Converters.Add(new TextConverter<Runs>(runs => runs.ToString(), Runs.Parse));
        options.Converters.Add(new TextConverter<CreditId>(id => id.ToString(), CreditId.Parse));
        options.Converters.Add(new RenewalDayConverter());
        options.Converters.Add(new EnumConverter());
        options.Converters.Add(new DecimalConverter());
        options.Converters.Add(new WholeNumberConverter<int>());
        options.Converters.Add(new WholeNumberConverter<long>());
        return options;
    }

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException("expected a value, not null");

    /// <summary>The value, or null where the text is <c>null</c>.</summary>
    public static T? ReadOrNull<T>(string json) where T : struct => JsonSerializer.Deserialize<T?>(json, Options);

    private static T Read<T>(ParseResult<T> result, string what) => result.Success ? result.Value : throw new JsonException($"expected {what}");

    // Only exact names are read; the framework's own converter also takes other cases, surrounding blanks and lists of names.
    private sealed class EnumConverter : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)typeof(EnumConverter)
                .GetMethod(nameof(Of), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(typeToConvert)
                .Invoke(null, null)!;

        private static TextConverter<T> Of<T>() where T : struct, Enum
        {
            var policy = typeof(T) == typeof(CreditStatus) ? JsonNamingPolicy.SnakeCaseUpper : JsonNamingPolicy.KebabCaseLower;
            var names = Enum.GetValues<T>().ToFrozenDictionary(value => value, value => policy.ConvertName(value.ToString()));
            var values = names.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
            return new(
                value => names[value],
                text => values.TryGetValue(text, out var value) ? value : throw new JsonException($"expected one of {string.Join(", ", names.Values)}"));
        }
    }

    // A weekday is a text, a day of the month a number (A1).
    private sealed class RenewalDayConverter : JsonConverter<RenewalDay>
    {
        private static readonly string[] Weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

        public override RenewalDay Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.Number when Whole<int>(reader) is { } day => RenewalDay.Of(day),
            JsonTokenType.String when Array.IndexOf(Weekdays, reader.GetString()) is >= 0 and var day => RenewalDay.Of((IsoDayOfWeek)(day + 1)),
            _ => throw new JsonException("expected monday to sunday or 1 to 31"),
        };

        public override void Write(Utf8JsonWriter writer, RenewalDay value, JsonSerializerOptions options)
        {
            if (value.Weekday == IsoDayOfWeek.None) writer.WriteNumberValue(value.DayOfMonth);
            else writer.WriteStringValue(Weekdays[(int)value.Weekday - 1]);
        }
    }

    // As NodaTime's own pattern writes it, in a fraction of the time: a report's answer has an instant for each of its players.
    private sealed class InstantConverter : JsonConverter<Instant>
    {
        private const int Characters = 28;

        private static readonly Instant First = Instant.FromUtc(1, 1, 1, 0, 0);

        public override Instant Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            (reader.TokenType == JsonTokenType.String ? Calendar.ReadInstant(reader.GetString()!) : null)
            ?? throw new JsonException("expected an RFC 3339 instant");

        public override void Write(Utf8JsonWriter writer, Instant value, JsonSerializerOptions options)
        {
            if (value < First || Instant.FromUnixTimeTicks(value.ToUnixTimeTicks()) != value)
            {
                writer.WriteStringValue(InstantPattern.ExtendedIso.Format(value));
                return;
            }
            Span<byte> text = stackalloc byte[Characters];
            value.ToDateTimeUtc().TryFormat(text, out var end, "O");
            writer.WriteStringValue(WithoutTrailingZeros(text[..end]));
        }

        private static ReadOnlySpan<byte> WithoutTrailingZeros(Span<byte> text)
        {
            var end = text.Length - 1;
            while (text[end - 1] == '0') end--;
            if (text[end - 1] == '.') end--;
            text[end] = (byte)'Z';
            return text[..(end + 1)];
        }
    }

    // A number as it is written; null: it is longer, and could not be read exactly.
    private static decimal? Exactly(in Utf8JsonReader reader)
    {
        var length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
        return length <= MaxNumberCharacters && reader.TryGetDecimal(out var number) ? number : null;
    }

    // JSON knows one kind of number: 1.0 and 1e3 are whole.
    private static T? Whole<T>(in Utf8JsonReader reader) where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (!reader.TryGetInt64(out var number))
        {
            if (Exactly(reader) is not { } exact || exact != decimal.Truncate(exact) || exact < long.MinValue || exact > long.MaxValue) return null;
            number = (long)exact;
        }
        var whole = T.CreateSaturating(number);
        return long.CreateTruncating(whole) == number ? whole : null;
    }

    private sealed class WholeNumberConverter<T> : JsonConverter<T> where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && Whole<T>(reader) is { } number ? number : throw new JsonException("expected a whole number");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(long.CreateChecked(value));
    }

    // Decimals are read exactly or not at all, and written without trailing zeros.
    private sealed class DecimalConverter : JsonConverter<decimal>
    {
        public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.Number && Exactly(reader) is { } number
                ? ServicesCredits.Plain(number)
                : throw new JsonException($"expected a number of at most {MaxNumberCharacters} characters");

        public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(ServicesCredits.Plain(value));
    }

    private sealed class TextConverter<T>(Func<T, string> write, Func<string, T> read) : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? read(reader.GetString()!) : throw new JsonException($"expected a text for {typeof(T).Name}");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(write(value));
    }
}
