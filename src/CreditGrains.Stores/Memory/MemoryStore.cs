using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Memory;

/// <summary>
/// The store that all stores must equal: whole or nothing, each row guarded by its fence. It lives in memory, does everything at once on
/// the caller's thread, and does the same again whenever the same is asked in the same order.
/// </summary>
public sealed partial class MemoryStore : IStore, IQueries
{
    private readonly Table<DocumentChange> documents = new(DocumentRow.Instance);
    private readonly Table<LotChange> lots = new(LotRow.Instance);
    private readonly Table<MemberChange> members = new(MemberRow.Instance);
    private readonly Table<UserChange> users = new(UserRow.Instance);
    private readonly Table<PlayerChange> players = new(PlayerRow.Instance);
    private readonly Table<CreditChange> credits = new(CreditRow.Instance);
    private readonly Table<EndingChange> endings = new(EndingRow.Instance);
    private readonly Table<EndedChange> ended = new(EndedRow.Instance);
    private readonly Table<ReportChange> reports = new(ReportRow.Instance);
    private readonly Table<PurchaseChange> purchases = new(PurchaseRow.Instance);
    private readonly Table<ProjectChange> projects = new(ProjectRow.Instance);
    private readonly Table<MilestoneChange> milestones = new(MilestoneRow.Instance);
    private readonly Table<Consumption> consumptions = new(ConsumptionRow.Instance);
    private readonly List<BookedEntry> entries = [];
    private readonly Dictionary<(EntryKind Kind, string Subject), Entry> firstSet = [];
    private readonly Indexes indexes = new();

    /// <summary>Sees each commit that will be carried out, on the state before it.</summary>
    public Action<Commit>? Committing { get; set; }

    /// <summary>Sees each commit that was carried out, on the state after it.</summary>
    public Action<Commit>? Committed { get; set; }

    /// <summary>Sees each commit that was refused, and the rows that were not as expected.</summary>
    public Action<Commit, IReadOnlySet<RowKey>>? Conflicted { get; set; }

    /// <summary>How many commits were refused.</summary>
    public int Conflicts { get; private set; }

    /// <summary>Which history the feed's places are of; another one makes the places of before gone.</summary>
    public string History { get; set; } = "1";

    public IEnumerable<Document> Documents => documents.All.Select(Read);

    /// <summary>All lots, and the credits that lie, or have lain, apart from theirs.</summary>
    public IEnumerable<ListedLot> Lots => lots.All.Select(Read);

    public IEnumerable<(AllocationKey Key, Member Member)> Members =>
        members.All.Select(change => (new AllocationKey(change.ContractId, change.Member.UserId), Read(change)));

    public IEnumerable<User> Users => users.All.Select(change => change.User);

    public IEnumerable<Player> Players => players.All.Select(change => change.Player);

    public IEnumerable<Credit> Credits => credits.All.Select(change => change.Credit);

    public IEnumerable<Ending> Endings => endings.All.Select(change => change.Ending);

    public IEnumerable<Report> Reports => reports.All.Select(change => change.Report);

    public IEnumerable<(string AccountId, Purchase Purchase)> Purchases =>
        purchases.All.Select(change => (change.AccountId, change.Purchase));

    public IEnumerable<Project> Projects => projects.All.Select(change => change.Project);

    public IEnumerable<Milestone> Milestones => milestones.All.Select(change => change.Milestone);

    public IEnumerable<Consumption> Consumptions => consumptions.All;

    /// <summary>In the order of booking.</summary>
    public IReadOnlyList<BookedEntry> Entries => entries;

    public Document? Document(string kind, string id) => documents[RowKey.Document(kind, id)] is { } change ? Read(change) : null;

    public StoredContract? Contract(string contractId) =>
        Document(DocumentKind.Contract, contractId) is { } document ? Read(document) : null;

    /// <summary>A contract's lots that are open, by key.</summary>
    public ImmutableArray<Lot> OpenLots(string contractId) => indexes.OpenLots(contractId);

    /// <summary>All users of a contract, past ones too, by user id.</summary>
    public ImmutableArray<Member> MembersOf(string contractId) => [.. indexes.Members(contractId).Select(Read)];

    public Member? Member(AllocationKey key) => members[RowKey.Member(key.ContractId, key.UserId)] is { } change ? Read(change) : null;

    public User? User(UserKey key) => users[RowKey.User(key.ClientId, key.UserId)]?.User;

    public Player? Player(PlayerKey key) => players[RowKey.Player(key.ClientId, key.PlayerId)]?.Player;

    public Lot? Lot(string contractId, string lotId, long apart = 0) => lots[new(RowKind.Lot, contractId, lotId, apart)]?.Lot;

    public Credit? Credit(CreditId id) => credits[RowKey.Credit(id)]?.Credit;

    public Ending? Ending(EndingKey key) => endings[key.Row]?.Ending;

    /// <summary>How many credits of a lot with a row have expired and are booked so.</summary>
    public long Ended(string contractId, string lotId) => ended[RowKey.Ended(contractId, lotId)]?.Credits ?? 0;

    public Report? Report(ReportKey key) => reports[RowKey.Report(key.ClientId, key.ReportId)]?.Report;

    public Purchase? Purchase(string accountId, string purchaseId) => purchases[RowKey.Purchase(accountId, purchaseId)]?.Purchase;

    public Project? Project(string projectId) => projects[RowKey.Project(projectId)]?.Project;

    public Milestone? Milestone(string milestoneId) => milestones[RowKey.Milestone(milestoneId)]?.Milestone;

    /// <summary>A row's version; 0: it is not there. Rows without a version of their own have 1.</summary>
    public long Version(RowKey key) => Of(key.Kind).Version(key);

    /// <summary>What reads of a client's and contract's rows find.</summary>
    public Rows Read(Wanted wanted) => new(
        Found(wanted.Players, id => Player(new(wanted.ClientId, id))),
        Found(wanted.Users, id => Member(new(wanted.ContractId, id))),
        Found(wanted.Reports, id => Report(new(wanted.ClientId, id))),
        Found(wanted.Requests, key => Document(DocumentKind.Request, key) is { } document
            ? Json.Read<KeyedRequest>(document.Body) with { ForgetAt = document.DueAt } : null))
    {
        Credits = wanted.Credits.Distinct().Select(Credit).OfType<Credit>().ToDictionary(credit => credit.Id),
        Endings = wanted.Endings.Distinct().Select(Ending).OfType<Ending>().ToDictionary(ending => ending.Key),
    };

    private StoredContract Read(Document contract)
    {
        var credits = indexes.Held(contract.Id).Select(id => Credit(id)!).ToImmutableArray();
        var apart = OpenLots(contract.Id).Where(lot => lot.Apart > 0).Select(lot => lot.LotId);
        var lots = credits.Select(credit => credit.Id.LotId).Concat(apart).Distinct().Select(id => Lot(contract.Id, id)!).Where(lot => !lot.IsOpen);
        var reports = credits.Select(credit => credit.ReportId!).Distinct().Select(id => Report(new(contract.Owner, id))!).ToImmutableArray();
        var members = reports.Select(report => report.UserId).Distinct().Select(id => Member(new(contract.Id, id))!);
        return new(contract, OpenLots(contract.Id)) { Holds = new(credits, reports, [.. lots], [.. members]) };
    }

    /// <summary>Commits all of it, or nothing.</summary>
    public CommitResult Commit(Commit commit)
    {
        var sorted = new SortedChanges(commit);
        if (Failing(sorted) is { Count: > 0 } failing)
        {
            Conflicts++;
            Conflicted?.Invoke(commit, failing);
            return new CommitResult.Conflict([.. failing]);
        }
        Committing?.Invoke(commit);
        var writing = new Writing(this);
        foreach (var kind in sorted.Kinds) kind.Accept(writing);
        foreach (var (_, entry) in sorted.Entries) Append(entry);
        Committed?.Invoke(commit);
        return new CommitResult.Done();
    }

    /// <summary>Deletes remembered requests and previews that expire at or before this instant.</summary>
    public void Forget(Instant until)
    {
        foreach (var kind in new[] { DocumentKind.Request, DocumentKind.Preview })
        {
            foreach (var id in indexes.DueDocuments(kind, until, int.MaxValue))
            {
                var key = RowKey.Document(kind, id);
                indexes.Change(documents[key], null);
                documents.Remove(key);
            }
        }
    }

    private void Append(Entry entry)
    {
        entries.Add(new(entries.Count + 1, entry));
        if (entry.Kind is EntryKind.LotSet or EntryKind.PurchaseSet) firstSet.TryAdd((entry.Kind, entry.Subject), entry);
    }

    private HashSet<RowKey> Failing(SortedChanges sorted)
    {
        var failing = sorted.Guards.Where(guard => !Holds(guard.Key, guard.Version)).Select(guard => guard.Key).ToHashSet();
        var proving = new Proving(this, failing);
        foreach (var kind in sorted.Kinds) kind.Accept(proving);
        return failing;
    }

    // A row without a version of its own is there, or not.
    private bool Holds(RowKey key, long version) =>
        version == 0 || Row.Of(key.Kind).VersionColumn is not null ? Version(key) == version : Version(key) > 0;

    private Table Of(RowKind kind) => kind switch
    {
        RowKind.Document => documents,
        RowKind.Lot => lots,
        RowKind.Member => members,
        RowKind.User => users,
        RowKind.Player => players,
        RowKind.Credit => credits,
        RowKind.Ending => endings,
        RowKind.Ended => ended,
        RowKind.Report => reports,
        RowKind.Purchase => purchases,
        RowKind.Project => projects,
        RowKind.Milestone => milestones,
        RowKind.Consumption => consumptions,
    };

    private static Document Read(DocumentChange change) =>
        new(change.Kind, change.Id, change.Version, change.Body!, change.Owner, change.AsOf, change.DueAt);

    private static ListedLot Read(LotChange change) => new(change.ContractId, change.ClientId, change.Lot);

    private Member Read(MemberChange change)
    {
        var user = User(new(change.ClientId, change.Member.UserId));
        return MemberRow.WithUser(change.Member, user?.Name ?? "", user?.Disabled ?? false, user?.ChangedBy, user?.AsOf ?? Instant.MinValue, user?.Version ?? 0);
    }

    private static Dictionary<string, TRow> Found<TRow>(IReadOnlyCollection<string> ids, Func<string, TRow?> read) where TRow : class
    {
        var found = new Dictionary<string, TRow>(ids.Count);
        foreach (var id in ids)
            if (read(id) is { } row) found[id] = row;
        return found;
    }

    // To a document whose version alone changes.
    private RowChanges<DocumentChange> AsDocuments(RowChanges<EpochChange> epochs)
    {
        var changes = new RowChanges<DocumentChange>(DocumentRow.Instance);
        foreach (var (commit, key, epoch) in epochs.Updates)
        {
            var present = documents[key] ?? new(epoch.Kind, epoch.Id, 0, 0, null, "", Instant.MinValue, null);
            changes.Add(commit, present with { Version = epoch.Epoch, Expected = epoch.Expected });
        }
        return changes;
    }

    private abstract class Visitor(MemoryStore store) : IRowChangesVisitor
    {
        public void Visit<TChange>(RowChanges<TChange> changes) where TChange : Change
        {
            if (changes is RowChanges<EpochChange> epochs) Visit(store.documents, store.AsDocuments(epochs));
            else Visit((Table<TChange>)store.Of(changes.Row.Kind), changes);
        }

        protected abstract void Visit<TChange>(Table<TChange> table, RowChanges<TChange> changes) where TChange : Change;
    }

    private sealed class Proving(MemoryStore store, HashSet<RowKey> failing) : Visitor(store)
    {
        protected override void Visit<TChange>(Table<TChange> table, RowChanges<TChange> changes) =>
            failing.UnionWith(table.Failing(changes));
    }

    private sealed class Writing(MemoryStore store) : Visitor(store)
    {
        private readonly Indexes indexes = store.indexes;

        protected override void Visit<TChange>(Table<TChange> table, RowChanges<TChange> changes) =>
            table.CarryOut(changes, indexes.Change);
    }
}
