using System.Collections.Immutable;
using System.Text;
using CreditGrains.Domain;
using CreditGrains.Grains;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>
/// Many commits as a few statements over arrays, sent in one round trip: the clients' shared locks, all guards in one statement, the rows by kind in
/// their fixed order, the entries. Without a transaction around them they are one.
/// </summary>
internal sealed class CommitBatch : IRowChangesVisitor
{
    /// <summary>The SQLSTATE of the function <c>expect</c>.</summary>
    private const string NotAsExpected = "CG001";

    /// <summary>The most entries of one transaction: as many as <c>place_of</c> has room for.</summary>
    public const int MaxEntries = 1 << 18;

    private static readonly string AppendEntries = EntriesOf();

    private readonly List<NpgsqlBatchCommand> commands = [];
    private readonly List<Func<int, (int Commit, RowKey Row)>?> rows = [];
    private readonly bool tellsTaken;

    /// <param name="tellsTaken">
    /// Whether a row to insert that is there already is told like others that are not as expected; else it just fails, which costs less.
    /// </param>
    public CommitBatch(IEnumerable<string> clients, SortedChanges changes, bool tellsTaken)
    {
        this.tellsTaken = tellsTaken;
        var locks = clients.Select(ClientLock.Of).Distinct().Order().ToArray();
        Add("select pg_advisory_xact_lock_shared(client) from unnest($1) as g (client)", null, Values.Of(locks));
        if (changes.Guards.Count > 0) Expect(GuardStatement.Expect(changes.Guards, out var values), Owner(changes.Guards), isLast: true, values);
        LockDocuments(changes);
        foreach (var kind in changes.Kinds) kind.Accept(this);
        AddEntries(changes.Entries);
    }

    /// <summary>Adds what ends the transaction that is around it.</summary>
    public CommitBatch ThenCommit()
    {
        Add("commit", null);
        return this;
    }

    /// <summary>Sends it and returns when it is durable.</summary>
    public async Task Send(NpgsqlConnection connection)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands) batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync();
    }

    /// <summary>The rows that were not as expected, with the commits that they are of; empty: something else is wrong.</summary>
    public IReadOnlyList<(int Commit, RowKey Row)> Unexpected(Exception fault)
    {
        if (fault is not PostgresException { SqlState: NotAsExpected } told) return [];
        var noted = told.MessageText[(told.MessageText.LastIndexOf(' ') + 1)..];
        return [.. noted.Split(';').SelectMany(statement =>
        {
            var (row, ordinals) = (rows[Number(statement.Split(':')[0])]!, statement.Split(':')[1]);
            return ordinals.Split(',').Select(ordinal => row(Number(ordinal) - 1));
        })];

        static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    void IRowChangesVisitor.Visit<TChange>(RowChanges<TChange> changes)
    {
        var statements = RowStatements<TChange>.Of(changes.Row);
        // Where other rows of the kind may be not as expected, those that are taken are told beside them.
        var tells = !changes.Row.IsAddedTo && (tellsTaken || changes.Count > changes.Inserts.Count);
        var left = changes.Count;
        Write(changes.Deletes, statements.Delete, statements.Fenced, isFenced: true);
        Write(changes.Updates, statements.Update, statements.Changed, isFenced: true);
        if (tells) Write(changes.Inserts, statements.TryInsert, changes.Row.Columns, isFenced: false);
        else if (changes.Inserts.Count > 0) Add(statements.Insert, null, ValuesOf(changes.Row, changes.Inserts, changes.Row.Columns, isFenced: false));

        void Write(List<Keyed<TChange>> some, string sql, ImmutableArray<Column<TChange>> columns, bool isFenced)
        {
            if (some.Count == 0) return;
            left -= some.Count;
            Expect(sql, Owner(some), isLast: left == 0, ValuesOf(changes.Row, some, columns, isFenced));
        }
    }

    // Two kinds of changes are of documents: where both are here, all of their rows are locked first, in one order.
    private void LockDocuments(SortedChanges changes)
    {
        if (changes.Kinds is not [RowChanges<DocumentChange> { Updates.Count: > 0 } documents, RowChanges<EpochChange> epochs, ..]) return;
        var keys = documents.Updates.Select(document => document.Key).Concat(epochs.Updates.Select(epoch => epoch.Key)).Distinct().ToList();
        Add(
            "select 1 from document d join unnest($1, $2) as g (kind, id) on d.kind = g.kind and d.id = g.id order by d.kind, d.id for update of d",
            null, Values.Of(keys.Select(key => key.First)), Values.Of(keys.Select(key => key.Second)));
    }

    private static NpgsqlParameter[] ValuesOf<TChange>(Row<TChange> row, List<Keyed<TChange>> changes, ImmutableArray<Column<TChange>> columns, bool isFenced)
        where TChange : Change =>
    [
        .. row.Key.Select(column => Values.Of(column.Values(changes, change => change.Key), column.Type)),
        .. columns.Select(column => Values.Of(column.Values(changes, change => change.Change), column.Type)),
        .. isFenced && row.VersionColumn is not null ? [Values.Of(changes.Select(change => row.Expected(change.Change)))] : Array.Empty<NpgsqlParameter>(),
    ];

    private void AddEntries(IReadOnlyList<(int Commit, Entry Entry)> entries)
    {
        if (entries.Count == 0) return;
        Invariant.Holds(entries.Count <= MaxEntries, $"a transaction has at most {MaxEntries} entries");
        Add(AppendEntries, null, [.. EntryRow.Columns.Select(column => Values.Of(column.Values(entries, entry => entry.Entry), column.Type))]);
    }

    private static string EntriesOf()
    {
        var columns = string.Join(", ", EntryRow.Columns.Select(column => column.Name));
        return $"""
            insert into {EntryRow.Table} ({EntryRow.Id}, {columns})
            select (select place_of(pg_current_xact_id())) + n - 1, {columns}
            from unnest({RowStatements<DocumentChange>.Arrays(EntryRow.Columns.Length)}) with ordinality as g ({columns}, n)
            """;
    }

    private static Func<int, (int, RowKey)> Owner<TChange>(List<Keyed<TChange>> changes) where TChange : Change => i => (changes[i].Commit, changes[i].Key);

    private static Func<int, (int, RowKey)> Owner(IReadOnlyList<KeyedGuard> guards) => i => (guards[i].Commit, guards[i].Key);

    private void Expect(string sql, Func<int, (int, RowKey)> owner, bool isLast, NpgsqlParameter[] values) =>
        Add(sql, owner, [.. values, Values.Of(commands.Count), Values.Of(isLast)]);

    private void Add(string sql, Func<int, (int, RowKey)>? owner, params NpgsqlParameter[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.AddRange(values);
        commands.Add(command);
        rows.Add(owner);
    }
}

/// <summary>The database's lock of a client: commits share it, one that is to be alone takes it whole (R4).</summary>
internal static class ClientLock
{
    private const ulong Start = 14695981039346656037, Prime = 1099511628211;

    /// <summary>The same number in every process (FNV-1a). Two clients with the same one wait for each other and nothing worse.</summary>
    public static long Of(string clientId)
    {
        var hash = Start;
        foreach (var letter in Encoding.UTF8.GetBytes(clientId)) hash = unchecked((hash ^ letter) * Prime);
        return unchecked((long)hash);
    }
}

/// <summary>One statement, and so one snapshot, that finds the guards which do not hold.</summary>
internal static class GuardStatement
{
    /// <summary>Fails with their ordinals.</summary>
    public static string Expect(IReadOnlyList<KeyedGuard> guards, out NpgsqlParameter[] values)
    {
        var broken = Broken(guards, out values);
        return $"select expect(${values.Length + 1}, (select array_agg(n) from ({broken}) g), ${values.Length + 2})";
    }

    /// <summary>Selects their ordinals, from 1.</summary>
    /// <param name="guards">By kind.</param>
    public static string Broken(IReadOnlyList<KeyedGuard> guards, out NpgsqlParameter[] values)
    {
        var parts = new List<string>();
        var parameters = new List<NpgsqlParameter>();
        for (var first = 0; first < guards.Count;)
        {
            var (row, count) = (Row.Of(guards[first].Key.Kind), 1);
            while (first + count < guards.Count && guards[first + count].Key.Kind == row.Kind) count++;
            var some = new Slice(guards, first, count);
            var names = string.Join(", ", row.Key.Select(column => column.Name));
            var arrays = string.Join(", ", Enumerable.Range(parameters.Count + 1, row.Key.Length + 2).Select(number => $"${number}"));
            var key = string.Join(" and ", row.Key.Select(column => $"t.{column.Name} = g.{column.Name}"));
            var isBroken = row.VersionColumn is { } version ? $"coalesce(t.{version}, 0) <> g.expected" : $"(t.{row.Key[0].Name} is not null) <> (g.expected > 0)";
            parts.Add($"select n from unnest({arrays}) as g ({names}, expected, n) left join {row.Table} t on {key} where {isBroken}");
            parameters.AddRange(row.Key.Select(column => Values.Of(column.Values(some, guard => guard.Key), column.Type)));
            parameters.Add(Values.Of(some.Select(guard => guard.Version)));
            parameters.Add(Values.Of(Enumerable.Range(first + 1, count).Select(ordinal => (long)ordinal)));
            first += count;
        }
        values = [.. parameters];
        return string.Join("\nunion all ", parts);
    }

    private sealed class Slice(IReadOnlyList<KeyedGuard> all, int first, int count) : IReadOnlyCollection<KeyedGuard>
    {
        public int Count => count;

        public IEnumerator<KeyedGuard> GetEnumerator()
        {
            for (var i = first; i < first + count; i++) yield return all[i];
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
