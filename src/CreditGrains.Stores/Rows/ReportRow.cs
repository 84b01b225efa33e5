using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Reports: only ever inserted.</summary>
internal sealed class ReportRow : Row<Report, Report>
{
    public static readonly ReportRow Instance = new();

    public override RowKind Kind => RowKind.Report;

    public override string Table => "report";

    public override string Alias => "r";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("client_id", key => key.First), KeyPart.Text("report_id", key => key.Second)];

    public override ImmutableArray<Column<Report>> Columns { get; } =
    [
        Fixed.Text("contract_id", report => report.ContractId),
        Fixed.Text("user_id", report => report.UserId),
        Fixed.Instant("at", report => report.At),
        Fixed.Number("charged", report => report.Charged),
        Fixed.Number("covered", report => report.Covered),
        Fixed.Json("players", report => Json.Write(report.Players)),
        Fixed.Number("user_available", report => report.Balance.UserAvailable),
        Fixed.Number("contract_remaining", report => report.Balance.ContractRemaining),
    ];

    public override RowKey KeyOf(Report report) => report.Row;

    public override long Expected(Report report) => 0;

    public override Report Read(IRowReader row)
    {
        var (clientId, reportId) = (row.Text(), row.Text());
        return new(
            reportId, clientId, row.Text(), row.Text(), row.Instant(), (int)row.Number(), (int)row.Number(),
            Json.Read<ImmutableArray<PlayerOutcome>>(row.Text()), new(row.OptionalNumber(), row.OptionalNumber()));
    }
}
