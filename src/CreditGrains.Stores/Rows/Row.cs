using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>A kind of row as every store has it: its table and what names a row of it.</summary>
internal abstract class Row
{
    public abstract RowKind Kind { get; }

    public abstract string Table { get; }

    /// <summary>What selects call a row of it.</summary>
    public abstract string Alias { get; }

    /// <summary>The primary key's columns, in its order.</summary>
    public abstract ImmutableArray<Column<RowKey>> Key { get; }

    /// <summary>
    /// The column that fences an update, a delete or a guard; null: an update, or a guard of any version but 0, asks only that the row is
    /// there.
    /// </summary>
    public abstract string? VersionColumn { get; }

    /// <summary>The description of a kind.</summary>
    public static Row Of(RowKind kind) => kind switch
    {
        RowKind.Document => DocumentRow.Instance,
        RowKind.Lot => LotRow.Instance,
        RowKind.Member => MemberRow.Instance,
        RowKind.User => UserRow.Instance,
        RowKind.Player => PlayerRow.Instance,
        RowKind.Credit => CreditRow.Instance,
        RowKind.Ending => EndingRow.Instance,
        RowKind.Ended => EndedRow.Instance,
        RowKind.Report => ReportRow.Instance,
        RowKind.Purchase => PurchaseRow.Instance,
        RowKind.Project => ProjectRow.Instance,
        RowKind.Milestone => MilestoneRow.Instance,
        RowKind.Consumption => ConsumptionRow.Instance,
    };

    protected static Columns<RowKey> KeyPart => new(ColumnRole.Key);
}

/// <summary>The same with how a change of such a row is written.</summary>
internal abstract class Row<TChange> : Row where TChange : Change
{
    /// <summary>All columns but the key's, in one order for writing and reading.</summary>
    public abstract ImmutableArray<Column<TChange>> Columns { get; }

    public abstract RowKey KeyOf(TChange change);

    /// <summary>The version that the row must have had; 0: it must not have been there.</summary>
    public abstract long Expected(TChange change);

    /// <summary>Whether the row is deleted.</summary>
    public virtual bool IsGone(TChange change) => false;

    /// <summary>The version that the row has from now on; always 1 where no column fences it.</summary>
    public virtual long Version(TChange change) => 1;

    /// <summary>Whether an insert adds to a row that is there, instead of failing.</summary>
    public bool IsAddedTo => Columns.Any(column => column.Role == ColumnRole.Added);

    /// <summary>What an insert does with a row that is there, where it adds to it.</summary>
    /// <param name="highest">The function for the higher of two values.</param>
    public string AddTo(string highest)
    {
        var set = Columns.Select(column => column.Role == ColumnRole.Added
            ? $"{column.Name} = {Table}.{column.Name} + excluded.{column.Name}"
            : $"{column.Name} = {highest}({Table}.{column.Name}, excluded.{column.Name})");
        return $"on conflict ({string.Join(", ", Key.Select(column => column.Name))}) do update set {string.Join(", ", set)}";
    }

    /// <summary>The row as a change leaves it that keeps some of what was there.</summary>
    public virtual TChange Over(TChange present, TChange change) => change;

    public sealed override string? VersionColumn => Columns.FirstOrDefault(column => column.Role == ColumnRole.Version)?.Name;

    protected static Columns<TChange> Fixed => new(ColumnRole.Fixed);

    protected static Columns<TChange> Same => new(ColumnRole.Same);

    protected static Columns<TChange> Set => new(ColumnRole.Set);

    protected static Columns<TChange> Kept => new(ColumnRole.Kept);

    /// <summary>The column of <see cref="Version"/>.</summary>
    protected Column<TChange> Fence => new Columns<TChange>(ColumnRole.Version).Number("version", change => Version(change));
}

/// <summary>The same with how a row is read back.</summary>
internal abstract class Row<TChange, TRow> : Row<TChange> where TChange : Change
{
    /// <summary>The columns that <see cref="Read"/> reads, in its order: the key's, then the others.</summary>
    public virtual string Selected =>
        string.Join(", ", Key.Select(column => column.Name).Concat(Columns.Select(column => column.Name))
            .Select(name => $"{Alias}.{name}"));

    /// <summary>The table by its <see cref="Row.Alias"/>, and whatever has to be joined.</summary>
    public virtual string From => $"{Table} {Alias}";

    /// <summary>Reads what <see cref="Selected"/> names.</summary>
    public abstract TRow Read(IRowReader row);
}
