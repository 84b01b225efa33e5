using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Business time (T4): the machine's clock or a test clock, in whole microseconds. Timeouts run on a <see cref="TimeProvider"/> instead.</summary>
public interface IBusinessClock
{
    Instant Now { get; }
}

/// <summary>A clock that is moved by hand (T4).</summary>
public interface IMovableClock : IBusinessClock
{
    /// <summary>
    /// Moves forward to that instant and returns it when all that fell due has been processed. Refuses an instant in the past with
    /// <see cref="RefusalCode.InvalidField"/>. The same key and request again: the first answer.
    /// </summary>
    Task<Decision<Answered<Instant>>> Advance(Instant to, RequestKey? key = null);
}

/// <summary>A versioned document: a contract's or an account's terms, the settings, a preview, an idempotency key.</summary>
/// <param name="Version">Its fence. A contract's or account's is its epoch: each activation of its grain raises it once.</param>
/// <param name="Owner">What it is listed under: a contract's client.</param>
/// <param name="AsOf">The last instant at which its grain decided.</param>
/// <param name="DueAt">When time will next change it by itself, or it can be forgotten; null: never.</param>
public sealed record Document(string Kind, string Id, long Version, string Body, string Owner, Instant AsOf, Instant? DueAt);

/// <summary>A contract's document and its open lots.</summary>
public sealed record StoredContract(Document Document, ImmutableArray<Lot> OpenLots)
{
    public StoredHolds Holds { get; init; } = StoredHolds.None;
}

/// <summary>The open holds of a contract, and all rows that their ends change (R8).</summary>
/// <param name="Credits">Those that are held.</param>
/// <param name="Reports">Those that hold them.</param>
/// <param name="Lots">The lots of those credits, and of credits that lie apart, that are not open any more.</param>
/// <param name="Members">The users who made the reports.</param>
public sealed record StoredHolds(ImmutableArray<Credit> Credits, ImmutableArray<Report> Reports, ImmutableArray<Lot> Lots, ImmutableArray<Member> Members)
{
    public static readonly StoredHolds None = new([], [], [], []);
}

/// <summary>An account's document and the purchases that have anything free.</summary>
public sealed record StoredAccount(Document Document, ImmutableArray<Purchase> OpenPurchases);

/// <summary>A user of a contract as the store has it, and the contract's document.</summary>
public sealed record StoredMember(Member Member, Document Contract);

/// <summary>Loads what grains own and commits what they decide. Its answers are durable; it throws <see cref="StoreUnavailableException"/> while it is away.</summary>
public interface IStore
{
    Task<Document?> Document(string kind, string id);

    Task<StoredContract?> Contract(string contractId);

    /// <summary>All users of a contract, past ones too.</summary>
    Task<ImmutableArray<Member>> Members(string contractId);

    Task<StoredMember?> Member(AllocationKey key);

    /// <summary>A user's own row; null: there is none, and the user is enabled.</summary>
    Task<User?> User(UserKey key);

    /// <summary>The own rows of those users of a client who have one, by user id.</summary>
    Task<ImmutableDictionary<string, User>> UserRows(string clientId, IReadOnlyCollection<string> userIds);

    /// <summary>Reads many rows set-wise, in one snapshot.</summary>
    Task<Rows> Read(Wanted wanted);

    /// <summary>A lot, or the credit of that ordinal where it lies, or has lain, apart from its lot.</summary>
    Task<Lot?> Lot(string contractId, string lotId, long apart = 0);

    /// <summary>A lot and its credits that lie, or have lain, apart from it, by ordinal.</summary>
    Task<ImmutableArray<Lot>> WholeLot(string contractId, string lotId);

    /// <summary>The first entry that changed a lot; null: none has.</summary>
    Task<Entry?> FirstLotSet(string contractId, string lotId);

    /// <summary>A credit's row; null where it lies untouched in its lot, or there is none.</summary>
    Task<Credit?> Credit(CreditId id);

    /// <summary>Up to <paramref name="limit"/> contracts for which something fell due at or before <paramref name="now"/>, earliest first.</summary>
    Task<ImmutableArray<string>> DueContracts(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> allocations of which a cycle ended at or before <paramref name="now"/> that was used, earliest first.</summary>
    Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> accounts for which something fell due at or before <paramref name="now"/>, earliest first.</summary>
    Task<ImmutableArray<string>> DueAccounts(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> clients with coverage that ended at or before <paramref name="now"/> and is not booked, each once.</summary>
    Task<ImmutableArray<string>> DueClients(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> endings of a client at or before <paramref name="now"/>, earliest first.</summary>
    Task<ImmutableArray<Ending>> DueEndings(string clientId, Instant now, int limit);

    /// <summary>The earliest ending of a client, past or to come; null: none.</summary>
    Task<Instant?> NextEnd(string clientId);

    Task<StoredAccount?> Account(string accountId);

    Task<Purchase?> Purchase(string accountId, string purchaseId);

    /// <summary>The first entry that changed a purchase; null: none has.</summary>
    Task<Entry?> FirstPurchaseSet(string accountId, string purchaseId);

    /// <summary>Those milestones, their projects and those projects, the purchases of that account that the milestones hold from, and the settings: of one instant.</summary>
    Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds);

    /// <summary>Commits all of it, or nothing.</summary>
    Task<CommitResult> Commit(Commit commit);

    /// <summary>Reads, decides and commits while no other commit of that client can come between (R4).</summary>
    /// <param name="decide">Runs once, synchronously.</param>
    Task<CommitResult> CommitAlone(Wanted wanted, Func<Rows, Commit> decide);

    /// <summary>Deletes remembered requests and previews that expire at or before this instant.</summary>
    Task Forget(Instant until);
}

/// <summary>
/// The store is away, full or read-only: nothing that was asked has happened, or nobody can tell whether it has. A retry is safe (R5). The cause is
/// told in words: a driver's exception would not be known where the caller is.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? cause = null)
    : Exception(cause is null ? message : $"{message} ({cause.GetType().Name}: {cause.GetBaseException().Message})");

/// <summary>A stored state was written by a later version of this program; nothing is guessed.</summary>
public sealed class UnknownSchemaException(string what) : Exception($"{what} was written by a later version of CreditGrains.");

/// <summary>The data cannot be used: another process has it, or another version of this program wrote it.</summary>
public sealed class DataRefusedException(string message, Exception? cause = null) : Exception(message, cause);
