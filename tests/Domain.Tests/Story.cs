using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>
/// Plays a text table, a step a line, with its expectation beside it:
/// <code>
/// contract 60 days lifetime 30 coverage 30        also: zone Europe/Berlin, type unlimited, from creation; day 0 is its first
/// day 0        grant G1 100 until day 30          -> until day 30
/// day 1        draw R1 60                         -> G1:60            a report of 60 players whom nobody else names
/// day 1 14:00  report R2 ann bob                  -> ann:new bob:new
/// day 2        ends day 40                        -> ends day 40
/// day 2        left                               -> 38
/// day 3        billing 10 every 1 month from day 2 -> done              billing never: none any more
/// day 3        lots                               -> billing:2026-01-03:10 until day 33
/// day 3        withdraw G1 8                      -> 30               all of them without a number
/// day 3        change G1 until day 40             -> day 0 until day 40   also: from day N, until never, payment P2
/// day 2        books                              -> granted 100 minted 0 unallocated 38 allocated 62 expired 0 withdrawn 0
/// </code>
/// A step without an expectation must succeed. After every step the books balance (G2).
/// </summary>
internal sealed partial class Story
{
    private readonly World world;
    private readonly Terms terms;

    private Story(Terms terms)
    {
        this.terms = terms;
        world = new(terms);
    }

    public static void Play(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var story = new Story(Agreed(Words(lines[0])));
        var steps = lines.Skip(1).Select(line => Step().Match(line)).ToList();
        Assert.All(steps, step => Assert.True(step.Success, "a step is: day N [HH:MM]  command  [-> expectation]"));
        Assert.Equal(
            steps.Select(step => Line(step, step.Groups["expected"].Success ? step.Groups["expected"].Value : "done")),
            steps.Select(step => Line(step, story.Tell(step))));
    }

    private static string Line(Match step, string answer) => $"{step.Groups["when"].Value} {string.Join(' ', Words(step.Groups["command"].Value))} -> {answer}";

    private string Tell(Match step)
    {
        world.MoveTo(When(step.Groups["when"].Value));
        var answer = Answer(Words(step.Groups["command"].Value));
        var audit = world.Audit();
        Assert.True(audit.Balanced, $"the books do not balance after {step.Value}: {string.Join(", ", audit.Differences)}");
        return step.Groups["expected"].Success || Enum.TryParse<RefusalCode>(answer.Split('(')[0], out _) ? answer : "done";
    }

    private string Answer(string[] command) => command switch
    {
        ["grant", var lot, var quantity, .. var terms] => Told(
            world.Grant(new(lot, LotSource.Purchase, $"P-{lot}", long.Parse(quantity, CultureInfo.InvariantCulture), After("from", terms), After("until", terms), "ops")),
            granted => $"until {Day(granted.ExpiresAt)}"),
        ["draw", var report, var players] => Told(
            world.Report(report, [.. Enumerable.Range(1, int.Parse(players, CultureInfo.InvariantCulture)).Select(i => $"{report}.{i}")]),
            made => string.Join(' ', made.Players.Select(player => CreditId.Parse(player.CreditId!).LotId).CountBy(lot => lot).Select(pair => $"{pair.Key}:{pair.Value}"))),
        ["report", var report, .. var players] => Told(
            world.Report(report, players),
            made => string.Join(' ', made.Players.Select(player => $"{player.PlayerId}:{player.Charge.ToString().ToLowerInvariant()}"))),
        ["hold", var report, "until", var end, .. var players] => Told(
            world.Report(report, players, (int)(When($"day {end.Replace('T', ' ')}") - world.Now).TotalSeconds),
            made => string.Join(' ', made.Players.Select(player => $"{player.PlayerId}:{player.Charge.ToString().ToLowerInvariant()}"))),
        ["capture", var report, .. var players] => Told(world.Capture(report, players), Undone),
        ["void", var report, .. var players] => Told(world.Void(report, players), Undone),
        ["void-own", var report, .. var players] => Told(world.Void(report, players, isConsumer: true), Undone),
        ["free", var player] => Told(
            world.Edit(player, id => new(id, CreditStatus.Unallocated, null, Frees: false, null, null, "by hand", "ops")), credit => $"{credit.StatusAt(world.Now)}"),
        ["extend", var player, "until", "day", var day] => Told(
            world.Edit(player, id => new(id, null, null, Frees: false, null, When($"day {day}"), "by hand", "ops")), credit => $"until {Day(credit.CoversUntil)}"),
        ["rename", var player] => Told(
            world.Edit(player, id => new(id, null, null, Frees: false, "Ann", null, "by hand", "ops")), credit => $"until {Day(credit.CoversUntil)}"),
        ["voidable", var minutes] => Told(world.Agree(world.Contract.Terms with { VoidMinutes = Number(minutes) }), _ => "done"),
        ["used"] => $"{Rolled().Members["anna"].Allocation.TotalUsed}",
        ["cover", var report, var player] => Told(
            world.Report(report, [player]),
            made => $"until {Day(made.Players.Single().ExpiresAt)}"),
        ["ends", "day", var day] => Told(world.Agree(world.Contract.Terms with { EndsOn = terms.StartsOn.PlusDays(Number(day)) }), _ => $"ends day {day}"),
        ["ends", "never"] => Told(world.Agree(world.Contract.Terms with { EndsOn = null }), _ => "ends never"),
        ["billing", "never"] => Told(world.Agree(world.Contract.Terms with { BillingCycle = null }), _ => "done"),
        ["billing", var credits, "every", var every, var unit, "from", "day", var anchor] => Told(
            world.Agree(world.Contract.Terms with { BillingCycle = new(Enum.Parse<RecurrenceUnit>(unit, ignoreCase: true), Number(every), terms.StartsOn.PlusDays(Number(anchor)), Number(credits)) }), _ => "done"),
        ["withdraw", var lot] => Told(world.Withdraw(new(lot, null, "typed wrong", "ops")), Left),
        ["withdraw", var lot, var quantity] => Told(world.Withdraw(new(lot, Number(quantity), "typed wrong", "ops")), Left),
        ["change", var lot, .. var terms] => Told(
            world.ChangeLot(new(
                lot, Word("payment", terms), Word("from", terms) == "now" ? null : After("from", terms), Word("from", terms) == "now",
                Word("until", terms) == "never" ? null : After("until", terms), Word("until", terms) == "never", "typed wrong", "ops")),
            changed => $"{Day(changed.Lot.AvailableFrom)} until {Day(changed.Lot.ExpiresAt)}"),
        ["lots"] => string.Join(", ", Rolled().Lots.OrderBy(lot => lot.CreatedAt).Select(lot => $"{lot.LotId}:{lot.Free.Count} until {Day(lot.ExpiresAt)}")),
        ["left"] => $"{Rolled().RemainingAt(world.Now)?.ToString(CultureInfo.InvariantCulture) ?? "no limit"}",
        ["sweep"] => Swept(),
        ["books"] => Books(),
        _ => throw new FormatException($"No such step: {string.Join(' ', command)}"),
    };

    // Who stays charged, and who went back.
    private static string Undone(UndoneReport undone) => string.Join(' ',
        [.. undone.Captured is { } captured ? captured.Players.Select(player => $"{player.PlayerId}:kept") : [], .. undone.GivenBack.Select(given => $"{given.PlayerId}:back")]);

    // A read rolls forward in memory and books nothing (T3).
    private Contract Rolled() => world.Contract.RollForward(world.Now).State;

    private string Swept()
    {
        world.Sweep();
        return "done";
    }

    private string Books()
    {
        var audit = world.Audit();
        return $"granted {audit.Granted} minted {audit.Minted} unallocated {audit.Unallocated} allocated {audit.Allocated} expired {audit.Expired} withdrawn {audit.Withdrawn}";
    }

    private string Left(WholeLot lot) => lot.AvailableAt(world.Now).ToString(CultureInfo.InvariantCulture);

    private static string? Word(string word, string[] words) => Array.IndexOf(words, word) is >= 0 and var at ? words[at + 1] : null;

    private static string Told<T>(Decision<T> decision, Func<T, string> tell) => decision.Refusal is { } refusal
        ? refusal.Field is null ? $"{refusal.Code}" : $"{refusal.Code}({refusal.Field})"
        : tell(decision.Value!);

    private Instant When(string words) => Words(words) is ["day", var day, .. var time]
        ? (terms.StartsOn.PlusDays(Number(day)) + (time is [var clock] ? LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(clock).Value : LocalTime.Midnight)).InZoneLeniently(terms.Zone).ToInstant()
        : throw new FormatException($"No such time: {words}");

    private Instant? After(string word, string[] words) =>
        Array.IndexOf(words, word) is >= 0 and var at ? When($"{words[at + 1]} {words[at + 2]}") : null;

    private string Day(Instant? instant)
    {
        if (instant is not { } at) return "never";
        var local = at.InZone(terms.Zone).LocalDateTime;
        var day = $"day {Period.DaysBetween(terms.StartsOn, local.Date)}";
        return local.TimeOfDay == LocalTime.Midnight ? day : $"{day} {local.TimeOfDay:HH:mm}";
    }

    private static Terms Agreed(string[] words)
    {
        Assert.Equal("contract", words[0]);
        string? Of(string word) => Array.IndexOf(words, word) is >= 0 and var at ? words[at + 1] : null;
        return Given.Terms with
        {
            EndsOn = words[1] == "open" ? null : Given.Terms.StartsOn.PlusDays(Number(words[1]) - 1),
            UnallocatedLifetimeDays = Of("lifetime") is { } lifetime ? Number(lifetime) : null,
            CoverageDays = Number(Of("coverage") ?? "30"),
            TimeZone = Of("zone") ?? "UTC",
            Type = Of("type") == "unlimited" ? ContractType.Unlimited : ContractType.Metered,
            CoverageFrom = Of("from") == "creation" ? CoverageFrom.Creation : CoverageFrom.Activation,
        };
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<when>day \d+( \d\d:\d\d)?)\s+(?<command>.*?)(\s*->\s*(?<expected>.*))?$")]
    private static partial Regex Step();
}
