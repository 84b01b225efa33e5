using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>Every list but that of credits, whose rows come from several places.</summary>
internal static class Lists
{
    /// <summary>Documents of one kind, as they are stored: reading a body may fail, and must not while a statement is open.</summary>
    public static ListOf<Document> Documents(string kind, string cursor, string? owner) =>
        Of(DocumentRow.Instance, cursor, document => [document.Id]) with
        {
            Filter = owner is null ? [Equal("d.kind", kind)] : [Equal("d.kind", kind), Equal("d.owner", owner)],
            Order = [new("d.id", ColumnType.Text)],
        };

    public static ListOf<User> Directory(string? clientId) => Of(UserRow.Instance, Filtered.Directory, user => [user.ClientId, user.UserId]) with
    {
        Filter = Narrowest(("u.client_id", clientId)),
        Order = [new("u.client_id", ColumnType.Text), new("u.user_id", ColumnType.Text)],
    };

    /// <summary>From client to client, by the indexes that hold each client's first contract, account and user.</summary>
    public static ListOf<ClientSummary> Clients(string? clientId) => new(
        "clients",
        $"""
        k.client_id, (select count(*) from document d where d.kind = '{DocumentKind.Contract}' and d.owner = k.client_id),
            (select count(*) from document d where d.kind = '{DocumentKind.Account}' and d.owner = k.client_id),
            (select count(*) from client_user u where u.client_id = k.client_id)
        """,
        $"""
        (with recursive client (client_id) as (
            select ({NextClient("''")}) union all select ({NextClient("client.client_id")}) from client where client.client_id is not null)
        select client_id from client where client_id is not null) k
        """,
        row => new(row.Text(), row.Number(), row.Number(), row.Number()), client => [client.ClientId])
    {
        Filter = Narrowest(("k.client_id", clientId)),
        Order = [new("k.client_id", ColumnType.Text)],
    };

    public static ListOf<Member> Users(string contractId) => Of(MemberRow.Instance, "users", member => [member.UserId]) with
    {
        Filter = [Equal("m.contract_id", contractId), new("m.assigned", Comparison.AlsoEqual, true)],
        Order = [new("m.user_id", ColumnType.Text)],
    };

    public static ListOf<StoredMember> Memberships(UserKey user) => new(
        "allocations", $"{MemberRow.Instance.Selected}, {DocumentRow.Instance.Selected}",
        $"{MemberRow.Instance.From} join document d on d.kind = '{DocumentKind.Contract}' and d.id = m.contract_id",
        row => new(MemberRow.Instance.Read(row), DocumentRow.Instance.Read(row)), stored => [stored.Contract.Id])
    {
        Filter = [Equal("m.client_id", user.ClientId), Equal("m.user_id", user.UserId)],
        Order = [new("m.contract_id", ColumnType.Text)],
    };

    public static ListOf<ListedLot> Lots(string contractId, string? paymentId) =>
        Of(LotRow.Instance, "lots", listed => [listed.Lot.CreatedAt, listed.Lot.LotId]) with
    {
        Filter = [.. Narrowest(("l.contract_id", contractId), ("l.payment_id", paymentId)), new("l.apart", Comparison.AlsoEqual, 0L)],
        Order = [new("l.created_at", ColumnType.Instant), new("l.lot_id", ColumnType.Text)],
    };

    /// <summary>Sums of lots.</summary>
    public static ListOf<PaymentLots> Payments(string? clientId, string? contractId) => new(
        "payments",
        "l.client_id, l.payment_id, count(*), cast(sum(l.quantity) as bigint), min(l.created_at), max(l.created_at)", "lot l",
        row => new(row.Text(), row.Text(), row.Number(), row.Number(), row.Instant(), row.Instant()),
        payment => [payment.ClientId, payment.PaymentId])
    {
        Filter = [.. Narrowest(("l.contract_id", contractId), ("l.client_id", clientId)), new("l.apart", Comparison.AlsoEqual, 0L)],
        IsGrouped = true,
        Order = [new("l.client_id", ColumnType.Text), new("l.payment_id", ColumnType.Text)],
    };

    public static ListOf<Report> Reports(ReportFilter filter) =>
        Of(ReportRow.Instance, "reports", report => [report.At, report.ReportId, report.ClientId]) with
    {
        Filter =
        [
            .. Narrowest(("r.contract_id", filter.ContractId), ("r.user_id", filter.UserId), ("r.client_id", filter.ClientId)),
            .. Between("r.at", filter.From, filter.To),
        ],
        Order = [new("r.at", ColumnType.Instant), new("r.report_id", ColumnType.Text), new("r.client_id", ColumnType.Text)],
    };

    /// <param name="first">An id before which no entry passes the filter; null: it is not known.</param>
    public static ListOf<BookedEntry> Ledger(LedgerFilter filter, long? first = null) => Entries(
        "ledger",
        [
            .. Narrowest(
                ("e.report_id", filter.ReportId), ("e.user_id", filter.UserId), ("e.contract_id", filter.ContractId),
                ("e.account_id", filter.AccountId), ("e.client_id", filter.ClientId)),
            .. Also("e.kind", filter.Kind?.Word()), .. Also("e.actor", filter.Actor), .. Between("e.effective_at", filter.From, filter.To),
            .. first is { } id ? [new Condition($"{EntryRow.Alias}.{EntryRow.Id}", Comparison.AtLeast, id)] : Array.Empty<Condition>(),
        ]);

    /// <summary>The feed's entries, in the order of booking.</summary>
    public static ListOf<BookedEntry> Feed(FeedFilter filter) =>
        Entries("feed", Narrowest(("e.contract_id", filter.ContractId), ("e.client_id", filter.ClientId)));

    public static ListOf<Purchase> Purchases(string accountId) =>
        Of(PurchaseRow.Instance, "purchases", purchase => [purchase.CreatedAt, purchase.PurchaseId]) with
    {
        Filter = [Equal("b.account_id", accountId)],
        Order = [new("b.created_at", ColumnType.Instant), new("b.purchase_id", ColumnType.Text)],
    };

    public static ListOf<Project> Projects(ProjectFilter filter) => Of(ProjectRow.Instance, "projects", project => [project.ProjectId]) with
    {
        Filter = Narrowest(("j.account_id", filter.AccountId), ("j.client_id", filter.ClientId)),
        Order = [new("j.project_id", ColumnType.Text)],
    };

    /// <summary>The column that says whose a milestone's project is.</summary>
    public const string AccountOfProject = "j.account_id";

    public static ListOf<Milestone> Milestones(MilestoneFilter filter) =>
        Of(MilestoneRow.Instance, "milestones", milestone => [milestone.MilestoneId]) with
    {
        // A project may go to another account, so that its milestones do not name theirs.
        From = filter.AccountId is null ? MilestoneRow.Instance.From : $"{MilestoneRow.Instance.From} join project j on j.project_id = s.project_id",
        Filter =
        [
            .. Narrowest(("s.project_id", filter.ProjectId), (AccountOfProject, filter.AccountId), ("s.client_id", filter.ClientId)),
            .. Also("s.status", filter.Status), .. Also("s.is_allocated", filter.IsAllocated),
        ],
        Order = [new("s.milestone_id", ColumnType.Text)],
    };

    public static ListOf<Consumption> Consumptions(RecordFilter filter) =>
        Of(ConsumptionRow.Instance, "consumptions", booked => [booked.AccountId, booked.Number]) with
    {
        Filter = Records(filter),
        Order = [new("k.account_id", ColumnType.Text), new("k.number", ColumnType.Number)],
    };

    /// <summary>Sums of consumptions.</summary>
    public static ListOf<AllocationRecord> AllocationRecords(RecordFilter filter) => new(
        "allocation-records",
        "k.allocation_id, k.account_id, min(k.milestone_id), k.currency, cast(sum(k.quantity) as bigint), min(k.date)", "consumption k",
        row => new(row.Text(), row.Text(), row.OptionalText(), row.Text(), row.Quantity(), row.Date()),
        record => [record.AccountId, record.AllocationId, record.Currency])
    {
        Filter = Records(filter),
        IsGrouped = true,
        Order = [new("k.account_id", ColumnType.Text), new("k.allocation_id", ColumnType.Text), new("k.currency", ColumnType.Text)],
    };

    private static ListOf<TRow> Of<TChange, TRow>(Row<TChange, TRow> row, string cursor, Func<TRow, object[]> place)
        where TChange : Change =>
        new(cursor, row.Selected, row.From, row.Read, place) { Order = [] };

    private static ListOf<BookedEntry> Entries(string cursor, ImmutableArray<Condition> filter) =>
        new(cursor, EntryRow.Selected, $"{EntryRow.Table} {EntryRow.Alias}", EntryRow.Read, entry => [entry.EntryId])
        {
            Filter = filter,
            Order = [new($"{EntryRow.Alias}.{EntryRow.Id}", ColumnType.Number)],
        };

    private static ImmutableArray<Condition> Records(RecordFilter filter) =>
        Narrowest(("k.milestone_id", filter.MilestoneId), ("k.account_id", filter.AccountId));

    private static Condition Equal(string column, object value) => new(column, Comparison.Equal, value);

    // Of the values that are asked for the first leads.
    private static ImmutableArray<Condition> Narrowest(params IEnumerable<(string Column, string? Value)> asked) =>
        [.. asked.Where(one => one.Value is not null)
            .Select((one, i) => new Condition(one.Column, i == 0 ? Comparison.Equal : Comparison.AlsoEqual, one.Value!))];

    // What no index leads to.
    private static IEnumerable<Condition> Also(string column, object? value) =>
        value is null ? [] : [new Condition(column, Comparison.AlsoEqual, value)];

    private static string NextClient(string after) => $"""
        select min(n.id) from (
            select min(owner) as id from document where kind = '{DocumentKind.Contract}' and owner > {after}
            union all select min(owner) from document where kind = '{DocumentKind.Account}' and owner > {after}
            union all select min(client_id) from client_user where client_id > {after}) n
        """;

    private static IEnumerable<Condition> Between(string column, Instant? from, Instant? to)
    {
        if (from is { } first) yield return new(column, Comparison.AtLeast, first);
        if (to is { } end) yield return new(column, Comparison.Below, end);
    }
}
