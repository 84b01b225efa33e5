namespace CreditGrains.Domain;

/// <summary>What a caller has seen of something that has no version of its own (If-Match): equal texts, equal values.</summary>
public static class Seen
{
    /// <summary>That there was nothing.</summary>
    public const string Nothing = "";

    /// <summary>Something else than there has ever been.</summary>
    public const string Other = "-";

    /// <summary>That value; null: nothing.</summary>
    public static string Of<T>(T? value) where T : class => value is null ? Nothing : Fingerprint.Of(Json.Write(value));
}
