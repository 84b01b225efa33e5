using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores;

/// <summary>Coverage whose end is not booked. How many credits an ending has is its fence.</summary>
internal sealed class EndingRow : Row<EndingChange, Ending>
{
    public static readonly EndingRow Instance = new();

    public override RowKind Kind => RowKind.Ending;

    public override string Table => "ending";

    public override string Alias => "g";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
    [
        KeyPart.Text("client_id", key => key.First),
        KeyPart.Instant("ends_at", key => Instant.FromUnixTimeTicks(key.Number)),
        KeyPart.Text("lot", key => Parts(key).Lot),
        KeyPart.Text("report_id", key => Parts(key).ReportId),
        KeyPart.Number("ordinal", key => Parts(key).Ordinal),
    ];

    public override ImmutableArray<Column<EndingChange>> Columns { get; }

    private EndingRow() => Columns =
    [
        Fixed.Text("used_by", change => change.Ending.UsedBy),
        new Columns<EndingChange>(ColumnRole.Version).Number("credits", change => Version(change)),
        Set.Number("last_ordinal", change => change.Ending.Last),
    ];

    public override RowKey KeyOf(EndingChange change) => change.Ending.Key.Row;

    public override long Expected(EndingChange change) => change.Expected;

    public override bool IsGone(EndingChange change) => change.Ending.Credits == 0;

    public override long Version(EndingChange change) => change.Ending.Credits;

    public override Ending Read(IRowReader row)
    {
        var (clientId, at, lot, reportId, ordinal) = (row.Text(), row.Instant(), row.Text(), row.Text(), row.Number());
        var (contractId, lotId, _) = LotKeys.Credit(lot, 1);
        return new(new(clientId, at, contractId, lotId, reportId == "" ? null : reportId, ordinal), row.OptionalText(), row.Number(), row.Number());
    }

    // As RowKey.Ending composes them.
    private static (string Lot, long Ordinal, string ReportId) Parts(RowKey key) => key.Second.Split('~', 4) is [var contract, var lot, var ordinal, var report]
        ? ($"{contract}~{lot}", long.Parse(ordinal, System.Globalization.CultureInfo.InvariantCulture), report)
        : throw new InvariantException($"{key.Second} names an ending");
}
