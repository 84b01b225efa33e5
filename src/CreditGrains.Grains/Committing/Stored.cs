using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>A document's body: what it says, under the version of its schema. A later version is refused, never guessed.</summary>
internal sealed record Stored<T>(int Schema, T Value)
{
    public static string Write(T value) => Json.Write(new Stored<T>(StoredSchema.Of(value), value));

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
    /// <summary>The newest schema that this program reads.</summary>
    public const int Newest = 3;

    private const int WithBillingOrPlan = 2, WithApart = 3;

    /// <summary>The schema that a value is written under: the oldest that has all that it says, so that only what an earlier version does not know is kept from it.</summary>
    public static int Of<T>(T value) => value switch
    {
        ContractDocument { HasApart: true } => WithApart,
        ContractDocument { Terms.BillingCycle: not null } or ContractDocument { Plan: not null } => WithBillingOrPlan,
        _ => 1,
    };
}
