using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Of each lot how many credits with a row have expired and are booked so, and an ordinal that none of them is above. No fence: it is added to.</summary>
internal sealed class EndedRow : Row<EndedChange>
{
    public static readonly EndedRow Instance = new();

    public override RowKind Kind => RowKind.Ended;

    public override string Table => "ended";

    public override string Alias => "f";

    public override ImmutableArray<Column<RowKey>> Key { get; } = [KeyPart.Text("lot", key => Lot.Key(key.First, key.Second, 0))];

    public override ImmutableArray<Column<EndedChange>> Columns { get; }

    private EndedRow() => Columns =
    [
        new Columns<EndedChange>(ColumnRole.Added).Number("credits", change => change.Credits),
        new Columns<EndedChange>(ColumnRole.Highest).Number("last_ordinal", change => change.Last),
    ];

    public override RowKey KeyOf(EndedChange change) => change.Row;

    public override long Expected(EndedChange change) => 0;

    public override EndedChange Over(EndedChange present, EndedChange change) =>
        change with { Credits = present.Credits + change.Credits, Last = Math.Max(present.Last, change.Last) };
}
