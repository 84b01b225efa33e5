using CreditGrains.Domain;

namespace CreditGrains.Actors;

/// <summary>A document's body: what it says, under the version of its schema. A later version is refused, never guessed.</summary>
internal sealed record Stored<T>(int Schema, T Value)
{
    public static string Write(T value) => Json.Write(new Stored<T>(StoredSchema.Newest, value));

    public static T Read(Document document)
    {
        using var json = System.Text.Json.JsonDocument.Parse(document.Body);
        if (!json.RootElement.TryGetProperty("schema", out var schema) || schema.GetInt32() is < 1 or > StoredSchema.Newest)
            throw new UnknownSchemaException($"{document.Kind} {document.Id}");
        return Json.Read<Stored<T>>(document.Body).Value;
    }
}

internal static class StoredSchema
{
    /// <summary>The newest schema that this program reads and the one that it writes.</summary>
    public const int Newest = 1;
}
