using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Business time (T4): the machine's clock or a test clock, in whole microseconds. Leases and timeouts run on a <see cref="TimeProvider"/> instead.</summary>
public interface IBusinessClock
{
    Instant Now { get; }
}

/// <summary>A clock that is moved by hand (T4).</summary>
public interface IMovableClock : IBusinessClock
{
    /// <summary>Moves forward to that instant and returns when all that fell due has been processed; false, and nothing moves, where it lies in the past.</summary>
    Task<bool> Advance(Instant to);
}

/// <summary>Reaches an actor wherever it lives; there is one of each at a time, and where there are two for a moment, the store's fences decide.</summary>
public interface IActors
{
    IContract Contract(string contractId);

    IUser User(UserKey key);

    IAllocation Allocation(AllocationKey key);

    IPlayerCredit PlayerCredit(PlayerKey key);

    IReport Report(ReportKey key);

    IAccount Account(string accountId);

    IServicesSettings ServicesSettings { get; }

    /// <summary>Whether an exception says that a message or its answer was lost, so that nobody knows whether it was carried out.</summary>
    bool IsLost(Exception exception);
}

/// <summary>Learns when time will next change an actor's state by itself, so that somebody wakes it then. Correctness never hangs on it (T3).</summary>
public interface IWakeups
{
    void Schedule(string contractId, Instant at);

    void Schedule(AllocationKey allocation, Instant at);

    void ScheduleAccount(string accountId, Instant at);
}

/// <summary>A versioned document: a contract's or an account's terms, a user, the settings, a preview, an idempotency key, a test clock.</summary>
/// <param name="Version">Its fence: rises by one with every commit that names it.</param>
/// <param name="AsOf">The last instant at which its actor decided.</param>
public sealed record Document(string Kind, string Id, long Version, string Body, Instant AsOf);

/// <summary>A contract's document and its open lots.</summary>
public sealed record StoredContract(Document Document, ImmutableArray<Lot> OpenLots);

/// <summary>An account's document and the purchases that have anything free.</summary>
public sealed record StoredAccount(Document Document, ImmutableArray<Purchase> OpenPurchases);

/// <summary>A user of a contract as the store has it, and the contract's document.</summary>
public sealed record StoredMember(Member Member, Document Contract);

/// <summary>Loads what actors own and commits what they decide. What it answers is durable; it throws <see cref="StoreUnavailableException"/> while it is away.</summary>
public interface IStore
{
    Task<Document?> Document(string kind, string id);

    Task<StoredContract?> Contract(string contractId);

    Task<ImmutableArray<Member>> Members(string contractId);

    /// <summary>A lot, or the credit of that ordinal where it lies, or has lain, apart from its lot.</summary>
    Task<Lot?> Lot(string contractId, string lotId, long apart = 0);

    /// <summary>The first entry that changed the expiry of a lot; null: none has.</summary>
    Task<Entry?> FirstExpirySet(string contractId, string lotId);

    Task<StoredMember?> Member(AllocationKey key);

    /// <summary>The player's current credit: the latest, over or not.</summary>
    Task<Credit?> CurrentCredit(PlayerKey key);

    /// <summary>A credit's row; null where it lies untouched in its lot, or there is none.</summary>
    Task<Credit?> Credit(CreditId id);

    Task<Report?> Report(ReportKey key);

    /// <summary>Up to <paramref name="limit"/> contracts for which something fell due at or before <paramref name="now"/>, earliest first.</summary>
    Task<ImmutableArray<string>> DueContracts(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> allocations of which a cycle ended at or before <paramref name="now"/> that was used, earliest first.</summary>
    Task<ImmutableArray<AllocationKey>> DueAllocations(Instant now, int limit);

    /// <summary>Up to <paramref name="limit"/> allocated credits that expired at or before <paramref name="now"/> and are not booked, earliest first.</summary>
    Task<ImmutableArray<Credit>> DueCredits(Instant now, int limit);

    Task<StoredAccount?> Account(string accountId);

    Task<Purchase?> Purchase(string accountId, string purchaseId);

    /// <summary>Those milestones, their projects and those projects, what the milestones hold from in that account, and the settings: of one instant.</summary>
    Task<ServicesFacts> Services(string accountId, IReadOnlyCollection<string> milestoneIds, IReadOnlyCollection<string> projectIds);

    /// <summary>Up to <paramref name="limit"/> accounts for which something fell due at or before <paramref name="now"/>, earliest first.</summary>
    Task<ImmutableArray<string>> DueAccounts(Instant now, int limit);

    /// <summary>Commits all of it, or nothing.</summary>
    Task<CommitResult> Commit(Commit commit);
}

/// <summary>The store is away, full or read-only: nothing that was asked has happened, or nobody can tell whether it has. A retry is safe (R5).</summary>
public sealed class StoreUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A stored state was written by a later version of this program; nothing is guessed.</summary>
public sealed class UnknownSchemaException(string what) : Exception($"{what} was written by a later version of CreditGrains.");
