namespace CreditGrains.Domain;

/// <summary>Checks conditions that only a bug can break, in Release too.</summary>
public static class Invariant
{
    /// <param name="what">What must hold, e.g. "a draw takes no more than there is".</param>
    public static void Holds(bool condition, string what)
    {
        if (!condition) throw new InvariantException(what);
    }
}

/// <summary>A bug: the state would have become wrong, so nothing is committed.</summary>
public sealed class InvariantException(string what) : Exception($"Broken invariant: {what}");
