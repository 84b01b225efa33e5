using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>One user's allocation as it is shown (A10): settings, dates and credits. What a user without settings has not is null.</summary>
/// <param name="StartsAt">The instant at which <paramref name="StartDate"/> begins.</param>
/// <param name="NextRenewalDate">The first reset to come (A3); null: none.</param>
/// <param name="UsedInCycle">Credits used of the cycle that runs.</param>
/// <param name="Available">What the rules let the user use (A4), whether they are switched on or not; null: no limit.</param>
/// <param name="ExtraCredits">Extra credits granted in all.</param>
/// <param name="TotalUsed">Used of the contract in all.</param>
public sealed record AllocationRow(
    string UserId, string Name, long? Amount, Renewal? Renewal, int? Frequency, RenewalDay? On, LocalDate? StartDate, Instant? StartsAt, LocalDate? NextRenewalDate, Instant? NextRenewalAt,
    long UsedInCycle, long? Available, long ExtraCredits, long ExtraUsed, long TotalUsed)
{
    /// <summary>The contract's zone, where the row is a document of its own (T1); a window has one for all its rows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }

    /// <summary>A member's row at an instant (T3).</summary>
    public static AllocationRow Of(Member member, Terms terms, Instant now)
    {
        var (allocation, settings) = (member.Allocation.At(now, terms), member.Allocation.Settings);
        var schedule = allocation.ScheduleIn(terms);
        var renewal = schedule?.NextRenewal(now);
        return new(
            member.UserId, member.Name, settings?.Amount, settings?.Renewal, settings?.Frequency, settings?.On, allocation.StartDate, schedule?.StartsAt,
            renewal, renewal is { } date ? Calendar.StartOf(date, terms.Zone) : null,
            allocation.UsedInCycle, allocation.Available, allocation.ExtraCredits, allocation.ExtraUsed, allocation.TotalUsed);
    }
}

public enum Inactivity { Disabled, NotAssigned }

/// <summary>A user who has used credits and gets none now (A10): disabled, or not assigned, which who has no settings is too.</summary>
public sealed record InactiveUser(string UserId, string Name, Inactivity Status, long ExtraCredits, long ExtraUsed, long TotalUsed);

/// <summary>A contract's default settings (A9).</summary>
public sealed record DefaultSettings(long? Amount, Renewal Renewal, int Frequency, RenewalDay? On, LocalDate? StartDate)
{
    public static DefaultSettings? Of(Plan plan) => plan.Defaults is { } settings ? new(settings.Amount, settings.Renewal, settings.Frequency, settings.On, plan.DefaultStart) : null;
}

/// <summary>One user's row before and after a change (A7).</summary>
public sealed record RowChange(string UserId, AllocationRow Before, AllocationRow After);

public enum WarningCode
{
    /// <summary>What all users may use in a cycle is more than the contract has.</summary>
    Oversubscribed,

    /// <summary>Until the start date the user has extra credits only.</summary>
    NoCreditsUntil,

    /// <summary>What was used of a fixed amount counts no more.</summary>
    FixedRestarts,
}

/// <summary>What a manager may not have meant (A7).</summary>
/// <param name="Date">No credits until then.</param>
/// <param name="Credits">Oversubscribed: by so many; a fixed amount: so many were used of it.</param>
public sealed record Warning(
    WarningCode Code, string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LocalDate? Date = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Credits = null);

/// <summary>All that managers see of a contract's allocation (A10), in credits.</summary>
/// <param name="Users">Who is assigned and enabled, by id.</param>
/// <param name="InactiveUsers">Who has used credits and gets none now, by id.</param>
public sealed record Window(
    string ContractId, string ClientId, string TimeZone, LocalDate Today, bool Enabled, DefaultSettings? Defaults, long TotalCreditsUsed, long ContractRemainingCredits,
    ImmutableArray<AllocationRow> Users, ImmutableArray<InactiveUser> InactiveUsers)
{
    /// <summary>A7's version, its ETag.</summary>
    public required string Version { get; init; }

    /// <summary>Of a change, done or previewed: the users whom it touches.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<RowChange>? Changes { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<Warning>? Warnings { get; init; }

    /// <summary>Of a preview: what confirms it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConfirmationToken { get; init; }

    /// <summary>The window of a contract whose members are known, at an instant (T3).</summary>
    public static Window Of(Contract contract, Instant now)
    {
        var (terms, members) = (contract.Terms, contract.AllMembers.Values.ToList());
        return new(
            terms.ContractId, terms.ClientId, terms.TimeZone, Calendar.DateAt(now, terms.Zone), contract.Plan.Enabled, DefaultSettings.Of(contract.Plan),
            members.Sum(member => member.Allocation.TotalUsed), contract.RemainingAt(now) ?? throw new InvariantException("unlimited contracts have no window"),
            [.. members.Where(member => member is { Assigned: true, Disabled: false }).Select(member => AllocationRow.Of(member, terms, now))],
            [.. members.Where(IsInactive).Select(member => new InactiveUser(
                member.UserId, member.Name, member.Disabled ? Inactivity.Disabled : Inactivity.NotAssigned,
                member.Allocation.ExtraCredits, member.Allocation.ExtraUsed, member.Allocation.TotalUsed))])
        {
            Version = $"{PlanVersion.Of(contract, now)}",
        };
    }

    private static bool IsInactive(Member member) =>
        member.Allocation.TotalUsed > 0 && (member.Disabled || !member.Assigned || member.Allocation.Settings is null);
}
