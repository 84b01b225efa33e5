namespace CreditGrains.Domain;

/// <summary>What can only fail by a bug in this code; it is checked in Release too.</summary>
public static class Invariant
{
    public static void Holds(bool condition, string what)
    {
        if (!condition) throw new InvariantException(what);
    }
}

/// <summary>A bug: the state would have become wrong. Nothing is committed.</summary>
public sealed class InvariantException(string what) : Exception($"Broken invariant: {what}");
