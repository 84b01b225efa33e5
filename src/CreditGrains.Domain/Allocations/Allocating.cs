using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What a manager wants of a contract's allocation; null stays as it is (A7).</summary>
/// <param name="Defaults">For users added later, and for everyone with <paramref name="ApplyToAll"/> (A9).</param>
/// <param name="Users">Each user once; they win over <paramref name="ApplyToAll"/>.</param>
public sealed record AllocationChange(bool? Enabled, SettingsChange? Defaults, bool ApplyToAll, ImmutableArray<UserAllocationChange> Users);

/// <param name="ExtraCredits">Extra credits granted in all as they shall be (A5).</param>
public sealed record UserAllocationChange(string UserId, SettingsChange Settings, long? ExtraCredits);

/// <summary>Extra credits to be added, or with a negative amount taken back (A5).</summary>
public sealed record GrantExtra(string UserId, long Amount, string Reason, string Actor);

/// <summary>Changes what users may use (A5 to A9). The contract's members must be known.</summary>
public static class Allocating
{
    /// <summary>The most extra credits of a user.</summary>
    public const long MaxExtra = Lot.MaxQuantity;

    /// <summary>All of it or nothing; refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.InvalidField"/>, <see cref="RefusalCode.UserNotAssigned"/>, <see cref="RefusalCode.UserDisabled"/> or <see cref="RefusalCode.AllocationNotSupported"/>.</summary>
    public static Decision<Changed<Contract, Window>> Decide(Contract contract, AllocationChange change, string actor, string cause, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        var plan = contract.Plan with { Enabled = change.Enabled ?? contract.Plan.Enabled };
        if (change.Defaults is { IsNothing: false } asked)
        {
            var defaults = asked.Over(plan.Defaults, "defaults.");
            if (defaults.Refusal is { } invalid) return invalid;
            if (asked.StartDate is { } start && start != plan.DefaultStart && Outside(contract, start, now, "defaults.") is { } outside) return outside;
            plan = plan with { Defaults = defaults.Value, DefaultStart = asked.StartDate ?? plan.DefaultStart };
        }
        if (change.ApplyToAll && plan.Defaults is null) return Refusal.Invalid("applyToAll", "needs defaults");

        var wanted = new SortedDictionary<string, Member>(StringComparer.Ordinal);
        if (change.ApplyToAll)
            foreach (var member in contract.AllMembers.Values.Where(member => member is { Assigned: true, Disabled: false }))
                wanted[member.UserId] = Restarted(contract, member, plan.Defaults!, Coming(contract, plan.DefaultStart, now), now);
        for (var i = 0; i < change.Users.Length; i++)
        {
            var decision = Decide(contract, change.Users[i], plan, change.ApplyToAll, $"users[{i}].", now);
            if (decision.Refusal is { } refusal) return refusal;
            wanted[decision.Value!.UserId] = decision.Value;
        }

        // After this line all of it is done.
        var changed = wanted.Values.Select(after => (before: contract.AllMembers[after.UserId], after)).Where(pair => pair.before != pair.after).ToImmutableArray();
        var rows = changed.Select(pair => contract.Change(pair.before, pair.after)).ToList();
        var next = contract.With(rows.Select(row => row.Member));
        var entries = Explain(contract, plan, changed, actor, cause, now).ToImmutableArray();
        if (!entries.IsEmpty) next = next with { Plan = plan.Changed(What(contract.Plan, plan, changed), actor, now) };
        return new Changed<Contract, Window>(
            next,
            Changes.Of([.. rows, .. entries]).RestingOn(changed.Select(pair => contract.Enabled(pair.before))),
            Window.Of(next, now) with
            {
                Changes = [.. changed.Select(pair => new RowChange(pair.after.UserId, AllocationRow.Of(pair.before, contract.Terms, now), AllocationRow.Of(pair.after, contract.Terms, now)))],
                Warnings = [.. Warn(next, changed, now)],
            });
    }

    /// <summary>Does what was previewed; refuses with <see cref="RefusalCode.NotFound"/> where nothing was, and with <see cref="RefusalCode.AllocationChanged"/> where anything but use has happened since.</summary>
    public static Decision<Changed<Contract, Window>> Confirm(Contract contract, Preview? preview, string actor, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        if (preview is null) return Refusal.NotFound("preview with this confirmationToken");
        var version = PlanVersion.Of(contract, now);
        if (version != preview.Version) return new Refusal(RefusalCode.AllocationChanged, $"The allocation has changed since the preview: {version.Since(preview.Version, contract.Plan)}.");
        return Decide(contract, preview.Change, actor, Causes.Confirmation(preview.Token), now).Select(changed =>
            changed with { Changes = changed.Changes + [Remembered.Keep(preview with { Answer = changed.Answer }, now)] });
    }

    /// <summary>Adds extra credits or takes unused ones back; refuses as <see cref="Decide(Contract, AllocationChange, string, string, Instant)"/> does.</summary>
    public static Decision<Changed<Contract, AllocationRow>> Decide(Contract contract, GrantExtra grant, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        if (Missing(contract, grant.UserId) is { } missing) return missing;
        if (grant.Amount is 0 or < -MaxExtra or > MaxExtra) return Refusal.Invalid("amount", $"is -{MaxExtra} to {MaxExtra} and not 0");
        var before = contract.AllMembers[grant.UserId];
        var extra = before.Allocation.ExtraCredits + grant.Amount;
        if (Broken(before, extra, "amount") is { } broken) return broken;

        // After this line they are granted.
        var after = before with { Allocation = before.Allocation with { ExtraCredits = extra } };
        var row = contract.Change(before, after);
        return new Changed<Contract, AllocationRow>(
            contract.With(row.Member) with { Plan = contract.Plan.Changed($"extra credits of {after.UserId}", grant.Actor, now) },
            Changes.Of([row, Granted(contract, before, after, grant.Actor, Causes.Request, now) with { Reason = grant.Reason }]).RestingOn(contract.Enabled(before)),
            AllocationRow.Of(after, contract.Terms, now));
    }

    /// <summary>A user who is added gets the defaults; one who comes back keeps the settings. Each starts by A2 from now (A9, A11).</summary>
    internal static Member Begin(Contract contract, Member member, Instant now) =>
        (member.Allocation.Settings ?? contract.Plan.Defaults) is { } settings
            ? member with { Allocation = member.Allocation.Restart(settings, settings.StartAfter(Today(contract.Terms, now), contract.Terms), contract.Terms, now) }
            : member;

    /// <summary>The entries that tell which cycles ended (T3), and what the user may use from now on.</summary>
    internal static IEnumerable<Entry> ExplainRestart(Contract contract, Member before, Member after, string actor, string cause, Instant now)
    {
        var (rolled, passed) = before.Allocation.RollForward(contract.Terms, before.UserId, now);
        return
        [
            .. passed.Entries,
            contract.Tell(EntryKind.AllocationSet, Subjects.User(contract.Terms.ContractId, after.UserId), actor, cause, now) with
            {
                Before = Json.Write(Shown(rolled)),
                After = Json.Write(Shown(after.Allocation)),
                UserId = after.UserId,
            },
        ];
    }

    // Who is disabled meanwhile gets nothing (C3).
    private static Guard Enabled(this Contract contract, Member member) => new(RowKey.User(contract.ClientId, member.UserId), member.UserVersion);

    /// <summary>A refusal where a contract has no allocation (C2).</summary>
    public static Refusal NotSupported(Terms terms) =>
        new(RefusalCode.AllocationNotSupported, $"The contract {terms.ContractId} is unlimited: what its users use is not allocated.");

    private static Decision<Member> Decide(Contract contract, UserAllocationChange change, Plan plan, bool applied, string at, Instant now)
    {
        if (Missing(contract, change.UserId) is { } missing) return missing;
        var member = contract.AllMembers[change.UserId];
        var present = applied ? plan.Defaults : member.Allocation.Settings;
        if (change.ExtraCredits is { } extra)
        {
            if (Broken(member, extra, $"{at}extraCredits") is { } broken) return broken;
            member = member with { Allocation = member.Allocation with { ExtraCredits = extra } };
        }
        if (change.Settings.IsNothing && !applied) return member;

        var settings = change.Settings.Over(present, at);
        if (settings.Refusal is { } invalid) return invalid;
        var asked = change.Settings.StartDate;
        if (asked is { } start && start != member.Allocation.StartDate && Outside(contract, start, now, at) is { } outside) return outside;
        return Restarted(contract, member, settings.Value!, asked ?? (applied ? Coming(contract, plan.DefaultStart, now) : null), now);
    }

    // A6: what is equal changes nothing, and the present start date counts as absent.
    private static Member Restarted(Contract contract, Member member, Settings settings, LocalDate? start, Instant now)
    {
        var allocation = member.Allocation;
        if (start == allocation.StartDate) start = null;
        if (settings == allocation.Settings && start is null) return member;
        return member with { Allocation = allocation.Restart(settings, start ?? settings.StartAfter(Today(contract.Terms, now), contract.Terms), contract.Terms, now) };
    }

    // A2: before the contract begins, today is the day before its first.
    private static LocalDate Today(Terms terms, Instant now) => LocalDate.Max(Calendar.DateAt(now, terms.Zone), terms.StartsOn.PlusDays(-1));

    // The start date that came with the defaults, unless it is over by now.
    private static LocalDate? Coming(Contract contract, LocalDate? start, Instant now) => start >= Calendar.DateAt(now, contract.Terms.Zone) ? start : null;

    private static Refusal? Outside(Contract contract, LocalDate start, Instant now, string at)
    {
        var terms = contract.Terms;
        if (start < Calendar.DateAt(now, terms.Zone)) return Refusal.Invalid($"{at}startDate", "is today or later");
        return start < terms.StartsOn || start > (terms.EndsOn ?? Calendar.MaxDate) ? Refusal.Invalid($"{at}startDate", "lies within the contract") : null;
    }

    private static Refusal? Missing(Contract contract, string userId) => contract.AllMembers.GetValueOrDefault(userId) switch
    {
        null => Refusal.NotFound($"user {userId} of this contract"),
        { Assigned: false } => new(RefusalCode.UserNotAssigned, $"The user {userId} is not assigned to the contract."),
        { Disabled: true } => new(RefusalCode.UserDisabled, $"The user {userId} is disabled."),
        _ => null,
    };

    private static Refusal? Broken(Member member, long extra, string field) =>
        extra < member.Allocation.ExtraUsed ? Refusal.Invalid(field, $"leaves fewer extra credits than the {member.Allocation.ExtraUsed} that were used")
        : extra > MaxExtra ? Refusal.Invalid(field, $"makes more than {MaxExtra} extra credits")
        : null;

    private static IEnumerable<Entry> Explain(Contract contract, Plan plan, ImmutableArray<(Member Before, Member After)> changed, string actor, string cause, Instant now)
    {
        var present = contract.Plan;
        var subject = Subjects.Contract(contract.Terms.ContractId);
        if (plan.Enabled != present.Enabled)
            yield return contract.Tell(EntryKind.AllocationSwitched, subject, actor, cause, now) with { Before = Json.Write(new { present.Enabled }), After = Json.Write(new { plan.Enabled }) };
        if (DefaultSettings.Of(plan) != DefaultSettings.Of(present))
            yield return contract.Tell(EntryKind.DefaultsSet, subject, actor, cause, now) with { Before = Json.Write(DefaultSettings.Of(present)), After = Json.Write(DefaultSettings.Of(plan)) };
        foreach (var (before, after) in changed)
        {
            if (before.Allocation.Restarts != after.Allocation.Restarts)
                foreach (var entry in ExplainRestart(contract, before, after, actor, cause, now)) yield return entry;
            if (before.Allocation.ExtraCredits != after.Allocation.ExtraCredits) yield return Granted(contract, before, after, actor, cause, now);
        }
    }

    private static Entry Granted(Contract contract, Member before, Member after, string actor, string cause, Instant now) =>
        contract.Tell(EntryKind.ExtraGranted, Subjects.User(contract.Terms.ContractId, after.UserId), actor, cause, now) with
        {
            Quantity = after.Allocation.ExtraCredits - before.Allocation.ExtraCredits,
            Before = $"{before.Allocation.ExtraCredits}",
            After = $"{after.Allocation.ExtraCredits}",
            UserId = after.UserId,
        };

    private static object Shown(Allocation allocation) => new
    {
        allocation.Settings?.Amount, allocation.Settings?.Renewal, allocation.Settings?.Frequency, allocation.Settings?.On, allocation.StartDate, allocation.UsedInCycle,
    };

    private static string What(Plan before, Plan after, ImmutableArray<(Member Before, Member After)> changed) =>
        changed.Length == 1 ? $"settings of {changed[0].After.UserId}" : changed.Length > 1 ? $"settings of {changed.Length} users" : before.Enabled != after.Enabled ? "the switch" : "the defaults";

    private static IEnumerable<Warning> Warn(Contract contract, ImmutableArray<(Member Before, Member After)> changed, Instant now)
    {
        var remaining = contract.RemainingAt(now)!.Value;
        var promised = contract.AllMembers.Values.Where(member => member is { Assigned: true, Disabled: false }).Select(member => member.Allocation.At(now, contract.Terms))
            .Sum(allocation => (allocation.Cycle == Schedule.NotBegun ? allocation.Settings?.Amount : allocation.CycleLeft) + allocation.ExtraLeft ?? allocation.ExtraLeft);
        if (promised > remaining)
            yield return new(WarningCode.Oversubscribed, $"All users together may use {promised} credits; the contract has {remaining}.", Credits: promised - remaining);

        var first = LocalDate.Max(Calendar.DateAt(now, contract.Terms.Zone), contract.Terms.StartsOn);
        foreach (var (before, after) in changed.Where(pair => pair.Before.Allocation.Restarts != pair.After.Allocation.Restarts))
        {
            var (was, @is) = (before.Allocation.At(now, contract.Terms), after.Allocation);
            if (@is.ScheduleIn(contract.Terms)!.StartsAt > now)
                yield return new(
                    // A6: the present start date counts as absent.
                    WarningCode.NoCreditsUntil, $"{after.UserId} has extra credits only until {@is.StartDate:R}{(was.StartDate == first ? "" : $"; startDate: {first:R} avoids that")}.",
                    after.UserId, @is.StartDate);
            if (was is { Settings.Renewal: Renewal.Fixed, UsedInCycle: > 0 } && @is.Settings!.Renewal == Renewal.Fixed)
                yield return new(WarningCode.FixedRestarts, $"{was.UsedInCycle} credits that {after.UserId} has used of the fixed amount count no more.", after.UserId, Credits: was.UsedInCycle);
        }
    }
}
