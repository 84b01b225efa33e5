using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

public sealed partial class SqliteStore
{
    Task<StoredAccount?> IStore.Account(string accountId) => actors.Read(database => database.Snapshot(() => ReadAccount(database, accountId) is { } document
        ? new StoredAccount(document, [.. database[$"select {ServicesRows.Purchase} from purchases where account_id = ? and free > 0"].Bind(accountId).All(ServicesRows.ReadPurchase)])
        : null));

    public Task<Purchase?> Purchase(string accountId, string purchaseId) => actors.Read(database => ReadPurchase(database, accountId, purchaseId));

    public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds) => actors.Read(database => database.Snapshot(() =>
    {
        var milestones = milestoneIds.Select(id => ReadMilestone(database, id)).OfType<Milestone>().ToImmutableDictionary(milestone => milestone.MilestoneId);
        var projects = projectIds.Concat(milestones.Values.Select(milestone => milestone.ProjectId)).Distinct().Select(id => ReadProject(database, id)).OfType<Project>();
        var held = milestones.Values.SelectMany(milestone => milestone.Holdings).Select(holding => holding.PurchaseId).Distinct().Select(id => ReadPurchase(database, accountId, id)).OfType<Purchase>();
        var (settings, version) = ReadSettings(database);
        return new ServicesFacts(milestones, projects.ToImmutableDictionary(project => project.ProjectId), [.. held], settings, version);
    }));

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => actors.Read(database => ReadDue(database, AccountActor.Kind, now, limit));

    Task<AccountTerms?> IQueries.Account(string accountId) => lists.Read(database => ReadAccount(database, accountId)?.AsAccount());

    public Task<Page<AccountTerms>> Accounts(string? clientId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("kind = ?", AccountActor.Kind);
        if (clientId is not null) where.And("owner = ?", clientId);
        if (Behind(page, "accounts", 1) is { } after) where.And("id > ?", after.Text(0));
        return Cut(page, Select(database, Rows.Document, "documents", where, "id", page.Limit, row => Rows.ReadDocument(row).AsAccount()), account => Cursor.After("accounts", account.AccountId));
    });

    public Task<Page<Purchase>> Purchases(string accountId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("account_id = ?", accountId);
        if (Behind(page, "purchases", 2) is { } after) where.And("(created_at, purchase_id) > (?, ?)", after.Instant(0), after.Text(1));
        return Cut(page, Select(database, ServicesRows.Purchase, "purchases", where, "created_at, purchase_id", page.Limit, ServicesRows.ReadPurchase),
            purchase => Cursor.After("purchases", purchase.CreatedAt, purchase.PurchaseId));
    });

    public Task<ImmutableArray<PurchaseFacts>> PurchasesAsOf(string accountId, Instant? at) => lists.Read(database => at is not { } then
        ? [.. database[$"select {ServicesRows.Purchase} from purchases where account_id = ?"].Bind(accountId).All(row => Facts(ServicesRows.ReadPurchase(row)))]
        : database[$"""
        select {ServicesRows.Purchase}, (select coalesce(sum(c.quantity), 0) from consumptions c
            where c.account_id = p.account_id and c.purchase_id = p.purchase_id and c.milestone_id is not null and c.at <= ?)
        from purchases p where p.account_id = ? and p.created_at <= ?
        """].Bind(then).Bind(accountId).Bind(then).All(row => new PurchaseFacts(ServicesRows.ReadPurchase(row), row.Quantity())).ToImmutableArray());

    public Task<Project?> Project(string projectId) => lists.Read(database => ReadProject(database, projectId));

    public Task<ImmutableDictionary<string, string>> AccountsOf(IReadOnlyCollection<string> projectIds) =>
        lists.Read(database => projectIds.Select(id => ReadProject(database, id)).OfType<Project>().ToImmutableDictionary(project => project.ProjectId, project => project.AccountId));

    public Task<Page<Project>> Projects(ProjectFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("account_id", filter.AccountId).Equal("client_id", filter.ClientId);
        if (Behind(page, "projects", 1) is { } after) where.And("project_id > ?", after.Text(0));
        return Cut(page, Select(database, ServicesRows.Project, "projects", where, "project_id", page.Limit, ServicesRows.ReadProject), project => Cursor.After("projects", project.ProjectId));
    });

    public Task<Milestone?> Milestone(string milestoneId) => lists.Read(database => ReadMilestone(database, milestoneId));

    public Task<Page<Milestone>> Milestones(MilestoneFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("project_id", filter.ProjectId).Equal("client_id", filter.ClientId);
        if (Behind(page, "milestones", 1) is { } after) where.And("milestone_id > ?", after.Text(0));
        return Cut(page, Select(database, ServicesRows.Milestone, "milestones", where, "milestone_id", page.Limit, ServicesRows.ReadMilestone), milestone => Cursor.After("milestones", milestone.MilestoneId));
    });

    public Task<Page<Consumption>> Consumptions(RecordFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("milestone_id", filter.MilestoneId).Equal("account_id", filter.AccountId);
        if (Behind(page, "consumptions", 2) is { } after) where.And("(account_id, number) > (?, ?)", after.Text(0), after.Number(1));
        return Cut(page, Select(database, ServicesRows.Consumption, "consumptions", where, "account_id, number", page.Limit, ServicesRows.ReadConsumption),
            consumption => Cursor.After("consumptions", consumption.AccountId, consumption.Number));
    });

    public Task<Page<AllocationRecord>> AllocationRecords(RecordFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("milestone_id", filter.MilestoneId).Equal("account_id", filter.AccountId);
        if (Behind(page, "allocations", 3) is { } after) where.And("(account_id, allocation_id, currency) > (?, ?, ?)", after.Text(0), after.Text(1), after.Text(2));
        return Cut(page, where.Bind(database[$"""
            select {ServicesRows.Allocation} from consumptions {where} group by account_id, allocation_id, currency order by account_id, allocation_id, currency limit ?
            """]).Bind(page.Limit + 1).All(ServicesRows.ReadAllocation), allocation => Cursor.After("allocations", allocation.AccountId, allocation.AllocationId, allocation.Currency));
    });

    public Task<ServicesSettings> ServicesSettings() => lists.Read(database => ReadSettings(database).Settings);

    private static PurchaseFacts Facts(Purchase purchase) => new(purchase, purchase.Allocated);

    private static Document? ReadAccount(Database database, string accountId) => ReadDocument(database, AccountActor.Kind, accountId);

    private static (ServicesSettings Settings, long Version) ReadSettings(Database database) => ReadDocument(database, ServicesSettingsActor.Kind, ServicesSettingsActor.Id).AsSettings();

    private static Purchase? ReadPurchase(Database database, string accountId, string purchaseId) =>
        database[$"select {ServicesRows.Purchase} from purchases where account_id = ? and purchase_id = ?"].Bind(accountId).Bind(purchaseId).First(ServicesRows.ReadPurchase);

    private static Project? ReadProject(Database database, string projectId) =>
        database[$"select {ServicesRows.Project} from projects where project_id = ?"].Bind(projectId).First(ServicesRows.ReadProject);

    private static Milestone? ReadMilestone(Database database, string milestoneId) =>
        database[$"select {ServicesRows.Milestone} from milestones where milestone_id = ?"].Bind(milestoneId).First(ServicesRows.ReadMilestone);
}
