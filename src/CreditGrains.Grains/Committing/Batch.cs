using CreditGrains.Domain;

namespace CreditGrains.Grains;

/// <summary>
/// The changes of one command after another as one: of each row the last word, fenced by what the first of them expected.
/// What only the batch itself has changed needs no guard.
/// </summary>
internal sealed class Batch : IChangeVisitor
{
    private readonly Dictionary<RowKey, Change> rows = [];
    private readonly List<Change> appended = [];
    private readonly Dictionary<RowKey, long> guards = [];

    /// <summary>Whether anything is written.</summary>
    public bool Writes => rows.Count + appended.Count > 0;

    /// <summary>
    /// Adds a command's changes; false, and nothing is added, where it makes a row that the batch has made already, or gives back a credit that the batch
    /// has charged: that is for the next commit.
    /// </summary>
    public bool TryAdd(Changes changes)
    {
        if (changes.Any(change => Made(change) is { } row && rows.ContainsKey(row))) return false;
        if (changes.Credits.Any(TakesBack)) return false;
        foreach (var change in changes) change.Accept(this);
        foreach (var guard in changes.Guards)
            if (!rows.ContainsKey(guard.Row)) guards.TryAdd(guard.Row, guard.Version);
        return true;
    }

    public Changes ToChanges() => Changes.Of([.. rows.Values, .. appended]).RestingOn(guards.Where(guard => !rows.ContainsKey(guard.Key)).Select(guard => new Guard(guard.Key, guard.Value)));

    public void Visit(DocumentChange change) => Put(change.Row, change, first => change with { Expected = ((DocumentChange)first).Expected });

    public void Visit(EpochChange change) => Put(change.Row, change, _ => change);

    public void Visit(LotChange change) => Put(change.Row, change, first => change with { IsNew = ((LotChange)first).IsNew });

    public void Visit(MemberChange change) => Put(change.Row, change, first => change with { Expected = ((MemberChange)first).Expected });

    public void Visit(UserChange change) => Put(change.Row, change, first => change with { Expected = ((UserChange)first).Expected });

    public void Visit(PlayerChange change) => Put(change.Player.Row, change, first => change with { Expected = ((PlayerChange)first).Expected });

    // A row that is deleted and inserted again is two changes; one that is inserted and deleted again is none.
    public void Visit(CreditChange change)
    {
        switch (rows.GetValueOrDefault(change.Row))
        {
            case CreditChange { IsGone: true } deleted:
                appended.Add(deleted);
                rows[change.Row] = change;
                break;
            case CreditChange { Expected: 0 } when change.IsGone:
                rows.Remove(change.Row);
                break;
            case CreditChange first:
                rows[change.Row] = change with { Expected = first.Expected };
                break;
            default:
                rows[change.Row] = change;
                break;
        }
    }

    public void Visit(EndingChange change)
    {
        Put(change.Ending.Key.Row, change, first => change with { Expected = ((EndingChange)first).Expected });
        if (rows[change.Ending.Key.Row] is EndingChange { Expected: 0, Ending.Credits: 0 }) rows.Remove(change.Ending.Key.Row);
    }

    public void Visit(EndedChange change) =>
        Put(change.Row, change, first => change with { Credits = change.Credits + ((EndedChange)first).Credits, Last = Math.Max(change.Last, ((EndedChange)first).Last) });

    public void Visit(ReportChange change)
    {
        Invariant.Holds(!change.IsNew || !rows.ContainsKey(change.Row), "a report is made once");
        Put(change.Row, change, first => change with { IsNew = ((ReportChange)first).IsNew });
    }

    public void Visit(PurchaseChange change) => Put(change.Row, change, first => change with { IsNew = ((PurchaseChange)first).IsNew });

    public void Visit(ProjectChange change) => Put(change.Row, change, first => change with { Expected = ((ProjectChange)first).Expected });

    public void Visit(MilestoneChange change) => Put(change.Row, change, first => change with { Expected = ((MilestoneChange)first).Expected });

    public void Visit(Consumption booked) => rows.Add(booked.Row, booked);

    public void Visit(Entry booked) => appended.Add(booked);

    private void Put(RowKey row, Change change, Func<Change, Change> after) => rows[row] = rows.TryGetValue(row, out var first) ? after(first) : change;

    private bool TakesBack(CreditChange change) => change.IsGone && rows.GetValueOrDefault(change.Row) is CreditChange { Expected: 0, IsGone: false };

    private static RowKey? Made(Change change) => change switch
    {
        DocumentChange { Expected: 0 } made => made.Row,
        LotChange { IsNew: true } made => made.Row,
        ReportChange { IsNew: true } made => made.Row,
        PurchaseChange { IsNew: true } made => made.Row,
        _ => null,
    };
}
