using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Purchases as they were at an instant (G3): corrections that took effect later are undone.</summary>
internal static class PurchasesAsOf
{
    /// <param name="corrections">The entries that changed purchases of the account after that instant, in the order of booking.</param>
    public static IEnumerable<Purchase> Before(this IEnumerable<Purchase> purchases, string accountId, IEnumerable<Entry> corrections)
    {
        var first = corrections.DistinctBy(entry => entry.Subject).ToDictionary(entry => entry.Subject, entry => Json.Read<PurchaseTerms>(entry.Before!));
        return purchases.Select(purchase =>
            first.GetValueOrDefault(Subjects.Purchase(accountId, purchase.PurchaseId)) is { } terms ? purchase.With(terms) : purchase);
    }
}
