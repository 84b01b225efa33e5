using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IAccountGrain"/>
[Reentrant]
public sealed class AccountGrain(IGrainContext context, GrainServices services)
    : Committing<Account>(context, services, DocumentKind.Account), IAccountGrain, IRemindable
{
    private readonly DueReminder reminder = new(services);

    private sealed class AccountCommand<TAnswer>(Func<Account?, Instant, Changed<Account?, TAnswer>> decide) : Command<TAnswer>, IAccountCommand
    {
        public Func<Task> Learns { get; init; } = () => Task.CompletedTask;

        public string[] Milestones { get; init; } = [];

        public string[] Projects { get; init; } = [];

        // What milestones may be is decided by the settings that were read.
        protected override Changed<Account?, TAnswer> DecideOn(Account? state, Instant now)
        {
            var decided = decide(state, now);
            if (state is null || Milestones.Length == 0) return decided;
            return decided with { Changes = decided.Changes.RestingOn(new Guard(RowKey.Document(DocumentKind.Settings, ServicesSettingsGrain.Id), state.Services.SettingsVersion)) };
        }
    }

    private interface IAccountCommand
    {
        Func<Task> Learns { get; }

        string[] Milestones { get; }

        string[] Projects { get; }
    }

    public Task<Decision<Answered<AccountTerms>>> Set(SetAccount set, RequestKey? key)
    {
        KeyedRequest? recalled = null;
        return Run(new AccountCommand<Decision<Answered<AccountTerms>>>((account, now) => Answer(account, account is not null
            ? Once(account, key, recalled, () => Opening.Decide(account, set, now), now)
            : Opening.Decide(account, set, now).Select(ForTheFirstTime)))
        {
            IsAlone = key is not null,
            Learns = async () => recalled = await Recall(key),
        });
    }

    public Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key)
    {
        Purchase? made = null;
        KeyedRequest? recalled = null;
        PurchaseTerms? first = null;
        return Run(new AccountCommand<Decision<BoughtCredits>>((account, now) => Existing(account, known =>
            recalled is not null && recalled.Fingerprint != key!.Fingerprint ? Remembered.KeyReused
            : made is not null && recalled is null && !buy.Made(made) ? new Refusal(RefusalCode.IdempotencyKeyReused, $"The purchase {buy.PurchaseId} was added by another request.")
            : made is not null ? new Changed<Account, BoughtCredits>(known, Changes.None, new(made.AsBought(first), Replayed: true))
            : Buying.Decide(known, buy, now).Select(bought => new Changed<Account, BoughtCredits>(
                bought.State,
                bought.Changes + Remembered.Keep(known.ClientId, key, () => buy.PurchaseId, now),
                new(bought.Answer.AsBought(), Replayed: false)))))
        {
            IsAlone = true,
            Learns = async () =>
            {
                recalled = await Recall(key);
                made = recalled?.Fingerprint == key?.Fingerprint || recalled is null ? await Services.Store.Purchase(Id, recalled?.Made ?? buy.PurchaseId) : null;
                first = made is not null && await Services.Store.FirstPurchaseSet(Id, made.PurchaseId) is { Before: { } terms } ? Json.Read<PurchaseTerms>(terms) : null;
            },
        });
    }

    public Task<Decision<Answered<CorrectedPurchase>>> ChangePurchase(ChangePurchase change, RequestKey? key) =>
        Correct(key, change.PurchaseId, (account, stored, now) => PurchaseCorrecting.Decide(account, stored, change, now));

    public Task<Decision<Answered<CorrectedPurchase>>> ExpirePurchase(ExpirePurchase expire, RequestKey? key) =>
        Correct(key, expire.PurchaseId, (account, stored, now) => PurchaseCorrecting.Decide(account, stored, expire, now));

    public Task<Decision<Answered<Project>>> SetProject(SetProject set, RequestKey? key) =>
        Once(key, (account, now) => Projecting.Decide(account, set, now), [], [set.ProjectId]);

    public Task<Decision<Answered<Milestone>>> SetMilestone(SetMilestone set, RequestKey? key) =>
        Once(key, (account, now) => Planning.Decide(account, set, now), [set.MilestoneId], [set.ProjectId]);

    public Task<Decision<Answered<Allocated>>> Allocate(AllocateCredits allocate, bool dryRun, RequestKey? key)
    {
        Purchase[] named = [];
        return Once(
            dryRun ? null : key, (account, now) => Rehearse(account, ServicesAllocating.Decide(account, allocate, now, named), dryRun), [allocate.MilestoneId], [],
            allocate.From is not { } from ? null : async () => named =
                [.. (await Task.WhenAll(from.Select(chosen => Services.Store.Purchase(Id, chosen.PurchaseId)))).OfType<Purchase>()]);
    }

    public Task<Decision<Answered<ImmutableArray<AllocatedOne>>>> AllocateMilestones(AllocateMilestones allocate, bool dryRun, RequestKey? key) => Once(
        dryRun ? null : key, (account, now) => Rehearse(account, ServicesAllocating.Decide(account, allocate, now), dryRun),
        [.. allocate.MilestoneIds], [allocate.ProjectId]);

    public Task<Decision<Answered<Allocated>>> Adjust(AdjustCredits adjust, bool dryRun, RequestKey? key) =>
        Once(dryRun ? null : key, (account, now) => Rehearse(account, ServicesAllocating.Decide(account, adjust, now), dryRun), [adjust.MilestoneId], []);

    public Task WakeUp() => ReceiveReminder("", default);

    public async Task ReceiveReminder(string reminderName, TickStatus status) => await reminder.Rang(this, await LookAhead());

    protected override async Task<(Account State, long Epoch)?> Load()
    {
        if (await Services.Store.Account(Id) is not { } stored) return null;
        var document = Stored<AccountDocument>.Read(stored.Document);
        return (new(document.Terms, document.Records, stored.OpenPurchases, stored.Document.AsOf, ServicesFacts.None), stored.Document.Version);
    }

    // Projects and milestones may come from another account and go to one: they are read for each batch, and fenced by their own versions.
    protected override async Task<Account?> Learn(Account? state, IReadOnlyCollection<Command> batch)
    {
        var commands = batch.OfType<IAccountCommand>().ToList();
        foreach (var command in commands) await command.Learns();
        string[] milestones = [.. commands.SelectMany(command => command.Milestones).Distinct()], projects = [.. commands.SelectMany(command => command.Projects).Distinct()];
        if (state is null || milestones.Length + projects.Length == 0) return state;
        var facts = await Services.Store.Services(Id, milestones, projects);
        var open = state.Purchases.Where(purchase => purchase.Free > 0).ToList();
        return state with { Services = facts, Purchases = [.. open, .. facts.Held.ExceptBy(open.Select(purchase => purchase.PurchaseId), purchase => purchase.PurchaseId)] };
    }

    protected override void Stale(IReadOnlyCollection<RowKey> rows) { }

    protected override void Drop() { }

    protected override DocumentChange Write(Account? before, Account after, long epoch) => new(
        DocumentKind.Account, Id, Math.Max(epoch, 1), epoch,
        before?.Terms == after.Terms && before?.Records == after.Records ? null : Stored<AccountDocument>.Write(new(after.Terms, after.Records)),
        after.ClientId, after.AsOf, after.NextDue);

    protected override void Committed(Account? before, Account after, Changes changes)
    {
        if (after.NextDue is { } next && next != before?.NextDue) reminder.Set(this, next).Ignore();
    }

    private Task<Decision<Answered<T>>> Once<T>(
        RequestKey? key, Func<Account, Instant, Decision<Changed<Account, T>>> decide, string[] milestones, string[] projects, Func<Task>? look = null)
    {
        KeyedRequest? recalled = null;
        return Run(new AccountCommand<Decision<Answered<T>>>(
            (account, now) => Existing(account, known => Once(known, key, recalled, () => decide(known, now), now)))
        {
            IsAlone = key is not null || look is not null,
            Milestones = milestones,
            Projects = projects,
            Learns = async () =>
            {
                recalled = await Recall(key);
                if (look is not null) await look();
            },
        });
    }

    // One that is used up or over is in the store only.
    private Task<Decision<Answered<CorrectedPurchase>>> Correct(
        RequestKey? key, string purchaseId, Func<Account, Purchase?, Instant, Decision<Changed<Account, Purchase>>> decide)
    {
        Purchase? stored = null;
        return Once(
            key,
            (account, now) => decide(account, stored, now)
                .Select(changed => new Changed<Account, CorrectedPurchase>(changed.State, changed.Changes, new(changed.Answer, now))),
            [], [], async () => stored = await Services.Store.Purchase(Id, purchaseId));
    }

    private static Decision<Changed<Account, T>> Rehearse<T>(Account account, Decision<Changed<Account, T>> decision, bool dryRun) =>
        dryRun ? decision.Select(changed => changed with { State = account, Changes = Changes.None }) : decision;
}
