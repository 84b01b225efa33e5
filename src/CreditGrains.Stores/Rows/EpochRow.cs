using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>A document of which only the version, its epoch, rises.</summary>
internal sealed class EpochRow : Row<EpochChange>
{
    public static readonly EpochRow Instance = new();

    public override RowKind Kind => RowKind.Document;

    public override string Table => DocumentRow.Instance.Table;

    public override string Alias => DocumentRow.Instance.Alias;

    public override ImmutableArray<Column<RowKey>> Key => DocumentRow.Instance.Key;

    public override ImmutableArray<Column<EpochChange>> Columns { get; }

    private EpochRow() => Columns = [Fence];

    public override RowKey KeyOf(EpochChange change) => change.Row;

    public override long Expected(EpochChange change) => change.Expected;

    public override long Version(EpochChange change) => change.Epoch;
}
