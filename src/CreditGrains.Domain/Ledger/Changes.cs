using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace CreditGrains.Domain;

/// <summary>The kinds of rows that decisions read, change and rest on.</summary>
public enum RowKind { Document, Lot, Member, User, Player, Credit, Ending, Ended, Report, Purchase, Project, Milestone, Consumption }

/// <summary>The key of a row: its kind and one to three parts.</summary>
public readonly record struct RowKey(RowKind Kind, string First, string Second = "", long Number = 0)
{
    public static RowKey Document(string kind, string id) => new(RowKind.Document, kind, id);

    public static RowKey Lot(string contractId, Lot lot) => new(RowKind.Lot, contractId, lot.LotId, lot.Apart);

    public static RowKey Member(string contractId, string userId) => new(RowKind.Member, contractId, userId);

    public static RowKey User(string clientId, string userId) => new(RowKind.User, clientId, userId);

    public static RowKey Player(string clientId, string playerId) => new(RowKind.Player, clientId, playerId);

    public static RowKey Credit(CreditId id) => new(RowKind.Credit, id.ContractId, id.LotId, id.Ordinal);

    public static RowKey Ending(EndingKey key) => new(
        RowKind.Ending, key.ClientId, $"{Domain.Lot.Key(key.ContractId, key.LotId, 0)}~{key.Ordinal}~{key.ReportId}", key.At.ToUnixTimeTicks());

    public static RowKey Ended(string contractId, string lotId) => new(RowKind.Ended, contractId, lotId);

    public static RowKey Report(string clientId, string reportId) => new(RowKind.Report, clientId, reportId);

    public static RowKey Purchase(string accountId, string purchaseId) => new(RowKind.Purchase, accountId, purchaseId);

    public static RowKey Project(string projectId) => new(RowKind.Project, projectId);

    public static RowKey Milestone(string milestoneId) => new(RowKind.Milestone, milestoneId);

    public static RowKey Consumption(string accountId, long number) => new(RowKind.Consumption, accountId, "", number);
}

/// <summary>A row that a decision rests on without changing it: at the commit it must still have this version; 0: it must not exist.</summary>
public readonly record struct Guard(RowKey Row, long Version);

/// <summary>
/// One row, or one ledger entry, that a decision writes. The set is closed: everything that handles changes is an <see cref="IChangeVisitor"/>,
/// so the compiler finds where a new kind is not handled yet.
/// </summary>
public abstract record Change
{
    private protected Change() { }

    public abstract void Accept(IChangeVisitor visitor);
}

/// <summary>Handles every kind of change.</summary>
public interface IChangeVisitor
{
    void Visit(DocumentChange change);

    void Visit(EpochChange change);

    void Visit(LotChange change);

    void Visit(MemberChange change);

    void Visit(UserChange change);

    void Visit(PlayerChange change);

    void Visit(CreditChange change);

    void Visit(EndingChange change);

    void Visit(EndedChange change);

    void Visit(ReportChange change);

    void Visit(PurchaseChange change);

    void Visit(ProjectChange change);

    void Visit(MilestoneChange change);

    void Visit(Consumption booked);

    void Visit(Entry booked);
}

/// <summary>The changes that a decision makes, in order, and the rows that it rests on besides. All of it is committed, or nothing.</summary>
[CollectionBuilder(typeof(Changes), nameof(Of))]
public sealed class Changes : IEnumerable<Change>
{
    public static readonly Changes None = new([], []);

    private readonly ImmutableArray<Change> all;

    private Changes(ImmutableArray<Change> all, ImmutableArray<Guard> guards) => (this.all, Guards) = (all, guards);

    /// <summary>The rows that must be unchanged at the commit.</summary>
    public ImmutableArray<Guard> Guards { get; }

    /// <summary>Whether there is neither a change nor a guard.</summary>
    public bool IsNothing => all.IsEmpty && Guards.IsEmpty;

    public IEnumerable<LotChange> Lots => all.OfType<LotChange>();

    public IEnumerable<MemberChange> Members => all.OfType<MemberChange>();

    public IEnumerable<PlayerChange> Players => all.OfType<PlayerChange>();

    public IEnumerable<CreditChange> Credits => all.OfType<CreditChange>();

    public IEnumerable<EndingChange> Endings => all.OfType<EndingChange>();

    public IEnumerable<EndedChange> Ended => all.OfType<EndedChange>();

    public IEnumerable<ReportChange> ReportChanges => all.OfType<ReportChange>();

    /// <summary>The reports that are made.</summary>
    public IEnumerable<Report> Reports => ReportChanges.Where(change => change.IsNew).Select(change => change.Report);

    /// <summary>The reports that are voided or captured, as they now are.</summary>
    public IEnumerable<Report> Undone => ReportChanges.Where(change => !change.IsNew).Select(change => change.Report);

    public IEnumerable<DocumentChange> Documents => all.OfType<DocumentChange>();

    public IEnumerable<PurchaseChange> Purchases => all.OfType<PurchaseChange>();

    public IEnumerable<ProjectChange> Projects => all.OfType<ProjectChange>();

    public IEnumerable<MilestoneChange> Milestones => all.OfType<MilestoneChange>();

    public IEnumerable<Consumption> Consumptions => all.OfType<Consumption>();

    public IEnumerable<Entry> Entries => all.OfType<Entry>();

    public static Changes Of(ReadOnlySpan<Change> changes) => changes.IsEmpty ? None : new([.. changes], []);

    /// <summary>These changes with more guards.</summary>
    public Changes RestingOn(params IEnumerable<Guard> guards) => new(all, [.. Guards, .. guards]);

    /// <summary>These guards as they were before time changed rows of members: nothing of that is booked.</summary>
    public Changes Before(Changes passed) => !passed.Members.Any() ? this : new(
        all, [.. Guards.Select(guard => guard with { Version = passed.Members.FirstOrDefault(change => change.Row == guard.Row)?.Expected ?? guard.Version })]);

    /// <summary>A lot as these changes leave it.</summary>
    public Lot? After(Lot? lot) =>
        lot is null ? null : Lots.LastOrDefault(change => (change.Lot.LotId, change.Lot.Apart) == (lot.LotId, lot.Apart))?.Lot ?? lot;

    /// <summary>The changes and guards of both, the first before the second.</summary>
    public static Changes operator +(Changes first, Changes second) =>
        first.IsNothing ? second : second.IsNothing ? first : new([.. first.all, .. second.all], [.. first.Guards, .. second.Guards]);

    public IEnumerator<Change> GetEnumerator() => ((IEnumerable<Change>)all).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
