using System.Collections.Immutable;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class ChargingTests
{
    [Fact]
    public void P2_each_new_player_takes_one_credit()
    {
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Charge("ann", "bob"), 1);
        Assert.Equal((2, 0), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Equal(["ann C1~L1~000000001", "bob C1~L1~000000002"], charged.Answer.Players.Select(player => $"{player.PlayerId} {player.CreditId}"));
        Assert.Equal(3, charged.State.RemainingAt(Given.Day(1)));
        Assert.Equal(new Balance(null, 3), charged.Answer.Balance);
        Assert.Equal([new("C1", "anna", 2)], charged.Changes.Uses);
    }

    [Fact]
    public void P2_a_covered_player_costs_nothing_and_shows_the_credit_that_covers()
    {
        var ann = Given.Credit("ann", until: 20);
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Charge("R2", [new("ann", null, ann, Claimed: false), new("bob", null, null, Claimed: true)]), 10);
        Assert.Equal((1, 1), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Equal(new("ann", PlayerCharge.Covered, ann.Id.ToString(), Given.Day(20)), charged.Answer.Players[0]);
        Assert.Equal("bob", charged.Changes.Credits.Single().Credit.PlayerId);
    }

    [Fact]
    public void P3_a_player_whose_coverage_is_over_is_charged_anew_and_the_end_is_booked_once()
    {
        var over = Given.Credit("ann", until: 20);
        var charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Charge("R2", [new("ann", null, over, Claimed: true)]), 20);
        Assert.Equal([(false, true, 1L), (true, false, 0L)], charged.Changes.Credits.Select(change => (change.Credit.IsCurrent, change.Credit.ExpiryBooked, change.Expected)));
        Assert.Equal([EntryKind.CoverageExpired, EntryKind.CreditsCharged], charged.Changes.Entries.Select(entry => entry.Kind));

        charged = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Charge("R2", [new("ann", null, over.WithExpiryBooked(), Claimed: true)]), 20);
        Assert.Equal([EntryKind.CreditsCharged], charged.Changes.Entries.Select(entry => entry.Kind));
    }

    [Fact]
    public void P3_coverage_lasts_so_many_days_to_the_same_local_time()
    {
        var contract = Given.Contract(Given.Lot("L1", 1, until: null)) with { Terms = Given.Terms with { TimeZone = "Europe/Berlin" } };
        var charged = Charging.Decide(contract, Given.Charge("ann"), Given.At("2026-03-01T11:00:00Z")).Value!;
        Assert.Equal(Given.At("2026-03-31T10:00:00Z"), charged.Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void P3_coverage_from_creation_ends_when_the_credit_would_have_expired()
    {
        var contract = Given.Contract(Given.Lot("L1", 1, until: 25)) with { Terms = Given.Terms with { CoverageFrom = CoverageFrom.Creation } };
        Assert.Equal(Given.Day(25), Charged(contract, Given.Charge("ann"), 20).Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void C1_coverage_may_outlast_the_contract() =>
        Assert.Equal(Given.Day(394), Charged(Given.Contract(Given.Lot("L1", 1, until: 365)), Given.Charge("ann"), 364).Answer.Players.Single().ExpiresAt);

    [Fact]
    public void R1_a_report_that_needs_more_than_there_is_takes_nothing()
    {
        var contract = Given.Contract(Given.Lot("L1", 2), Given.Lot("soon", 9, until: 60, from: 40));
        var refusal = Charging.Decide(contract, Given.Charge("ann", "bob", "cleo"), Given.Day(1)).Refusal!;
        Assert.Equal(RefusalCode.InsufficientContractCredits, refusal.Code);
        Assert.Equal(new(ToCharge: 3, UserAvailable: null, ContractRemaining: 2, NextRenewalAt: null), refusal.Amounts);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(365)]
    public void R2_the_contracts_days_come_before_its_pool(int day) =>
        Assert.Equal(RefusalCode.ContractNotActive, Charging.Decide(Given.Contract(), Given.Charge("ann"), Given.Day(day)).Refusal!.Code);

    [Fact]
    public void R2_a_report_that_charges_nothing_passes_an_empty_pool_but_not_an_ended_contract()
    {
        var covered = Given.Charge("R2", [new("ann", null, Given.Credit("ann", until: 400), Claimed: false)]);
        var charged = Charged(Given.Contract(), covered, 1);
        Assert.Equal((0, 1), (charged.Answer.Charged, charged.Answer.Covered));
        Assert.Empty(charged.Changes.Entries);
        Assert.Equal([new("C1", "anna", 0)], charged.Changes.Uses);
        Assert.Equal(RefusalCode.ContractNotActive, Charging.Decide(Given.Contract(), covered, Given.Day(365)).Refusal!.Code);
    }

    [Fact]
    public void T3_a_use_that_nothing_limits_leaves_renewals_to_be_booked()
    {
        var daily = Allocation.None.Restart(new(5, Renewal.Daily, 1, null), Given.Terms.StartsOn, Given.Terms, Given.NewYear);
        var contract = Given.Contract(Given.Lot("L1", 5)) with { Members = ImmutableSortedDictionary<string, Member>.Empty.Add("anna", new("anna", "Anna", Assigned: true) { Allocation = daily }) };
        Assert.Equal((0, 1), Used(Charged(contract, Given.Charge("ann"), 1).State));

        static (int Cycle, long TotalUsed) Used(Contract contract) => (contract.Members!["anna"].Allocation.Cycle, contract.Members["anna"].Allocation.TotalUsed);
    }

    [Fact]
    public void C2_an_unlimited_contract_mints_what_it_charges()
    {
        var contract = Given.Contract() with { Terms = Given.Terms with { Type = ContractType.Unlimited } };
        var first = Charged(contract, Given.Charge("ann", "bob"), 1);
        var second = Charged(first.State, Given.Charge("cleo"), 2);
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
        var first = Charged(Given.Contract() with { Terms = terms }, Given.Charge("ann"), 1);
        Assert.Equal(Given.Day(31), first.Answer.Players.Single().ExpiresAt);
        Assert.Equal(Given.Day(40), Charged(first.State, Given.Charge("bob"), 10).Answer.Players.Single().ExpiresAt);
    }

    [Fact]
    public void Taken_for_covered_but_no_longer_is_outdated()
    {
        var charge = Given.Charge("R2", [new("ann", null, Given.Credit("ann", until: 20), Claimed: false)]);
        Assert.False(Charging.IsOutdated(Given.Contract(), charge, Given.Day(20) - Duration.Epsilon));
        Assert.True(Charging.IsOutdated(Given.Contract(), charge, Given.Day(20)));
    }

    [Fact]
    public void The_user_holds_just_what_the_report_charges() =>
        Assert.Throws<InvariantException>(() => Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Charge("ann") with { Hold = new(2, null, null) }, Given.Day(1)));

    [Fact]
    public void R3_a_report_answers_the_same_contract_user_and_set_of_players()
    {
        var report = Charged(Given.Contract(Given.Lot("L1", 5)), Given.Charge("ann", "bob"), 1).Answer;
        Assert.True(report.Answers("C1", "anna", ["bob", "ann", "bob"]));
        Assert.False(report.Answers("C2", "anna", ["ann", "bob"]));
        Assert.False(report.Answers("C1", "ben", ["ann", "bob"]));
        Assert.False(report.Answers("C1", "anna", ["ann"]));
        Assert.False(report.Answers("C1", "anna", ["ann", "bob", "cleo"]));
    }

    private static Changed<Contract, Report> Charged(Contract contract, ChargeCredits charge, int day) =>
        Charging.Decide(contract, charge, Given.Day(day)).Value!;
}
