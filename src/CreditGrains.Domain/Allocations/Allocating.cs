using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A change of a contract's allocation, as a manager asks for it; null leaves a part as it is (A7).</summary>
/// <param name="Enabled">The switch (A8).</param>
/// <param name="Defaults">Settings for users added later, and with <paramref name="ApplyToAll"/> for everyone (A9).</param>
/// <param name="Users">At most one change for each user; it wins over <paramref name="ApplyToAll"/>.</param>
public sealed record AllocationChange(bool? Enabled, SettingsChange? Defaults, bool ApplyToAll, ImmutableArray<UserAllocationChange> Users)
{
    public string? Reason { get; init; }
}

/// <summary>A change of one user's allocation; null leaves a part as it is.</summary>
/// <param name="ExtraCredits">The new total of extra credits granted, 0 to 999,999,999 (A5).</param>
public sealed record UserAllocationChange(string UserId, SettingsChange Settings, long? ExtraCredits)
{
    /// <summary>0 to 200 characters; a user who is new to the contract needs one.</summary>
    public string? Name { get; init; }

    /// <summary>true assigns the user, false removes the user and changes nothing else (C3).</summary>
    public bool? Assigned { get; init; }

    /// <summary>Whether it is about what the user may use.</summary>
    internal bool Allocates => !Settings.IsNothing || ExtraCredits is not null;
}

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
        var planned = Decide(contract, change, now);
        if (planned.Refusal is { } wrong) return wrong;
        var plan = planned.Value!;
        if (change.ApplyToAll && plan.Defaults is null) return Refusal.Invalid("applyToAll", "must be sent with defaults: the contract has none");

        var wanted = new SortedDictionary<string, Member>(StringComparer.Ordinal);
        var applied = new StartDate(plan.DefaultStart, IsGiven: change.Defaults?.StartDate is not null);
        if (change.ApplyToAll)
            foreach (var member in contract.AllMembers.Values.Where(member => member is { Assigned: true, Disabled: false }))
                wanted[member.UserId] = Restarted(contract, member, plan.Defaults!, applied, now);
        for (var i = 0; i < change.Users.Length; i++)
        {
            var decision = Decide(contract, change.Users[i], plan, change.ApplyToAll ? applied : null, $"users[{i}].", now);
            if (decision.Refusal is { } refusal) return refusal;
            wanted[decision.Value!.UserId] = decision.Value;
        }

        // After this line the change succeeds.
        var changed = wanted.Values
            .Select(after => (Before: contract.AllMembers.GetValueOrDefault(after.UserId), after))
            .Where(pair => pair.Before != pair.after)
            .Select(pair => (pair.Before, After: contract.Named(pair.after, actor, now)))
            .Select(pair => (pair.Before, pair.After.Naming, Row: contract.Change(pair.Before, pair.After.Member, actor, now)))
            .Select(pair => new MemberChanged(pair.Before, pair.Row.Member, pair.Row, pair.Naming))
            .ToImmutableArray();
        var next = contract.With(changed.Select(member => member.After));
        var entries = Explain(contract, plan, changed, actor, cause, now)
            .Select(entry => entry.Actor == Entry.System ? entry : entry with { Reason = change.Reason })
            .ToImmutableArray();
        if (!entries.IsEmpty) next = next with { Plan = plan.Changed(Summary(contract.Plan, plan, changed), actor, now) };
        return new Changed<Contract, Window>(
            next,
            Changes.Of([.. changed.Select(member => member.Row), .. changed.Select(member => member.Naming).OfType<UserChange>(), .. entries])
                .RestingOn(changed.Where(member => member.Naming is null).Select(member => contract.AsSeen(member.After))),
            Window.Of(next, now) with
            {
                Changes = [.. changed.Select(member => Shown(contract, member.Before, member.After, now))],
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
        var row = contract.Change(before, after, grant.Actor, now);
        var entry = Granted(contract, before.Allocation, after, grant.Actor, Causes.Request, now) with { Reason = grant.Reason };
        return new Changed<Contract, AllocationRow>(
            contract.With(row.Member) with { Plan = contract.Plan.Changed($"extra credits of {after.UserId}", grant.Actor, now) },
            Changes.Of([row, entry]).RestingOn(contract.AsSeen(before)),
            AllocationRow.Of(row.Member, contract.Terms, now));
    }

    /// <summary>An added user gets the defaults; one who comes back keeps the settings. Both start by A2 from now (A9, A11).</summary>
    internal static Member Begin(Contract contract, Member member, Instant now)
    {
        if ((member.Allocation.Settings ?? contract.Plan.Defaults) is not { } settings) return member;
        var start = settings.StartAfter(Today(contract.Terms, now), contract.Terms);
        return member with { Allocation = member.Allocation.Resume(settings, start, contract.Terms, now) };
    }

    /// <summary>The entries of new settings or cycles: the cycles that ended before them (T3), and the allocation before and after.</summary>
    internal static IEnumerable<Entry> ExplainRestart(Contract contract, Allocation before, Member after, string actor, string cause, Instant now)
    {
        var (rolled, passed) = before.RollForward(contract.Terms, after.UserId, now);
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

    // The start date that is asked for; null: none. IsGiven: by this very change.
    private readonly record struct StartDate(LocalDate? Date, bool IsGiven);

    private sealed record MemberChanged(Member? Before, Member After, MemberChange Row, UserChange? Naming)
    {
        public Allocation Was => Before?.Allocation ?? Allocation.None;

        public Allocation Is => After.Allocation;
    }

    // The plan as it is wanted.
    private static Decision<Plan> Decide(Contract contract, AllocationChange change, Instant now)
    {
        var plan = contract.Plan with { Enabled = change.Enabled ?? contract.Plan.Enabled };
        if (change.Defaults is not { IsNothing: false } asked) return plan;
        if (asked.Clears) return plan with { Defaults = null, DefaultStart = null };
        var defaults = asked.Over(plan.Defaults, "defaults.");
        if (defaults.Refusal is { } invalid) return invalid;
        if (CheckStart(contract, asked.StartDate, plan.DefaultStart, now, "defaults.") is { } wrong) return wrong;
        return plan with { Defaults = defaults.Value, DefaultStart = asked.ClearsStart ? null : asked.StartDate ?? plan.DefaultStart };
    }

    // One user as wanted; applied: the defaults' start date where they are applied to all, else null.
    private static Decision<Member> Decide(Contract contract, UserAllocationChange change, Plan plan, StartDate? applied, string at, Instant now)
    {
        var known = contract.AllMembers.GetValueOrDefault(change.UserId);
        if (change.Assigned == false) return Removed(known, change, at);
        var joins = change.Assigned == true && known is not { Assigned: true };
        if (!joins && CheckAssigned(known, change.UserId) is { } refusal) return refusal;
        if ((change.Name ?? known?.Name ?? contract.Strangers.GetValueOrDefault(change.UserId)?.Name) is not { } name)
            return Refusal.Invalid($"{at}name", "must be given for a user who is new to the client");
        var member = (known ?? contract.Newcomer(change.UserId, name)) with { Name = name, Assigned = true };
        if (member.Disabled && (applied is not null || change.Allocates)) return Refusal.Disabled(change.UserId);

        if (change.ExtraCredits is { } extra)
        {
            if (CheckExtra(member, extra, $"{at}extraCredits") is { } wrong) return wrong;
            member = member with { Allocation = member.Allocation with { ExtraCredits = extra } };
        }
        if (change.Settings.Clears) return member with { Allocation = member.Allocation.WithoutSettings() };
        if (change.Settings.IsNothing && applied is null) return joins ? Begin(contract with { Plan = plan }, member, now) : member;

        var present = applied is not null ? plan.Defaults : member.Allocation.Settings ?? (joins ? plan.Defaults : null);
        var settings = change.Settings.Over(present, at);
        if (settings.Refusal is { } invalid) return invalid;
        if (CheckStart(contract, change.Settings.StartDate, member.Allocation.StartDate, now, at) is { } outside) return outside;
        var start = change.Settings.StartDate is { } given ? new StartDate(given, IsGiven: true) : applied ?? default;
        return joins && start.Date is null && settings.Value == member.Allocation.Settings
            ? Begin(contract, member, now)
            : Restarted(contract, member, settings.Value!, start, now, always: joins);
    }

    private static Decision<Member> Removed(Member? known, UserAllocationChange change, string at)
    {
        if (known is null) return NoUser(change.UserId);
        if (change.Allocates || change.Name is not null)
            return Refusal.Invalid($"{at}assigned", "must be true or left out where the user's name, settings or extra credits change");
        return known with { Assigned = false };
    }

    // A6: equal settings change nothing, unless a start date of today or later is given. The present start date, once it is in the past, is none.
    private static Member Restarted(Contract contract, Member member, Settings settings, StartDate asked, Instant now, bool always = false)
    {
        var (terms, present) = (contract.Terms, member.Allocation);
        var date = asked.Date >= Calendar.DateAt(now, terms.Zone) ? asked.Date : null;
        var isPresent = settings == present.Settings && (date is null || date == present.StartDate);
        if (isPresent && !always && !(asked.IsGiven && date is not null && present.At(now, terms).UsedInCycle > 0)) return member;
        return member with { Allocation = present.Restart(settings, date ?? settings.StartAfter(Today(terms, now), terms), terms, now) };
    }

    // A2: before the contract begins, today is the day before its first.
    private static LocalDate Today(Terms terms, Instant now) => LocalDate.Max(Calendar.DateAt(now, terms.Zone), terms.StartsOn.PlusDays(-1));

    // A start date in the past is refused, unless it is the present one.
    private static Refusal? CheckStart(Contract contract, LocalDate? asked, LocalDate? present, Instant now, string at)
    {
        var terms = contract.Terms;
        var today = Calendar.DateAt(now, terms.Zone);
        if (asked is not { } start || (start < today && start == present)) return null;
        if (start < today) return Refusal.Invalid($"{at}startDate", $"must be today, {today:R}, or later");
        if (start < terms.StartsOn || start > terms.EndsOn) return Refusal.Invalid($"{at}startDate", "must be within the contract's days");
        return Calendar.CheckDate($"{at}startDate", start);
    }

    private static Refusal? CheckUser(Contract contract, string userId)
    {
        var known = contract.AllMembers.GetValueOrDefault(userId);
        return CheckAssigned(known, userId) ?? (known is { Disabled: true } ? Refusal.Disabled(userId) : null);
    }

    private static Refusal? CheckAssigned(Member? known, string userId) =>
        known is null ? NoUser(userId) : known.Assigned ? null : Refusal.NotAssigned(userId);

    private static Refusal NoUser(string userId) => Refusal.NotFound($"user {userId} of this contract");

    private static Refusal? CheckExtra(Member member, long extra, string field)
    {
        var used = member.Allocation.ExtraUsed;
        if (extra < used) return Refusal.Invalid(field, $"must not leave fewer extra credits than were used, which is {used:N0}");
        return extra > MaxExtra ? Refusal.Invalid(field, $"must not make more than {MaxExtra:N0} extra credits") : null;
    }

    private static IEnumerable<Entry> Explain(
        Contract contract, Plan plan, ImmutableArray<MemberChanged> changed, string actor, string cause, Instant now)
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
        foreach (var member in changed)
        {
            var (before, after) = (member.Before, member.After);
            if ((before?.Name, before?.Assigned) != (after.Name, after.Assigned)) yield return Membership.Tell(contract, before, after, actor, cause, now);
            if (!member.Is.HasCyclesOf(member.Was))
                foreach (var entry in ExplainRestart(contract, member.Was, after, actor, cause, now)) yield return entry;
            if (member.Is.ExtraCredits != member.Was.ExtraCredits) yield return Granted(contract, member.Was, after, actor, cause, now);
        }
    }

    private static Entry Granted(Contract contract, Allocation before, Member after, string actor, string cause, Instant now) =>
        contract.Tell(EntryKind.ExtraGranted, Subjects.User(contract.Terms.ContractId, after.UserId), actor, cause, now) with
        {
            Quantity = after.Allocation.ExtraCredits - before.ExtraCredits,
            Before = $"{before.ExtraCredits}",
            After = $"{after.Allocation.ExtraCredits}",
            UserId = after.UserId,
        };

    private static RowChange Shown(Contract contract, Member? before, Member after, Instant now) =>
        new(after.UserId, before is null ? null : AllocationRow.Of(before, contract.Terms, now), AllocationRow.Of(after, contract.Terms, now));

    private static object Shown(Allocation allocation) => new
    {
        allocation.Settings?.Amount,
        allocation.Settings?.Renewal,
        allocation.Settings?.Frequency,
        allocation.Settings?.On,
        allocation.StartDate,
        allocation.UsedInCycle,
    };

    private static string Summary(Plan before, Plan after, ImmutableArray<MemberChanged> changed) => changed.Length switch
    {
        1 => $"settings of {changed[0].After.UserId}",
        > 1 => $"settings of {changed.Length} users",
        _ => before.Enabled != after.Enabled ? "the switch" : "the defaults",
    };

    private static IEnumerable<Warning> Warn(Contract contract, ImmutableArray<MemberChanged> changed, Instant now)
    {
        var terms = contract.Terms;
        var remaining = contract.RemainingAt(now)!.Value;
        var promised = contract.AllMembers.Values
            .Where(member => member is { Assigned: true, Disabled: false })
            .Select(member => member.Allocation.At(now, terms))
            .Sum(Promised);
        return
        [
            .. promised > remaining
                ?
                [
                    new Warning(
                        WarningCode.Oversubscribed,
                        $"All users together may use {promised:N0} credits, but the contract has only {remaining:N0}.",
                        Credits: promised - remaining),
                ]
                : Array.Empty<Warning>(),
            .. changed.SelectMany(member => member.After.Assigned ? WarnOfStart(terms, member, now) : WarnOfLoss(terms, member, now)),
        ];
    }

    private static IEnumerable<Warning> WarnOfStart(Terms terms, MemberChanged member, Instant now)
    {
        var (userId, was, @is) = (member.After.UserId, member.Was.At(now, terms), member.Is);
        if (@is.Settings is not { } settings || @is.HasCyclesOf(member.Was)) yield break;
        var runs = terms.IsActiveAt(now);
        var avoided = runs ? $"; startDate: {Calendar.DateAt(now, terms.Zone):R} avoids this" : "";
        if (@is.StartDate > terms.EndsOn)
        {
            yield return new(
                WarningCode.NeverStarts,
                $"The first cycle of {userId} starts on {@is.StartDate:R}, after the contract's end on {terms.EndsOn:R}{avoided}.",
                userId,
                @is.StartDate);
        }
        else if (runs && @is.Cycle == Schedule.NotBegun)
        {
            yield return new(WarningCode.NoCreditsUntil, $"Until {@is.StartDate:R} {userId} can use extra credits only{avoided}.", userId, @is.StartDate);
        }
        if (was is { Settings.Renewal: Renewal.Fixed, UsedInCycle: > 0 } && settings.Renewal == Renewal.Fixed && @is.UsedInCycle == 0)
        {
            yield return new(
                WarningCode.FixedRestarts,
                $"The fixed amount of {userId} starts again: the {was.UsedInCycle:N0} already used no longer count.",
                userId,
                Credits: was.UsedInCycle);
        }
    }

    // A fixed amount is not lost: who comes back goes on with it (A11).
    private static IEnumerable<Warning> WarnOfLoss(Terms terms, MemberChanged member, Instant now)
    {
        var was = member.Was.At(now, terms);
        if (was is not { Settings: { } settings, CycleLeft: > 0 } || !settings.Renewal.Repeats()) yield break;
        yield return new(
            WarningCode.CycleLost,
            $"{member.After.UserId} loses the {was.CycleLeft:N0} left of the running cycle; a user who comes back starts anew.",
            member.After.UserId,
            Credits: was.CycleLeft);
    }

    // What a user may use of the running or first cycle, and extra credits; of an unlimited user the extra credits only.
    private static long Promised(Allocation allocation) =>
        ((allocation.Cycle == Schedule.NotBegun ? allocation.Settings?.Amount : allocation.CycleLeft) ?? 0) + allocation.ExtraLeft;
}
