using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Players of clients. Contracts that charge the same player meet at this row.</summary>
internal sealed class PlayerRow : Row<PlayerChange, Player>
{
    public static readonly PlayerRow Instance = new();

    public override RowKind Kind => RowKind.Player;

    public override string Table => "player";

    public override string Alias => "p";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("player_id", key => key.Second), KeyPart.Text("client_id", key => key.First)];

    public override ImmutableArray<Column<PlayerChange>> Columns { get; }

    private PlayerRow() => Columns =
    [
        Set.Text("lot", change => change.Player.Credit is { } credit ? LotKeys.Of(credit) : null),
        Set.Number("ordinal", change => change.Player.Credit?.Ordinal),
        Set.Instant("covers_until", change => change.Player.CoversUntil),
        Set.Instant("as_of", change => change.Player.AsOf),
        Fence,
    ];

    public override RowKey KeyOf(PlayerChange change) => change.Player.Row;

    public override long Expected(PlayerChange change) => change.Expected;

    public override long Version(PlayerChange change) => change.Player.Version;

    public override Player Read(IRowReader row)
    {
        var (playerId, clientId, lot, ordinal) = (row.Text(), row.Text(), row.OptionalText(), row.OptionalNumber());
        CreditId? credit = lot is null ? null : LotKeys.Credit(lot, ordinal!.Value);
        return new(clientId, playerId, credit, row.OptionalInstant(), row.Instant(), row.Number());
    }
}
