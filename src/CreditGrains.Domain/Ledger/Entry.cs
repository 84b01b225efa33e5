using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The kind of a ledger entry (G1).</summary>
public enum EntryKind
{
    /// <summary>A contract was made, or its terms changed: <c>before</c> and <c>after</c> are the terms.</summary>
    ContractSet,

    /// <summary>A lot was granted: its credits are unallocated.</summary>
    LotGranted,

    /// <summary>A lot's expiry moved with its contract's end (L4), or its expiry, begin or payment was changed by hand (L6); no credit moves.</summary>
    LotSet,

    /// <summary>Unallocated credits of a lot were taken back by hand (L6); <c>after</c> names their ordinals.</summary>
    LotWithdrawn,

    /// <summary>Unallocated credits expired, with their lot (L4) or apart from it (P5); a negative quantity takes an expiry back (P5).</summary>
    LotExpired,

    /// <summary>Credits of an unlimited contract were minted as they were used (C2).</summary>
    CreditsMinted,

    /// <summary>Unallocated credits were allocated to players (P2).</summary>
    CreditsCharged,

    /// <summary>The coverage of allocated credits ended (P3); a negative quantity takes an end back (P5).</summary>
    CoverageExpired,

    /// <summary>A user was assigned to a contract, renamed or removed, or named in the directory (C3).</summary>
    UserSet,

    /// <summary>A user was disabled or enabled, for all contracts of the client (C3).</summary>
    UserSwitched,

    /// <summary>Cycles of a user began (A3): the first start, or renewals, which end what was left unused.</summary>
    CyclesBegun,

    /// <summary>A user's settings or start date changed, and the cycles started anew (A6).</summary>
    AllocationSet,

    /// <summary>Extra credits were granted to a user; a negative quantity takes them back (A5).</summary>
    ExtraGranted,

    /// <summary>A contract's allocation was switched on or off (A8).</summary>
    AllocationSwitched,

    /// <summary>A contract's default settings changed (A9).</summary>
    DefaultsSet,

    /// <summary>Allocated credits returned to their lot, or apart from it, and their use to the user (P5, R7, R8).</summary>
    CreditsReturned,

    /// <summary>An account was made or renamed (S1).</summary>
    AccountSet,

    /// <summary>A project was made or changed (S1).</summary>
    ProjectSet,

    /// <summary>A milestone was made or changed (S1, S3).</summary>
    MilestoneSet,

    /// <summary>The settings of all accounts changed (S5).</summary>
    SettingsSet,

    /// <summary>Services credits were bought; they are available (S1). Later ones correct the quantity (L6); a negative number lowers it.</summary>
    ServicesCreditsBought,

    /// <summary>Services credits of a purchase were allocated to a milestone (S2).</summary>
    ServicesCreditsAllocated,

    /// <summary>A milestone returned services credits to a purchase (S3, L3).</summary>
    ServicesCreditsReturned,

    /// <summary>Services credits of a purchase that no milestone held expired (S6, L3, L6); a negative number takes an expiry back (L6).</summary>
    ServicesCreditsExpired,

    /// <summary>A credit's expiry or its player's name was changed by hand (P5); its status stays.</summary>
    CreditSet,

    /// <summary>A purchase's days, quantity, end or description were changed by hand (L6): <c>before</c> and <c>after</c> are its terms.</summary>
    PurchaseSet,

    /// <summary>A hold was captured: its report is charged for good (R8); no credit moves.</summary>
    HoldCaptured,
}

/// <summary>One entry of the immutable ledger (G1): what moved or changed, when it took effect, when it was booked, by whom and why.</summary>
public sealed record Entry : Change
{
    public required EntryKind Kind { get; init; }

    /// <summary>When it took effect.</summary>
    public required Instant EffectiveAt { get; init; }

    /// <summary>When it was booked.</summary>
    public required Instant BookedAt { get; init; }

    /// <summary>The name of the caller's key, or <see cref="System"/> for what time does.</summary>
    public required string Actor { get; init; }

    public string? Reason { get; init; }

    /// <summary>One of <see cref="Causes"/>, or the subject of the milestone for which services credits moved (S2, S3).</summary>
    public required string Cause { get; init; }

    /// <summary>The thing that moved or changed, e.g. <c>lot:C1~L1</c>: one of <see cref="Subjects"/>.</summary>
    public required string Subject { get; init; }

    /// <summary>Credits moved; 0 where none did.</summary>
    public long Quantity { get; init; }

    /// <summary>Services credits moved; null: the entry is not about them.</summary>
    public decimal? ServicesCredits { get; init; }

    /// <summary>The subject before, as JSON; for a movement out of a lot: its unallocated credits.</summary>
    public string? Before { get; init; }

    /// <summary>The subject afterwards, as JSON.</summary>
    public string? After { get; init; }

    public required string ClientId { get; init; }

    public string? ContractId { get; init; }

    public string? UserId { get; init; }

    public string? ReportId { get; init; }

    public string? LotId { get; init; }

    /// <summary>The right by which the user used the credits: a cycle, e.g. <c>cycle:2.14</c>, or <c>extra</c>; null: no limit (A4, A8).</summary>
    public string? UsedOf { get; init; }

    public string? AccountId { get; init; }

    /// <summary>The client id of entries that concern all clients; it is no valid id of a client.</summary>
    public const string AllClients = "*";

    /// <summary>The actor of renewals and expiries.</summary>
    public const string System = "system";

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
