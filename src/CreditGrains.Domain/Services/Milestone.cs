using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The services credits that a milestone holds from one purchase.</summary>
public sealed record Holding(string PurchaseId, decimal Quantity);

/// <summary>A piece of work, and the services credits that pay for it (S1).</summary>
/// <param name="MilestoneId">Global.</param>
/// <param name="ClientId">The project's; fixed.</param>
/// <param name="ServicesCredits">Its cost: 0 or more services credits.</param>
/// <param name="Status">1 to 64 characters; <see cref="None"/> where none is given.</param>
/// <param name="WasAllocated">Whether it was ever allocated, so that it can be adjusted (S3).</param>
/// <param name="Holdings">The services credits that it holds, by purchase id.</param>
/// <param name="Version">The row's fence: rises with every change.</param>
/// <param name="Name">0 to 200 characters.</param>
public sealed record Milestone(
    string MilestoneId,
    string ClientId,
    string ProjectId,
    decimal ServicesCredits,
    string Status,
    LocalDate? ActualDate,
    bool WasAllocated,
    ImmutableArray<Holding> Holdings,
    long Version,
    string Name = "")
{
    /// <summary>The status of a milestone that was given none.</summary>
    public const string None = "None";

    // How other programs spell it.
    private const string NoneToo = "--None--";

    /// <summary>A status in its one spelling (S5).</summary>
    public static string Spelled(string status) => status == NoneToo ? None : status;

    /// <summary>All services credits that it holds.</summary>
    [JsonIgnore]
    public decimal Held => Holdings.Sum(holding => holding.Quantity);

    /// <summary>Whether its credits are not wholly allocated, so that only the exempt statuses and no actual date are possible (S5).</summary>
    [JsonIgnore]
    public bool NeedsAllocation => ServicesCredits != Held;

    internal bool SaysTheSame(Milestone other) =>
        ProjectId == other.ProjectId && ServicesCredits == other.ServicesCredits && Status == other.Status && ActualDate == other.ActualDate
        && Name == other.Name;
}

/// <summary>A milestone's row as it now is.</summary>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
public sealed record MilestoneChange(Milestone Milestone, long Expected) : Change
{
    public RowKey Row => RowKey.Milestone(Milestone.MilestoneId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>The wanted values of a milestone; the account of its project decides.</summary>
/// <param name="ServicesCredits">null: unchanged, or 0 for a new milestone.</param>
/// <param name="Expected">The version that the caller has seen (If-Match); null: any.</param>
/// <param name="Name">null: unchanged, or empty for a new milestone.</param>
public sealed record SetMilestone(
    string MilestoneId, string ProjectId, decimal? ServicesCredits, string Status, LocalDate? ActualDate, long? Expected, string Actor, string? Name = null);

/// <summary>Makes a milestone, or changes it (S1, S5).</summary>
public static class Planning
{
    /// <summary>The most characters of a status.</summary>
    public const int MaxStatus = 64;

    /// <summary>
    /// Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.PreconditionFailed"/>, <see cref="RefusalCode.InvalidField"/> or
    /// <see cref="RefusalCode.AllocationRequired"/>. Values equal to the present ones change nothing.
    /// </summary>
    public static Decision<Changed<Account, Milestone>> Decide(Account account, SetMilestone set, Instant now)
    {
        var services = account.Services;
        var present = services.Milestones.GetValueOrDefault(set.MilestoneId);
        if (account.Own(set.ProjectId) is not { } project) return Refusal.NotFound($"project {set.ProjectId}");
        var milestone = new Milestone(
            set.MilestoneId, project.ClientId, project.ProjectId, set.ServicesCredits ?? present?.ServicesCredits ?? 0, Milestone.Spelled(set.Status),
            set.ActualDate, present?.WasAllocated ?? false, present?.Holdings ?? [], present?.Version ?? 0, set.Name ?? present?.Name ?? "");

        // This comes before the version is compared: an equal change has been made already, perhaps by this very request (RFC 9110, 13.1.1).
        if (present is not null && milestone.SaysTheSame(present)) return new Changed<Account, Milestone>(account, Changes.None, present);
        if (set.Expected is { } seen && seen != (present?.Version ?? 0)) return Refusal.Changed("milestone");
        if (set.ServicesCredits is { } given && ServicesCredits.Check("servicesCredits", given, orZero: true) is { } invalid) return invalid;
        if (set.Status is not { Length: >= 1 and <= MaxStatus }) return Refusal.Invalid("status", $"must have 1 to {MaxStatus} characters");
        if (set.ActualDate is { } date && Calendar.CheckDate("actualDate", date) is { } outside) return outside;
        if (present is not null && present.ClientId != project.ClientId) return Refusal.Invalid("projectId", "must be a project of the milestone's client");
        if (present is { Held: > 0 } && present.ProjectId != project.ProjectId)
            return Refusal.Invalid("projectId", $"must stay {present.ProjectId} while the milestone holds services credits");
        if (present is { Held: > 0 } && milestone.ServicesCredits != present.ServicesCredits)
            return Refusal.Invalid("servicesCredits", "must be changed by adjusting while the milestone holds services credits");

        if (milestone.NeedsAllocation && services.Settings.Forbids(milestone) is { } forbidden) return forbidden;

        milestone = milestone with { Version = milestone.Version + 1 };
        return new Changed<Account, Milestone>(
            account.With(milestone),
            [new MilestoneChange(milestone, present?.Version ?? 0), account.Tell(present, milestone, set.Actor, Causes.Request, now)],
            milestone);
    }

    /// <summary>A project of this account; null: there is none, or it is another account's.</summary>
    internal static Project? Own(this Account account, string projectId) =>
        account.Services.Projects.GetValueOrDefault(projectId) is { } project && project.AccountId == account.Terms.AccountId ? project : null;

    internal static Account With(this Account account, Milestone milestone) =>
        account with { Services = account.Services with { Milestones = account.Services.Milestones.SetItem(milestone.MilestoneId, milestone) } };

    internal static Entry Tell(this Account account, Milestone? before, Milestone after, string actor, string cause, Instant now) =>
        account.Tell(EntryKind.MilestoneSet, Subjects.Milestone(after.MilestoneId), actor, cause, now) with
        {
            Before = before is null ? null : Shown(before),
            After = Shown(after),
        };

    private static string Shown(Milestone milestone) =>
        Json.Write(new { milestone.ProjectId, milestone.ServicesCredits, milestone.Status, milestone.ActualDate, milestone.Name });
}
