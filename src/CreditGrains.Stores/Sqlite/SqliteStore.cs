using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Microsoft.Data.Sqlite;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// The embedded store: one SQLite file (WAL, synchronous=FULL) in a directory that no other process may use meanwhile. What it answers is
/// on the disk.
/// </summary>
public sealed partial class SqliteStore : IStore, IQueries, IDisposable
{
    // Players come in no order, so that each charge touches pages of its own: small ones make less to write. The log grows to 64 MiB before it is
    // worked in, and a transaction may touch as much (in KiB) before pages are written twice.
    private const string Pragmas = """
        pragma page_size = 2048; pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 32768;
        pragma cache_size = -65536; pragma temp_store = memory;
        """;

    internal const string FileName = "credits.db";

    private readonly FileStream mine;
    private readonly string directory;
    private readonly string file;
    private readonly Database database;
    private readonly string history;
    private readonly Writer writer;
    private readonly Readers grains;
    private readonly Readers lists;
    private readonly CheckpointWriter checkpoints;
    private bool closed;

    private SqliteStore(FileStream mine, string directory)
    {
        this.mine = mine;
        this.directory = directory;
        file = Path.Combine(directory, FileName);
        database = new(file);
        try
        {
            database.RunScript(Pragmas);
            Schema.Prepare(database);
            history = LedgerHistory.Open(directory, file, database);
        }
        catch
        {
            database.Dispose();
            throw;
        }
        writer = new(database, Metrics);
        grains = new(file, "store reader", 2, lent: 2);
        lists = new(file, "store lister", 2);
        checkpoints = new(contractId => WriteNext(contractId, Checkpoint.FewestEntries));
    }

    internal StoreMetrics Metrics { get; } = new();

    /// <summary>The writer's connection, to be touched only while nothing is written.</summary>
    internal Database WriterConnection => database;

    /// <summary>
    /// Opens the store of a directory, which is made where it is not there; throws <see cref="DataRefusedException"/> where another process
    /// has it, or another version of this program wrote it.
    /// </summary>
    public static SqliteStore Open(string directory)
    {
        System.IO.Directory.CreateDirectory(directory);
        var mine = Lock(directory);
        try
        {
            DataFile.Check(Path.Combine(directory, FileName));
            return new(mine, directory);
        }
        catch (SqliteException e)
        {
            mine.Dispose();
            throw new DataRefusedException(
                $"{Path.Combine(directory, FileName)} cannot be used: {e.Message} Make it writable, or put a backup in its place.", e);
        }
        catch
        {
            mine.Dispose();
            throw;
        }
    }

    public Task<Document?> Document(string kind, string id) => grains.Read(database => ReadDocument(database, kind, id));

    Task<StoredContract?> IStore.Contract(string contractId) =>
        grains.Read(database => database.Snapshot(() => ReadContract(database, contractId)));

    public Task<ImmutableArray<Member>> Members(string contractId) =>
        grains.Read(database => ReadMembers(database, contractId).ToImmutableArray());

    Task<StoredMember?> IStore.Member(AllocationKey key) => grains.Read(database => ReadStoredMember(database, key));

    public Task<User?> User(UserKey key) => grains.Read(database => One(database, UserRow.Instance, RowKey.User(key.ClientId, key.UserId)));

    public Task<ImmutableDictionary<string, User>> UserRows(string clientId, IReadOnlyCollection<string> userIds) =>
        grains.Read(database => database.Snapshot(() => userIds.Select(userId => One(database, UserRow.Instance, RowKey.User(clientId, userId)))
            .OfType<User>().ToImmutableDictionary(user => user.UserId)));

    public Task<Rows> Read(Wanted wanted) =>
        wanted.IsNothing ? Task.FromResult(Rows.None) : grains.Read(database => database.Snapshot(() => ReadRows(database, wanted)));

    public Task<Lot?> Lot(string contractId, string lotId, long apart = 0) =>
        grains.Read(database => One(database, LotRow.Instance, new(RowKind.Lot, contractId, lotId, apart))?.Lot);

    public Task<ImmutableArray<Lot>> WholeLot(string contractId, string lotId) => grains.Read(database =>
        All(database, LotRow.Instance, "+l.contract_id = ? and l.lot_id = ? order by l.apart", contractId, lotId).Select(listed => listed.Lot).ToImmutableArray());

    public Task<Entry?> FirstLotSet(string contractId, string lotId) => grains.Read(database => database[$"""
        select {EntryRow.Selected} from entry e
        where e.contract_id = ? and e.lot_id = ? and e.kind = '{EntryKind.LotSet.Word()}' and e.subject = ? order by e.entry_id limit 1
        """].Bind(contractId).Bind(lotId).Bind(Subjects.Lot(contractId, lotId)).First(EntryRow.Read)?.Entry);

    public Task<Credit?> Credit(CreditId id) => grains.Read(database => One(database, CreditRow.Instance, RowKey.Credit(id)));

    public Task<ImmutableArray<string>> DueContracts(Instant now, int limit) =>
        grains.Read(database => ReadDue(database, DocumentKind.Contract, now, limit));

    public Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit) =>
        grains.Read(database => ReadDueAllocations(database, now, limit));

    public Task<ImmutableArray<string>> DueAccounts(Instant now, int limit) =>
        grains.Read(database => ReadDue(database, DocumentKind.Account, now, limit));

    public Task<ImmutableArray<string>> DueClients(Instant now, int limit) =>
        grains.Read(database => database.Snapshot(() => ReadDueClients(database, now).Take(limit).ToImmutableArray()));

    public Task<ImmutableArray<Ending>> DueEndings(string clientId, Instant now, int limit) =>
        grains.Read(database => ReadDueEndings(database, clientId, now, limit));

    public Task<Instant?> NextEnd(string clientId) => grains.Read(database => ReadNextEnd(database, clientId));

    public Task<CommitResult> Commit(Commit commit)
    {
        var changes = new SortedChanges(commit);
        var rows = changes.Kinds.Sum(kind => kind.Count) + changes.Entries.Count;
        if (rows > 0) return Metrics.Measure(() => writer.Commit(changes, rows));

        // What is only proved is not written: a reader sees what is durable, and all of it at one moment.
        return Metrics.Measure(
            () => grains.Read<CommitResult>(database =>
                database.Snapshot(() => Writing.Failing(database, changes.Guards)) is { IsEmpty: false } failed
                ? new CommitResult.Conflict(failed)
                : new CommitResult.Done()),
            isProof: true);
    }

    public Task<CommitResult> CommitAlone(Wanted wanted, Func<Rows, Commit> decide) => Metrics.Measure(() => writer.CommitAlone(wanted, decide));

    public Task Forget(Instant until) => writer.Forget(until);

    /// <summary>Ends what was begun, puts all of it into the one file, and lets the directory go.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref closed, true)) return;
        checkpoints.Stop().GetAwaiter().GetResult();
        writer.Dispose();
        grains.Dispose();
        lists.Dispose();
        Leave();
        database.Dispose();
        Metrics.Dispose();
        mine.Dispose();
    }

    // Where the disk is full all that was answered is in the log, and the mark stays as it was.
    private void Leave()
    {
        try
        {
            LedgerHistory.Close(directory, file, history, database);
            database.Run("pragma wal_checkpoint(truncate)");
        }
        catch (Exception e) when (e is IOException || (e is SqliteException fault && fault.IsAway()))
        {
        }
    }

    internal static FileStream Lock(string directory)
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
}
