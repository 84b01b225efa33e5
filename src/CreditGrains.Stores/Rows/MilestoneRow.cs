using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

internal sealed class MilestoneRow : Row<MilestoneChange, Milestone>
{
    public static readonly MilestoneRow Instance = new();

    public override RowKind Kind => RowKind.Milestone;

    public override string Table => "milestone";

    public override string Alias => "s";

    public override ImmutableArray<Column<RowKey>> Key { get; } = [KeyPart.Text("milestone_id", key => key.First)];

    public override ImmutableArray<Column<MilestoneChange>> Columns { get; }

    private MilestoneRow() => Columns =
    [
        Fixed.Text("client_id", change => change.Milestone.ClientId),
        Set.Text("project_id", change => change.Milestone.ProjectId),
        Set.Quantity("services_credits", change => change.Milestone.ServicesCredits),
        Set.Text("status", change => change.Milestone.Status),
        Set.Date("actual_date", change => change.Milestone.ActualDate),
        Set.Flag("was_allocated", change => change.Milestone.WasAllocated),
        Set.Json("holdings", change => Json.Write(change.Milestone.Holdings)),
        Fence,
        Set.Text("name", change => change.Milestone.Name),
        Set.Flag("is_allocated", change => !change.Milestone.NeedsAllocation),
    ];

    public override RowKey KeyOf(MilestoneChange change) => change.Row;

    public override long Expected(MilestoneChange change) => change.Expected;

    public override long Version(MilestoneChange change) => change.Milestone.Version;

    public override Milestone Read(IRowReader row)
    {
        var milestone = new Milestone(
            row.Text(), row.Text(), row.Text(), row.Quantity(), row.Text(), row.OptionalDate(), row.Flag(),
            Json.Read<ImmutableArray<Holding>>(row.Text()), row.Number(), row.Text());
        row.Flag();
        return milestone;
    }
}
