using System.Runtime.CompilerServices;
using System.Text.Json;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>The auditor of services credits: sees every commit, and recomputes what it must be.</summary>
internal sealed class ServicesBooks(World world, MemoryStore store, Clocks clocks)
{
    private readonly Dictionary<(string AccountId, string PurchaseId), decimal> taken = [], expired = [], ledger = [];
    private readonly Dictionary<(string MilestoneId, string AccountId, string PurchaseId), decimal> held = [];

    /// <summary>Checks what a commit will do against the state that it meets.</summary>
    public void Before(Commit commit)
    {
        var changes = commit.Changes;
        Holds(changes.Entries.All(entry => entry.Actor != ServicesWork.Rehearsing), "a dry run changes nothing (S3)", $"{string.Join(' ', changes.Entries)}");
        foreach (var entry in changes.Entries.Where(entry => entry.Cause == "adjustment")) CheckZero(entry);
        foreach (var entry in changes.Entries.Where(entry => entry is { Kind: EntryKind.ServicesCreditsExpired, Cause: "expiry" })) CheckExpiry(entry);
        if (changes.Consumptions.Any() && changes.Purchases.All(change => !change.IsNew)) CheckOrder(changes);
        Post(changes);
    }

    /// <summary>Checks that the books of all that a commit touched balance.</summary>
    public void After(Commit commit)
    {
        var changes = commit.Changes;
        foreach (var change in changes.Purchases) CheckPurchase(change.AccountId, change.Purchase);
        foreach (var change in changes.Milestones) CheckMilestone(change.Milestone);
        foreach (var change in changes.Projects)
            Holds(change.Project.Holding == store.Milestones.Count(milestone => milestone.ProjectId == change.Project.ProjectId && milestone.Held > 0), "a project knows who holds (S5)", $"{change}");
        var records = changes.Consumptions.GroupBy(record => record.AccountId).Select(group => group.Select(record => record.Number).Order().ToList());
        Holds(records.All(numbers => numbers[^1] - numbers[0] == numbers.Count - 1), "records are numbered without a gap (S4)", $"{changes.Consumptions.Count()} records");
    }

    /// <summary>Checks that nothing that fell due is left to be booked.</summary>
    public void AllIsBooked()
    {
        var (accountId, purchase) = store.Purchases.FirstOrDefault(row => row.Purchase.Free > 0 && row.Purchase.IsOverAt(clocks.Earliest));
        Holds(purchase is null, "what fell due is booked (T3)", $"{accountId}: {purchase}");
    }

    private void CheckPurchase(string accountId, Purchase purchase)
    {
        var key = (accountId, purchase.PurchaseId);
        var holdings = store.Milestones.Where(milestone => store.Project(milestone.ProjectId)!.AccountId == accountId)
            .SelectMany(milestone => milestone.Holdings).Where(holding => holding.PurchaseId == purchase.PurchaseId).Sum(holding => holding.Quantity);
        Holds(
            purchase.Quantity == purchase.Free + purchase.Allocated + purchase.Expired && purchase is { Free: >= 0, Allocated: >= 0, Expired: >= 0 }
                && purchase.Allocated == holdings
                && purchase.Quantity - purchase.Free == taken.GetValueOrDefault(key)
                && purchase.Expired == expired.GetValueOrDefault(key)
                && purchase.Free == ledger.GetValueOrDefault(key),
            "the books of services credits balance (S4, G1)",
            $"{accountId}: {purchase}; held {holdings}, records {taken.GetValueOrDefault(key)} and expired {expired.GetValueOrDefault(key)}, free by the ledger {ledger.GetValueOrDefault(key)}");
    }

    private void CheckMilestone(Milestone milestone)
    {
        var sums = held.Where(sum => sum.Key.MilestoneId == milestone.MilestoneId && sum.Value != 0).Select(sum => new Holding(sum.Key.PurchaseId, sum.Value)).OrderBy(holding => holding.PurchaseId, StringComparer.Ordinal);
        Holds(milestone.Holdings.SequenceEqual(sums), "a milestone's records add up to what it holds (S4)", $"{milestone}: {string.Join(' ', sums)}");
        Holds(milestone.Held == 0 || milestone.Held == milestone.ServicesCredits, "a milestone holds all or nothing (S2)", $"{milestone}");
        var exempt = store.Settings().NoAllocationStatuses;
        Holds(milestone.Held == milestone.ServicesCredits || (exempt.Contains(milestone.Status) && milestone.ActualDate is null), "what is not allocated stays in an exempt status without actual date (S5)", $"{milestone}");
    }

    // Of two commands on one milestone in one commit the entry tells what was between.
    private void CheckZero(Entry entry)
    {
        var after = JsonDocument.Parse(entry.After!).RootElement;
        if (after.GetProperty("servicesCredits").GetDecimal() != 0) return;
        Holds(store.Settings().NoAllocationStatuses.Contains(after.GetProperty("status").GetString()!) && after.GetProperty("actualDate").ValueKind == JsonValueKind.Null,
            "nothing is adjusted to 0 but in an exempt status without actual date (S5)", $"{entry}");
    }

    private void CheckExpiry(Entry entry)
    {
        var purchase = store.Purchase(entry.AccountId!, entry.Subject.Split('~')[1]);
        Holds(purchase?.ExpiresAt == entry.EffectiveAt && purchase.Free == entry.ServicesCredits && entry.BookedAt <= clocks.Latest, "expiry is booked once, as of its due instant (T3, S6)", $"{entry}, {purchase}");
    }

    // L2 and L3, decided again record by record.
    private void CheckOrder(Changes changes)
    {
        var accounts = changes.Consumptions.Select(record => record.AccountId).Distinct().ToDictionary(id => id, id => store.PurchasesOf(id).ToDictionary(purchase => purchase.PurchaseId));
        var holdings = store.Milestones.ToDictionary(milestone => milestone.MilestoneId, milestone => milestone.Holdings.ToDictionary(holding => holding.PurchaseId, holding => holding.Quantity));
        var corrected = changes.Entries.Where(entry => entry.Kind == EntryKind.PurchaseSet).Select(entry => (entry.AccountId!, entry.Subject.Split('~')[1]))
            .ToDictionary(key => key, key => changes.Purchases.Last(change => (change.AccountId, change.Purchase.PurchaseId) == key).Purchase);
        foreach (var record in changes.Consumptions)
        {
            var purchases = accounts[record.AccountId];
            var purchase = purchases[record.PurchaseId];
            Holds(record.Currency == purchase.Currency, "other currencies are not touched (S2)", $"{record}, {purchase}");
            if (record.MilestoneId is null)
            {
                // A correction by hand comes alone, after what fell due.
                purchases[record.PurchaseId] = corrected.TryGetValue((record.AccountId, record.PurchaseId), out var to) ? to : purchase with { Free = purchase.Free - record.Quantity };
                continue;
            }
            if (!holdings.TryGetValue(record.MilestoneId, out var own)) holdings[record.MilestoneId] = own = [];
            Holds(changes.Projects.Any() || store.Project(ProjectOf(record.MilestoneId, changes))?.Currency == record.Currency, "other currencies are not touched (S2)", $"{record}");
            if (record.Quantity > 0)
            {
                Holds(purchase.AvailableAt(record.At) >= record.Quantity, "a draw takes what there is (L2)", $"{record} of {purchase}");
                var isChosen = changes.Entries.Any(entry => entry is { Kind: EntryKind.ServicesCreditsAllocated, Actor: ServicesWork.Choosing } && entry.Cause == Subjects.Milestone(record.MilestoneId));
                var earlier = isChosen ? null : purchases.Values.FirstOrDefault(other => other.Currency == purchase.Currency && other.AvailableAt(record.At) > 0 && Order(other).CompareTo(Order(purchase)) < 0);
                Holds(earlier is null, "a draw takes what expires first (L2)", $"{record} of {purchase}, not of {earlier}");
            }
            else
            {
                Holds(own.GetValueOrDefault(record.PurchaseId) >= -record.Quantity, "no more is returned than is held (L3)", $"{record}");
                var later = purchases.Values.FirstOrDefault(other => own.GetValueOrDefault(other.PurchaseId) > 0 && Order(other).CompareTo(Order(purchase)) > 0);
                Holds(later is null, "what expires last is returned first (L3)", $"{record} to {purchase}, not to {later}");
            }
            purchases[record.PurchaseId] = purchase with { Free = purchase.Free - record.Quantity };
            own[record.PurchaseId] = own.GetValueOrDefault(record.PurchaseId) + record.Quantity;
        }
        foreach (var (accountId, purchases) in accounts)
            foreach (var purchase in purchases.Values)
                Holds(purchase.Free == 0 || !purchase.IsOverAt(changes.Consumptions.Where(record => record.AccountId == accountId).Max(record => record.At)),
                    "what comes back to an expired purchase is not available (L3)", $"{purchase}");
    }

    private string ProjectOf(string milestoneId, Changes changes) =>
        changes.Milestones.LastOrDefault(change => change.Milestone.MilestoneId == milestoneId)?.Milestone.ProjectId ?? store.Milestone(milestoneId)!.ProjectId;

    private static (Instant, Instant, string) Order(Purchase purchase) => (purchase.ExpiresAt, purchase.AvailableFrom, purchase.PurchaseId);

    private void Post(Changes changes)
    {
        foreach (var record in changes.Consumptions)
        {
            var key = (record.AccountId, record.PurchaseId);
            Add(taken, key, record.Quantity);
            if (record.MilestoneId is { } milestone) Add(held, (milestone, record.AccountId, record.PurchaseId), record.Quantity);
            else Add(expired, key, record.Quantity);
        }
        foreach (var entry in changes.Entries.Where(entry => entry.ServicesCredits is not null))
            Add(ledger, (entry.AccountId!, entry.Subject.Split('~')[1]), entry.Kind is EntryKind.ServicesCreditsBought or EntryKind.ServicesCreditsReturned ? entry.ServicesCredits!.Value : -entry.ServicesCredits!.Value);
    }

    private static void Add<TKey>(Dictionary<TKey, decimal> sums, TKey key, decimal quantity) where TKey : notnull => sums[key] = sums.GetValueOrDefault(key) + quantity;

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
