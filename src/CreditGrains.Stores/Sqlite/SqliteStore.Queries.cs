using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

public sealed partial class SqliteStore
{
    Task<ContractDocument?> IQueries.Contract(string contractId) => lists.Read(database => ReadDocument(database, ContractActor.Kind, contractId)?.AsContract());

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
        var where = new Where().And("m.contract_id = ? and m.assigned = 1", contractId);
        if (Behind(page, "users", 1) is { } after) where.And("m.user_id > ?", after.Text(0));
        return Cut(page, Select(database, Rows.Member, "members m", where, "m.user_id", page.Limit, Rows.ReadMember), member => Cursor.After("users", member.UserId));
    });

    public Task<bool> UserExists(UserKey key) =>
        lists.Read(database => database["select 1 from members where client_id = ? and user_id = ?"].Bind(key.ClientId).Bind(key.UserId).Any());

    public Task<Contract?> ContractWithUsers(string contractId) => lists.Read(database => database.Snapshot(() => ReadStoredContract(database, contractId)?.AsContract(ReadMembers(database, contractId))));

    Task<StoredMember?> IQueries.Member(AllocationKey key) => lists.Read(database => ReadMember(database, key));

    public Task<Page<Allowance>> Memberships(UserKey user, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("m.client_id = ? and m.user_id = ?", user.ClientId, user.UserId);
        if (Behind(page, "allocations", 1) is { } after) where.And("m.contract_id > ?", after.Text(0));
        return Cut(page, Select(database, $"{Rows.Member}, {Rows.Document}", $"members m join documents on kind = '{ContractActor.Kind}' and id = m.contract_id", where, "m.contract_id", page.Limit,
            row => Rows.ReadStoredMember(row).AsAllowance()), allowance => Cursor.After("allocations", allowance.Terms.ContractId));
    });

    public Task<Page<Lot>> Lots(string contractId, PageRequest page) => lists.Read(database =>
    {
        var where = new Where().And("l.contract_id = ? and l.apart = 0", contractId);
        if (page.After is { } cursor && LotPlace.Read(cursor) is var after) where.And("(l.created_at, l.lot_id) > (?, ?)", after.CreatedAt, after.LotId);
        return Cut(page, Select(database, Rows.Lot, "lots l", where, "l.created_at, l.lot_id", page.Limit, Rows.ReadLot), lot => LotPlace.Of(lot).AsCursor());
    });

    public Task<ImmutableArray<Lot>> Apart(string contractId) =>
        lists.Read(database => database[$"select {Rows.Lot} from lots l where l.contract_id = ? and l.is_open = 1 and l.apart > 0"].Bind(contractId).All(Rows.ReadLot).ToImmutableArray());

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

    public Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page) => lists.Read(database => Ledger(database, filter, page));

    internal static Page<BookedEntry> Ledger(Database database, LedgerFilter filter, PageRequest page)
    {
        var where = new Where().Equal("report_id", filter.ReportId).Equal("user_id", filter.UserId).Equal("contract_id", filter.ContractId).Equal("account_id", filter.AccountId).Equal("client_id", filter.ClientId);
        if (Behind(page, "ledger", 1) is { } after) where.And("entry_id > ?", after.Number(0));
        return Cut(page, Select(database, Rows.Entry, "entries", where, "entry_id", page.Limit, Rows.ReadEntry), entry => Cursor.After("ledger", entry.EntryId));
    }

    public Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page) => lists.Read(database => database.Snapshot(() =>
    {
        var after = CreditPlace.Read(page.After);
        return CreditList.Merge(page.Limit, CreditSources.Of(database, filter, after, page.Limit, now));
    }));

    public Task<CreditDocument?> Credit(CreditId id, Instant now) => lists.Read(database => database.Snapshot(() =>
    {
        if (ReadCredit(database, id) is { } touched) return CreditDocument.Of(touched, now);
        return database[$"select l.client_id, {Rows.Lot} from lots l where l.key in (?, ?) and l.quantity >= ? and (l.apart = 0 or l.free <> '') order by l.apart desc"]
            .Bind(Rows.LotKey(id.ContractId, id.LotId)).Bind($"{id}").Bind(id.Ordinal).First(row => CreditDocument.Untouched(row.Text(), id, Rows.ReadLot(row), now));
    }));

    public Task<ImmutableArray<BookedEntry>> History(CreditDocument credit) => lists.Read(database => database.Snapshot(() =>
    {
        var ofLot = database[$"select {Rows.Entry} from entries where contract_id = ? and lot_id = ? and kind in ({Names(Grains.History.OfLot)})"]
            .Bind(credit.ContractId).Bind(credit.LotId).All(Rows.ReadEntry);
        var ofCredit = database[$"select {Rows.Entry} from entries where subject = ? and subject glob 'credit:*'"].Bind(Subjects.Credit(credit.CreditId)).All(Rows.ReadEntry);
        var ofReports = ofCredit.Select(entry => entry.Entry.ReportId).Append(credit.ReportId).OfType<string>().Distinct().SelectMany(report =>
            database[$"select {Rows.Entry} from entries where report_id = ? and client_id = ? and +lot_id = ? and kind in ({Names(Grains.History.OfReport)})"]
                .Bind(report).Bind(credit.ClientId).Bind(credit.LotId).All(Rows.ReadEntry));
        return Grains.History.Of(credit, ofLot.Concat(ofReports), ofCredit);

        static string Names(IEnumerable<EntryKind> kinds) => string.Join(", ", kinds.Select(kind => $"'{kind}'"));
    }));

    public Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter) => lists.Read(database => UsageSums.Of(database, filter));

    // One writer: the order of entries is the order of commits.
    public Task<ImmutableArray<FedEntry>> Feed(FeedFilter filter, FeedPlace after, int limit) => lists.Read(database => Feed(database, filter, after, limit));

    internal static ImmutableArray<FedEntry> Feed(Database database, FeedFilter filter, FeedPlace after, int limit)
    {
        var where = new Where().Equal("contract_id", filter.ContractId).Equal("client_id", filter.ClientId).And("entry_id > ?", after.EntryId);
        return where.Bind(database[$"select {Rows.Entry} from entries {where} order by entry_id limit ?"]).Bind(limit).All(Rows.ReadEntry).Select(entry => new FedEntry(new(0, entry.EntryId), entry)).ToImmutableArray();
    }

    public Task<FeedPlace> FeedEnd() => lists.Read(database => database["select max(entry_id) from entries"].First(row => new FeedPlace(0, row.Number()))!);

    public Task<ImmutableArray<StoredContract>> Due(string? contractId, string? clientId, Instant now) => lists.Read(database => database.Snapshot(() =>
    {
        var where = new Where().And("kind = ?", ContractActor.Kind).Equal("id", contractId).And(contractId is null ? "due_at <= ?" : "+due_at <= ?", now);
        if (clientId is not null) where.And("+owner = ?", clientId);
        return where.Bind(database[$"select {Rows.Document} from documents {where}"]).All(Rows.ReadDocument)
            .Select(document => WithOpenLots(database, document)).ToImmutableArray();
    }));

    public Task<ContractBalance?> Balance(string contractId, Instant? asked, Instant now) => lists.Read(database => database.Snapshot(() =>
    {
        if (ReadStoredContract(database, contractId) is not { } stored) return null;
        var at = asked ?? Instant.Max(now, stored.Document.AsOf);
        return ContractBalance.Of(stored.AsContract(), BalanceSums.Lots(database, contractId, at, now), BalanceSums.Users(database, contractId, at), at);
    }));

    public Task<Audit?> Audit(string contractId) => lists.Read(database => database.Snapshot(() =>
        ReadDocument(database, ContractActor.Kind, contractId) is null ? null : Domain.Audit.Of(contractId, AuditFacts.Lots(database, contractId), AuditFacts.Users(database, contractId))));

    public Task Ping() => lists.Read(database => database["select 1 from documents limit 1"].Any());

    private static CursorParts? Behind(PageRequest page, string list, int parts) => page.After is { } cursor ? Cursor.Read(cursor, list, parts) : null;

    // One more than asked for tells whether there is a next page.
    private static List<T> Select<T>(Database database, string columns, string table, Where where, string order, int limit, Func<Statement, T> read) =>
        where.Bind(database[$"select {columns} from {table} {where} order by {order} limit ?"]).Bind(limit + 1).All(read);

    private static Page<T> Cut<T>(PageRequest page, List<T> items, Func<T, string> cursor) =>
        new([.. items.Take(page.Limit)], items.Count > page.Limit ? cursor(items[page.Limit - 1]) : null);
}
