using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Postgres;

public sealed partial class PostgresStore
{
    async Task<StoredAccount?> IStore.Account(string accountId)
    {
        var reading = new Reading();
        var document = reading.Add(DocumentOf(DocumentKind.Account, accountId));
        var open = reading.Add(PurchaseRow.Instance.Select("where b.account_id = $1 and b.free > 0", Values.Of(accountId)));
        await Run(reading);
        return document is [var account] ? new(account, [.. open]) : null;
    }

    public Task<Purchase?> Purchase(string accountId, string purchaseId) =>
        One(PurchaseRow.Instance.Select("where b.account_id = $1 and b.purchase_id = $2", Values.Of(accountId), Values.Of(purchaseId)));

    public async Task<Entry?> FirstPurchaseSet(string accountId, string purchaseId) => (await One(Query.SelectEntries(
        "where e.account_id = $1 and e.kind = 'purchase-set' and e.subject = $2 order by e.entry_id limit 1",
        Values.Of(accountId), Values.Of(Subjects.Purchase(accountId, purchaseId)))))?.Entry;

    public async Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds)
    {
        var reading = new Reading();
        var milestones = reading.Add(MilestoneRow.Instance.Select("where s.milestone_id = any($1)", Values.Of(milestoneIds)));
        var projects = reading.Add(ProjectRow.Instance.Select(
            "where j.project_id = any($1) or j.project_id in (select project_id from milestone where milestone_id = any($2))", Values.Of(projectIds), Values.Of(milestoneIds)));
        var held = reading.Add(PurchaseRow.Instance.Select(
            """
            where b.account_id = $1 and b.purchase_id in (
                select h ->> 'purchaseId' from milestone s cross join jsonb_array_elements(s.holdings::jsonb) h where s.milestone_id = any($2))
            """, Values.Of(accountId), Values.Of(milestoneIds)));
        var documents = reading.Add(DocumentOf(DocumentKind.Settings, DocumentRow.ServicesSettings));
        await Run(reading);
        var (settings, version) = documents.SingleOrDefault().AsSettings();
        return new(
            milestones.ToImmutableDictionary(milestone => milestone.MilestoneId), projects.ToImmutableDictionary(project => project.ProjectId), [.. held], settings, version);
    }

    async Task<AccountTerms?> IQueries.Account(string accountId) => (await One(DocumentOf(DocumentKind.Account, accountId)))?.AsAccount();

    public async Task<Page<AccountTerms>> Accounts(string? clientId, PageRequest page) =>
        (await List(Lists.Documents(DocumentKind.Account, "accounts", clientId), page)).Of(document => document.AsAccount());

    public Task<Page<Purchase>> Purchases(string accountId, PageRequest page) => List(Lists.Purchases(accountId), page);

    public Task<ImmutableArray<PurchaseFacts>> PurchasesAsOf(string accountId, Instant? at) => Listed(async () =>
    {
        var reading = new Reading();
        var purchases = AddPurchases(reading, accountId, at);
        await Run(reading);
        return purchases();
    });

    public Task<AccountStatement?> AccountStatement(string accountId, LocalDate from, LocalDate to, Instant now) =>
        Listed(() => Connected<AccountStatement?>(async connection =>
    {
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var first = new Reading();
        var documents = first.Add(DocumentOf(DocumentKind.Account, accountId));
        await first.Send(connection);
        if (documents is not [var document]) return null;

        var terms = document.AsAccount();
        var time = StatementTime.Of(from, to, terms.Zone, Instant.Max(now, document.AsOf));
        var reading = new Reading();
        var (opening, closing, present) = (
            AddPurchases(reading, accountId, time.Before), AddPurchases(reading, accountId, time.Last), AddPurchases(reading, accountId, null));
        var told = reading.Add(new Query<(EntryKind, string, string, decimal)>(
            """
            select kind, subject, cause, sum(services_credits)::bigint from entry
            where account_id = $1 and services_credits is not null and effective_at >= $2 and effective_at <= $3 group by kind, subject, cause
            """,
            row => (Words.Read<EntryKind>(row.Text()), row.Text(), row.Text(), row.Quantity()),
            Values.Of(accountId), Values.Of(time.Begin), Values.Of(time.Last)));
        await reading.Send(connection);
        return Domain.AccountStatement.Of(terms, time, opening(), closing(), present().Select(fact => fact.Purchase), told);
    }));

    // What is answered once the reading has run.
    private static Func<ImmutableArray<PurchaseFacts>> AddPurchases(Reading reading, string accountId, Instant? at)
    {
        var purchases = reading.Add(PurchaseRow.Instance.Select("where b.account_id = $1", Values.Of(accountId)));
        if (at is not { } then) return () => [.. purchases.Select(purchase => new PurchaseFacts(purchase, purchase.Allocated))];

        var allocated = reading.Add(new Query<(string PurchaseId, decimal Quantity)>(
            """
            select purchase_id, sum(quantity)::bigint from consumption
            where account_id = $1 and milestone_id is not null and at <= $2 group by purchase_id
            """, row => (row.Text(), row.Quantity()), Values.Of(accountId), Values.Of(then)));
        var corrections = reading.Add(Query.SelectEntries(
            "where e.account_id = $1 and e.kind = 'purchase-set' and e.effective_at > $2 order by e.entry_id", Values.Of(accountId), Values.Of(then)));
        return () =>
        {
            var sums = allocated.ToDictionary(sum => sum.PurchaseId, sum => sum.Quantity);
            return [.. purchases.Where(purchase => purchase.CreatedAt <= then).Before(accountId, corrections.Select(booked => booked.Entry))
                .Select(purchase => new PurchaseFacts(purchase, sums.GetValueOrDefault(purchase.PurchaseId)))];
        };
    }

    public Task<Project?> Project(string projectId) => One(ProjectRow.Instance.Select("where j.project_id = $1", Values.Of(projectId)));

    public async Task<ImmutableDictionary<string, Project>> Projects(IReadOnlyCollection<string> projectIds) =>
        (await All(ProjectRow.Instance.Select("where j.project_id = any($1)", Values.Of(projectIds)))).ToImmutableDictionary(project => project.ProjectId);

    public Task<Page<Project>> Projects(ProjectFilter filter, PageRequest page) => List(Lists.Projects(filter), page);

    public Task<Milestone?> Milestone(string milestoneId) => One(MilestoneRow.Instance.Select("where s.milestone_id = $1", Values.Of(milestoneId)));

    public Task<Page<Milestone>> Milestones(MilestoneFilter filter, PageRequest page) => List(Lists.Milestones(filter), page);

    public Task<Page<Consumption>> Consumptions(RecordFilter filter, PageRequest page) => List(Lists.Consumptions(filter), page);

    public Task<Page<AllocationRecord>> AllocationRecords(RecordFilter filter, PageRequest page) => List(Lists.AllocationRecords(filter), page);

    public Task<AccountAudit?> AuditAccount(string accountId) => Listed<AccountAudit?>(async () =>
    {
        var reading = new Reading();
        var documents = reading.Add(DocumentOf(DocumentKind.Account, accountId));
        var purchases = reading.Add(PurchaseRow.Instance.Select("where b.account_id = $1", Values.Of(accountId)));
        var milestones = reading.Add(MilestoneRow.Instance.Select(
            "where s.project_id in (select project_id from project where account_id = $1)", Values.Of(accountId)));
        var told = reading.Add(new Query<ServicesSum>(
            """
            select subject, kind, sum(services_credits)::bigint from entry
            where account_id = $1 and services_credits is not null group by subject, kind
            """, row => new(row.Text(), Words.Read<EntryKind>(row.Text()), row.Quantity()), Values.Of(accountId)));
        var recorded = reading.Add(new Query<RecordSum>(
            "select purchase_id, milestone_id, sum(quantity)::bigint from consumption where account_id = $1 group by purchase_id, milestone_id",
            row => new(row.Text(), row.OptionalText(), row.Quantity()), Values.Of(accountId)));
        await Run(reading);
        return documents.Count == 0 ? null : new AccountSums(purchases, milestones, told, recorded).Of(accountId);
    });

    public async Task<ServicesSettings> ServicesSettings() => (await Document(DocumentKind.Settings, DocumentRow.ServicesSettings)).AsSettings().Settings;
}
