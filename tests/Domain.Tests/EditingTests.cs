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
        { CreditState.Unallocated, "expires=20", "UNALLOCATED - 20: credit-set 0" },
        { CreditState.Unallocated, "expires=30", "UNALLOCATED - 30:" },
        { CreditState.Unallocated, "status=UNALLOCATED expires=400", "UNALLOCATED - 365: credit-set 0" },
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
        { CreditState.Allocated, "player=- expires=20", "UNALLOCATED - 20: credits-returned 1" },
        { CreditState.Allocated, "status=ALLOCATED player=-", "refused playerId" },
        { CreditState.Allocated, "player=bob", "ALLOCATED bob 40: credits-returned 1, credits-charged 1" },
        { CreditState.Allocated, "player=bob expires=12", "ALLOCATED bob 12: credits-returned 1, credits-charged 1" },
        { CreditState.Allocated, "player=old", "ALLOCATED old 40: credits-returned 1, credits-charged 1" },
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
        { CreditState.Over, "status=UNALLOCATED expires=20", "UNALLOCATED - 20: coverage-expired 1, coverage-expired -1, credits-returned 1" },
        { CreditState.Over, "expires=20", "ALLOCATED ann 20: coverage-expired 1, coverage-expired -1" },
        { CreditState.Over, "player=bob expires=20", "ALLOCATED bob 20: coverage-expired 1, coverage-expired -1" },
        { CreditState.Over, "player=eve expires=20", "player-covered" },

        { CreditState.Lapsed, "", "EXPIRED - 5:" },
        { CreditState.Lapsed, "status=EXPIRED", "EXPIRED - 5:" },
        { CreditState.Lapsed, "player=bob", "refused expiresAt" },
        { CreditState.Lapsed, "status=UNALLOCATED", "refused expiresAt" },
        { CreditState.Lapsed, "expires=20", "UNALLOCATED - 20: lot-expired -1" },
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
        Assert.Equal(!changed.Changes.Entries.Any(), changed.Changes.IsNothing);
        Assert.All(changed.Changes.Entries.Where(entry => entry.Actor != Entry.System), entry => Assert.Equal(("credit:C1~L1~000000003", "why", "ops"), (entry.Subject, entry.Reason, entry.Actor)));
    }

    [Theory]
    [InlineData(CreditState.Unallocated, "player=bob")]
    [InlineData(CreditState.Allocated, "name=Anne")]
    [InlineData(CreditState.Allocated, "player=-")]
    [InlineData(CreditState.Over, "")]
    [InlineData(CreditState.Over, "expires=20")]
    public void L6_an_edit_answers_its_lot_s_present_payment(CreditState state, string asked)
    {
        var (contract, seen) = (Contract(state), Seen(state, Player(asked)));
        contract = contract with { Lots = [.. contract.Lots.Select(lot => lot with { PaymentId = "INV-8" })] };
        Assert.Equal("INV-8", Editing.Decide(contract, seen with { Lot = seen.Lot! with { PaymentId = "INV-8" } }, Edit(asked), Given.Day(10)).Value!.Answer.PaymentId);
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
        Assert.Equal((2, 1), (changed.Changes.Members.Single().Member.Version, changed.Changes.Members.Single().Expected));
        Assert.Equal(told, changed.Changes.Entries.Single().UsedOf);
        Assert.Equal((2 - 1, 2 - ofCycle, 2 - ofExtra), (Used(changed.State).TotalUsed, Used(changed.State).UsedInCycle, Used(changed.State).ExtraUsed));
        Assert.Equal("3,6-9", changed.State.Lots.Single().Free.ToString());

        static Allocation Used(Contract contract) => contract.Members["anna"].Allocation;
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
        Assert.False(changed.Changes.Lots.Single().IsNew);
    }

    [Theory]
    [InlineData(CreditState.Unallocated, "6-9", 1)]
    [InlineData(CreditState.Allocated, "6-9", 0)]
    [InlineData(CreditState.Over, "6-9", 0)]
    [InlineData(CreditState.Lapsed, null, 1)]
    public void P5_a_credit_with_an_expiry_of_its_own_lies_apart_and_its_lot_s_others_keep_theirs(CreditState state, string? free, int total)
    {
        var apart = Parted(state);

        Assert.Equal((Given.Day(20), "3"), (apart.State.Lots.Single(lot => lot.Apart == 3).ExpiresAt, $"{apart.State.Lots.Single(lot => lot.Apart == 3).Free}"));
        Assert.Equal(free, apart.State.Lots.SingleOrDefault(lot => lot.Apart == 0)?.Free.ToString());
        Assert.Equal([(0, false), (3, true)], apart.Changes.Lots.Select(change => (change.Lot.Apart, change.IsNew)).Prepend((0, false)).Distinct());
        Assert.Equal(1 - total, 2 - apart.State.Members["anna"].Allocation.TotalUsed);
        Assert.Equal(HasRow(state), apart.Changes.Credits.Any(change => change.IsGone));

        // It is drawn before those that expire later, and expires alone, of itself.
        Assert.Equal("C1~L1~000000003", Charging.Decide(apart.State.With(Given.Anna), Given.Facts(), Given.Report("new"), Given.Day(11)).Value!.Answer.Players.Single().CreditId);
        var rolled = apart.State.RollForward(Given.Day(20));
        Assert.Equal(("credit:C1~L1~000000003", "L1", 1), rolled.Changes.Entries.Select(entry => (entry.Subject, entry.LotId!, entry.Quantity)).Single());
        Assert.Equal(free is null ? 0 : 4, rolled.State.RemainingAt(Given.Day(20)));

        static bool HasRow(CreditState state) => state is CreditState.Allocated or CreditState.Over;
    }

    [Fact]
    public void P5_what_lies_apart_is_set_given_ended_and_brought_back_where_it_lies()
    {
        var contract = Parted(CreditState.Unallocated).State;
        var apart = contract.Lots.Single(lot => lot.Apart == 3);
        var seen = new SeenCredit(Lot(CreditState.Allocated), null, apart, Next: Row("bob"));

        Assert.True(Decide(contract, seen, "expires=20").Changes.IsNothing);
        var later = Decide(contract, seen, "expires=25");
        Assert.Equal((3, false, Given.Day(25)), later.Changes.Lots.Select(change => (change.Lot.Apart, change.IsNew, change.Lot.ExpiresAt)).Single());
        var given = Decide(contract, seen, "player=bob");
        Assert.Equal((3, 0), given.Changes.Lots.Select(change => (change.Lot.Apart, change.Lot.Free.Count)).Single());
        Assert.Equal(1, Decide(contract, seen, "status=EXPIRED").Changes.Lots.Single().Lot.Apart / 3);
        Assert.Throws<InvariantException>(() => Decide(contract, seen with { Touched = Given.Credit("ann", until: 35) with { Id = Id } }, "player=-"));

        // Freed, it returns to its lot; with an expiry it is apart again, where it has lain.
        var touched = given.Changes.Credits.Single().Credit;
        var held = seen with { Touched = touched, Apart = given.Changes.Lots.Single().Lot, Owner = given.Changes.Players.Single().Player };
        var back = Decide(given.State, held, "player=-");
        Assert.Equal((0, "3,6-9"), back.Changes.Lots.Select(change => (change.Lot.Apart, change.Lot.Free.ToString())).Single());
        var again = Decide(given.State, held, "player=- expires=12").Changes.Lots.Single();
        Assert.Equal((3, false), (again.Lot.Apart, again.IsNew));

        // Over, it is found where it lapsed.
        var over = contract.RollForward(Given.Day(20));
        var revived = Editing.Decide(over.State, seen with { Apart = over.Changes.Lots.Single().Lot }, Edit("player=bob expires=40"), Given.Day(20)).Value!;
        Assert.Equal((3, false, Runs.Empty), revived.Changes.Lots.Select(change => (change.Lot.Apart, change.IsNew, change.Lot.Free)).Single());

        static Changed<Contract, Credit> Decide(Contract contract, SeenCredit seen, string asked) => Editing.Decide(contract, seen, Edit(asked), Given.Day(10)).Value!;
    }

    [Fact]
    public void L4_with_the_contract_s_end_moves_the_expiry_of_what_lies_apart()
    {
        var contract = Editing.Decide(Contract(CreditState.Unallocated), Seen(CreditState.Unallocated, null), Edit("expires=400"), Given.Day(10)).Value!.State;
        var longer = Agreeing.Decide(contract, new(Given.Terms with { EndsOn = new(2027, 12, 31) }, null, "ops"), Given.Day(11)).Value!;
        Assert.Equal(Given.Day(400), longer.State.Lots.Single(lot => lot.Apart == 3).ExpiresAt);
        Assert.Contains(longer.Changes.Entries, entry => entry is { Kind: EntryKind.LotSet, Subject: "credit:C1~L1~000000003" });
    }

    [Fact]
    public void P5_C2_what_cannot_be_drawn_until_then_is_not_set_apart()
    {
        var minted = Given.Lot(Domain.Lot.MintedId, 9) with { Source = LotSource.Minted, Free = Runs.Empty };
        var seen = Seen(CreditState.Allocated, null);
        Assert.Equal("status", Refused(Contract(CreditState.Allocated) with { Lots = [minted with { LotId = "L1" }] }, seen with { Lot = minted }, 10));
        Assert.Equal("expiresAt", Refused(Contract(CreditState.Allocated), seen with { Lot = null }, 366));
        Assert.Equal("expiresAt", Refused(Contract(CreditState.Lapsed) with { Lots = [Given.Lot("L1", 9, until: 90, from: 40)] }, Seen(CreditState.Unallocated, null), 10));

        static string? Refused(Contract contract, SeenCredit seen, int day) =>
            Editing.Decide(contract, seen, Edit("player=-") with { ExpiresAt = Given.Day(day + 20) }, Given.Day(day)).Refusal?.Field;
    }

    // Apart from its lot until day 20, as it was until day 10.
    private static Changed<Contract, Credit> Parted(CreditState state) => Editing.Decide(Contract(state), Seen(state, null), Edit("status=UNALLOCATED expires=20"), Given.Day(10)).Value!;

    [Fact]
    public void P5_L3_what_returns_to_a_lot_that_has_just_expired_is_returned_and_expired_though_its_row_does_not_say_so_yet()
    {
        var seen = Seen(CreditState.Allocated, null) with { Lot = Given.Lot("L1", 9, until: 10) with { Free = new([new Run(6, 9)]) } };
        var rolled = Contract(CreditState.Allocated) with { Lots = [seen.Lot!] };
        var changed = Editing.Decide(rolled.RollForward(Given.Day(10)).State, seen, Edit("player=-"), Given.Day(10)).Value!;
        Assert.Equal([EntryKind.CreditsReturned, EntryKind.LotExpired], changed.Changes.Entries.Select(entry => entry.Kind));
    }

    [Theory]
    [InlineData(CreditState.Unallocated, CreditState.Allocated)]
    [InlineData(CreditState.Allocated, CreditState.Unallocated)]
    public void A_credit_lies_free_or_has_a_row(CreditState contract, CreditState seen) =>
        Assert.Throws<InvariantException>(() => Editing.Decide(Contract(contract), Seen(seen, null), Edit("player=bob"), Given.Day(10)));

    [Fact]
    public void R2_what_becomes_of_an_edit_rests_on_its_players_its_user_and_the_ends_of_its_credit()
    {
        var seen = Seen(CreditState.Allocated, "eve");
        Assert.Equal(
            [new(seen.Owner!.Row, seen.Owner.Version), new(seen.Next!.Row, seen.Next.Version), new(RowKey.Member("C1", "anna"), seen.User!.Version), new(EndingKey.Of(seen.Touched!)!.Value.Row, 1)],
            seen.RestsOn("C1"));
        Assert.Empty(new SeenCredit(null, null).RestsOn("C1"));
    }

    [Fact]
    public void A_credit_that_its_lot_has_not_is_not_found() =>
        Assert.Equal(RefusalCode.NotFound, Editing.Decide(Contract(CreditState.Unallocated), new(null, null), Edit("player=bob") with { Id = Id with { Ordinal = 10 } }, Given.Day(10)).Refusal?.Code);

    // Who had it, and who shall have it, as of new year: eve is covered, old was, bob never was; ann has it, or had it last.
    [Theory]
    [InlineData(CreditState.Unallocated, "player=bob", "bob until 40 0->1")]
    [InlineData(CreditState.Unallocated, "player=old", "old until 40 1->2")]
    [InlineData(CreditState.Unallocated, "status=EXPIRED", "")]
    [InlineData(CreditState.Allocated, "player=-", "ann free 1->2")]
    [InlineData(CreditState.Allocated, "player=- expires=20", "ann free 1->2")]
    [InlineData(CreditState.Allocated, "player=bob", "ann free 1->2, bob until 40 0->1")]
    [InlineData(CreditState.Allocated, "expires=90", "ann until 90 1->2")]
    [InlineData(CreditState.Allocated, "name=Anne", "ann until 35 1->2")]
    [InlineData(CreditState.Allocated, "status=EXPIRED", "ann until 10 1->2")]
    [InlineData(CreditState.Over, "expires=20", "ann until 20 1->2")]
    [InlineData(CreditState.Over, "player=bob expires=20", "ann free 1->2, bob until 20 0->1")]
    [InlineData(CreditState.Over, "status=UNALLOCATED expires=20", "ann free 1->2")]
    [InlineData(CreditState.Lapsed, "player=bob expires=20", "bob until 20 0->1")]
    public void P5_the_rows_of_both_players_follow_as_of_the_edit(CreditState state, string asked, string expected)
    {
        var changes = Editing.Decide(Contract(state), Seen(state, Player(asked)), Edit(asked), Given.Day(10)).Value!.Changes;
        Assert.Equal(expected, string.Join(", ", changes.Players.Select(change =>
            $"{change.Player.PlayerId} {(change.Player.Credit is null ? "free" : $"until {(change.Player.CoversUntil!.Value - Given.NewYear).Days}")} {change.Expected}->{change.Player.Version}")));
        Assert.All(changes.Players, change => Assert.Equal(Given.Day(10), change.Player.AsOf));
        Assert.All(changes.Players.Where(change => change.Player.Credit is not null), change => Assert.Equal(Id, change.Player.Credit));
    }

    [Theory]
    [InlineData("player=bob expires=20")]
    [InlineData("status=UNALLOCATED expires=20")]
    public void P5_a_former_player_who_has_another_credit_by_now_keeps_it(string asked)
    {
        var other = Given.Player("ann", Given.Credit("ann", until: 90) with { Id = Id with { Ordinal = 4 } });
        var changes = Editing.Decide(Contract(CreditState.Over), Seen(CreditState.Over, Player(asked)) with { Owner = other }, Edit(asked), Given.Day(10)).Value!.Changes;
        Assert.DoesNotContain(changes.Players, change => change.Player.PlayerId == "ann");
    }

    [Fact]
    public void P5_an_edit_is_not_decided_before_anything_that_it_rests_on()
    {
        var bob = Row("bob");
        Assert.Equal(NodaTime.Instant.MinValue, new SeenCredit(null, null).AsOf);
        Assert.Equal(Given.Day(3), new SeenCredit(null, null, null, bob with { AsOf = Given.Day(2) }, bob with { AsOf = Given.Day(3) }).AsOf);
        Assert.Equal(Given.Day(5), new SeenCredit(null, null, null, bob with { AsOf = Given.Day(2) }) { User = Given.Anna with { AsOf = Given.Day(5) } }.AsOf);
        Assert.Equal(Given.Day(7), new SeenCredit(null, Given.Credit("ann", until: 7), null, bob with { AsOf = Given.Day(2) }).AsOf);
        Assert.Equal(Given.Day(2), new SeenCredit(null, Given.Credit("ann", until: 7), null, bob with { AsOf = Given.Day(2) }) { Endings = Given.Endings(Given.Credit("ann", until: 7)) }.AsOf);
    }

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
        var anna = Given.Anna with { Assigned = false, Allocation = new(settings, new LocalDate(2026, 1, 1), 1, 0, 2, 5, 2, 2) };
        return Given.Contract(Lot(state) is { IsOpen: true } open ? [open] : []).With(anna);
    }

    private static SeenCredit Seen(CreditState state, string? player)
    {
        var touched = state switch
        {
            CreditState.Allocated => Given.Credit("ann", until: 35) with { Id = Id },
            CreditState.Over => Given.Credit("ann", until: 5) with { Id = Id },
            _ => null,
        };
        return new(Lot(state), touched, null, touched is null ? null : Given.Player("ann", touched), player is null ? null : Row(player)) 
        {
            User = touched is null ? null : Contract(state).Members["anna"],
            Endings = touched is null ? Endings.None : Given.Endings(touched),
        };
    }

    // A player's row who has, or had, another credit, or never had one.
    private static Player Row(string player) => player switch
    {
        "ann" => Given.Player("ann", Given.Credit("ann", until: 35) with { Id = Id }),
        "eve" => Given.Player("eve", until: 20),
        "old" => Given.Player("old", until: 10),
        _ => Domain.Player.Unknown("acme", player),
    };

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
