using System.Collections.Immutable;
using System.Data.Common;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Grains.Hosting;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The cluster's store: every silo has one; the database's fences decide between them.</summary>
public sealed partial class PostgresStore : IStore, IQueries, IAsyncDisposable
{
    private const int ForgottenAtOnce = 10_000;

    private readonly PostgresSources sources;
    private readonly StoreMetrics metrics = new();
    private readonly SemaphoreSlim lists;
    private readonly CommitWriter writer;
    private readonly Prover prover;
    private readonly CheckpointWriter checkpoints;
    private volatile bool isSkewed;
    private readonly Gathered<string, StoredContract> contracts;
    private readonly Gathered<AllocationKey, StoredMember> members;

    private PostgresStore(PostgresSources sources)
    {
        this.sources = sources;
        lists = new(Math.Max(1, sources.MaxReads / 2));
        writer = new(sources, metrics);
        prover = new(sources);
        checkpoints = new(contractId => WriteNext(contractId, Checkpoint.FewestEntries));
        contracts = new(LoadContracts);
        members = new(LoadMembers);
    }

    /// <summary>Opens the store of a database that has its schema (<see cref="Migrator"/>); connections are made as they are needed.</summary>
    /// <param name="connectionString">Its pool size limits reads, of which lists and documents for callers take half at most; commits have four connections beside them.</param>
    public static PostgresStore Open(string connectionString, ILoggerFactory? logs = null) => new(new(connectionString, logs));

    public Task<CommitResult> Commit(Commit commit) => commit.Changes.Any()
        ? Decided(() => writer.Write(commit))
        : Decided(() => prover.Prove(commit), isProof: true);

    public Task<CommitResult> CommitAlone(Wanted wanted, Func<Rows, Commit> decide) => Decided(() => writer.WriteAlone(wanted, decide));

    public async Task<Rows> Read(Wanted wanted)
    {
        if (wanted.IsNothing) return Rows.None;
        var reading = new Reading();
        var rows = new WantedRows(reading, wanted);
        await Run(reading);
        return rows.Rows;
    }

    Task<StoredContract?> IStore.Contract(string contractId) => contracts.Load(contractId);

    public Task<StoredMember?> Member(AllocationKey key) => members.Load(key);

    public Task<User?> User(UserKey key) =>
        One(UserRow.Instance.Select("where u.client_id = $1 and u.user_id = $2", Values.Of(key.ClientId), Values.Of(key.UserId)));

    public async Task<ImmutableDictionary<string, User>> UserRows(string clientId, IReadOnlyCollection<string> userIds) =>
        (await All(UserRow.Instance.Select("where u.client_id = $1 and u.user_id = any($2)", Values.Of(clientId), Values.Of(userIds))))
            .ToImmutableDictionary(user => user.UserId);

    public Task<Credit?> Credit(CreditId id) => One(CreditOf(id));

    public Task<Document?> Document(string kind, string id) => One(DocumentOf(kind, id));

    public async Task<ImmutableArray<Member>> Members(string contractId) => [.. await All(MembersOf(contractId))];

    public async Task<Lot?> Lot(string contractId, string lotId, long apart = 0) =>
        (await One(LotRow.Instance.Select("where l.key = $1", Values.Of(Domain.Lot.Key(contractId, lotId, apart)))))?.Lot;

    public async Task<ImmutableArray<Lot>> WholeLot(string contractId, string lotId) => [.. (await All(LotRow.Instance.Select(
        "where l.contract_id = $1 and l.lot_id = $2 order by l.apart", Values.Of(contractId), Values.Of(lotId)))).Select(listed => listed.Lot)];

    public async Task<Entry?> FirstLotSet(string contractId, string lotId) => (await One(Query.SelectEntries(
        "where e.contract_id = $1 and e.lot_id = $2 and e.kind = 'lot-set' and e.subject = $3 order by e.entry_id limit 1",
        Values.Of(contractId), Values.Of(lotId), Values.Of(Subjects.Lot(contractId, lotId)))))?.Entry;

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => Due(DocumentKind.Contract, now, limit);

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) => Due(DocumentKind.Account, now, limit);

    public async Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) => [.. await All(new Query<AllocationKey>(
        "select contract_id, user_id from member where due_at <= $1 order by due_at limit $2", row => new(row.Text(), row.Text()), Values.Of(now), Values.Of(limit)))];

    public async Task<ImmutableArray<string>> DueClients(Instant now, int limit) => [.. await All(new Query<string>(
        $"""
        select g.id from ({ClientsWithEnds}) g
        where (select ends_at from ending e where e.client_id = g.id order by ends_at limit 1) <= $1 limit $2
        """, row => row.Text(), Values.Of(now), Values.Of(limit)))];

    public async Task<ImmutableArray<Ending>> DueEndings(string clientId, Instant now, int limit) => [.. await All(EndingRow.Instance.Select(
        "where g.client_id = $1 and g.ends_at <= $2 order by g.ends_at limit $3", Values.Of(clientId), Values.Of(now), Values.Of(limit)))];

    public async Task<Instant?> NextEnd(string clientId) => (await All(new Query<Instant>(
        "select ends_at from ending where client_id = $1 order by ends_at limit 1",
        row => row.Instant(), Values.Of(clientId)))).Select(end => (Instant?)end).SingleOrDefault();

    public async Task Forget(Instant until)
    {
        var page = new Query<string>(
            $"""
            with due as (
                select kind, id from document where kind in ('{DocumentKind.Request}', '{DocumentKind.Preview}') and due_at <= $1
                order by kind, id limit {ForgottenAtOnce} for update skip locked)
            delete from document d using due where d.kind = due.kind and d.id = due.id returning d.id
            """, row => row.Text(), Values.Of(until));
        while ((await All(page)).Count == ForgottenAtOnce) { }
    }

    public async Task<StoreView> Look()
    {
        var view = await sources.Look();
        isSkewed = !StoreHealth.Agree(view.Skew);
        return view with { IsWritable = view.IsWritable && await metrics.TakesWrites(sources.Write) };
    }

    public async ValueTask DisposeAsync()
    {
        await checkpoints.Stop();
        await writer.DisposeAsync();
        await prover.DisposeAsync();
        await contracts.DisposeAsync();
        await members.DisposeAsync();
        await sources.DisposeAsync();
        lists.Dispose();
        metrics.Dispose();
    }

    // Whose clock is wrong decides nothing: every decision is written or proved.
    private Task<CommitResult> Decided(Func<Task<CommitResult>> commit, bool isProof = false) => isSkewed
        ? Task.FromException<CommitResult>(new StoreUnavailableException("This machine's clock must agree with the database's within a second."))
        : metrics.Measure(commit, isProof);

    // From client to client by the key of endings, which holds each client's earliest first.
    private const string ClientsWithEnds = """
        with recursive client (id) as (
            (select client_id from ending order by client_id limit 1)
            union all
            select (select client_id from ending e where e.client_id > client.id order by client_id limit 1) from client where client.id is not null)
        select id from client where id is not null
        """;

    private async Task<ImmutableArray<string>> Due(string kind, Instant now, int limit) => [.. await All(new Query<string>(
        "select id from document where kind = $1 and due_at <= $2 order by due_at limit $3", row => row.Text(), Values.Of(kind), Values.Of(now), Values.Of(limit)))];

    private static Query<Document> DocumentOf(string kind, string id) =>
        DocumentRow.Instance.Select("where d.kind = $1 and d.id = $2", Values.Of(kind), Values.Of(id));

    private static Query<Member> MembersOf(string contractId) => MemberRow.Instance.Select("where m.contract_id = $1", Values.Of(contractId));

    private static Query<Credit> CreditOf(CreditId id) =>
        CreditRow.Instance.Select("where c.lot = $1 and c.ordinal = $2", Values.Of(LotKeys.Of(id)), Values.Of(id.Ordinal));

    private static Query<Document> ContractsOf(IEnumerable<string> ids) =>
        DocumentRow.Instance.Select($"where d.kind = '{DocumentKind.Contract}' and d.id = any($1)", Values.Of(ids));

    private static Query<ListedLot> OpenLotsOf(IEnumerable<string> contractIds) =>
        LotRow.Instance.Select("where l.contract_id = any($1) and l.is_open order by l.key", Values.Of(contractIds));

    private async Task<Dictionary<string, StoredContract>> LoadContracts(IReadOnlyCollection<string> ids)
    {
        var reading = new Reading();
        var contracts = new WantedContracts(reading, ids);
        await Run(reading);
        return contracts.Read();
    }

    // Contracts with their open lots, their open holds, and what the ends of those change.
    private sealed class WantedContracts(Reading reading, IEnumerable<string> ids)
    {
        private const string IsHeld = "c.held_until is not null and split_part(c.lot, '~', 1) = any($1)";

        private readonly List<Document> documents = reading.Add(ContractsOf(ids));
        private readonly List<ListedLot> lots = reading.Add(OpenLotsOf(ids));
        private readonly List<Credit> held = reading.Add(CreditRow.Instance.Select($"where {IsHeld} order by c.lot, c.ordinal", Values.Of(ids)));
        private readonly List<Report> reports = reading.Add(ReportRow.Instance.Select(
            $"where (r.client_id, r.report_id) in (select c.client_id, c.report_id from credit c where {IsHeld})", Values.Of(ids)));
        private readonly List<ListedLot> closed = reading.Add(LotRow.Instance.Select(
            $"""
            where not l.is_open and (l.key in (select c.lot from credit c where {IsHeld})
                or l.key in (select a.contract_id || '~' || a.lot_id from lot a where a.contract_id = any($1) and a.is_open and a.apart > 0))
            """, Values.Of(ids)));
        private readonly List<(string ContractId, Member Member)> users = reading.Add(new Query<(string, Member)>(
            $"""
            select m.contract_id, {MemberRow.Instance.Selected} from {MemberRow.Instance.From}
            where (m.contract_id, m.user_id) in (select split_part(c.lot, '~', 1), c.used_by from credit c where {IsHeld})
            """, row => (row.Text(), MemberRow.Instance.Read(row)), Values.Of(ids)));

        /// <summary>Once the reading has run.</summary>
        public Dictionary<string, StoredContract> Read()
        {
            var (openOf, closedOf) = (lots.ToLookup(lot => lot.ContractId, lot => lot.Lot), closed.ToLookup(lot => lot.ContractId, lot => lot.Lot));
            var (heldOf, reportsOf) = (held.ToLookup(credit => credit.Id.ContractId), reports.ToLookup(report => report.ContractId));
            var usersOf = users.ToLookup(user => user.ContractId, user => user.Member);
            return documents.ToDictionary(document => document.Id, document => new StoredContract(document, [.. openOf[document.Id]])
            {
                Holds = new([.. heldOf[document.Id]], [.. reportsOf[document.Id]], [.. closedOf[document.Id]], [.. usersOf[document.Id]]),
            });
        }
    }

    private async Task<Dictionary<AllocationKey, StoredMember>> LoadMembers(IReadOnlyCollection<AllocationKey> keys) => (await All(new Query<(AllocationKey Key, StoredMember Row)>(
        $"select m.contract_id, {StoredMembers} join unnest($1, $2) as g (contract_id, user_id) on m.contract_id = g.contract_id and m.user_id = g.user_id",
        row => (new(row.Text(), ""), ReadStoredMember(row)), Values.Of(keys.Select(key => key.ContractId)), Values.Of(keys.Select(key => key.UserId)))))
        .ToDictionary(found => found.Key with { UserId = found.Row.Member.UserId }, found => found.Row);

    // Members with their contracts' documents.
    private static readonly string StoredMembers =
        $"{MemberRow.Instance.Selected}, {DocumentRow.Instance.Selected} from {MemberRow.Instance.From} join document d on d.kind = '{DocumentKind.Contract}' and d.id = m.contract_id";

    private static StoredMember ReadStoredMember(PostgresRow row) => new(MemberRow.Instance.Read(row), DocumentRow.Instance.Read(row));

    private async Task<T?> One<T>(Query<T> query) where T : class => (await All(query)).SingleOrDefault();

    private async Task<List<T>> All<T>(Query<T> query)
    {
        var reading = new Reading();
        var rows = reading.Add(query);
        await Run(reading);
        return rows;
    }

    private Task Run(Reading reading) => Connected(async connection =>
    {
        await reading.Run(connection);
        return true;
    });

    private async Task<T> Connected<T>(Func<NpgsqlConnection, Task<T>> read)
    {
        try
        {
            await using var connection = await sources.Reads.OpenConnectionAsync();
            return await read(connection);
        }
        catch (Exception e) when (e is DbException || Faults.IsUnavailable(e))
        {
            throw Faults.Told(e);
        }
    }
}
