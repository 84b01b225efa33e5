using System.Numerics;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What credits are drawn from: a lot, a purchase.</summary>
public interface IDrawable
{
    string Id { get; }

    Instant AvailableFrom { get; }

    /// <summary>null: never.</summary>
    Instant? ExpiresAt { get; }
}

/// <summary>A part of what was spread, and what it falls on.</summary>
public readonly record struct Share<T, TQuantity>(T Of, TQuantity Part);

/// <summary>The one order in which credits are drawn and, reversed, returned (L2, L3), and how a quantity spills over from one to the next.</summary>
public static class Drawing
{
    /// <summary>Earliest expiry first, never-expiring last; then the earliest begin; then the id.</summary>
    public static IEnumerable<T> InDrawOrder<T>(this IEnumerable<T> all) where T : IDrawable => all
        .OrderBy(drawable => drawable.ExpiresAt ?? Instant.MaxValue)
        .ThenBy(drawable => drawable.AvailableFrom)
        .ThenBy(drawable => drawable.Id, StringComparer.Ordinal);

    /// <summary>The exact inverse: latest expiry first (L3).</summary>
    public static IEnumerable<T> InReturnOrder<T>(this IEnumerable<T> all) where T : IDrawable => all.InDrawOrder().Reverse();

    /// <summary>Spreads a quantity from the first on, on each at most what it can bear; together they must bear it.</summary>
    public static IReadOnlyList<Share<T, TQuantity>> Spread<T, TQuantity>(this IEnumerable<T> inOrder, TQuantity quantity, Func<T, TQuantity> most) where TQuantity : INumber<TQuantity>
    {
        var shares = new List<Share<T, TQuantity>>();
        foreach (var one in inOrder)
        {
            if (TQuantity.IsZero(quantity)) break;
            var part = TQuantity.Min(quantity, most(one));
            if (TQuantity.IsZero(part)) continue;
            shares.Add(new(one, part));
            quantity -= part;
        }
        Invariant.Holds(TQuantity.IsZero(quantity), "a draw takes no more than there is");
        return shares;
    }
}
