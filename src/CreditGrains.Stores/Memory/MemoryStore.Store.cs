using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Memory;

// The port: everything is answered at once.
public sealed partial class MemoryStore
{
    Task<Document?> IStore.Document(string kind, string id) => Task.FromResult(Document(kind, id));

    Task<StoredContract?> IStore.Contract(string contractId) => Task.FromResult(Contract(contractId));

    Task<ImmutableArray<Member>> IStore.Members(string contractId) => Task.FromResult(MembersOf(contractId));

    Task<StoredMember?> IStore.Member(AllocationKey key) => Task.FromResult(StoredMember(key));

    Task<User?> IStore.User(UserKey key) => Task.FromResult(User(key));

    Task<ImmutableDictionary<string, User>> IStore.UserRows(string clientId, IReadOnlyCollection<string> userIds) =>
        Task.FromResult(userIds.Select(userId => User(new(clientId, userId))).OfType<User>().ToImmutableDictionary(user => user.UserId));

    Task<Rows> IStore.Read(Wanted wanted) => Task.FromResult(Read(wanted));

    Task<Lot?> IStore.Lot(string contractId, string lotId, long apart) => Task.FromResult(Lot(contractId, lotId, apart));

    Task<ImmutableArray<Lot>> IStore.WholeLot(string contractId, string lotId) =>
        Task.FromResult(LotsOf(contractId).Where(lot => lot.LotId == lotId).OrderBy(lot => lot.Apart).ToImmutableArray());

    Task<Entry?> IStore.FirstLotSet(string contractId, string lotId) =>
        Task.FromResult(firstSet.GetValueOrDefault((EntryKind.LotSet, Subjects.Lot(contractId, lotId))));

    Task<Credit?> IStore.Credit(CreditId id) => Task.FromResult(Credit(id));

    Task<ImmutableArray<string>> IStore.DueContracts(Instant now, int limit) =>
        Task.FromResult(indexes.DueDocuments(DocumentKind.Contract, now, limit));

    Task<ImmutableArray<AllocationKey>> IStore.DueAllocations(Instant now, int limit) => Task.FromResult(indexes.Renewals(now, limit));

    Task<ImmutableArray<string>> IStore.DueAccounts(Instant now, int limit) =>
        Task.FromResult(indexes.DueDocuments(DocumentKind.Account, now, limit));

    Task<ImmutableArray<string>> IStore.DueClients(Instant now, int limit) => Task.FromResult(indexes.ClientsWithEnds(now, limit));

    Task<ImmutableArray<Ending>> IStore.DueEndings(string clientId, Instant now, int limit) =>
        Task.FromResult(indexes.Endings(clientId, now).Take(limit).ToImmutableArray());

    Task<Instant?> IStore.NextEnd(string clientId) => Task.FromResult(indexes.NextEnd(clientId));

    Task<StoredAccount?> IStore.Account(string accountId) => Task.FromResult(Document(DocumentKind.Account, accountId) is { } document
        ? new StoredAccount(document, [.. PurchasesOf(accountId).Where(purchase => purchase.Free > 0)])
        : null);

    Task<Purchase?> IStore.Purchase(string accountId, string purchaseId) => Task.FromResult(Purchase(accountId, purchaseId));

    Task<Entry?> IStore.FirstPurchaseSet(string accountId, string purchaseId) =>
        Task.FromResult(firstSet.GetValueOrDefault((EntryKind.PurchaseSet, Subjects.Purchase(accountId, purchaseId))));

    Task<ServicesFacts> IStore.Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds)
    {
        var found = milestoneIds.Select(Milestone).OfType<Milestone>().ToImmutableDictionary(milestone => milestone.MilestoneId);
        var mentioned = projectIds.Concat(found.Values.Select(milestone => milestone.ProjectId)).Distinct();
        var held = found.Values.SelectMany(milestone => milestone.Holdings).Select(holding => holding.PurchaseId).Distinct();
        var (settings, version) = Settings.AsSettings();
        return Task.FromResult(new ServicesFacts(
            found, mentioned.Select(Project).OfType<Project>().ToImmutableDictionary(project => project.ProjectId),
            [.. held.Select(id => Purchase(accountId, id)).OfType<Purchase>()], settings, version));
    }

    Task<CommitResult> IStore.Commit(Commit commit) => Task.FromResult(Commit(commit));

    Task<CommitResult> IStore.CommitAlone(Wanted wanted, Func<Rows, Commit> decide) => Task.FromResult(Commit(decide(Read(wanted))));

    Task IStore.Forget(Instant until)
    {
        Forget(until);
        return Task.CompletedTask;
    }

    private Document? Settings => Document(DocumentKind.Settings, DocumentRow.ServicesSettings);

    private StoredMember? StoredMember(AllocationKey key) =>
        Member(key) is { } member && Document(DocumentKind.Contract, key.ContractId) is { } contract ? new(member, contract) : null;

    private IEnumerable<Purchase> PurchasesOf(string accountId) => purchases.All.Where(change => change.AccountId == accountId)
        .Select(change => change.Purchase).OrderBy(purchase => purchase.PurchaseId, StringComparer.Ordinal);
}
