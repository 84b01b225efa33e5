using System.Globalization;
using System.Text.RegularExpressions;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace CreditGrains.Domain.Tests;

/// <summary>
/// Plays a text table about what users may use:
/// <code>
/// contract 2026-01-01 to 2026-12-31                       also: zone Europe/Berlin; "to never"; the switch is on, anna is a user
/// Wed 2026-03-04 12:00  set anna 10 weekly every 2 on monday   -> start 2026-03-09 next 2026-03-23
/// Mon 2026-03-09        use anna 4                        -> 6
/// Mon 2026-03-09        row anna                          -> used 4 available 6 extra 0/0 total 4
/// </code>
/// A weekday before a date must be its own. A step without an expectation must succeed.
/// </summary>
internal sealed partial class AllocationStory
{
    private readonly Allotment allotment;
    private readonly Terms terms;

    private AllocationStory(Terms terms)
    {
        this.terms = terms;
        allotment = new(terms, Calendar.StartOf(terms.StartsOn.PlusDays(-400), terms.Zone));
        allotment.Add("anna");
        allotment.Change(new(true, null, false, []));
    }

    public static void Play(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var words = lines[0].Split(' ');
        var story = new AllocationStory(Given.Terms with
        {
            StartsOn = Date(words[1]), EndsOn = words[3] == "never" ? null : Date(words[3]), TimeZone = words is [_, _, _, _, "zone", var zone] ? zone : "UTC",
        });
        var steps = lines.Skip(1).Select(line => Step().Match(line)).ToList();
        Assert.All(steps, step => Assert.True(step.Success, "a step is: [Mon] DATE [HH:MM]  command  [-> expectation]"));
        Assert.Equal(
            steps.Select(step => $"{step.Groups["when"].Value} {step.Groups["command"].Value.Trim()} -> {(step.Groups["expected"].Success ? step.Groups["expected"].Value : "done")}"),
            steps.Select(step => $"{step.Groups["when"].Value} {step.Groups["command"].Value.Trim()} -> {story.Tell(step).Trim()}"));
    }

    private string Tell(Match step)
    {
        var date = Date(step.Groups["date"].Value);
        if (step.Groups["weekday"].Success) Assert.Equal(step.Groups["weekday"].Value, $"{date.DayOfWeek}"[..3]);
        allotment.MoveTo(step.Groups["time"].Success
            ? terms.Zone.AtLeniently(date + LocalTimePattern.CreateWithInvariantCulture("HH:mm").Parse(step.Groups["time"].Value).Value).ToInstant()
            : Calendar.StartOf(date, terms.Zone));
        var answer = Answer(step.Groups["command"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return step.Groups["expected"].Success || Enum.TryParse<RefusalCode>(answer.Split('(', ' ')[0], out _) ? answer : "done";
    }

    private string Answer(string[] command) => command switch
    {
        ["add", .. var users] => Done(() => allotment.Add([.. allotment.Contract.Members.Values.Where(member => member.Assigned).Select(member => member.UserId).Concat(users).Distinct()])),
        ["remove", var user] => Done(() => allotment.Add([.. allotment.Contract.Members.Values.Where(member => member.Assigned && member.UserId != user).Select(member => member.UserId)])),
        ["disable", var user] => Done(() => allotment.Disable(user, true)),
        ["enable", var user] => Done(() => allotment.Disable(user, false)),
        ["switch", var to] => Told(allotment.Change(new(to == "on", null, false, [])), _ => to),
        ["set", var user, .. var settings] => Told(allotment.Set(user, Settings(settings), Extra(settings)), window => Dates(window, user)),
        ["defaults", .. var settings] => Told(allotment.Change(new(null, Settings(settings), false, [])), _ => "done"),
        ["apply", .. var settings] => Told(allotment.Change(new(null, Settings(settings), true, [])), window => $"changed {string.Join(' ', window.Changes!.Value.Select(change => change.UserId))}"),
        ["warn", var user, "leaves"] => Told(allotment.Change(new(null, null, false, [Leaving(user)])), Warned),
        ["warn", var user, "joins", .. var settings] => Told(allotment.Change(new(null, null, false, [Joining(user, settings)])), Warned),
        ["warn", var user, .. var settings] => Told(allotment.Set(user, Settings(settings)), Warned),
        ["join", var user, .. var settings] => Told(allotment.Change(new(null, null, false, [Joining(user, settings)])), window => Dates(window, user)),
        ["leave", var user] => Told(allotment.Change(new(null, null, false, [Leaving(user)])), _ => "done"),
        ["applyto", var user, .. var settings] => Told(allotment.Change(new(null, null, true, [new(user, Settings(settings), null)])), window => Dates(window, user)),
        ["runs-out"] => Text(allotment.Window.PoolRunsOutOn),
        ["changed", var user] => $"{allotment.Row(user).ChangedBy} {InstantPattern.General.Format(allotment.Row(user).ChangedAt!.Value)}",
        ["extra", var user, var amount] => Told(allotment.Grant(user, Number(amount)), row => $"{row.ExtraCredits}"),
        ["use", var user, var credits] => Told(allotment.Use(user, Number(credits)), made => $"{made.Balance.UserAvailable?.ToString(CultureInfo.InvariantCulture) ?? "no limit"}"),
        ["row", var user] => Row(allotment.Row(user)),
        ["dates", var user] => Dates(allotment.Window, user),
        ["renewals", var user, var count] => string.Join(' ', allotment.Contract.Members[user].Allocation.ScheduleIn(terms)!.Renewals(allotment.Now).Take(Number(count)).Select(Text)),
        ["inactive"] => string.Join(' ', allotment.Window.InactiveUsers.Select(user => $"{user.UserId}:{user.Status}:{user.TotalUsed}")),
        ["total"] => $"{allotment.Window.TotalCreditsUsed}",
        ["entries", var kind] => $"{allotment.Entries.Count(entry => entry.Kind == Enum.Parse<EntryKind>(kind))}",
        ["last", var kind] => Last(allotment.Entries.Last(entry => entry.Kind == Enum.Parse<EntryKind>(kind))),
        _ => throw new FormatException($"No such step: {string.Join(' ', command)}"),
    };

    private static UserAllocationChange Joining(string user, string[] settings) => new(user, Settings(settings), Extra(settings)) { Name = user, Assigned = true };

    private static UserAllocationChange Leaving(string user) => new(user, new(), null) { Assigned = false };

    private static string Warned(Window window) => string.Join(' ', window.Warnings!.Value.Select(warning =>
        $"{warning.Code}({warning.UserId}{warning.Date?.ToString(" uuuu-MM-dd", CultureInfo.InvariantCulture)} {warning.Credits})"));

    private static string Last(Entry entry) => $"{InstantPattern.General.Format(entry.EffectiveAt)} {entry.Before} {entry.After}";

    private static string Done(Action act)
    {
        act();
        return "done";
    }

    private static string Row(AllocationRow row) => $"used {row.UsedInCycle} available {row.Available?.ToString(CultureInfo.InvariantCulture) ?? "no limit"} extra {row.ExtraUsed}/{row.ExtraCredits} total {row.TotalUsed}";

    private static string Dates(Window window, string user)
    {
        var row = window.Users.Single(row => row.UserId == user);
        return $"start {Text(row.StartDate)} next {Text(row.NextRenewalDate)}";
    }

    private static string Told<T>(Decision<T> decision, Func<T, string> tell) => decision.Refusal is { } refusal
        ? refusal.Field is { } field ? $"{refusal.Code}({field})" : refusal.Amounts is { } amounts ? $"{refusal.Code} of {Amounts(amounts)}" : $"{refusal.Code}"
        : tell(decision.Value!);

    // The next credits are told where they come before the next renewal.
    private static string Amounts(Amounts amounts)
    {
        var (available, next, credits) = (amounts.UserAvailable?.ToString(CultureInfo.InvariantCulture) ?? "no limit", Minute(amounts.NextRenewalAt), Minute(amounts.NextCreditsAt));
        return $"{available} next {next}{(credits == next ? "" : $" credits {credits}")}";
    }

    private static string Minute(Instant? instant) => instant?.ToString("uuuu-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture) ?? "none";

    // e.g. 10 weekly every 2 on monday from 2026-03-09 extra 5; or: none
    private static SettingsChange Settings(string[] words)
    {
        if (words is ["none"]) return new() { Clears = true };
        string? After(string word) => Array.IndexOf(words, word) is >= 0 and var at ? words[at + 1] : null;
        return new(
            words is [var first, ..] && long.TryParse(first, CultureInfo.InvariantCulture, out var amount) ? amount : null,
            words.Select(word => Enum.TryParse<Renewal>(word, ignoreCase: true, out var renewal) && !char.IsDigit(word[0]) ? renewal : (Renewal?)null).FirstOrDefault(renewal => renewal is not null),
            After("every") is { } every ? Number(every) : null,
            After("on") is { } on ? int.TryParse(on, CultureInfo.InvariantCulture, out var day) ? RenewalDay.Of(day) : RenewalDay.Of(Enum.Parse<IsoDayOfWeek>(on, ignoreCase: true)) : null,
            After("from") is { } from && from != "none" ? Date(from) : null) { ClearsStart = After("from") == "none" };
    }

    private static long? Extra(string[] words) => Array.IndexOf(words, "extra") is >= 0 and var at ? Number(words[at + 1]) : null;

    private static LocalDate Date(string text) => LocalDatePattern.Iso.Parse(text).Value;

    private static string Text(LocalDate? date) => date is { } known ? Text(known) : "none";

    private static string Text(LocalDate date) => LocalDatePattern.Iso.Format(date);

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?<when>((?<weekday>[A-Z][a-z][a-z]) )?(?<date>\d{4}-\d\d-\d\d)( (?<time>\d\d:\d\d))?)\s+(?<command>.*?)(\s*->\s*(?<expected>.*))?$")]
    private static partial Regex Step();
}
