using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class AllocationStories
{
    [Fact]
    public void A1_ten_credits_every_two_weeks_on_monday() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Wed 2026-03-04 12:00  set anna 10 weekly every 2 on monday  -> start 2026-03-09 next 2026-03-23
        Sun 2026-03-08 23:59  use anna 1                            -> InsufficientAllocation of 0 next 2026-03-23T00:00Z credits 2026-03-09T00:00Z
        Mon 2026-03-09        use anna 10                           -> 0
        Mon 2026-03-16        use anna 1                            -> InsufficientAllocation of 0 next 2026-03-23T00:00Z
        Mon 2026-03-23        use anna 3                            -> 7
        Mon 2026-03-23        renewals anna 3                       -> 2026-04-06 2026-04-20 2026-05-04
        Mon 2026-03-23        row anna                              -> used 3 available 7 extra 0/0 total 13
        """);

    [Fact]
    public void A3_every_third_monday() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Mon 2026-06-01 09:00  set anna 10 weekly every 3 on monday  -> start 2026-06-08 next 2026-06-29
        Mon 2026-06-08        renewals anna 4                       -> 2026-06-29 2026-07-20 2026-08-10 2026-08-31
        """);

    [Fact]
    public void A6_ten_weekly_changed_on_a_wednesday_to_twenty() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Fri 2026-01-02        set anna 10 weekly on monday          -> start 2026-01-05 next 2026-01-12
        Mon 2026-01-05 10:00  use anna 7                            -> 3
        Wed 2026-01-07 10:00  set anna 20                           -> start 2026-01-12 next 2026-01-19
        Wed 2026-01-07 10:00  row anna                              -> used 0 available 0 extra 0/0 total 7
        Wed 2026-01-07 10:00  use anna 1                            -> InsufficientAllocation of 0 next 2026-01-19T00:00Z credits 2026-01-12T00:00Z
        Wed 2026-01-07 11:00  extra anna 5                          -> 5
        Wed 2026-01-07 12:00  use anna 2                            -> 3
        Mon 2026-01-12        row anna                              -> used 0 available 23 extra 2/5 total 9
        Mon 2026-01-12        use anna 20                           -> 3
        Mon 2026-01-12        row anna                              -> used 20 available 3 extra 2/5 total 29
        """);

    [Fact]
    public void A9_a_user_added_on_the_fifteenth_starts_on_the_first() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-10            defaults 20 monthly on 1
        2026-05-15 14:00      add ben
        2026-05-15 14:00      dates ben                             -> start 2026-06-01 next 2026-07-01
        2026-05-15 14:00      use ben 1                             -> InsufficientAllocation of 0 next 2026-07-01T00:00Z credits 2026-06-01T00:00Z
        2026-05-15 14:00      extra ben 2                           -> 2
        2026-05-31 23:59      use ben 2                             -> 0
        2026-06-01            row ben                               -> used 0 available 20 extra 2/2 total 2
        2026-06-01            row anna                              -> used 0 available 0 extra 0/0 total 0
        """);

    [Fact]
    public void A1_two_hundred_fixed_for_twelve_months() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01 08:00      set anna 200 fixed                    -> start 2026-01-01 next none
        2026-01-01 08:00      use anna 150                          -> 50
        2026-12-31 23:59      use anna 51                           -> InsufficientAllocation of 50 next none
        2026-12-31 23:59      use anna 50                           -> 0
        """);

    [Fact]
    public void A1_unlimited_has_no_limit_but_the_pool() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-02-01            set anna unlimited                    -> start 2026-02-01 next none
        2026-02-01            use anna 900                          -> no limit
        2026-02-01            row anna                              -> used 900 available no limit extra 0/0 total 900
        """);

    [Fact]
    public void A1_a_limit_on_an_unlimited_user_is_refused_unless_the_renewal_changes_with_it() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-02-01            set anna unlimited                    -> start 2026-02-01 next none
        2026-02-01            set anna 5                            -> InvalidField(users[0].amount)
        2026-02-01            set anna 5 fixed                      -> start 2026-02-01 next none
        2026-02-01            use anna 6                            -> InsufficientAllocation of 5 next none
        """);

    [Fact]
    public void A2_the_start_follows_from_the_renewal() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Wed 2026-03-04 12:00  set anna 5 daily                      -> start 2026-03-05 next 2026-03-06
        Wed 2026-03-04 12:00  set anna 5 daily every 3              -> start 2026-03-05 next 2026-03-08
        Wed 2026-03-04 12:00  set anna 5 weekly every 1 on wednesday -> start 2026-03-11 next 2026-03-18
        Wed 2026-03-04 12:00  set anna 5 monthly on 4               -> start 2026-04-04 next 2026-05-04
        Wed 2026-03-04 12:00  set anna 5 monthly on 31              -> start 2026-03-31 next 2026-04-30
        Wed 2026-03-04 12:00  set anna 5 daily from 2026-03-04      -> start 2026-03-04 next 2026-03-05
        Wed 2026-03-04 12:00  use anna 5                            -> 0
        Wed 2026-03-04 12:00  set anna 5 fixed                      -> start 2026-03-04 next none
        Wed 2026-03-04 12:00  set anna 5 daily from 2026-03-03      -> InvalidField(users[0].startDate)
        Wed 2026-03-04 12:00  set anna 5 daily from 2027-01-01      -> InvalidField(users[0].startDate)
        """);

    [Fact]
    public void A2_before_the_contract_begins_today_is_the_day_before_its_first() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2025-11-20            set anna 5 daily                      -> start 2026-01-01 next 2026-01-02
        2025-11-20            set anna 5 weekly on thursday         -> start 2026-01-01 next 2026-01-08
        2025-11-20            set anna 5 monthly on 1               -> start 2026-01-01 next 2026-02-01
        2025-11-20            set anna 5 fixed                      -> start 2026-01-01 next none
        2025-11-20            set anna 5 daily from 2025-12-31      -> InvalidField(users[0].startDate)
        2025-11-20            set anna 5 daily from 2026-01-01      -> start 2026-01-01 next 2026-01-02
        """);

    [Fact]
    public void A3_a_start_that_is_no_day_of_reset_has_a_short_first_cycle() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Wed 2026-03-04        set anna 10 weekly every 2 on monday from 2026-03-04  -> start 2026-03-04 next 2026-03-09
        Wed 2026-03-04        use anna 10                           -> 0
        Mon 2026-03-09        use anna 10                           -> 0
        Mon 2026-03-16        use anna 1                            -> InsufficientAllocation of 0 next 2026-03-23T00:00Z
        Wed 2026-03-18        set anna 10 monthly every 2 on 18 from 2026-03-18     -> start 2026-03-18 next 2026-05-18
        """);

    [Fact]
    public void R2_the_next_credits_come_with_the_start_where_that_is_to_come_and_else_with_the_next_renewal() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-10            set anna 5 fixed from 2026-02-01      -> start 2026-02-01 next none
        2026-01-10            use anna 1                            -> InsufficientAllocation of 0 next none credits 2026-02-01T00:00Z
        2026-02-01            use anna 6                            -> InsufficientAllocation of 5 next none
        2026-02-10            set anna 5 weekly on monday           -> start 2026-02-16 next 2026-02-23
        2026-02-10            use anna 1                            -> InsufficientAllocation of 0 next 2026-02-23T00:00Z credits 2026-02-16T00:00Z
        2026-02-16            use anna 6                            -> InsufficientAllocation of 5 next 2026-02-23T00:00Z
        2026-12-28            use anna 6                            -> InsufficientAllocation of 5 next none
        2026-12-28            set anna 5 monthly on 4               -> start 2027-01-04 next none
        2026-12-28            use anna 1                            -> InsufficientAllocation of 0 next none
        """);

    [Fact]
    public void T2_day_thirty_one_falls_back_and_returns() => AllocationStory.Play("""
        contract 2026-01-01 to never
        2026-01-15            set anna 10 monthly on 31             -> start 2026-01-31 next 2026-02-28
        2026-01-31            renewals anna 5                       -> 2026-02-28 2026-03-31 2026-04-30 2026-05-31 2026-06-30
        2027-12-31            renewals anna 2                       -> 2028-01-31 2028-02-29
        2028-02-10            set anna 10 monthly every 12 on 30    -> start 2028-02-29 next 2029-02-28
        """);

    [Fact]
    public void T1_a_cycle_begins_with_the_local_day() => AllocationStory.Play("""
        contract 2024-01-01 to 2024-12-31 zone America/Havana
        2024-03-09 12:00      set anna 5 daily                      -> start 2024-03-10 next 2024-03-11
        2024-03-10            use anna 5                            -> 0
        2024-03-10 23:30      use anna 1                            -> InsufficientAllocation of 0 next 2024-03-11T04:00Z
        2024-11-02 12:00      use anna 5                            -> 0
        2024-11-03            use anna 5                            -> 0
        2024-11-03 23:59      use anna 1                            -> InsufficientAllocation of 0 next 2024-11-04T05:00Z
        """);

    [Fact]
    public void A3_no_renewal_is_shown_behind_the_contracts_end() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-01-31
        2026-01-01            set anna 5 weekly on monday           -> start 2026-01-05 next 2026-01-12
        2026-01-26            dates anna                            -> start 2026-01-05 next none
        2026-01-26            renewals anna 5                       ->
        2026-01-30            use anna 6                            -> InsufficientAllocation of 5 next none
        """);

    [Fact]
    public void A4_the_cycle_is_spent_first_and_what_is_unused_is_not_carried_over() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5 daily extra 4              -> start 2026-01-02 next 2026-01-03
        2026-01-01            use anna 1                            -> 3
        2026-01-02            use anna 3                            -> 5
        2026-01-02            use anna 4                            -> 1
        2026-01-02            row anna                              -> used 5 available 1 extra 3/4 total 8
        2026-01-03            row anna                              -> used 0 available 6 extra 3/4 total 8
        2026-01-05            row anna                              -> used 0 available 6 extra 3/4 total 8
        2026-01-05            use anna 7                            -> InsufficientAllocation of 6 next 2026-01-06T00:00Z
        """);

    [Fact]
    public void A5_extra_credits_are_set_added_and_taken_back_but_not_below_what_was_used() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            extra anna 10                         -> 10
        2026-01-01            use anna 4                            -> 6
        2026-01-01            extra anna -6                         -> 4
        2026-01-01            extra anna -1                         -> InvalidField(amount)
        2026-01-01            extra anna 0                          -> InvalidField(amount)
        2026-01-01            set anna extra 3                      -> InvalidField(users[0].extraCredits)
        2026-01-01            set anna 5 weekly on friday           -> start 2026-01-02 next 2026-01-09
        2026-01-02            use anna 2                            -> 3
        2026-01-02            set anna extra 9                      -> start 2026-01-02 next 2026-01-09
        2026-01-02            row anna                              -> used 2 available 8 extra 4/9 total 6
        2026-01-02            entries ExtraGranted                  -> 3
        """);

    [Fact]
    public void A6_what_is_equal_changes_nothing() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5 weekly on friday           -> start 2026-01-02 next 2026-01-09
        2026-01-02            use anna 2                            -> 3
        2026-01-03            set anna 5 weekly on friday from 2026-01-02  -> start 2026-01-02 next 2026-01-09
        2026-01-03            set anna 5                            -> start 2026-01-02 next 2026-01-09
        2026-01-03            row anna                              -> used 2 available 3 extra 0/0 total 2
        2026-01-03            entries AllocationSet                 -> 1
        2026-01-03            set anna from 2026-01-03              -> start 2026-01-03 next 2026-01-09
        2026-01-03            row anna                              -> used 0 available 5 extra 0/0 total 2
        """);

    [Fact]
    public void A6_a_given_start_of_today_or_later_counts_also_where_it_is_the_present_one() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Mon 2026-03-02 09:00  set anna 20 weekly on monday from 2026-03-02  -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02 10:00  use anna 15                           -> 5
        Mon 2026-03-02 11:00  set anna 30 from 2026-03-02           -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02 11:00  row anna                              -> used 0 available 30 extra 0/0 total 15
        Mon 2026-03-02 12:00  use anna 1                            -> 29
        Mon 2026-03-02 12:00  set anna 30 from 2026-03-02           -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02 12:00  row anna                              -> used 0 available 30 extra 0/0 total 16
        Mon 2026-03-02 12:00  entries AllocationSet                 -> 3
        Mon 2026-03-02 12:00  set anna 30 from 2026-03-02           -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02 12:00  entries AllocationSet                 -> 3
        Tue 2026-03-03        use anna 4                            -> 26
        Tue 2026-03-03        set anna 30 from 2026-03-02           -> start 2026-03-02 next 2026-03-09
        Tue 2026-03-03        row anna                              -> used 4 available 26 extra 0/0 total 20
        Tue 2026-03-03        set anna 40 from 2026-03-02           -> start 2026-03-09 next 2026-03-16
        """);

    [Fact]
    public void A1_settings_are_taken_away() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5 daily extra 2              -> start 2026-01-02 next 2026-01-03
        2026-01-02            use anna 6                            -> 1
        2026-01-02            set anna none                         -> start none next none
        2026-01-02            row anna                              -> used 0 available 1 extra 1/2 total 6
        2026-01-02            last AllocationSet                    -> 2026-01-02T00:00:00Z {"amount":5,"renewal":"daily","frequency":1,"on":null,"startDate":"2026-01-02","usedInCycle":5} {"amount":null,"renewal":null,"frequency":null,"on":null,"startDate":null,"usedInCycle":0}
        2026-01-02            use anna 2                            -> InsufficientAllocation of 1 next none
        2026-01-02            inactive                              -> anna:NotAssigned:6
        2026-01-02            set anna none                         -> start none next none
        2026-01-02            entries AllocationSet                 -> 2
        2026-01-02            set anna 5                            -> InvalidField(users[0].renewal)
        2026-01-02            defaults 7 daily from 2026-01-20
        2026-01-02            defaults none
        2026-01-02            add ben
        2026-01-02            dates ben                             -> start none next none
        2026-01-02            apply                                 -> InvalidField(applyToAll)
        2026-01-02            entries DefaultsSet                   -> 2
        """);

    [Fact]
    public void A2_a_computed_start_behind_the_contracts_end_stands() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-03-15
        2026-03-10            warn anna 5 monthly on 1              -> NeverStarts(anna 2026-04-01 )
        2026-03-10            dates anna                            -> start 2026-04-01 next none
        2026-03-10            use anna 1                            -> InsufficientAllocation of 0 next none
        2026-03-10            set anna from 2026-04-01              -> InvalidField(users[0].startDate)
        2026-03-10            warn anna 5 weekly on sunday           -> NoCreditsUntil(anna 2026-03-15 )
        2026-03-15            warn anna 5 daily                     -> NeverStarts(anna 2026-03-16 )
        2026-03-16            warn anna 5 fixed extra 4             -> NeverStarts(anna 2026-03-16 )
        """);

    [Fact]
    public void A4_outside_the_contracts_days_nothing_can_be_used() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-01-31
        2025-12-01            set anna unlimited extra 3            -> start 2026-01-01 next none
        2025-12-01            row anna                              -> used 0 available 0 extra 0/3 total 0
        2025-12-01            use anna 1                            -> ContractNotActive of 0 next none credits 2026-01-01T00:00Z
        2026-01-01            row anna                              -> used 0 available no limit extra 0/3 total 0
        2026-01-01            set anna 5 fixed                      -> start 2026-01-01 next none
        2026-01-31 23:59      row anna                              -> used 0 available 8 extra 0/3 total 0
        2026-02-01            row anna                              -> used 0 available 0 extra 0/3 total 0
        2026-02-01            use anna 1                            -> ContractNotActive of 0 next none
        """);

    [Fact]
    public void A7_what_a_manager_may_not_have_meant_is_warned_of() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            warn anna 50 fixed                    ->
        2026-01-01            use anna 20                           -> 30
        2026-01-05            warn anna 60                          -> FixedRestarts(anna 20)
        2026-01-05            warn anna 60 weekly on monday         -> NoCreditsUntil(anna 2026-01-12 )
        2026-01-05            warn anna 999999                      -> Oversubscribed( 20) NoCreditsUntil(anna 2026-01-12 )
        2026-01-05            warn anna 10 from 2026-01-05          ->
        """);

    [Fact]
    public void A7_who_starts_with_the_contract_waits_for_nothing() => AllocationStory.Play("""
        contract 2026-06-01 to 2026-12-31
        2026-03-10            warn anna 5 daily                     ->
        2026-03-10            dates anna                            -> start 2026-06-01 next 2026-06-02
        2026-03-10            warn anna 6 daily from 2026-06-01     ->
        2026-03-10            warn anna 7 fixed                     ->
        2026-06-01            warn anna 0 weekly on friday          -> NoCreditsUntil(anna 2026-06-05 )
        """);

    [Fact]
    public void A7_users_join_and_leave_within_a_change() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Mon 2026-01-05        defaults 20 weekly on monday
        Mon 2026-01-05        join ben                              -> start 2026-01-12 next 2026-01-19
        Mon 2026-01-05        join cleo 3                           -> start 2026-01-12 next 2026-01-19
        Mon 2026-01-05        join dan 3 fixed extra 2              -> start 2026-01-05 next none
        Mon 2026-01-05        join dan 3                            -> start 2026-01-05 next none
        Mon 2026-01-05        join eve none                         -> start none next none
        Mon 2026-01-05        leave nobody                          -> NotFound
        Mon 2026-01-05        set fred 5 daily                      -> NotFound
        Mon 2026-01-05        entries UserSet                       -> 5
        Mon 2026-01-12        use ben 5                             -> 15
        Mon 2026-01-12        warn cleo leaves                      -> CycleLost(cleo 3)
        Mon 2026-01-12        warn dan leaves                       ->
        Mon 2026-01-12        warn dan leaves                       ->
        Mon 2026-01-12        leave ben
        Mon 2026-01-12        use ben 1                             -> UserNotAssigned of 15 next 2026-01-19T00:00Z
        Mon 2026-01-12        inactive                              -> ben:NotAssigned:5
        Mon 2026-01-12        set ben 5                             -> UserNotAssigned
        Mon 2026-01-12        join ben 20 weekly on monday          -> start 2026-01-19 next 2026-01-26
        Mon 2026-01-12        disable cleo
        Mon 2026-01-12        join cleo 4                           -> UserDisabled
        Mon 2026-01-12        join cleo                             -> start 2026-01-19 next 2026-01-26
        """);

    [Fact]
    public void A8_switched_off_nothing_restricts_and_only_the_total_counts() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5 daily                      -> start 2026-01-02 next 2026-01-03
        2026-01-02            use anna 5                            -> 0
        2026-01-02            switch off                            -> off
        2026-01-02            use anna 7                            -> no limit
        2026-01-02            row anna                              -> used 5 available 0 extra 0/0 total 12
        2026-01-02            switch on                             -> on
        2026-01-02            use anna 1                            -> InsufficientAllocation of 0 next 2026-01-03T00:00Z
        2026-01-03            use anna 5                            -> 0
        """);

    [Fact]
    public void A8_a_user_without_settings_has_extra_credits_only() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            use anna 1                            -> InsufficientAllocation of 0 next none
        2026-01-01            use anna 0                            -> 0
        2026-01-01            extra anna 1                          -> 1
        2026-01-01            use anna 1                            -> 0
        """);

    [Fact]
    public void A9_defaults_are_applied_to_all_and_reset_only_whose_settings_change() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            add ben cleo dan
        2026-01-01            apply                                 -> InvalidField(applyToAll)
        2026-01-01            set ben 10 daily                      -> start 2026-01-02 next 2026-01-03
        2026-01-02            use ben 4                             -> 6
        2026-01-02            disable dan
        2026-01-02            apply 10 daily                        -> changed anna cleo
        2026-01-02            dates anna                            -> start 2026-01-03 next 2026-01-04
        2026-01-02            row ben                               -> used 4 available 6 extra 0/0 total 4
        2026-01-02            apply 10 daily from 2026-01-05        -> changed anna ben cleo
        2026-01-02            dates ben                             -> start 2026-01-05 next 2026-01-06
        2026-01-07            apply                                 -> changed
        2026-01-07            add eve
        2026-01-07            dates eve                             -> start 2026-01-08 next 2026-01-09
        2026-01-07            set eve 3                             -> start 2026-01-08 next 2026-01-09
        """);

    [Fact]
    public void A9_a_start_date_given_with_apply_to_all_counts_for_everyone() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        Mon 2026-03-02        add anna ben cleo
        Mon 2026-03-02        set anna 9 fixed                      -> start 2026-03-02 next none
        Mon 2026-03-02        set cleo 20 weekly on monday from 2026-03-02  -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02        use cleo 6                            -> 14
        Mon 2026-03-02        apply 20 weekly on monday from 2026-03-02  -> changed anna ben cleo
        Mon 2026-03-02        dates anna                            -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02        row cleo                              -> used 0 available 20 extra 0/0 total 6
        Mon 2026-03-02        use cleo 6                            -> 14
        Mon 2026-03-02        apply                                 -> changed
        Mon 2026-03-02        set anna 9 fixed                      -> start 2026-03-02 next none
        Mon 2026-03-02        apply                                 -> changed anna
        Mon 2026-03-02        dates anna                            -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02        row cleo                              -> used 6 available 14 extra 0/0 total 12
        Mon 2026-03-02        applyto ben 30                        -> start 2026-03-02 next 2026-03-09
        Mon 2026-03-02        applyto ben none                      -> start none next none
        Tue 2026-03-03        apply from none                       -> changed ben
        Tue 2026-03-03        dates ben                             -> start 2026-03-09 next 2026-03-16
        """);

    [Fact]
    public void A10_who_has_used_credits_and_gets_none_is_inactive() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            add ben cleo dan
        2026-01-01            apply 10 fixed                        -> changed anna ben cleo dan
        2026-01-01            use anna 1                            -> 9
        2026-01-01            use ben 2                             -> 8
        2026-01-01            use cleo 3                            -> 7
        2026-01-01            inactive                              ->
        2026-01-02            remove ben
        2026-01-02            remove dan
        2026-01-02            disable cleo
        2026-01-02            add eve
        2026-01-02            switch off                            -> off
        2026-01-02            inactive                              -> ben:NotAssigned:2 cleo:Disabled:3
        2026-01-02            total                                 -> 6
        2026-01-02            use ben 1                             -> UserNotAssigned of no limit next none
        """);

    [Fact]
    public void A11_who_comes_back_keeps_settings_and_extras_and_starts_anew() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5 weekly on monday extra 3   -> start 2026-01-05 next 2026-01-12
        2026-01-05            use anna 6                            -> 2
        2026-01-06            remove anna
        2026-01-07            set anna 7                            -> UserNotAssigned
        2026-02-04            add anna
        2026-02-04            dates anna                            -> start 2026-02-09 next 2026-02-16
        2026-02-04            row anna                              -> used 0 available 2 extra 1/3 total 6
        2026-02-09            use anna 5                            -> 2
        """);

    [Fact]
    public void A11_of_a_fixed_amount_what_was_used_stays_used() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 3 fixed                      -> start 2026-01-01 next none
        2026-01-02            use anna 2                            -> 1
        2026-01-03            remove anna
        2026-01-03            add anna
        2026-01-03            dates anna                            -> start 2026-01-03 next none
        2026-01-03            row anna                              -> used 2 available 1 extra 0/0 total 2
        2026-01-03            last AllocationSet                    -> 2026-01-03T00:00:00Z {"amount":3,"renewal":"fixed","frequency":1,"on":null,"startDate":"2026-01-01","usedInCycle":2} {"amount":3,"renewal":"fixed","frequency":1,"on":null,"startDate":"2026-01-03","usedInCycle":2}
        2026-01-03            use anna 2                            -> InsufficientAllocation of 1 next none
        2026-01-04            leave anna
        2026-01-05            warn anna joins 3 fixed               ->
        2026-01-05            row anna                              -> used 2 available 1 extra 0/0 total 2
        2026-01-05            use anna 1                            -> 0
        2026-01-05            leave anna
        2026-01-05            warn anna joins 4                     -> FixedRestarts(anna 3)
        2026-01-05            row anna                              -> used 0 available 4 extra 0/0 total 3
        """);

    [Fact]
    public void A10_a_row_says_who_changed_it_last_and_when() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            add ben
        2026-01-02            changed ben                           -> ops 2026-01-01T00:00:00Z
        2026-01-03            set ben 5 daily                       -> start 2026-01-04 next 2026-01-05
        2026-01-04            use ben 2                             -> 3
        2026-01-05            use ben 2                             -> 3
        2026-01-06            set ben 5                             -> start 2026-01-04 next 2026-01-07
        2026-01-06            changed ben                           -> mia 2026-01-03T00:00:00Z
        2026-01-07            extra ben 1                           -> 1
        2026-01-07            changed ben                           -> mia 2026-01-07T00:00:00Z
        2026-01-08            remove ben
        2026-01-08            changed ben                           -> ops 2026-01-08T00:00:00Z
        """);

    [Fact]
    public void C3_a_disabled_user_gets_no_settings_and_no_extras() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            disable anna
        2026-01-01            set anna 5 daily                      -> UserDisabled
        2026-01-01            extra anna 5                          -> UserDisabled
        2026-01-01            set ben 5 daily                       -> NotFound
        2026-01-01            extra ben 5                           -> NotFound
        """);

    [Fact]
    public void A1_settings_that_make_no_sense_are_refused() => AllocationStory.Play("""
        contract 2026-01-01 to 2026-12-31
        2026-01-01            set anna 5                            -> InvalidField(users[0].renewal)
        2026-01-01            set anna daily                        -> InvalidField(users[0].amount)
        2026-01-01            set anna -1 daily                     -> InvalidField(users[0].amount)
        2026-01-01            set anna 1000000000 daily             -> InvalidField(users[0].amount)
        2026-01-01            set anna 5 daily every 0              -> InvalidField(users[0].frequency)
        2026-01-01            set anna 5 daily every 1001           -> InvalidField(users[0].frequency)
        2026-01-01            set anna 5 fixed every 2              -> InvalidField(users[0].frequency)
        2026-01-01            set anna 5 fixed every 1              -> InvalidField(users[0].frequency)
        2026-01-01            set anna unlimited every 1            -> InvalidField(users[0].frequency)
        2026-01-01            set anna 5 unlimited                  -> InvalidField(users[0].amount)
        2026-01-01            set anna unlimited on monday          -> InvalidField(users[0].on)
        2026-01-01            apply 5 unlimited                     -> InvalidField(defaults.amount)
        2026-01-01            set anna 5 daily on monday            -> InvalidField(users[0].on)
        2026-01-01            set anna 5 weekly                     -> InvalidField(users[0].on)
        2026-01-01            set anna 5 weekly on 3                -> InvalidField(users[0].on)
        2026-01-01            set anna 5 monthly on monday          -> InvalidField(users[0].on)
        2026-01-01            set anna 5 monthly on 32              -> InvalidField(users[0].on)
        2026-01-01            set anna 5 monthly on 0               -> InvalidField(users[0].on)
        2026-01-01            apply 5 weekly                        -> InvalidField(defaults.on)
        2026-01-01            set anna 0 daily every 1000           -> start 2026-01-02 next none
        """);

    [Fact]
    public void T3_ten_years_of_daily_renewals_are_told_in_two_lines() => AllocationStory.Play("""
        contract 2026-01-01 to never
        2026-01-01            set anna 5 daily                      -> start 2026-01-02 next 2026-01-03
        2026-01-02            use anna 5                            -> 0
        2026-01-02            entries CyclesBegun                   -> 1
        2036-01-02 12:00      use anna 5                            -> 0
        2036-01-02 12:00      entries CyclesBegun                   -> 3
        2036-01-02 12:00      last CyclesBegun                      -> 2026-01-04T00:00:00Z {"cycle":1,"usedInCycle":0} {"cycle":3652,"usedInCycle":0,"cycles":3651,"beganOn":"2036-01-02"}
        """);

    [Fact]
    public void G1_a_change_is_told_with_what_was_before_and_the_cycles_that_passed() => AllocationStory.Play("""
        contract 2026-01-01 to never
        2026-01-01            set anna 5 daily                      -> start 2026-01-02 next 2026-01-03
        2026-01-02            use anna 4                            -> 1
        2026-01-05 12:00      set anna 6                            -> start 2026-01-06 next 2026-01-07
        2026-01-05 12:00      entries CyclesBegun                   -> 3
        2026-01-05 12:00      last AllocationSet                    -> 2026-01-05T12:00:00Z {"amount":5,"renewal":"daily","frequency":1,"on":null,"startDate":"2026-01-02","usedInCycle":0} {"amount":6,"renewal":"daily","frequency":1,"on":null,"startDate":"2026-01-06","usedInCycle":0}
        """);
}
