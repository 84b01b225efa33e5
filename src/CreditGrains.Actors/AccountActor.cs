using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Actors;

/// <inheritdoc cref="IAccount"/>
public class AccountActor(ActorServices services, string accountId) : Committer<Account?>(services), IAccount
{
    /// <summary>The kind of an account's document.</summary>
    public const string Kind = "account";

    private const string MilestonePrefix = "milestone:", ProjectPrefix = "project:";

    public Task<Decision<AccountTerms>> Set(SetAccount set) => Decide((account, now) => Answer(account, Opening.Decide(account, set, now)));

    public async Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key)
    {
        while (true)
        {
            if (await Recall(buy, key) is { } recalled) return recalled;
            var settled = await Run((account, now) => Existing(account, known => Buying.Decide(known, buy, now).Select(changed =>
                new Changed<Account, BoughtCredits>(changed.State, Remember(changed, key), new(changed.Answer, Replayed: false)))));
            if (settled.IsSettled) return settled.Answer!;
        }
    }

    public Task<Decision<Project>> SetProject(SetProject set) =>
        DecideAbout((account, now) => Projecting.Decide(account, set, now), ProjectPrefix + set.ProjectId);

    public Task<Decision<Milestone>> SetMilestone(SetMilestone set) =>
        DecideAbout((account, now) => Planning.Decide(account, set, now), MilestonePrefix + set.MilestoneId, ProjectPrefix + set.ProjectId);

    public Task<Decision<Allocated>> Allocate(AllocateCredits allocate, bool dryRun) =>
        DecideAbout((account, now) => Rehearse(account, ServicesAllocating.Decide(account, allocate, now), dryRun), MilestonePrefix + allocate.MilestoneId);

    public Task<Decision<Allocated>> Adjust(AdjustCredits adjust, bool dryRun) =>
        DecideAbout((account, now) => Rehearse(account, ServicesAllocating.Decide(account, adjust, now), dryRun), MilestonePrefix + adjust.MilestoneId);

    public Task WakeUp() => Run((account, _) => new Changed<Account?, bool>(account, Changes.None, true));

    protected override async Task<(Account? State, long Version)> Load()
    {
        if (await Services.Store.Account(accountId) is not { } stored) return (null, 0);
        var document = Stored<AccountDocument>.Read(stored.Document);
        return (new(document.Terms, document.Records, stored.OpenPurchases, stored.Document.AsOf, ServicesFacts.None), stored.Document.Version);
    }

    // Projects and milestones may come from another account and go to one: they are read for each commit and fenced by their own versions.
    protected override async Task<Account?> LoadMore(Account? state, Needs needs, IReadOnlyCollection<string> about)
    {
        if (state is null) return state;
        var facts = await Services.Store.Services(accountId, Named(about, MilestonePrefix), Named(about, ProjectPrefix));
        var open = state.Purchases.Where(purchase => purchase.Free > 0).ToList();
        return state with { Services = facts, Purchases = [.. open, .. facts.Held.ExceptBy(open.Select(purchase => purchase.PurchaseId), purchase => purchase.PurchaseId)] };
    }

    protected override IEnumerable<Guard> RestsOn(Account? state) => state is null ? [] : [new(ServicesSettingsActor.Kind, ServicesSettingsActor.Id, state.Services.SettingsVersion)];

    protected override Instant AsOf(Account? state) => state?.AsOf ?? Instant.MinValue;

    protected override Changed<Account?> RollForward(Account? state, Instant now)
    {
        if (state is null) return new(null, Changes.None);
        var (next, changes) = state.RollForward(now);
        return new(next, changes);
    }

    protected override DocumentWrite? Write(Account? before, Account? after, long version, Instant now) => after is null ? null : new(
        Kind, accountId, version,
        before?.Terms == after.Terms && before?.Records == after.Records ? null : Stored<AccountDocument>.Write(new(after.Terms, after.Records)),
        after.Terms.ClientId, now, after.NextDue);

    protected override Guard Prove(long version) => new(Kind, accountId, version);

    protected override void Committed(Account? state)
    {
        if (state?.NextDue is { } due) Services.Wakeups.ScheduleAccount(accountId, due);
    }

    private Refusal Absent => Refusal.NotFound($"account {accountId}");

    // What was bought under that id or key before (§3): the first answer, or a refusal where it was another request.
    private async Task<Decision<BoughtCredits>?> Recall(BuyCredits buy, RequestKey? key)
    {
        if (key is not null && await Services.Store.Document(Kind, accountId) is { } stored
            && await Services.Store.Document(Remembered.Request, $"{stored.AsAccount().ClientId}/{key.Key}") is { } document)
        {
            var remembered = Json.Read<KeyedRequest>(document.Body);
            if (remembered.Fingerprint != key.Fingerprint) return new Refusal(RefusalCode.IdempotencyKeyReused, "The Idempotency-Key stands for another request.");
            var made = await Services.Store.Purchase(accountId, remembered.Made) ?? throw new InvariantException("a remembered request's purchase is there");
            return new BoughtCredits(made.AsBought(), Replayed: true);
        }
        if (await Services.Store.Purchase(accountId, buy.PurchaseId) is not { } purchase) return null;
        return buy.Made(purchase)
            ? new BoughtCredits(purchase.AsBought(), Replayed: true)
            : new Refusal(RefusalCode.IdempotencyKeyReused, $"The purchase {buy.PurchaseId} was added by another request.");
    }

    private static Changes Remember(Changed<Account, Purchase> changed, RequestKey? key) => key is null
        ? changed.Changes
        : changed.Changes with { Requests = [new(changed.State.Terms.ClientId, key.Key, key.Fingerprint, changed.Answer.PurchaseId)] };

    private static Decision<Changed<Account, Allocated>> Rehearse(Account account, Decision<Changed<Account, Allocated>> decision, bool dryRun) =>
        dryRun ? decision.Select(changed => changed with { State = account, Changes = Changes.None }) : decision;

    private Task<Decision<T>> DecideAbout<T>(Func<Account, Instant, Decision<Changed<Account, T>>> decide, params IReadOnlyCollection<string> about) =>
        Decide((account, now) => Existing(account, known => decide(known, now)), Needs.More, about);

    private async Task<TAnswer> Decide<TAnswer>(Func<Account?, Instant, Changed<Account?, TAnswer>> decide, Needs needs = Needs.State, params IReadOnlyCollection<string> about)
    {
        while (true)
        {
            var settled = await Run(decide, needs, about);
            if (settled.IsSettled) return settled.Answer!;
        }
    }

    private Changed<Account?, Decision<T>> Existing<T>(Account? account, Func<Account, Decision<Changed<Account, T>>> decide) =>
        Answer(account, account is null ? Absent : decide(account));

    private static Changed<Account?, Decision<T>> Answer<T>(Account? account, Decision<Changed<Account, T>> decision) => decision.Value is { } changed
        ? new(changed.State, changed.Changes, changed.Answer)
        : new(account, Changes.None, decision.Refusal!);

    private static List<string> Named(IReadOnlyCollection<string> about, string prefix) =>
        [.. about.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..])];
}
