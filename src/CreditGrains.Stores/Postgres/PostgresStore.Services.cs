using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

public sealed partial class PostgresStore
{
    private const string PurchaseColumns = "purchase_id, currency, quantity, free, allocated, expired, starts_on, expires_on, available_from, expires_at, created_at, request";

    private const string ProjectColumns = "project_id, client_id, account_id, currency, holding, version";

    private const string MilestoneColumns = "milestone_id, client_id, project_id, services_credits, status, actual_date, was_allocated, holdings, version";

    Task<StoredAccount?> IStore.Account(string accountId) => Snapshot<StoredAccount?>(async connection =>
    {
        if (await ReadDocument(connection, AccountActor.Kind, accountId) is not { } document) return null;
        return new(document, [.. await Rows(connection, $"select {PurchaseColumns} from purchase where account_id = $1 and free > 0", ReadPurchase, Sql.Text(accountId))]);
    });

    public async Task<Purchase?> Purchase(string accountId, string purchaseId) =>
        (await Rows($"select {PurchaseColumns} from purchase where account_id = $1 and purchase_id = $2", ReadPurchase, Sql.Text(accountId), Sql.Text(purchaseId))).SingleOrDefault();

    public Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds) => Snapshot(async connection =>
    {
        var milestones = await Rows(connection, $"select {MilestoneColumns} from milestone where milestone_id = any($1)", ReadMilestone, Sql.Texts(milestoneIds));
        var projects = await Rows(connection, $"select {ProjectColumns} from project where project_id = any($1)", ReadProject, Sql.Texts(projectIds.Concat(milestones.Select(milestone => milestone.ProjectId)).Distinct()));
        var held = await Rows(connection, $"select {PurchaseColumns} from purchase where account_id = $1 and purchase_id = any($2)", ReadPurchase,
            Sql.Text(accountId), Sql.Texts(milestones.SelectMany(milestone => milestone.Holdings).Select(holding => holding.PurchaseId).Distinct()));
        var (settings, version) = (await ReadDocument(connection, ServicesSettingsActor.Kind, ServicesSettingsActor.Id)).AsSettings();
        return new ServicesFacts(
            milestones.ToImmutableDictionary(milestone => milestone.MilestoneId), projects.ToImmutableDictionary(project => project.ProjectId), [.. held], settings, version);
    });

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => Due(AccountActor.Kind, now, limit);

    async Task<AccountTerms?> IQueries.Account(string accountId) => (await Document(AccountActor.Kind, accountId))?.AsAccount();

    public Task<Page<AccountTerms>> Accounts(string? clientId, PageRequest page) => List(
        new Select(DocumentColumns, "document").WhereText("kind", AccountActor.Kind).WhereText("owner", clientId)
            .After("id", Behind(page, "accounts", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "id", page, reader => ReadDocument(reader).AsAccount(), account => Cursor.After("accounts", account.AccountId));

    public Task<Page<Purchase>> Purchases(string accountId, PageRequest page) => List(
        new Select(PurchaseColumns, "purchase").WhereText("account_id", accountId)
            .After("created_at, purchase_id", Behind(page, "purchases", 2) is { } after ? [Sql.At(after.Instant(0)), Sql.Text(after.Text(1))] : []),
        "created_at, purchase_id", page, ReadPurchase, purchase => Cursor.After("purchases", purchase.CreatedAt, purchase.PurchaseId));

    public async Task<ImmutableArray<PurchaseFacts>> PurchasesAsOf(string accountId, Instant? at) => at is null
        ? [.. (await Rows($"select {PurchaseColumns} from purchase where account_id = $1", ReadPurchase, Sql.Text(accountId))).Select(purchase => new PurchaseFacts(purchase, purchase.Allocated))]
        : [.. await Rows(
        $"""
        select {PurchaseColumns}, (select coalesce(sum(c.quantity), 0)::bigint from consumption c
            where c.account_id = p.account_id and c.purchase_id = p.purchase_id and c.milestone_id is not null and c.at <= $2)
        from purchase p where account_id = $1 and created_at <= $2
        """, reader => new PurchaseFacts(ReadPurchase(reader), reader.Quantity(12)), Sql.Text(accountId), Sql.At(at))];

    public async Task<Project?> Project(string projectId) =>
        (await Rows($"select {ProjectColumns} from project where project_id = $1", ReadProject, Sql.Text(projectId))).SingleOrDefault();

    public async Task<ImmutableDictionary<string, string>> AccountsOf(IReadOnlyCollection<string> projectIds) =>
        (await Rows($"select {ProjectColumns} from project where project_id = any($1)", ReadProject, Sql.Texts(projectIds))).ToImmutableDictionary(project => project.ProjectId, project => project.AccountId);

    public Task<Page<Project>> Projects(ProjectFilter filter, PageRequest page) => List(
        new Select(ProjectColumns, "project").WhereText("account_id", filter.AccountId).WhereText("client_id", filter.ClientId)
            .After("project_id", Behind(page, "projects", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "project_id", page, ReadProject, project => Cursor.After("projects", project.ProjectId));

    public async Task<Milestone?> Milestone(string milestoneId) =>
        (await Rows($"select {MilestoneColumns} from milestone where milestone_id = $1", ReadMilestone, Sql.Text(milestoneId))).SingleOrDefault();

    public Task<Page<Milestone>> Milestones(MilestoneFilter filter, PageRequest page) => List(
        new Select(MilestoneColumns, "milestone").WhereText("project_id", filter.ProjectId).WhereText("client_id", filter.ClientId)
            .After("milestone_id", Behind(page, "milestones", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "milestone_id", page, ReadMilestone, milestone => Cursor.After("milestones", milestone.MilestoneId));

    public Task<Page<Consumption>> Consumptions(RecordFilter filter, PageRequest page) => List(
        new Select("account_id, number, kind, purchase_id, milestone_id, currency, quantity, date, at", "consumption")
            .WhereText("milestone_id", filter.MilestoneId).WhereText("account_id", filter.AccountId)
            .After("account_id, number", Behind(page, "consumptions", 2) is { } after ? [Sql.Text(after.Text(0)), Sql.Number(after.Number(1))] : []),
        "account_id, number", page, ReadConsumption, record => Cursor.After("consumptions", record.AccountId, record.Number));

    public Task<Page<AllocationRecord>> AllocationRecords(RecordFilter filter, PageRequest page)
    {
        var summed = new Select("*", "services_allocation")
            .WhereText("milestone_id", filter.MilestoneId).WhereText("account_id", filter.AccountId)
            .After("account_id, allocation_id, currency", Behind(page, "allocations", 3) is { } after ? [Sql.Text(after.Text(0)), Sql.Text(after.Text(1)), Sql.Text(after.Text(2))] : []);
        return List(summed, "account_id, allocation_id, currency", page,
            reader => new AllocationRecord(reader.GetString(0), reader.GetString(1), reader.TextOrNull(2), reader.GetString(3), reader.Quantity(4), reader.Date(5)),
            record => Cursor.After("allocations", record.AccountId, record.AllocationId, record.Currency));
    }

    public async Task<ServicesSettings> ServicesSettings() => (await Document(ServicesSettingsActor.Kind, ServicesSettingsActor.Id)).AsSettings().Settings;

    private static Purchase ReadPurchase(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), reader.Quantity(2), reader.Quantity(3), reader.Quantity(4), reader.Quantity(5), reader.Date(6), reader.Date(7),
        reader.Instant(8), reader.Instant(9), reader.Instant(10), reader.GetString(11));

    private static Project ReadProject(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetInt32(4), reader.GetInt64(5));

    private static Milestone ReadMilestone(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.Quantity(3), reader.GetString(4), reader.DateOrNull(5), reader.GetBoolean(6),
        [.. Json.Read<Holding[]>(reader.GetString(7))], reader.GetInt64(8));

    private static Consumption ReadConsumption(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetInt64(1), reader.Enum<ConsumptionKind>(2), reader.GetString(3), reader.TextOrNull(4), reader.GetString(5), reader.Quantity(6), reader.Date(7), reader.Instant(8));
}
