using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class LotCorrectingTests
{
    [Fact]
    public void L6_a_lot_of_1000_typed_for_100_is_corrected_by_one_call() => Story.Play("""
        contract 60 days
        day 0   grant G1 1000 until day 30  -> until day 30
        day 1   draw R1 10                  -> G1:10
        day 1   withdraw G1 900             -> 90
        day 1   books                       -> granted 1000 minted 0 unallocated 90 allocated 10 expired 0 withdrawn 900
        day 1   draw R2 91                  -> InsufficientContractCredits
        day 1   withdraw G1 91              -> InvalidField(quantity)
        day 1   withdraw G1 0               -> InvalidField(quantity)
        day 1   withdraw G9                 -> NotFound
        day 31  sweep
        day 31  books                       -> granted 1000 minted 0 unallocated 0 allocated 0 expired 100 withdrawn 900
        """);

    [Fact]
    public void L6_all_of_a_lot_that_has_nothing_left_is_nothing() => Story.Play("""
        contract 60 days
        day 0   grant G1 5 until day 30
        day 0   grant G2 5 until day 1
        day 0   withdraw G1    -> 0
        day 0   withdraw G1    -> 0
        day 0   withdraw G1 1  -> InvalidField(quantity)
        day 1   withdraw G2    -> 0
        day 1   books          -> granted 10 minted 0 unallocated 0 allocated 0 expired 5 withdrawn 5
        """);

    [Fact]
    public void L6_a_lot_whose_expiry_moves_is_drawn_and_expires_by_it() => Story.Play("""
        contract 60 days
        day 0   grant G1 5 until day 10
        day 0   grant G2 5 until day 20
        day 1   change G1 until day 30  -> day 0 until day 30
        day 1   draw R1 6               -> G2:5 G1:1
        day 11  left                    -> 4
        day 11  change G1 until day 99  -> day 0 until day 60
        day 11  change G1 until day 11  -> InvalidField(expiresAt)
        day 12  change G1 until day 13  -> day 0 until day 13
        day 13  left                    -> 0
        day 13  change G1 until day 20  -> InvalidField(expiresAt)
        day 13  books                   -> granted 10 minted 0 unallocated 0 allocated 6 expired 4 withdrawn 0
        """);

    [Fact]
    public void L6_a_lot_lasts_with_its_contract_where_its_expiry_is_taken_away() => Story.Play("""
        contract 60 days
        day 0   grant G1 5 until day 10
        day 1   change G1 until never   -> day 0 until day 60
        day 2   ends day 79             -> ends day 79
        day 61  left                    -> 5
        day 61  ends never              -> ends never
        day 61  change G1 until day 99  -> day 0 until day 99
        day 61  change G1 until never   -> day 0 until never
        """);

    [Fact]
    public void L6_a_lot_that_has_not_begun_may_begin_at_another_time() => Story.Play("""
        contract 60 days
        day 0  grant G1 5 from day 10 until day 20
        day 1  change G1 from day 5                -> day 5 until day 20
        day 1  change G1 from day 20               -> InvalidField(availableFrom)
        day 1  change G1 from day 60 until day 99  -> InvalidField(availableFrom)
        day 1  change G1 from day 0                -> InvalidField(availableFrom)
        day 1  change G1 until day 4               -> InvalidField(expiresAt)
        day 1  change G1 from day 3 until day 4    -> day 3 until day 4
        day 1  left                                -> 0
        day 1  change G1 from now                  -> day 1 until day 4
        day 1  left                                -> 5
        day 2  change G1 from now                  -> day 1 until day 4
        day 2  change G1 from day 3                -> InvalidField(availableFrom)
        """);

    [Fact]
    public void C2_an_unlimited_contracts_lot_is_not_corrected() => Story.Play("""
        contract 60 days type unlimited
        day 1  report R1 ann              -> ann:new
        day 1  withdraw minted            -> InvalidField(lotId)
        day 1  change minted payment INV  -> InvalidField(lotId)
        """);

    [Fact]
    public void L6_a_withdrawal_is_one_entry_with_before_and_after_and_the_credits()
    {
        var decided = LotCorrecting.Decide(Given.Contract(Given.Lot("L1", 10)), [], new WithdrawCredits("L1", 4, "typed wrong", "ops"), Given.Day(1)).Value!;
        var entry = Assert.Single(decided.Changes.Entries);
        Assert.Equal((EntryKind.LotWithdrawn, 4, "lot:C1~L1", "typed wrong", "ops"), (entry.Kind, entry.Quantity, entry.Subject, entry.Reason, entry.Actor));
        Assert.Equal("""{"unallocated":10,"withdrawn":0}""", entry.Before);
        Assert.Equal("""{"unallocated":6,"withdrawn":4,"credits":"7-10"}""", entry.After);
    }

    [Fact]
    public void L6_a_change_is_one_entry_with_before_and_after()
    {
        var change = Change("L1") with { PaymentId = "INV-8", ExpiresAt = Given.Day(40) };
        var entry = Assert.Single(LotCorrecting.Decide(Given.Contract(Given.Lot("L1", 10)), [], change, Given.Day(1)).Value!.Changes.Entries);
        Assert.Equal((EntryKind.LotSet, 0, "typed wrong"), (entry.Kind, entry.Quantity, entry.Reason));
        Assert.Equal("""{"paymentId":"P-L1","availableFrom":"2026-01-01T00:00:00Z","expiresAt":"2026-01-31T00:00:00Z"}""", entry.Before);
        Assert.Equal("""{"paymentId":"INV-8","availableFrom":"2026-01-01T00:00:00Z","expiresAt":"2026-02-10T00:00:00Z"}""", entry.After);
    }

    [Fact]
    public void L6_values_equal_to_the_present_ones_change_nothing()
    {
        var contract = Given.Contract(Given.Lot("L1", 10));
        var change = Change("L1") with { PaymentId = "P-L1", AvailableFrom = Given.Day(0), ExpiresAt = Given.Day(30), Seen = Seen.Other };
        Assert.True(LotCorrecting.Decide(contract, [], change, Given.Day(1)).Value!.Changes.IsNothing);
    }

    [Fact]
    public void L6_credits_with_an_expiry_of_their_own_keep_it_and_are_withdrawn_last()
    {
        var lot = Given.Lot("L1", 10) with { Free = Runs.Parse("2-10") };
        var apart = lot with { Apart = 1, Free = Runs.Only(1), AskedExpiry = Given.Day(5), ExpiresAt = Given.Day(5) };
        var contract = Given.Contract(lot, apart);

        var moved = LotCorrecting.Decide(contract, [], Change("L1") with { PaymentId = "INV-8", ExpiresAt = Given.Day(40) }, Given.Day(1)).Value!;
        Assert.Equal([("INV-8", Given.Day(40)), ("INV-8", Given.Day(5))], moved.State.Lots.Select(one => (one.PaymentId, one.ExpiresAt!.Value)));

        Assert.Equal("1-10", Withdrawn(10));
        Assert.Equal("2-10", Withdrawn(9));
        Assert.Equal("9-10", Withdrawn(2));

        string Withdrawn(long quantity)
        {
            var whole = LotCorrecting.Decide(contract, [], new WithdrawCredits("L1", quantity, "typed wrong", "ops"), Given.Day(1)).Value!.Answer;
            Assert.Equal((10 - quantity, quantity), (whole.AvailableAt(Given.Day(1)), whole.Withdrawn));
            return whole.Lot.Withdrawn.ToString();
        }
    }

    [Fact]
    public void Section3_a_correction_of_an_older_version_is_refused()
    {
        var (contract, now) = (Given.Contract(Given.Lot("L1", 10)), Given.Day(1));
        var present = Seen.Of(new WholeLot(contract.Lots[0], []).VersionAt(now));
        Assert.Equal(RefusalCode.PreconditionFailed, LotCorrecting.Decide(contract, [], new WithdrawCredits("L1", 1, "typed wrong", "ops", Seen.Other), now).Refusal!.Code);
        Assert.Equal(RefusalCode.PreconditionFailed, LotCorrecting.Decide(contract, [], Change("L1") with { PaymentId = "INV-8", Seen = Seen.Other }, now).Refusal!.Code);
        Assert.Null(LotCorrecting.Decide(contract, [], new WithdrawCredits("L1", 1, "typed wrong", "ops", present), now).Refusal);
        Assert.Null(LotCorrecting.Decide(contract, [], Change("L1") with { PaymentId = "INV-8", Seen = present }, now).Refusal);
    }

    // A lot that is used up is in the store only; so is one that has just expired.
    [Fact]
    public void L6_a_lot_that_is_no_longer_open_is_corrected_as_the_store_has_it()
    {
        var used = Given.Lot("L1", 10) with { Free = Runs.Empty };
        Assert.Equal(Given.Day(40), LotCorrecting.Decide(Given.Contract(), [used], Change("L1") with { ExpiresAt = Given.Day(40) }, Given.Day(1)).Value!.Answer.Lot.ExpiresAt);
        Assert.Equal("expiresAt", LotCorrecting.Decide(Given.Contract(), [used], Change("L1") with { ExpiresAt = Given.Day(40) }, Given.Day(31)).Refusal!.Field);

        var over = Given.Lot("L1", 10);
        Assert.True(LotCorrecting.Decide(Given.Contract(), [over], new WithdrawCredits("L1", null, "typed wrong", "ops"), Given.Day(31)).Value!.Changes.IsNothing);
        Assert.Equal("INV-8", LotCorrecting.Decide(Given.Contract(), [over], Change("L1") with { PaymentId = "INV-8" }, Given.Day(31)).Value!.Answer.Lot.PaymentId);
    }

    [Fact]
    public void P5_a_withdrawn_credit_stays_withdrawn()
    {
        var lot = Given.Lot("L1", 2) with { Free = Runs.Only(1), Withdrawn = Runs.Only(2) };
        foreach (var edit in new EditCredit[]
        {
            Edit(2) with { Status = CreditStatus.Unallocated },
            Edit(2) with { ExpiresAt = Given.Day(9) },
            Edit(2) with { Status = CreditStatus.Expired },
            Edit(2) with { PlayerId = "ann" },
        })
            Assert.Equal("status", Editing.Decide(Given.Contract(lot), new(lot, null), edit, Given.Day(1)).Refusal!.Field);

        // Nor does an edit withdraw one.
        Assert.Equal("status", Editing.Decide(Given.Contract(lot), new(lot, null), Edit(1) with { Status = CreditStatus.Withdrawn }, Given.Day(1)).Refusal!.Field);

        static EditCredit Edit(long ordinal) => new(new("C1", "L1", ordinal), null, null, false, null, null, "mistake", "ops");
    }

    private static ChangeLot Change(string lotId) => new(lotId, null, null, false, null, false, "typed wrong", "ops");
}
