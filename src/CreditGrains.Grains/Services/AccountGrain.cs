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

    public Task<Decision<AccountTerms>> Set(SetAccount set) =>
        Run(new AccountCommand<Decision<AccountTerms>>((account, now) => Answer(account, Opening.Decide(account, set, now))));

    public Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key)
    {
        Purchase? made = null;
        KeyedRequest? recalled = null;
        return Run(new AccountCommand<Decision<BoughtCredits>>((account, now) => Existing(account, known =>
            recalled is not null && recalled.Fingerprint != key!.Fingerprint ? Remembered.KeyReused
            : made is not null && recalled is null && !buy.Made(made) ? new Refusal(RefusalCode.IdempotencyKeyReused, $"The purchase {buy.PurchaseId} was added by another request.")
            : made is not null ? new Changed<Account, BoughtCredits>(known, Changes.None, new(made.AsBought(), Replayed: true))
            : Buying.Decide(known, buy, now).Select(bought => new Changed<Account, BoughtCredits>(
                bought.State,
                key is null ? bought.Changes : bought.Changes + [Remembered.Keep(new KeyedRequest(known.ClientId, key.Key, key.Fingerprint, buy.PurchaseId), now)],
                new(bought.Answer.AsBought(), Replayed: false)))))
        {
            IsAlone = true,
            Learns = async () =>
            {
                recalled = key is not null && State is { ClientId: var client }
                    && await Services.Store.Document(DocumentKind.Request, Remembered.RequestId(client, key.Key)) is { } document
                    ? Json.Read<KeyedRequest>(document.Body)
                    : null;
                made = recalled?.Fingerprint == key?.Fingerprint || recalled is null ? await Services.Store.Purchase(Id, recalled?.Made ?? buy.PurchaseId) : null;
            },
        });
    }

    public Task<Decision<Project>> SetProject(SetProject set) => Run(new AccountCommand<Decision<Project>>(
        (account, now) => Existing(account, known => Projecting.Decide(known, set, now))) { Projects = [set.ProjectId] });

    public Task<Decision<Milestone>> SetMilestone(SetMilestone set) => Run(new AccountCommand<Decision<Milestone>>(
        (account, now) => Existing(account, known => Planning.Decide(known, set, now))) { Milestones = [set.MilestoneId], Projects = [set.ProjectId] });

    public Task<Decision<Allocated>> Allocate(AllocateCredits allocate, bool dryRun) => Run(new AccountCommand<Decision<Allocated>>(
        (account, now) => Existing(account, known => Rehearse(known, ServicesAllocating.Decide(known, allocate, now), dryRun))) { Milestones = [allocate.MilestoneId] });

    public Task<Decision<Allocated>> Adjust(AdjustCredits adjust, bool dryRun) => Run(new AccountCommand<Decision<Allocated>>(
        (account, now) => Existing(account, known => Rehearse(known, ServicesAllocating.Decide(known, adjust, now), dryRun))) { Milestones = [adjust.MilestoneId] });

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

    private static Decision<Changed<Account, Allocated>> Rehearse(Account account, Decision<Changed<Account, Allocated>> decision, bool dryRun) =>
        dryRun ? decision.Select(changed => changed with { State = account, Changes = Changes.None }) : decision;
}
