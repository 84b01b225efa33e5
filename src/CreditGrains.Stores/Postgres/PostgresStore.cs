using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The cluster's store: every silo has one; the database's fences decide between them.</summary>
public sealed partial class PostgresStore : IStore, IQueries, IAsyncDisposable
{
    private readonly NpgsqlDataSource source;
    private readonly CommitWriter writer;
    private readonly Gathered<string, StoredContract> contracts;
    private readonly Gathered<AllocationKey, StoredMember> members;
    private readonly Gathered<PlayerKey, Credit> credits;
    private readonly Gathered<ReportKey, Report> reports;

    /// <param name="source">Shared by everything of this process; its schema must be there (<see cref="Migrator"/>).</param>
    public PostgresStore(NpgsqlDataSource source)
    {
        this.source = source;
        writer = new(source);
        contracts = new(LoadContracts);
        members = new(LoadMembers);
        credits = new(LoadCredits);
        reports = new(LoadReports);
    }

    public Task<CommitResult> Commit(Commit commit) => writer.Write(commit);

    Task<StoredContract?> IStore.Contract(string contractId) => contracts.Load(contractId);

    public Task<StoredMember?> Member(AllocationKey key) => members.Load(key);

    public Task<Credit?> CurrentCredit(PlayerKey key) => credits.Load(key);

    public async Task<Credit?> Credit(CreditId id) => (await Rows(
        $"select {CreditColumns} from credit where lot = $1 and ordinal = $2", ReadCredit, Sql.Text(LotKeys.Lot(id)), Sql.Number(id.Ordinal))).SingleOrDefault();

    public Task<Report?> Report(ReportKey key) => reports.Load(key);

    public Task<Document?> Document(string kind, string id) => Connected(connection => ReadDocument(connection, kind, id));

    public async Task<ImmutableArray<Member>> Members(string contractId) => [.. await Rows(
        $"select {MemberColumns} from member m where m.contract_id = $1", ReadMember, Sql.Text(contractId))];

    public async Task<Lot?> Lot(string contractId, string lotId, long apart = 0) => (await Rows(
        $"select {LotColumns} from lot where key = $1", reader => ReadLot(reader, 0), Sql.Text(LotKeys.Lot(contractId, lotId, apart)))).SingleOrDefault();

    public async Task<Entry?> FirstExpirySet(string contractId, string lotId) => (await Rows(
        $"select {EntryColumns} from entry where contract_id = $1 and lot_id = $2 and kind = 'lot-expiry-set' and subject = $3 order by entry_id limit 1",
        ReadEntry, Sql.Text(contractId), Sql.Text(lotId), Sql.Text(Subjects.Lot(contractId, lotId)))).SingleOrDefault()?.Entry;

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => Due(ContractActor.Kind, now, limit);

    public async Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) => [.. await Rows(
        "select contract_id, user_id from member where due_at <= $1 order by due_at limit $2", reader => new AllocationKey(reader.GetString(0), reader.GetString(1)), Sql.At(now), Sql.Number(limit))];

    public async Task<ImmutableArray<Credit>> DueCredits(Instant now, int limit) => [.. await Rows(
        $"select {CreditColumns} from credit where player_id is not null and not expiry_booked and expires_at <= $1 order by expires_at limit $2", ReadCredit, Sql.At(now), Sql.Number(limit))];

    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        await contracts.DisposeAsync();
        await members.DisposeAsync();
        await credits.DisposeAsync();
        await reports.DisposeAsync();
    }

    private async Task<ImmutableArray<string>> Due(string kind, Instant now, int limit) => [.. await Rows(
        "select id from document where kind = $1 and due_at <= $2 order by due_at limit $3", reader => reader.GetString(0), Sql.Text(kind), Sql.At(now), Sql.Number(limit))];

    private Task<Dictionary<string, StoredContract>> LoadContracts(IReadOnlyCollection<string> ids) => Connected(connection => LoadContracts(connection, ids));

    private static async Task<Dictionary<string, StoredContract>> LoadContracts(NpgsqlConnection connection, IReadOnlyCollection<string> ids)
    {
        // One statement, so that a contract and its lots are of one instant.
        var rows = await Rows(
            connection,
            $"""
            select {JoinedDocument}, l.* from document d
            left join lateral (select {LotColumns} from lot where contract_id = d.id and {OpenLots}) l on true
            where d.kind = '{ContractActor.Kind}' and d.id = any($1)
            """,
            reader => (Document: ReadDocument(reader), Lot: reader.IsDBNull(5) ? null : ReadLot(reader, 5)), Sql.Texts(ids));
        return rows.GroupBy(row => row.Document.Id).ToDictionary(
            group => group.Key, group => new StoredContract(group.First().Document, [.. group.Where(row => row.Lot is not null).Select(row => row.Lot!)]));
    }

    private async Task<Dictionary<AllocationKey, StoredMember>> LoadMembers(IReadOnlyCollection<AllocationKey> keys) => (await Rows(
        $"select {MemberColumns}, {JoinedDocument} from unnest($1, $2) as g (contract_id, user_id) join member m using (contract_id, user_id) {OfMembers}",
        reader => (Key: new AllocationKey(reader.GetString(13), reader.GetString(0)), Row: ReadStoredMember(reader)),
        Sql.Texts(keys.Select(key => key.ContractId)), Sql.Texts(keys.Select(key => key.UserId)))).ToDictionary(pair => pair.Key, pair => pair.Row);

    private async Task<Dictionary<PlayerKey, Credit>> LoadCredits(IReadOnlyCollection<PlayerKey> keys) => (await Rows(
        $"select {CreditColumns} from credit join unnest($1, $2) as g (client_id, player_id) using (client_id, player_id) where is_current", ReadCredit,
        Sql.Texts(keys.Select(key => key.ClientId)), Sql.Texts(keys.Select(key => key.PlayerId)))).ToDictionary(credit => new PlayerKey(credit.ClientId, credit.PlayerId!));

    private async Task<Dictionary<ReportKey, Report>> LoadReports(IReadOnlyCollection<ReportKey> keys) => (await Rows(
        $"select {ReportColumns} from report join unnest($1, $2) as g (client_id, report_id) using (client_id, report_id)", ReadReport,
        Sql.Texts(keys.Select(key => key.ClientId)), Sql.Texts(keys.Select(key => key.ReportId)))).ToDictionary(report => new ReportKey(report.ClientId, report.ReportId));

    private const string DocumentColumns = "kind, id, version, body, as_of";

    private const string MemberColumns =
        "m.user_id, m.name, m.assigned, m.disabled, m.settings, m.start_date, m.restarts, m.cycle, m.used_in_cycle, m.extra_credits, m.extra_used, m.total_used";

    private const string JoinedDocument = "d.kind, d.id, d.version, d.body, d.as_of", OfMembers = $"join document d on d.kind = '{ContractActor.Kind}' and d.id = m.contract_id";

    private const string LotColumns = "lot_id, source, payment_id, quantity, free, created_at, available_from, asked_expiry, expires_at, expiry_booked, request, apart";

    private const string OpenLots = "(source = 'minted' or (free_count > 0 and not expiry_booked))";

    private const string CreditColumns =
        "lot, ordinal, client_id, payment_id, used_by, player_id, player_name, created_at, expires_at, activated_at, report_id, is_current, expiry_booked, version, used_of";

    private const string ReportColumns = "report_id, client_id, contract_id, user_id, at, charged, covered, players, balance";

    private static async Task<Document?> ReadDocument(NpgsqlConnection connection, string kind, string id) => (await Rows(
        connection, $"select {DocumentColumns} from document where kind = $1 and id = $2", ReadDocument, Sql.Text(kind), Sql.Text(id))).SingleOrDefault();

    private static Document ReadDocument(NpgsqlDataReader reader) => ReadDocument(reader, 0);

    private static Document ReadDocument(NpgsqlDataReader reader, int first) =>
        new(reader.GetString(first), reader.GetString(first + 1), reader.GetInt64(first + 2), reader.GetString(first + 3), reader.Instant(first + 4));

    private static StoredMember ReadStoredMember(NpgsqlDataReader reader) => new(ReadMember(reader), ReadDocument(reader, 12));

    private static Member ReadMember(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), reader.GetBoolean(2), reader.GetBoolean(3))
    {
        Allocation = new(
            reader.TextOrNull(4) is { } settings ? Json.Read<Settings>(settings) : null, reader.DateOrNull(5),
            reader.GetInt32(6), reader.GetInt32(7), reader.GetInt64(8), reader.GetInt64(9), reader.GetInt64(10), reader.GetInt64(11)),
    };

    private static Lot ReadLot(NpgsqlDataReader reader, int first) => new(
        reader.GetString(first), reader.Enum<LotSource>(first + 1), reader.GetString(first + 2), reader.GetInt64(first + 3), Runs.Parse(reader.GetString(first + 4)),
        reader.Instant(first + 5), reader.Instant(first + 6), reader.InstantOrNull(first + 7), reader.InstantOrNull(first + 8), reader.GetBoolean(first + 9), reader.TextOrNull(first + 10), reader.GetInt64(first + 11));

    private static Credit ReadCredit(NpgsqlDataReader reader) => new(
        LotKeys.Credit(reader.GetString(0), reader.GetInt64(1)), reader.GetString(2), reader.GetString(3), reader.TextOrNull(4), reader.TextOrNull(5), reader.TextOrNull(6),
        reader.Instant(7), reader.InstantOrNull(8), reader.InstantOrNull(9), reader.TextOrNull(10), reader.GetBoolean(11), reader.GetBoolean(12), reader.GetInt64(13), reader.TextOrNull(14));

    private static Report ReadReport(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.Instant(4), reader.GetInt32(5), reader.GetInt32(6),
        Json.Read<ImmutableArray<PlayerOutcome>>(reader.GetString(7)), Json.Read<Balance>(reader.GetString(8)));

    private Task<List<T>> Rows<T>(string sql, Func<NpgsqlDataReader, T> read, params NpgsqlParameter[] parameters) => Connected(connection => Rows(connection, sql, read, parameters));

    // All that is read in it is of one instant.
    private Task<T> Snapshot<T>(Func<NpgsqlConnection, Task<T>> read) => Connected(async connection =>
    {
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        return await read(connection);
    });

    private async Task<T> Connected<T>(Func<NpgsqlConnection, Task<T>> read)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return await read(connection);
        }
        catch (Exception e) when (Unavailable.Says(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }

    private static async Task<List<T>> Rows<T>(NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(read(reader));
        return rows;
    }
}
