using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A purchase, and the services credits of it that milestones held at an instant.</summary>
public sealed record PurchaseFacts(Purchase Purchase, decimal Allocated);

/// <summary>An account's services credits in one currency (G3). Purchases that have not begun count only in what is allocated.</summary>
/// <param name="Available">What an allocation can take.</param>
/// <param name="Allocated">What milestones hold.</param>
public sealed record CurrencyBalance(string Currency, decimal Available, decimal Allocated, decimal Expired)
{
    /// <summary>The balance of each currency at an instant, past or future (G3): what is allocated now is taken to stay allocated.</summary>
    public static ImmutableArray<CurrencyBalance> Of(IEnumerable<PurchaseFacts> facts, Instant at) => [.. facts
        .GroupBy(fact => fact.Purchase.Currency).OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => new CurrencyBalance(
            group.Key,
            group.Where(fact => at >= fact.Purchase.AvailableFrom && !fact.Purchase.IsOverAt(at)).Sum(Rest),
            group.Sum(fact => fact.Allocated),
            group.Where(fact => fact.Purchase.IsOverAt(at)).Sum(Rest)))];

    // Unallocated credits of a purchase that is over have expired, even those that were returned later.
    private static decimal Rest(PurchaseFacts fact) => fact.Purchase.Quantity - fact.Allocated;
}
