using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>One user's allocation as it is shown (A10): settings, dates and credits. Without settings, settings and dates are null.</summary>
/// <param name="StartsAt">The instant at which <paramref name="StartDate"/> begins.</param>
/// <param name="NextRenewalDate">The first reset to come (A3); null: none.</param>
/// <param name="NextRenewalAt">The instant at which <paramref name="NextRenewalDate"/> begins.</param>
/// <param name="UsedInCycle">Credits used of the running cycle.</param>
/// <param name="Frequency">null also where no cycle follows another.</param>
/// <param name="Available">What the rules let the user use (A4), whether they are switched on or not; null: no limit.</param>
/// <param name="ExtraCredits">All extra credits granted.</param>
/// <param name="TotalUsed">All credits used of the contract.</param>
/// <param name="Assigned">Whether the user belongs to the contract (C3).</param>
/// <param name="Disabled">For all contracts of the client (C3).</param>
/// <param name="ChangedBy">Who last assigned, renamed, removed, disabled or enabled the user, or changed settings or extra credits.</param>
/// <param name="ChangedAt">When that was.</param>
public sealed record AllocationRow(
    string UserId,
    string Name,
    long? Amount,
    Renewal? Renewal,
    int? Frequency,
    RenewalDay? On,
    LocalDate? StartDate,
    Instant? StartsAt,
    LocalDate? NextRenewalDate,
    Instant? NextRenewalAt,
    long UsedInCycle,
    long? Available,
    long ExtraCredits,
    long ExtraUsed,
    long TotalUsed,
    bool Assigned,
    bool Disabled,
    string? ChangedBy,
    Instant? ChangedAt)
{
    /// <summary>The contract's zone, where the row is a document of its own (T1); null in a window, which says it for all its rows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }

    /// <summary>A member's row at an instant (T3).</summary>
    public static AllocationRow Of(Member member, Terms terms, Instant now)
    {
        var (allocation, settings) = (member.Allocation.At(now, terms), member.Allocation.Settings);
        var schedule = allocation.ScheduleIn(terms);
        var renewal = schedule?.NextRenewal(now);
        return new(
            member.UserId,
            member.Name,
            settings?.Amount,
            settings?.Renewal,
            settings?.ShownFrequency,
            settings?.On,
            allocation.StartDate,
            schedule?.StartsAt,
            renewal,
            renewal is { } date ? Calendar.StartOf(date, terms.Zone) : null,
            allocation.UsedInCycle,
            allocation.AvailableAt(now, terms),
            allocation.ExtraCredits,
            allocation.ExtraUsed,
            allocation.TotalUsed,
            member.Assigned,
            member.Disabled,
            member.LastChange?.Actor,
            member.LastChange?.At);
    }
}

public enum Inactivity { Disabled, NotAssigned }

/// <summary>A user who has used credits and gets none now (A10): disabled, or not assigned, which includes assigned users without settings.</summary>
public sealed record InactiveUser(string UserId, string Name, Inactivity Status, long ExtraCredits, long ExtraUsed, long TotalUsed);

/// <summary>A contract's default settings (A9).</summary>
/// <param name="Frequency">null where no cycle follows another.</param>
public sealed record DefaultSettings(long? Amount, Renewal Renewal, int? Frequency, RenewalDay? On, LocalDate? StartDate)
{
    public static DefaultSettings? Of(Plan plan) => plan.Defaults is { } settings
        ? new(settings.Amount, settings.Renewal, settings.ShownFrequency, settings.On, plan.DefaultStart)
        : null;
}

/// <summary>One user's row before and after a change (A7).</summary>
/// <param name="Before">null: the user is new to the contract.</param>
public sealed record RowChange(string UserId, AllocationRow? Before, AllocationRow After);

public enum WarningCode
{
    /// <summary>All users together may use more in a cycle than the contract has.</summary>
    Oversubscribed,

    /// <summary>The contract runs, but until the start date the user can use extra credits only.</summary>
    NoCreditsUntil,

    /// <summary>The start date that the service computed is after the contract's end (A2).</summary>
    NeverStarts,

    /// <summary>A fixed amount starts again: what was used of it no longer counts.</summary>
    FixedRestarts,

    /// <summary>The user is removed, and with the user what is left of the running cycle.</summary>
    CycleLost,
}

/// <summary>A consequence of a change that a manager may not have meant (A7).</summary>
/// <param name="Date">The start date until which the user can use extra credits only, or which never comes.</param>
/// <param name="Credits">
/// Of an oversubscribed contract: the missing credits; of a fixed amount: the credits already used of it; of a lost cycle: the credits left of it.
/// </param>
public sealed record Warning(
    WarningCode Code,
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LocalDate? Date = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Credits = null);

/// <summary>A contract's allocation as managers see it (A10), in credits.</summary>
/// <param name="PoolRunsOutOn">
/// The local date on which the pool no longer has all credits of a cycle, if every user uses every cycle; null: not within the contract or two years.
/// </param>
/// <param name="Users">The assigned users, disabled ones too, by id.</param>
/// <param name="InactiveUsers">The users who have used credits and get none now, by id.</param>
public sealed record Window(
    string ContractId,
    string ClientId,
    string TimeZone,
    LocalDate Today,
    bool Enabled,
    DefaultSettings? Defaults,
    long TotalCreditsUsed,
    long ContractRemainingCredits,
    LocalDate? PoolRunsOutOn,
    ImmutableArray<AllocationRow> Users,
    ImmutableArray<InactiveUser> InactiveUsers)
{
    /// <summary>The version of A7; also the window's ETag.</summary>
    public required string Version { get; init; }

    /// <summary>The users whom a change or preview touches; null where there was neither.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<RowChange>? Changes { get; init; }

    /// <summary>The warnings of a change or preview; null where there was neither.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<Warning>? Warnings { get; init; }

    /// <summary>Confirms a preview; null elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ConfirmationToken { get; init; }

    /// <summary>The window of a metered contract at an instant (T3); the contract must know all its members.</summary>
    public static Window Of(Contract contract, Instant now)
    {
        var (terms, members) = (contract.Terms, contract.AllMembers.Values.ToList());
        return new(
            terms.ContractId,
            terms.ClientId,
            terms.TimeZone,
            Calendar.DateAt(now, terms.Zone),
            contract.Plan.Enabled,
            DefaultSettings.Of(contract.Plan),
            members.Sum(member => member.Allocation.TotalUsed),
            contract.RemainingAt(now) ?? throw new InvariantException("an unlimited contract has no window"),
            RunningOut.DateOf(contract, now),
            [.. members.Where(member => member.Assigned).Select(member => AllocationRow.Of(member, terms, now))],
            [.. members.Where(IsInactive).Select(Inactive)])
        {
            Version = $"{PlanVersion.Of(contract, now)}",
        };
    }

    private static InactiveUser Inactive(Member member) => new(
        member.UserId,
        member.Name,
        member.Disabled ? Inactivity.Disabled : Inactivity.NotAssigned,
        member.Allocation.ExtraCredits,
        member.Allocation.ExtraUsed,
        member.Allocation.TotalUsed);

    private static bool IsInactive(Member member) =>
        member.Allocation.TotalUsed > 0 && (member.Disabled || !member.Assigned || member.Allocation.Settings is null);
}
