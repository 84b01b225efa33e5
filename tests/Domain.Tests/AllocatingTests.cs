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
}
