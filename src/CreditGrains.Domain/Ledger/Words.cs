using System.Collections.Frozen;
using System.Text.Json;

namespace CreditGrains.Domain;

/// <summary>How the members of closed sets are spelled in columns, codes and metrics: in kebab case.</summary>
public static class Words
{
    public static string Word<T>(this T value) where T : struct, Enum => Known<T>.Words[value];

    public static T Read<T>(string word) where T : struct, Enum =>
        Find<T>(word) ?? throw new InvariantException($"{word} is one of the words for {typeof(T).Name}");

    /// <summary>null: it is none of their words.</summary>
    public static T? Find<T>(string word) where T : struct, Enum => Known<T>.Values.TryGetValue(word, out var value) ? value : null;

    private static class Known<T> where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> Words =
            Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));

        public static readonly FrozenDictionary<string, T> Values =
            Words.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
    }
}
