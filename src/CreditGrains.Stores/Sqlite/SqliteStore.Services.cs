using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

public sealed partial class SqliteStore
{
    Task<StoredAccount?> IStore.Account(string accountId) => grains.Read(database => database.Snapshot(() =>
        ReadDocument(database, DocumentKind.Account, accountId) is { } document
            ? new StoredAccount(document,
                [.. All(database, PurchaseRow.Instance, "b.account_id = ? and b.free > 0 order by b.purchase_id", accountId)])
            : null));

    public Task<Purchase?> Purchase(string accountId, string purchaseId) =>
        grains.Read(database => One(database, PurchaseRow.Instance, RowKey.Purchase(accountId, purchaseId)));

    public Task<Entry?> FirstPurchaseSet(string accountId, string purchaseId) => grains.Read(database =>
        database[$"select {EntryRow.Selected} from entry e where {PurchaseSets} and e.subject = ? order by e.entry_id limit 1"]
            .Bind(accountId).Bind(Subjects.Purchase(accountId, purchaseId)).First(EntryRow.Read)?.Entry);

    private static readonly string PurchaseSets = $"e.account_id = ? and e.kind = '{EntryKind.PurchaseSet.Word()}'";

    public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds,
        IReadOnlyCollection<string> projectIds) =>
        grains.Read(database => database.Snapshot(() => ReadServices(database, accountId, milestoneIds, projectIds)));

    async Task<AccountTerms?> IQueries.Account(string accountId) =>
        (await lists.Read(database => ReadDocument(database, DocumentKind.Account, accountId)))?.AsAccount();

    public async Task<Page<AccountTerms>> Accounts(string? clientId, PageRequest page) =>
        (await List(Lists.Documents(DocumentKind.Account, "accounts", clientId), page)).Of(document => document.AsAccount());

    public Task<Page<Purchase>> Purchases(string accountId, PageRequest page) => List(Lists.Purchases(accountId), page);

    public Task<ImmutableArray<PurchaseFacts>> PurchasesAsOf(string accountId, Instant? at) =>
        lists.Read(database => database.Snapshot(() => ReadPurchases(database, accountId, at)));

    public Task<AccountStatement?> AccountStatement(string accountId, LocalDate from, LocalDate to, Instant now) =>
        lists.Read(database => database.Snapshot(() =>
    {
        if (ReadDocument(database, DocumentKind.Account, accountId) is not { } document) return null;
        var terms = document.AsAccount();
        var time = StatementTime.Of(from, to, terms.Zone, Instant.Max(now, document.AsOf));
        return Domain.AccountStatement.Of(
            terms, time, ReadPurchases(database, accountId, time.Before), ReadPurchases(database, accountId, time.Last),
            ReadPurchases(database, accountId, null).Select(fact => fact.Purchase),
            Sums.Moved(database, accountId, time));
    }));

    private static ImmutableArray<PurchaseFacts> ReadPurchases(Database database, string accountId, Instant? at)
    {
        var purchases = All(database, PurchaseRow.Instance, "b.account_id = ? order by b.purchase_id", accountId);
        if (at is not { } then) return [.. purchases.Select(purchase => new PurchaseFacts(purchase, purchase.Allocated))];

        var allocated = database["""
            select purchase_id, sum(quantity) from consumption
            where account_id = ? and milestone_id is not null and at <= ? group by purchase_id
            """].Bind(accountId).Bind(then).All(row => (PurchaseId: row.Text(), Quantity: row.Quantity()));
        var sums = allocated.ToDictionary(sum => sum.PurchaseId, sum => sum.Quantity);
        var corrections = database[$"select {EntryRow.Selected} from entry e where {PurchaseSets} and e.effective_at > ? order by e.entry_id"]
            .Bind(accountId).Bind(then).All(EntryRow.Read);
        return [.. purchases.Where(purchase => purchase.CreatedAt <= then).Before(accountId, corrections.Select(booked => booked.Entry))
            .Select(purchase => new PurchaseFacts(purchase, sums.GetValueOrDefault(purchase.PurchaseId)))];
    }

    public Task<Project?> Project(string projectId) =>
        lists.Read(database => One(database, ProjectRow.Instance, RowKey.Project(projectId)));

    public Task<ImmutableDictionary<string, Project>> Projects(IReadOnlyCollection<string> projectIds) =>
        lists.Read(database => projectIds.Distinct()
            .Select(id => One(database, ProjectRow.Instance, RowKey.Project(id))).OfType<Project>()
            .ToImmutableDictionary(project => project.ProjectId));

    public Task<Page<Project>> Projects(ProjectFilter filter, PageRequest page) => List(Lists.Projects(filter), page);

    public Task<Milestone?> Milestone(string milestoneId) =>
        lists.Read(database => One(database, MilestoneRow.Instance, RowKey.Milestone(milestoneId)));

    public Task<Page<Milestone>> Milestones(MilestoneFilter filter, PageRequest page) => List(Lists.Milestones(filter), page);

    public Task<Page<Consumption>> Consumptions(RecordFilter filter, PageRequest page) => List(Lists.Consumptions(filter), page);

    public Task<Page<AllocationRecord>> AllocationRecords(RecordFilter filter, PageRequest page) =>
        List(Lists.AllocationRecords(filter), page);

    public async Task<AccountAudit?> AuditAccount(string accountId)
    {
        var sums = await lists.Read(database => database.Snapshot(() =>
            ReadDocument(database, DocumentKind.Account, accountId) is null ? null : Sums.Account(database, accountId)));
        return sums?.Of(accountId);
    }

    public async Task<ServicesSettings> ServicesSettings() =>
        (await lists.Read(database => ReadDocument(database, DocumentKind.Settings, DocumentRow.ServicesSettings))).AsSettings().Settings;
}
