using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

public sealed partial class PostgresStore
{
    async Task<ContractDocument?> IQueries.Contract(string contractId) =>
        await Document(ContractActor.Kind, contractId) is { } document ? document.AsContract() : null;

    public Task<Page<ContractDocument>> Contracts(string? clientId, PageRequest page) => List(
        new Select(DocumentColumns, "document").WhereText("kind", ContractActor.Kind).WhereText("owner", clientId)
            .After("id", Behind(page, "contracts", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "id", page, reader => ReadDocument(reader).AsContract(), contract => Cursor.After("contracts", contract.Terms.ContractId));

    public Task<Page<Member>> Users(string contractId, PageRequest page) => List(
        new Select(MemberColumns, "member m").WhereText("m.contract_id", contractId).Where("m.assigned = ?", Sql.Flag(true))
            .After("m.user_id", Behind(page, "users", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "m.user_id", page, ReadMember, member => Cursor.After("users", member.UserId));

    public async Task<bool> UserExists(UserKey key) => (await Rows(
        "select 1 from member where client_id = $1 and user_id = $2 limit 1", _ => true, Sql.Text(key.ClientId), Sql.Text(key.UserId))).Count > 0;

    public Task<Contract?> ContractWithUsers(string contractId) => Snapshot(async connection => (await LoadContracts(connection, [contractId])).GetValueOrDefault(contractId)?
        .AsContract(await Rows(connection, $"select {MemberColumns} from member m where m.contract_id = $1", ReadMember, Sql.Text(contractId))));

    public Task<Page<Allowance>> Memberships(UserKey user, PageRequest page) => List(
        new Select($"{MemberColumns}, {JoinedDocument}", $"member m {OfMembers}").WhereText("m.client_id", user.ClientId).WhereText("m.user_id", user.UserId)
            .After("m.contract_id", Behind(page, "allocations", 1) is { } after ? [Sql.Text(after.Text(0))] : []),
        "m.contract_id", page, reader => ReadStoredMember(reader).AsAllowance(), allowance => Cursor.After("allocations", allowance.Terms.ContractId));

    public Task<Page<Lot>> Lots(string contractId, PageRequest page) => List(
        new Select(LotColumns, "lot").WhereText("contract_id", contractId).Where("apart = 0").After("created_at, key", page.After is { } cursor && LotPlace.Read(cursor) is var after ? [Sql.At(after.CreatedAt), Sql.Text(LotKeys.Lot(contractId, after.LotId))] : []),
        "created_at, key", page, reader => ReadLot(reader, 0), lot => LotPlace.Of(lot).AsCursor());

    public async Task<ImmutableArray<Lot>> Apart(string contractId) =>
        [.. await Rows($"select {LotColumns} from lot where contract_id = $1 and apart > 0 and {OpenLots}", reader => ReadLot(reader, 0), Sql.Text(contractId))];

    public Task<Page<Report>> Reports(ReportFilter filter, PageRequest page) => List(
        new Select(ReportColumns, "report")
            .WhereText("client_id", filter.ClientId).WhereText("contract_id", filter.ContractId).WhereText("user_id", filter.UserId)
            .Where("at >= ?", Sql.At(filter.From ?? Calendar.MinInstant)).Where("at < ?", Sql.At(filter.To ?? Calendar.MaxInstant))
            .After("at, report_id, client_id", Behind(page, "reports", 3) is { } after ? [Sql.At(after.Instant(0)), Sql.Text(after.Text(1)), Sql.Text(after.Text(2))] : []),
        "at, report_id, client_id", page, ReadReport, report => Cursor.After("reports", report.At, report.ReportId, report.ClientId));

    public Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page) => List(
        new Select(EntryColumns, "entry")
            .WhereText("contract_id", filter.ContractId).WhereText("user_id", filter.UserId).WhereText("report_id", filter.ReportId).WhereText("account_id", filter.AccountId)
            .Only("client_id", filter.ClientId, isNarrowest: filter is { ContractId: null, ReportId: null, AccountId: null })
            .After("entry_id", Behind(page, "ledger", 1) is { } after ? [Sql.Number(after.Number(0))] : []),
        "entry_id", page, ReadEntry, entry => Cursor.After("ledger", entry.EntryId));

    public async Task<ImmutableArray<BookedEntry>> History(CreditDocument credit)
    {
        var ofCredit = await Rows($"select {EntryColumns} from entry where subject = $1 and subject like 'credit:%'", ReadEntry, Sql.Text(Subjects.Credit(credit.CreditId)));
        var entries = await Rows(
            $"""
            select {EntryColumns} from entry where contract_id = $1 and lot_id = $2 and kind in ({Names(Grains.History.OfLot)})
            union all
            select {EntryColumns} from entry where client_id = $3 and report_id = any($4) and lot_id = $2 and kind in ({Names(Grains.History.OfReport)})
            """,
            ReadEntry, Sql.Text(credit.ContractId), Sql.Text(credit.LotId), Sql.Text(credit.ClientId), Sql.Texts(ofCredit.Select(entry => entry.Entry.ReportId).Append(credit.ReportId).OfType<string>().Distinct()));
        return Grains.History.Of(credit, entries, ofCredit);

        // Named in the text, so that an index of those kinds alone is found.
        static string Names(IEnumerable<EntryKind> kinds) => string.Join(", ", kinds.Select(kind => $"'{kind.ToSql()}'"));
    }

    public async Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter)
    {
        var (sql, parameters) = UsageSums.Of(filter);
        return [.. await Rows(sql, UsageSums.Read, parameters)];
    }

    public async Task<ImmutableArray<FedEntry>> Feed(FeedFilter filter, FeedPlace after, int limit)
    {
        var feed = new Select($"{EntryColumns}, transaction", "entry").WhereText("contract_id", filter.ContractId).WhereText("client_id", filter.ClientId)
            .Where(BelowTheOldestRunning).After("transaction, entry_id", Sql.Transaction(after.Transaction), Sql.Number(after.EntryId));
        return [.. await Rows(feed.Page("transaction, entry_id", limit), reader => new FedEntry(Place(reader, reader.GetOrdinal("transaction"), 0), ReadEntry(reader)), feed.Parameters)];
    }

    public async Task<FeedPlace> FeedEnd() => (await Rows(
        $"select transaction, entry_id from entry where {BelowTheOldestRunning} order by transaction desc, entry_id desc limit 1", reader => Place(reader, 0, 1))).SingleOrDefault() ?? FeedPlace.Start;

    private const string BelowTheOldestRunning = "transaction < pg_snapshot_xmin(pg_current_snapshot())";

    private static FeedPlace Place(NpgsqlDataReader reader, int transaction, int entry) => new((long)reader.GetFieldValue<ulong>(transaction), reader.GetInt64(entry));

    public async Task<ImmutableArray<StoredContract>> Due(string? contractId, string? clientId, Instant now)
    {
        var due = new Select("id", "document").WhereText("kind", ContractActor.Kind).WhereText("id", contractId).WhereText("owner", clientId).Where("due_at <= ?", Sql.At(now));
        var ids = await Rows(due.All, reader => reader.GetString(0), due.Parameters);
        return ids.Count == 0 ? [] : [.. (await LoadContracts(ids)).Values];
    }

    public Task<Audit?> Audit(string contractId) => Snapshot<Audit?>(async connection =>
    {
        if ((await Rows(connection, $"select 1 from document where kind = '{ContractActor.Kind}' and id = $1", _ => true, Sql.Text(contractId))).Count == 0) return null;
        // Rows and entries are read apart and laid side by side: one of which the other knows nothing is a difference.
        var lots = await Rows(connection, """
            select lot_id, coalesce(l.quantity, 0), coalesce(l.free, 0)::bigint, coalesce(l.lapsed, 0)::bigint, coalesce(l.allocated, 0), coalesce(l.expired, 0),
                   coalesce(e.granted, 0), coalesce(e.minted, 0), coalesce(e.charged, 0), coalesce(e.lot_expired, 0), coalesce(e.coverage_expired, 0), coalesce(e.returned, 0)
            from (select l.lot_id, l.quantity, f.free, coalesce(f.lapsed, 0) + c.lapsed as lapsed, c.allocated, c.expired
                  from lot l
                  join (select lot_id, sum(free_count) filter (where not expiry_booked) as free, sum(free_count) filter (where expiry_booked) as lapsed
                        from lot where contract_id = $1 group by lot_id) f using (lot_id)
                  left join lateral (select count(*) filter (where player_id is not null and not expiry_booked) as allocated,
                                            count(*) filter (where player_id is not null and expiry_booked) as expired,
                                            count(*) filter (where player_id is null) as lapsed
                                     from credit where lot = l.key) c on true
                  where l.contract_id = $1 and l.apart = 0) l
            full join (select lot_id, sum(quantity) filter (where kind = 'lot-granted') as granted, sum(quantity) filter (where kind = 'credits-minted') as minted,
                              sum(quantity) filter (where kind = 'credits-charged') as charged, sum(quantity) filter (where kind = 'lot-expired') as lot_expired,
                              sum(quantity) filter (where kind = 'coverage-expired') as coverage_expired,
                              sum(quantity) filter (where kind = 'credits-returned') as returned
                       from entry where contract_id = $1 and lot_id is not null group by lot_id) e using (lot_id)
            order by lot_id
            """,
            reader => new LotFacts(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.GetInt64(5),
                (long)reader.GetDecimal(6), (long)reader.GetDecimal(7), (long)reader.GetDecimal(8), (long)reader.GetDecimal(9), (long)reader.GetDecimal(10), (long)reader.GetDecimal(11)),
            Sql.Text(contractId));
        var users = await Rows(connection, """
            select user_id, coalesce(m.total_used, 0), coalesce(m.used_in_cycle, 0), coalesce(m.extra_credits, 0), coalesce(m.extra_used, 0),
                   coalesce(e.charged, 0), coalesce(e.of_cycle, 0), coalesce(e.of_extra, 0), coalesce(e.granted, 0), coalesce(r.charged, 0), coalesce(e.returned, 0)
            from (select * from member where contract_id = $1) m
            full join (select e.user_id, sum(quantity) filter (where kind = 'credits-charged') as charged,
                              sum(quantity) filter (where kind = 'credits-returned') as returned,
                              sum(case kind when 'credits-charged' then quantity else -quantity end) filter (where used_of = 'cycle:' || m.restarts || '.' || m.cycle) as of_cycle,
                              sum(case kind when 'credits-charged' then quantity else -quantity end) filter (where used_of = 'extra') as of_extra,
                              sum(quantity) filter (where kind = 'extra-granted') as granted
                       from entry e left join member m using (contract_id, user_id)
                       where contract_id = $1 and e.user_id is not null and kind in ('credits-charged', 'credits-returned', 'extra-granted') group by e.user_id) e using (user_id)
            full join (select user_id, sum(charged) as charged from report where contract_id = $1 group by user_id) r using (user_id)
            order by user_id
            """,
            reader => new UserFacts(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4),
                (long)reader.GetDecimal(5), (long)reader.GetDecimal(6), (long)reader.GetDecimal(7), (long)reader.GetDecimal(8), reader.GetInt64(9), (long)reader.GetDecimal(10)),
            Sql.Text(contractId));
        return Domain.Audit.Of(contractId, lots, users);
    });

    public async Task Ping() => await Rows("select 1", _ => true);

    private const string EntryColumns = "entry_id, kind, effective_at, booked_at, actor, reason, cause, subject, quantity, before, after, client_id, contract_id, user_id, report_id, lot_id, used_of, services_credits, account_id";

    private static BookedEntry ReadEntry(NpgsqlDataReader reader) => new(reader.GetInt64(0), new Entry
    {
        Kind = reader.Enum<EntryKind>(1),
        EffectiveAt = reader.Instant(2),
        BookedAt = reader.Instant(3),
        Actor = reader.GetString(4),
        Reason = reader.TextOrNull(5),
        Cause = reader.GetString(6),
        Subject = reader.GetString(7),
        Quantity = reader.GetInt64(8),
        Before = reader.TextOrNull(9),
        After = reader.TextOrNull(10),
        ClientId = reader.GetString(11),
        ContractId = reader.TextOrNull(12),
        UserId = reader.TextOrNull(13),
        ReportId = reader.TextOrNull(14),
        LotId = reader.TextOrNull(15),
        UsedOf = reader.TextOrNull(16),
        ServicesCredits = reader.IsDBNull(17) ? null : reader.Quantity(17),
        AccountId = reader.TextOrNull(18),
    });

    private static CursorParts? Behind(PageRequest page, string list, int parts) => page.After is { } cursor ? Cursor.Read(cursor, list, parts) : null;

    private async Task<Page<T>> List<T>(Select select, string order, PageRequest page, Func<NpgsqlDataReader, T> read, Func<T, string> cursor)
    {
        var rows = await Rows(select.Page(order, page.Limit + 1), read, select.Parameters);
        return new([.. rows.Take(page.Limit)], rows.Count > page.Limit ? cursor(rows[page.Limit - 1]) : null);
    }
}
