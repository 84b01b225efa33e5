using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A contract as its grain knows it.</summary>
/// <param name="Terms">What it says.</param>
/// <param name="Revision">Rises by one with every change of the terms.</param>
/// <param name="Lots">Its open lots; what is used up or over is in the store only.</param>
/// <param name="AsOf">The last instant at which something was decided; time never goes back behind it.</param>
public sealed record Contract(Terms Terms, long Revision, ImmutableArray<Lot> Lots, Instant AsOf) : ICreditHolder<Contract>
{
    /// <summary>Its users, present and past, by id: those that commands have asked for, or all (<see cref="HasAllMembers"/>).</summary>
    public ImmutableSortedDictionary<string, Member> Members { get; init; } = ImmutableSortedDictionary<string, Member>.Empty.WithComparers(StringComparer.Ordinal);

    public bool HasAllMembers { get; init; }

    public string ClientId => Terms.ClientId;

    /// <summary>Its rules for what its users may use.</summary>
    public Plan Plan { get; init; } = Plan.Initial;

    public bool IsUnlimited => Terms.Type == ContractType.Unlimited;

    /// <summary>Whether credits lie, or have lain, apart from their lots (P5).</summary>
    public bool HasApart { get; init; }

    /// <summary>What a draw could take now, in credits; null where there is no limit (R2).</summary>
    public long? RemainingAt(Instant now) => IsUnlimited ? null : Lots.AvailableAt(now);

    /// <summary>When time will next change it by itself; null: never (L4, L5).</summary>
    public Instant? NextDue => Lots.Where(lot => lot.Free.Count > 0).Select(lot => lot.ExpiresAt)
        .Concat(Billing.After(Terms, AsOf).Take(1).Select(cycle => (Instant?)cycle.At)).Min();

    /// <summary>What time does (T3), each at its own instant: lots that are over expire (L4), and the billing cycles that have started bring theirs (L5), be those over, too.</summary>
    public Changed<Contract> RollForward(Instant now)
    {
        Invariant.Holds(now >= AsOf, "time does not go back");
        if (!(NextDue <= now)) return new(this with { AsOf = now }, Changes.None);

        var granted = Billing.After(Terms, AsOf).TakeWhile(cycle => cycle.At <= now).Select(cycle => Billing.Grant(Terms, cycle.Start, cycle.At)).ToList();
        var over = Lots.Concat(granted).Where(lot => lot.Free.Count > 0 && lot.ExpiresAt <= now).InDrawOrder()
            .Select(lot => lot with { ExpiryBooked = true }).ToList();
        return new(
            With(granted).With(over) with { AsOf = now },
            [
                .. granted.Select(lot => Change(lot, isNew: true)),
                .. over.Select(lot => Change(lot)),

                // What expires as a cycle starts is told before what comes with it.
                .. over.Select(lot => Tell(EntryKind.LotExpired, lot, lot.ExpiresAt!.Value, now, Entry.System, Causes.Expiry) with
                {
                    Quantity = lot.Free.Count,
                    Before = $"{lot.Free.Count}",
                    After = "0",
                }).Concat(granted.Select(lot => Billing.Tell(this, lot, now, Entry.System, Causes.Renewal))).OrderBy(entry => entry.EffectiveAt),
            ]);
    }

    /// <summary>The contract with these lots as they now are; those that are no longer open are let go.</summary>
    internal Contract With(IReadOnlyCollection<Lot> changed)
    {
        var ids = changed.Select(lot => (lot.LotId, lot.Apart)).ToHashSet();
        return this with { Lots = [.. Lots.Where(lot => !ids.Contains((lot.LotId, lot.Apart))), .. changed.Where(lot => lot.IsOpen)], HasApart = HasApart || changed.Any(lot => lot.Apart > 0) };
    }

    /// <summary>The contract with these users as they now are.</summary>
    public Contract With(params IEnumerable<Member> members) =>
        this with { Members = Members.SetItems(members.Select(member => KeyValuePair.Create(member.UserId, member))) };

    /// <summary>Its users, by id; all of them must be known.</summary>
    internal ImmutableSortedDictionary<string, Member> AllMembers =>
        HasAllMembers ? Members : throw new InvariantException("members are loaded before they are looked at");

    /// <summary>A member's row as it now is; null before: it must not have been there.</summary>
    internal MemberChange Change(Member? before, Member after) => MemberChange.Of(Terms, before, after, AsOf);

    internal LotChange Change(Lot lot, bool isNew = false) => new(Terms.ContractId, Terms.ClientId, lot, isNew);

    internal Entry Tell(EntryKind kind, Lot lot, Instant effectiveAt, Instant now, string actor, string cause) =>
        Tell(kind, Subjects.Lot(Terms.ContractId, lot), actor, cause, now) with { EffectiveAt = effectiveAt, LotId = lot.LotId };

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

/// <summary>A new state, and what else changes with it.</summary>
public sealed record Changed<TState>(TState State, Changes Changes);

/// <summary>A new state, what else changes with it, and the answer to who asked.</summary>
public sealed record Changed<TState, TAnswer>(TState State, Changes Changes, TAnswer Answer);
