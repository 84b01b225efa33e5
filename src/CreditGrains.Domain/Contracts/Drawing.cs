using System.Numerics;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Something that credits are drawn from: a lot or a purchase.</summary>
public interface IDrawable
{
    string Id { get; }

    Instant AvailableFrom { get; }

    /// <summary>null: never.</summary>
    Instant? ExpiresAt { get; }
}

/// <summary>One part of a quantity that was spread, and where it goes.</summary>
public readonly record struct Share<T, TQuantity>(T Of, TQuantity Part);

/// <summary>The order in which credits are drawn and, reversed, returned (L2, L3), and how a quantity spills over from one source to the next.</summary>
public static class Drawing
{
    /// <summary>Earliest expiry first, never-expiring last; then the earliest begin; then the id.</summary>
    public static IEnumerable<T> InDrawOrder<T>(this IEnumerable<T> all) where T : IDrawable => all
        .OrderBy(drawable => drawable.ExpiresAt ?? Instant.MaxValue)
        .ThenBy(drawable => drawable.AvailableFrom)
        .ThenBy(drawable => drawable.Id, StringComparer.Ordinal);

    /// <summary>The exact inverse: latest expiry first (L3).</summary>
    public static IEnumerable<T> InReturnOrder<T>(this IEnumerable<T> all) where T : IDrawable => all.InDrawOrder().Reverse();

    /// <summary>Spreads a quantity in order, at most <paramref name="most"/> to each; together they must take all of it.</summary>
    public static IReadOnlyList<Share<T, TQuantity>> Spread<T, TQuantity>(this IEnumerable<T> inOrder, TQuantity quantity, Func<T, TQuantity> most)
        where TQuantity : INumber<TQuantity>
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
