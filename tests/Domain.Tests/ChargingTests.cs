using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class ChargingTests
{
    [Fact]
    public void P2_each_new_player_takes_one_credit()
    {
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann", "bob"), 1);
        Assert.Equal((2, 0), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Equal(["ann C1~L1~000000001", "bob C1~L1~000000002"], charged.Answer.Players.Select(player => $"{player.PlayerId} {player.CreditId}"));
        Assert.Equal(3, charged.State.RemainingAt(Given.Day(1)));
        Assert.Equal(new Balance(null, 3), charged.Answer.Balance);
        Assert.Equal(("anna", 2, 1, 2), charged.Changes.Members.Select(change => (change.Member.UserId, change.Member.Allocation.TotalUsed, change.Expected, change.Member.Version)).Single());
        Assert.Equal(charged.Changes.Members.Single().Member, charged.State.Members["anna"]);
    }

    [Fact]
    public void P2_a_covered_player_costs_nothing_and_shows_the_credit_that_covers()
    {
        var ann = Given.Credit("ann", until: 20);
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann", "bob"), 10, Given.Player("ann", ann));
        Assert.Equal((1, 1), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Equal(new("ann", PlayerCharge.Covered, ann.Id.ToString(), Given.Day(20)), charged.Answer.Players[0]);
        Assert.Equal("bob", charged.Changes.Credits.Single().Credit.PlayerId);
        Assert.Equal("bob", charged.Changes.Players.Single().Player.PlayerId);
    }

    [Fact]
    public void P3_a_player_whose_coverage_is_over_is_charged_anew_and_the_end_is_left_to_be_booked()
    {
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann"), 20, Given.Player("ann", until: 20));
        Assert.Equal(0, charged.Changes.Credits.Single().Expected);
        Assert.Equal([EntryKind.CreditsCharged], charged.Changes.Entries.Select(entry => entry.Kind));
        var row = charged.Changes.Players.Single();
        Assert.Equal((1, 2, Given.Day(20), Given.Day(50)), (row.Expected, row.Player.Version, row.Player.AsOf, row.Player.CoversUntil!.Value));
        Assert.Equal(charged.Changes.Credits.Single().Credit.Id, row.Player.Credit);
    }

    [Fact]
    public void P2_a_player_who_was_freed_is_charged_like_a_new_one_on_the_row_that_was_left()
    {
        var freed = Given.Player("ann", until: 20) with { Credit = null, CoversUntil = null, AsOf = Given.Day(4), Version = 6 };
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann"), 5, freed);
        Assert.Equal((6, 7), charged.Changes.Players.Select(row => (row.Expected, row.Player.Version)).Single());
    }

    [Fact]
    public void P3_coverage_lasts_so_many_days_to_the_same_local_time()
    {
        var contract = Given.Contract(Given.Lot("L1", 1, until: null)) with { Terms = Given.Terms with { TimeZone = "Europe/Berlin" } };
        var charged = Charging.Decide(contract, Given.Facts(), Given.Report("ann"), Given.At("2026-03-01T11:00:00Z")).Value!;
        Assert.Equal(Given.At("2026-03-31T10:00:00Z"), charged.Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void P3_coverage_from_creation_ends_when_the_credit_would_have_expired()
    {
        var contract = Given.Contract(Given.Lot("L1", 1, until: 25)) with { Terms = Given.Terms with { CoverageFrom = CoverageFrom.Creation } };
        Assert.Equal(Given.Day(25), Charged(contract, Given.Report("ann"), 20).Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void C1_coverage_may_outlast_the_contract() =>
        Assert.Equal(Given.Day(394), Charged(Given.Contract(Given.Lot("L1", 1, until: 365)), Given.Report("ann"), 364).Answer.Players.Single().ExpiresAt);

    [Fact]
    public void R1_a_report_that_needs_more_than_there_is_takes_nothing()
    {
        var contract = Given.Contract(Given.Lot("L1", 2), Given.Lot("soon", 9, until: 60, from: 40));
        var refusal = Refused(contract, Given.Report("ann", "bob", "cleo"), 1)!;
        Assert.Equal(RefusalCode.InsufficientContractCredits, refusal.Code);
        Assert.Equal(new(ToCharge: 3, UserAvailable: null, ContractRemaining: 2, NextRenewalAt: null, NextCreditsAt: null), refusal.Amounts);
    }

    // Everything is wrong at first; each step puts right what was refused before.
    [Fact]
    public void R2_what_stands_against_a_report_is_checked_in_its_order()
    {
        var contract = Given.Contract() with { Members = Given.Contract().Members.Clear(), Plan = Plan.Initial with { Enabled = true } };
        var report = Given.Report("ann");
        Assert.Equal(RefusalCode.ContractNotActive, Refused(contract, report, 365)!.Code);
        Assert.Equal(RefusalCode.UserNotAssigned, Refused(contract, report, 1)!.Code);
        Assert.Equal(RefusalCode.UserNotAssigned, Refused(contract.With(Given.Anna with { Assigned = false, Disabled = true }), report, 1)!.Code);
        Assert.Equal(RefusalCode.UserDisabled, Refused(contract.With(Given.Anna with { Disabled = true }), report, 1)!.Code);
        Assert.Equal(RefusalCode.InsufficientAllocation, Refused(contract.With(Given.Anna), report, 1)!.Code);
        Assert.Equal(RefusalCode.InsufficientContractCredits, Refused(contract.With(Given.Anna with { Allocation = Allocation.None with { ExtraCredits = 1 } }), report, 1)!.Code);
    }

    [Fact]
    public void R2_every_refusal_carries_the_amounts_of_its_moment()
    {
        var weekly = Allocation.None.Restart(new(5, Renewal.Weekly, 1, RenewalDay.Of(IsoDayOfWeek.Monday)), new(2026, 1, 5), Given.Terms, Given.NewYear) with { ExtraCredits = 2 };
        var contract = Given.Contract(Given.Lot("L1", 9)) with { Plan = Plan.Initial with { Enabled = true } };
        foreach (var anna in (Member[])[Given.Anna, Given.Anna with { Assigned = false }, Given.Anna with { Disabled = true }])
        {
            var refusal = Refused(contract.With(anna with { Allocation = weekly }), Given.Report("ann", "bob", "cleo"), 1)!;
            Assert.Equal(new(ToCharge: 3, UserAvailable: 2, ContractRemaining: 9, NextRenewalAt: Given.Day(11), NextCreditsAt: Given.Day(4)), refusal.Amounts);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(365)]
    public void R2_the_contracts_days_come_before_its_pool(int day) =>
        Assert.Equal(RefusalCode.ContractNotActive, Refused(Given.Contract(), Given.Report("ann"), day)!.Code);

    [Fact]
    public void R2_a_report_that_charges_nothing_passes_an_empty_pool_but_not_an_ended_contract()
    {
        var (covered, ann) = (Given.Report("ann"), Given.Player("ann", until: 400));
        var charged = Charged(Given.Contract(), covered, 1, ann);
        Assert.Equal((0, 1), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Equal([new ReportChange(charged.Answer, IsNew: true)], charged.Changes);
        Assert.Equal(Given.Anna, charged.State.Members["anna"]);
        Assert.Equal(RefusalCode.ContractNotActive, Refused(Given.Contract(), covered, 365, ann)!.Code);
    }

    [Fact]
    public void T3_a_use_books_the_renewals_that_are_due_also_where_nothing_limits_it()
    {
        var daily = Allocation.None.Restart(new(5, Renewal.Daily, 1, null), Given.Terms.StartsOn, Given.Terms, Given.NewYear) with { UsedInCycle = 2, TotalUsed = 2 };
        var contract = Given.Contract(Given.Lot("L1", 5)).With(Given.Anna with { Allocation = daily });
        var charged = Charged(contract, Given.Report("ann"), 1);
        Assert.Equal(daily with { Cycle = 1, UsedInCycle = 0, TotalUsed = 3 }, charged.State.Members["anna"].Allocation);
        Assert.Equal([EntryKind.CyclesBegun, EntryKind.CreditsCharged], charged.Changes.Entries.Select(entry => entry.Kind));
        Assert.Null(charged.Changes.Members.Single().DueAt);
    }

    [Fact]
    public void C2_an_unlimited_contract_mints_what_it_charges()
    {
        var contract = Given.Contract() with { Terms = Given.Terms with { Type = ContractType.Unlimited } };
        var first = Charged(contract, Given.Report("ann", "bob"), 1);
        var second = Charged(first.State, Given.Report("cleo"), 2);
        Assert.Equal("C1~minted~000000003", second.Answer.Players.Single().CreditId);
        Assert.Equal(new Balance(null, null), second.Answer.Balance);
        Assert.Equal([EntryKind.CreditsMinted, EntryKind.CreditsCharged], second.Changes.Entries.Select(entry => entry.Kind));
        Assert.Equal([true, false], new[] { first, second }.Select(charged => charged.Changes.Lots.Single().IsNew));
        Assert.Equal((3, 0), (second.State.Lots.Single().Quantity, second.State.Lots.Single().Free.Count));
    }

    [Fact]
    public void C2_a_minted_credit_lives_from_its_use()
    {
        var terms = Given.Terms with { Type = ContractType.Unlimited, CoverageFrom = CoverageFrom.Creation };
        var first = Charged(Given.Contract() with { Terms = terms }, Given.Report("ann"), 1);
        Assert.Equal(Given.Day(31), first.Answer.Players.Single().ExpiresAt);
        Assert.Equal(Given.Day(40), Charged(first.State, Given.Report("bob"), 10).Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void R3_a_report_answers_the_same_contract_user_and_set_of_players()
    {
        var report = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann", "bob"), 1).Answer;
        Assert.True(report.Answers("C1", "anna", ["bob", "ann", "bob"]));
        Assert.False(report.Answers("C2", "anna", ["ann", "bob"]));
        Assert.False(report.Answers("C1", "ben", ["ann", "bob"]));
        Assert.False(report.Answers("C1", "anna", ["ann"]));
        Assert.False(report.Answers("C1", "anna", ["ann", "bob", "cleo"]));
    }

    [Fact]
    public void R3_a_report_is_remembered_under_its_request_s_key_where_it_has_one()
    {
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann") with { Key = new("k", "f") }, 1);
        Assert.Equal(new("acme", "k", "f", "R1"), Json.Read<KeyedRequest>(charged.Changes.Documents.Single().Body!));
        Assert.Equal((1, 0, null), charged.Changes.Documents.Select(change => (change.Version, change.Expected, change.DueAt)).Single());
        Assert.Empty(Charged(Given.Contract(Given.Lot("L1", 5)), Given.Report("ann"), 1).Changes.Documents);
    }

    [Fact]
    public void R5_a_report_rests_on_its_user_s_rows_on_every_player_s_and_on_the_absence_of_its_own()
    {
        var contract = Given.Contract().With(Given.Anna with { Version = 3, UserVersion = 2 });
        Assert.Equal(
            [
                new(RowKey.Member("C1", "anna"), 3),
                new(RowKey.User("acme", "anna"), 2),
                new(RowKey.Report("acme", "R1"), 0),
                new(RowKey.Player("acme", "new"), 0),
                new(RowKey.Player("acme", "ann"), 1),
            ],
            Charging.RestsOn(contract, Given.Facts(Given.Player("ann", until: 20)), Given.Report("new", "ann")));
    }

    [Fact]
    public void R5_the_refusal_of_a_user_whom_the_contract_never_had_rests_on_the_absence_of_the_row() => Assert.Equal(
        [new(RowKey.Member("C1", "ben"), 0), new(RowKey.Report("acme", "R1"), 0), new(RowKey.Player("acme", "ann"), 0)],
        Charging.RestsOn(Given.Contract(), Given.Facts(), Given.Report("ann") with { UserId = "ben" }));

    [Fact]
    public void P3_a_report_is_not_decided_before_anything_that_it_rests_on()
    {
        var contract = Given.Contract().With(Given.Anna with { AsOf = Given.Day(2) });
        var (ann, other) = (Given.Player("ann", until: 20) with { AsOf = Given.Day(3) }, Given.Player("other", until: 20) with { AsOf = Given.Day(9) });
        Assert.Equal(Given.Day(3), Charging.AsOf(contract, Given.Facts(ann, other), Given.Report("ann", "new")));
        Assert.Equal(Given.Day(2), Charging.AsOf(contract, Given.Facts(ann, other), Given.Report("new")));
        Assert.Equal(Instant.MinValue, Charging.AsOf(contract, Given.Facts(ann), Given.Report("new") with { UserId = "ben" }));
    }

    [Fact]
    public void R6_a_refused_rehearsal_outlines_what_the_report_would_have_been()
    {
        var (contract, facts, report) = (Given.Contract(), Given.Facts(Given.Player("ann", until: 20)), Given.Report("ann", "bob"));
        var outline = Charging.Outline(contract, facts, report, Refused(contract, report, 1, [.. facts.Players.Values])!, Given.Day(1));
        Assert.Equal((1, 1, new Balance(null, 0)), (outline.Charged, outline.Covered, outline.Balance));
        Assert.Equal([new("ann", PlayerCharge.Covered, "C1~L1~000000001", Given.Day(20)), new("bob", PlayerCharge.New, null, null)], outline.Players);
    }

    private static Changed<Contract, Report> Charged(Contract contract, ChargeReport report, int day, params Player[] rows) =>
        Charging.Decide(contract, Given.Facts(rows), report, Given.Day(day)).Value!;

    private static Refusal? Refused(Contract contract, ChargeReport report, int day, params Player[] rows) =>
        Charging.Decide(contract, Given.Facts(rows), report, Given.Day(day)).Refusal;
}
