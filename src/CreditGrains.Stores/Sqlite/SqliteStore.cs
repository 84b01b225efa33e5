using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The embedded store: one SQLite file (WAL, synchronous=FULL) in a directory that no other process may use meanwhile. What it answers is on the disk.</summary>
public sealed partial class SqliteStore : IStore, IQueries, IDisposable
{
    private const string OnlyOpenLots = $"select {Rows.Lot} from lots l where l.contract_id = ? and l.is_open = 1 order by l.key";

    private readonly FileStream mine;
    private readonly Database database;
    private readonly Writer writer;
    private readonly Readers actors;
    private readonly Readers lists;
    private bool closed;

    private SqliteStore(FileStream mine, string file)
    {
        this.mine = mine;
        database = new(file);
        try
        {
            database.RunScript("pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 4000;");
            Schema.Migrate(database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
        writer = new(database, Metrics);
        actors = new(file, "store reader", 2);
        lists = new(file, "store lister", 2);
    }

    internal StoreMetrics Metrics { get; } = new();

    /// <summary>The writer's connection, to be touched only while nothing is written.</summary>
    internal Database WriterConnection => database;

    /// <summary>Opens the store of a directory, which is made where it is not there; throws <see cref="DataRefusedException"/> where another process has it or a later version wrote it.</summary>
    public static SqliteStore Open(string directory)
    {
        Directory.CreateDirectory(directory);
        var mine = Lock(directory);
        try
        {
            return new(mine, Path.Combine(directory, "credits.db"));
        }
        catch
        {
            mine.Dispose();
            throw;
        }
    }

    public Task<Document?> Document(string kind, string id) =>
        actors.Read(database => ReadDocument(database, kind, id));

    Task<StoredContract?> IStore.Contract(string contractId) => actors.Read(database => database.Snapshot(() => ReadStoredContract(database, contractId)));

    public Task<ImmutableArray<Member>> Members(string contractId) =>
        actors.Read(database => ReadMembers(database, contractId).ToImmutableArray());

    public Task<Lot?> Lot(string contractId, string lotId, long apart = 0) =>
        actors.Read(database => database[$"select {Rows.Lot} from lots l where l.key = ?"].Bind(Rows.LotKey(contractId, lotId, apart)).First(Rows.ReadLot));

    public Task<Entry?> FirstExpirySet(string contractId, string lotId) => actors.Read(database => database[
        $"select {Rows.Entry} from entries where contract_id = ? and lot_id = ? and kind = '{EntryKind.LotExpirySet}' and subject = ? order by entry_id limit 1"]
        .Bind(contractId).Bind(lotId).Bind(Subjects.Lot(contractId, lotId)).First(Rows.ReadEntry)?.Entry);

    Task<StoredMember?> IStore.Member(AllocationKey key) => actors.Read(database => ReadMember(database, key));

    public Task<Credit?> CurrentCredit(PlayerKey key) =>
        actors.Read(database => database[$"select {Rows.Credit} from credits c join lots l on l.key = c.lot where c.player_id = ? and c.client_id = ? and c.is_current = 1"]
            .Bind(key.PlayerId).Bind(key.ClientId).First(Rows.ReadCredit));

    public Task<Credit?> Credit(CreditId id) => actors.Read(database => ReadCredit(database, id));

    Task<Report?> IStore.Report(ReportKey key) => actors.Read(database => ReadReport(database, key));

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) => actors.Read(database => ReadDue(database, ContractActor.Kind, now, limit));

    public Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) =>
        actors.Read(database => database["select contract_id, user_id from members where due_at <= ? order by due_at limit ?"]
            .Bind(now).Bind(limit).All(row => new AllocationKey(row.Text(), row.Text())).ToImmutableArray());

    public Task<ImmutableArray<Credit>> DueCredits(Instant now, int limit) => actors.Read(database => database[$"""
        select {Rows.Credit} from credits c join lots l on l.key = c.lot where c.expiry_booked = 0 and c.player_id is not null and c.expires_at <= ? order by c.expires_at limit ?
        """].Bind(now).Bind(limit).All(Rows.ReadCredit).ToImmutableArray());

    public Task<CommitResult> Commit(Commit commit) => writer.Commit(commit);

    /// <summary>Ends what was begun, puts all of it into the one file, and lets the directory go.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, true)) return;
        writer.Dispose();
        actors.Dispose();
        lists.Dispose();
        database.Run("pragma wal_checkpoint(truncate)");
        database.Dispose();
        Metrics.Dispose();
        mine.Dispose();
    }

    private static FileStream Lock(string directory)
    {
        try
        {
            return new(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new DataRefusedException($"The data in {directory} is in use by another process.", e);
        }
    }

    private static StoredContract? ReadStoredContract(Database database, string contractId) =>
        ReadDocument(database, ContractActor.Kind, contractId) is { } document ? WithOpenLots(database, document) : null;

    private static StoredContract WithOpenLots(Database database, Document document) => new(document, [.. database[OnlyOpenLots].Bind(document.Id).All(Rows.ReadLot)]);

    private static Document? ReadDocument(Database database, string kind, string id) =>
        database[$"select {Rows.Document} from documents where kind = ? and id = ?"].Bind(kind).Bind(id).First(Rows.ReadDocument);

    private static ImmutableArray<string> ReadDue(Database database, string kind, Instant now, int limit) =>
        [.. database["select id from documents where kind = ? and due_at <= ? order by due_at limit ?"].Bind(kind).Bind(now).Bind(limit).All(row => row.Text())];

    private static StoredMember? ReadMember(Database database, AllocationKey key) => database[$"""
        select {Rows.Member}, {Rows.Document} from members m join documents on kind = '{ContractActor.Kind}' and id = m.contract_id where m.contract_id = ? and m.user_id = ?
        """].Bind(key.ContractId).Bind(key.UserId).First(Rows.ReadStoredMember);

    private static Credit? ReadCredit(Database database, CreditId id) =>
        database[$"select {Rows.Credit} from credits c join lots l on l.key = c.lot where c.lot = ? and c.ordinal = ?"]
            .Bind(Rows.LotKey(id.ContractId, id.LotId)).Bind(id.Ordinal).First(Rows.ReadCredit);

    private static List<Member> ReadMembers(Database database, string contractId) =>
        database[$"select {Rows.Member} from members m where m.contract_id = ?"].Bind(contractId).All(Rows.ReadMember);

    private static Report? ReadReport(Database database, ReportKey key) =>
        database["select body from reports where client_id = ? and report_id = ?"].Bind(key.ClientId).Bind(key.ReportId).First(Rows.ReadReport);
}
