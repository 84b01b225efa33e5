using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A change of a contract's allocation, as a manager asks for it; null leaves a part as it is (A7).</summary>
/// <param name="Enabled">The switch (A8).</param>
/// <param name="Defaults">Settings for users added later, and with <paramref name="ApplyToAll"/> for everyone (A9).</param>
/// <param name="Users">At most one change for each user; it wins over <paramref name="ApplyToAll"/>.</param>
public sealed record AllocationChange(bool? Enabled, SettingsChange? Defaults, bool ApplyToAll, ImmutableArray<UserAllocationChange> Users);

/// <summary>A change of one user's allocation; null leaves a part as it is.</summary>
/// <param name="ExtraCredits">The new total of extra credits granted, 0 to 999,999,999 (A5).</param>
public sealed record UserAllocationChange(string UserId, SettingsChange Settings, long? ExtraCredits);

/// <summary>Adds extra credits, or with a negative amount takes unused ones back (A5).</summary>
/// <param name="Amount">-999,999,999 to 999,999,999 credits, not 0.</param>
public sealed record GrantExtra(string UserId, long Amount, string Reason, string Actor);

/// <summary>Changes what users may use (A5 to A9). The contract must know all its members.</summary>
public static class Allocating
{
    /// <summary>The most extra credits of a user.</summary>
    public const long MaxExtra = Lot.MaxQuantity;

    /// <summary>
    /// Applies all of a change, or nothing. Refuses with <see cref="RefusalCode.AllocationNotSupported"/>, <see cref="RefusalCode.InvalidField"/>,
    /// <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.UserNotAssigned"/> or <see cref="RefusalCode.UserDisabled"/>.
    /// </summary>
    public static Decision<Changed<Contract, Window>> Decide(Contract contract, AllocationChange change, string actor, string cause, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        var plan = contract.Plan with { Enabled = change.Enabled ?? contract.Plan.Enabled };
        if (change.Defaults is { IsNothing: false } asked)
        {
            var defaults = asked.Over(plan.Defaults, "defaults.");
            if (defaults.Refusal is { } invalid) return invalid;
            if (asked.StartDate is { } start && start != plan.DefaultStart && CheckStart(contract, start, now, "defaults.") is { } wrong) return wrong;
            plan = plan with { Defaults = defaults.Value, DefaultStart = asked.StartDate ?? plan.DefaultStart };
        }
        if (change.ApplyToAll && plan.Defaults is null) return Refusal.Invalid("applyToAll", "must be sent with defaults: the contract has none yet");

        var wanted = new SortedDictionary<string, Member>(StringComparer.Ordinal);
        if (change.ApplyToAll)
            foreach (var member in contract.AllMembers.Values.Where(member => member is { Assigned: true, Disabled: false }))
                wanted[member.UserId] = Restarted(contract, member, plan.Defaults!, UnlessOver(contract, plan.DefaultStart, now), now);
        for (var i = 0; i < change.Users.Length; i++)
        {
            var decision = Decide(contract, change.Users[i], plan, change.ApplyToAll, $"users[{i}].", now);
            if (decision.Refusal is { } refusal) return refusal;
            wanted[decision.Value!.UserId] = decision.Value;
        }

        // After this line the change succeeds.
        var changed = wanted.Values
            .Select(after => (before: contract.AllMembers[after.UserId], after))
            .Where(pair => pair.before != pair.after)
            .ToImmutableArray();
        var rows = changed.Select(pair => contract.Change(pair.before, pair.after)).ToList();
        var next = contract.With(rows.Select(row => row.Member));
        var entries = Explain(contract, plan, changed, actor, cause, now).ToImmutableArray();
        if (!entries.IsEmpty) next = next with { Plan = plan.Changed(Summary(contract.Plan, plan, changed), actor, now) };
        return new Changed<Contract, Window>(
            next,
            Changes.Of([.. rows, .. entries]).RestingOn(changed.Select(pair => contract.Enabled(pair.before))),
            Window.Of(next, now) with
            {
                Changes = [.. changed.Select(pair => Shown(contract, pair.before, pair.after, now))],
                Warnings = [.. Warn(next, changed, now)],
            });
    }

    /// <summary>
    /// Applies a change that was previewed. Refuses with <see cref="RefusalCode.NotFound"/> where there is no such preview, with
    /// <see cref="RefusalCode.AllocationChanged"/> where anything but use has changed since, and as the change itself does.
    /// </summary>
    public static Decision<Changed<Contract, Window>> Confirm(Contract contract, Preview? preview, string actor, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        if (preview is null) return Refusal.NotFound("preview with this confirmationToken");
        var version = PlanVersion.Of(contract, now);
        if (version != preview.Version)
        {
            var since = version.Since(preview.Version, contract.Plan);
            return new Refusal(RefusalCode.AllocationChanged, $"The change must be previewed again, because something else has changed since: {since}.");
        }
        return Decide(contract, preview.Change, actor, Causes.Confirmation(preview.Token), now).Select(changed =>
            changed with { Changes = changed.Changes + [Remembered.Keep(preview with { Answer = changed.Answer }, now)] });
    }

    /// <summary>
    /// Adds extra credits or takes unused ones back (A5). Refuses with <see cref="RefusalCode.AllocationNotSupported"/>, <see cref="RefusalCode.NotFound"/>,
    /// <see cref="RefusalCode.UserNotAssigned"/>, <see cref="RefusalCode.UserDisabled"/> or <see cref="RefusalCode.InvalidField"/>.
    /// </summary>
    public static Decision<Changed<Contract, AllocationRow>> Decide(Contract contract, GrantExtra grant, Instant now)
    {
        if (contract.IsUnlimited) return NotSupported(contract.Terms);
        if (CheckUser(contract, grant.UserId) is { } refusal) return refusal;
        if (grant.Amount is 0 or < -MaxExtra or > MaxExtra) return Refusal.Invalid("amount", $"must be -{MaxExtra:N0} to {MaxExtra:N0} and not 0");
        var before = contract.AllMembers[grant.UserId];
        var extra = before.Allocation.ExtraCredits + grant.Amount;
        if (CheckExtra(before, extra, "amount") is { } wrong) return wrong;

        // After this line they are granted.
        var after = before with { Allocation = before.Allocation with { ExtraCredits = extra } };
        var row = contract.Change(before, after);
        var entry = Granted(contract, before, after, grant.Actor, Causes.Request, now) with { Reason = grant.Reason };
        return new Changed<Contract, AllocationRow>(
            contract.With(row.Member) with { Plan = contract.Plan.Changed($"extra credits of {after.UserId}", grant.Actor, now) },
            Changes.Of([row, entry]).RestingOn(contract.Enabled(before)),
            AllocationRow.Of(after, contract.Terms, now));
    }

    /// <summary>An added user gets the defaults; one who comes back keeps the settings. Both start by A2 from now (A9, A11).</summary>
    internal static Member Begin(Contract contract, Member member, Instant now)
    {
        if ((member.Allocation.Settings ?? contract.Plan.Defaults) is not { } settings) return member;
        var start = settings.StartAfter(Today(contract.Terms, now), contract.Terms);
        return member with { Allocation = member.Allocation.Restart(settings, start, contract.Terms, now) };
    }

    /// <summary>The entries of a restart: the cycles that ended before it (T3), and the allocation before and after.</summary>
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

    /// <summary>The refusal of every allocation call to an unlimited contract (C2).</summary>
    public static Refusal NotSupported(Terms terms) => new(
        RefusalCode.AllocationNotSupported, $"The contract {terms.ContractId} must be metered: an unlimited contract does not limit what its users use.");

    // C3: if the user is disabled before the commit, the commit fails and the command is decided again.
    private static Guard Enabled(this Contract contract, Member member) => new(RowKey.User(contract.ClientId, member.UserId), member.UserVersion);

    private static Decision<Member> Decide(Contract contract, UserAllocationChange change, Plan plan, bool applied, string at, Instant now)
    {
        if (CheckUser(contract, change.UserId) is { } refusal) return refusal;
        var member = contract.AllMembers[change.UserId];
        var present = applied ? plan.Defaults : member.Allocation.Settings;
        if (change.ExtraCredits is { } extra)
        {
            if (CheckExtra(member, extra, $"{at}extraCredits") is { } wrong) return wrong;
            member = member with { Allocation = member.Allocation with { ExtraCredits = extra } };
        }
        if (change.Settings.IsNothing && !applied) return member;

        var settings = change.Settings.Over(present, at);
        if (settings.Refusal is { } invalid) return invalid;
        var asked = change.Settings.StartDate;
        if (asked is { } start && start != member.Allocation.StartDate && CheckStart(contract, start, now, at) is { } outside) return outside;
        return Restarted(contract, member, settings.Value!, asked ?? (applied ? UnlessOver(contract, plan.DefaultStart, now) : null), now);
    }

    // A6: equal settings change nothing, and the present start date counts as absent.
    private static Member Restarted(Contract contract, Member member, Settings settings, LocalDate? asked, Instant now)
    {
        var allocation = member.Allocation;
        if (asked == allocation.StartDate) asked = null;
        if (settings == allocation.Settings && asked is null) return member;
        var start = asked ?? settings.StartAfter(Today(contract.Terms, now), contract.Terms);
        return member with { Allocation = allocation.Restart(settings, start, contract.Terms, now) };
    }

    // A2: before the contract begins, today is the day before its first.
    private static LocalDate Today(Terms terms, Instant now) => LocalDate.Max(Calendar.DateAt(now, terms.Zone), terms.StartsOn.PlusDays(-1));

    // The start date that came with the defaults; null once it is in the past.
    private static LocalDate? UnlessOver(Contract contract, LocalDate? start, Instant now) =>
        start >= Calendar.DateAt(now, contract.Terms.Zone) ? start : null;

    private static Refusal? CheckStart(Contract contract, LocalDate start, Instant now, string at)
    {
        var terms = contract.Terms;
        var today = Calendar.DateAt(now, terms.Zone);
        if (start < today) return Refusal.Invalid($"{at}startDate", $"must be today, {today:R}, or later");
        if (start < terms.StartsOn || start > terms.EndsOn) return Refusal.Invalid($"{at}startDate", "must be within the contract's days");
        return Calendar.CheckDate($"{at}startDate", start);
    }

    private static Refusal? CheckUser(Contract contract, string userId) => contract.AllMembers.GetValueOrDefault(userId) switch
    {
        null => Refusal.NotFound($"user {userId} of this contract"),
        { Assigned: false } => Refusal.NotAssigned(userId),
        { Disabled: true } => Refusal.Disabled(userId),
        _ => null,
    };

    private static Refusal? CheckExtra(Member member, long extra, string field)
    {
        var used = member.Allocation.ExtraUsed;
        if (extra < used) return Refusal.Invalid(field, $"must not leave fewer extra credits than were used, which is {used:N0}");
        return extra > MaxExtra ? Refusal.Invalid(field, $"must not make more than {MaxExtra:N0} extra credits") : null;
    }

    private static IEnumerable<Entry> Explain(
        Contract contract, Plan plan, ImmutableArray<(Member Before, Member After)> changed, string actor, string cause, Instant now)
    {
        var present = contract.Plan;
        var subject = Subjects.Contract(contract.Terms.ContractId);
        if (plan.Enabled != present.Enabled)
        {
            yield return contract.Tell(EntryKind.AllocationSwitched, subject, actor, cause, now) with
            {
                Before = Json.Write(new { present.Enabled }),
                After = Json.Write(new { plan.Enabled }),
            };
        }
        if (DefaultSettings.Of(plan) != DefaultSettings.Of(present))
        {
            yield return contract.Tell(EntryKind.DefaultsSet, subject, actor, cause, now) with
            {
                Before = Json.Write(DefaultSettings.Of(present)),
                After = Json.Write(DefaultSettings.Of(plan)),
            };
        }
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

    private static RowChange Shown(Contract contract, Member before, Member after, Instant now) =>
        new(after.UserId, AllocationRow.Of(before, contract.Terms, now), AllocationRow.Of(after, contract.Terms, now));

    private static object Shown(Allocation allocation) => new
    {
        allocation.Settings?.Amount,
        allocation.Settings?.Renewal,
        allocation.Settings?.Frequency,
        allocation.Settings?.On,
        allocation.StartDate,
        allocation.UsedInCycle,
    };

    private static string Summary(Plan before, Plan after, ImmutableArray<(Member Before, Member After)> changed) => changed.Length switch
    {
        1 => $"settings of {changed[0].After.UserId}",
        > 1 => $"settings of {changed.Length} users",
        _ => before.Enabled != after.Enabled ? "the switch" : "the defaults",
    };

    private static IEnumerable<Warning> Warn(Contract contract, ImmutableArray<(Member Before, Member After)> changed, Instant now)
    {
        var terms = contract.Terms;
        var remaining = contract.RemainingAt(now)!.Value;
        var promised = contract.AllMembers.Values
            .Where(member => member is { Assigned: true, Disabled: false })
            .Select(member => member.Allocation.At(now, terms))
            .Sum(Promised);
        if (promised > remaining)
        {
            yield return new(
                WarningCode.Oversubscribed,
                $"All users together may use {promised:N0} credits, but the contract has only {remaining:N0}.",
                Credits: promised - remaining);
        }

        var first = LocalDate.Max(Calendar.DateAt(now, terms.Zone), terms.StartsOn);
        foreach (var (before, after) in changed.Where(pair => pair.Before.Allocation.Restarts != pair.After.Allocation.Restarts))
        {
            var (was, @is) = (before.Allocation.At(now, terms), after.Allocation);
            if (@is.ScheduleIn(terms)!.StartsAt > now)
            {
                // A6: the present start date counts as absent, so it avoids nothing.
                var avoided = was.StartDate == first ? "" : $"; startDate: {first:R} avoids this";
                yield return new(
                    WarningCode.NoCreditsUntil, $"Until {@is.StartDate:R} {after.UserId} can use extra credits only{avoided}.", after.UserId, @is.StartDate);
            }
            if (was is { Settings.Renewal: Renewal.Fixed, UsedInCycle: > 0 } && @is.Settings!.Renewal == Renewal.Fixed)
            {
                yield return new(
                    WarningCode.FixedRestarts,
                    $"The fixed amount of {after.UserId} starts again: the {was.UsedInCycle:N0} already used no longer count.",
                    after.UserId,
                    Credits: was.UsedInCycle);
            }
        }
    }

    // What a user may use of the running or first cycle, and extra credits; of an unlimited user the extra credits only.
    private static long Promised(Allocation allocation) =>
        ((allocation.Cycle == Schedule.NotBegun ? allocation.Settings?.Amount : allocation.CycleLeft) ?? 0) + allocation.ExtraLeft;
}
