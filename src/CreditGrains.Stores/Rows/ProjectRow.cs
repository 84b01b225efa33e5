using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

internal sealed class ProjectRow : Row<ProjectChange, Project>
{
    public static readonly ProjectRow Instance = new();

    public override RowKind Kind => RowKind.Project;

    public override string Table => "project";

    public override string Alias => "j";

    public override ImmutableArray<Column<RowKey>> Key { get; } = [KeyPart.Text("project_id", key => key.First)];

    public override ImmutableArray<Column<ProjectChange>> Columns { get; }

    private ProjectRow() => Columns =
    [
        Fixed.Text("client_id", change => change.Project.ClientId),
        Set.Text("account_id", change => change.Project.AccountId),
        Set.Text("currency", change => change.Project.Currency),
        Set.Number("holding", change => change.Project.Holding),
        Fence,
        Set.Text("name", change => change.Project.Name),
    ];

    public override RowKey KeyOf(ProjectChange change) => change.Row;

    public override long Expected(ProjectChange change) => change.Expected;

    public override long Version(ProjectChange change) => change.Project.Version;

    public override Project Read(IRowReader row) => new(row.Text(), row.Text(), row.Text(), row.Text(), (int)row.Number(), row.Number(), row.Text());
}
