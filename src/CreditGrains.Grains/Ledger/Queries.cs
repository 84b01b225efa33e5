using System.Collections.Immutable;
using System.Text.Json.Serialization;
using CreditGrains.Domain;
using CreditGrains.Grains.Hosting;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Reads of committed state, for lists and documents. They book nothing; what has fallen due shows because status and availability are functions of the instant (T3), and by <see cref="Unbooked"/>.</summary>
public interface IQueries
{
    Task<ContractDocument?> Contract(string contractId);

    /// <summary>By contract id.</summary>
    Task<Page<ContractDocument>> Contracts(string? clientId, PageRequest page);

    /// <summary>The assigned users, by user id.</summary>
    Task<Page<Member>> Users(string contractId, PageRequest page);

    /// <summary>What a page of contracts needs besides their terms (C4), on one snapshot; contracts that are not there are left out.</summary>
    /// <param name="since">From when on use is added up, excluded.</param>
    Task<ImmutableArray<ContractFacts>> Facts(IReadOnlyCollection<string> contractIds, Instant since);

    /// <summary>Clients that have a contract, an account or a user, by id; null: all.</summary>
    Task<Page<ClientSummary>> Clients(string? clientId, PageRequest page);

    /// <summary>The directories of clients (C3), by client, then user id; null: all.</summary>
    Task<Page<User>> Directory(string? clientId, PageRequest page);

    /// <summary>A user as the directory has it; null: the client has no such user.</summary>
    Task<User?> User(UserKey key);

    /// <summary>The contracts of these users, past ones too, for each by contract id.</summary>
    Task<ImmutableArray<Assignment>> Assignments(IReadOnlyCollection<UserKey> users);

    /// <summary>The names of those contracts and users that are there.</summary>
    Task<Names> Names(IReadOnlyCollection<string> contractIds, IReadOnlyCollection<UserKey> users);

    /// <summary>A contract with all its users, past ones too, of one instant; null where there is none.</summary>
    Task<Contract?> ContractWithUsers(string contractId);

    /// <summary>A user of a contract, past or present, and the contract's document; null where there is none.</summary>
    Task<StoredMember?> Member(AllocationKey key);

    /// <summary>The user's memberships of contracts of the client, past ones too, by contract id.</summary>
    Task<Page<Allowance>> Memberships(UserKey user, PageRequest page);

    /// <summary>By creation, then lot id; of one payment, or null: of any.</summary>
    Task<Page<Lot>> Lots(string contractId, string? paymentId, PageRequest page);

    /// <summary>A lot; null where there is none.</summary>
    Task<Lot?> Lot(string contractId, string lotId);

    /// <summary>A contract's credits that lie apart from their lots and have not expired (P5).</summary>
    Task<ImmutableArray<Lot>> Apart(string contractId);

    Task<Report?> Report(ReportKey key);

    /// <summary>The clients that have a report of that id.</summary>
    Task<ImmutableArray<string>> ClientsOf(string reportId);

    /// <summary>By instant, then report id.</summary>
    Task<Page<Report>> Reports(ReportFilter filter, PageRequest page);

    /// <summary>By creation, then credit id; untouched credits too (P4).</summary>
    Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page);

    Task<CreditDocument?> Credit(CreditId id, Instant now);

    /// <summary>Those of the credits that have rows of their own.</summary>
    Task<ImmutableArray<CreditDocument>> Touched(IReadOnlyCollection<CreditId> ids, Instant now);

    /// <summary>Lots that pass what the filter asks of lots, of one of these payments; null: of any, and only those with untouched credits or rows.</summary>
    Task<ImmutableArray<CountedLot>> CountLots(CreditFilter filter, IReadOnlyCollection<string>? paymentIds, Instant now);

    /// <summary>How many credits with rows of their own pass a filter, whatever its status: those that have not expired, and those that have.</summary>
    Task<(long Allocated, long Expired)> CountTouched(CreditFilter filter, Instant now);

    /// <summary>Payments and what was bought with each, by client, then payment; each null: any.</summary>
    Task<Page<PaymentLots>> Payments(string? clientId, string? contractId, PageRequest page);

    /// <summary>Contracts for which something fell due at or before <paramref name="now"/> and is not booked; each null: any.</summary>
    Task<ImmutableArray<StoredContract>> Due(string? contractId, string? clientId, Instant now);

    /// <summary>The entries that tell of a credit, in the order of booking: how its lot came and what became of that as long as the credit lay in it; and what the report did that it is used by.</summary>
    Task<ImmutableArray<BookedEntry>> History(CreditDocument credit);

    /// <summary>Sums over reports, and over what was given back of them.</summary>
    Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter);

    /// <summary>In the order of booking.</summary>
    Task<Page<BookedEntry>> Ledger(LedgerFilter filter, PageRequest page);

    /// <summary>Before the first entry of the store's present history that is not archived.</summary>
    Task<FeedPlace> FeedStart();

    /// <summary>
    /// Up to <paramref name="limit"/> entries behind a place in the feed; only those before which none can come any more (G4). Throws
    /// <see cref="CursorGoneException"/> where the place is of another history, or before <see cref="FeedStart"/>.
    /// </summary>
    Task<ImmutableArray<FedEntry>> Feed(FeedFilter filter, FeedPlace after, int limit);

    /// <summary>The place of the last of them.</summary>
    Task<FeedPlace> FeedEnd();

    /// <summary>
    /// A contract's balance as of <paramref name="at"/>, or now where that is null, on one snapshot (G3); null where there is no such contract. Throws
    /// <see cref="ArchivedException"/>.
    /// </summary>
    Task<ContractBalance?> Balance(string contractId, Instant? at, Instant now);

    /// <summary>
    /// A contract's statement between two local dates, both included, on one snapshot (G5); null where there is no such contract. Throws
    /// <see cref="ArchivedException"/>.
    /// </summary>
    Task<ContractStatement?> Statement(string contractId, LocalDate from, LocalDate to, Instant now);

    /// <summary>The same of an account.</summary>
    Task<AccountStatement?> AccountStatement(string accountId, LocalDate from, LocalDate to, Instant now);

    Task<AccountTerms?> Account(string accountId);

    /// <summary>By account id.</summary>
    Task<Page<AccountTerms>> Accounts(string? clientId, PageRequest page);

    /// <summary>By creation, then purchase id.</summary>
    Task<Page<Purchase>> Purchases(string accountId, PageRequest page);

    Task<Purchase?> Purchase(string accountId, string purchaseId);

    /// <summary>Every purchase made at or before <paramref name="at"/>, and what of it was allocated by then, by its records; null: as they are.</summary>
    Task<ImmutableArray<PurchaseFacts>> PurchasesAsOf(string accountId, Instant? at);

    Task<Project?> Project(string projectId);

    /// <summary>Those projects by id; what is not there is left out.</summary>
    Task<ImmutableDictionary<string, Project>> Projects(IReadOnlyCollection<string> projectIds);

    /// <summary>By project id.</summary>
    Task<Page<Project>> Projects(ProjectFilter filter, PageRequest page);

    Task<Milestone?> Milestone(string milestoneId);

    /// <summary>By milestone id.</summary>
    Task<Page<Milestone>> Milestones(MilestoneFilter filter, PageRequest page);

    /// <summary>By account, then number.</summary>
    Task<Page<Consumption>> Consumptions(RecordFilter filter, PageRequest page);

    /// <summary>By account, then allocation id.</summary>
    Task<Page<AllocationRecord>> AllocationRecords(RecordFilter filter, PageRequest page);

    Task<ServicesSettings> ServicesSettings();

    /// <summary>
    /// Recomputes a contract from its entries, on one snapshot (G2), starting from its last checkpoint if it has one; null where there is no such
    /// contract.
    /// </summary>
    /// <param name="isFull">Adds up every entry that is not archived, counts every row, and compares the checkpoints with the entries, too.</param>
    Task<Audit?> Audit(string contractId, bool isFull = false);

    /// <summary>Recomputes an account from its entries and records, on one snapshot (G2); null where there is no such account.</summary>
    Task<AccountAudit?> AuditAccount(string accountId);

    /// <summary>Looks at the store itself, however busy it is; throws <see cref="StoreUnavailableException"/> where it cannot be read.</summary>
    Task<StoreView> Look();
}

/// <param name="Limit">1 to 1,000 items.</param>
/// <param name="After">The cursor of the page before; null: the first page.</param>
/// <param name="IsDescending">From the list's end to its beginning; each cursor is of one order.</param>
public sealed record PageRequest(int Limit, string? After, bool IsDescending = false)
{
    /// <summary>What the cursor of such a list says; null: the first page. Throws <see cref="InvalidCursorException"/>.</summary>
    public CursorParts? Read(string list, int count) => After is { } cursor ? Cursor.Read(cursor, Cursor.ListOf(list, IsDescending), count) : null;

    /// <summary>The cursor behind an item of such a list.</summary>
    public string Behind(string list, params IEnumerable<object> place) => Cursor.After(Cursor.ListOf(list, IsDescending), place);
}

/// <summary>A place in a list: unique, and compared as the list is ordered.</summary>
public interface IPlace<TSelf> : IComparable<TSelf>
{
    /// <summary>The cursor behind it.</summary>
    string AsCursor(PageRequest page);
}

/// <summary>A page of a list that is put together from several sources.</summary>
/// <param name="After">Where it begins; null: with the first.</param>
public sealed record PlacedPage<TPlace>(PageRequest Request, TPlace? After) where TPlace : class, IPlace<TPlace>
{
    public int Limit => Request.Limit;

    public bool IsDescending => Request.IsDescending;

    /// <summary>Whether what lies there is not of an earlier page.</summary>
    public bool IsBehind(TPlace place) => After is null || (IsDescending ? place.CompareTo(After) < 0 : place.CompareTo(After) > 0);

    /// <summary>Items as the list is ordered.</summary>
    public IEnumerable<T> Sort<T>(IEnumerable<T> items, Func<T, TPlace> place) => IsDescending ? items.OrderByDescending(place) : items.OrderBy(place);

    /// <summary>The page of items that are in order; more than asked for, or <paramref name="hasMore"/>: there is a next page.</summary>
    public Page<T> Cut<T>(IReadOnlyList<T> items, Func<T, TPlace> place, bool hasMore = false) => new(
        [.. items.Take(Limit)], items.Count > Limit || hasMore ? place(items[Math.Min(Limit, items.Count) - 1]).AsCursor(Request) : null);
}

/// <param name="Next">Where the next page begins; null: there is none.</param>
public sealed record Page<T>(ImmutableArray<T> Items, string? Next);

/// <summary>A cursor that this list did not make, or not in this order.</summary>
public sealed class InvalidCursorException() : Exception("cursor must be one that this list gave, in the same order.");

/// <summary>Each null: any. <paramref name="From"/> included, <paramref name="To"/> excluded.</summary>
public sealed record ReportFilter(string? ClientId, string? ContractId, string? UserId, Instant? From, Instant? To);

/// <summary>Each null: any (P4). Of each range the beginning is included and the end is not; what never expires is in no range of expiry.</summary>
public sealed record CreditFilter(string? ClientId, string? ContractId, CreditStatus? Status, string? PlayerId, string? UserId, string? LotId, string? PaymentId)
{
    public Instant? CreatedFrom { get; init; }

    public Instant? CreatedTo { get; init; }

    public Instant? ExpiresFrom { get; init; }

    public Instant? ExpiresTo { get; init; }

    /// <summary>Whether it asks for more than a lot knows of its credits: player, user, expiry, or the creation of minted ones.</summary>
    public bool AsksForCredits => this is not { PlayerId: null, UserId: null, ExpiresFrom: null, ExpiresTo: null, CreatedFrom: null, CreatedTo: null };

    public bool Passes(CreditDocument credit) =>
        (ClientId ?? credit.ClientId) == credit.ClientId && (ContractId ?? credit.ContractId) == credit.ContractId
        && (Status ?? credit.Status) == credit.Status && (PlayerId ?? credit.PlayerId) == credit.PlayerId
        && (UserId ?? credit.UsedBy) == credit.UsedBy && (LotId ?? credit.LotId) == credit.LotId
        && (PaymentId ?? credit.PaymentId) == credit.PaymentId && PassesCreation(credit.CreatedAt) && PassesExpiry(credit.ExpiresAt);

    public bool Passes(ListedLot listed) =>
        (ClientId ?? listed.ClientId) == listed.ClientId && (ContractId ?? listed.ContractId) == listed.ContractId
        && (LotId ?? listed.Lot.LotId) == listed.Lot.LotId && (PaymentId ?? listed.Lot.PaymentId) == listed.Lot.PaymentId
        && PassesCreation(listed.Lot.CreatedAt);

    public bool PassesExpiry(Instant? at) => (ExpiresFrom is null && ExpiresTo is null) || (at is not null && !(at < ExpiresFrom) && !(at >= ExpiresTo));

    private bool PassesCreation(Instant at) => !(at < CreatedFrom) && !(at >= CreatedTo);
}

/// <summary>A lot, or a credit that lies apart from one, and its credits that have rows of their own.</summary>
/// <param name="Touched">How many those are.</param>
/// <param name="Over">How many of them have expired.</param>
public sealed record CountedLot(ListedLot Listed, long Touched, long Over);

/// <summary>Each null: any. From and to are effective instants, <see cref="From"/> included, <see cref="To"/> excluded.</summary>
public sealed record LedgerFilter(string? ClientId, string? ContractId, string? UserId, string? ReportId, string? AccountId = null)
{
    public EntryKind? Kind { get; init; }

    public string? Actor { get; init; }

    public Instant? From { get; init; }

    public Instant? To { get; init; }
}

/// <summary>Each null: any.</summary>
public sealed record ProjectFilter(string? ClientId, string? AccountId);

/// <summary>Each null: any.</summary>
public sealed record MilestoneFilter(string? ClientId, string? ProjectId)
{
    /// <summary>Of projects that are the account's.</summary>
    public string? AccountId { get; init; }

    /// <summary>In its one spelling.</summary>
    public string? Status { get; init; }

    /// <summary>Whether the services credits are wholly allocated.</summary>
    public bool? IsAllocated { get; init; }
}

/// <summary>Each null: any.</summary>
public sealed record RecordFilter(string? AccountId, string? MilestoneId);

/// <summary>What was asked for rests on entries that are archived (G3, G5).</summary>
/// <param name="asked">What asked for it.</param>
/// <param name="first">The first instant or day of which everything is known.</param>
public sealed class ArchivedException(string asked, string first) : Exception($"{asked} must not be before {first}: the ledger before is archived.")
{
    public string Field => asked;
}

/// <summary>A ledger entry and its place in the order of booking.</summary>
public sealed record BookedEntry(long EntryId, Entry Entry);

/// <summary>A credit as it is shown (P1).</summary>
public record CreditDocument(
    CreditId CreditId, string ClientId, string ContractId, string LotId, string PaymentId, string? UsedBy, string? PlayerId, string? PlayerName,
    CreditStatus Status, Instant CreatedAt, Instant? ExpiresAt, Instant? ActivatedAt, string? ReportId)
{
    /// <summary>Whether it lies untouched in its lot: the lot's expiry is its own.</summary>
    [JsonIgnore]
    public bool IsInLot { get; init; }

    /// <summary>Whether it is held by a hold that has ended: it goes back once that is booked (R8).</summary>
    [JsonIgnore]
    public bool IsHoldOver { get; init; }

    /// <summary>A touched credit at that instant.</summary>
    public static CreditDocument Of(Credit credit, Instant now) => new(
        credit.Id, credit.ClientId, credit.Id.ContractId, credit.Id.LotId, credit.PaymentId, credit.UsedBy, credit.PlayerId, credit.PlayerName,
        credit.StatusAt(now), credit.CreatedAt, credit.CoversUntil, credit.ActivatedAt, credit.ReportId) { IsHoldOver = credit.HeldUntil <= now };

    /// <summary>A credit that nobody has touched, derived from its lot (P1).</summary>
    public static CreditDocument Untouched(string clientId, CreditId id, Lot lot, Instant now) => new(
        id, clientId, id.ContractId, id.LotId, lot.PaymentId, null, null, null,
        lot.Withdrawn.Contains(id.Ordinal) ? CreditStatus.Withdrawn : now >= lot.ExpiresAt ? CreditStatus.Expired : CreditStatus.Unallocated,
        lot.CreatedAt, lot.ExpiryOf(id.Ordinal), null, null) { IsInLot = lot.Apart == 0 };
}

/// <summary>Which entries tell of a credit.</summary>
public static class History
{
    /// <summary>Of its lot.</summary>
    public static readonly ImmutableArray<EntryKind> OfLot = [EntryKind.LotGranted, EntryKind.LotSet, EntryKind.LotExpired, EntryKind.LotWithdrawn];

    /// <summary>Of its lot and its report.</summary>
    public static readonly ImmutableArray<EntryKind> OfReport = [EntryKind.CreditsMinted, EntryKind.CreditsCharged, EntryKind.CoverageExpired, EntryKind.CreditsReturned];

    /// <summary>A credit's history, in the order of booking.</summary>
    /// <param name="ofLot">Of its lot and its reports.</param>
    /// <param name="ofCredit">Of the credit alone; a report that tells of charging it so does not charge it with its lot's others.</param>
    public static ImmutableArray<BookedEntry> Of(CreditDocument credit, IEnumerable<BookedEntry> ofLot, IReadOnlyCollection<BookedEntry> ofCredit)
    {
        var left = credit.IsInLot ? null : credit.ActivatedAt ?? ofCredit.Max(booked => (Instant?)booked.Entry.EffectiveAt);
        var chargedAlone = ofCredit.Select(booked => booked.Entry).Where(entry => entry.Kind == EntryKind.CreditsCharged).Select(entry => entry.ReportId).OfType<string>().ToHashSet();
        return [.. ofLot.Where(booked => Concerns(credit, booked.Entry, left) && !(booked.Entry is { Kind: EntryKind.CreditsCharged, ReportId: { } report } && chargedAlone.Contains(report)))
            .Concat(ofCredit).DistinctBy(booked => booked.EntryId).OrderBy(booked => booked.EntryId)];
    }

    // An entry that tells of a single credit is that one's; once a credit has left its lot, the lot's changes are no longer its own.
    private static bool Concerns(CreditDocument credit, Entry entry, Instant? left)
    {
        if (Subjects.AsCredit(entry.Subject) is { } alone) return alone == credit.CreditId;
        if (entry.Kind == EntryKind.LotWithdrawn) return Runs.Parse(Json.Read<Withdrawal>(entry.After!).Credits).Contains(credit.CreditId.Ordinal);
        return left is not { } at || entry.Kind is not (EntryKind.LotSet or EntryKind.LotExpired) || entry.EffectiveAt < at;
    }
}
