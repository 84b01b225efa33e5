using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>The store that all editions must equal: whole or nothing, each row guarded by its fence.</summary>
internal sealed class MemoryStore
{
    private readonly Dictionary<string, (Document Document, Instant? DueAt)> documents = [];
    private readonly Dictionary<(string ContractId, string LotId), Lot> lots = [];
    private readonly Dictionary<(string ContractId, string LotId), SortedDictionary<long, Lot>> apart = [];
    private readonly Dictionary<string, SortedDictionary<(string LotId, long Apart), Lot>> openLots = [];
    private readonly Dictionary<CreditId, Credit> credits = [];
    private readonly Dictionary<PlayerKey, CreditId> current = [];
    private readonly Dictionary<AllocationKey, (string ClientId, Member Member, Instant? DueAt)> members = [];
    private readonly Dictionary<UserKey, bool> switches = [];
    private readonly Dictionary<ReportKey, Report> reports = [];
    private readonly Dictionary<string, Entry> expiriesSet = [];
    private readonly Dictionary<string, SortedDictionary<string, Purchase>> purchases = [];
    private readonly Dictionary<string, Project> projects = [];
    private readonly Dictionary<string, Milestone> milestones = [];
    private readonly HashSet<string> consumptions = [];
    private readonly SortedSet<(Instant ExpiresAt, CreditId Id)> due = new(Comparer<(Instant ExpiresAt, CreditId Id)>.Create((a, b) =>
        a.ExpiresAt != b.ExpiresAt ? a.ExpiresAt.CompareTo(b.ExpiresAt) : string.CompareOrdinal(a.Id.ToString(), b.Id.ToString())));

    /// <summary>Sees each commit that will be carried out, on the state before it.</summary>
    public required Action<Commit> Committing { get; init; }

    /// <summary>Sees each commit that was carried out, on the state after it.</summary>
    public required Action<Commit> Committed { get; init; }

    /// <summary>Sees each commit that was refused, and the fences that failed.</summary>
    public required Action<Commit, IReadOnlySet<string>> Conflicted { get; init; }

    public int Conflicts { get; private set; }

    public IEnumerable<Instant> Boundaries => openLots.Values.SelectMany(open => open.Values)
        .SelectMany(lot => new[] { lot.AvailableFrom, lot.ExpiresAt ?? lot.AvailableFrom }).Concat(due.Take(3).Select(next => next.ExpiresAt))
        .Concat(AllPurchases.Where(row => row.Purchase.Free > 0).SelectMany(row => new[] { row.Purchase.AvailableFrom, row.Purchase.ExpiresAt }));

    public IReadOnlyDictionary<(string ContractId, string LotId), Lot> Lots => lots;

    /// <summary>A lot's credits that lie, or have lain, apart from it, by their ordinals.</summary>
    public IReadOnlyDictionary<long, Lot> Apart((string ContractId, string LotId) lot) => apart.TryGetValue(lot, out var credits) ? credits : [];

    public IReadOnlyDictionary<AllocationKey, (string ClientId, Member Member, Instant? DueAt)> AllMembers => members;

    public Document? Document(string kind, string id) => documents.TryGetValue($"{kind}:{id}", out var row) ? row.Document : null;

    public StoredContract? Contract(string contractId) =>
        Document(ContractActor.Kind, contractId) is { } document ? new(document, OpenLots(contractId)) : null;

    public ImmutableArray<Lot> OpenLots(string contractId) => openLots.TryGetValue(contractId, out var open) ? [.. open.Values] : [];

    public ImmutableArray<Member> Members(string contractId) => [.. members.Where(row => row.Key.ContractId == contractId).Select(row => row.Value.Member)];

    public Lot? Lot(string contractId, string lotId, long apart = 0) => apart == 0 ? lots.GetValueOrDefault((contractId, lotId)) : Apart((contractId, lotId)).GetValueOrDefault(apart);

    public Entry? FirstExpirySet(string contractId, string lotId) => expiriesSet.GetValueOrDefault(Subjects.Lot(contractId, lotId));

    /// <summary>Where a credit that is free lies: apart from its lot, or in it.</summary>
    public Lot? LotOf(CreditId id) => Lot(id.ContractId, id.LotId, id.Ordinal) is { Free.Count: > 0 } apart ? apart : Lot(id.ContractId, id.LotId);

    public Member? Member(AllocationKey key) => members.TryGetValue(key, out var row) ? row.Member : null;

    public StoredMember? StoredMember(AllocationKey key) => Member(key) is { } member ? new(member, Document(ContractActor.Kind, key.ContractId)!) : null;

    public Credit? Credit(CreditId id) => credits.GetValueOrDefault(id);

    public Credit? CurrentCredit(PlayerKey key) => current.TryGetValue(key, out var id) ? credits[id] : null;

    public Report? Report(ReportKey key) => reports.GetValueOrDefault(key);

    public ImmutableArray<AllocationKey> DueAllocations(Instant now, int limit) => [.. members.Where(row => row.Value.DueAt <= now).OrderBy(row => row.Value.DueAt).Take(limit).Select(row => row.Key)];

    public ImmutableArray<string> DueContracts(Instant now, int limit) => Due(ContractActor.Kind, now, limit);

    public ImmutableArray<string> DueAccounts(Instant now, int limit) => Due(AccountActor.Kind, now, limit);

    public StoredAccount? Account(string accountId) =>
        Document(AccountActor.Kind, accountId) is { } document ? new(document, [.. Purchases(accountId).Where(purchase => purchase.Free > 0)]) : null;

    public IEnumerable<Purchase> Purchases(string accountId) => purchases.TryGetValue(accountId, out var bought) ? bought.Values : [];

    public Purchase? Purchase(string accountId, string purchaseId) => Purchases(accountId).FirstOrDefault(purchase => purchase.PurchaseId == purchaseId);

    public Project? Project(string projectId) => projects.GetValueOrDefault(projectId);

    public Milestone? Milestone(string milestoneId) => milestones.GetValueOrDefault(milestoneId);

    public IEnumerable<Milestone> Milestones => milestones.Values;

    public IEnumerable<(string AccountId, Purchase Purchase)> AllPurchases => purchases.SelectMany(bought => bought.Value.Values.Select(purchase => (bought.Key, purchase)));

    public ServicesSettings Settings => Document(ServicesSettingsActor.Kind, ServicesSettingsActor.Id).AsSettings().Settings;

    public ServicesFacts Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds)
    {
        var found = milestoneIds.Select(Milestone).OfType<Milestone>().ToImmutableDictionary(milestone => milestone.MilestoneId);
        var held = found.Values.SelectMany(milestone => milestone.Holdings).Select(holding => holding.PurchaseId).Distinct().Select(id => Purchase(accountId, id)).OfType<Purchase>();
        var (settings, version) = Document(ServicesSettingsActor.Kind, ServicesSettingsActor.Id).AsSettings();
        return new(
            found, projectIds.Concat(found.Values.Select(milestone => milestone.ProjectId)).Distinct().Select(Project).OfType<Project>().ToImmutableDictionary(project => project.ProjectId),
            [.. held], settings, version);
    }

    public ImmutableArray<Credit> DueCredits(Instant now, int limit) => [.. due.TakeWhile(next => next.ExpiresAt <= now).Take(limit).Select(next => credits[next.Id])];

    public CommitResult Commit(Commit commit)
    {
        var failing = Failing(commit);
        if (failing.Count > 0)
        {
            Conflicts++;
            Conflicted(commit, failing);
            return new CommitResult.Conflict([.. failing]);
        }
        Committing(commit);
        CarryOut(commit);
        Committed(commit);
        return new CommitResult.Done();
    }

    private HashSet<string> Failing(Commit commit)
    {
        var failing = new HashSet<string>();
        var named = new HashSet<string>();
        foreach (var write in commit.Documents)
            if (Version(write.Kind, write.Id) != write.Expected || !named.Add(write.Key)) failing.Add(write.Key);
        foreach (var guard in commit.Guards)
            if (Version(guard.Kind, guard.Id) != guard.Version) failing.Add(guard.Key);
        foreach (var lot in commit.Changes.Lots)
            if (Lot(lot.ContractId, lot.Lot.LotId, lot.Lot.Apart) is var known && (lot.IsNew == known is not null || (lot.From is { } from && !known!.Free.Equals(from)) || !named.Add(lot.Key()))) failing.Add(lot.Key());
        foreach (var report in commit.Changes.Reports)
            if (reports.ContainsKey(new(report.ClientId, report.ReportId)) || !named.Add(report.Key())) failing.Add(report.Key());
        foreach (var member in commit.Changes.Members)
            if (!MayChange(member)) failing.Add(member.Key());
        foreach (var cycle in commit.Changes.Cycles)
            if (Member(new(cycle.ContractId, cycle.UserId))?.Allocation is not { } allocation || allocation.CycleKey != cycle.From || allocation.UsedInCycle != cycle.UsedInCycle) failing.Add(cycle.Key());
        foreach (var purchase in commit.Changes.Purchases)
            if (purchase.IsNew == Purchase(purchase.AccountId, purchase.Purchase.PurchaseId) is not null || !named.Add(purchase.Key())) failing.Add(purchase.Key());
        foreach (var project in commit.Changes.Projects)
            if ((Project(project.Project.ProjectId)?.Version ?? 0) != project.Expected || !named.Add(project.Key())) failing.Add(project.Key());
        foreach (var milestone in commit.Changes.Milestones)
            if ((Milestone(milestone.Milestone.MilestoneId)?.Version ?? 0) != milestone.Expected || !named.Add(milestone.Key())) failing.Add(milestone.Key());
        foreach (var consumption in commit.Changes.Consumptions)
            if (consumptions.Contains(consumption.ConsumptionId) || !named.Add(consumption.Key())) failing.Add(consumption.Key());
        foreach (var use in commit.Changes.Uses)
            if (!MayUse(commit.Changes, use)) failing.Add(use.Key());
        foreach (var back in commit.Changes.GivenBack)
            if (Member(new(back.ContractId, back.UserId))?.Allocation is not { } allocation || (back.Cycle is { } cycle && allocation.CycleKey != cycle)) failing.Add(back.Key());
        foreach (var cover in commit.Changes.CoveredBy)
            if (!IsStill(credits.GetValueOrDefault(cover.Id), cover, cover.Version)) failing.Add(cover.CoverKey());
        failing.UnionWith(FailingCredits(commit.Changes.Credits));
        return failing;
    }

    // In order: what makes way first leaves room for what comes after it.
    private IEnumerable<string> FailingCredits(ImmutableArray<CreditChange> changes)
    {
        var rows = new Dictionary<CreditId, Credit?>();
        var nowCurrent = new Dictionary<PlayerKey, CreditId?>();
        foreach (var change in changes)
        {
            var credit = change.IsGone ? change.Credit with { IsCurrent = false } : change.Credit;
            var row = rows.TryGetValue(credit.Id, out var changed) ? changed : credits.GetValueOrDefault(credit.Id);
            var fails = change.Expected == 0 ? row is not null : !IsStill(row, credit, change.Expected);
            if (credit.PlayerId is { } player)
            {
                var key = new PlayerKey(credit.ClientId, player);
                var present = nowCurrent.TryGetValue(key, out var id) ? id : current.TryGetValue(key, out var stored) ? stored : (CreditId?)null;
                if (credit.IsCurrent) fails |= present is { } other && other != credit.Id;
                nowCurrent[key] = credit.IsCurrent ? credit.Id : present == credit.Id ? null : present;
            }
            rows[credit.Id] = change.IsGone ? null : credit;
            if (fails) yield return change.Key();
        }
    }

    private static bool IsStill(Credit? stored, Credit credit, long version) => stored is not null && stored.Version == version && stored.PlayerId == credit.PlayerId && stored.ReportId == credit.ReportId;

    // A4: no more than the amount; extra credits only where the cycle is used up.
    private bool MayUse(Changes changes, Use use)
    {
        if (Member(new(use.ContractId, use.UserId)) is not { } stored) return false;
        var change = changes.Members.LastOrDefault(change => change.ContractId == use.ContractId && change.Member.UserId == use.UserId);
        var member = change is null ? stored : Changed(change);
        if (!member.Assigned || stored.Disabled) return false;
        if (use.Cycle is not { } cycle) return true;

        var allocation = member.Allocation;
        return allocation.CycleKey == cycle && (use.ExtraCredits ?? allocation.ExtraCredits) == allocation.ExtraCredits
            && (use.OfCycle == 0 || allocation.Settings?.Amount is null || allocation.UsedInCycle + use.OfCycle <= allocation.Settings.Amount)
            && (use.OfExtra == 0 || (allocation.ExtraLeft >= use.OfExtra && (allocation.Settings is null || cycle.Cycle < 0 || allocation.UsedInCycle + use.OfCycle == allocation.Settings.Amount)));
    }

    private bool MayChange(MemberChange change)
    {
        if (Member(new(change.ContractId, change.Member.UserId)) is not { } stored) return change.From is null;
        return change.From is { } from && !(change.MustBeEnabled && stored.Disabled) && (change.Member.Allocation.Restarts == from.Restarts || stored.Allocation.CycleKey == from);
    }

    // What was used stays, unless the cycles start anew.
    private Member Changed(MemberChange change)
    {
        var (stored, next) = (Member(new(change.ContractId, change.Member.UserId)), change.Member.Allocation);
        var allocation = stored?.Allocation ?? Allocation.None;
        return change.Member with
        {
            Disabled = switches.GetValueOrDefault(new(change.ClientId, change.Member.UserId)),
            Allocation = next.Restarts == allocation.Restarts
                ? allocation with { ExtraCredits = next.ExtraCredits }
                : next with { UsedInCycle = 0, ExtraUsed = allocation.ExtraUsed, TotalUsed = allocation.TotalUsed },
        };
    }

    private void CarryOut(Commit commit)
    {
        foreach (var write in commit.Documents)
        {
            var body = write.Body ?? documents[write.Key].Document.Body;
            documents[write.Key] = (new(write.Kind, write.Id, write.Expected + 1, body, write.AsOf), write.DueAt);
        }
        foreach (var change in commit.Changes.Lots)
        {
            var key = (change.ContractId, change.Lot.LotId);
            if (change.Lot.Apart == 0) lots[key] = change.Lot;
            else (apart.TryGetValue(key, out var credits) ? credits : apart[key] = [])[change.Lot.Apart] = change.Lot;
            if (!openLots.TryGetValue(change.ContractId, out var open)) openLots[change.ContractId] = open = [];
            if (change.Lot.IsOpen) open[(change.Lot.LotId, change.Lot.Apart)] = change.Lot;
            else open.Remove((change.Lot.LotId, change.Lot.Apart));
        }
        foreach (var change in commit.Changes.Credits) CarryOut(change);
        foreach (var change in commit.Changes.Members)
        {
            var key = new AllocationKey(change.ContractId, change.Member.UserId);
            var restarts = Member(key)?.Allocation.Restarts != change.Member.Allocation.Restarts;
            members[key] = (change.ClientId, Changed(change), restarts ? null : members[key].DueAt);
        }
        foreach (var change in commit.Changes.Switches)
        {
            switches[new(change.ClientId, change.UserId)] = change.Disabled;
            foreach (var (key, row) in members.Where(row => row.Key.UserId == change.UserId && row.Value.ClientId == change.ClientId).ToList())
                members[key] = row with { Member = row.Member with { Disabled = change.Disabled } };
        }
        foreach (var cycle in commit.Changes.Cycles)
        {
            var row = members[new(cycle.ContractId, cycle.UserId)];
            members[new(cycle.ContractId, cycle.UserId)] = row with { Member = row.Member with { Allocation = row.Member.Allocation with { Cycle = cycle.To, UsedInCycle = 0 } }, DueAt = null };
        }
        foreach (var back in commit.Changes.GivenBack)
        {
            var row = members[new(back.ContractId, back.UserId)];
            members[new(back.ContractId, back.UserId)] = row with { Member = row.Member with { Allocation = row.Member.Allocation.With(back) } };
        }
        foreach (var use in commit.Changes.Uses)
        {
            var row = members[new(use.ContractId, use.UserId)];
            members[new(use.ContractId, use.UserId)] = row with { Member = row.Member with { Allocation = row.Member.Allocation.With(use) }, DueAt = use.DueAt ?? row.DueAt };
        }
        foreach (var entry in commit.Changes.Entries.Where(entry => entry.Kind == EntryKind.LotExpirySet)) expiriesSet.TryAdd(entry.Subject, entry);
        foreach (var report in commit.Changes.Reports) reports[new(report.ClientId, report.ReportId)] = report;
        if (commit.ForgetUntil is { } until)
            foreach (var (key, row) in documents.Where(row => row.Value.Document.Kind is Remembered.Preview or Remembered.Request && row.Value.DueAt <= until).ToList()) documents.Remove(key);
        foreach (var change in commit.Changes.Purchases)
        {
            if (!purchases.TryGetValue(change.AccountId, out var bought)) purchases[change.AccountId] = bought = new(StringComparer.Ordinal);
            bought[change.Purchase.PurchaseId] = change.Purchase;
        }
        foreach (var change in commit.Changes.Projects) projects[change.Project.ProjectId] = change.Project;
        foreach (var change in commit.Changes.Milestones) milestones[change.Milestone.MilestoneId] = change.Milestone;
        foreach (var consumption in commit.Changes.Consumptions) consumptions.Add(consumption.ConsumptionId);
    }

    private void CarryOut(CreditChange change)
    {
        var credit = change.Credit;
        if (credits.TryGetValue(credit.Id, out var before) && before.ExpiresAt is { } was) due.Remove((was, credit.Id));
        if (change.IsGone)
        {
            credits.Remove(credit.Id);
            if (credit is { PlayerId: { } former, IsCurrent: true }) current.Remove(new(credit.ClientId, former));
            return;
        }
        credits[credit.Id] = credit;
        if (credit is { PlayerId: not null, ExpiryBooked: false, ExpiresAt: { } expiresAt }) due.Add((expiresAt, credit.Id));
        if (credit.PlayerId is not { } player) return;
        var key = new PlayerKey(credit.ClientId, player);
        if (credit.IsCurrent) current[key] = credit.Id;
        else if (current.TryGetValue(key, out var id) && id == credit.Id) current.Remove(key);
    }

    private ImmutableArray<string> Due(string kind, Instant now, int limit) =>
        [.. documents.Values.Where(row => row.Document.Kind == kind && row.DueAt <= now).OrderBy(row => row.DueAt).Take(limit).Select(row => row.Document.Id)];

    private long Version(string kind, string id) => Document(kind, id)?.Version ?? 0;
}
