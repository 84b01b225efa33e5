using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain.Tests;

/// <summary>One account under the pure domain alone: its rows, records and entries as a store would have them, guarded by the same fences. Projects EUR, EUR2 and USD have those currencies.</summary>
internal sealed class ServicesWorld
{
    public delegate Decision<Changed<Account, Allocated>> Adjusting(Account account, AdjustCredits adjust, Instant now);

    private readonly SortedDictionary<string, Purchase> purchases = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Milestone> milestones = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Project> projects = [];
    private readonly List<Consumption> records = [];
    private readonly List<Entry> entries = [];
    private Account account = Given.Account();

    public ServicesWorld()
    {
        foreach (var project in (string[])["EUR", "EUR2", "USD"]) Take(Projecting.Decide(Facts(), new(project, project[..3], "ops"), Now));
    }

    public Instant Now { get; private set; } = Given.NewYear;

    public IReadOnlyCollection<Purchase> Purchases => purchases.Values;

    public IReadOnlyCollection<Milestone> Milestones => milestones.Values;

    public IReadOnlyList<Consumption> Records => records;

    public IReadOnlyList<Entry> Entries => entries;

    public Account Account => account;

    public Adjusting Adjuster { get; init; } = ServicesAllocating.Decide;

    public Milestone? Milestone(string id) => milestones.GetValueOrDefault(id);

    /// <summary>The clock moves; nothing is booked until somebody asks (T3).</summary>
    public void MoveTo(Instant now) => Now = now;

    public void WakeUp() => RollForward();

    public Decision<Purchase> Buy(string id, decimal quantity, string currency, int from, int until)
    {
        RollForward();
        return Take(Buying.Decide(account, new(id, currency, quantity, Given.Terms.StartsOn.PlusDays(from), Given.Terms.StartsOn.PlusDays(until - 1), "ops"), Now));
    }

    public Decision<Purchase> Correct(ChangePurchase change)
    {
        RollForward();
        return Take(PurchaseCorrecting.Decide(account, purchases.GetValueOrDefault(change.PurchaseId), change, Now));
    }

    public Decision<Purchase> Expire(string id)
    {
        RollForward();
        return Take(PurchaseCorrecting.Decide(account, purchases.GetValueOrDefault(id), new ExpirePurchase(id, "cancelled", "ops"), Now));
    }

    public Decision<Milestone> Plan(SetMilestone set)
    {
        RollForward();
        return Take(Planning.Decide(Facts(), set, Now));
    }

    public Decision<Project> Set(SetProject set)
    {
        RollForward();
        return Take(Projecting.Decide(Facts(), set, Now));
    }

    public Decision<Allocated> Allocate(string milestone)
    {
        RollForward();
        return Take(ServicesAllocating.Decide(Facts(), Given.Allocate(milestone), Now));
    }

    public Decision<Allocated> Allocate(string milestone, params Holding[] from)
    {
        RollForward();
        return Take(ServicesAllocating.Decide(Facts(), Given.Allocate(milestone) with { From = [.. from] }, Now));
    }

    public Decision<ImmutableArray<AllocatedOne>> AllocateAll(string project, params string[] milestones)
    {
        RollForward();
        return Take(ServicesAllocating.Decide(Facts(), new AllocateMilestones(project, [.. milestones], "manager"), Now));
    }

    public Decision<Allocated> Adjust(string milestone, decimal quantity)
    {
        RollForward();
        return Take(Adjuster(Facts(), Given.Adjust(milestone, quantity), Now));
    }

    /// <summary>Throws unless the books balance: nothing came to be or was lost, and the records and entries say what is there (S4, G1).</summary>
    public void Balance()
    {
        foreach (var purchase in purchases.Values)
        {
            var own = records.Where(record => record.PurchaseId == purchase.PurchaseId).ToList();
            var told = entries.Where(entry => entry.Subject == $"purchase:A1~{purchase.PurchaseId}").Where(entry => entry.ServicesCredits is not null).ToLookup(entry => entry.Kind, entry => entry.ServicesCredits!.Value);
            Same(purchase.Quantity, purchase.Free + purchase.Allocated + purchase.Expired, $"{purchase} adds up");
            Same(purchase.Quantity - purchase.Free, own.Sum(record => record.Quantity), $"the records of {purchase}");
            Same(purchase.Expired, own.Where(record => record.MilestoneId is null).Sum(record => record.Quantity), $"the expiries of {purchase}");
            Same(purchase.Allocated, milestones.Values.SelectMany(milestone => milestone.Holdings).Where(holding => holding.PurchaseId == purchase.PurchaseId).Sum(holding => holding.Quantity), $"what is held of {purchase}");
            Same(purchase.Quantity, told[EntryKind.ServicesCreditsBought].Sum(), $"what the ledger says was bought as {purchase}");
            Same(purchase.Allocated, told[EntryKind.ServicesCreditsAllocated].Sum() - told[EntryKind.ServicesCreditsReturned].Sum(), $"what the ledger says is allocated of {purchase}");
            Same(purchase.Expired, told[EntryKind.ServicesCreditsExpired].Sum(), $"what the ledger says expired of {purchase}");
            if (purchase.Free < 0 || purchase.Allocated < 0 || purchase.Expired < 0) throw new InvalidOperationException($"{purchase} is below 0");
        }
        foreach (var milestone in milestones.Values)
        {
            var sums = records.Where(record => record.MilestoneId == milestone.MilestoneId).GroupBy(record => record.PurchaseId).ToDictionary(group => group.Key, group => group.Sum(record => record.Quantity));
            foreach (var (id, sum) in sums) Same(milestone.Holdings.SingleOrDefault(holding => holding.PurchaseId == id)?.Quantity ?? 0, sum, $"the records of {milestone} on {id}");
            Same(milestone.Held, sums.Values.Sum(), $"the records of {milestone}");
            if (milestone.Held > 0) Same(milestone.ServicesCredits, milestone.Held, $"{milestone} is wholly allocated or not at all");
        }
        foreach (var project in projects.Values)
            Same(project.Holding, milestones.Values.Count(milestone => milestone.ProjectId == project.ProjectId && milestone.Held > 0), $"who holds in {project}");
        Same(records.Count, records.Select(record => record.Number).Distinct().Count(), "each record has a number of its own");
    }

    // What an actor would load for its command: all that is there.
    private Account Facts() => account with
    {
        Purchases = [.. purchases.Values],
        Services = new(milestones.ToImmutableDictionary(), projects.ToImmutableDictionary(), [], ServicesSettings.Default, 0),
    };

    private void RollForward()
    {
        var (next, changes) = account.RollForward(Now);
        account = next;
        Apply(changes);
    }

    private Decision<T> Take<T>(Decision<Changed<Account, T>> decision)
    {
        if (decision.Value is not { } changed) return decision.Refusal!;
        Apply(changed.Changes);
        account = changed.State with { Purchases = [.. changed.State.Purchases.Where(purchase => purchase.Free > 0)], Services = ServicesFacts.None };
        return changed.Answer;
    }

    private void Apply(Changes changes)
    {
        foreach (var change in changes.Purchases)
        {
            Same(change.IsNew ? 0 : 1, purchases.ContainsKey(change.Purchase.PurchaseId) ? 1 : 0, $"the fence of {change}");
            purchases[change.Purchase.PurchaseId] = change.Purchase;
        }
        foreach (var change in changes.Projects)
        {
            Same(change.Expected, projects.GetValueOrDefault(change.Project.ProjectId)?.Version ?? 0, $"the fence of {change}");
            projects[change.Project.ProjectId] = change.Project;
        }
        foreach (var change in changes.Milestones)
        {
            Same(change.Expected, Milestone(change.Milestone.MilestoneId)?.Version ?? 0, $"the fence of {change}");
            milestones[change.Milestone.MilestoneId] = change.Milestone;
        }
        records.AddRange(changes.Consumptions);
        entries.AddRange(changes.Entries);
    }

    private static void Same(decimal expected, decimal actual, string what)
    {
        if (expected != actual) throw new InvalidOperationException($"{what}: expected {expected}, got {actual}");
    }
}
