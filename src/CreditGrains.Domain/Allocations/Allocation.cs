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

    /// <summary>The same after credits were used.</summary>
    public Allocation With(Use use) => this with { UsedInCycle = UsedInCycle + use.OfCycle, ExtraUsed = ExtraUsed + use.OfExtra, TotalUsed = TotalUsed + use.Credits };

    /// <summary>The same after a use was given back (P5).</summary>
    public Allocation With(GiveBack back) => this with { UsedInCycle = UsedInCycle - back.OfCycle, ExtraUsed = ExtraUsed - back.OfExtra, TotalUsed = TotalUsed - back.Credits };

    /// <summary>The cycles start anew (A6).</summary>
    public Allocation Restart(Settings settings, LocalDate startDate, Terms terms, Instant now) =>
        this with { Settings = settings, StartDate = startDate, Restarts = Restarts + 1, Cycle = new Schedule(settings, startDate, terms).CycleAt(now), UsedInCycle = 0 };

    /// <summary>Books the cycles that have begun (T3): the one that ends what was used, then those in which nothing was, as one entry (G1).</summary>
    public Changed<Allocation> RollForward(Terms terms, string userId, Instant now)
    {
        var next = At(now, terms);
        if (next.Cycle == Cycle) return new(this, Changes.None);

        var entries = ImmutableArray.CreateBuilder<Entry>();
        var unused = Cycle + 1;
        if (UsedInCycle > 0) entries.Add(Begun(unused, unused++, UsedInCycle));
        if (unused <= next.Cycle) entries.Add(Begun(unused, next.Cycle, 0));
        return new(next, new Changes { Cycles = [new(terms.ContractId, userId, CycleKey, UsedInCycle, next.Cycle)], Entries = entries.ToImmutable() });

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

/// <summary>A user of a contract, and all that stands behind a report of that user (C3, A4, A8).</summary>
/// <param name="IsRestricted">Whether the contract's switch is on.</param>
public sealed record Allowance(Terms Terms, bool IsRestricted, Member Member)
{
    /// <summary>The contract's revision that this rests on.</summary>
    public long Revision { get; init; }

    /// <summary>Promises credits: the cycle's first, then extra ones (A4).</summary>
    /// <param name="held">What other reports hold and have not yet committed.</param>
    /// <returns>Refused with <see cref="RefusalCode.UserNotAssigned"/>, <see cref="RefusalCode.UserDisabled"/> or <see cref="RefusalCode.InsufficientAllocation"/>.</returns>
    public Decision<Hold> Decide(long credits, IReadOnlyCollection<Hold> held, Instant now)
    {
        var allocation = Member.Allocation.At(now, Terms);
        var schedule = allocation.ScheduleIn(Terms);
        var renewal = IsRestricted && schedule?.NextRenewal(now) is { } date ? Calendar.StartOf(date, Terms.Zone) : (Instant?)null;
        var heldOfCycle = held.Where(hold => hold.Restarts == allocation.Restarts && hold.Cycle == allocation.Cycle).Sum(hold => hold.OfCycle);

        // What a report has used but not yet settled counts twice for that moment; extra credits do not make up for it.
        var cycleLeft = IsRestricted && allocation.CycleLeft is { } left ? Math.Max(0, left - heldOfCycle) : (long?)null;
        var extraLeft = allocation.ExtraLeft - held.Sum(hold => hold.OfExtra);
        var available = cycleLeft + extraLeft;
        var amounts = new Amounts(credits, available, null, renewal);

        if (!Member.Assigned) return new Refusal(RefusalCode.UserNotAssigned, $"The user {Member.UserId} is not assigned to the contract.", Amounts: amounts);
        if (Member.Disabled) return new Refusal(RefusalCode.UserDisabled, $"The user {Member.UserId} is disabled.", Amounts: amounts);
        if (credits > 0 && available < credits) return new Refusal(RefusalCode.InsufficientAllocation, Explain(credits, available, allocation, schedule, renewal), Amounts: amounts);

        // After this line the credits are promised.
        var ofCycle = !IsRestricted ? 0 : Math.Min(credits, cycleLeft ?? credits);
        return new Hold(credits, available, renewal)
        {
            OfCycle = ofCycle,
            OfExtra = IsRestricted ? credits - ofCycle : 0,
            IsRestricted = IsRestricted,
            Restarts = allocation.Restarts,
            Cycle = allocation.Cycle,
            ExtraCredits = IsRestricted ? allocation.ExtraCredits : null,
            Revision = Revision,
            From = IsRestricted && allocation.Cycle >= 0 ? schedule?.StartOf(allocation.Cycle) : null,
            Until = IsRestricted ? schedule?.StartOf(allocation.Cycle + 1) : null,
        };
    }

    /// <summary>When a renewal will next change something; null: none is due.</summary>
    [JsonIgnore]
    public Instant? NextDue => Member.Allocation.NextDue(Terms);

    /// <summary>Whether no cycle has begun that is not in the ledger yet.</summary>
    public bool IsBooked(Instant now) => Member.Allocation.At(now, Terms) == Member.Allocation;

    /// <summary>Books the cycles that have begun (T3).</summary>
    public Changed<Allowance> RollForward(Instant now)
    {
        var (next, changes) = Member.Allocation.RollForward(Terms, Member.UserId, now);
        return new(this with { Member = Member with { Allocation = next } }, changes);
    }

    /// <summary>The same after what was promised has been used.</summary>
    public Allowance After(Hold hold) => this with { Member = Member with { Allocation = Member.Allocation.With(hold.AsUse(Terms.ContractId, Member.UserId)) } };

    private string Explain(long credits, long? available, Allocation allocation, Schedule? schedule, Instant? renewal)
    {
        var more = allocation.Cycle == Schedule.NotBegun ? schedule?.StartsAt : renewal;
        return $"The report needs {credits} credits; the user can use {available}{(more is null ? ", and no more will come by itself" : $" until {NodaTime.Text.InstantPattern.ExtendedIso.Format(more.Value)}")}.";
    }
}

/// <summary>What an allocation promised to a report: the user may use that many credits (A4).</summary>
/// <param name="Credits">Credits held.</param>
/// <param name="UserAvailable">What the user could use before this hold; null: no limit.</param>
public sealed record Hold(long Credits, long? UserAvailable, Instant? NextRenewalAt)
{
    /// <summary>Credits of the cycle.</summary>
    public long OfCycle { get; init; }

    /// <summary>Extra credits.</summary>
    public long OfExtra { get; init; }

    /// <summary>Whether the contract's switch is on; off, the use is of neither.</summary>
    public bool IsRestricted { get; init; }

    public int Restarts { get; init; }

    public int Cycle { get; init; } = Schedule.NotBegun;

    /// <summary>Extra credits granted in all when this was promised; null: off.</summary>
    public long? ExtraCredits { get; init; }

    /// <summary>The contract's revision that it rests on; 0: not known.</summary>
    public long Revision { get; init; }

    /// <summary>The promise is good from then ...</summary>
    public Instant? From { get; init; }

    /// <summary>... until then: the next cycle has other credits.</summary>
    public Instant? Until { get; init; }

    /// <summary>Whether a contract may charge on it now.</summary>
    public bool IsGoodFor(Contract contract, Instant now) =>
        IsRestricted == contract.Plan.Enabled && (Revision == 0 || Revision == contract.Revision) && !(now < From) && !(now >= Until);

    /// <summary>The use of it, as it is committed.</summary>
    internal Use AsUse(string contractId, string userId) => new(contractId, userId, Credits)
    {
        OfCycle = OfCycle,
        OfExtra = OfExtra,
        Cycle = IsRestricted ? new(Restarts, Cycle) : null,
        ExtraCredits = ExtraCredits,
        DueAt = OfCycle > 0 ? Until : null,
    };

    /// <summary>What a refusal proves that says what the user could use: nothing is used.</summary>
    public Use AsProof(string contractId, string userId) => AsUse(contractId, userId) with { Credits = 0, OfCycle = 0, OfExtra = 0, DueAt = null };

    /// <summary>What the credits of the charge are used of, one by one (P5 gives them back there); null: of no limit.</summary>
    internal IEnumerable<string?> Sources() => !IsRestricted
        ? Enumerable.Repeat<string?>(null, (int)Credits)
        : Enumerable.Repeat<string?>($"{new CycleKey(Restarts, Cycle)}", (int)OfCycle).Concat(Enumerable.Repeat<string?>(Allocation.Extra, (int)OfExtra));
}
