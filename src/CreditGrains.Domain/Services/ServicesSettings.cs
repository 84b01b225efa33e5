using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The settings of all accounts.</summary>
/// <param name="NoAllocationStatuses">
/// The exempt statuses, in which services credits need not be allocated (S5): at most 100, each once, of 1 to 64 characters.
/// </param>
public sealed record ServicesSettings(ImmutableArray<string> NoAllocationStatuses)
{
    public static readonly ServicesSettings Default = new(["Planned", "Canceled", Milestone.None]);

    /// <summary>The most exempt statuses.</summary>
    public const int MaxStatuses = 100;

    /// <summary>Why a milestone whose credits are not wholly allocated may not have its status or actual date (S5); null: it may.</summary>
    internal Refusal? Forbids(Milestone milestone)
    {
        if (!NoAllocationStatuses.Contains(milestone.Status))
        {
            var exempt = string.Join(", ", NoAllocationStatuses);
            return new(RefusalCode.AllocationRequired, $"The services credits must be allocated first; until then status must be one of {exempt}.", "status");
        }
        return milestone.ActualDate is null
            ? null
            : new(RefusalCode.AllocationRequired, "The services credits must be allocated first; until then actualDate must be null.", "actualDate");
    }

    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/>. Equal statuses change nothing. A milestone is checked when it changes next.</summary>
    /// <param name="seen">The settings that the caller has seen (If-Match), as <see cref="Seen.Of"/>; null: any.</param>
    public Decision<Changed<ServicesSettings, ServicesSettings>> Set(ServicesSettings next, string actor, Instant now, string? seen = null)
    {
        const string Field = "noAllocationStatuses";
        next = new(next.NoAllocationStatuses.Select(Milestone.Spelled).ToImmutableArray());
        var statuses = next.NoAllocationStatuses;
        if (statuses.SequenceEqual(NoAllocationStatuses)) return new Changed<ServicesSettings, ServicesSettings>(this, Changes.None, this);
        if (seen is not null && seen != Seen.Of(this)) return Refusal.Changed("settings");
        if (statuses.Length > MaxStatuses) return Refusal.Invalid(Field, $"must have at most {MaxStatuses} statuses");
        if (statuses.Any(status => status is not { Length: >= 1 and <= Planning.MaxStatus }))
            return Refusal.Invalid(Field, $"must have statuses of 1 to {Planning.MaxStatus} characters");
        if (statuses.Distinct().Count() < statuses.Length) return Refusal.Invalid(Field, "must have each status once");

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
