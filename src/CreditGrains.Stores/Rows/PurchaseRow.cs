using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Purchases of services credits. The account's document fences their updates.</summary>
internal sealed class PurchaseRow : Row<PurchaseChange, Purchase>
{
    public static readonly PurchaseRow Instance = new();

    public override RowKind Kind => RowKind.Purchase;

    public override string Table => "purchase";

    public override string Alias => "b";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("account_id", key => key.First), KeyPart.Text("purchase_id", key => key.Second)];

    public override ImmutableArray<Column<PurchaseChange>> Columns { get; } =
    [
        Fixed.Text("client_id", change => change.ClientId),
        Fixed.Text("currency", change => change.Purchase.Currency),
        Set.Quantity("quantity", change => change.Purchase.Quantity),
        Set.Quantity("free", change => change.Purchase.Free),
        Set.Quantity("allocated", change => change.Purchase.Allocated),
        Set.Quantity("expired", change => change.Purchase.Expired),
        Set.Date("starts_on", change => change.Purchase.StartsOn),
        Set.Date("expires_on", change => change.Purchase.ExpiresOn),
        Set.Instant("available_from", change => change.Purchase.AvailableFrom),
        Set.Instant("expires_at", change => change.Purchase.ExpiresAt),
        Fixed.Instant("created_at", change => change.Purchase.CreatedAt),
        Fixed.Text("request", change => change.Purchase.Request),
        Set.Text("description", change => change.Purchase.Description),
    ];

    public override RowKey KeyOf(PurchaseChange change) => change.Row;

    public override long Expected(PurchaseChange change) => change.IsNew ? 0 : 1;

    public override Purchase Read(IRowReader row)
    {
        var (_, purchaseId, _) = (row.Text(), row.Text(), row.Text());
        return new(
            purchaseId, row.Text(), row.Quantity(), row.Quantity(), row.Quantity(), row.Quantity(), row.Date(), row.Date(),
            row.Instant(), row.Instant(), row.Instant(), row.Text())
        {
            Description = row.OptionalText(),
        };
    }
}

/// <summary>Services credits in a row.</summary>
internal static class Quantities
{
    public static decimal Quantity(this IRowReader row) => ServicesCredits.FromTenThousandths(row.Number());

    public static decimal? OptionalQuantity(this IRowReader row) =>
        row.OptionalNumber() is { } number ? ServicesCredits.FromTenThousandths(number) : null;
}
