using System.Collections.Immutable;

namespace CreditGrains.Domain;

/// <summary>The numbers of one purchase from one snapshot of the store, in services credits: the sums of its entries and records, and its state.</summary>
/// <param name="Purchase">State; null: there is no such purchase.</param>
/// <param name="Held">State: what milestones hold of it.</param>
/// <param name="Bought">Entries: bought.</param>
/// <param name="Allocated">Entries: allocated to milestones.</param>
/// <param name="Returned">Entries: returned by milestones.</param>
/// <param name="Expired">Entries: expired.</param>
/// <param name="RecordedAllocated">Records: allocated less returned.</param>
/// <param name="RecordedExpired">Records: expired.</param>
public sealed record PurchaseAuditFacts(
    string PurchaseId, Purchase? Purchase, decimal Held,
    decimal Bought, decimal Allocated, decimal Returned, decimal Expired, decimal RecordedAllocated, decimal RecordedExpired);

/// <summary>What one milestone holds of one purchase, by its row and by its records, in services credits.</summary>
public sealed record HoldingAuditFacts(string MilestoneId, string PurchaseId, decimal Held, decimal Recorded);

/// <summary>One number in which state and entries or records differ, in services credits.</summary>
public sealed record ServicesDifference(string Subject, string What, decimal FromEntries, decimal FromState);

/// <summary>An account's services credits in one currency. Bought = available + allocated + expired (G2).</summary>
/// <param name="Available">Neither allocated nor booked as expired, whether begun or not.</param>
public sealed record CurrencyAudit(string Currency, decimal Bought, decimal Available, decimal Allocated, decimal Expired);

/// <summary>Whether an account's books balance (G2), and its totals in each currency.</summary>
public sealed record AccountAudit(
    string AccountId, bool Balanced, ImmutableArray<CurrencyAudit> Currencies, ImmutableArray<ServicesDifference> Differences)
{
    /// <summary>Recomputes the state from the entries and records and compares them (G2).</summary>
    public static AccountAudit Of(string accountId, IReadOnlyCollection<PurchaseAuditFacts> purchases, IReadOnlyCollection<HoldingAuditFacts> holdings)
    {
        var differences = purchases.SelectMany(facts => Compare(accountId, facts)).Concat(holdings.SelectMany(Compare)).ToImmutableArray();
        return new(
            accountId,
            differences.IsEmpty,
            [
                .. purchases.Select(facts => facts.Purchase).OfType<Purchase>()
                    .GroupBy(purchase => purchase.Currency).OrderBy(currency => currency.Key, StringComparer.Ordinal)
                    .Select(currency => new CurrencyAudit(
                        currency.Key,
                        currency.Sum(purchase => purchase.Quantity),
                        currency.Sum(purchase => purchase.Free),
                        currency.Sum(purchase => purchase.Allocated),
                        currency.Sum(purchase => purchase.Expired))),
            ],
            differences);
    }

    private static IEnumerable<ServicesDifference> Compare(string accountId, PurchaseAuditFacts facts)
    {
        var (subject, state) = (Subjects.Purchase(accountId, facts.PurchaseId), facts.Purchase);
        var (quantity, free, held, expired) = (state?.Quantity ?? 0, state?.Free ?? 0, state?.Allocated ?? 0, state?.Expired ?? 0);
        var allocated = facts.Allocated - facts.Returned;
        return new ServicesDifference[]
        {
            new(subject, "quantity", facts.Bought, quantity),
            new(subject, "available", facts.Bought - allocated - facts.Expired, free),
            new(subject, "allocated", allocated, held),
            new(subject, "expired", facts.Expired, expired),
            new(subject, "sum", quantity, free + held + expired),
            new(subject, "held", allocated, facts.Held),
            new(subject, "recordedAllocated", allocated, facts.RecordedAllocated),
            new(subject, "recordedExpired", facts.Expired, facts.RecordedExpired),
        }.Where(difference => difference.FromEntries != difference.FromState);
    }

    private static IEnumerable<ServicesDifference> Compare(HoldingAuditFacts facts)
    {
        if (facts.Held != facts.Recorded) yield return new(Subjects.Milestone(facts.MilestoneId), facts.PurchaseId, facts.Recorded, facts.Held);
    }
}
