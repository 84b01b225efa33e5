using System.Collections.Immutable;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class MembershipTests
{
    private static readonly Contract Empty = Given.Contract() with { Members = ImmutableSortedDictionary<string, Member>.Empty };

    [Fact]
    public void C3_users_are_assigned_one_by_one_renamed_and_removed()
    {
        var anna = Membership.Assign(Empty, new("anna", "Anna"), "ops", Given.Day(1));
        Assert.Equal([new("anna", "Anna", Assigned: true)], anna.Answer);

        var renamed = Membership.Assign(anna.State, new("anna", "Anna B."), "ops", Given.Day(2));
        Assert.Equal([new("anna", "Anna B.", Assigned: true)], renamed.Answer);

        var removed = Membership.Remove(renamed.State, "anna", "ops", Given.Day(3)).Value!;
        Assert.Empty(removed.Answer);
        Assert.Equal(new("anna", "Anna B.", Assigned: false), removed.Changes.Members.Single().Member);
    }

    [Fact]
    public void C3_a_list_replaces_the_list_before()
    {
        var first = Membership.Replace(Empty, [new("anna", "Anna"), new("ben", "Ben")], "ops", Given.Day(1));
        var second = Membership.Replace(first.State, [new("ben", "Ben"), new("cleo", "Cleo")], "ops", Given.Day(2));
        Assert.Equal(["ben", "cleo"], second.Answer.Select(member => member.UserId));
        Assert.Equal(["anna False", "cleo True"], second.Changes.Members.Select(change => $"{change.Member.UserId} {change.Member.Assigned}").Order());
    }

    [Fact]
    public void G1_each_change_of_a_member_is_an_entry_and_the_same_again_is_none()
    {
        var anna = Membership.Assign(Empty, new("anna", "Anna"), "ops", Given.Day(1));
        var told = anna.Changes.Entries.Single();
        Assert.Equal((EntryKind.UserSet, "user:C1/anna", null), (told.Kind, told.Subject, told.Before));
        Assert.True(Membership.Assign(anna.State, new("anna", "Anna"), "ops", Given.Day(2)).Changes.IsNothing);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("anna")]
    public void C3_only_who_is_assigned_can_be_removed(string userId)
    {
        var left = Membership.Remove(Membership.Assign(Empty, new("anna", "Anna"), "ops", Given.Day(1)).State, "anna", "ops", Given.Day(2)).Value!.State;
        Assert.Equal(RefusalCode.NotFound, Membership.Remove(left, userId, "ops", Given.Day(3)).Refusal!.Code);
    }

    [Fact]
    public void Members_are_loaded_before_they_are_changed() =>
        Assert.Throws<InvariantException>(() => Membership.Assign(Given.Contract(), new("anna", "Anna"), "ops", Given.Day(1)));

    [Fact]
    public void C3_a_user_is_disabled_and_enabled_for_the_client()
    {
        var disabled = new User("acme", "anna", Disabled: false).Switch(disabled: true, "ops", Given.Day(1));
        Assert.True(disabled.State.Disabled);
        Assert.Equal(EntryKind.UserSwitched, disabled.Changes.Entries.Single().Kind);
        Assert.True(disabled.State.Switch(disabled: true, "ops", Given.Day(2)).Changes.IsNothing);
        Assert.False(disabled.State.Switch(disabled: false, "ops", Given.Day(2)).State.Disabled);
    }
}
