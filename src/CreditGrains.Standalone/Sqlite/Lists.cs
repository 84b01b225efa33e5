using System.Collections.Immutable;
using CreditGrains.Actors;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Standalone.Sqlite;

public sealed partial class SqliteStore
{
    Task<ContractDocument?> IQueries.Contract(string contractId) => lists.Read(database => ReadContract(database, contractId)?.AsContract());

    public Task<Page<ContractDocument>> Contracts(string? clientId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("kind = ?", ContractActor.Kind);
        if (clientId is not null) where.And("owner = ?", clientId);
        if (Behind(page, "contracts", 1) is { } after) where.And("id > ?", after.Text(0));
        return Cut(page, Select(database, Rows.Document, "documents", where, "id", page.Limit, row => Rows.ReadDocument(row).AsContract()),
            contract => Cursor.After("contracts", contract.Terms.ContractId));
    });

    public Task<Page<Member>> Users(string contractId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("contract_id = ? and assigned = 1", contractId);
        if (Behind(page, "users", 1) is { } after) where.And("user_id > ?", after.Text(0));
        return Cut(page, Select(database, Rows.Member, "members", where, "user_id", page.Limit, Rows.ReadMember), member => Cursor.After("users", member.UserId));
    });

    public Task<bool> UserExists(UserKey key) =>
        lists.Read(database => database["select 1 from members where client_id = ? and user_id = ?"].Bind(key.ClientId).Bind(key.UserId).Any());

    public Task<Page<Lot>> Lots(string contractId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("l.contract_id = ?", contractId);
        if (Behind(page, "lots", 2) is { } after) where.And("(l.created_at, l.lot_id) > (?, ?)", after.Instant(0), after.Text(1));
        return Cut(page, Select(database, Rows.Lot, "lots l", where, "l.created_at, l.lot_id", page.Limit, Rows.ReadLot), lot => Cursor.After("lots", lot.CreatedAt, lot.LotId));
    });

    Task<Report?> IQueries.Report(ReportKey key) => lists.Read(database => ReadReport(database, key));

    public Task<Page<Report>> Reports(ReportFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("contract_id", filter.ContractId).Equal("user_id", filter.UserId).Equal("client_id", filter.ClientId);
        if (filter.From is { } from) where.And("at >= ?", from);
        if (filter.To is { } to) where.And("at < ?", to);
        if (Behind(page, "reports", 3) is { } after) where.And("(at, report_id, client_id) > (?, ?, ?)", after.Instant(0), after.Text(1), after.Text(2));
        return Cut(page, Select(database, "body", "reports", where, "at, report_id, client_id", page.Limit, Rows.ReadReport),
            report => Cursor.After("reports", report.At, report.ReportId, report.ClientId));
    });

    public Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().Equal("report_id", filter.ReportId).Equal("user_id", filter.UserId).Equal("contract_id", filter.ContractId).Equal("account_id", filter.AccountId).Equal("client_id", filter.ClientId);
        if (Behind(page, "ledger", 1) is { } after) where.And("entry_id > ?", after.Number(0));
        return Cut(page, Select(database, Rows.Entry, "entries", where, "entry_id", page.Limit, Rows.ReadEntry), entry => Cursor.After("ledger", entry.EntryId));
    });

    public Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page) => lists.Read(database => database.Snapshot(() =>
    {
        var after = CreditPlace.Read(page.After);
        return CreditList.Merge(page.Limit, CreditSources.Of(database, filter, after, page.Limit, now));
    }));

    public Task<CreditDocument?> Credit(CreditId id, Instant now) => lists.Read(database => database.Snapshot(() =>
    {
        var key = Rows.LotKey(id.ContractId, id.LotId);
        var touched = database[$"select {Rows.Credit} from credits c join lots l on l.key = c.lot where c.lot = ? and c.ordinal = ?"].Bind(key).Bind(id.Ordinal).First(Rows.ReadCredit);
        if (touched is not null) return CreditDocument.Of(touched, now);
        return database[$"select l.client_id, {Rows.Lot} from lots l where l.key = ? and l.quantity >= ?"].Bind(key).Bind(id.Ordinal)
            .First(row => CreditDocument.Untouched(row.Text(), id, Rows.ReadLot(row), now));
    }));

    public Task<Audit?> Audit(string contractId) => lists.Read(database => database.Snapshot(() =>
        ReadContract(database, contractId) is null ? null : Domain.Audit.Of(contractId, AuditFacts.Lots(database, contractId), AuditFacts.Users(database, contractId))));

    public Task Ping() => lists.Read(database => database["select 1 from documents limit 1"].Any());

    private static CursorParts? Behind(PageRequest page, string list, int parts) => page.After is { } cursor ? Cursor.Read(cursor, list, parts) : null;

    // One more than asked for tells whether there is a next page.
    private static List<T> Select<T>(Database database, string columns, string table, Where where, string order, int limit, Func<Statement, T> read) =>
        where.Bind(database[$"select {columns} from {table} {where} order by {order} limit ?"]).Bind(limit + 1).All(read);

    private static Page<T> Cut<T>(PageRequest page, List<T> items, Func<T, string> cursor) =>
        new([.. items.Take(page.Limit)], items.Count > page.Limit ? cursor(items[page.Limit - 1]) : null);
}
