using System.Collections.Immutable;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class MembershipTests
{
    private static readonly Contract Empty = new(Given.Terms, 1, [], Given.NewYear) { HasAllMembers = true };

    [Fact]
    public void C3_users_are_assigned_one_by_one_renamed_and_removed()
    {
        var anna = Membership.Assign(Empty, new("anna", "Anna"), "ops", Given.Day(1));
        Assert.Equal(["anna Anna 1"], Told(anna));

        var renamed = Membership.Assign(anna.State, new("anna", "Anna B."), "ops", Given.Day(2));
        Assert.Equal(["anna Anna B. 2"], Told(renamed));

        var removed = Membership.Remove(renamed.State, "anna", "ops", Given.Day(3)).Value!;
        Assert.Empty(removed.Answer);
        Assert.Equal(("Anna B.", false, 3, 2), Row(removed.Changes.Members.Single()));

        static IEnumerable<string> Told(Changed<Contract, ImmutableArray<Member>> changed) => changed.Answer.Select(member => $"{member.UserId} {member.Name} {member.Version}");
        static (string, bool, long, long) Row(MemberChange change) => (change.Member.Name, change.Member.Assigned, change.Member.Version, change.Expected);
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
        var again = Membership.Assign(anna.State, new("anna", "Anna"), "ops", Given.Day(2)).Changes;
        Assert.Empty(again);
        Assert.Equal([new(RowKey.User("acme", "anna"), 1)], again.Guards);
    }

    [Fact]
    public void C3_a_user_has_one_name_in_all_contracts_of_the_client()
    {
        var known = new User("acme", "anna", Disabled: true, Given.Day(1), 3) { Name = "Anna" };
        var contract = Empty with { Strangers = Empty.Strangers.Add("anna", known) };

        var same = Membership.Assign(contract, new("anna", "Anna"), "ops", Given.Day(2));
        Assert.Empty(same.Changes.OfType<UserChange>());
        Assert.Equal([new(RowKey.User("acme", "anna"), 3)], same.Changes.Guards);
        Assert.Equal(("Anna", true, 3), (same.Answer[0].Name, same.Answer[0].Disabled, same.Answer[0].UserVersion));

        var other = Membership.Assign(contract, new("anna", "Anna B."), "ops", Given.Day(2));
        var named = new User("acme", "anna", Disabled: true, Given.Day(2), 4) { Name = "Anna B.", ChangedBy = "ops" };
        Assert.Equal([new UserChange(named, 3)], other.Changes.OfType<UserChange>());
        Assert.Empty(other.Changes.Guards);
        Assert.Equal(4, other.State.Members["anna"].UserVersion);
        Assert.Equal(5, Membership.Assign(other.State, new("anna", "A."), "ops", Given.Day(3)).Changes.OfType<UserChange>().Single().User.Version);

        var change = new AllocationChange(null, null, false, [new("anna", new(), null) { Assigned = true }]);
        Assert.Equal("Anna", Allocating.Decide(contract, change, "mia", "request", Given.Day(2)).Value!.State.Members["anna"].Name);
    }

    [Fact]
    public void C3_a_user_is_named_in_the_directory_and_each_change_is_an_entry()
    {
        var anna = User.Enabled("acme", "anna").Set("Anna", disabled: false, "ops", Given.Day(1));
        Assert.Equal(["UserSet user:anna  {\"userId\":\"anna\",\"name\":\"Anna\"}"], Told(anna));
        Assert.True(anna.State.Set("Anna", disabled: false, "ops", Given.Day(2)).Changes.IsNothing);
        Assert.Equal(
            ["UserSet user:anna {\"userId\":\"anna\",\"name\":\"Anna\"} {\"userId\":\"anna\",\"name\":\"A.\"}", "UserSwitched user:anna {\"disabled\":false} {\"disabled\":true}"],
            Told(anna.State.Set("A.", disabled: true, "ops", Given.Day(2))));
        Assert.Single(User.Enabled("acme", "ben").Set("", disabled: false, "ops", Given.Day(1)).Changes.Entries);

        static IEnumerable<string> Told(Changed<User> changed) =>
            changed.Changes.Entries.Select(entry => $"{entry.Kind} {entry.Subject} {entry.Before} {entry.After}");
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
        Assert.Throws<InvariantException>(() => Membership.Assign(Empty with { HasAllMembers = false }, new("anna", "Anna"), "ops", Given.Day(1)));

    [Fact]
    public void C3_a_user_is_disabled_and_enabled_for_the_client()
    {
        var disabled = User.Enabled("acme", "anna").Switch(disabled: true, "ops", Given.Day(1));
        Assert.Equal(new User("acme", "anna", Disabled: true, AsOf: Given.Day(1), Version: 1) { ChangedBy = "ops" }, disabled.State);
        Assert.Equal(EntryKind.UserSwitched, disabled.Changes.Entries.Single().Kind);
        Assert.Equal(new UserChange(disabled.State, Expected: 0), disabled.Changes.OfType<UserChange>().Single());
        Assert.True(disabled.State.Switch(disabled: true, "ops", Given.Day(2)).Changes.IsNothing);

        var enabled = disabled.State.Switch(disabled: false, "mia", Given.Day(2));
        Assert.Equal(new UserChange(new("acme", "anna", Disabled: false, Given.Day(2), 2) { ChangedBy = "mia" }, Expected: 1), enabled.Changes.OfType<UserChange>().Single());
    }

    [Fact]
    public void A_member_s_row_is_as_of_the_latest_that_changed_it_and_says_when_its_next_renewal_is_due()
    {
        var daily = Allocation.None.Restart(new(5, Renewal.Daily, 1, null), Given.Terms.StartsOn, Given.Terms, Given.NewYear);
        var read = Given.Anna with { Allocation = daily, AsOf = Given.Day(3), Version = 7 };
        var change = MemberChange.Of(Given.Terms, read, read with { Allocation = daily with { UsedInCycle = 1 } }, Given.Day(2));
        Assert.Equal((Given.Day(3), 8, 7, Given.Day(1)), (change.Member.AsOf, change.Member.Version, change.Expected, change.DueAt));
        Assert.Equal((Given.Day(2), 1, 0, null), Made(MemberChange.Of(Given.Terms, null, Given.Anna with { Version = 0 }, Given.Day(2))));

        static (NodaTime.Instant, long, long, NodaTime.Instant?) Made(MemberChange change) => (change.Member.AsOf, change.Member.Version, change.Expected, change.DueAt);
    }
}
