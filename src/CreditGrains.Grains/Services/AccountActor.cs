using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IAccount"/>
public class AccountActor(ActorServices services, string accountId) : DocumentCommitter<Account>(services, AccountActor.Kind, accountId), IAccount
{
    /// <summary>The kind of an account's document.</summary>
    public const string Kind = "account";

    private const string MilestonePrefix = "milestone:", ProjectPrefix = "project:";

    public Task<Decision<AccountTerms>> Set(SetAccount set) => Decide((account, now) => Answer(account, Opening.Decide(account, set, now)));

    public async Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key) =>
        (await MakeOnce("purchase", buy.PurchaseId, key, id => Services.Store.Purchase(Id, id), buy.Made, (account, now) => Buying.Decide(account, buy, now)))
        .Select(bought => new BoughtCredits(bought.Made.AsBought(), bought.Replayed));

    public Task<Decision<Project>> SetProject(SetProject set) =>
        DecideAbout((account, now) => Projecting.Decide(account, set, now), ProjectPrefix + set.ProjectId);

    public Task<Decision<Milestone>> SetMilestone(SetMilestone set) =>
        DecideAbout((account, now) => Planning.Decide(account, set, now), MilestonePrefix + set.MilestoneId, ProjectPrefix + set.ProjectId);

    public Task<Decision<Allocated>> Allocate(AllocateCredits allocate, bool dryRun) =>
        DecideAbout((account, now) => Rehearse(account, ServicesAllocating.Decide(account, allocate, now), dryRun), MilestonePrefix + allocate.MilestoneId);

    public Task<Decision<Allocated>> Adjust(AdjustCredits adjust, bool dryRun) =>
        DecideAbout((account, now) => Rehearse(account, ServicesAllocating.Decide(account, adjust, now), dryRun), MilestonePrefix + adjust.MilestoneId);

    protected override async Task<(Account? State, long Version)> Load()
    {
        if (await Services.Store.Account(Id) is not { } stored) return (null, 0);
        var document = Stored<AccountDocument>.Read(stored.Document);
        return (new(document.Terms, document.Records, stored.OpenPurchases, stored.Document.AsOf, ServicesFacts.None), stored.Document.Version);
    }

    // Projects and milestones may come from another account and go to one: they are read for each commit and fenced by their own versions.
    protected override async Task<Account?> LoadRelated(Account? state, Needs needs, IReadOnlyCollection<string> about)
    {
        if (state is null) return state;
        var facts = await Services.Store.Services(Id, Named(about, MilestonePrefix), Named(about, ProjectPrefix));
        var open = state.Purchases.Where(purchase => purchase.Free > 0).ToList();
        return state with { Services = facts, Purchases = [.. open, .. facts.Held.ExceptBy(open.Select(purchase => purchase.PurchaseId), purchase => purchase.PurchaseId)] };
    }

    protected override IEnumerable<Guard> RestsOn(Account? state) => state is null ? [] : [new(ServicesSettingsActor.Kind, ServicesSettingsActor.Id, state.Services.SettingsVersion)];

    protected override DocumentWrite? Write(Account? before, Account? after, long version, Instant now) => after is null ? null : new(
        Kind, Id, version,
        before?.Terms == after.Terms && before?.Records == after.Records ? null : Stored<AccountDocument>.Write(new(after.Terms, after.Records)),
        after.Terms.ClientId, now, after.NextDue);

    protected override async Task<string?> ClientId() => (await Services.Store.Document(Kind, Id))?.AsAccount().ClientId;

    protected override void Committed(Account? state)
    {
        if (state?.NextDue is { } due) Services.Wakeups.ScheduleAccount(Id, due);
    }

    private static Decision<Changed<Account, Allocated>> Rehearse(Account account, Decision<Changed<Account, Allocated>> decision, bool dryRun) =>
        dryRun ? decision.Select(changed => changed with { State = account, Changes = Changes.None }) : decision;

    private Task<Decision<T>> DecideAbout<T>(Func<Account, Instant, Decision<Changed<Account, T>>> decide, params IReadOnlyCollection<string> about) =>
        DecideExisting(decide, Needs.Related, about);

    private static List<string> Named(IReadOnlyCollection<string> about, string prefix) =>
        [.. about.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..])];
}
