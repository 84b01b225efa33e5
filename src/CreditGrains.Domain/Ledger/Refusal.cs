using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Every reason to refuse a command, declared in the order in which they are checked.</summary>
public enum RefusalCode
{
    /// <summary>There is no such contract, user, lot ... of this client.</summary>
    NotFound,

    /// <summary>A field breaks a rule; <see cref="Refusal.Field"/> says which.</summary>
    InvalidField,

    /// <summary>R7: a consumer may void reports only for the contract's voidMinutes.</summary>
    Forbidden,

    /// <summary>The document has changed since the version that the caller named in If-Match.</summary>
    PreconditionFailed,

    /// <summary>C2: an unlimited contract has no user allocation.</summary>
    AllocationNotSupported,

    /// <summary>A7: settings, switch, defaults, users, extra credits, terms or the date have changed since the preview.</summary>
    AllocationChanged,

    /// <summary>R3: the report id was used for another request.</summary>
    ReportIdReused,

    /// <summary>The Idempotency-Key, or the lot's or purchase's id, was used for another request.</summary>
    IdempotencyKeyReused,

    /// <summary>P5: the player already has an unexpired credit.</summary>
    PlayerCovered,

    /// <summary>R8: the hold has ended, or was captured otherwise.</summary>
    HoldOver,

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

    /// <summary>S3: the milestone was never allocated, so there is nothing to adjust.</summary>
    NotAllocated,

    /// <summary>S5: with this status or actual date the milestone's services credits must be allocated.</summary>
    AllocationRequired,

    /// <summary>S2: the account has too few services credits in the project's currency.</summary>
    InsufficientServicesCredits,
}

/// <summary>What a refused report would have charged and what there was (R2), in credits; null where there is no limit.</summary>
/// <param name="UserAvailable">A4.</param>
/// <param name="ContractRemaining">What a draw could take now (L2).</param>
/// <param name="NextRenewalAt">The next reset of the user's cycle; null: none.</param>
/// <param name="NextCreditsAt">When the user's cycle next gives credits: its start where that is still to come, else <paramref name="NextRenewalAt"/>.</param>
public sealed record Amounts(long ToCharge, long? UserAvailable, long? ContractRemaining, Instant? NextRenewalAt, Instant? NextCreditsAt);

/// <summary>One field that breaks a rule.</summary>
/// <param name="Field">Where it is in the request, e.g. <c>users[0].amount</c>.</param>
/// <param name="Reason">A sentence that states what must hold.</param>
/// <param name="Allowed">Every possible value, where they are few; null: they are not listed.</param>
public sealed record FieldFault(
    string Field,
    string Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Allowed = null)
{
    /// <summary>The same fault in a field of something else, e.g. of <c>users[0].</c></summary>
    public FieldFault Within(string prefix) => this with { Field = prefix + Field, Reason = prefix + Reason };
}

/// <summary>Why a command was refused; it changes nothing.</summary>
/// <param name="Detail">A sentence for the caller that states what must hold or must be done.</param>
/// <param name="Field">The field of the request that breaks the rule, e.g. <c>users[0].amount</c>; null: no single one.</param>
public sealed record Refusal(RefusalCode Code, string Detail, string? Field = null, Amounts? Amounts = null, ServicesAmounts? Services = null)
{
    /// <summary>The most faults that one refusal tells.</summary>
    private const int MaxFaults = 100;

    /// <summary>Every field that breaks a rule, where they are several; else <see cref="Field"/> and <see cref="Detail"/> tell the one.</summary>
    public ImmutableArray<FieldFault> Faults { get; init; } = [];

    /// <summary>The faults of all these, told together; null where none refuses.</summary>
    public static Refusal? All(params IEnumerable<Refusal?> found)
    {
        var refusals = found.OfType<Refusal>().Take(MaxFaults).ToList();
        return refusals switch
        {
            [] => null,
            [var only] => only,
            [var first, ..] => first with { Faults = [.. refusals.SelectMany(refusal => refusal.Told).Take(MaxFaults)] },
        };
    }

    /// <summary>The same refusal for a field of something else, e.g. of <c>users[0].</c></summary>
    public Refusal Within(string prefix) => this with
    {
        Detail = prefix + Detail,
        Field = prefix + Field,
        Faults = [.. Faults.Select(fault => fault.Within(prefix))],
    };

    /// <summary>Every field that breaks a rule.</summary>
    [JsonIgnore]
    public ImmutableArray<FieldFault> Told => !Faults.IsEmpty ? Faults : Field is null ? [] : [new(Field, Detail)];

    /// <summary>"There is no contract C1."</summary>
    public static Refusal NotFound(string what) => new(RefusalCode.NotFound, $"There is no {what}.");

    /// <summary>
    /// "endsOn must not be before startsOn.": the field, and in <paramref name="rule"/> what must hold or must be done, without the full stop.
    /// </summary>
    public static Refusal Invalid(string field, string rule) => new(RefusalCode.InvalidField, $"{field} {rule}.", field);

    /// <summary>The caller named an earlier version in If-Match.</summary>
    public static Refusal Changed(string what) => new(
        RefusalCode.PreconditionFailed, $"If-Match must name the present version of the {what}; read it again and repeat the change.", "If-Match");

    internal static Refusal NotAssigned(string userId) => new(RefusalCode.UserNotAssigned, $"The user {userId} must be assigned to the contract first.");

    internal static Refusal Disabled(string userId) => new(RefusalCode.UserDisabled, $"The user {userId} must be enabled first.");

    /// <summary>"1 credit", "2,000 credits".</summary>
    internal static string Credits(long number) => number == 1 ? "1 credit" : $"{number:N0} credits";
}

/// <summary>The outcome of a decision: a value, or a refusal that changes nothing.</summary>
public sealed record Decision<T>(T? Value, Refusal? Refusal)
{
    public static implicit operator Decision<T>(T value) => new(value, null);

    public static implicit operator Decision<T>(Refusal refusal) => new(default, refusal);

    /// <summary>Maps the value; a refusal stays.</summary>
    public Decision<TOther> Select<TOther>(Func<T, TOther> of) => Refusal is null ? of(Value!) : Refusal;
}
