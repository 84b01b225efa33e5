using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class Stories
{
    [Fact]
    public void L2_a_draw_spills_over_from_the_lot_that_expires_first() => Story.Play("""
        contract 60 days
        day 0   grant G1 100 until day 30  -> until day 30
        day 0   grant G2  50 until day 10  -> until day 10
        day 1   draw R1  60                -> G2:50 G1:10
        day 1   draw R1  61                -> ReportIdReused
        day 1   draw R2  91                -> InsufficientContractCredits
        day 1   draw R2  90                -> G1:90
        day 1   left                       -> 0
        """);

    [Fact]
    public void L2_lots_that_never_expire_are_drawn_last_and_ties_go_to_the_earlier_begin_then_the_id() => Story.Play("""
        contract open
        day 0   grant never  1                        -> until never
        day 0   grant late   1 from day 2 until day 9
        day 0   grant b      1 from day 1 until day 9
        day 0   grant a      1 from day 1 until day 9
        day 0   draw R0 2                             -> InsufficientContractCredits
        day 2   draw R1 4                             -> a:1 b:1 late:1 never:1
        """);

    [Fact]
    public void L4_what_is_not_used_in_time_is_gone() => Story.Play("""
        contract 60 days lifetime 30
        day 0         grant G1 10        -> until day 30
        day 5 12:00   grant G2 10        -> until day 35 12:00
        day 6         draw R1 4          -> G1:4
        day 29 23:59  left               -> 16
        day 30        left               -> 10
        day 30        books              -> granted 20 minted 0 unallocated 16 allocated 4 expired 0 withdrawn 0
        day 35 12:00  draw R2 1          -> InsufficientContractCredits
        day 35 12:00  books              -> granted 20 minted 0 unallocated 0 allocated 4 expired 16 withdrawn 0
        day 36        sweep
        day 36        books              -> granted 20 minted 0 unallocated 0 allocated 0 expired 20 withdrawn 0
        """);

    [Fact]
    public void P2_a_player_is_charged_once_and_covered_until_coverage_is_over() => Story.Play("""
        contract 90 days coverage 30
        day 0         grant G1 10
        day 1 18:00   report R1 ann bob   -> ann:new bob:new
        day 2         report R2 ann cleo  -> ann:covered cleo:new
        day 31 17:59  report R3 ann bob   -> ann:covered bob:covered
        day 31 18:00  report R4 ann cleo  -> ann:new cleo:covered
        day 31 18:00  report R5 ann       -> ann:covered
        day 32        left                -> 6
        """);

    [Fact]
    public void R3_the_same_report_again_gets_the_first_answer_for_ever() => Story.Play("""
        contract 90 days coverage 30
        day 0    grant G1 10
        day 1    report R1 ann bob  -> ann:new bob:new
        day 60   report R1 bob ann  -> ann:new bob:new
        day 200  report R1 ann bob  -> ann:new bob:new
        day 200  books              -> granted 10 minted 0 unallocated 0 allocated 2 expired 8 withdrawn 0
        """);

    [Fact]
    public void C1_a_contract_has_its_days_and_what_they_leave_expires_with_it() => Story.Play("""
        contract 60 days
        day 0         grant G1 10 until day 99  -> until day 60
        day 59 23:59  cover R1 ann              -> until day 89 23:59
        day 60        report R2 ann             -> ContractNotActive
        day 60        report R2 bob             -> ContractNotActive
        day 60        grant G2 10               -> ContractNotActive
        day 90        sweep
        day 90        books                     -> granted 10 minted 0 unallocated 0 allocated 0 expired 10 withdrawn 0
        """);

    [Fact]
    public void L4_moving_the_end_moves_the_expiry_of_what_has_not_expired() => Story.Play("""
        contract 60 days
        day 0   grant G1 10 until day 99  -> until day 60
        day 0   grant G2 10 until day 20  -> until day 20
        day 1   ends day 39               -> ends day 39
        day 2   grant G3 10               -> until day 40
        day 21  ends day 79               -> ends day 79
        day 41  left                      -> 20
        day 41  ends day 40               -> InvalidField(endsOn)
        day 41  ends day 41               -> ends day 41
        day 42  left                      -> 0
        """);

    [Fact]
    public void L4_a_lot_that_would_have_expired_already_is_refused() => Story.Play("""
        contract 60 days lifetime 10
        day 20  grant G1 10 from day 5               -> InvalidField(availableFrom)
        day 20  grant G1 10 from day 5 until day 20  -> InvalidField(expiresAt)
        day 20  grant G1 10 from day 5 until day 21  -> until day 21
        day 20  grant G2 10 from day 60              -> InvalidField(availableFrom)
        """);

    [Fact]
    public void C2_an_unlimited_contract_mints_what_is_used() => Story.Play("""
        contract 60 days type unlimited
        day 0   grant G1 10         -> InvalidField(contractId)
        day 1   report R1 ann bob   -> ann:new bob:new
        day 2   report R2 ann cleo  -> ann:covered cleo:new
        day 2   left                -> no limit
        day 2   books               -> granted 0 minted 3 unallocated 0 allocated 3 expired 0 withdrawn 0
        day 32  sweep
        day 32  books               -> granted 0 minted 3 unallocated 0 allocated 0 expired 3 withdrawn 0
        """);

    [Fact]
    public void P3_coverage_from_creation_shortens_as_credits_age() => Story.Play("""
        contract 90 days lifetime 30 from creation
        day 0   grant G1 10
        day 1   cover R1 ann       -> until day 30
        day 29  cover R2 bob       -> until day 30
        day 30  grant G2 10        -> until day 60
        day 30  report R3 ann bob  -> ann:new bob:new
        """);

    [Fact]
    public void P3_local_time_survives_the_change_of_the_clock() => Story.Play("""
        contract 180 days coverage 30 zone Europe/Berlin
        day 0         grant G1 10
        day 59 11:30  cover R1 ann   -> until day 89 11:30
        day 89 11:29  report R2 ann  -> ann:covered
        day 89 11:30  report R3 ann  -> ann:new
        """);

    [Fact]
    public void A_story_whose_expectation_is_wrong_is_caught() => Assert.ThrowsAny<Exception>(() => Story.Play("""
        contract 60 days
        day 0   grant G1 10
        day 1   draw R1 11  -> G1:11
        """));
}
