using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Every reason to refuse a command, in the order in which they are checked.</summary>
public enum RefusalCode
{
    /// <summary>No such contract, user, lot ... of this client.</summary>
    NotFound,

    /// <summary>A field breaks a rule; <see cref="Refusal.Field"/> says which.</summary>
    InvalidField,

    /// <summary>The document has changed since the version that the caller named (If-Match).</summary>
    PreconditionFailed,

    /// <summary>C2: an unlimited contract has no user allocation.</summary>
    AllocationNotSupported,

    /// <summary>A7: settings, switch, defaults, users, extra credits, terms or the date have changed since the preview.</summary>
    AllocationChanged,

    /// <summary>R3: the report id stands for another request.</summary>
    ReportIdReused,

    /// <summary>The idempotency key, or the lot id, stands for another request.</summary>
    IdempotencyKeyReused,

    /// <summary>P5: the player has a credit already.</summary>
    PlayerCovered,

    /// <summary>C1: outside the contract's days.</summary>
    ContractNotActive,

    /// <summary>C3: the user is not assigned to the contract.</summary>
    UserNotAssigned,

    /// <summary>C3: the user is disabled for all contracts of the client.</summary>
    UserDisabled,

    /// <summary>A4: the user may use too few credits.</summary>
    InsufficientAllocation,

    /// <summary>L2: the contract's pool holds too few credits.</summary>
    InsufficientContractCredits,

    /// <summary>S3: the milestone has not been allocated yet, so there is nothing to adjust.</summary>
    NotAllocated,

    /// <summary>S5: status or actual date need the milestone's services credits to be allocated.</summary>
    AllocationRequired,

    /// <summary>S2: the account has too few services credits in the project's currency.</summary>
    InsufficientServicesCredits,
}

/// <summary>What a refused report would have needed and what there was (R2), in credits; null where there is no limit.</summary>
/// <param name="NextRenewalAt">The next reset of the user's cycle; null: none.</param>
/// <param name="NextCreditsAt">When the user's cycle next gives credits: its start where that is to come, else <paramref name="NextRenewalAt"/>.</param>
public sealed record Amounts(long ToCharge, long? UserAvailable, long? ContractRemaining, Instant? NextRenewalAt, Instant? NextCreditsAt);

/// <summary>Why a command changes nothing.</summary>
public sealed record Refusal(RefusalCode Code, string Detail, string? Field = null, Amounts? Amounts = null, ServicesAmounts? Services = null)
{
    public static Refusal NotFound(string what) => new(RefusalCode.NotFound, $"There is no {what}.");

    public static Refusal Invalid(string field, string why) => new(RefusalCode.InvalidField, $"{field} {why}.", field);
}

/// <summary>What a rule decides: a value, or a refusal and no change.</summary>
public sealed record Decision<T>(T? Value, Refusal? Refusal)
{
    public static implicit operator Decision<T>(T value) => new(value, null);

    public static implicit operator Decision<T>(Refusal refusal) => new(default, refusal);

    /// <summary>The same decision about something made of the value.</summary>
    public Decision<TOther> Select<TOther>(Func<T, TOther> of) => Refusal is null ? of(Value!) : Refusal;
}
