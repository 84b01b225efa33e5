using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A purchase, and what milestones held of it at some instant.</summary>
public sealed record PurchaseFacts(Purchase Purchase, decimal Allocated);

/// <summary>Services credits of one currency: what an allocation can take, what milestones hold, what has expired. What has not begun is none of them.</summary>
public sealed record CurrencyBalance(string Currency, decimal Available, decimal Allocated, decimal Expired)
{
    /// <summary>The balance of each currency at that instant, past or to come (G3): what is allocated now stays so until somebody changes it.</summary>
    public static ImmutableArray<CurrencyBalance> Of(IEnumerable<PurchaseFacts> facts, Instant at) => [.. facts
        .GroupBy(fact => fact.Purchase.Currency).OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => new CurrencyBalance(
            group.Key,
            group.Where(fact => at >= fact.Purchase.AvailableFrom && !fact.Purchase.IsOverAt(at)).Sum(Rest),
            group.Sum(fact => fact.Allocated),
            group.Where(fact => fact.Purchase.IsOverAt(at)).Sum(Rest)))];

    // What is over and not allocated has expired, whenever it came back.
    private static decimal Rest(PurchaseFacts fact) => fact.Purchase.Quantity - fact.Allocated;
}
