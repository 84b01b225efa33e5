using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

public sealed partial class PostgresStore
{
    async Task<ContractDocument?> IQueries.Contract(string contractId) => (await One(DocumentOf(DocumentKind.Contract, contractId)))?.AsContract();

    public async Task<Page<ContractDocument>> Contracts(string? clientId, PageRequest page) =>
        (await List(Lists.Documents(DocumentKind.Contract, Filtered.Contracts, clientId), page)).Of(document => document.AsContract());

    public Task<Page<Member>> Users(string contractId, PageRequest page) => List(Lists.Users(contractId), page);

    public Task<ImmutableArray<ContractFacts>> Facts(IReadOnlyCollection<string> contractIds, Instant since) => Listed<ImmutableArray<ContractFacts>>(async () =>
    {
        var reading = new Reading();
        var wanted = new WantedContracts(reading, contractIds);
        var users = reading.Add(new Query<(string Id, long Users, long Used)>(
            "select contract_id, count(*) filter (where assigned), sum(total_used)::bigint from member where contract_id = any($1) group by contract_id",
            row => (row.Text(), row.Number(), row.Number()), Values.Of(contractIds)));
        var charged = reading.Add(Sum("select contract_id, sum(charged)::bigint from report where contract_id = any($1) and at > $2 group by contract_id"));
        var returned = reading.Add(Sum(
            $"""
            select contract_id, sum(quantity)::bigint from entry
            where contract_id = any($1) and effective_at > $2 and kind = '{EntryKind.CreditsReturned.Word()}' group by contract_id
            """));
        await Run(reading);
        var (contracts, of) = (wanted.Read(), users.ToDictionary(contract => contract.Id));
        var (given, back) = (charged.ToDictionary(sum => sum.Id, sum => sum.Sum), returned.ToDictionary(sum => sum.Id, sum => sum.Sum));
        return [.. contracts.Select(contract => new ContractFacts(
            contract.Value, of.GetValueOrDefault(contract.Key).Users, of.GetValueOrDefault(contract.Key).Used,
            given.GetValueOrDefault(contract.Key) - back.GetValueOrDefault(contract.Key)))];

        Query<(string Id, long Sum)> Sum(string sql) => new(sql, row => (row.Text(), row.Number()), Values.Of(contractIds), Values.Of(since));
    });

    public Task<Page<ClientSummary>> Clients(string? clientId, PageRequest page) => List(Lists.Clients(clientId), page);

    public Task<Page<User>> Directory(string? clientId, PageRequest page) => List(Lists.Directory(clientId), page);

    Task<User?> IQueries.User(UserKey key) => User(key);

    public Task<ImmutableArray<Assignment>> Assignments(IReadOnlyCollection<UserKey> users) => Listed<ImmutableArray<Assignment>>(async () => [.. await All(new Query<Assignment>(
        """
        select m.client_id, m.user_id, m.contract_id, m.assigned from unnest($1, $2) as g (client_id, user_id)
        join member m on m.client_id = g.client_id and m.user_id = g.user_id order by m.contract_id
        """,
        row => new(new(row.Text(), row.Text()), row.Text(), row.Flag()), Values.Of(users.Select(user => user.ClientId)), Values.Of(users.Select(user => user.UserId))))]);

    public Task<Names> Names(IReadOnlyCollection<string> contractIds, IReadOnlyCollection<UserKey> users) => Listed(async () =>
    {
        var (reading, distinct) = (new Reading(), users.Distinct().ToList());
        var contracts = reading.Add(new Query<(string Id, NamedContract Named)>(
            $$"""
            select id, terms ->> 'name', terms ->> 'timeZone'
            from (select id, body::jsonb #> '{value,terms}' as terms from document where kind = '{{DocumentKind.Contract}}' and id = any($1)) named
            """,
            row => (row.Text(), new(row.Text(), row.Text())), Values.Of(contractIds)));
        var named = reading.Add(new Query<(UserKey Key, string Name)>(
            """
            select u.client_id, u.user_id, u.name from unnest($1, $2) as g (client_id, user_id)
            join client_user u on u.client_id = g.client_id and u.user_id = g.user_id
            """,
            row => (new(row.Text(), row.Text()), row.Text()), Values.Of(distinct.Select(user => user.ClientId)), Values.Of(distinct.Select(user => user.UserId))));
        await Run(reading);
        return new Names(
            contracts.ToDictionary(contract => contract.Id, contract => contract.Named), named.ToDictionary(user => user.Key, user => user.Name));
    });

    public Task<Contract?> ContractWithUsers(string contractId) => Listed(async () =>
    {
        var reading = new Reading();
        var (contracts, users) = (new WantedContracts(reading, [contractId]), reading.Add(MembersOf(contractId)));
        await Run(reading);
        return contracts.Read().GetValueOrDefault(contractId)?.AsContract(users);
    });

    public async Task<Page<Allowance>> Memberships(UserKey user, PageRequest page) => (await List(Lists.Memberships(user), page)).Of(stored => stored.AsAllowance());

    public async Task<Page<Lot>> Lots(string contractId, string? paymentId, PageRequest page) => (await List(Lists.Lots(contractId, paymentId), page)).Of(listed => listed.Lot);

    Task<Lot?> IQueries.Lot(string contractId, string lotId) => Lot(contractId, lotId);

    public async Task<ImmutableArray<Lot>> Apart(string contractId) =>
        [.. (await All(LotRow.Instance.Select("where l.contract_id = $1 and l.apart > 0 and l.is_open order by l.key", Values.Of(contractId)))).Select(listed => listed.Lot)];

    public Task<Report?> Report(ReportKey key) =>
        One(ReportRow.Instance.Select("where r.client_id = $1 and r.report_id = $2", Values.Of(key.ClientId), Values.Of(key.ReportId)));

    // A report's key begins with its client.
    public async Task<ImmutableArray<string>> ClientsOf(string reportId) => [.. await Listed(() => All(new Query<string>(
        $"""
        select r.client_id from (select distinct owner from document where kind = '{DocumentKind.Contract}') c
        join report r on r.client_id = c.owner and r.report_id = $1
        """, row => row.Text(), Values.Of(reportId))))];

    public Task<Page<Report>> Reports(ReportFilter filter, PageRequest page) => List(Lists.Reports(filter), page);

    public async Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page)
    {
        long? first = filter.From is { } from
            ? (await Listed(() => All(new Query<long>(BookedSince.Sql, row => row.Number(), Values.Of(BookedSince.Surely(from))))))[0]
            : null;
        return await List(Lists.Ledger(filter, first), page);
    }

    public Task<ImmutableArray<BookedEntry>> History(CreditDocument credit) => Listed<ImmutableArray<BookedEntry>>(async () =>
    {
        var ofCredit = await All(Query.SelectEntries("where e.subject = $1 and e.subject like 'credit:%'", Values.Of(Subjects.Credit(credit.CreditId))));
        var reports = ofCredit.Select(entry => entry.Entry.ReportId).Append(credit.ReportId).OfType<string>().Distinct();
        var reading = new Reading();
        var ofLot = reading.Add(Query.SelectEntries(
            $"where e.contract_id = $1 and e.lot_id = $2 and e.kind in ({Kinds(Grains.History.OfLot)})", Values.Of(credit.ContractId), Values.Of(credit.LotId)));
        var ofReports = reading.Add(Query.SelectEntries(
            $"where e.report_id = any($1) and e.client_id = $2 and e.lot_id = $3 and e.kind in ({Kinds(Grains.History.OfReport)})",
            Values.Of(reports), Values.Of(credit.ClientId), Values.Of(credit.LotId)));
        await Run(reading);
        return Grains.History.Of(credit, ofLot.Concat(ofReports), ofCredit);
    });

    public async Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter)
    {
        var rows = await Listed(async () => await All(await UsageOf(filter)));
        foreach (var contractId in AddedUsage.Worth(rows, filter)) checkpoints.Ask(contractId);
        return [.. rows.Select(used => used.Row)];
    }

    public async Task<FeedPlace> FeedStart() => (await All(Start()))[0];

    public async Task<FeedPlace> FeedEnd()
    {
        var reading = new Reading();
        var start = reading.Add(Start());
        var last = reading.Add(new Query<long>($"select e.entry_id from entry e where {IsSettled} order by e.entry_id desc limit 1", row => row.Number()));
        await Run(reading);
        return start[0] with { EntryId = Math.Max(start[0].EntryId, last.SingleOrDefault()) };
    }

    public Task<ImmutableArray<FedEntry>> Feed(FeedFilter filter, FeedPlace after, int limit) => Listed<ImmutableArray<FedEntry>>(async () =>
    {
        var feed = Lists.Feed(filter).Select().Where("e.entry_id > ?", Values.Of(after.EntryId)).Where(IsSettled);
        var reading = new Reading();
        var start = reading.Add(Start());
        var entries = reading.Add(new Query<BookedEntry>(feed.Page("e.entry_id", limit), EntryRow.Read, feed.Parameters));
        await Run(reading);
        after.RefuseGone(start[0]);
        return [.. entries.Select(booked => new FedEntry(after with { EntryId = booked.EntryId }, booked))];
    });

    // Before which none can come any more: of transactions that were over before the oldest one that is still running began.
    private const string IsSettled = "e.entry_id < (select place_of(pg_snapshot_xmin(pg_current_snapshot())))";

    private static Query<FeedPlace> Start() => new("select history, archived_id from store", row => new(row.Text(), 0, row.Number()));

    public async Task<ImmutableArray<StoredContract>> Due(string? contractId, string? clientId, Instant now)
    {
        var due = new Select("id", "document").Where($"kind = '{DocumentKind.Contract}'").WhereText("id", contractId).WhereText("owner", clientId)
            .Where("due_at <= ?", Values.Of(now));
        var ids = await All(new Query<string>(due.All, row => row.Text(), due.Parameters));
        return ids.Count == 0 ? [] : [.. (await LoadContracts(ids)).Values];
    }

    // Rows and entries are read apart and laid side by side: one of which the other knows nothing is a difference.
    public Task<Audit?> Audit(string contractId, bool isFull = false) =>
        Snapshot<AuditSums, Audit>(contractId, async (connection, _, places) =>
    {
        var reading = new Reading();
        var ranges = isFull ? EntryRanges.All(places) : EntryRanges.Of(places, Instant.MaxValue, Instant.MaxValue);
        var entries = Tell(reading, contractId, ranges);
        var lots = reading.Add(LotRow.Instance.Select("where l.contract_id = $1", Values.Of(contractId)));
        var members = reading.Add(MembersOf(contractId));
        var ended = reading.Add(new Query<(string LotId, long Credits)>(
            "select l.lot_id, f.credits from lot l join ended f on f.lot = l.key where l.contract_id = $1", row => (row.Text(), row.Number()), Values.Of(contractId)));
        await reading.Send(connection);
        var sums = new AuditSums([.. lots.Select(listed => listed.Lot)], members, entries()) { Ended = ended.ToDictionary(lot => lot.LotId, lot => lot.Credits) };
        return !isFull && sums.Told.Checkpoint is not null ? sums
            : sums with { Counted = await Count(connection, contractId), Checkpoints = await Compare(connection, contractId) };
    }, sums => sums.Of(contractId));

    private static async Task<CountedRows> Count(NpgsqlConnection connection, string contractId)
    {
        var reading = new Reading();
        var touched = reading.Add(new Query<TouchedSum>(
            """
            select l.lot_id, c.owned, c.ends, c.lapsed,
                coalesce((select sum(g.credits) from ending g where g.client_id = l.client_id and g.lot = l.key), 0)::bigint from lot l
            cross join lateral (
                select count(*) filter (where player_id is not null) as owned,
                       count(*) filter (where player_id is not null and expires_at is not null and held_until is null) as ends,
                       count(*) filter (where player_id is null) as lapsed
                from credit where lot = l.key) c
            where l.contract_id = $1 and l.apart = 0
            """, row => new(row.Text(), row.Number(), row.Number(), row.Number(), row.Number()), Values.Of(contractId)));
        var reported = reading.Add(new Query<(string UserId, long Charged)>(
            "select user_id, sum(charged)::bigint from report where contract_id = $1 group by user_id", row => (row.Text(), row.Number()), Values.Of(contractId)));
        await reading.Send(connection);
        return new(touched, reported.ToDictionary(user => user.UserId, user => user.Charged));
    }

    public Task<ContractBalance?> Balance(string contractId, Instant? asked, Instant now) =>
        Snapshot<BalanceSums, ContractBalance>(contractId, async (connection, contract, places) =>
    {
        var (reading, at) = (new Reading(), BalanceSums.InstantOf(contract, asked, now));
        var entries = Tell(reading, contractId, BalanceSums.RangesOf(places, at), to: at);
        var (lots, over) = (reading.Add(LotsOf(contractId)), reading.Add(OverAt(contract, at)));
        await reading.Send(connection);
        return new(
            contract, at, [.. lots.Select(lot => (lot.LotId, lot.AvailableFrom))], entries(), over.ToDictionary(lot => lot.LotId, lot => lot.Over));
    }, sums => sums.Of());

    public Task<ContractStatement?> Statement(string contractId, LocalDate from, LocalDate to, Instant now) =>
        Snapshot<StatementSums, ContractStatement>(contractId, async (connection, contract, places) =>
    {
        var time = StatementSums.TimeOf(contract, from, to, now);
        var reading = new Reading();
        var entries = Tell(reading, contractId, StatementSums.RangesOf(contract, places, time), time.Begin, time.Last);
        var (overBefore, overAtEnd) = (reading.Add(OverAt(contract, time.Before)), reading.Add(OverAt(contract, time.Last)));
        var over = reading.Add(new Query<MovedSum>(
            $"select {LotOfEnding}, used_by, sum(credits)::bigint from ending where {IsOfContract} and ends_at >= $3 and ends_at <= $4 group by lot, used_by",
            row => new(EntryKind.CoverageExpired, row.Text(), row.OptionalText(), row.Number()),
            Values.Of(contract.Document.Owner), Values.Of(contractId), Values.Of(time.Begin), Values.Of(time.Last)));
        var lots = reading.Add(LotsOf(contractId));
        await reading.Send(connection);
        return new(
            contract, time, [.. lots.Select(lot => (lot.LotId, lot.AvailableFrom))], entries(), overBefore.ToDictionary(lot => lot.LotId, lot => lot.Over),
            overAtEnd.ToDictionary(lot => lot.LotId, lot => lot.Over), over, lots.ToDictionary(lot => lot.LotId, lot => lot.PaymentId));
    }, sums => sums.Of());

    // Reads a contract, where its checkpoints are, and then whatever else, on one snapshot; null where there is no such contract.
    private async Task<T?> Snapshot<TSums, T>(
        string contractId, Func<NpgsqlConnection, StoredContract, List<CheckpointPlace>, Task<TSums>> read, Func<TSums, T> answer)
        where TSums : class, IToldSums where T : class
    {
        var sums = await Listed(() => Connected<TSums?>(async connection =>
        {
            await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            var first = new Reading();
            var contracts = new WantedContracts(first, [contractId]);
            var places = first.Add(PlacesOf(contractId));
            await first.Send(connection);
            return contracts.Read().GetValueOrDefault(contractId) is { } contract ? await read(connection, contract, places) : null;
        }));
        if (sums is null) return null;
        if (sums.Told.Entries > Checkpoint.FewestEntries) checkpoints.Ask(contractId);
        return answer(sums);
    }

    private static Query<(string LotId, Instant AvailableFrom, string PaymentId)> LotsOf(string contractId) => new(
        "select lot_id, available_from, payment_id from lot where contract_id = $1 and apart = 0",
        row => (row.Text(), row.Instant(), row.Text()), Values.Of(contractId));

    // Ends of coverage that have come by then and are not booked.
    private static Query<(string LotId, long Over)> OverAt(StoredContract contract, Instant at) => new(
        $"select {LotOfEnding}, sum(credits)::bigint from ending where {IsOfContract} and ends_at <= $3 group by lot",
        row => (row.Text(), row.Number()), Values.Of(contract.Document.Owner), Values.Of(contract.Document.Id), Values.Of(at));

    private const string LotOfEnding = "split_part(lot, '~', 2)", IsOfContract = "client_id = $1 and split_part(lot, '~', 1) = $2";

    // Named in the text, so that an index of those kinds alone is found.
    private static string Kinds(IEnumerable<EntryKind> kinds) => string.Join(", ", kinds.Select(kind => $"'{kind.Word()}'"));

    private async Task<Page<T>> List<T>(ListOf<T> list, PageRequest page)
    {
        var query = list.Query(page);
        return list.Cut(page, await Listed(() => All(query)));
    }

    // No more of these at once than leave connections for what grains read.
    private async Task<T> Listed<T>(Func<Task<T>> read)
    {
        if (!await lists.WaitAsync(LongestWait)) throw new StoreUnavailableException("Too many lists are being read.");
        try
        {
            return await read();
        }
        finally
        {
            lists.Release();
        }
    }

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);
}
