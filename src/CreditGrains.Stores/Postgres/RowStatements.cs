using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores.Postgres;

/// <summary>
/// The statements over arrays that write one kind of row, made of its description. Each but <see cref="Insert"/> calls <c>expect</c> with its number, the
/// ordinals of the given rows that it did not find as they should be, and whether it is the last of its kind: the number and that are its last values.
/// Rows are locked and inserted in the order of their keys, so that two that write the same rows wait for each other and never in a circle.
/// </summary>
internal sealed class RowStatements<TChange> where TChange : Change
{
    private static RowStatements<TChange>? made;

    private readonly string table, key;

    private RowStatements(Row<TChange> row)
    {
        (table, key) = (row.Table, string.Join(", ", row.Key.Select(column => column.Name)));
        Fenced = [.. row.Columns.Where(column => column.Role == ColumnRole.Same)];
        Written = [.. row.Columns.Where(column => column.Role is ColumnRole.Set or ColumnRole.Kept or ColumnRole.Version)];
        Changed = [.. Fenced, .. Written];
        (Insert, TryInsert) = (InsertOf(row), TryInsertOf(row));
        Update = UpdateOf(row);
        Delete = DeleteOf(row);
    }

    /// <summary>The statements of that kind of row.</summary>
    public static RowStatements<TChange> Of(Row<TChange> row) => made ??= new(row);

    /// <summary>Given the key's columns, then all others. Fails where any row is there already, and does not tell which; of rows that are added to, adds.</summary>
    public string Insert { get; }

    /// <summary>The same, but expects that no row is there: that takes a look at the index more and a record of the log more for each.</summary>
    public string TryInsert { get; }

    /// <summary>Given the key's columns, those of <see cref="Changed"/>, and the versions expected where the kind has one.</summary>
    public string Update { get; }

    /// <summary>Given the key's columns, those of <see cref="Fenced"/>, and the versions expected where the kind has one.</summary>
    public string Delete { get; }

    public ImmutableArray<Column<TChange>> Fenced { get; }

    public ImmutableArray<Column<TChange>> Changed { get; }

    private ImmutableArray<Column<TChange>> Written { get; }

    private string InsertOf(Row<TChange> row)
    {
        var columns = AllOf(row);
        var insert = $"insert into {table} ({columns}) select {columns} from unnest({Arrays(Count(columns))}) as g ({columns}) order by {key}";
        return row.IsAddedTo ? $"{insert} {row.AddTo("greatest")}" : insert;
    }

    private string TryInsertOf(Row<TChange> row)
    {
        var columns = AllOf(row);
        return $"""
            with {Given(columns)},
            made as (insert into {table} ({columns}) select {columns} from given order by {key} on conflict do nothing returning {key})
            {Expect(columns, "made", $"select n from given where ({key}) not in (select {key} from made)")}
            """;
    }

    private string AllOf(Row<TChange> row) => $"{key}, {string.Join(", ", row.Columns.Select(column => column.Name))}";

    private string UpdateOf(Row<TChange> row)
    {
        var written = string.Join(", ", Written.Select(column => $"{column.Name} = {ValueOf(column)}"));
        return Locked(row, Written, $"update {table} t set {written} from locked l where {Equal(row, "t", "l")} returning 1");

        static string ValueOf(Column<TChange> column) => column.Role == ColumnRole.Kept ? $"coalesce(l.{column.Name}, t.{column.Name})" : $"l.{column.Name}";
    }

    private string DeleteOf(Row<TChange> row) => Locked(row, [], $"delete from {table} t using locked l where {Equal(row, "t", "l")} returning 1");

    private string Locked(Row<TChange> row, IEnumerable<Column<TChange>> written, string change)
    {
        var names = row.Key.Select(column => column.Name).Concat(Fenced.Select(column => column.Name)).Concat(written.Select(column => column.Name));
        var columns = string.Join(", ", row.VersionColumn is null ? names : names.Append("expected"));
        var version = row.VersionColumn is { } name ? $" and t.{name} = g.expected" : "";
        var same = string.Concat(Fenced.Select(column => $" and t.{column.Name} is not distinct from g.{column.Name}"));
        return $"""
            with {Given(columns)},
            locked as materialized (
                select g.* from given g join {table} t on {Equal(row, "t", "g")}{version}{same}
                order by {string.Join(", ", row.Key.Select(column => $"t.{column.Name}"))} for update of t),
            changed as ({change})
            {Expect(columns, "changed", "select n from given except select n from locked")}
            """;
    }

    private static string Equal(Row row, string one, string other) => string.Join(" and ", row.Key.Select(column => $"{one}.{column.Name} = {other}.{column.Name}"));

    private static string Given(string columns) => $"given as materialized (select * from unnest({Arrays(Count(columns))}) with ordinality as g ({columns}, n))";

    private static string Expect(string columns, string done, string unexpected) =>
        $"select expect(${Count(columns) + 1}, case when (select count(*) from {done}) < (select count(*) from given) then array({unexpected}) end, ${Count(columns) + 2})";

    private static int Count(string columns) => columns.Count(character => character == ',') + 1;

    /// <summary>The first so many parameters.</summary>
    public static string Arrays(int count) => string.Join(", ", Enumerable.Range(1, count).Select(number => $"${number}"));
}
