using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary><see cref="Metered"/>: the lots limit it; <see cref="Unlimited"/>: each credit is minted as it is used (C2).</summary>
public enum ContractType { Metered, Unlimited }

/// <summary>Where coverage counts from (P3): the report's instant, or with the expiry that the credit was created with.</summary>
public enum CoverageFrom { Activation, Creation }

/// <summary>The terms of a contract (C1). Dates are local to <paramref name="TimeZone"/>.</summary>
/// <param name="ContractId">Global.</param>
/// <param name="ClientId">Fixed.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="Type">Fixed.</param>
/// <param name="TimeZone">An IANA zone; fixed.</param>
/// <param name="StartsOn">The first day; fixed once it has begun.</param>
/// <param name="EndsOn">The last day, included; null: open-ended. It may move to today or later.</param>
/// <param name="UnallocatedLifetimeDays">1 to 36,500 days (L4); null: until the contract's end.</param>
/// <param name="CoverageDays">1 to 36,500 days (P3).</param>
/// <param name="CoverageFrom">P3.</param>
/// <param name="BillingCycle">
/// Credits that are granted by themselves (L5); null: none. null is not written, so that versions which do not know the field can read the document.
/// </param>
/// <param name="Notes">At most 2,000 characters for people to read; null: none.</param>
/// <param name="VoidMinutes">How long consumers may void their own reports (R7), 0 to 525,600 minutes.</param>
public record Terms(
    string ContractId,
    string ClientId,
    string Name,
    ContractType Type,
    string TimeZone,
    LocalDate StartsOn,
    LocalDate? EndsOn,
    int? UnallocatedLifetimeDays,
    int CoverageDays,
    CoverageFrom CoverageFrom,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BillingCycle? BillingCycle = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Notes = null,
    int VoidMinutes = 0)
{
    /// <summary>The longest name and notes, in characters.</summary>
    public const int MaxName = 200, MaxNotes = 2_000;

    /// <summary>The longest lifetime and coverage, in days.</summary>
    public const int MaxDays = 36_500;

    /// <summary>The longest time in which consumers may void their reports, in minutes.</summary>
    public const int MaxVoidMinutes = 525_600;

    [JsonIgnore]
    public DateTimeZone Zone => Calendar.KnownZone(TimeZone);

    /// <summary>The contract's first instant.</summary>
    [JsonIgnore]
    public Instant Begins => Calendar.StartOf(StartsOn, Zone);

    /// <summary>The first instant after the contract; null: it is open-ended.</summary>
    [JsonIgnore]
    public Instant? Ends => EndsOn is { } last ? Calendar.StartOf(last.PlusDays(1), Zone) : null;

    /// <summary>Whether reports may use the contract at that instant (C1).</summary>
    public bool IsActiveAt(Instant now) => now >= Begins && !(now >= Ends);

    /// <summary>Where it stands at that instant.</summary>
    public ContractState StateAt(Instant now) => now < Begins ? ContractState.Coming : now >= Ends ? ContractState.Over : ContractState.Running;

    /// <summary>An expiry cut to the contract's end (L4); null: never.</summary>
    public Instant? CutToEnd(Instant? expiresAt) => Ends is { } end && !(expiresAt < end) ? end : expiresAt;

    /// <summary>When the coverage of a credit that is used at <paramref name="at"/> ends (P3); null: never.</summary>
    /// <param name="createdToExpireAt">The credit's expiry while unallocated.</param>
    public Instant? CoverageEnd(Instant at, Instant? createdToExpireAt) => CoverageFrom == CoverageFrom.Creation
        ? createdToExpireAt
        : Calendar.SameTimeAfter(at, CoverageDays, Zone);

    internal static Refusal? CheckName(string? name) =>
        name is { Length: >= 1 and <= MaxName } ? null : Refusal.Invalid("name", $"must have 1 to {MaxName} characters");

    /// <summary>A refusal of every field that breaks a rule by itself; null: none does.</summary>
    public Refusal? Check() => Refusal.All(
        CheckName(Name),
        Calendar.Zone(TimeZone) is null ? Refusal.Invalid("timeZone", "must be an IANA time zone, e.g. Europe/Berlin") : null,
        Calendar.CheckDate("startsOn", StartsOn),
        EndsOn is { } end && Calendar.CheckDate("endsOn", end) is { } outside ? outside
        : EndsOn < StartsOn ? Refusal.Invalid("endsOn", "must not be before startsOn")
        : null,
        UnallocatedLifetimeDays is < 1 or > MaxDays ? Refusal.Invalid("unallocatedLifetimeDays", $"must be null or 1 to {MaxDays:N0}") : null,
        Notes is null || (Notes.Length <= MaxNotes && !Notes.Contains('\0'))
            ? null
            : Refusal.Invalid("notes", $"must have at most {MaxNotes:N0} characters, none of them NUL"),
        CoverageDays is < 1 or > MaxDays ? Refusal.Invalid("coverageDays", $"must be 1 to {MaxDays:N0}") : null,
        VoidMinutes is < 0 or > MaxVoidMinutes ? Refusal.Invalid("voidMinutes", $"must be 0 to {MaxVoidMinutes:N0}") : null,
        BillingCycle is not null && Type == ContractType.Unlimited
            ? Refusal.Invalid("billingCycle", "must be left out of an unlimited contract, whose credits are minted as they are used")
            : BillingCycle?.Check());

    /// <summary>A refusal of every field that may not change from <paramref name="present"/> to these terms (C1); null: none.</summary>
    public Refusal? CheckChange(Terms present, Instant now)
    {
        var today = Calendar.DateAt(now, present.Zone);
        return Refusal.All(
            ClientId == present.ClientId ? null : Refusal.Invalid("clientId", $"must stay {present.ClientId}"),
            Type == present.Type ? null : Refusal.Invalid("type", $"must stay {present.Type.ToString().ToLowerInvariant()}"),
            TimeZone == present.TimeZone ? null : Refusal.Invalid("timeZone", $"must stay {present.TimeZone}"),
            StartsOn == present.StartsOn ? null
            : present.Begins <= now ? Refusal.Invalid("startsOn", $"must stay {present.StartsOn:R}: the contract has begun")
            : StartsOn < today ? Refusal.Invalid("startsOn", $"must stay or move to today, {today:R}, or later")
            : null,
            EndsOn != present.EndsOn && EndsOn < today ? Refusal.Invalid("endsOn", $"must stay or move to today, {today:R}, or later") : null);
    }
}
