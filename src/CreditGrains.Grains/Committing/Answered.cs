namespace CreditGrains.Grains;

/// <summary>The answer to a request that may be sent again; <paramref name="Replayed"/>: it is the first answer.</summary>
public sealed record Answered<T>(T Answer, bool Replayed);
