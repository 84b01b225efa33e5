using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>Managers and operators of services credits, at work on the accounts of a world.</summary>
internal sealed class ServicesWork(World world, IGrainFactory grains, MemoryStore store, Clocks clocks, CorrectionBooks corrections, bool isStormy)
{
    private static readonly string[] Clients = ["acme", "bolt"];
    private static readonly string[] Currencies = ["EUR", "USD"];
    private static readonly string[] Statuses = ["Planned", "Planned", "Canceled", "Done", "Started"];

    /// <summary>Who only asks what would happen.</summary>
    public const string Rehearsing = "rehearsing";

    /// <summary>Who chooses purchases by hand.</summary>
    public const string Choosing = "choosing";

    private readonly List<(string AccountId, BuyCredits Buy, RequestKey? Key)> bought = [];
    private int named;

    private Dice Dice => world.Dice;

    public IEnumerable<string> Accounts => Clients.SelectMany(client => new[] { $"{client}-a", $"{client}-b" });

    public async Task SetUp()
    {
        foreach (var client in Clients)
        {
            await grains.Account($"{client}-a").Set(new(new($"{client}-a", client, "A", "Europe/Berlin"), "operator"));
            await grains.Account($"{client}-b").Set(new(new($"{client}-b", client, "B", "UTC"), "operator"));
            foreach (var project in Projects(client)) await grains.Account($"{client}-{project[^1]}").SetProject(new(project, project.Contains("EUR", StringComparison.Ordinal) ? "EUR" : "USD", "operator"));
            foreach (var account in Accounts.Where(account => account.StartsWith(client, StringComparison.Ordinal)))
                foreach (var currency in Currencies) await grains.Account(account).Buy(NewPurchase(currency), null);
        }
    }

    /// <summary>One command, or two at once.</summary>
    public Task Act() => Dice.Below(13) switch
    {
        10 => Correct(),
        11 => Dice.Chance(0.3) ? Expire() : Correct(),
        12 => Dice.Chance(0.5) ? Choose() : AllocateAll(),
        < 2 => Buy(),
        < 4 => Plan(),
        < 6 => Allocate(),
        < 8 => Adjust(),
        8 => Task.WhenAll(Adjust(0), Plan()),
        _ when isStormy => Dice.Chance(0.7) ? MoveProject() : Set(),
        _ => Task.WhenAll(Allocate(), Allocate(), Adjust()),
    };

    public Task Set() => grains.ServicesSettings().Set(new([.. Statuses.Concat(["None"]).Distinct().Where(status => status is "Planned" or "None" || Dice.Chance(0.3))]), "operator");

    private static IEnumerable<string> Projects(string client) => [$"{client}-EUR-a", $"{client}-USD-a", $"{client}-EUR-b"];

    private string AnyProject() => Dice.Pick([.. Projects(Dice.Pick(Clients))]);

    private string AnyMilestone(string project) => $"{(isStormy ? project[..4] : project)}-m{Dice.Below(4)}";

    private BuyCredits NewPurchase(string currency)
    {
        var starts = Calendar.DateAt(clocks.Latest, DateTimeZone.Utc).PlusDays(Dice.Below(2));
        return new($"p{named++}", currency, Dice.Between(1, 80) * 0.25m, starts, starts.PlusDays(Dice.Between(0, 4)), "operator");
    }

    private async Task Buy()
    {
        var (account, buy, key) = bought.Count > 0 && isStormy && Dice.Chance(0.3)
            ? Dice.Pick(bought)
            : (Dice.Pick([.. Accounts]), NewPurchase(Dice.Pick(Currencies)), Dice.Chance(0.5) ? new RequestKey($"buy{named++}", $"{named}") : null);
        if (isStormy && Dice.Chance(0.05)) buy = buy with { Quantity = buy.Quantity + 1 };
        bought.Add((account, buy, key));
        if ((await grains.Account(account).Buy(buy, key)).Value is { } answer)
            world.Holds(store.Purchase(account, answer.Purchase.PurchaseId)?.Request == answer.Purchase.Request, "what is answered is durable (R5)", $"{answer}");
    }

    private async Task Plan()
    {
        var project = AnyProject();
        var milestone = AnyMilestone(project);
        var set = new SetMilestone(milestone, project, Dice.Chance(0.5) ? Dice.Below(40) * 0.25m : null, Dice.Pick(Statuses), Dice.Chance(0.3) ? new LocalDate(2026, 3, 27) : null, null, "manager");
        if ((await AccountOf(project).SetMilestone(set)).Value is { } answer) IsDurable(answer.Answer);
    }

    private async Task Allocate()
    {
        var (milestone, account) = Held();
        var dryRun = Dice.Chance(0.1);
        if ((await account.Allocate(new(milestone, null, dryRun ? Rehearsing : "manager"), dryRun)).Value is { } answer && !dryRun) IsDurable(answer.Answer.Milestone);
    }

    // L6: a purchase's days and quantity.
    private async Task Correct()
    {
        if (AnyPurchase() is not var (account, purchase)) return;
        var today = Calendar.DateAt(clocks.Latest, DateTimeZone.Utc);
        var change = new ChangePurchase(
            purchase.PurchaseId, Dice.Chance(0.2) ? today.PlusDays(Dice.Between(0, 2)) : null, Dice.Chance(0.6) ? today.PlusDays(Dice.Between(-1, 4)) : null,
            Dice.Chance(0.4) ? Dice.Between(1, 80) * 0.25m : null, Dice.Chance(0.2) ? $"text{named}" : null, Clears: false, $"correction{named++}", "operator");
        corrections.Wants(change);
        IsDurable(account, await grains.Account(account).ChangePurchase(change, Keyed(change.Reason!)));
    }

    private async Task Expire()
    {
        if (AnyPurchase() is not var (account, purchase)) return;
        var reason = $"end{named++}";
        IsDurable(account, await grains.Account(account).ExpirePurchase(new(purchase.PurchaseId, reason, "operator"), Keyed(reason)));
    }

    // A message may come twice, and others' corrections between.
    private static RequestKey Keyed(string reason) => new($"key-{reason}", reason);

    // Mostly what is there, now and then too much.
    private async Task Choose()
    {
        var (milestone, account) = Held();
        if (store.Milestone(milestone) is not { } present) return;
        var needed = present.ServicesCredits - present.Held;
        var from = new List<Holding>();
        foreach (var purchase in store.PurchasesOf(store.Project(present.ProjectId)!.AccountId).Where(one => one.Free > 0).Reverse())
        {
            var part = Math.Min(needed, Dice.Chance(0.1) ? purchase.Quantity : purchase.Free);
            if (part > 0) from.Add(new(purchase.PurchaseId, part));
            needed -= part;
        }
        if ((await account.Allocate(new(milestone, null, Choosing, [.. from]), dryRun: false)).Value is { } answer) IsDurable(answer.Answer.Milestone);
    }

    private async Task AllocateAll()
    {
        var project = AnyProject();
        var milestones = Enumerable.Range(0, 4).Select(_ => AnyMilestone(project)).Distinct();
        if ((await AccountOf(project).AllocateMilestones(new(project, [.. milestones], "manager"), dryRun: false)).Value is not { } answer) return;
        foreach (var one in answer.Answer)
            if (one.Allocated is { } allocated) IsDurable(allocated.Milestone);
    }

    private (string AccountId, Purchase Purchase)? AnyPurchase()
    {
        var account = Dice.Pick([.. Accounts]);
        return store.PurchasesOf(account).ToList() is { Count: > 0 } all ? (account, Dice.Pick(all)) : null;
    }

    private void IsDurable(string accountId, Decision<Answered<CorrectedPurchase>> decision)
    {
        if (decision.Value is not { Answer.Purchase: var answered }) return;
        world.Holds(store.Purchase(accountId, answered.PurchaseId) is not null, "what is answered is durable (R5)", $"{answered}");
    }

    private async Task Adjust(decimal? quantity = null)
    {
        var (milestone, account) = Held();
        if ((await account.Adjust(new(milestone, quantity ?? Dice.Below(40) * 0.25m, null, "manager"), dryRun: false)).Value is { } answer) IsDurable(answer.Answer.Milestone);
    }

    private async Task MoveProject()
    {
        var project = AnyProject();
        await grains.Account($"{project[..4]}-{Dice.Pick(["a", "b"])}").SetProject(new(project, Dice.Pick(Currencies), "operator"));
    }

    private (string Milestone, IAccountGrain Account) Held()
    {
        var project = AnyProject();
        var milestone = AnyMilestone(project);
        return (milestone, AccountOf(store.Milestone(milestone)?.ProjectId ?? project));
    }

    private IAccountGrain AccountOf(string projectId) => grains.Account(store.Project(projectId)!.AccountId);

    private void IsDurable(Milestone answered)
    {
        var stored = store.Milestone(answered.MilestoneId);
        world.Holds(stored?.Version > answered.Version || (stored is not null && Json.Write(stored) == Json.Write(answered)), "what is answered is durable (R5)", $"{answered}, stored {stored}");
    }
}
