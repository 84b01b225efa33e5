using NodaTime;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Voids (R7) and holds (R8).</summary>
public sealed class UndoingStories
{
    [Fact]
    public void R7_a_void_gives_back_what_the_report_charged_and_again_answers_the_same() => Story.Play("""
        contract 60 days
        day 0   grant G1 10
        day 1   report R1 ann bob        -> ann:new bob:new
        day 1   report R2 bob cleo       -> bob:covered cleo:new
        day 2   void R2                  -> cleo:back
        day 2   used                     -> 2
        day 2   left                     -> 8
        day 3   void R2                  -> cleo:back
        day 3   report R2 bob cleo       -> bob:covered cleo:new
        day 3   report R3 bob cleo       -> bob:covered cleo:new
        day 3   used                     -> 3
        """);

    [Fact]
    public void R7_only_the_named_players_go_back_and_each_request_again_answers_the_same() => Story.Play("""
        contract 60 days
        day 0   grant G1 10
        day 1   report R1 ann bob cleo  -> ann:new bob:new cleo:new
        day 2   void R1 ann             -> ann:back
        day 2   void R1 bob             -> bob:back
        day 3   void R1 ann             -> ann:back
        day 3   void R1 eve             -> InvalidField(players[0])
        day 3   void R9                 -> NotFound
        day 4   void R1                 -> ann:back bob:back cleo:back
        day 4   left                    -> 10
        """);

    [Fact]
    public void R7_coverage_that_is_over_and_a_newer_credit_are_not_touched() => Story.Play("""
        contract 90 days coverage 10
        day 0   grant G1 10 until day 80
        day 1   report R1 ann bob   -> ann:new bob:new
        day 11  report R2 ann       -> ann:new
        day 12  void R1             ->
        day 12  left                -> 7
        day 12  report R3 ann       -> ann:covered
        day 12  free ann            -> Unallocated
        day 12  void R2             ->
        """);

    [Fact]
    public void R7_what_returns_to_a_lot_that_is_over_has_expired_with_it() => Story.Play("""
        contract 90 days coverage 30
        day 0   grant G1 3 until day 10
        day 5   report R1 ann bob cleo  -> ann:new bob:new cleo:new
        day 6   void R1 cleo            -> cleo:back
        day 6   left                    -> 1
        day 12  void R1                 -> cleo:back ann:back bob:back
        day 12  left                    -> 0
        day 12  used                    -> 0
        day 12  books                   -> granted 3 minted 0 unallocated 0 allocated 0 expired 3 withdrawn 0
        """);

    [Fact]
    public void R7_what_was_minted_has_no_lot_to_return_to() => Story.Play("""
        contract 60 days type unlimited
        day 1   report R1 ann bob   -> ann:new bob:new
        day 2   void R1 ann         -> ann:back
        day 2   used                -> 1
        day 2   books               -> granted 0 minted 2 unallocated 0 allocated 1 expired 1 withdrawn 0
        day 2   report R2 ann       -> ann:new
        """);

    [Fact]
    public void R7_a_consumer_has_voidMinutes_and_its_own_hold_until_it_is_captured() => Story.Play("""
        contract 60 days
        day 0         grant G1 10
        day 1         report R1 ann              -> ann:new
        day 1         void-own R1                -> Forbidden
        day 1         voidable 15
        day 1 00:14   void-own R1                -> ann:back
        day 1 00:14   report R2 ann              -> ann:new
        day 1 00:29   void-own R2                -> Forbidden
        day 1 00:29   void R2                    -> ann:back
        day 2         hold R3 until 2T01:00 ann  -> ann:new
        day 2 00:30   void-own R3                -> ann:back
        day 2 00:30   hold R4 until 2T01:00 ann  -> ann:new
        day 2 00:30   capture R4                 -> ann:kept
        day 2 00:50   void-own R4                -> Forbidden
        """);

    [Fact]
    public void R8_a_hold_covers_until_its_end_and_voids_itself_booked_or_not() => Story.Play("""
        contract 60 days
        day 0        grant G1 2
        day 1        hold R1 until 1T01:00 ann bob  -> ann:new bob:new
        day 1        left                           -> 0
        day 1 00:59  cover R2 ann                   -> until day 1 01:00
        day 1 00:59  report R3 cleo                 -> InsufficientContractCredits
        day 1 01:00  left                           -> 2
        day 1 01:00  used                           -> 0
        day 1 01:00  report R4 ann cleo             -> ann:new cleo:new
        day 1 01:00  capture R1                     -> HoldOver
        day 1 01:00  void R1                        -> HoldOver
        day 2        report R1 bob ann              -> ann:new bob:new
        day 2        used                           -> 2
        """);

    [Fact]
    public void R8_who_is_captured_stays_and_the_others_go_back_at_once() => Story.Play("""
        contract 60 days coverage 30
        day 0        grant G1 9 until day 40
        day 1        hold R1 until 1T01:00 a b c d e  -> a:new b:new c:new d:new e:new
        day 1 00:10  capture R1 a b c                 -> a:kept b:kept c:kept d:back e:back
        day 1 00:20  capture R1 c b a                 -> a:kept b:kept c:kept d:back e:back
        day 1 00:20  capture R1 a b                   -> HoldOver
        day 1 00:20  capture R1                       -> HoldOver
        day 1 01:00  report R2 a b c d e              -> a:covered b:covered c:covered d:new e:new
        day 1 02:00  cover R3 a                       -> until day 31
        day 1 02:00  used                             -> 5
        day 2        void R1 a                        -> a:kept b:kept c:kept a:back
        day 2        capture R1 a b c                 -> a:kept b:kept c:kept d:back e:back
        """);

    [Fact]
    public void R8_what_is_not_held_is_not_captured() => Story.Play("""
        contract 60 days
        day 0   grant G1 2
        day 1   report R1 ann                -> ann:new
        day 1   capture R1                   -> InvalidField(reportId)
        day 1   hold R2 until 1T01:00 ann    -> ann:covered
        day 1   capture R2                   ->
        day 1   hold R3 until 1T01:00 bob    -> bob:new
        day 1   void R3                      -> bob:back
        day 1   capture R3                   -> bob:back
        """);

    [Fact]
    public void R8_an_edit_by_hand_decides_what_becomes_of_a_held_credit() => Story.Play("""
        contract 60 days coverage 30
        day 0        grant G1 4 until day 50
        day 1        hold R1 until 1T01:00 a b c d  -> a:new b:new c:new d:new
        day 1        free a                         -> Unallocated
        day 1        extend b until day 20          -> until day 20
        day 1        rename c                       -> until day 1 01:00
        day 1 02:00  report R2 a b c d              -> a:new b:covered c:new d:new
        day 1 02:00  used                           -> 4
        """);

    [Fact]
    public void R8_the_end_of_coverage_comes_before_the_end_of_the_hold() => Story.Play("""
        contract 60 days from creation
        day 0        grant G1 2 until day 2
        day 1 23:00  hold R1 until 2T01:00 ann bob  -> ann:new bob:new
        day 1 23:10  capture R1 ann                 -> ann:kept bob:back
        day 2 02:00  used                           -> 1
        day 3        sweep
        day 3        books                          -> granted 2 minted 0 unallocated 0 allocated 0 expired 2 withdrawn 0
        """);

    [Fact]
    public void T3_ends_of_holds_expiries_and_grants_are_booked_in_their_order_however_late() => Story.Play("""
        contract 90 days lifetime 30 coverage 30
        day 0        grant early 1 until day 2
        day 0        grant late 1 until day 6
        day 1        hold R1 until 1T12:00 ann      -> ann:new
        day 1        hold R2 until 2T00:00 bob      -> bob:new
        day 1 13:00  hold R3 until 2T12:00 cleo     -> cleo:new
        day 7        left                           -> 0
        day 7        used                           -> 0
        day 7        books                          -> granted 2 minted 0 unallocated 0 allocated 2 expired 0 withdrawn 0
        day 8        sweep
        day 8        books                          -> granted 2 minted 0 unallocated 0 allocated 0 expired 2 withdrawn 0
        """);

    [Fact]
    public void T3_the_state_does_not_depend_on_when_the_end_of_a_hold_is_booked()
    {
        World[] worlds = [Play(_ => { }), Play(world => world.Sweep())];
        Assert.Equal(worlds[0].Settled(), worlds[1].Settled());

        static World Play(Action<World> meanwhile)
        {
            var world = new World(Given.Terms);
            world.Grant(Given.Grant("L1", 5, until: 3));
            for (var hour = 1; hour <= 100; hour++)
            {
                world.MoveTo(Given.NewYear + Duration.FromHours(hour));
                meanwhile(world);
                if (hour is 1 or 60 or 90) world.Report($"R{hour}", ["ann", "bob", "cleo"], 7200);
                if (hour == 61) Assert.Null(world.Capture("R60", ["ann"]).Refusal);
            }
            world.Sweep();
            return world;
        }
    }

    [Fact]
    public void R8_a_held_credit_that_lay_apart_returns_to_its_lot_though_that_is_used_up()
    {
        var world = new World(Given.Terms);
        world.Grant(Given.Grant("L1", 2));
        world.Report("R1", ["ann", "bob"]);
        Assert.Null(world.Edit("ann", id => new(id, CreditStatus.Unallocated, null, Frees: false, null, Given.Day(20), "by hand", "ops")).Refusal);
        Assert.Equal("C1~L1~000000001", world.Report("R2", ["cleo"], 60).Value!.Players.Single().CreditId);
        world.MoveTo(world.Now + Duration.FromHours(1));
        world.Sweep();
        Assert.Equal("1", $"{world.Lots.Single(lot => lot.Apart == 0).Free}");
        Assert.Equal(1, world.Contract.RemainingAt(world.Now));
    }

    [Fact]
    public void G1_each_credit_given_back_is_an_entry_with_reason_actor_and_cause()
    {
        var world = new World(Given.Terms);
        world.Grant(Given.Grant("L1", 5));
        world.Report("R1", ["ann"]);
        world.Void("R1", []);
        world.Report("R2", ["ann", "bob"], 60);
        world.Capture("R2", ["bob"]);
        world.Report("R3", ["cleo"], 60);
        world.MoveTo(world.Now + Duration.FromHours(1));
        world.Sweep();
        Assert.Equal(
            [
                "CreditsReturned credit:C1~L1~000000001 1 R1 ops wrong void:R1 +0",
                "CreditsReturned credit:C1~L1~000000001 1 R2 key  capture:R2 +0",
                "HoldCaptured report:R2 0 R2 key  capture:R2 +0",
                "CreditsReturned credit:C1~L1~000000001 1 R3 system  hold:R3 +60",
            ],
            world.Entries.Where(entry => entry.Kind is EntryKind.CreditsReturned or EntryKind.HoldCaptured).Select(entry =>
                $"{entry.Kind} {entry.Subject} {entry.Quantity} {entry.ReportId} {entry.Actor} {entry.Reason} {entry.Cause} +{(entry.EffectiveAt - Given.Terms.Begins).TotalSeconds}"));
        Assert.All(world.Entries.Where(entry => entry.Kind == EntryKind.CreditsReturned), entry =>
        {
            Assert.Contains("\"status\":\"ALLOCATED\"", entry.Before);
            Assert.Contains("\"status\":\"UNALLOCATED\"", entry.After);
        });
        Assert.Equal(["ann", "bob"], world.Reported("R2").Players.Select(player => player.PlayerId));
    }
}
