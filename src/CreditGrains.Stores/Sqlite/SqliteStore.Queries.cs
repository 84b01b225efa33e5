using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

public sealed partial class SqliteStore
{
    async Task<ContractDocument?> IQueries.Contract(string contractId) =>
        (await lists.Read(database => ReadDocument(database, DocumentKind.Contract, contractId)))?.AsContract();

    public async Task<Page<ContractDocument>> Contracts(string? clientId, PageRequest page) =>
        (await List(Lists.Documents(DocumentKind.Contract, Filtered.Contracts, clientId), page)).Of(document => document.AsContract());

    public Task<Page<Member>> Users(string contractId, PageRequest page) => List(Lists.Users(contractId), page);

    public Task<ImmutableArray<ContractFacts>> Facts(IReadOnlyCollection<string> contractIds, Instant since) =>
        lists.Read(database => database.Snapshot(() => contractIds.Select(id => ReadContract(database, id)).OfType<StoredContract>()
            .Select(contract => Sums.Facts(database, contract, since)).ToImmutableArray()));

    public Task<Page<ClientSummary>> Clients(string? clientId, PageRequest page) => List(Lists.Clients(clientId), page);

    public Task<Page<User>> Directory(string? clientId, PageRequest page) => List(Lists.Directory(clientId), page);

    Task<User?> IQueries.User(UserKey key) => lists.Read(database => One(database, UserRow.Instance, RowKey.User(key.ClientId, key.UserId)));

    public Task<ImmutableArray<Assignment>> Assignments(IReadOnlyCollection<UserKey> users) => lists.Read(database => database.Snapshot(() =>
        users.SelectMany(user => database["select contract_id, assigned from member where client_id = ? and user_id = ?"]
            .Bind(user.ClientId).Bind(user.UserId).All(row => new Assignment(user, row.Text(), row.Flag())))
            .OrderBy(assignment => assignment.ContractId, StringComparer.Ordinal).ToImmutableArray()));

    public Task<Names> Names(IReadOnlyCollection<string> contractIds, IReadOnlyCollection<UserKey> users) =>
        lists.Read(database => database.Snapshot(() =>
    {
        var contracts = contractIds.Distinct().SelectMany(id =>
            database[
                $"""
                select id, body ->> '$.value.terms.name', body ->> '$.value.terms.timeZone' from document where kind = '{DocumentKind.Contract}' and id = ?
                """]
                .Bind(id).All(row => (Id: row.Text(), Named: new NamedContract(row.Text(), row.Text()))));
        var known = users.Distinct().Select(user => One(database, UserRow.Instance, RowKey.User(user.ClientId, user.UserId))).OfType<User>();
        return new Names(
            contracts.ToDictionary(contract => contract.Id, contract => contract.Named),
            known.ToDictionary(user => new UserKey(user.ClientId, user.UserId), user => user.Name));
    }));

    public async Task<Contract?> ContractWithUsers(string contractId)
    {
        var (contract, members) =
            await lists.Read(database => database.Snapshot(() => (ReadContract(database, contractId), ReadMembers(database, contractId))));
        return contract?.AsContract(members);
    }

    Task<StoredMember?> IQueries.Member(AllocationKey key) => lists.Read(database => ReadStoredMember(database, key));

    public async Task<Page<Allowance>> Memberships(UserKey user, PageRequest page) =>
        (await List(Lists.Memberships(user), page)).Of(stored => stored.AsAllowance());

    public async Task<Page<Lot>> Lots(string contractId, string? paymentId, PageRequest page) =>
        (await List(Lists.Lots(contractId, paymentId), page)).Of(listed => listed.Lot);

    Task<Lot?> IQueries.Lot(string contractId, string lotId) => Lot(contractId, lotId);

    public Task<ImmutableArray<Lot>> Apart(string contractId) => lists.Read(database =>
        All(database, LotRow.Instance, "l.contract_id = ? and l.is_open = 1 and l.apart > 0 order by l.key", contractId)
            .Select(listed => listed.Lot).ToImmutableArray());

    public Task<Report?> Report(ReportKey key) =>
        lists.Read(database => One(database, ReportRow.Instance, RowKey.Report(key.ClientId, key.ReportId)));

    // A report's key begins with its client.
    public Task<ImmutableArray<string>> ClientsOf(string reportId) => lists.Read(database => database[
        $"""
        select r.client_id from (select distinct owner from document where kind = '{DocumentKind.Contract}') c
        cross join report r on r.client_id = c.owner and r.report_id = ?
        """].Bind(reportId).All(row => row.Text()).ToImmutableArray());

    public Task<Page<Report>> Reports(ReportFilter filter, PageRequest page) => List(Lists.Reports(filter), page);

    public async Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page)
    {
        long? first = filter.From is { } from
            ? await lists.Read(database => database[BookedSince.Sql].Bind(BookedSince.Surely(from)).All(row => row.Number())[0])
            : null;
        return await List(Lists.Ledger(filter, first), page);
    }

    public Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page) =>
        lists.Read(database => database.Snapshot(() =>
    {
        var placed = CreditPlace.Read(page);
        var sources = new CreditSources(database, filter, placed, now);
        return CreditList.Merge(placed, sources.All());
    }));

    public Task<CreditDocument?> Credit(CreditId id, Instant now) => lists.Read(database => database.Snapshot(() =>
    {
        var touched = database[$"select {CreditRow.Instance.Listed} from credit c where c.lot = ? and c.ordinal = ?"]
            .Bind(CreditRow.Instance.Key, RowKey.Credit(id)).First(CreditRow.Instance.ReadListed);
        if (touched is not null) return CreditDocument.Of(touched, now);
        var apart = One(database, LotRow.Instance, new(RowKind.Lot, id.ContractId, id.LotId, id.Ordinal));
        var lot = apart?.Lot.HasUntouched == true ? apart : One(database, LotRow.Instance, new(RowKind.Lot, id.ContractId, id.LotId));
        return lot is null || lot.Lot.Quantity < id.Ordinal ? null : CreditDocument.Untouched(lot.ClientId, id, lot.Lot, now);
    }));

    public Task<ImmutableArray<CreditDocument>> Touched(IReadOnlyCollection<CreditId> ids, Instant now) =>
        lists.Read(database => database.Snapshot(() => ids
            .SelectMany(id => database[$"select {CreditRow.Instance.Listed} from credit c where c.lot = ? and c.ordinal = ?"]
                .Bind(LotKeys.Of(id)).Bind(id.Ordinal).All(CreditRow.Instance.ReadListed))
            .Select(credit => CreditDocument.Of(credit, now)).ToImmutableArray()));

    public Task<ImmutableArray<CountedLot>> CountLots(CreditFilter filter, IReadOnlyCollection<string>? paymentIds, Instant now) =>
        lists.Read(database => database.Snapshot(() => paymentIds is null
            ? [.. Counts.Lots(database, filter, now)]
            : paymentIds.SelectMany(payment => Counts.Lots(database, filter with { PaymentId = payment }, now)).ToImmutableArray()));

    public Task<(long Allocated, long Expired)> CountTouched(CreditFilter filter, Instant now) =>
        lists.Read(database => Counts.Touched(database, filter, now));

    public Task<Page<PaymentLots>> Payments(string? clientId, string? contractId, PageRequest page) => List(Lists.Payments(clientId, contractId), page);

    public Task<ImmutableArray<BookedEntry>> History(CreditDocument credit) => lists.Read(database => database.Snapshot(() =>
    {
        const string OfLot = "e.contract_id = ? and e.lot_id = ?", OfReport = "e.report_id = ? and +e.contract_id = ? and +e.lot_id = ?";
        var ofLot = Entries($"{OfLot} and e.kind in ({Sums.Words(Grains.History.OfLot)})", credit.ContractId, credit.LotId);
        var ofCredit = Entries("e.subject = ? and e.subject glob 'credit:*'", Subjects.Credit(credit.CreditId));
        var reports = ofCredit.Select(entry => entry.Entry.ReportId).Append(credit.ReportId).OfType<string>().Distinct();
        var ofReports = reports.SelectMany(report =>
            Entries($"{OfReport} and e.kind in ({Sums.Words(Grains.History.OfReport)})", report, credit.ContractId, credit.LotId));
        return Grains.History.Of(credit, ofLot.Concat(ofReports), ofCredit);

        List<BookedEntry> Entries(string where, params IEnumerable<object> values) =>
            database[$"select {EntryRow.Selected} from entry e where {where}"].BindAll(values).All(EntryRow.Read);
    }));

    public async Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter)
    {
        var rows = await lists.Read(database => database.Snapshot(() => UsageSql.Read(database, filter)));
        foreach (var contractId in AddedUsage.Worth(rows, filter)) checkpoints.Ask(contractId);
        return [.. rows.Select(used => used.Row)];
    }

    public Task<FeedPlace> FeedStart() => lists.Read(Start);

    // One writer: the order of entries is the order of commits.
    public Task<ImmutableArray<FedEntry>> Feed(FeedFilter filter, FeedPlace after, int limit) => lists.Read(database => database.Snapshot(() =>
    {
        after.RefuseGone(Start(database));
        return Select(database, Lists.Feed(filter), [after.EntryId], limit)
            .Select(entry => new FedEntry(after with { EntryId = entry.EntryId }, entry)).ToImmutableArray();
    }));

    public Task<FeedPlace> FeedEnd() => lists.Read(database => database.Snapshot(() =>
    {
        var (start, last) = (Start(database), database["select max(entry_id) from entry"].All(row => row.OptionalNumber() ?? 0)[0]);
        return start with { EntryId = Math.Max(start.EntryId, last) };
    }));

    private FeedPlace Start(Database database) =>
        new(history, 0, database["select coalesce(max(archived_id), 0) from retention"].All(row => row.Number())[0]);

    public Task<ImmutableArray<StoredContract>> Due(string? contractId, string? clientId, Instant now) =>
        lists.Read(database => database.Snapshot(() =>
    {
        var where = new Where().And("d.kind = ?", DocumentKind.Contract).Equal("d.id", contractId)
            .And(contractId is null ? "d.due_at <= ?" : "+d.due_at <= ?", now);
        if (clientId is not null) where.And("+d.owner = ?", clientId);
        return where.Bind(database[$"select {DocumentRow.Instance.Selected} from document d {where}"]).All(DocumentRow.Instance.Read)
            .Select(document => WithOpenLots(database, document)).ToImmutableArray();
    }));

    public async Task<ContractBalance?> Balance(string contractId, Instant? asked, Instant now) =>
        (await Told(contractId, database => ReadContract(database, contractId) is { } contract
            ? Sums.Balance(database, contract, BalanceSums.InstantOf(contract, asked, now))
            : null))?.Of();

    public async Task<ContractStatement?> Statement(string contractId, LocalDate from, LocalDate to, Instant now) =>
        (await Told(contractId, database => ReadContract(database, contractId) is { } contract
            ? Sums.Statement(database, contract, StatementSums.TimeOf(contract, from, to, now))
            : null))?.Of();

    public async Task<Audit?> Audit(string contractId, bool isFull = false) =>
        (await Told(contractId, database => ReadDocument(database, DocumentKind.Contract, contractId) is null
            ? null
            : Sums.Audit(database, contractId, isFull)))?.Of(contractId);

    // Reads sums on one snapshot; where many entries had to be added up, a checkpoint is asked for.
    private async Task<T?> Told<T>(string contractId, Func<Database, T?> read) where T : class, IToldSums
    {
        var sums = await lists.Read(database => database.Snapshot(() => read(database)));
        if (sums?.Told.Entries > Checkpoint.FewestEntries) checkpoints.Ask(contractId);
        return sums;
    }

    /// <summary>Writes all of a contract's checkpoints and days of usage that are worth it: of so many entries or reports at least.</summary>
    internal async Task WriteCheckpoints(string contractId, int fewest)
    {
        while (await WriteNext(contractId, fewest)) { }
    }

    private async Task<bool> WriteNext(string contractId, int fewest) =>
        await WriteCheckpoint(contractId, fewest) || await WriteUsageDays(contractId, fewest);

    private async Task<bool> WriteUsageDays(string contractId, int fewestReports) =>
        await lists.Read(database => database.Snapshot(() => UsageSql.Next(database, contractId, fewestReports))) is { Count: > 0 } days
        && await writer.Write(database => UsageSql.Write(database, contractId, days));

    private async Task<bool> WriteCheckpoint(string contractId, int fewestEntries) =>
        await lists.Read(database => database.Snapshot(() => Checkpoints.Next(database, contractId, fewestEntries))) is { } next
        && await writer.Write(database => Checkpoints.Write(database, contractId, next));

    public async Task<StoreView> Look()
    {
        await grains.Read(database => database["select 1 from document limit 1"].Any());
        return StoreView.Of(await Metrics.TakesWrites(writer.Touch));
    }

    private Task<Page<TItem>> List<TItem>(ListOf<TItem> list, PageRequest page)
    {
        var behind = list.Behind(page);
        return lists.Read(database => list.Cut(page, Select(database, list, behind, page.Limit + 1, new(page.IsDescending))));
    }

    internal static List<TItem> Select<TItem>(Database database, ListOf<TItem> list, object[]? behind, int rows, Direction direction = default)
    {
        var (where, order) = (Where.Of(list, behind, direction), direction.OrderBy(list.Columns));
        var group = list.IsGrouped ? $"group by {string.Join(", ", list.Columns)} " : "";
        var sql = $"select {list.Selected} from {list.From} {where} {group}order by {order} limit ?";
        return where.Bind(database[sql]).Bind(rows).All(list.Read);
    }
}
