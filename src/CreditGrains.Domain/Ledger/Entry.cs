using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What a ledger entry tells (G1).</summary>
public enum EntryKind
{
    /// <summary>A contract began to exist, or its terms changed: <c>before</c> and <c>after</c> are the terms.</summary>
    ContractSet,

    /// <summary>A lot came: credits from outside become unallocated.</summary>
    LotGranted,

    /// <summary>A lot's expiry moved with its contract's end (L4); no credit moves.</summary>
    LotExpirySet,

    /// <summary>Unallocated credits expired, with their lot (L4) or apart from it (P5); with a negative quantity that was taken back (P5).</summary>
    LotExpired,

    /// <summary>Credits of an unlimited contract came to be as they were used (C2).</summary>
    CreditsMinted,

    /// <summary>Unallocated credits became allocated to players (P2).</summary>
    CreditsCharged,

    /// <summary>The coverage of allocated credits ended (P3), or with a negative quantity its end was taken back (P5).</summary>
    CoverageExpired,

    /// <summary>A user was assigned to a contract, renamed or removed (C3).</summary>
    UserSet,

    /// <summary>A user was disabled or enabled, for all contracts of the client (C3).</summary>
    UserSwitched,

    /// <summary>A user's cycles began (A3): renewals, or the first start. What was left unused is gone.</summary>
    CyclesBegun,

    /// <summary>A user's settings or start date changed, and the cycles started anew (A6).</summary>
    AllocationSet,

    /// <summary>Extra credits were granted to a user, or with a negative quantity taken back (A5).</summary>
    ExtraGranted,

    /// <summary>A contract's rules for its users were switched on or off (A8).</summary>
    AllocationSwitched,

    /// <summary>A contract's default settings changed (A9).</summary>
    DefaultsSet,

    /// <summary>Allocated credits went back to their lot, or apart from it, and their use to the user (P5).</summary>
    CreditsReturned,

    /// <summary>An account began to exist, or was renamed (S1).</summary>
    AccountSet,

    /// <summary>A project began to exist, or changed (S1).</summary>
    ProjectSet,

    /// <summary>A milestone began to exist, or changed (S1, S3).</summary>
    MilestoneSet,

    /// <summary>Settings of all accounts changed (S5).</summary>
    SettingsSet,

    /// <summary>Services credits were bought: they are free (S1).</summary>
    ServicesCreditsBought,

    /// <summary>Free services credits of a purchase became a milestone's (S2).</summary>
    ServicesCreditsAllocated,

    /// <summary>A milestone gave services credits back to a purchase: they are free (S3, L3).</summary>
    ServicesCreditsReturned,

    /// <summary>Free services credits of a purchase expired (S6, L3).</summary>
    ServicesCreditsExpired,

    /// <summary>A credit's expiry, or its player's name, was changed by hand (P5); its status stays.</summary>
    CreditSet,
}

/// <summary>One line of the immutable ledger (G1): what moved or changed, when it took effect, when it was booked, by whom and why.</summary>
public sealed record Entry : Change
{
    public required EntryKind Kind { get; init; }

    /// <summary>When it took effect.</summary>
    public required Instant EffectiveAt { get; init; }

    /// <summary>When it was written down.</summary>
    public required Instant BookedAt { get; init; }

    /// <summary>Who: the name of a key, or <c>system</c> for what time does.</summary>
    public required string Actor { get; init; }

    public string? Reason { get; init; }

    /// <summary>What brought it about: one of <see cref="Causes"/>, or the milestone that services credits moved for (S3).</summary>
    public required string Cause { get; init; }

    /// <summary>What changed, e.g. <c>lot:C1~L1</c>: one of <see cref="Subjects"/>.</summary>
    public required string Subject { get; init; }

    /// <summary>Credits moved; 0 where none did.</summary>
    public long Quantity { get; init; }

    /// <summary>Services credits moved; null where the entry is not about them.</summary>
    public decimal? ServicesCredits { get; init; }

    /// <summary>What the subject was, as JSON: for a movement out of a lot, what the lot had free.</summary>
    public string? Before { get; init; }

    /// <summary>What the subject is now, as JSON.</summary>
    public string? After { get; init; }

    public required string ClientId { get; init; }

    public string? ContractId { get; init; }

    public string? UserId { get; init; }

    public string? ReportId { get; init; }

    public string? LotId { get; init; }

    /// <summary>Of which right the user used the credits: a cycle, e.g. <c>cycle:2.14</c>, or <c>extra</c>; null: no limit (A4, A8).</summary>
    public string? UsedOf { get; init; }

    public string? AccountId { get; init; }

    /// <summary>The client of what concerns all of them; no client's id looks like it.</summary>
    public const string AllClients = "*";

    /// <summary>The actor of what time does by itself.</summary>
    public const string System = "system";

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
