using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>Users of clients: their directories (C3).</summary>
internal sealed class UserRow : Row<UserChange, User>
{
    public static readonly UserRow Instance = new();

    public override RowKind Kind => RowKind.User;

    public override string Table => "client_user";

    public override string Alias => "u";

    public override ImmutableArray<Column<RowKey>> Key { get; } =
        [KeyPart.Text("client_id", key => key.First), KeyPart.Text("user_id", key => key.Second)];

    public override ImmutableArray<Column<UserChange>> Columns { get; }

    private UserRow() => Columns =
    [
        Set.Text("name", change => change.User.Name),
        Set.Flag("disabled", change => change.User.Disabled),
        Set.Instant("as_of", change => change.User.AsOf),
        Fence,
        Set.Text("changed_by", change => change.User.ChangedBy),
    ];

    public override RowKey KeyOf(UserChange change) => change.Row;

    public override long Expected(UserChange change) => change.Expected;

    public override long Version(UserChange change) => change.User.Version;

    public override User Read(IRowReader row)
    {
        var (clientId, userId, name) = (row.Text(), row.Text(), row.Text());
        return new(clientId, userId, row.Flag(), row.Instant(), row.Number()) { Name = name, ChangedBy = row.OptionalText() };
    }
}
