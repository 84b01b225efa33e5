using System.Collections.Immutable;
using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class EditingTests
{
    private static readonly CreditId Id = new("C1", "L1", 3);

    // A credit's state, what is asked of it on day 10, and what comes of it: the status, player and expiry then, and the entries; or the field that is refused.
    public static TheoryData<CreditState, string, string> Transitions => new()
    {
        { CreditState.Unallocated, "status=UNALLOCATED", "UNALLOCATED - 30:" },
        { CreditState.Unallocated, "player=-", "UNALLOCATED - 30:" },
        { CreditState.Unallocated, "", "UNALLOCATED - 30:" },
        { CreditState.Unallocated, "expires=20", "refused expiresAt" },
        { CreditState.Unallocated, "player=bob", "ALLOCATED bob 40: credits-charged 1" },
        { CreditState.Unallocated, "player=bob expires=20", "ALLOCATED bob 20: credits-charged 1" },
        { CreditState.Unallocated, "player=bob expires=10", "refused expiresAt" },
        { CreditState.Unallocated, "status=ALLOCATED", "refused playerId" },
        { CreditState.Unallocated, "status=ALLOCATED expires=20", "refused playerId" },
        { CreditState.Unallocated, "status=EXPIRED", "EXPIRED - 10: lot-expired 1" },
        { CreditState.Unallocated, "status=UNALLOCATED player=bob", "refused playerId" },
        { CreditState.Unallocated, "name=Bob", "refused playerName" },
        { CreditState.Unallocated, "player=eve", "player-covered" },

        { CreditState.Allocated, "", "ALLOCATED ann 35:" },
        { CreditState.Allocated, "status=ALLOCATED", "ALLOCATED ann 35:" },
        { CreditState.Allocated, "player=ann name=ann expires=35", "ALLOCATED ann 35:" },
        { CreditState.Allocated, "status=UNALLOCATED", "UNALLOCATED - 30: credits-returned 1" },
        { CreditState.Allocated, "player=-", "UNALLOCATED - 30: credits-returned 1" },
        { CreditState.Allocated, "player=- expires=20", "refused expiresAt" },
        { CreditState.Allocated, "status=ALLOCATED player=-", "refused playerId" },
        { CreditState.Allocated, "player=bob", "ALLOCATED bob 40: credits-returned 1, credits-charged 1" },
        { CreditState.Allocated, "player=bob expires=12", "ALLOCATED bob 12: credits-returned 1, credits-charged 1" },
        { CreditState.Allocated, "player=old", "ALLOCATED old 40: coverage-expired 1, credits-returned 1, credits-charged 1" },
        { CreditState.Allocated, "player=eve", "player-covered" },
        { CreditState.Allocated, "expires=90", "ALLOCATED ann 90: credit-set 0" },
        { CreditState.Allocated, "expires=9", "refused expiresAt" },
        { CreditState.Allocated, "name=Anne", "ALLOCATED ann 35: credit-set 0" },
        { CreditState.Allocated, "status=EXPIRED", "EXPIRED ann 10: coverage-expired 1" },
        { CreditState.Allocated, "status=EXPIRED player=ann", "EXPIRED ann 10: coverage-expired 1" },
        { CreditState.Allocated, "status=EXPIRED player=bob", "refused playerId" },
        { CreditState.Allocated, "status=EXPIRED player=-", "refused playerId" },
        { CreditState.Allocated, "status=EXPIRED expires=20", "refused expiresAt" },

        { CreditState.Over, "", "EXPIRED ann 5:" },
        { CreditState.Over, "status=EXPIRED", "EXPIRED ann 5:" },
        { CreditState.Over, "status=ALLOCATED", "refused expiresAt" },
        { CreditState.Over, "player=bob", "refused expiresAt" },
        { CreditState.Over, "status=UNALLOCATED", "refused expiresAt" },
        { CreditState.Over, "status=UNALLOCATED expires=20", "refused status" },
        { CreditState.Over, "expires=20", "ALLOCATED ann 20: coverage-expired 1, coverage-expired -1" },
        { CreditState.Over, "player=bob expires=20", "ALLOCATED bob 20: coverage-expired 1, coverage-expired -1" },
        { CreditState.Over, "player=eve expires=20", "player-covered" },

        { CreditState.Lapsed, "", "EXPIRED - 5:" },
        { CreditState.Lapsed, "status=EXPIRED", "EXPIRED - 5:" },
        { CreditState.Lapsed, "player=bob", "refused expiresAt" },
        { CreditState.Lapsed, "status=UNALLOCATED", "refused expiresAt" },
        { CreditState.Lapsed, "expires=20", "refused status" },
        { CreditState.Lapsed, "status=ALLOCATED", "refused playerId" },
        { CreditState.Lapsed, "status=ALLOCATED expires=20", "refused playerId" },
        { CreditState.Lapsed, "player=bob expires=20", "ALLOCATED bob 20: lot-expired -1, credits-charged 1" },
        { CreditState.Lapsed, "player=eve expires=20", "player-covered" },
    };

    [Theory]
    [MemberData(nameof(Transitions))]
    public void P5_each_edit_of_each_state_does_what_the_table_says(CreditState state, string asked, string expected)
    {
        var (contract, seen, edit) = (Contract(state), Seen(state, Player(asked)), Edit(asked));
        var decision = Editing.Decide(contract, seen, edit, Given.Day(10));

        if (decision.Value is not { } changed)
        {
            Assert.Equal(expected, decision.Refusal is { Code: RefusalCode.PlayerCovered } ? "player-covered" : $"refused {decision.Refusal!.Field}");
            return;
        }
        var credit = changed.Answer;
        Assert.Equal(expected, $"{credit.StatusAt(Given.Day(10)).ToString().ToUpperInvariant()} {credit.PlayerId ?? "-"} {(credit.ExpiresAt!.Value - Given.NewYear).Days}: {string.Join(", ", changed.Changes.Entries.Select(entry => $"{Json.Write(entry.Kind).Trim('"')} {entry.Quantity}"))}".TrimEnd());
        Assert.Equal(changed.Changes.Entries.IsEmpty, changed.Changes.IsNothing);
        Assert.All(changed.Changes.Entries.Where(entry => entry.Actor != Entry.System), entry => Assert.Equal(("credit:C1~L1~000000003", "why", "ops"), (entry.Subject, entry.Reason, entry.Actor)));
    }

    [Fact]
    public void P5_the_table_is_whole() => Assert.Equal(
        Enum.GetValues<CreditState>().SelectMany(state => Enum.GetValues<EditWish>().Select(wish => (state, wish))).Order(), Editing.Table.Keys.Order());

    [Theory]
    [InlineData("cycle:1.0", 1, 0, "cycle:1.0")]
    [InlineData("cycle:1.-1", 0, 0, null)]
    [InlineData("cycle:0.0", 0, 0, null)]
    [InlineData("extra", 0, 1, "extra")]
    [InlineData(null, 0, 0, null)]
    public void P5_the_use_goes_back_where_it_came_from_unless_that_cycle_is_over(string? usedOf, long ofCycle, long ofExtra, string? told)
    {
        var seen = Seen(CreditState.Allocated, null);
        var changed = Editing.Decide(Contract(CreditState.Allocated), seen with { Touched = seen.Touched! with { UsedOf = usedOf } }, Edit("player=-"), Given.Day(10)).Value!;
        var back = Assert.Single(changed.Changes.GivenBack);
        Assert.Equal((1, ofCycle, ofExtra), (back.Credits, back.OfCycle, back.OfExtra));
        Assert.Equal(ofCycle > 0, back.Cycle is not null);
        Assert.Equal(told, changed.Changes.Entries.Single().UsedOf);
        Assert.Equal((2 - 1, 2 - ofCycle, 2 - ofExtra), (Used(changed.State).TotalUsed, Used(changed.State).UsedInCycle, Used(changed.State).ExtraUsed));
        Assert.Equal("3,6-9", changed.State.Lots.Single().Free.ToString());

        static Allocation Used(Contract contract) => contract.Members!["anna"].Allocation;
    }

    [Fact]
    public void P5_L3_what_returns_to_a_lot_that_is_over_is_returned_and_expired()
    {
        var lot = Given.Lot("L1", 9, until: 8) with { Free = new([new Run(6, 9)]), ExpiryBooked = true };
        var changed = Editing.Decide(Contract(CreditState.Lapsed), Seen(CreditState.Allocated, null) with { Lot = lot }, Edit("player=-"), Given.Day(10)).Value!;
        Assert.Equal([EntryKind.CreditsReturned, EntryKind.LotExpired], changed.Changes.Entries.Select(entry => entry.Kind));
        Assert.Equal(CreditStatus.Expired, changed.Answer.StatusAt(Given.Day(10)));
        Assert.Empty(changed.State.Lots);
        Assert.Equal([true, false], changed.Changes.Credits.Select(change => change.IsGone));
    }

    [Fact]
    public void P5_a_used_up_lot_is_open_again_until_it_would_have_expired()
    {
        var lot = Given.Lot("L1", 9, until: 20) with { Free = Runs.Empty };
        var changed = Editing.Decide(Contract(CreditState.Lapsed), Seen(CreditState.Allocated, null) with { Lot = lot }, Edit("player=-"), Given.Day(10)).Value!;
        Assert.Equal(1, changed.State.RemainingAt(Given.Day(10)));
        Assert.Equal(Given.Day(20), changed.State.NextDue);
        Assert.Equal(Runs.Empty, changed.Changes.Lots.Single().From);
    }

    [Theory]
    [InlineData(CreditState.Unallocated, CreditState.Allocated)]
    [InlineData(CreditState.Allocated, CreditState.Unallocated)]
    public void What_was_seen_before_the_credit_changed_is_outdated(CreditState contract, CreditState seen) =>
        Assert.Equal(RefusalCode.PreconditionFailed, Editing.Decide(Contract(contract), Seen(seen, null), Edit("player=bob"), Given.Day(10)).Refusal?.Code);

    [Fact]
    public void A_credit_that_its_lot_has_not_is_not_found() =>
        Assert.Equal(RefusalCode.NotFound, Editing.Decide(Contract(CreditState.Unallocated), new(null, null, null), Edit("player=bob") with { Id = Id with { Ordinal = 10 } }, Given.Day(10)).Refusal?.Code);

    // Nine credits, of which six to nine are free, and three where it is to be.
    private static Lot Lot(CreditState state) => state switch
    {
        CreditState.Unallocated => Given.Lot("L1", 9) with { Free = new([new Run(3, 3), new Run(6, 9)]) },
        CreditState.Lapsed => Given.Lot("L1", 9, until: 5) with { Free = new([new Run(3, 3), new Run(6, 9)]), ExpiryBooked = true },
        _ => Given.Lot("L1", 9) with { Free = new([new Run(6, 9)]) },
    };

    private static Contract Contract(CreditState state)
    {
        var settings = new Settings(5, Renewal.Fixed, 1, null);
        var anna = new Member("anna", "Anna", Assigned: false) { Allocation = new(settings, new LocalDate(2026, 1, 1), 1, 0, 2, 5, 2, 2) };
        return Given.Contract(Lot(state) is { IsOpen: true } open ? [open] : []) with { Members = ImmutableSortedDictionary<string, Member>.Empty.Add("anna", anna) };
    }

    private static SeenCredit Seen(CreditState state, string? player)
    {
        var touched = state switch
        {
            CreditState.Allocated => Given.Credit("ann", until: 35) with { Id = Id },
            CreditState.Over => Given.Credit("ann", until: 5) with { Id = Id },
            _ => null,
        };
        return new(Lot(state), touched, player switch
        {
            "eve" => Given.Credit("eve", until: 20),
            "old" => Given.Credit("old", until: 10),
            _ => touched,
        });
    }

    private static string? Player(string asked) => Edit(asked).PlayerId;

    private static EditCredit Edit(string asked)
    {
        var fields = asked.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1]);
        var player = fields.GetValueOrDefault("player");
        return new(
            Id, fields.TryGetValue("status", out var status) ? Enum.Parse<CreditStatus>(status, ignoreCase: true) : null, player is "-" ? null : player, Frees: player is "-", fields.GetValueOrDefault("name"),
            fields.TryGetValue("expires", out var day) ? Given.Day(int.Parse(day, System.Globalization.CultureInfo.InvariantCulture)) : null, "why", "ops");
    }
}
