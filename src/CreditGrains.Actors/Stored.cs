using CreditGrains.Domain;

namespace CreditGrains.Actors;

/// <summary>A document's body: what it says, under the version of its schema. A later version is refused, never guessed.</summary>
internal sealed record Stored<T>(int Schema, T Value)
{
    public static string Write(T value, int schema = StoredSchema.First) => Json.Write(new Stored<T>(schema, value));

    public static T Read(Document document)
    {
        using var json = System.Text.Json.JsonDocument.Parse(document.Body);
        if (!json.RootElement.TryGetProperty("schema", out var schema) || schema.GetInt32() is < StoredSchema.First or > StoredSchema.Newest)
            throw new UnknownSchemaException($"{document.Kind} {document.Id}");
        return Json.Read<Stored<T>>(document.Body).Value;
    }
}

internal static class StoredSchema
{
    /// <summary>What every release reads.</summary>
    public const int First = 1;

    /// <summary>A contract whose allocation was decided about: a release that knows none must not guess.</summary>
    public const int Allocated = 2;

    /// <summary>The newest that this program reads.</summary>
    public const int Newest = Allocated;
}
