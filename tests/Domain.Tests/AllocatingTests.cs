using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class AllocatingTests
{
    private static readonly Contract Contract = Given.Contract().With(Given.Anna with { UserVersion = 4 });

    [Fact]
    public void C3_settings_and_extra_credits_are_given_only_while_the_user_s_own_row_is_as_it_was_read()
    {
        var set = Allocating.Decide(Contract, new AllocationChange(null, null, false, [new("anna", new(5, Renewal.Fixed), null)]), "mia", "request", Given.Day(1)).Value!;
        Assert.Equal([new(RowKey.User("acme", "anna"), 4)], set.Changes.Guards);
        var granted = Allocating.Decide(Contract, new GrantExtra("anna", 5, "why", "mia"), Given.Day(1)).Value!;
        Assert.Equal([new(RowKey.User("acme", "anna"), 4)], granted.Changes.Guards);
    }

    [Fact]
    public void C3_a_newcomer_who_is_disabled_for_the_client_gets_no_settings()
    {
        var contract = Contract with { HasAllMembers = true, Strangers = Contract.Strangers.Add("zoe", User.Enabled("acme", "zoe") with { Disabled = true, Version = 3 }) };
        var assigned = new UserAllocationChange("zoe", new(), null) { Name = "Zoe", Assigned = true };
        Decision<Changed<Contract, Window>> Decide(UserAllocationChange change) =>
            Allocating.Decide(contract, new AllocationChange(null, null, false, [change]), "mia", "request", Given.Day(1));

        Assert.Equal(RefusalCode.UserDisabled, Decide(assigned with { Settings = new(5, Renewal.Fixed) }).Refusal?.Code);
        Assert.Equal(RefusalCode.UserDisabled, Decide(assigned with { ExtraCredits = 5 }).Refusal?.Code);
        var alone = Decide(assigned).Value!;
        Assert.True(alone.Answer.Users.Single(row => row.UserId == "zoe").Disabled);
        Assert.Equal(3, alone.Changes.OfType<UserChange>().Single().Expected);
    }

    [Fact]
    public void A6_an_equal_change_changes_no_row_and_rests_on_none() =>
        Assert.True(Allocating.Decide(Contract, new AllocationChange(false, null, false, [new("anna", new(), 0)]), "mia", "request", Given.Day(1)).Value!.Changes.IsNothing);

    [Fact]
    public void A7_a_confirmed_preview_keeps_its_answer()
    {
        var change = new AllocationChange(true, null, false, []);
        var preview = new Preview("token", "acme", "C1", change, PlanVersion.Of(Contract, Given.Day(1)), Given.Day(1), null);
        var confirmed = Allocating.Confirm(Contract, preview, "mia", Given.Day(1)).Value!;
        var kept = confirmed.Changes.Documents.Single();
        Assert.Equal((DocumentKind.Preview, "token", 2, 1, Given.Day(2)), (kept.Kind, kept.Id, kept.Version, kept.Expected, kept.DueAt!.Value));
        Assert.Equal(Json.Write(confirmed.Answer), Json.Write(Json.Read<Preview>(kept.Body!).Answer));
    }

    // By another contract of the client, or in the directory.
    [Fact]
    public void A7_a_user_who_was_renamed_since_the_preview_refuses_it()
    {
        var change = new AllocationChange(null, null, false, [new("anna", new(), null) { Name = "Anna" }]);
        var preview = new Preview("token", "acme", "C1", change, PlanVersion.Of(Contract, Given.Day(1)), Given.Day(1), null);
        var refusal = Allocating.Confirm(Contract.With(Given.Anna with { Name = "Anna Berg" }), preview, "mia", Given.Day(1)).Refusal!;
        Assert.Equal(RefusalCode.AllocationChanged, refusal.Code);
        Assert.EndsWith("since: users were renamed, disabled or enabled.", refusal.Detail, StringComparison.Ordinal);
    }
}
