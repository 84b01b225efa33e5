using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Who may use a contract (C3). A user's name has 0 to 200 characters.</summary>
public sealed record UserName(string UserId, string Name);

/// <summary>Assigns users to a contract and removes them (C3). The contract's members must be known.</summary>
public static class Membership
{
    /// <summary>The most users of one list.</summary>
    public const int MaxUsers = 10_000;

    /// <summary>Replaces the list: whoever is not in it is removed.</summary>
    public static Changed<Contract, ImmutableArray<Member>> Replace(Contract contract, IReadOnlyCollection<UserName> users, string actor, Instant now)
    {
        var kept = users.Select(user => user.UserId).ToHashSet();
        return Set(contract, [
            .. users.Select(user => new Member(user.UserId, user.Name, Assigned: true)),
            .. Members(contract).Values.Where(member => member.Assigned && !kept.Contains(member.UserId)).Select(member => member with { Assigned = false })],
            actor, now);
    }

    /// <summary>Assigns one user, or renames one.</summary>
    public static Changed<Contract, ImmutableArray<Member>> Assign(Contract contract, UserName user, string actor, Instant now) =>
        Set(contract, [new(user.UserId, user.Name, Assigned: true)], actor, now);

    /// <summary>Removes one user; refuses with <see cref="RefusalCode.NotFound"/> where the user is not assigned.</summary>
    public static Decision<Changed<Contract, ImmutableArray<Member>>> Remove(Contract contract, string userId, string actor, Instant now) =>
        Members(contract).GetValueOrDefault(userId) is { Assigned: true } member
            ? Set(contract, [member with { Assigned = false }], actor, now)
            : Refusal.NotFound($"user {userId} of this contract");

    private static Changed<Contract, ImmutableArray<Member>> Set(Contract contract, IEnumerable<Member> members, string actor, Instant now)
    {
        var present = Members(contract);
        var changed = members.Where(member => present.GetValueOrDefault(member.UserId) != member).ToImmutableArray();
        var next = present.SetItems(changed.Select(member => KeyValuePair.Create(member.UserId, member)));
        return new(
            contract with { Members = next },
            new Changes
            {
                Members = [.. changed.Select(member => new MemberChange(contract.Terms.ContractId, contract.Terms.ClientId, member))],
                Entries = [.. changed.Select(member => new Entry
                {
                    Kind = EntryKind.UserSet,
                    EffectiveAt = now,
                    BookedAt = now,
                    Actor = actor,
                    Cause = "request",
                    Subject = $"user:{contract.Terms.ContractId}/{member.UserId}",
                    Before = present.TryGetValue(member.UserId, out var before) ? Json.Write(before) : null,
                    After = Json.Write(member),
                    ClientId = contract.Terms.ClientId,
                    ContractId = contract.Terms.ContractId,
                    UserId = member.UserId,
                })],
            },
            [.. next.Values.Where(member => member.Assigned)]);
    }

    private static ImmutableSortedDictionary<string, Member> Members(Contract contract) =>
        contract.Members ?? throw new InvariantException("members are loaded before they are changed");
}

/// <summary>A user of a client, whatever the contract (C3).</summary>
public sealed record User(string ClientId, string UserId, bool Disabled)
{
    /// <summary>Disables or enables the user for all contracts of the client; the same again changes nothing.</summary>
    public Changed<User> Switch(bool disabled, string actor, Instant now) => disabled == Disabled
        ? new(this, Changes.None)
        : new(
            this with { Disabled = disabled },
            new Changes
            {
                Switches = [new(ClientId, UserId, disabled)],
                Entries = [new Entry
                {
                    Kind = EntryKind.UserSwitched,
                    EffectiveAt = now,
                    BookedAt = now,
                    Actor = actor,
                    Cause = "request",
                    Subject = $"user:{UserId}",
                    Before = Json.Write(new { Disabled }),
                    After = Json.Write(new { Disabled = disabled }),
                    ClientId = ClientId,
                    UserId = UserId,
                }],
            });
}
