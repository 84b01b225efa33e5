using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class GrantingTests
{
    [Fact]
    public void L1_a_lot_is_available_from_now_where_nothing_else_is_said()
    {
        var lot = Granted(Given.Contract(), Given.Grant("L1", 100));
        Assert.Equal(Given.Day(10), lot.AvailableFrom);
        Assert.Equal(Given.Day(10), lot.CreatedAt);
        Assert.Equal("1-100", lot.Free.ToString());
    }

    [Theory]
    [InlineData(30, null, null, 40, "the contract's default lifetime from now")]
    [InlineData(30, 20, null, 50, "the default lifetime from its begin")]
    [InlineData(30, null, 200, 200, "an expiry asked for may be later than the default")]
    [InlineData(30, null, 11, 11, "or earlier")]
    [InlineData(30, 350, null, 365, "the contract's end cuts the default")]
    [InlineData(30, null, 9000, 365, "and what was asked for")]
    [InlineData(null, null, null, 365, "no lifetime: until the contract's end")]
    public void L4_a_lot_expires(int? lifetime, int? from, int? until, int expiresOn, string because)
    {
        Assert.NotEmpty(because);
        var contract = Given.Contract() with { Terms = Given.Terms with { UnallocatedLifetimeDays = lifetime } };
        Assert.Equal(Given.Day(expiresOn), Granted(contract, Given.Grant("L1", 1, from, until)).ExpiresAt);
    }

    [Fact]
    public void L4_a_lot_of_an_open_ended_contract_without_lifetime_never_expires()
    {
        var contract = Given.Contract() with { Terms = Given.Terms with { UnallocatedLifetimeDays = null, EndsOn = null } };
        Assert.Null(Granted(contract, Given.Grant("L1", 1)).ExpiresAt);
    }

    [Fact]
    public void L4_a_lifetime_ends_at_the_same_local_time()
    {
        var contract = Given.Contract() with { Terms = Given.Terms with { TimeZone = "Europe/Berlin" } };
        var grant = Given.Grant("L1", 1) with { AvailableFrom = Given.At("2026-03-01T11:00:00Z") };
        Assert.Equal(Given.At("2026-03-31T10:00:00Z"), Granted(contract, grant).ExpiresAt);
    }

    [Theory]
    [InlineData(0, null, null, "quantity")]
    [InlineData(1_000_000_000, null, null, "quantity")]
    [InlineData(1, 365, null, "availableFrom")]
    [InlineData(1, 20, 20, "expiresAt")]
    [InlineData(1, 2, 10, "expiresAt")]
    [InlineData(1, -60, null, "availableFrom")]
    [InlineData(1, -1_000_000, null, "availableFrom")]
    [InlineData(1, null, 2_900_000, "expiresAt")]
    public void L1_a_lot_that_breaks_a_rule_is_refused_and_the_field_named(long quantity, int? from, int? until, string field)
    {
        var refusal = Granting.Decide(Given.Contract(), Given.Grant("L1", quantity, from, until), Given.Day(10)).Refusal!;
        Assert.Equal((RefusalCode.InvalidField, field), (refusal.Code, refusal.Field));
    }

    [Fact]
    public void L1_a_lot_bought_before_the_contract_begins_is_available_from_its_first_day()
    {
        var lot = Granting.Decide(Given.Contract(), Given.Grant("L1", 100), Given.Day(-60)).Value!.Answer;
        Assert.Equal((Given.Day(-60), Given.Day(0), Given.Day(30)), (lot.CreatedAt, lot.AvailableFrom, lot.ExpiresAt!.Value));
    }

    [Theory]
    [InlineData(null, 0, "expiresAt")]
    [InlineData(-60, 0, "expiresAt")]
    [InlineData(-60, -10, "expiresAt")]
    [InlineData(-30, null, "availableFrom")]
    public void L1_a_lot_that_ends_before_its_contract_begins_is_refused(int? from, int? until, string field)
    {
        var refusal = Granting.Decide(Given.Contract(), Given.Grant("L1", 1, from, until), Given.Day(-50)).Refusal!;
        Assert.Equal((RefusalCode.InvalidField, field), (refusal.Code, refusal.Field));
    }

    [Theory]
    [InlineData(-60, 1)]
    [InlineData(-29, null)]
    public void L1_a_lot_that_begins_before_its_contract_and_ends_in_it_is_added(int? from, int? until) =>
        Assert.NotNull(Granting.Decide(Given.Contract(), Given.Grant("L1", 1, from, until), Given.Day(-50)).Value);

    [Fact]
    public void P5_the_ledger_says_why_a_lot_was_granted_by_hand()
    {
        var grant = Given.Grant("L1", 1) with { Source = LotSource.Manual, Reason = "a fair" };
        Assert.Equal("a fair", Granting.Decide(Given.Contract(), grant, Given.Day(10)).Value!.Changes.Entries.Single().Reason);
    }

    [Fact]
    public void C2_an_unlimited_contract_takes_no_lots()
    {
        var contract = Given.Contract() with { Terms = Given.Terms with { Type = ContractType.Unlimited } };
        Assert.Equal("contractId", Granting.Decide(contract, Given.Grant("L1", 1), Given.Day(10)).Refusal!.Field);
    }

    [Fact]
    public void C1_a_contract_takes_lots_before_it_begins_and_none_after_its_end()
    {
        Assert.NotNull(Granting.Decide(Given.Contract(), Given.Grant("L1", 1), Given.Day(-5)).Value);
        Assert.Equal(RefusalCode.ContractNotActive, Granting.Decide(Given.Contract(), Given.Grant("L1", 1), Given.Day(365)).Refusal!.Code);
    }

    [Fact]
    public void Section3_a_lot_knows_the_request_that_made_it()
    {
        var grant = Given.Grant("L1", 100, until: 50);
        var lot = Granted(Given.Contract(), grant);
        Assert.True(grant.Made(lot));
        Assert.True((grant with { Actor = "another" }).Made(lot));
        Assert.False((grant with { Quantity = 101 }).Made(lot));
        Assert.False((grant with { ExpiresAt = null }).Made(lot));
    }

    private static Lot Granted(Contract contract, GrantLot grant)
    {
        var changed = Granting.Decide(contract, grant, Given.Day(10)).Value!;
        Assert.Equal([changed.Answer], changed.State.Lots);
        Assert.Equal((EntryKind.LotGranted, grant.Quantity), (changed.Changes.Entries.Single().Kind, changed.Changes.Entries.Single().Quantity));
        return changed.Answer;
    }
}
