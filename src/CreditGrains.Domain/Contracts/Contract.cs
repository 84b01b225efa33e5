using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A contract as its grain knows it.</summary>
/// <param name="Revision">Rises by one with every change of the terms.</param>
/// <param name="Lots">The open lots; lots that are used up or over are in the store only.</param>
/// <param name="AsOf">The instant of the last decision; no later decision is made as of an earlier instant.</param>
public sealed record Contract(Terms Terms, long Revision, ImmutableArray<Lot> Lots, Instant AsOf) : ICreditHolder<Contract>
{
    /// <summary>Its present and past users by id: those that commands have asked for so far, or all (<see cref="HasAllMembers"/>).</summary>
    public ImmutableSortedDictionary<string, Member> Members { get; init; } =
        ImmutableSortedDictionary<string, Member>.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>Whether <see cref="Members"/> are all its users; else a user who is not among them may still exist.</summary>
    public bool HasAllMembers { get; init; }

    /// <summary>
    /// The own rows of users whom the present command names and who have none in this contract yet, where they have one: they have a name and may be
    /// disabled (C3).
    /// </summary>
    public ImmutableDictionary<string, User> Strangers { get; init; } = ImmutableDictionary<string, User>.Empty;

    public string ClientId => Terms.ClientId;

    /// <summary>Its rules for the allocation of its users.</summary>
    public Plan Plan { get; init; } = Plan.Initial;

    public bool IsUnlimited => Terms.Type == ContractType.Unlimited;

    /// <summary>Whether any credit has, or ever had, an expiry of its own while unallocated (P5); see <see cref="Lot.Apart"/>.</summary>
    public bool HasApart { get; init; }

    /// <summary>Its open holds (R8), the next to end first.</summary>
    public ImmutableSortedDictionary<HoldKey, Hold> Holds { get; init; } = ImmutableSortedDictionary<HoldKey, Hold>.Empty;

    /// <summary>Lots that are used up or over, and to which credits may return that are held, or are charged from where they lie apart.</summary>
    public ImmutableArray<Lot> Closed { get; init; } = [];

    /// <summary>What the last <see cref="RollForward"/> brought about: rows that were read before it do not show it.</summary>
    public Changes Passed { get; init; } = Changes.None;

    /// <summary>What a draw could take now, in credits; null where there is no limit (R2).</summary>
    public long? RemainingAt(Instant now) => IsUnlimited ? null : Lots.AvailableAt(now);

    /// <summary>When time will next change it: the next expiry of a lot (L4), start of a billing cycle (L5) or end of a hold (R8); null: never.</summary>
    public Instant? NextDue => Lots.Where(lot => lot.Free.Count > 0).Select(lot => lot.ExpiresAt)
        .Concat(Billing.After(Terms, AsOf).Take(1).Select(cycle => (Instant?)cycle.At))
        .Concat(Holds.Keys.Take(1).Select(hold => (Instant?)hold.Until))
        .Min();

    /// <summary>
    /// Books everything that fell due by now, each at its own instant (T3): lots expire (L4), billing cycles grant theirs (L5) and holds end (R8).
    /// A lot granted late may be granted and expired at once.
    /// </summary>
    public Changed<Contract> RollForward(Instant now)
    {
        Invariant.Holds(now >= AsOf, "a contract does not go back in time");
        var (state, passed) = (this, Changes.None);
        if (NextDue <= now)
        {
            while (state.Holds.Values.FirstOrDefault() is { } hold && hold.Key.Until <= now)
            {
                (state, var pool) = state.RollPool(hold.Key.Until, now);
                (state, var ended) = Domain.Holds.End(state, hold, now);
                passed += pool + ended;
            }
            (state, var rest) = state.RollPool(now, now);
            passed += rest;
        }
        return new(state with { AsOf = now, Passed = passed }, passed);
    }

    private Changed<Contract> RollPool(Instant until, Instant now)
    {
        var granted = Billing.After(Terms, AsOf)
            .TakeWhile(cycle => cycle.At <= until)
            .Select(cycle => Billing.Grant(Terms, cycle.Start, cycle.At)).ToList();
        var over = Lots.Concat(granted)
            .Where(lot => lot.Free.Count > 0 && lot.ExpiresAt <= until)
            .InDrawOrder()
            .Select(lot => lot with { ExpiryBooked = true })
            .ToList();
        return new(
            With(granted).With(over) with { AsOf = until },
            [
                .. granted.Select(lot => Change(lot, isNew: true)),
                .. over.Select(lot => Change(lot)),

                // The sort is stable: at one instant the expiries come before the grants.
                .. over.Select(Expired).Concat(granted.Select(lot => Billing.Tell(this, lot, now, Entry.System, Causes.Renewal)))
                    .OrderBy(entry => entry.EffectiveAt),
            ]);

        Entry Expired(Lot lot) => Tell(EntryKind.LotExpired, lot, lot.ExpiresAt!.Value, now, Entry.System, Causes.Expiry) with
        {
            Quantity = lot.Free.Count,
            Before = $"{lot.Free.Count}",
            After = "0",
        };
    }

    /// <summary>The contract with these lots as they now are; lots that are no longer open leave it.</summary>
    internal Contract With(IReadOnlyCollection<Lot> changed)
    {
        var ids = changed.Select(lot => (lot.LotId, lot.Apart)).ToHashSet();
        return this with
        {
            Lots = [.. Lots.Where(lot => !ids.Contains((lot.LotId, lot.Apart))), .. changed.Where(lot => lot.IsOpen)],
            Closed =
            [
                .. Holds.IsEmpty && !HasApart ? [] : Closed.Where(lot => !ids.Contains((lot.LotId, 0))),
                .. changed.Where(lot => lot is { IsOpen: false, Apart: 0 }),
            ],
            HasApart = HasApart || changed.Any(lot => lot.Apart > 0),
        };
    }

    /// <summary>The contract with a lot that is used up or over kept, for a credit of it lies apart.</summary>
    internal Contract Keeping(Lot lot) =>
        lot.IsOpen || Closed.Any(known => known.LotId == lot.LotId) || OpenLot(lot.LotId) is not null ? this : this with { Closed = Closed.Add(lot) };

    /// <summary>The lot where it is open; null: it is used up or over.</summary>
    internal Lot? OpenLot(string lotId) => Lots.FirstOrDefault(lot => lot.LotId == lotId && lot.Apart == 0);

    /// <summary>The contract with a user as the store has it, unless it knows of something newer: time has changed it since it was read.</summary>
    public Contract WithRead(Member member) => Members.GetValueOrDefault(member.UserId)?.Version >= member.Version ? this : With(member);

    /// <summary>The contract with these users as they now are.</summary>
    public Contract With(params IEnumerable<Member> members) =>
        this with { Members = Members.SetItems(members.Select(member => KeyValuePair.Create(member.UserId, member))) };

    /// <summary>All its users by id; a bug where only some of them are known.</summary>
    internal ImmutableSortedDictionary<string, Member> AllMembers =>
        HasAllMembers ? Members : throw new InvariantException("all members are loaded before a command needs all");

    /// <summary>A user who is new to the contract.</summary>
    internal Member Newcomer(string userId, string name) => Strangers.GetValueOrDefault(userId) is { } user
        ? new(userId, name, true, user.Disabled) { AsOf = user.AsOf, UserVersion = user.Version }
        : new(userId, name, true);

    /// <summary>
    /// A user as a member, and the user's own row where it gets another name, which is then in its next version; null: the user has that name (C3).
    /// </summary>
    internal (Member Member, UserChange? Naming) Named(Member member, string actor, Instant now)
    {
        var present = Members.GetValueOrDefault(member.UserId)?.Name ?? Strangers.GetValueOrDefault(member.UserId)?.Name;
        if (present == member.Name) return (member, null);
        var user = new User(ClientId, member.UserId, member.Disabled, Instant.Max(now, member.AsOf), member.UserVersion + 1);
        return (member with { UserVersion = user.Version }, new(user with { Name = member.Name, ChangedBy = actor }, member.UserVersion));
    }

    /// <summary>C3: if the user is disabled or renamed before the commit, the commit fails and the command is decided again.</summary>
    internal Guard AsSeen(Member member) => new(RowKey.User(ClientId, member.UserId), member.UserVersion);

    /// <inheritdoc cref="MemberChange.Of"/>
    internal MemberChange Change(Member? before, Member after) => MemberChange.Of(Terms, before, after, AsOf);

    /// <summary>The same, made by somebody (A10).</summary>
    internal MemberChange Change(Member? before, Member after, string actor, Instant now) => Change(before, after with { LastChange = new(actor, now) });

    internal LotChange Change(Lot lot, bool isNew = false) => new(Terms.ContractId, Terms.ClientId, lot, isNew);

    internal Entry Tell(EntryKind kind, Lot lot, Instant effectiveAt, Instant now, string actor, string cause) =>
        Tell(kind, Subjects.Lot(Terms.ContractId, lot), actor, cause, now) with { EffectiveAt = effectiveAt, LotId = lot.LotId };

    /// <summary>That a lot has other terms.</summary>
    internal Entry TellSet(Lot before, Lot after, Act act) => Tell(EntryKind.LotSet, after, act.At, act.Now, act.Actor, act.Cause) with
    {
        Before = Json.Write(before.Terms),
        After = Json.Write(after.Terms),
        Reason = act.Reason,
    };

    internal Entry Tell(EntryKind kind, string subject, string actor, string cause, Instant now) => new()
    {
        Kind = kind,
        EffectiveAt = now,
        BookedAt = now,
        Actor = actor,
        Cause = cause,
        Subject = subject,
        ClientId = Terms.ClientId,
        ContractId = Terms.ContractId,
    };
}

/// <summary>A new state, and the rows and entries that are committed with it.</summary>
public sealed record Changed<TState>(TState State, Changes Changes);

/// <summary>A new state, the rows and entries that are committed with it, and the answer to the caller.</summary>
public sealed record Changed<TState, TAnswer>(TState State, Changes Changes, TAnswer Answer);
