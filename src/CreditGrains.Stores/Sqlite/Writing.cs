using System.Collections.Frozen;
using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>Writes a commit's rows one by one, each against its fence, as their descriptions say.</summary>
internal sealed class Writing(Database database) : IRowChangesVisitor
{
    private static readonly FrozenDictionary<RowKind, (ImmutableArray<Column<RowKey>> Key, string IsThere, string? HasVersion)> GuardSqls =
        Enum.GetValues<RowKind>().ToFrozenDictionary(kind => kind, kind => GuardSql(Row.Of(kind)));

    private static readonly string AppendEntry =
        $"insert into {EntryRow.Table} ({Names(EntryRow.Columns)}) values ({Values(EntryRow.Columns.Length)})";

    private readonly Dictionary<Row, object> sqls = [];
    private readonly ImmutableHashSet<RowKey>.Builder failed = ImmutableHashSet.CreateBuilder<RowKey>();

    /// <summary>Answers all rows that were not as expected; where there is one, the caller takes back what was written.</summary>
    public ImmutableHashSet<RowKey> Apply(SortedChanges changes)
    {
        failed.Clear();
        Prove(changes.Guards);
        foreach (var kind in changes.Kinds) kind.Accept(this);
        if (failed.Count == 0)
        {
            foreach (var (_, entry) in changes.Entries) database[AppendEntry].Bind(EntryRow.Columns, entry).Run();
        }
        return failed.ToImmutable();
    }

    /// <summary>Answers the rows that are not as their guards say.</summary>
    public static ImmutableHashSet<RowKey> Failing(Database database, IEnumerable<KeyedGuard> guards) =>
        [.. guards.Where(guard => !Holds(database, guard)).Select(guard => guard.Key)];

    void IRowChangesVisitor.Visit<TChange>(RowChanges<TChange> changes)
    {
        var row = changes.Row;
        var sql = SqlOf(row);
        foreach (var (_, key, change) in changes.Deletes) Expect(sql.Fence(database[sql.Delete].Bind(row.Key, key), change), key);
        foreach (var (_, key, change) in changes.Updates) Expect(sql.Fence(database[sql.Update].Bind(sql.Updated, change)
            .Bind(row.Key, key), change), key);
        foreach (var (_, key, change) in changes.Inserts) Expect(database[sql.Insert].Bind(row.Key, key).Bind(row.Columns, change), key);
    }

    private void Prove(IReadOnlyList<KeyedGuard> guards)
    {
        foreach (var guard in guards)
            if (!Holds(database, guard))
                failed.Add(guard.Key);
    }

    private void Expect(Statement statement, RowKey key)
    {
        if (statement.Run() != 1) failed.Add(key);
    }

    private static bool Holds(Database database, KeyedGuard guard)
    {
        var (key, isThere, hasVersion) = GuardSqls[guard.Key.Kind];
        if (guard.Version == 0) return !database[isThere].Bind(key, guard.Key).Any();
        return hasVersion is null ? database[isThere].Bind(key, guard.Key).Any() : database[hasVersion].Bind(key, guard.Key)
            .Bind(guard.Version).Any();
    }

    private Sql<TChange> SqlOf<TChange>(Row<TChange> row) where TChange : Change
    {
        if (!sqls.TryGetValue(row, out var sql)) sqls[row] = sql = new Sql<TChange>(row);
        return (Sql<TChange>)sql;
    }

    private static string Equal(IEnumerable<Column<RowKey>> key) => string.Join(" and ", key.Select(column => $"{column.Name} = ?"));

    private static string Names<TSource>(IEnumerable<Column<TSource>> columns) => string.Join(", ", columns.Select(column => column.Name));

    private static string Values(int count) => string.Join(", ", Enumerable.Repeat("?", count));

    private static (ImmutableArray<Column<RowKey>>, string, string?) GuardSql(Row row)
    {
        var isThere = $"select 1 from {row.Table} where {Equal(row.Key)}";
        return (row.Key, isThere, row.VersionColumn is { } version ? $"{isThere} and {version} = ?" : null);
    }

    // The texts for one kind of row. Values are bound in this order: updated columns, key, columns that must be the same, version.
    private sealed class Sql<TChange>(Row<TChange> row) where TChange : Change
    {
        private readonly ImmutableArray<Column<TChange>> same = [.. row.Columns.Where(column => column.Role == ColumnRole.Same)];
        private readonly bool hasVersion = row.VersionColumn is not null;

        public ImmutableArray<Column<TChange>> Updated { get; } = [.. row.Columns.Where(IsUpdated)];

        public string Insert { get; } =
            $"insert into {row.Table} ({Names(row.Key)}, {Names(row.Columns)}) values ({Values(row.Key.Length + row.Columns.Length)}) {(row.IsAddedTo ? row.AddTo("max") : "on conflict do nothing")}";

        public string Update { get; } =
            $"update {row.Table} set {string.Join(", ", row.Columns.Where(IsUpdated).Select(Assigned))} where {Fenced(row)}";

        public string Delete { get; } = $"delete from {row.Table} where {Fenced(row)}";

        /// <summary>Binds what a row that is there must be like.</summary>
        public Statement Fence(Statement statement, TChange change)
        {
            statement.Bind(same, change);
            return hasVersion ? statement.Bind(row.Expected(change)) : statement;
        }

        private static string Fenced(Row<TChange> row) => string.Join(" and ",
        [
            Equal(row.Key),
            .. row.Columns.Where(column => column.Role == ColumnRole.Same).Select(column => $"{column.Name} is ?"),
            .. row.VersionColumn is { } version ? [$"{version} = ?"] : Array.Empty<string>(),
        ]);

        private static bool IsUpdated(Column<TChange> column) => column.Role switch
        {
            ColumnRole.Set or ColumnRole.Kept or ColumnRole.Version => true,
            ColumnRole.Key or ColumnRole.Fixed or ColumnRole.Same or ColumnRole.Added or ColumnRole.Highest => false,
        };

        private static string Assigned(Column<TChange> column) =>
            column.Role == ColumnRole.Kept ? $"{column.Name} = coalesce(?, {column.Name})" : $"{column.Name} = ?";
    }
}
