using CreditGrains.Domain;

namespace CreditGrains.Stores.Memory;

/// <summary>The rows of one kind, each as the change that wrote it last.</summary>
internal abstract class Table
{
    /// <summary>A row's version; 0: it is not there.</summary>
    public abstract long Version(RowKey key);
}

/// <inheritdoc cref="Table"/>
internal sealed class Table<TChange>(Row<TChange> row) : Table where TChange : Change
{
    private readonly Dictionary<RowKey, TChange> rows = [];

    public IReadOnlyCollection<TChange> All => rows.Values;

    public TChange? this[RowKey key] => rows.GetValueOrDefault(key);

    public override long Version(RowKey key) => rows.TryGetValue(key, out var present) ? row.Version(present) : 0;

    /// <summary>The rows of these changes that are not as expected.</summary>
    public IEnumerable<RowKey> Failing(RowChanges<TChange> changes)
    {
        var free = changes.Deletes.Select(delete => delete.Key).ToHashSet();
        return changes.Deletes.Concat(changes.Updates).Where(change => !IsAsExpected(change))
            .Concat(changes.Inserts.Where(insert => !row.IsAddedTo && rows.ContainsKey(insert.Key) && !free.Contains(insert.Key)))
            .Select(change => change.Key);
    }

    /// <summary>Carries out changes that do not fail; <paramref name="changed"/> sees each row as it was and as it is.</summary>
    public void CarryOut(RowChanges<TChange> changes, Action<TChange?, TChange?> changed)
    {
        foreach (var delete in changes.Deletes)
        {
            rows.Remove(delete.Key, out var before);
            changed(before, null);
        }
        foreach (var change in changes.Updates.Concat(changes.Inserts))
        {
            var before = rows.GetValueOrDefault(change.Key);
            changed(before, rows[change.Key] = before is null ? change.Change : row.Over(before, change.Change));
        }
    }

    /// <summary>Deletes rows whose fence nobody asks for.</summary>
    public void Remove(RowKey key) => rows.Remove(key);

    private bool IsAsExpected(Keyed<TChange> change) =>
        rows.TryGetValue(change.Key, out var present)
        && (row.VersionColumn is null || row.Version(present) == row.Expected(change.Change))
        && row.Columns.All(column => column.Role != ColumnRole.Same || Equals(column.Value(present), column.Value(change.Change)));
}
