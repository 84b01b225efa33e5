using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A contract: its terms, pool, plan and users. It decides alone on everything that draws on it; its key is the contract's id.</summary>
public interface IContractGrain : IGrainWithStringKey
{
    /// <summary>Makes a contract, or changes its terms. The same key and request again, where there is a contract: the first answer.</summary>
    Task<Decision<Answered<ContractDocument>>> Set(SetTerms set, RequestKey? key = null);

    /// <summary>Adds a lot. The same id or key and the same request again: the first answer; another request under it is refused.</summary>
    Task<Decision<GrantedLot>> Grant(GrantLot grant, RequestKey? key);

    /// <param name="seen">The plan's version that the caller has seen (If-Match); null: any.</param>
    Task<Decision<ImmutableArray<Member>>> ReplaceUsers(ImmutableArray<UserName> users, string actor, long? seen = null);

    /// <summary>Assigns users, and answers all who are assigned then. The same key and request again: the first answer.</summary>
    Task<Decision<Answered<ImmutableArray<UserName>>>> AddUsers(ImmutableArray<UserName> users, string actor, RequestKey? key = null);

    Task<Decision<ImmutableArray<Member>>> AssignUser(UserName user, string actor);

    Task<Decision<ImmutableArray<Member>>> RemoveUser(string userId, string actor);

    /// <summary>Shows what a change of the allocation would do, and keeps it for a while so that its token confirms it (A7).</summary>
    Task<Decision<AllocationAnswer>> Preview(AllocationChange change, string actor, RequestKey? key = null);

    /// <summary>Does what was previewed; the same token again: the first answer.</summary>
    Task<Decision<AllocationAnswer>> Confirm(string token, string actor, RequestKey? key = null);

    /// <summary>Changes the allocation at once; <paramref name="seen"/>: the window's version that the caller has seen (If-Match), null: any.</summary>
    Task<Decision<AllocationAnswer>> Allocate(AllocationChange change, string? seen, string actor, RequestKey? key = null);

    /// <summary>Adds extra credits, or takes unused ones back (A5). The same key and request again: the first answer.</summary>
    Task<Decision<GrantedExtra>> GrantExtra(GrantExtra grant, RequestKey? key);

    /// <summary>Changes one credit by hand (P5), and answers it as it then is.</summary>
    Task<Decision<Answered<EditedCredit>>> Edit(EditCredit edit, RequestKey? key = null);

    /// <summary>Takes unallocated credits of a lot back (L6), and answers the lot as it then is. The same key and request again: the first answer.</summary>
    Task<Decision<Answered<CorrectedLot>>> Withdraw(WithdrawCredits withdraw, RequestKey? key = null);

    /// <summary>Changes a lot (L6), and answers it as it then is. The same key and request again: the first answer.</summary>
    Task<Decision<Answered<CorrectedLot>>> ChangeLot(ChangeLot change, RequestKey? key = null);

    /// <summary>Makes a report (R1 to R6). The same report again: the first answer.</summary>
    Task<ReportAnswer> Charge(ChargeReport report);

    /// <summary>Gives back what a report charged (R7).</summary>
    Task<Decision<Answered<UndoneReport>>> Void(VoidReport request, RequestKey? key = null);

    /// <summary>Charges a hold for good, wholly or for some of its players (R8).</summary>
    Task<Decision<Answered<UndoneReport>>> Capture(CaptureReport request, RequestKey? key = null);

    /// <summary>Books what fell due (T3), and sets the reminder of what falls due next.</summary>
    Task WakeUp();
}

/// <summary>A credit as an edit has left it, at the instant of that.</summary>
public sealed record EditedCredit(Credit Credit, Instant At);

/// <summary>A lot as a correction has left it, at the instant of that.</summary>
public sealed record CorrectedLot(WholeLot Lot, Instant At);

/// <summary>A contract's allocation as it now is; <paramref name="Replayed"/>: that was the first answer.</summary>
public sealed record AllocationAnswer(Window Window, bool Replayed);

/// <summary>A user's row after extra credits; <paramref name="Replayed"/>: that was the first answer.</summary>
public sealed record GrantedExtra(AllocationRow Row, bool Replayed);

/// <summary>A lot as it was when it was added; <paramref name="Replayed"/>: that was before.</summary>
public sealed record GrantedLot(Lot Lot, bool Replayed);

/// <summary>The answer to a report.</summary>
[GenerateSerializer, Immutable]
public abstract record ReportAnswer
{
    private ReportAnswer() { }

    /// <summary>Durable.</summary>
    [GenerateSerializer, Immutable]
    public sealed record First(Report Report) : ReportAnswer;

    /// <summary>The first answer again (R3).</summary>
    [GenerateSerializer, Immutable]
    public sealed record Replayed(Report Report) : ReportAnswer;

    [GenerateSerializer, Immutable]
    public sealed record Refused(Refusal Refusal) : ReportAnswer;

    /// <summary>What would happen (R6).</summary>
    [GenerateSerializer, Immutable]
    public sealed record Rehearsed(Report Report, Refusal? Refusal) : ReportAnswer;
}

/// <summary>This activation has found another one of its grain at work: nothing has happened, and the call must be sent again.</summary>
public sealed class AskAgainException(string grain) : Exception($"{grain} has moved; ask again.");
