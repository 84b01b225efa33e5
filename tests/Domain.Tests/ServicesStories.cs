using System.Globalization;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>Services credits told line by line: a day after new year, what is done, and what comes of it. The books balance after each line.</summary>
public sealed class ServicesStories
{
    [Fact]
    public void S2_an_allocation_takes_what_expires_first_and_spills_over() => Tell("""
        day 0   buy      P1 60 EUR 0..10
        day 0   buy      P2 50 EUR 0..20
        day 0   buy      P3 50 EUR 0..5
        day 0   buy      P4 99 USD 0..2
        day 0   buy      P5 99 EUR 1..2
        day 0   plan     M1 100 Planned
        day 0   plan     M2 61 Planned
        day 0   allocate M1                -> P3:50 P1:50
        day 0   allocate M1                ->
        day 0   allocate M2                -> InsufficientServicesCredits EUR 61 of 60
        day 0   plan     M2 60 Planned
        day 0   allocate M2                -> P1:10 P2:50
        day 0   balance                    -> EUR 0/160/0 USD 99/0/0
        day 1   balance                    -> EUR 99/160/0 USD 99/0/0
        """);

    [Fact]
    public void S2_of_equal_expiry_the_earlier_begin_comes_first_then_the_id() => Tell("""
        day 0   buy      P3 1 EUR 0..9
        day 0   buy      P2 1 EUR 0..9
        day 0   buy      P1 1 EUR 1..9
        day 2   plan     M1 2.5 Planned
        day 2   allocate M1                -> P2:1 P3:1 P1:0.5
        day 2   adjust   M1 0.25           -> P1:-0.5 P3:-1 P2:-0.75
        """);

    [Fact]
    public void S3_a_hundred_adjusted_to_75_return_25_latest_expiry_first() => Tell("""
        day 0   buy      P1 60 EUR 0..10
        day 0   buy      P2 50 EUR 0..20
        day 0   plan     M1 100 Planned
        day 0   adjust   M1 75             -> NotAllocated
        day 0   allocate M1                -> P1:60 P2:40
        day 0   adjust   M1 75             -> P2:-25
        day 0   balance                    -> EUR 35/75/0
        day 0   adjust   M1 75             ->
        day 0   adjust   M1 111            -> InsufficientServicesCredits EUR 36 of 35
        day 0   adjust   M1 110            -> P2:35
        day 0   adjust   M1 0              -> P2:-50 P1:-60
        day 0   adjust   M1 5              -> P1:5
        day 0   records  M1                -> consumption P1 60, consumption P2 40, adjustment P2 -25, adjustment P2 35, adjustment P2 -50, adjustment P1 -60, adjustment P1 5
        """);

    [Fact]
    public void L3_a_milestone_gives_back_to_each_purchase_at_most_what_it_holds_from_it() => Tell("""
        day 0   buy      P1 10 EUR 0..10
        day 0   buy      P2 10 EUR 0..20
        day 0   plan     M1 8 Planned
        day 0   plan     M2 9 Planned
        day 0   allocate M1                -> P1:8
        day 0   allocate M2                -> P1:2 P2:7
        day 0   adjust   M1 1              -> P1:-7
        day 0   adjust   M2 1              -> P2:-7 P1:-1
        """);

    [Fact]
    public void S6_what_is_left_expires_with_its_purchase_and_what_is_held_stays() => Tell("""
        day 0   buy      P1 10 EUR 0..3
        day 0   buy      P2 10 EUR 0..9
        day 0   plan     M1 4 Planned
        day 0   allocate M1                -> P1:4
        day 2.9 balance                    -> EUR 16/4/0
        day 3   balance                    -> EUR 10/4/6
        day 3   expiries                   ->
        day 5   wake
        day 5   expiries                   -> P1 6 on 2026-01-04
        day 6   wake
        day 6   expiries                   -> P1 6 on 2026-01-04
        day 6   plan     M2 11 Planned
        day 6   allocate M2                -> InsufficientServicesCredits EUR 11 of 10
        day 6   holds    M1                -> P1:4
        """);

    [Fact]
    public void L3_what_comes_back_to_an_expired_purchase_is_returned_and_expired_and_not_available() => Tell("""
        day 0   buy      P1 10 EUR 0..3
        day 0   buy      P2 10 EUR 0..9
        day 0   plan     M1 15 Planned
        day 0   allocate M1                -> P1:10 P2:5
        day 5   adjust   M1 8              -> P2:-5 P1:-2
        day 5   balance                    -> EUR 10/8/2
        day 5   records  M1                -> consumption P1 10, consumption P2 5, adjustment P2 -5, adjustment P1 -2
        day 5   expiries                   -> P1 2 on 2026-01-06
        day 5   adjust   M1 19             -> InsufficientServicesCredits EUR 11 of 10
        day 5   ledger                     -> bought P1 10, bought P2 10, allocated P1 10, allocated P2 5, returned P2 5, returned P1 2, expired P1 2
        """);

    [Fact]
    public void S5_unallocated_credits_keep_a_milestone_in_the_exempt_statuses_and_without_actual_date() => Tell("""
        day 0   buy      P1 10 EUR 0..9
        day 0   plan     M1 5 Done         -> AllocationRequired status
        day 0   plan     M1 5 Planned done -> AllocationRequired actualDate
        day 0   plan     M1 5 Planned
        day 0   plan     M1 5 Canceled
        day 0   plan     M1 5 None
        day 0   plan     M1 5 Done         -> AllocationRequired status
        day 0   plan     M1 0 Done done
        day 0   plan     M1 5 Done done    -> AllocationRequired status
        day 0   plan     M1 5 None done    -> AllocationRequired actualDate
        day 0   plan     M1 6 None
        day 0   allocate M1                -> P1:6
        day 0   plan     M1 6 Done done
        day 0   plan     M1 5 Done done    -> InvalidField servicesCredits
        day 0   adjust   M1 5              -> P1:-1
        day 0   adjust   M1 0              -> AllocationRequired status
        day 0   plan     M1 - Planned done
        day 0   adjust   M1 0              -> AllocationRequired actualDate
        day 0   plan     M1 - Planned
        day 0   adjust   M1 0              -> P1:-5
        day 0   plan     M1 - Done done
        day 0   adjust   M1 1              -> P1:1
        """);

    [Fact]
    public void S5_a_milestone_that_was_adjusted_to_0_can_be_planned_again() => Tell("""
        day 0   buy      P1 10 EUR 0..9
        day 0   plan     M1 5 Planned
        day 0   allocate M1                -> P1:5
        day 0   adjust   M1 0              -> P1:-5
        day 0   plan     M1 7 Done         -> AllocationRequired status
        day 0   plan     M1 7 Planned
        day 0   balance                    -> EUR 10/0/0
        day 0   adjust   M1 0              ->
        day 0   allocate M1                ->
        day 0   plan     M1 8 Planned
        day 0   allocate M1                -> P1:8
        day 0   plan     M1 9 Planned      -> InvalidField servicesCredits
        day 0   adjust   M1 0              -> P1:-8
        day 0   plan     M1 4 Planned
        day 0   adjust   M1 6              -> P1:6
        day 0   records  M1                -> consumption P1 5, adjustment P1 -5, consumption P1 8, adjustment P1 -8, adjustment P1 6
        """);

    [Fact]
    public void S5_None_has_another_spelling()
    {
        var world = new ServicesWorld();
        Assert.Equal("None", world.Plan(Given.Plan("M1", 5, "--None--", project: "EUR")).Value!.Status);
        var (settings, _, _) = ServicesSettings.Default.Set(new(["Planned", "--None--"]), "ops", Given.NewYear).Value!;
        Assert.Equal(["Planned", "None"], settings.NoAllocationStatuses);
        Assert.Equal("noAllocationStatuses", settings.Set(new(["None", "--None--"]), "ops", Given.NewYear).Refusal!.Field);
        Assert.True(settings.Set(new(["Planned", "--None--"]), "ops", Given.NewYear).Value!.Changes.IsNothing);
    }

    [Fact]
    public void S5_while_credits_are_held_project_account_and_currency_are_fixed() => Tell("""
        day 0   buy      P1 10 EUR 0..9
        day 0   buy      P2 10 USD 0..9
        day 0   plan     M1 5 Planned
        day 0   move     M1 USD
        day 0   move     M1 EUR
        day 0   allocate M1                -> P1:5
        day 0   move     M1 EUR2           -> InvalidField projectId
        day 0   project  EUR USD           -> InvalidField currency
        day 0   project  EUR2 USD
        day 0   adjust   M1 0              -> P1:-5
        day 0   project  EUR USD
        day 0   adjust   M1 3              -> P2:3
        day 0   project  EUR EUR           -> InvalidField currency
        day 0   plan     M2 4 Planned
        day 0   project  EUR2 EUR
        """);

    [Fact]
    public void S1_a_purchase_says_what_it_can_be() => Tell("""
        day 5   buy      P1 0 EUR 0..9         -> InvalidField quantity
        day 5   buy      P1 -1 EUR 0..9        -> InvalidField quantity
        day 5   buy      P1 0.00001 EUR 0..9   -> InvalidField quantity
        day 5   buy      P1 1000000000 EUR 0..9  -> InvalidField quantity
        day 5   buy      P1 1 EURO 0..9        -> InvalidField currency
        day 5   buy      P1 1 eur 0..9         -> InvalidField currency
        day 5   buy      P1 1 EUR 9..9         -> InvalidField expiresOn
        day 5   buy      P1 1 EUR 0..5         -> InvalidField expiresOn
        day 5   buy      P1 1 EUR 0..6
        day 5   buy      P2 999999999.9999 EUR 20..21
        day 5   balance                        -> EUR 1/0/0
        day 20  balance                        -> EUR 999999999.9999/0/1
        """);

    [Fact]
    public void L6_a_purchase_extended_the_day_after_its_expiry_is_available_again() => Tell("""
        day 0   buy      P1 10 EUR 0..3
        day 0   plan     M1 4 Planned
        day 0   allocate M1                    -> P1:4
        day 4   balance                        -> EUR 0/4/6
        day 4   correct  P1 until=9            -> 2026-01-01..2026-01-09 6/4/0
        day 4   balance                        -> EUR 6/4/0
        day 4   expiries                       -> P1 6 on 2026-01-04, P1 -6 on 2026-01-05
        day 4   ledger                         -> bought P1 10, allocated P1 4, expired P1 6, expired P1 -6
        day 4   adjust   M1 9                  -> P1:5
        day 9   wake
        day 9   balance                        -> EUR 0/9/1
        day 10  adjust   M1 8                  -> P1:-1
        day 10  correct  P1 until=11           -> 2026-01-01..2026-01-11 2/8/0
        day 10  correct  P1 until=11           -> 2026-01-01..2026-01-11 2/8/0
        day 10  correct  P1 until=10           -> InvalidField expiresOn
        """);

    [Fact]
    public void L6_a_purchase_expired_by_hand_is_over_now_and_can_be_extended() => Tell("""
        day 0    buy      P1 10 EUR 0..9
        day 0    buy      P2 5 EUR 3..9
        day 0    plan     M1 4 Planned
        day 0    allocate M1                    -> P1:4
        day 1.5  expire   P1                    -> 2026-01-01..2026-01-02 0/4/6
        day 1.5  expire   P1                    -> 2026-01-01..2026-01-02 0/4/6
        day 1.5  expire   P2                    -> 2026-01-04..2026-01-04 0/0/5
        day 1.5  balance                        -> EUR 0/4/11
        day 1.5  adjust   M1 5                  -> InsufficientServicesCredits EUR 1 of 0
        day 1.5  correct  P1 until=2            -> 2026-01-01..2026-01-02 6/4/0
        day 1.6  adjust   M1 5                  -> P1:1
        day 2    balance                        -> EUR 0/5/10
        day 4    correct  P2 until=9            -> 2026-01-04..2026-01-09 5/0/0
        """);

    [Fact]
    public void L6_a_quantity_is_corrected_down_to_what_is_allocated() => Tell("""
        day 0   buy      P1 100 EUR 0..3
        day 0   plan     M1 4 Planned
        day 0   allocate M1                     -> P1:4
        day 0   correct  P1 quantity=10         -> 2026-01-01..2026-01-03 6/4/0
        day 0   correct  P1 quantity=3.9999     -> InvalidField quantity
        day 0   correct  P1 quantity=0          -> InvalidField quantity
        day 0   correct  P1 quantity=10         -> 2026-01-01..2026-01-03 6/4/0
        day 3   correct  P1 quantity=7          -> 2026-01-01..2026-01-03 0/4/3
        day 3   correct  P1 quantity=9 until=5  -> 2026-01-01..2026-01-05 5/4/0
        day 3   correct  P1 quantity=4          -> 2026-01-01..2026-01-05 0/4/0
        day 3   ledger                          -> bought P1 100, allocated P1 4, bought P1 -90, expired P1 6, bought P1 -3, expired P1 -3, bought P1 2, expired P1 -3, bought P1 -5
        """);

    [Fact]
    public void L6_a_purchase_that_has_not_begun_may_begin_on_another_day() => Tell("""
        day 1   buy      P1 10 EUR 4..9
        day 1   correct  P1 from=1              -> 2026-01-02..2026-01-09 10/0/0
        day 1   balance                         -> EUR 10/0/0
        day 1   correct  P1 from=2              -> InvalidField startsOn
        day 1   buy      P2 10 EUR 4..9
        day 1   correct  P2 from=9              -> InvalidField startsOn
        day 1   correct  P2 from=9 until=12     -> 2026-01-10..2026-01-12 10/0/0
        day 1   correct  P2 until=9             -> InvalidField expiresOn
        day 1   correct  P9 until=9             -> NotFound
        """);

    [Fact]
    public void L6_a_correction_of_a_purchase_is_one_entry_with_before_and_after()
    {
        var change = new ChangePurchase("P1", null, new(2026, 2, 10), null, "Season", Clears: false, "typed wrong", "ops");
        var entry = Assert.Single(PurchaseCorrecting.Decide(Given.Account(Given.Purchase("P1", 10)), null, change, Given.Day(1)).Value!.Changes.Entries);
        Assert.Equal((EntryKind.PurchaseSet, "typed wrong", "purchase:A1~P1", null), (entry.Kind, entry.Reason, entry.Subject, entry.ServicesCredits));
        Assert.Contains("\"expiresOn\":\"2026-01-30\"", entry.Before);
        Assert.Contains("\"expiresOn\":\"2026-02-10\"", entry.After);
        Assert.True(PurchaseCorrecting.Decide(Given.Account(Given.Purchase("P1", 10)), null, change with { ExpiresOn = new(2026, 1, 30), Description = null, Seen = Seen.Other }, Given.Day(1)).Value!.Changes.IsNothing);
        Assert.Equal(RefusalCode.PreconditionFailed, PurchaseCorrecting.Decide(Given.Account(Given.Purchase("P1", 10)), null, change with { Seen = Seen.Other }, Given.Day(1)).Refusal!.Code);
        Assert.Equal(RefusalCode.PreconditionFailed, PurchaseCorrecting.Decide(Given.Account(Given.Purchase("P1", 10)), null, new ExpirePurchase("P1", "why", "ops", Seen.Other), Given.Day(1)).Refusal!.Code);
        Assert.Equal("description", PurchaseCorrecting.Decide(Given.Account(Given.Purchase("P1", 10)), null, change with { Description = " " }, Given.Day(1)).Refusal!.Field);
    }

    [Fact]
    public void S2_purchases_are_chosen_by_hand() => Tell("""
        day 0   buy      P1 10 EUR 0..3
        day 0   buy      P2 10 EUR 0..9
        day 0   buy      P3 10 USD 0..9
        day 0   buy      P4 10 EUR 5..9
        day 0   plan     M1 8 Planned
        day 0   choose   M1 P2=7               -> InvalidField from
        day 0   choose   M1 P2=7 P3=1          -> InvalidField from[1].purchaseId
        day 0   choose   M1 P2=7 P2=1          -> InvalidField from[1].purchaseId
        day 0   choose   M1 P2=8 P1=0          -> InvalidField from[1].quantity
        day 0   choose   M1 P2=7 P9=1          -> NotFound
        day 0   choose   M1 P2=7 P4=1          -> InsufficientServicesCredits EUR 1 of 0
        day 0   choose   M1 P2=7.5 P1=0.5      -> P2:7.5 P1:0.5
        day 0   choose   M1 P2=1               ->
        day 0   plan     M2 5 Planned
        day 0   choose   M2 P2=5               -> InsufficientServicesCredits EUR 5 of 2.5
        day 0   adjust   M1 0                  -> P2:-7.5 P1:-0.5
        """);

    [Fact]
    public void S2_milestones_of_a_project_are_allocated_one_after_another_each_with_an_answer() => Tell("""
        day 0   buy      P1 10 EUR 0..3
        day 0   plan     M1 4 Planned
        day 0   plan     M2 7 Planned
        day 0   plan     M3 6 Planned
        day 0   plan     M4 0 Planned
        day 0   several  EUR M1 M2 M3 M4 M9    -> M1 P1:4, M2 InsufficientServicesCredits, M3 P1:6, M4 InvalidField, M9 NotFound
        day 0   several  EUR M3 M1             -> M3, M1
        day 0   several  USD M1                -> M1 NotFound
        day 0   several  XXX M1                -> NotFound
        day 0   holds    M3                    -> P1:6
        day 0   records  M3                    -> consumption P1 6
        """);

    private static void Tell(string story)
    {
        var world = new ServicesWorld();
        foreach (var line in story.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var (told, expected) = line.Split("->") is [var left, var right] ? (left, right.Trim()) : (line, "");
            var words = told.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            world.MoveTo(Given.NewYear + NodaTime.Duration.FromDays(double.Parse(words[1], CultureInfo.InvariantCulture)));
            var came = Do(world, words[2], words[3..]);
            Assert.True(expected == came, $"{line.Trim()}\n  but came: {came}");
            world.Balance();
        }
    }

    private static string Do(ServicesWorld world, string verb, string[] words) => verb switch
    {
        "buy" => Told(world.Buy(words[0], Number(words[1]), words[2], int.Parse(words[3].Split("..")[0], CultureInfo.InvariantCulture), int.Parse(words[3].Split("..")[1], CultureInfo.InvariantCulture)), _ => ""),
        "correct" => Told(world.Correct(Correction(words)), Shown),
        "expire" => Told(world.Expire(words[0]), Shown),
        "plan" => Told(world.Plan(Plan(world, words)), _ => ""),
        "move" => Told(world.Plan(Given.Plan(words[0], project: words[1])), _ => ""),
        "project" => Told(world.Set(new(words[0], words[1], "ops")), _ => ""),
        "allocate" => Told(world.Allocate(words[0]), Moved),
        "choose" => Told(world.Allocate(words[0], [.. words[1..].Select(word => word.Split('=')).Select(chosen => new Holding(chosen[0], Number(chosen[1])))]), Moved),
        "several" => Told(world.AllocateAll(words[0], words[1..]), all => string.Join(", ", all.Select(one =>
            $"{one.MilestoneId} {(one.Allocated is { } allocated ? Moved(allocated) : $"{one.Refusal!.Code}")}".Trim()))),
        "adjust" => Told(world.Adjust(words[0], Number(words[1])), Moved),
        "wake" => Nothing(world.WakeUp),
        "holds" => Text(world.Milestone(words[0])!.Holdings),
        "balance" => string.Join(' ', CurrencyBalance.Of(world.Purchases.Select(purchase => new PurchaseFacts(purchase, purchase.Allocated)), world.Now)
            .Select(one => $"{one.Currency} {Text(one.Available)}/{Text(one.Allocated)}/{Text(one.Expired)}")),
        "records" => string.Join(", ", world.Records.Where(record => record.MilestoneId == words[0]).Select(record => $"{record.Kind.ToString().ToLowerInvariant()} {record.PurchaseId} {Text(record.Quantity)}")),
        "expiries" => string.Join(", ", world.Records.Where(record => record.Kind == ConsumptionKind.Expiry).Select(record => $"{record.PurchaseId} {Text(record.Quantity)} on {record.Date:R}")),
        "ledger" => string.Join(", ", world.Entries.Where(entry => entry.ServicesCredits is not null)
            .Select(entry => $"{entry.Kind.ToString()["ServicesCredits".Length..].ToLowerInvariant()} {entry.Subject.Split('~')[1]} {Text(entry.ServicesCredits!.Value)}")),
        _ => throw new ArgumentException($"no verb {verb}"),
    };

    // The last day is that before day N, as in buy.
    private static ChangePurchase Correction(string[] words)
    {
        var set = words[1..].Select(word => word.Split('=')).ToDictionary(parts => parts[0], parts => Number(parts[1]));
        return new(words[0], Day("from", 0), Day("until", -1), set.TryGetValue("quantity", out var quantity) ? quantity : null, null, false, "typed wrong", "ops");

        NodaTime.LocalDate? Day(string word, int more) => set.TryGetValue(word, out var day) ? Given.Terms.StartsOn.PlusDays((int)day + more) : null;
    }

    private static string Shown(Purchase purchase) =>
        $"{purchase.StartsOn:R}..{purchase.ExpiresOn:R} {Text(purchase.Free)}/{Text(purchase.Allocated)}/{Text(purchase.Expired)}";

    private static SetMilestone Plan(ServicesWorld world, string[] words) => Given.Plan(
        words[0], words[1] == "-" ? null : Number(words[1]), words[2], words is [.., "done"] ? new NodaTime.LocalDate(2026, 1, 1) : null, world.Milestone(words[0])?.ProjectId ?? "EUR");

    private static string Told<T>(Decision<T> decision, Func<T, string> show) => decision.Refusal is not { } refusal ? show(decision.Value!)
        : refusal.Services is { } services ? $"{refusal.Code} {services.Currency} {Text(services.ToAllocate)} of {Text(services.Available)}"
        : $"{refusal.Code} {refusal.Field}".Trim();

    private static string Moved(Allocated allocated) => Text(allocated.Purchases);

    private static string Text(IEnumerable<Holding> holdings) => string.Join(' ', holdings.Select(holding => $"{holding.PurchaseId}:{Text(holding.Quantity)}"));

    private static string Text(decimal quantity) => Json.Write(quantity);

    private static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    private static string Nothing(Action act)
    {
        act();
        return "";
    }
}
