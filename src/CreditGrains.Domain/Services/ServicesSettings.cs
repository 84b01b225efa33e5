using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Settings of all accounts.</summary>
/// <param name="NoAllocationStatuses">The statuses in which services credits need not be allocated (S5): at most 100, each once, of 1 to 64 characters.</param>
public sealed record ServicesSettings(ImmutableArray<string> NoAllocationStatuses)
{
    public static readonly ServicesSettings Default = new(["Planned", "Canceled", Milestone.None]);

    private const int MaxStatuses = 100;

    /// <summary>What forbids a milestone whose credits are not wholly allocated to be as it is (S5); null: nothing.</summary>
    internal Refusal? Forbids(Milestone milestone)
    {
        if (!NoAllocationStatuses.Contains(milestone.Status))
            return new(RefusalCode.AllocationRequired, $"The services credits have to be allocated first: without, the status is one of {string.Join(", ", NoAllocationStatuses)}.", "status");
        return milestone.ActualDate is null ? null : new(RefusalCode.AllocationRequired, "The services credits have to be allocated before there is an actual date.", "actualDate");
    }

    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/>. The same statuses again change nothing; milestones stay as they are until they are changed.</summary>
    public Decision<Changed<ServicesSettings, ServicesSettings>> Set(ServicesSettings next, string actor, Instant now)
    {
        if (next.NoAllocationStatuses.Length > MaxStatuses) return Refusal.Invalid("noAllocationStatuses", $"has at most {MaxStatuses} statuses");
        if (next.NoAllocationStatuses.Any(status => status is not { Length: >= 1 and <= Planning.MaxStatus })) return Refusal.Invalid("noAllocationStatuses", $"has statuses of 1 to {Planning.MaxStatus} characters");
        if (next.NoAllocationStatuses.Distinct().Count() < next.NoAllocationStatuses.Length) return Refusal.Invalid("noAllocationStatuses", "has each status once");
        if (next.NoAllocationStatuses.SequenceEqual(NoAllocationStatuses)) return new Changed<ServicesSettings, ServicesSettings>(this, Changes.None, this);

        return new Changed<ServicesSettings, ServicesSettings>(
            next,
            [
                new Entry
                {
                    Kind = EntryKind.SettingsSet,
                    EffectiveAt = now,
                    BookedAt = now,
                    Actor = actor,
                    Cause = Causes.Request,
                    Subject = Subjects.ServicesSettings,
                    Before = Json.Write(this),
                    After = Json.Write(next),
                    ClientId = Entry.AllClients,
                },
            ],
            next);
    }
}
