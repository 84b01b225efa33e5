using System.Collections.Immutable;
using System.Text.Json.Serialization;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A contract: its terms, pool and users. It commits everything that draws on it.</summary>
public interface IContract
{
    Task<Decision<ContractDocument>> Set(SetTerms set);

    /// <summary>Adds a lot. The same id or key and the same request again: the first answer; another request under it is refused.</summary>
    Task<Decision<GrantedLot>> Grant(GrantLot grant, RequestKey? key);

    Task<Decision<ImmutableArray<Member>>> ReplaceUsers(ImmutableArray<UserName> users, string actor);

    Task<Decision<ImmutableArray<Member>>> AssignUser(UserName user, string actor);

    Task<Decision<ImmutableArray<Member>>> RemoveUser(string userId, string actor);

    /// <summary>Shows what a change of the allocation would do, and keeps it for a while so that its token confirms it (A7).</summary>
    Task<Decision<Window>> Preview(AllocationChange change, string actor);

    /// <summary>Does what was previewed; the same token again: the first answer.</summary>
    Task<Decision<AllocationAnswer>> Confirm(string token, string actor);

    /// <summary>Changes the allocation at once; <paramref name="seen"/>: the window's version that the caller has seen (If-Match), null: any.</summary>
    Task<Decision<AllocationAnswer>> Allocate(AllocationChange change, string? seen, string actor);

    /// <summary>Adds extra credits, or takes unused ones back (A5). The same key and request again: the first answer.</summary>
    Task<Decision<GrantedExtra>> GrantExtra(GrantExtra grant, RequestKey? key);

    /// <summary>Changes one credit by hand (P5), and answers it as it then is.</summary>
    Task<Decision<Credit>> Edit(EditCredit edit);

    Task<ChargeAnswer> Charge(ChargeCredits charge);

    /// <summary>What <see cref="Charge"/> would answer; nothing changes (R6).</summary>
    Task<ChargeAnswer> Rehearse(ChargeCredits charge);

    /// <summary>What stands against a report whose user was refused: the contract's own refusal comes first (R2).</summary>
    Task<Refusal> Explain(Refusal refusal);

    /// <summary>Books what fell due (T3).</summary>
    Task WakeUp();
}

/// <summary>A contract's terms and their revision; <paramref name="Plan"/> null: nothing was ever decided about its allocation.</summary>
public sealed record ContractDocument(
    Terms Terms, long Revision, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Plan? Plan = null, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool HasApart = false);

/// <summary>A contract's allocation as it now is; <paramref name="Replayed"/>: that was the first answer.</summary>
public sealed record AllocationAnswer(Window Window, bool Replayed);

/// <summary>A user's row after extra credits; <paramref name="Replayed"/>: that was the first answer.</summary>
public sealed record GrantedExtra(AllocationRow Row, bool Replayed);

/// <summary>A lot as it was when it was added; <paramref name="Replayed"/>: that was before.</summary>
public sealed record GrantedLot(Lot Lot, bool Replayed);

/// <summary>An Idempotency-Key, hashed, and what the request asked.</summary>
public sealed record RequestKey(string Key, string Fingerprint);

/// <summary>What came of a charge.</summary>
[JsonDerivedType(typeof(Charged), "charged")]
[JsonDerivedType(typeof(Refused), "refused")]
[JsonDerivedType(typeof(Outdated), "outdated")]
public abstract record ChargeAnswer
{
    private ChargeAnswer() { }

    /// <summary>Durable.</summary>
    public sealed record Charged(Report Report, ImmutableArray<Credit> Credits) : ChargeAnswer;

    public sealed record Refused(Refusal Refusal) : ChargeAnswer;

    /// <summary>What it rested on has changed, or the commit's outcome is unknown: look for the report's record, then ask again.</summary>
    public sealed record Outdated : ChargeAnswer;
}

/// <summary>A user of a client.</summary>
public interface IUser
{
    /// <summary>Disables or enables the user for all contracts of the client (C3).</summary>
    Task<Decision<User>> Switch(bool disabled, string actor);
}

/// <summary>What one user may use of one contract.</summary>
public interface IAllocation
{
    /// <summary>Promises credits to a report, in memory, until it settles or its lease is over.</summary>
    Task<HoldAnswer> Hold(Claimant by, long credits);

    /// <summary>What <see cref="Hold"/> would answer, read anew; nothing is held.</summary>
    Task<HoldAnswer> Peek(long credits);

    /// <summary>The report ended: what it held was used, or not.</summary>
    Task Settle(Claimant by, bool used);

    /// <summary>What is in memory may be old: it is read anew before the next answer.</summary>
    Task Forget();

    /// <summary>Books the cycles that have begun (T3).</summary>
    Task WakeUp();
}

/// <summary>A promise, or the reason for none; neither: nothing can be said now, ask again.</summary>
public sealed record HoldAnswer(Hold? Hold, Refusal? Refusal);

/// <summary>Who claims: the report, one of its attempts, and its rank; the one opened first is the older.</summary>
public sealed record Claimant(string ReportId, Instant OpenedAt, int Attempt)
{
    public bool IsOlderThan(Claimant other) =>
        OpenedAt != other.OpenedAt ? OpenedAt < other.OpenedAt : string.CompareOrdinal(ReportId, other.ReportId) < 0;

    /// <summary>Whether this is the same report's same or later attempt, so that it takes over what the other has claimed.</summary>
    public bool Continues(Claimant? other) =>
        other is not null && ReportId == other.ReportId && (OpenedAt != other.OpenedAt ? OpenedAt > other.OpenedAt : Attempt >= other.Attempt);
}

/// <summary>A player of a client and the player's current credit.</summary>
public interface IPlayerCredit
{
    /// <summary>Asks to charge the player. An older report waits for a younger one's claim; a younger one is told that the player is busy (R4).</summary>
    Task<ClaimAnswer> Claim(Claimant by);

    /// <summary>The player's current credit, claimed or not, read anew.</summary>
    Task<Credit?> Peek();

    /// <summary>Lets a claim go; <paramref name="outdated"/>: what is in memory may be old.</summary>
    Task Release(Claimant by, bool outdated);

    /// <summary>The report charged the player: the claim ends, and this is the player's credit now.</summary>
    Task Settle(Claimant by, Credit credit);

    /// <summary>Returns when a claim of that report would no longer be told that the player is busy, or after a lease at the latest.</summary>
    Task WhenFree(Claimant by);
}

public enum ClaimKind { Covered, Claimed, Busy }

/// <summary>What came of a claim, and the player's current credit, over or not.</summary>
public sealed record ClaimAnswer(ClaimKind Kind, Credit? Credit);

/// <summary>A report: coordinator and idempotency record (R1 to R6).</summary>
public interface IReport
{
    Task<ReportAnswer> Submit(SubmitReport submit);
}

public sealed record PlayerName(string PlayerId, string? Name);

/// <summary>A report to be made: 1 to 1,000 players, each once (R1).</summary>
public sealed record SubmitReport(string ContractId, string UserId, ImmutableArray<PlayerName> Players, string Actor, bool DryRun)
{
    /// <summary>The request's Idempotency-Key; null: it came without one.</summary>
    public RequestKey? Key { get; init; }
}

/// <summary>What came of a report.</summary>
[JsonDerivedType(typeof(First), "first")]
[JsonDerivedType(typeof(Replayed), "replayed")]
[JsonDerivedType(typeof(Refused), "refused")]
[JsonDerivedType(typeof(Rehearsed), "rehearsed")]
public abstract record ReportAnswer
{
    private ReportAnswer() { }

    public sealed record First(Report Report) : ReportAnswer;

    /// <summary>The first answer again (R3).</summary>
    public sealed record Replayed(Report Report) : ReportAnswer;

    public sealed record Refused(Refusal Refusal) : ReportAnswer;

    /// <summary>What would happen (R6).</summary>
    public sealed record Rehearsed(Report Report, Refusal? Refusal) : ReportAnswer;
}
