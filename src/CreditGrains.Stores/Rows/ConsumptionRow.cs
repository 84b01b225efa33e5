using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Records of what purchases gave and got back: only ever inserted.</summary>
internal sealed class ConsumptionRow : Row<Consumption, Consumption>
{
    public static readonly ConsumptionRow Instance = new();

    public override RowKind Kind => RowKind.Consumption;

    public override string Table => "consumption";

    public override string Alias => "k";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("account_id", key => key.First), KeyPart.Number("number", key => key.Number)];

    public override ImmutableArray<Column<Consumption>> Columns { get; } =
    [
        Fixed.Text("kind", booked => booked.Kind.Word()),
        Fixed.Text("purchase_id", booked => booked.PurchaseId),
        Fixed.Text("milestone_id", booked => booked.MilestoneId),
        Fixed.Text("allocation_id", booked => booked.AllocationId),
        Fixed.Text("currency", booked => booked.Currency),
        Fixed.Quantity("quantity", booked => booked.Quantity),
        Fixed.Date("date", booked => booked.Date),
        Fixed.Instant("at", booked => booked.At),
    ];

    public override RowKey KeyOf(Consumption booked) => booked.Row;

    public override long Expected(Consumption booked) => 0;

    public override Consumption Read(IRowReader row)
    {
        var (accountId, number, kind) = (row.Text(), row.Number(), Words.Read<ConsumptionKind>(row.Text()));
        var (purchaseId, milestoneId, _) = (row.Text(), row.OptionalText(), row.Text());
        return new(accountId, number, kind, purchaseId, milestoneId, row.Text(), row.Quantity(), row.Date(), row.Instant());
    }
}
