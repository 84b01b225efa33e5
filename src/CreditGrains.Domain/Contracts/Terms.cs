using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

public enum ContractType { Metered, Unlimited }

public enum CoverageFrom { Activation, Creation }

/// <summary>What a contract says (C1). Dates are local to <paramref name="TimeZone"/>.</summary>
/// <param name="ContractId">Global.</param>
/// <param name="ClientId">Fixed.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="Type">Fixed.</param>
/// <param name="TimeZone">An IANA zone; fixed.</param>
/// <param name="StartsOn">First day; fixed once begun.</param>
/// <param name="EndsOn">Last day, included; null: open-ended. May move to today or later.</param>
/// <param name="UnallocatedLifetimeDays">1 to 36,500 days (L4); null: until the contract's end.</param>
/// <param name="CoverageDays">1 to 36,500 days (P3).</param>
/// <param name="CoverageFrom">P3.</param>
/// <param name="BillingCycle">Credits that come by themselves (L5); null: none. It is written only where there is one, so that versions that do not know it read the others.</param>
public sealed record Terms(
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
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BillingCycle? BillingCycle = null)
{
    private const int MaxDays = 36_500;

    [JsonIgnore]
    public DateTimeZone Zone => Calendar.KnownZone(TimeZone);

    /// <summary>The contract's first instant.</summary>
    [JsonIgnore]
    public Instant Begins => Calendar.StartOf(StartsOn, Zone);

    /// <summary>The instant at which the contract is over; null: never.</summary>
    [JsonIgnore]
    public Instant? Ends => EndsOn is { } last ? Calendar.StartOf(last.PlusDays(1), Zone) : null;

    /// <summary>Whether reports may use the contract at that instant (C1).</summary>
    public bool IsActiveAt(Instant now) => now >= Begins && !(now >= Ends);

    /// <summary>An expiry, never later than the contract's end (L4); null: never.</summary>
    public Instant? CutToEnd(Instant? expiresAt) => Ends is { } end && !(expiresAt < end) ? end : expiresAt;

    /// <summary>When a credit that is used at <paramref name="at"/> stops covering its player (P3); null: never.</summary>
    public Instant? CoverageEnd(Instant at, Instant? createdToExpireAt) => CoverageFrom == CoverageFrom.Creation
        ? createdToExpireAt
        : Calendar.SameTimeAfter(at, CoverageDays, Zone);

    /// <summary>The first field that breaks a rule whatever the contract was before; null where none does.</summary>
    public Refusal? Check()
    {
        if (Name is not { Length: >= 1 and <= 200 }) return Refusal.Invalid("name", "has 1 to 200 characters");
        if (Calendar.Zone(TimeZone) is null) return Refusal.Invalid("timeZone", "is not an IANA time zone");
        if (Calendar.CheckDate("startsOn", StartsOn) is { } first) return first;
        if (EndsOn is { } end && Calendar.CheckDate("endsOn", end) is { } last) return last;
        if (EndsOn < StartsOn) return Refusal.Invalid("endsOn", "is not before startsOn");
        if (UnallocatedLifetimeDays is < 1 or > MaxDays) return Refusal.Invalid("unallocatedLifetimeDays", $"is null or 1 to {MaxDays} days");
        if (CoverageDays is < 1 or > MaxDays) return Refusal.Invalid("coverageDays", $"is 1 to {MaxDays} days");
        if (BillingCycle is not null && Type == ContractType.Unlimited) return Refusal.Invalid("billingCycle", "is for metered contracts; credits of an unlimited one are minted as they are used");
        return BillingCycle?.Check();
    }

    /// <summary>The first field that may not change from <paramref name="present"/> to these terms (C1); null where none is.</summary>
    public Refusal? CheckChange(Terms present, Instant now)
    {
        var today = Calendar.DateAt(now, present.Zone);
        if (ClientId != present.ClientId) return Refusal.Invalid("clientId", "is fixed");
        if (Type != present.Type) return Refusal.Invalid("type", "is fixed");
        if (TimeZone != present.TimeZone) return Refusal.Invalid("timeZone", "is fixed");
        if (StartsOn != present.StartsOn && present.Begins <= now) return Refusal.Invalid("startsOn", "is fixed once the contract has begun");
        if (StartsOn != present.StartsOn && StartsOn < today) return Refusal.Invalid("startsOn", "may move to today or later");
        if (EndsOn != present.EndsOn && EndsOn < today) return Refusal.Invalid("endsOn", "may move to today or later");
        return null;
    }
}
