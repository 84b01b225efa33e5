using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Reports: what was answered never changes. The contract's document fences what becomes of them.</summary>
internal sealed class ReportRow : Row<ReportChange, Report>
{
    public static readonly ReportRow Instance = new();

    public override RowKind Kind => RowKind.Report;

    public override string Table => "report";

    public override string Alias => "r";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("client_id", key => key.First), KeyPart.Text("report_id", key => key.Second)];

    public override ImmutableArray<Column<ReportChange>> Columns { get; } =
    [
        Fixed.Text("contract_id", change => change.Report.ContractId),
        Fixed.Text("user_id", change => change.Report.UserId),
        Fixed.Instant("at", change => change.Report.At),
        Fixed.Number("charged", change => change.Report.Charged),
        Fixed.Number("covered", change => change.Report.Covered),
        Fixed.Json("players", change => Json.Write(change.Report.Players)),
        Fixed.Number("user_available", change => change.Report.Balance.UserAvailable),
        Fixed.Number("contract_remaining", change => change.Report.Balance.ContractRemaining),
        Fixed.Instant("hold_until", change => change.Report.HoldUntil),
        Set.Json("captured", change => change.Report.Captured is { } captured ? Json.Write(captured) : null),
        Set.Json("voided", change => change.Report.Voided.IsEmpty ? null : Json.Write(change.Report.Voided)),
    ];

    public override RowKey KeyOf(ReportChange change) => change.Row;

    public override long Expected(ReportChange change) => change.IsNew ? 0 : 1;

    public override Report Read(IRowReader row)
    {
        var (clientId, reportId) = (row.Text(), row.Text());
        return new(
            reportId, clientId, row.Text(), row.Text(), row.Instant(), (int)row.Number(), (int)row.Number(),
            Json.Read<ImmutableArray<PlayerOutcome>>(row.Text()), new(row.OptionalNumber(), row.OptionalNumber()))
        {
            HoldUntil = row.OptionalInstant(),
            Captured = row.OptionalText() is { } captured ? Json.Read<Capture>(captured) : null,
            Voided = row.OptionalText() is { } voided ? Json.Read<ImmutableArray<GivenBack>>(voided) : [],
        };
    }
}
