using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class AgreeingTests
{
    private static readonly Terms Present = Given.Terms;

    public static TheoryData<string, Terms> Broken => new()
    {
        { "name", Present with { Name = "" } },
        { "name", Present with { Name = new('x', 201) } },
        { "timeZone", Present with { TimeZone = "Europe/Nowhere" } },
        { "startsOn", Present with { StartsOn = new(1799, 12, 31) } },
        { "endsOn", Present with { EndsOn = new(9000, 1, 1) } },
        { "endsOn", Present with { EndsOn = new(2025, 12, 31) } },
        { "unallocatedLifetimeDays", Present with { UnallocatedLifetimeDays = 0 } },
        { "unallocatedLifetimeDays", Present with { UnallocatedLifetimeDays = 36_501 } },
        { "coverageDays", Present with { CoverageDays = 0 } },
        { "coverageDays", Present with { CoverageDays = 36_501 } },
    };

    public static TheoryData<string, Terms> Forbidden => new()
    {
        { "clientId", Present with { ClientId = "other" } },
        { "type", Present with { Type = ContractType.Unlimited } },
        { "timeZone", Present with { TimeZone = "Europe/Berlin" } },
        { "startsOn", Present with { StartsOn = new(2026, 6, 1) } },
        { "endsOn", Present with { EndsOn = new(2026, 4, 10) } },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void C1_terms_that_break_a_rule_are_refused_and_the_field_named(string field, Terms terms)
    {
        Assert.Equal(field, Agreeing.Decide(null, Set(terms), Given.Day(0)).Refusal!.Field);
        Assert.Equal(field, Agreeing.Decide(Given.Contract(), Set(terms), Given.Day(-9)).Refusal!.Field);
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void C1_what_is_fixed_does_not_change(string field, Terms terms) =>
        Assert.Equal((RefusalCode.InvalidField, field), Refused(Agreeing.Decide(Given.Contract(), Set(terms), Given.Day(100))));

    [Theory]
    [InlineData(100)]
    [InlineData(101)]
    public void C1_the_end_may_move_to_today_or_later(int day)
    {
        var terms = Present with { EndsOn = Present.StartsOn.PlusDays(day) };
        var changed = Agreeing.Decide(Given.Contract(), Set(terms), Given.Day(100)).Value!;
        Assert.Equal((terms, 2), (changed.State.Terms, changed.State.Revision));
        Assert.True(changed.State.Terms.IsActiveAt(Given.Day(100)));
    }

    [Fact]
    public void C1_a_start_that_has_not_come_may_move_to_today_or_later()
    {
        var now = Given.Day(-10);
        Assert.NotNull(Agreeing.Decide(Given.Contract(), Set(Present with { StartsOn = new(2025, 12, 22) }), now).Value);
        Assert.Equal((RefusalCode.InvalidField, "startsOn"), Refused(Agreeing.Decide(Given.Contract(), Set(Present with { StartsOn = new(2025, 12, 21) }), now)));
    }

    [Fact]
    public void L1_a_start_does_not_move_behind_the_end_of_a_lot()
    {
        var contract = Given.Contract(Given.Lot("L1", 5, until: 30));
        Assert.NotNull(Agreeing.Decide(contract, Set(Present with { StartsOn = new(2026, 1, 30) }), Given.Day(-10)).Value);
        Assert.Equal((RefusalCode.InvalidField, "startsOn"), Refused(Agreeing.Decide(contract, Set(Present with { StartsOn = new(2026, 1, 31) }), Given.Day(-10))));
    }

    [Theory]
    [InlineData("UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    [InlineData("Pacific/Auckland", "2025-12-31T11:00:00Z", "2026-12-31T11:00:00Z")]
    public void C1_both_days_are_included(string zone, string begins, string ends)
    {
        var terms = Present with { TimeZone = zone };
        Assert.False(terms.IsActiveAt(Given.At(begins) - Duration.Epsilon));
        Assert.True(terms.IsActiveAt(Given.At(begins)));
        Assert.True(terms.IsActiveAt(Given.At(ends) - Duration.Epsilon));
        Assert.False(terms.IsActiveAt(Given.At(ends)));
        Assert.True((terms with { EndsOn = null }).IsActiveAt(Given.At(ends)));
    }

    [Fact]
    public void L4_the_expiry_of_lots_moves_with_the_contracts_end()
    {
        var cut = Given.Lot("cut", 5, until: 365) with { AskedExpiry = Given.Day(500) };
        var endless = Given.Lot("endless", 5, until: 365) with { AskedExpiry = null };
        var early = Given.Lot("early", 5, until: 40);
        var changed = Agreeing.Decide(Given.Contract(cut, endless, early), Set(Present with { EndsOn = new(2026, 12, 31 - 10) }), Given.Day(20)).Value!;
        Assert.Equal(["cut day 355", "endless day 355"], Moved(changed));
        Assert.Equal(EntryKind.ContractSet, changed.Changes.Entries.First().Kind);
        Assert.Equal([EntryKind.LotSet, EntryKind.LotSet], changed.Changes.Entries.Skip(1).Select(entry => entry.Kind));

        changed = Agreeing.Decide(changed.State, Set(Present with { EndsOn = null }), Given.Day(20)).Value!;
        Assert.Equal(["cut day 500", "endless never"], Moved(changed));
    }

    [Fact]
    public void C1_equal_terms_change_nothing()
    {
        var changed = Agreeing.Decide(Given.Contract(), Set(Present), Given.Day(5)).Value!;
        Assert.True(changed.Changes.IsNothing);
        Assert.Equal(1, changed.State.Revision);
    }

    [Theory]
    [InlineData(0L, false)]
    [InlineData(1L, true)]
    [InlineData(2L, false)]
    [InlineData(null, true)]
    public void Section3_a_change_meant_for_another_revision_is_refused(long? seen, bool agreed) =>
        Assert.Equal(agreed, Agreeing.Decide(Given.Contract(), Set(Present with { Name = "Acme" }) with { Expected = seen }, Given.Day(5)).Refusal?.Code != RefusalCode.PreconditionFailed);

    private static SetTerms Set(Terms terms) => new(terms, null, "ops");

    private static (RefusalCode, string?) Refused<T>(Decision<T> decision) => (decision.Refusal!.Code, decision.Refusal.Field);

    private static IEnumerable<string> Moved(Changed<Contract, Contract> changed) => changed.Changes.Lots.Select(change =>
        $"{change.Lot.LotId} {(change.Lot.ExpiresAt is { } end ? $"day {(end - Given.NewYear).Days}" : "never")}").Order();
}
