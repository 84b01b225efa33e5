using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A user to be assigned to a contract (C3).</summary>
/// <param name="Name">0 to 200 characters.</param>
public sealed record UserName(string UserId, string Name);

/// <summary>Assigns users to a contract and removes them (C3). The contract must know all its members.</summary>
public static class Membership
{
    /// <summary>The most users in one list.</summary>
    public const int MaxUsers = 10_000;

    /// <summary>Replaces the list; refuses with <see cref="RefusalCode.PreconditionFailed"/>. The same list again changes nothing.</summary>
    /// <param name="seen">The plan's version that the caller has seen (If-Match).</param>
    public static Decision<Changed<Contract, ImmutableArray<Member>>> Replace(
        Contract contract, IReadOnlyCollection<UserName> users, string actor, Instant now, long? seen)
    {
        var changed = Replace(contract, users, actor, now);
        return seen is not null && seen != contract.Plan.Version && changed.Changes.Any() ? Refusal.Changed("list of users") : changed;
    }

    /// <summary>Replaces the list: assigned users who are not in it are removed.</summary>
    public static Changed<Contract, ImmutableArray<Member>> Replace(Contract contract, IReadOnlyCollection<UserName> users, string actor, Instant now)
    {
        var kept = users.Select(user => user.UserId).ToHashSet();
        var assigned = users.Select(user => Assigned(contract, user, now));
        var removed = contract.AllMembers.Values
            .Where(member => member.Assigned && !kept.Contains(member.UserId))
            .Select(member => member with { Assigned = false });
        return Set(contract, [.. assigned, .. removed], actor, now);
    }

    /// <summary>Assigns users, or renames them; the others stay.</summary>
    public static Changed<Contract, ImmutableArray<Member>> Add(Contract contract, IReadOnlyCollection<UserName> users, string actor, Instant now) =>
        Set(contract, users.Select(user => Assigned(contract, user, now)), actor, now);

    /// <summary>Assigns one user, or renames one.</summary>
    public static Changed<Contract, ImmutableArray<Member>> Assign(Contract contract, UserName user, string actor, Instant now) =>
        Add(contract, [user], actor, now);

    /// <summary>Removes one user, whose row stays; refuses with <see cref="RefusalCode.NotFound"/> where the user is not assigned.</summary>
    public static Decision<Changed<Contract, ImmutableArray<Member>>> Remove(Contract contract, string userId, string actor, Instant now) =>
        contract.AllMembers.GetValueOrDefault(userId) is { Assigned: true } member
            ? Set(contract, [member with { Assigned = false }], actor, now)
            : Refusal.NotFound($"user {userId} of this contract");

    // A user who is added or comes back starts cycles of their own (A9, A11).
    private static Member Assigned(Contract contract, UserName user, Instant now)
    {
        var present = contract.AllMembers.GetValueOrDefault(user.UserId);
        var assigned = (present ?? contract.Newcomer(user.UserId, user.Name)) with { Name = user.Name, Assigned = true };
        return present is { Assigned: true } || contract.IsUnlimited ? assigned : Allocating.Begin(contract, assigned, now);
    }

    private static Changed<Contract, ImmutableArray<Member>> Set(Contract contract, IEnumerable<Member> members, string actor, Instant now)
    {
        var present = contract.AllMembers;
        var wanted = members.Select(member => contract.Named(member, actor, now)).ToList();
        var changed = wanted.Select(one => one.Member)
            .Where(member => present.GetValueOrDefault(member.UserId) != member)
            .Select(member => contract.Change(present.GetValueOrDefault(member.UserId), member, actor, now))
            .ToList();
        var summary = changed.Count == 1 ? $"user {changed[0].Member.UserId}" : $"{changed.Count} users";
        var next = changed.Count == 0
            ? contract
            : contract.With(changed.Select(change => change.Member)) with { Plan = contract.Plan.Changed(summary, actor, now) };
        return new(
            next,
            Changes.Of([.. changed, .. wanted.Select(one => one.Naming).OfType<UserChange>(), .. changed.SelectMany(change => Explain(change.Member))])
                .RestingOn(wanted.Where(one => one.Naming is null).Select(one => contract.AsSeen(one.Member))),
            [.. next.Members.Values.Where(member => member.Assigned)]);

        IEnumerable<Entry> Explain(Member member)
        {
            var before = present.GetValueOrDefault(member.UserId);
            yield return Tell(contract, before, member, actor, Causes.Request, now);
            var was = before?.Allocation ?? Allocation.None;
            if (member.Allocation.HasCyclesOf(was)) yield break;
            foreach (var entry in Allocating.ExplainRestart(contract, was, member, actor, Causes.Assignment, now)) yield return entry;
        }
    }

    /// <summary>The entry of a user who is assigned, renamed or removed.</summary>
    internal static Entry Tell(Contract contract, Member? before, Member after, string actor, string cause, Instant now) =>
        contract.Tell(EntryKind.UserSet, Subjects.User(contract.Terms.ContractId, after.UserId), actor, cause, now) with
        {
            Before = before is null ? null : Json.Write(new { before.UserId, before.Name, before.Assigned }),
            After = Json.Write(new { after.UserId, after.Name, after.Assigned }),
            UserId = after.UserId,
        };
}

/// <summary>A user of a client, across all its contracts (C3): the rows of a client are its directory.</summary>
/// <param name="AsOf">The latest effective instant that changed this row.</param>
/// <param name="Version">The row's fence: rises with every change; 0: there is no row, and the user is enabled.</param>
public sealed record User(string ClientId, string UserId, bool Disabled, Instant AsOf, long Version)
{
    /// <summary>The user's one name, 0 to 200 characters.</summary>
    public string Name { get; init; } = "";

    /// <summary>Who named, disabled or enabled the user last; null: nobody has.</summary>
    public string? ChangedBy { get; init; }

    /// <summary>A user without a row: enabled.</summary>
    public static User Enabled(string clientId, string userId) => new(clientId, userId, false, Instant.MinValue, 0);

    /// <summary>Disables or enables the user for all contracts of the client; a user who already is so does not change.</summary>
    public Changed<User> Switch(bool disabled, string actor, Instant now) => Set(Name, disabled, actor, now);

    /// <summary>Names the user, and disables or enables the user for all contracts of the client; who is new is thereby in the directory.</summary>
    public Changed<User> Set(string name, bool disabled, string actor, Instant now)
    {
        if (Version > 0 && (name, disabled) == (Name, Disabled)) return new(this, Changes.None);
        var next = this with { Name = name, Disabled = disabled, ChangedBy = actor, AsOf = now, Version = Version + 1 };
        return new(next, [new UserChange(next, Version), .. Explain(next, actor, now)]);
    }

    private IEnumerable<Entry> Explain(User next, string actor, Instant now)
    {
        if (next.Name != Name || next.Disabled == Disabled)
            yield return Tell(EntryKind.UserSet, Version == 0 ? null : new { UserId, Name }, new { UserId, next.Name });
        if (next.Disabled != Disabled) yield return Tell(EntryKind.UserSwitched, new { Disabled }, new { next.Disabled });

        Entry Tell(EntryKind kind, object? before, object after) => new()
        {
            Kind = kind,
            EffectiveAt = now,
            BookedAt = now,
            Actor = actor,
            Cause = Causes.Request,
            Subject = Subjects.User(UserId),
            Before = before is null ? null : Json.Write(before),
            After = Json.Write(after),
            ClientId = ClientId,
            UserId = UserId,
        };
    }
}

/// <summary>A user's row as it now is.</summary>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
public sealed record UserChange(User User, long Expected) : Change
{
    public RowKey Row => RowKey.User(User.ClientId, User.UserId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
