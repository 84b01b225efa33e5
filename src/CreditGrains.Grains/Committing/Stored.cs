using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A document's body: a value under the version of its schema. Another version is refused, never guessed.</summary>
internal sealed record Stored<T>(int Schema, T Value)
{
    /// <summary>The schema that this program writes, and the only one that it reads.</summary>
    public const int Newest = 1;

    private static readonly string Beginning = $"{{\"schema\":{Newest},";

    public static string Write(T value) => Json.Write(new Stored<T>(Newest, value));

    public static T Read(Document document) => document.Body.StartsWith(Beginning, StringComparison.Ordinal)
        ? Json.Read<Stored<T>>(document.Body).Value
        : throw new UnknownSchemaException($"{document.Kind} {document.Id}");
}
