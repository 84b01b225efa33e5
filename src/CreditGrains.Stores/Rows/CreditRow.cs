using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>
/// Credits that have been touched; the others are derived from their lots. One that is deleted and inserted again may have the same
/// version, so its player and report are part of its fence.
/// </summary>
internal sealed class CreditRow : Row<CreditChange, Credit>
{
    public static readonly CreditRow Instance = new();

    public override RowKind Kind => RowKind.Credit;

    public override string Table => "credit";

    public override string Alias => "c";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("lot", key => Lot.Key(key.First, key.Second, 0)), KeyPart.Number("ordinal", key => key.Number)];

    public override ImmutableArray<Column<CreditChange>> Columns { get; }

    private CreditRow() => Columns =
    [
        Fixed.Text("client_id", change => change.Credit.ClientId),
        Fixed.Text("payment_id", change => change.Credit.PaymentId),
        Set.Text("used_by", change => change.Credit.UsedBy),
        Same.Text("player_id", change => change.Credit.PlayerId),
        Set.Text("player_name", change => change.Credit.PlayerName),
        Fixed.Instant("created_at", change => change.Credit.CreatedAt),
        Set.Instant("expires_at", change => change.Credit.ExpiresAt),
        Set.Instant("activated_at", change => change.Credit.ActivatedAt),
        Same.Text("report_id", change => change.Credit.ReportId),
        Fence,
        Set.Text("used_of", change => change.Credit.UsedOf),
        Set.Instant("held_until", change => change.Credit.HeldUntil),
    ];

    /// <summary>A credit's payment is its lot's, which may have been changed since somebody touched the credit (L6).</summary>
    public const string Payment = "(select p.payment_id from lot p where p.key = c.lot)";

    /// <summary>A condition for what a player may have or have had; whether the credit is the player's still its row says.</summary>
    public const string MayBeOfPlayer = "(c.lot, c.ordinal) in (select m.lot, m.ordinal from player_credit m where m.player_id = ?)";

    /// <summary>What lists select, for <see cref="ReadListed"/>.</summary>
    public string Listed => $"{Selected}, {Payment}";

    public Credit ReadListed(IRowReader row) => Read(row) with { PaymentId = row.Text() };

    public override RowKey KeyOf(CreditChange change) => change.Row;

    public override long Expected(CreditChange change) => change.Expected;

    public override bool IsGone(CreditChange change) => change.IsGone;

    public override long Version(CreditChange change) => change.Credit.Version;

    public override Credit Read(IRowReader row)
    {
        var (id, clientId, paymentId) = (LotKeys.Credit(row.Text(), row.Number()), row.Text(), row.Text());
        var (usedBy, playerId, playerName) = (row.OptionalText(), row.OptionalText(), row.OptionalText());
        return new(
            id, clientId, paymentId, usedBy, playerId, playerName, row.Instant(), row.OptionalInstant(), row.OptionalInstant(), row.OptionalText(),
            IsLapsed: playerId is null, row.Number(), row.OptionalText(), row.OptionalInstant());
    }
}
