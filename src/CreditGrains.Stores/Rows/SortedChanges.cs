using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores;

/// <summary>Handles the changes of one kind of row, whichever it is.</summary>
internal interface IRowChangesVisitor
{
    void Visit<TChange>(RowChanges<TChange> changes) where TChange : Change;
}

/// <summary>The changes of one kind of row: deletes come first, for what they free may be inserted again.</summary>
internal abstract class RowChanges
{
    public abstract void Accept(IRowChangesVisitor visitor);

    public abstract int Count { get; }

    internal abstract void Sort();
}

/// <summary>A change and its row's key; <paramref name="Commit"/>: which of the commits that are written together it is of.</summary>
internal readonly record struct Keyed<TChange>(int Commit, RowKey Key, TChange Change);

/// <inheritdoc cref="RowChanges"/>
internal sealed class RowChanges<TChange>(Row<TChange> row) : RowChanges where TChange : Change
{
    public Row<TChange> Row => row;

    /// <summary>By key, like the others.</summary>
    public List<Keyed<TChange>> Deletes { get; } = [];

    public List<Keyed<TChange>> Updates { get; } = [];

    public List<Keyed<TChange>> Inserts { get; } = [];

    public override int Count => Deletes.Count + Updates.Count + Inserts.Count;

    public override void Accept(IRowChangesVisitor visitor) => visitor.Visit(this);

    public void Add(int commit, TChange change) =>
        (row.IsGone(change) ? Deletes : row.Expected(change) == 0 ? Inserts : Updates).Add(new(commit, row.KeyOf(change), change));

    internal override void Sort()
    {
        Sort(Deletes);
        Sort(Updates);
        Sort(Inserts);
    }

    // By key, then commit. A commit holds each row once; only what it deletes may come again.
    private static void Sort(List<Keyed<TChange>> changes)
    {
        if (changes.Count < 2) return;
        changes.Sort(static (one, other) =>
            RowKeyOrder.Compare(one.Key, other.Key) is var byKey and not 0 ? byKey : one.Commit.CompareTo(other.Commit));
        for (var i = 1; i < changes.Count; i++)
        {
            var (one, next) = (changes[i - 1], changes[i]);
            Invariant.Holds(one.Key != next.Key || one.Commit != next.Commit, "a commit holds each row once");
        }
    }
}

/// <summary>
/// The one order in which rows are written, locked and proved: by kind, documents first, and within a kind by key, byte by byte.
/// </summary>
internal static class RowKeyOrder
{
    public static int Compare(RowKey one, RowKey other)
    {
        if (one.Kind != other.Kind) return one.Kind.CompareTo(other.Kind);
        if (string.CompareOrdinal(one.First, other.First) is var byFirst and not 0) return byFirst;
        return string.CompareOrdinal(one.Second, other.Second) is var bySecond and not 0 ? bySecond : one.Number.CompareTo(other.Number);
    }
}

/// <summary>A guard; <paramref name="Commit"/>: which of the commits that are written together it is of.</summary>
internal readonly record struct KeyedGuard(int Commit, RowKey Key, long Version);

/// <summary>
/// The changes of commits that are written together, by kind of row in the one fixed order, and their guards and entries.
/// </summary>
internal sealed class SortedChanges : IChangeVisitor
{
    private readonly RowChanges<DocumentChange> documents = new(DocumentRow.Instance);
    private readonly RowChanges<EpochChange> epochs = new(EpochRow.Instance);
    private readonly RowChanges<LotChange> lots = new(LotRow.Instance);
    private readonly RowChanges<MemberChange> members = new(MemberRow.Instance);
    private readonly RowChanges<UserChange> users = new(UserRow.Instance);
    private readonly RowChanges<PlayerChange> players = new(PlayerRow.Instance);
    private readonly RowChanges<CreditChange> credits = new(CreditRow.Instance);
    private readonly RowChanges<EndingChange> endings = new(EndingRow.Instance);
    private readonly RowChanges<EndedChange> ended = new(EndedRow.Instance);
    private readonly RowChanges<ReportChange> reports = new(ReportRow.Instance);
    private readonly RowChanges<PurchaseChange> purchases = new(PurchaseRow.Instance);
    private readonly RowChanges<ProjectChange> projects = new(ProjectRow.Instance);
    private readonly RowChanges<MilestoneChange> milestones = new(MilestoneRow.Instance);
    private readonly RowChanges<Consumption> consumptions = new(ConsumptionRow.Instance);
    private readonly List<(int Commit, Entry Entry)> entries = [];
    private readonly List<KeyedGuard> guards = [];
    private int commit;

    /// <param name="commits">Each named in what follows by its index.</param>
    public SortedChanges(params IReadOnlyList<Commit> commits)
    {
        for (commit = 0; commit < commits.Count; commit++)
        {
            foreach (var change in commits[commit].Changes) change.Accept(this);
            foreach (var guard in commits[commit].Changes.Guards) guards.Add(new(commit, guard.Row, guard.Version));
        }
        RowChanges[] inOrder = [documents, epochs, lots, members, users, players, credits, endings, ended, reports, purchases, projects,
            milestones, consumptions];
        Kinds = [.. inOrder.Where(kind => kind.Count > 0)];
        foreach (var kind in Kinds) kind.Sort();
        guards.Sort(static (one, other) => RowKeyOrder.Compare(one.Key, other.Key));
    }

    /// <summary>The kinds of rows that change, in order.</summary>
    public IReadOnlyList<RowChanges> Kinds { get; }

    /// <summary>In the order in which they are appended.</summary>
    public IReadOnlyList<(int Commit, Entry Entry)> Entries => entries;

    /// <summary>By kind, then key.</summary>
    public IReadOnlyList<KeyedGuard> Guards => guards;

    void IChangeVisitor.Visit(DocumentChange change) => documents.Add(commit, change);

    void IChangeVisitor.Visit(EpochChange change) => epochs.Add(commit, change);

    void IChangeVisitor.Visit(LotChange change) => lots.Add(commit, change);

    void IChangeVisitor.Visit(MemberChange change) => members.Add(commit, change);

    void IChangeVisitor.Visit(UserChange change) => users.Add(commit, change);

    void IChangeVisitor.Visit(PlayerChange change) => players.Add(commit, change);

    void IChangeVisitor.Visit(CreditChange change) => credits.Add(commit, change);

    void IChangeVisitor.Visit(EndingChange change) => endings.Add(commit, change);

    void IChangeVisitor.Visit(EndedChange change) => ended.Add(commit, change);

    void IChangeVisitor.Visit(ReportChange change) => reports.Add(commit, change);

    void IChangeVisitor.Visit(PurchaseChange change) => purchases.Add(commit, change);

    void IChangeVisitor.Visit(ProjectChange change) => projects.Add(commit, change);

    void IChangeVisitor.Visit(MilestoneChange change) => milestones.Add(commit, change);

    void IChangeVisitor.Visit(Consumption booked) => consumptions.Add(commit, booked);

    void IChangeVisitor.Visit(Entry booked) => entries.Add((commit, booked));
}
