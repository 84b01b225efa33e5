using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What one user may use of one contract and has used, in credits (A4, A5).</summary>
/// <param name="Settings">null: none; then only extra credits can be used.</param>
/// <param name="StartDate">When cycle 0 begins; null without settings.</param>
/// <param name="Restarts">Rises by one whenever the cycles start anew (A6): numbers of cycles count from there.</param>
/// <param name="Cycle">The cycle that <paramref name="UsedInCycle"/> belongs to; <see cref="Schedule.NotBegun"/> before the first.</param>
/// <param name="ExtraCredits">Extra credits granted in all.</param>
/// <param name="TotalUsed">Used of the contract in all, by whatever right.</param>
public sealed record Allocation(Settings? Settings, LocalDate? StartDate, int Restarts, int Cycle, long UsedInCycle, long ExtraCredits, long ExtraUsed, long TotalUsed)
{
    /// <summary>What the entries and credits of extra credits say that they were used of.</summary>
    public const string Extra = "extra";

    public static readonly Allocation None = new(null, null, 0, Schedule.NotBegun, 0, 0, 0, 0);

    [JsonIgnore]
    public long ExtraLeft => ExtraCredits - ExtraUsed;

    /// <summary>What is left of the cycle; null: no limit.</summary>
    [JsonIgnore]
    public long? CycleLeft => Settings is null || Cycle == Schedule.NotBegun ? 0 : Settings.Amount - UsedInCycle;

    /// <summary>What the user can use (A4); null: no limit.</summary>
    [JsonIgnore]
    public long? Available => CycleLeft + ExtraLeft;

    [JsonIgnore]
    public CycleKey CycleKey => new(Restarts, Cycle);

    /// <summary>When its cycles begin; null without settings.</summary>
    public Schedule? ScheduleIn(Terms terms) => Settings is null ? null : new(Settings, StartDate!.Value, terms);

    /// <summary>The same at an instant, as if each renewal until then had happened (T3).</summary>
    public Allocation At(Instant now, Terms terms)
    {
        var cycle = ScheduleIn(terms)?.CycleAt(now) ?? Schedule.NotBegun;
        return cycle > Cycle ? this with { Cycle = cycle, UsedInCycle = 0 } : this;
    }

    /// <summary>When a renewal will next change something; null: never, or nobody has used anything of the cycle.</summary>
    public Instant? NextDue(Terms terms) => UsedInCycle > 0 ? ScheduleIn(terms)?.StartOf(Cycle + 1) : null;

    /// <summary>The same after one credit was given back that was used of that right, as <see cref="Entry.UsedOf"/> says (P5): of a cycle that is over only the total falls.</summary>
    public Allocation GivenBack(string? usedOf) => this with
    {
        UsedInCycle = usedOf == $"{CycleKey}" ? UsedInCycle - 1 : UsedInCycle,
        ExtraUsed = usedOf == Extra ? ExtraUsed - 1 : ExtraUsed,
        TotalUsed = TotalUsed - 1,
    };

    /// <summary>The cycles start anew (A6).</summary>
    public Allocation Restart(Settings settings, LocalDate startDate, Terms terms, Instant now) =>
        this with { Settings = settings, StartDate = startDate, Restarts = Restarts + 1, Cycle = new Schedule(settings, startDate, terms).CycleAt(now), UsedInCycle = 0 };

    /// <summary>The cycles that have begun (T3), with the entries that tell of them: the one that ends what was used, then those in which nothing was, as one entry (G1).</summary>
    public Changed<Allocation> RollForward(Terms terms, string userId, Instant now)
    {
        var next = At(now, terms);
        if (next.Cycle == Cycle) return new(this, Changes.None);

        var entries = new List<Entry>();
        var unused = Cycle + 1;
        if (UsedInCycle > 0) entries.Add(Begun(unused, unused++, UsedInCycle));
        if (unused <= next.Cycle) entries.Add(Begun(unused, next.Cycle, 0));
        return new(next, [.. entries]);

        Entry Begun(int from, int to, long used) => new()
        {
            Kind = EntryKind.CyclesBegun,
            EffectiveAt = ScheduleIn(terms)!.StartOf(from)!.Value,
            BookedAt = now,
            Actor = Entry.System,
            Cause = Causes.Renewal,
            Subject = Subjects.User(terms.ContractId, userId),
            Before = Json.Write(new { Cycle = from - 1, UsedInCycle = used }),
            After = Json.Write(new { Cycle = to, UsedInCycle = 0, Cycles = to - from + 1, BeganOn = ScheduleIn(terms)!.DateOf(to) }),
            ClientId = terms.ClientId,
            ContractId = terms.ContractId,
            UserId = userId,
        };
    }
}

/// <summary>One of a user's cycles: those after a restart count anew.</summary>
public readonly record struct CycleKey(int Restarts, int Cycle)
{
    public override string ToString() => $"cycle:{Restarts}.{Cycle}";
}

/// <summary>A user of a contract, and all that stands behind a report of that user (C3, A4, A8).</summary>
/// <param name="IsRestricted">Whether the contract's switch is on.</param>
/// <param name="Member">null: the user has never been assigned.</param>
public sealed record Allowance(Terms Terms, bool IsRestricted, Member? Member)
{
    /// <summary>What the user can use at an instant (A4), in credits; null: no limit, or no such user.</summary>
    public long? AvailableAt(Instant now) => IsRestricted ? Member?.Allocation.At(now, Terms).Available : null;

    /// <summary>What a report that charges so many credits finds (R2).</summary>
    public Amounts AmountsAt(Instant now, long toCharge, long? contractRemaining)
    {
        if (!IsRestricted || Member?.Allocation.ScheduleIn(Terms) is not { } schedule) return new(toCharge, AvailableAt(now), contractRemaining, null, null);
        var renewal = schedule.NextRenewal(now) is { } date ? Calendar.StartOf(date, Terms.Zone) : (Instant?)null;
        return new(toCharge, AvailableAt(now), contractRemaining, renewal, now < schedule.StartsAt ? schedule.StartsAt : renewal);
    }

    /// <summary>Refuses with <see cref="RefusalCode.UserNotAssigned"/>, <see cref="RefusalCode.UserDisabled"/> or <see cref="RefusalCode.InsufficientAllocation"/>, in this order; null: the user may use that many.</summary>
    public Refusal? Refuses(string userId, Amounts amounts)
    {
        if (Member is not { Assigned: true }) return new(RefusalCode.UserNotAssigned, $"The user {userId} must be assigned to the contract.", Amounts: amounts);
        if (Member.Disabled) return new(RefusalCode.UserDisabled, $"The user {userId} is disabled and must be enabled first.", Amounts: amounts);
        if (amounts.ToCharge == 0 || !(amounts.UserAvailable < amounts.ToCharge)) return null;
        var more = amounts.NextCreditsAt is { } at ? $" until {NodaTime.Text.InstantPattern.ExtendedIso.Format(at)}" : ", and no more will come by itself";
        return new(RefusalCode.InsufficientAllocation, $"The report needs {amounts.ToCharge} credits; the user can use {amounts.UserAvailable}{more}.", Amounts: amounts);
    }

    /// <summary>Uses credits that the user may use: the cycle's first, then extra ones (A4). Renewals that are due are booked with it (T3).</summary>
    /// <returns>The member afterwards, the entries of the renewals, and of which right each credit was used, as <see cref="Entry.UsedOf"/> says.</returns>
    public (Member After, Changes Renewals, ImmutableArray<string?> Sources) Use(int credits, Instant now)
    {
        var (allocation, renewals) = Member!.Allocation.RollForward(Terms, Member.UserId, now);
        var ofCycle = IsRestricted ? (int)Math.Min(credits, allocation.CycleLeft ?? credits) : 0;
        var ofExtra = IsRestricted ? credits - ofCycle : 0;
        Invariant.Holds(ofExtra <= allocation.ExtraLeft || !IsRestricted, "no more is used than the user may use");
        var used = allocation with { UsedInCycle = allocation.UsedInCycle + ofCycle, ExtraUsed = allocation.ExtraUsed + ofExtra, TotalUsed = allocation.TotalUsed + credits };
        var sources = Enumerable.Repeat<string?>($"{allocation.CycleKey}", ofCycle).Concat(Enumerable.Repeat<string?>(Allocation.Extra, ofExtra));
        return (Member with { Allocation = used, AsOf = now }, renewals, IsRestricted ? [.. sources] : [.. Enumerable.Repeat<string?>(null, credits)]);
    }

    /// <summary>The member with every renewal booked that is due (T3), and the entries that tell of them.</summary>
    public Changed<Member> RollForward(Instant now)
    {
        var (allocation, renewals) = Member!.Allocation.RollForward(Terms, Member.UserId, now);
        return new(Member with { Allocation = allocation, AsOf = Instant.Max(now, Member.AsOf) }, renewals);
    }
}
