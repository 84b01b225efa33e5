using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores;

/// <summary>Lots, and credits that lie apart from theirs. The contract's document fences their updates.</summary>
internal sealed class LotRow : Row<LotChange, ListedLot>
{
    public static readonly LotRow Instance = new();

    public override RowKind Kind => RowKind.Lot;

    public override string Table => "lot";

    public override string Alias => "l";

    public override ImmutableArray<Column<RowKey>> Key { get; } = [KeyPart.Text("key", LotKeys.Of)];

    // Indexes are led by the two flags at the end: they change seldom, while what is free changes with each draw.
    public override ImmutableArray<Column<LotChange>> Columns { get; } =
    [
        Fixed.Text("contract_id", change => change.ContractId),
        Fixed.Text("client_id", change => change.ClientId),
        Fixed.Text("lot_id", change => change.Lot.LotId),
        Fixed.Number("apart", change => change.Lot.Apart),
        Fixed.Text("source", change => change.Lot.Source.Word()),
        Set.Text("payment_id", change => change.Lot.PaymentId),
        Set.Number("quantity", change => change.Lot.Quantity),
        Set.Text("free", change => change.Lot.Free.ToString()),
        Set.Text("withdrawn", change => change.Lot.Withdrawn.ToString()),
        Fixed.Instant("created_at", change => change.Lot.CreatedAt),
        Set.Instant("available_from", change => change.Lot.AvailableFrom),
        Set.Instant("asked_expiry", change => change.Lot.AskedExpiry),
        Set.Instant("expires_at", change => change.Lot.ExpiresAt),
        Set.Flag("expiry_booked", change => change.Lot.ExpiryBooked),
        Fixed.Text("request", change => change.Lot.Request),
        Set.Flag("has_free", change => change.Lot.Free.Count > 0),
        Set.Flag("has_withdrawn", change => change.Lot.Withdrawn.Count > 0),
        Set.Flag("is_open", change => change.Lot.IsOpen),
    ];

    public override RowKey KeyOf(LotChange change) => change.Row;

    public override long Expected(LotChange change) => change.IsNew ? 0 : 1;

    public override ListedLot Read(IRowReader row)
    {
        var (_, contractId, clientId, lotId, apart) = (row.Text(), row.Text(), row.Text(), row.Text(), row.Number());
        var (source, payment, quantity) = (Words.Read<LotSource>(row.Text()), row.Text(), row.Number());
        var (free, withdrawn) = (Runs.Parse(row.Text()), Runs.Parse(row.Text()));
        var lot = new Lot(
            lotId, source, payment, quantity, free, row.Instant(), row.Instant(), row.OptionalInstant(), row.OptionalInstant(), row.Flag(),
            row.OptionalText(), apart, withdrawn);
        row.Flag();
        row.Flag();
        row.Flag();
        return new(contractId, clientId, lot);
    }
}
