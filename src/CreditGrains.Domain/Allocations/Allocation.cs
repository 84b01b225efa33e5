using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>What one user may use of one contract and has used, in credits (A4, A5).</summary>
/// <param name="Settings">null: none; the user can use extra credits only.</param>
/// <param name="StartDate">When cycle 0 begins; null without settings.</param>
/// <param name="Restarts">Rises by one whenever the cycles start anew (A6); each restart numbers its cycles from 0.</param>
/// <param name="Cycle">The cycle that <paramref name="UsedInCycle"/> belongs to; <see cref="Schedule.NotBegun"/> before the first.</param>
/// <param name="ExtraCredits">All extra credits granted.</param>
/// <param name="TotalUsed">All credits used of the contract, by whatever right.</param>
public sealed record Allocation(
    Settings? Settings, LocalDate? StartDate, int Restarts, int Cycle, long UsedInCycle, long ExtraCredits, long ExtraUsed, long TotalUsed)
{
    /// <summary>The value of <see cref="Entry.UsedOf"/> and <see cref="Credit.UsedOf"/> for extra credits.</summary>
    public const string Extra = "extra";

    public static readonly Allocation None = new(null, null, 0, Schedule.NotBegun, 0, 0, 0, 0);

    [JsonIgnore]
    public long ExtraLeft => ExtraCredits - ExtraUsed;

    /// <summary>What is left of the cycle; null: no limit.</summary>
    [JsonIgnore]
    public long? CycleLeft => Settings is null || Cycle == Schedule.NotBegun ? 0 : Settings.Amount - UsedInCycle;

    [JsonIgnore]
    public CycleKey CycleKey => new(Restarts, Cycle);

    /// <summary>When the cycles begin; null without settings.</summary>
    public Schedule? ScheduleIn(Terms terms) => Settings is null ? null : new(Settings, StartDate!.Value, terms);

    /// <summary>This allocation at an instant, as if every renewal until then had been booked (T3).</summary>
    public Allocation At(Instant now, Terms terms)
    {
        var cycle = ScheduleIn(terms)?.CycleAt(now) ?? Schedule.NotBegun;
        return cycle > Cycle ? this with { Cycle = cycle, UsedInCycle = 0 } : this;
    }

    /// <summary>What the user can use at an instant (A4): nothing outside the contract's days; null: no limit.</summary>
    public long? AvailableAt(Instant now, Terms terms) => terms.IsActiveAt(now) ? At(now, terms).CycleLeft + ExtraLeft : 0;

    /// <summary>When a renewal will next change something; null: never, or nothing has been used of the cycle.</summary>
    public Instant? NextDue(Terms terms) => UsedInCycle > 0 ? ScheduleIn(terms)?.StartOf(Cycle + 1) : null;

    /// <summary>Gives one credit back (P5); where the cycle that it was used of is over, only the total falls.</summary>
    /// <param name="usedOf">The credit's <see cref="Credit.UsedOf"/>.</param>
    public Allocation GivenBack(string? usedOf) => this with
    {
        UsedInCycle = usedOf == $"{CycleKey}" ? UsedInCycle - 1 : UsedInCycle,
        ExtraUsed = usedOf == Extra ? ExtraUsed - 1 : ExtraUsed,
        TotalUsed = TotalUsed - 1,
    };

    /// <summary>Starts the cycles anew (A6).</summary>
    public Allocation Restart(Settings settings, LocalDate startDate, Terms terms, Instant now)
    {
        var restarted = this with { Settings = settings, StartDate = startDate, Restarts = Restarts + 1 };
        return restarted with { Cycle = new Schedule(settings, startDate, terms).CycleAt(now), UsedInCycle = 0 };
    }

    /// <summary>The cycles of a user who comes back (A11): they start anew, but what was used of a fixed amount stays used.</summary>
    public Allocation Resume(Settings settings, LocalDate startDate, Terms terms, Instant now) =>
        settings == Settings && settings.Renewal == Renewal.Fixed && UsedInCycle > 0
            ? this with { StartDate = startDate }
            : Restart(settings, startDate, terms, now);

    /// <summary>Takes the settings away, and with them the running cycle (A1).</summary>
    public Allocation WithoutSettings() =>
        Settings is null ? this : this with { Settings = null, StartDate = null, Restarts = Restarts + 1, Cycle = Schedule.NotBegun, UsedInCycle = 0 };

    /// <summary>Whether the other has the same settings and cycles.</summary>
    internal bool HasCyclesOf(Allocation other) => (Restarts, Settings, StartDate) == (other.Restarts, other.Settings, other.StartDate);

    /// <summary>Books the cycles that have begun (T3): one entry for the renewal that ends a used cycle, one for all later ones together (G1).</summary>
    /// <param name="bookedAt">null: at the same instant.</param>
    public Changed<Allocation> RollForward(Terms terms, string userId, Instant now, Instant? bookedAt = null)
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
            BookedAt = bookedAt ?? now,
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

/// <summary>One cycle of a user; each restart numbers its cycles from 0. A user's later cycles compare greater.</summary>
public readonly record struct CycleKey(int Restarts, int Cycle) : IComparable<CycleKey>
{
    private const string Prefix = "cycle:";

    /// <summary>The cycle of an <see cref="Entry.UsedOf"/>; null: it is no cycle.</summary>
    public static CycleKey? Read(string? usedOf)
    {
        if (usedOf is null || !usedOf.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var parts = usedOf[Prefix.Length..].Split('.');
        return new(int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public int CompareTo(CycleKey other) => (Restarts, Cycle).CompareTo((other.Restarts, other.Cycle));

    public override string ToString() => $"{Prefix}{Restarts}.{Cycle}";
}

/// <summary>Everything that decides whether a user may make a report of a contract, and how many credits it may charge (C3, A4, A8).</summary>
/// <param name="IsRestricted">Whether the contract's switch is on.</param>
/// <param name="Member">null: the user has never been assigned.</param>
public sealed record Allowance(Terms Terms, bool IsRestricted, Member? Member)
{
    /// <summary>What the user can use at an instant (A4), in credits; null: no limit, or no such user.</summary>
    public long? AvailableAt(Instant now) => IsRestricted ? Member?.Allocation.AvailableAt(now, Terms) : null;

    /// <summary>The amounts of a report that would charge <paramref name="toCharge"/> credits (R2).</summary>
    public Amounts AmountsAt(Instant now, long toCharge, long? contractRemaining)
    {
        if (!IsRestricted || Member?.Allocation.ScheduleIn(Terms) is not { } schedule) return new(toCharge, AvailableAt(now), contractRemaining, null, null);
        var renewal = schedule.NextRenewal(now) is { } date ? Calendar.StartOf(date, Terms.Zone) : (Instant?)null;
        var starts = now < schedule.StartsAt && !(schedule.StartsAt >= Terms.Ends);
        return new(toCharge, AvailableAt(now), contractRemaining, renewal, starts ? schedule.StartsAt : renewal);
    }

    /// <summary>
    /// Refuses, in this order, with <see cref="RefusalCode.UserNotAssigned"/>, <see cref="RefusalCode.UserDisabled"/> or
    /// <see cref="RefusalCode.InsufficientAllocation"/>; null: the user may use that many.
    /// </summary>
    public Refusal? Refuses(string userId, Amounts amounts)
    {
        if (Member is not { Assigned: true }) return Refusal.NotAssigned(userId) with { Amounts = amounts };
        if (Member.Disabled) return Refusal.Disabled(userId) with { Amounts = amounts };
        if (amounts.ToCharge == 0 || !(amounts.UserAvailable < amounts.ToCharge)) return null;
        var more = amounts.NextCreditsAt is { } at ? $"until {InstantPattern.ExtendedIso.Format(at)}" : "and gets no more unless a manager grants them";
        return new(
            RefusalCode.InsufficientAllocation,
            $"The report needs {Refusal.Credits(amounts.ToCharge)}; the user can use {amounts.UserAvailable:N0} {more}.",
            Amounts: amounts);
    }

    /// <summary>Uses credits that the user is known to have: the cycle's first, then extra credits (A4). Books due renewals with it (T3).</summary>
    /// <returns>The member afterwards, the entries of the renewals, and for each credit its <see cref="Credit.UsedOf"/>.</returns>
    public (Member After, Changes Renewals, ImmutableArray<string?> Sources) Use(int credits, Instant now)
    {
        var (allocation, renewals) = Member!.Allocation.RollForward(Terms, Member.UserId, now);
        var ofCycle = IsRestricted ? (int)Math.Min(credits, allocation.CycleLeft ?? credits) : 0;
        var ofExtra = IsRestricted ? credits - ofCycle : 0;
        Invariant.Holds(ofExtra <= allocation.ExtraLeft || !IsRestricted, "a user uses no more than is available");
        var used = allocation with
        {
            UsedInCycle = allocation.UsedInCycle + ofCycle,
            ExtraUsed = allocation.ExtraUsed + ofExtra,
            TotalUsed = allocation.TotalUsed + credits,
        };
        ImmutableArray<string?> sources = IsRestricted
            ? [.. Enumerable.Repeat($"{allocation.CycleKey}", ofCycle), .. Enumerable.Repeat(Allocation.Extra, ofExtra)]
            : [.. Enumerable.Repeat<string?>(null, credits)];
        return (Member with { Allocation = used, AsOf = now }, renewals, sources);
    }

    /// <summary>Books every renewal that is due (T3): the member afterwards, and the entries.</summary>
    /// <param name="bookedAt">null: at the same instant.</param>
    public Changed<Member> RollForward(Instant now, Instant? bookedAt = null)
    {
        var (allocation, renewals) = Member!.Allocation.RollForward(Terms, Member.UserId, now, bookedAt);
        return new(Member with { Allocation = allocation, AsOf = Instant.Max(now, Member.AsOf) }, renewals);
    }
}
