using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>Managers at work: settings, defaults, the switch, extra credits, previews and their confirmation. What they are answered is held against what was committed.</summary>
internal sealed class Managers(World world, IGrainFactory grains, MemoryStore store, History history, Rights rights, Clocks clocks, Func<Func<Task>, Task<bool>> attempt)
{
    private readonly List<(string ContractId, Window Shown)> previews = [];
    private readonly List<(string ContractId, GrantExtra Grant, RequestKey? Key)> grants = [];
    private readonly Dictionary<string, string> first = [];
    private readonly Dictionary<string, string> versions = [];
    private int named;

    private Dice Dice => world.Dice;

    /// <summary>Rules for everyone from the beginning.</summary>
    public async Task SetUp(Terms terms, IReadOnlyList<string> users, long amount)
    {
        var today = DayByDay.Date(clocks.Latest, terms);
        Settings[] each = [new(null, Renewal.Unlimited, 1, null), new(amount, Renewal.Daily, 1, null), new(2 * amount, Renewal.Weekly, 1, RenewalDay.Of(IsoDayOfWeek.Sunday)), new(4 * amount, Renewal.Fixed, 1, null)];
        var settings = users.Zip(each, (user, its) => new UserAllocationChange(user, new(its.Amount, its.Renewal, its.Renewal.Repeats() ? its.Frequency : null, its.On, today), amount / 2)).ToImmutableArray();
        await Allocate(terms.ContractId, new(true, new(amount, Renewal.Daily), false, settings), null);
    }

    /// <summary>A few credits for each, once.</summary>
    public Task Ration(Terms terms, IReadOnlyList<string> users) =>
        Allocate(terms.ContractId, new(true, null, false, [.. users.Select(user => new UserAllocationChange(user, new(Dice.Between(5, 30), Renewal.Fixed, null, null), null))]), null);

    /// <summary>Another amount for one user, whose cycles start anew.</summary>
    public Task Restart(string contractId, string userId) =>
        Allocate(contractId, new(null, null, false, [new(userId, new(Dice.Between(1, 30), Renewal.Daily, Dice.Between(1, 3), null, null), null)]), null);

    /// <summary>One change by a single call, doubled now and then.</summary>
    public Task Change(Terms terms, IReadOnlyList<string> users)
    {
        var change = NewChange(terms, users);
        var seen = Dice.Chance(0.2) ? versions.GetValueOrDefault(terms.ContractId) : null;
        return Allocate(terms.ContractId, change, seen);
    }

    /// <summary>A preview, or two that race, and their confirmation: at once, twice, later or never.</summary>
    public async Task Confirm(Terms terms, IReadOnlyList<string> users, bool mayRace)
    {
        var shown = await Task.WhenAll(Enumerable.Range(0, mayRace && Dice.Chance(0.3) ? 2 : 1).Select(_ => Preview(terms, users)));
        if (mayRace) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(Dice.Pick([0, 5, 50]))), world.Time);
        var chosen = shown.OfType<Window>().Select(window => (terms.ContractId, window)).ToList();
        if (mayRace && previews.Count > 0 && Dice.Chance(0.4)) chosen.Add(previews[Math.Max(0, previews.Count - 1 - Dice.Below(4))]);
        await Task.WhenAll(chosen.SelectMany(preview => Enumerable.Range(0, mayRace ? Dice.Pick([1, 1, 2]) : 1).Select(_ => Confirm(preview.ContractId, preview.Item2))));
    }

    /// <summary>Extra credits for somebody, or unused ones back; the same request comes again.</summary>
    public async Task GrantExtra(Terms terms, IReadOnlyList<string> users, bool mayRace)
    {
        var number = named++;
        var (contractId, grant, key) = grants.Count > 0 && Dice.Chance(0.3)
            ? grants[Math.Max(0, grants.Count - 1 - Dice.Below(5))]
            : Dice.Chance(0.7)
                ? (terms.ContractId, new GrantExtra(Dice.Pick(users), Amount(), $"grant{number}", "manager"), new RequestKey($"extra{number}", $"{number}"))
                : (terms.ContractId, new GrantExtra(Dice.Pick(users), Amount(), "", "manager"), null);
        if (key is not null) grants.Add((contractId, grant, key));
        await Task.WhenAll(Enumerable.Range(0, mayRace && key is not null && Dice.Chance(0.3) ? 2 : 1).Select(_ => Grant(contractId, grant, key)));
    }

    private int Amount() => Dice.Chance(0.3) ? -Dice.Between(1, 4) : Dice.Between(1, 6);

    private AllocationChange NewChange(Terms terms, IReadOnlyList<string> users)
    {
        var defaults = Dice.Chance(0.15) ? NewSettings(terms) : null;
        return new(
            Dice.Chance(0.15) ? Dice.Chance(0.7) : null, defaults, Dice.Chance(0.15),
            [.. users.Where(_ => Dice.Chance(0.4)).Select(user => NewChange(user, terms))]) { Reason = $"change{named++}" };
    }

    // Now and then somebody leaves, comes back, or loses the settings.
    private UserAllocationChange NewChange(string user, Terms terms) => Dice.Below(20) switch
    {
        0 => new(user, new(), null) { Assigned = false },
        1 or 2 => new(user, new(), null) { Assigned = true, Name = user },
        3 => new(user, new() { Clears = true }, null),
        _ => new(user, Dice.Chance(0.2) ? new() : NewSettings(terms), Dice.Chance(0.2) ? Dice.Between(0, 8) : null) { Assigned = Dice.Chance(0.3) ? true : null },
    };

    private SettingsChange NewSettings(Terms terms)
    {
        var today = LocalDate.Max(DayByDay.Date(clocks.Latest, terms), terms.StartsOn);
        LocalDate? start = Dice.Below(10) switch { < 6 => today, < 8 => null, _ => today.PlusDays(Dice.Between(1, 4)) };
        var amount = Dice.Pick([0, 1, 3, 6, 10, 25]);
        return Dice.Below(8) switch
        {
            < 3 => new(amount, Renewal.Daily, Dice.Between(1, 2), null, start),
            < 5 => new(amount, Renewal.Weekly, Dice.Between(1, 2), RenewalDay.Of((IsoDayOfWeek)Dice.Between(1, 7)), start),
            5 => new(amount, Renewal.Monthly, 1, RenewalDay.Of(Dice.Pick([1, 5, 29, 30, 31])), start),
            6 => new(amount, Renewal.Fixed, null, null, start),
            _ => new(null, Renewal.Unlimited, null, null, start),
        };
    }

    private Task Allocate(string contractId, AllocationChange change, string? seen)
    {
        var from = history.Moment;
        return attempt(async () =>
        {
            var answer = await grains.Contract(contractId).Allocate(change, seen, "manager");
            if (answer.Value is { } made)
            {
                versions[contractId] = made.Window.Version;
                WasDone(contractId, made.Window, from, $"{change}");
            }
            else world.Holds(answer.Refusal!.Code != RefusalCode.PreconditionFailed || seen is not null, "a change is refused for what it says", $"{answer.Refusal}");
        });
    }

    private async Task<Window?> Preview(Terms terms, IReadOnlyList<string> users)
    {
        var from = history.Moment;
        Window? shown = null;
        await attempt(async () => shown = (await grains.Contract(terms.ContractId).Preview(NewChange(terms, users), "manager")).Value?.Window);
        if (shown is null) return null;
        rights.WasShown(shown.ConfirmationToken!, from);
        previews.Add((terms.ContractId, shown));
        return shown;
    }

    private Task Confirm(string contractId, Window shown)
    {
        var (from, token) = (history.Moment, shown.ConfirmationToken!);
        var wasDone = rights.IsConfirmed(token);
        return attempt(async () =>
        {
            var answer = await grains.Contract(contractId).Confirm(token, "manager");
            if (answer.Value is { } made)
            {
                IsFirst(token, Json.Write(made.Window), "a repeated token gets the first answer (A7)");
                world.Holds(rights.IsConfirmed(token) && (made.Replayed || !wasDone), "a repeated token gets the first answer (A7)", $"{token}: replayed {made.Replayed}, done before {wasDone}");
                if (made.Replayed) return;
                WasDone(contractId, made.Window, from, token);
                world.Holds(Asked(made.Window).SequenceEqual(Asked(shown)), "what was shown is what is done (A7)", $"{token}: {string.Join(' ', Asked(shown))}, done {string.Join(' ', Asked(made.Window))}");
                world.Holds(Was(from, (moment, now) => rights.MayBeAsShown(token, history.Standing(contractId, moment)!, now)), "a confirm changes only what it was shown on (A7)", $"{token}");
            }
            else if (answer.Refusal!.Code == RefusalCode.AllocationChanged)
            {
                world.Holds(!wasDone, "a repeated token gets the first answer (A7)", $"{token}: {answer.Refusal}");
                world.Holds(Was(from, (moment, now) => rights.MayHaveChanged(token, history.Standing(contractId, moment)!, now)), "a confirm is refused where something has changed (A7)", $"{token}: {answer.Refusal}");
            }
            else
            {
                world.Holds(answer.Refusal.Code != RefusalCode.NotFound || store.Document(DocumentKind.Preview, token) is null, "a preview is kept for a day (A7)", $"{token}: {answer.Refusal}");
            }
        });
    }

    private Task Grant(string contractId, GrantExtra grant, RequestKey? key)
    {
        var from = history.Moment;
        return attempt(async () =>
        {
            var answer = await grains.Contract(contractId).GrantExtra(grant, key);
            if (answer.Value is { } made)
            {
                if (key is not null) IsFirst(key.Key, Json.Write(made.Row), "the same key gets the first answer (§3)");
                world.Holds(made.Replayed || history.CommitsSince(from).Any(commit => commit.Changes.Entries.Any(entry => entry.Kind == EntryKind.ExtraGranted && entry.Quantity == grant.Amount && entry.Reason == grant.Reason)),
                    "what is answered is durable (R5)", $"{grant}");
                return;
            }
            world.Holds(Was(from, (moment, _) => history.Member(new(contractId, grant.UserId), moment) is not { } member ? answer.Refusal!.Code == RefusalCode.NotFound : answer.Refusal!.Code switch
            {
                RefusalCode.InvalidField => member.Allocation.ExtraCredits + grant.Amount < member.Allocation.ExtraUsed,
                RefusalCode.UserNotAssigned => !member.Assigned,
                RefusalCode.UserDisabled => member.Disabled,
                _ => false,
            }), "extra credits are refused for a reason (A5, C3)", $"{grant}: {answer.Refusal}");
        });
    }

    private void IsFirst(string key, string answer, string check) => world.Holds(first.TryAdd(key, answer) || first[key] == answer, check, $"{key}: {answer}, first {first[key]}");

    private void WasDone(string contractId, Window window, int from, string what) => world.Holds(
        window.Changes!.Value.IsEmpty || history.CommitsSince(from).Any(commit => Rights.WasDone(commit, contractId, window.Changes.Value)), "what is answered is durable (R5)", $"{contractId}: {what}");

    private bool Was(int from, Func<int, Instant, bool> holds) => history.WasEver(from, history.Moment, moment => history.Instants(from, moment).Any(now => holds(moment, now)));

    private static IEnumerable<string> Asked(Window window) =>
        window.Changes!.Value.Select(row => $"{row.UserId} {row.After.Amount} {row.After.Renewal} {row.After.Frequency} {row.After.On} {row.After.StartDate} {row.After.ExtraCredits}");
}
