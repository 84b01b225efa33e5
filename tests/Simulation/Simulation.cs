using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>What a world went through.</summary>
internal sealed record Outcome(int Reports, int Answers, int Refusals, int Commits, int Conflicts, long Lapses, long Retries, int Stragglers, int Edits, int Cycles, TimeSpan VirtualTime, ulong Trace);

/// <summary>Clients, operators and time, at work on the real actors in one world.</summary>
internal sealed class Simulation : IWakeups, IDisposable
{
    private static readonly string[] Clients = ["acme", "bolt"];
    private static readonly string[] Users = ["ann", "bob", "cem", "dee"];
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    private readonly World world;
    private readonly BusinessClock clock = new();
    private readonly Submissions submissions = new();
    private readonly MemoryStore store;
    private readonly FaultyStore away;
    private readonly Network network;
    private readonly History history;
    private readonly Books books;
    private readonly Rights rights;
    private readonly Promises promises;
    private readonly ServicesBooks servicesBooks;
    private readonly ServicesWork services;
    private readonly Managers managers;
    private readonly BillingBooks billing;
    private readonly EditBooks edits;
    private readonly Operators operators;
    private readonly ActorMetrics metrics = new();
    private readonly MeterListener listener = new();
    private readonly Weather storm;
    private readonly Climate climate;
    private readonly int reports;
    private readonly List<Terms> contracts = [];
    private readonly Dictionary<string, BillingCycle> cycles = [];
    private readonly List<(ReportKey Key, SubmitReport Submit)> sent = [];
    private readonly List<(ReportKey Key, SubmitReport Submit)> unanswered = [];
    private readonly List<(string ContractId, GrantLot Grant, RequestKey? Key)> grants = [];
    private Weather weather = Weather.Calm;
    private bool changed;
    private long lapses;
    private long retries;
    private long excused;
    private int made;
    private int named;

    private Simulation(ulong seed, int reports, Climate climate)
    {
        this.reports = reports;
        this.climate = climate;
        world = new(seed, hurries: false);
        storm = climate switch
        {
            Climate.Stormy => Weather.Of(world.Dice),
            Climate.Garbled => Weather.Garbled,
            Climate.Crowded => Weather.Crowded,
            Climate.Doubled => Weather.Doubled,
            _ => Weather.Calm,
        };
        books = new(world, clock, submissions);
        servicesBooks = new(world, clock);
        store = new() { Committing = Committing, Committed = Committed, Conflicted = Conflicted };
        servicesBooks.Store = store;
        history = new(world, store, clock);
        rights = new(world, store, history);
        (books.Store, books.History) = (store, history);
        promises = new(world, store, history);
        away = new(world, store, () => weather);
        network = new(world, () => weather, submissions);
        managers = new(world, network, store, history, rights, clock, Try);
        billing = new(world, store, history, clock);
        edits = new(world, store, history);
        operators = new(world, network, store, history, edits, clock, Try);
        network.Services = new(network, away, clock, this, world.Time, metrics);
        services = new(world, network, store, clock, IsStormy);
        listener.SetMeasurementEventCallback<long>((instrument, count, _, _) =>
        {
            if (instrument == metrics.LeasesLapsed) lapses += count;
            else retries += count;
        });
        listener.EnableMeasurementEvents(metrics.LeasesLapsed);
        listener.EnableMeasurementEvents(metrics.ReportRetries);
        history.ClockMoved();
    }

    /// <summary>Runs a world of that many reports; throws <see cref="Broken"/> where a rule does not hold.</summary>
    /// <param name="progress">Told how many reports had been sent when it ended, either way.</param>
    public static Outcome Run(ulong seed, int reports, Climate climate, Action<int>? progress = null)
    {
        using var simulation = new Simulation(seed, reports, climate);
        try
        {
            return simulation.Run();
        }
        finally
        {
            progress?.Invoke(simulation.made);
        }
    }

    void IWakeups.Schedule(string contractId, Instant at) { }

    void IWakeups.Schedule(AllocationKey allocation, Instant at) { }

    void IWakeups.ScheduleAccount(string accountId, Instant at) { }

    public void Dispose()
    {
        listener.Dispose();
        metrics.Dispose();
    }

    private Dice Dice => world.Dice;

    private bool IsStormy => climate is Climate.Stormy or Climate.Doubled;

    private bool IsQuiet => climate is Climate.Quiet or Climate.Rationed;

    private bool IsRationed => climate is Climate.Rationed or Climate.Doubled;

    private Outcome Run()
    {
        world.Run(world.Start(SetUp), Bound, "a calm world answers");
        weather = storm;
        world.Hurries = IsStormy;
        while (made < reports)
        {
            var until = IsStormy ? reports : Math.Min(made + 50, reports);
            var sessions = Enumerable.Range(0, 12).Select(_ => world.Start(() => Session(until)))
                .Concat(Enumerable.Range(0, climate is Climate.Stormy or Climate.Quiet ? 3 : 0).Select(_ => world.Start(() => ServicesSession(until)))).ToArray();
            if (IsStormy)
            {
                world.Run(() => made >= reports, climate == Climate.Stormy ? TimeSpan.FromDays(1) : Bound, "a world ends");
                CalmDown(sessions);
                continue;
            }
            world.Run(Task.WhenAll(sessions), IsQuiet ? TimeSpan.FromSeconds(2) : Bound, "a quiet world answers at once (R4)");
            world.Run(world.Start(Between), Bound, "a calm world answers");
        }
        weather = Weather.Calm;
        world.Run(world.Start(End), Bound, "a calm world answers");
        world.Run(Task.Delay(TimeSpan.FromMinutes(1), world.Time), Bound, "a calm world answers");
        promises.AreKept();
        books.AllIsBooked();
        rights.AreBooked(clock.Now);
        billing.AllIsGranted();
        servicesBooks.AllIsBooked();
        world.Holds(!IsQuiet || (lapses == 0 && retries <= excused), "a quiet world answers at the first attempt", $"{lapses} leases lapsed, {retries} retries, {excused} of them excused");
        world.Check();
        return new(made, promises.Answers, promises.Refusals, history.Commits, store.Conflicts, lapses, retries, submissions.Stragglers, edits.Done, billing.Granted, world.Now, world.Trace);
    }

    // R4: once faults stop, whatever was asked is answered.
    private void CalmDown(Task[] sessions)
    {
        weather = Weather.Calm;
        world.Hurries = false;
        away.GoAway(TimeSpan.Zero);
        network.Unite();
        world.Run(Task.WhenAll(sessions), Bound, "every report is answered in bounded time (R4)");
    }

    private void Committing(Commit commit)
    {
        books.Before(commit);
        servicesBooks.Before(commit);
        rights.Before(commit);
        billing.Before(commit);
        edits.Before(commit);
    }

    private void Committed(Commit commit)
    {
        history.Record(commit);
        books.After(commit);
        servicesBooks.After(commit);
        rights.After(commit);
        edits.After(commit);
    }

    private void Conflicted(Commit commit, IReadOnlySet<string> fences)
    {
        world.Holds(!commit.Changes.Previews.Any(preview => preview.Answer is null && fences.Contains(preview.Key())), "a preview's token is its own (A7)", $"{string.Join(' ', fences)}");
        if (IsStormy) return;
        var (uses, members) = (commit.Changes.Uses.Where(use => fences.Contains(use.Key())).ToList(), commit.Changes.Members.Where(change => fences.Contains(change.Key())).ToList());

        // Promises on settings that have just changed are void; extra credits promised behind another report's promise of the cycle's last may reach the contract first; extra credits taken back may have been promised, which a first report that needs fewer does not find out; and a user's renewals are booked without telling the contract.
        var known = changed ? fences.Count(fence => fence.StartsWith("use:", StringComparison.Ordinal)) : uses.Count(use => use.OfExtra > 0 && (IsEarly(use) || rights.TookBack(new(use.ContractId, use.UserId))));
        var isExcused = known + members.Count(IsRolled) == fences.Count;
        world.Holds(isExcused, "only faults of the store or of activations make commits conflict", $"{string.Join(' ', fences)}: {string.Join(' ', uses)} {string.Join(' ', members)}, {string.Join(' ', uses.Select(use => store.Member(new(use.ContractId, use.UserId))!.Allocation))}");
        excused += commit.Changes.Reports.Count(report => uses.Any(use => use.ContractId == report.ContractId && use.UserId == report.UserId));
    }

    private bool IsEarly(Use use) => store.Member(new(use.ContractId, use.UserId))!.Allocation is { CycleLeft: var left } allocation && allocation.CycleKey == use.Cycle && left > use.OfCycle;

    private bool IsRolled(MemberChange change) => store.Member(new(change.ContractId, change.Member.UserId))!.Allocation is var allocation && change.From is { } from && from.Restarts == allocation.Restarts && from.Cycle < allocation.Cycle;

    private async Task SetUp()
    {
        var today = new LocalDate(2026, 3, 27);
        foreach (var client in Clients)
        {
            contracts.Add(new($"{client}-1", client, "metered", ContractType.Metered, "UTC", today, null, 5, 2, CoverageFrom.Activation));
            contracts.Add(new($"{client}-2", client, "metered, until created", ContractType.Metered, "Europe/Berlin", today.PlusDays(1), today.PlusDays(12), 3, 1, CoverageFrom.Creation, new(RecurrenceUnit.Day, 2, today.PlusDays(-4), 6)));
            contracts.Add(new($"{client}-3", client, "unlimited", ContractType.Unlimited, "America/New_York", today, null, 3, 1, CoverageFrom.Activation));
            contracts.Add(new($"{client}-5", client, "metered, begins a day without midnight", ContractType.Metered, "Asia/Beirut", today, null, 4, 2, CoverageFrom.Activation, new(RecurrenceUnit.Week, 1, new(2026, 3, 22), 10)));
            contracts.Add(new($"{client}-4", client, "unlimited, until created", ContractType.Unlimited, "UTC", today, today.PlusDays(20), 2, 3, CoverageFrom.Creation));
        }
        foreach (var terms in contracts)
        {
            var contract = network.Contract(terms.ContractId);
            await contract.Set(new(terms, null, "operator"));
            await contract.ReplaceUsers([.. Users.Select(user => new UserName(user, user))], "operator");
            if (terms.Type == ContractType.Metered) await contract.Grant(new("first", LotSource.Purchase, "payment", 40, null, null, "operator"), null);
            if (terms.ContractId.EndsWith("-1", StringComparison.Ordinal)) await managers.SetUp(terms, Users, 20);
            if (terms.ContractId.EndsWith("-5", StringComparison.Ordinal)) await managers.SetUp(terms, Users, 8);
        }
        await services.SetUp();
    }

    private async Task Session(int until)
    {
        while (made < until)
        {
            await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)), world.Time);
            await (Dice.Below(IsStormy ? 100 : 20) switch
            {
                < 18 => Report(),
                < 25 => Grant(),
                < 27 => Member(),
                < 30 => Switch(),
                30 => ChangeTerms(),
                < 35 => MoveClock(),
                35 => Sweep(),
                36 => WakeUp(),
                37 => Disturb(),
                < 41 => managers.Change(Metered(), Users),
                < 44 => managers.Confirm(Metered(), Users, mayRace: true),
                < 48 => managers.GrantExtra(Metered(), Users, mayRace: true),
                < 56 => Edit(mayRace: true),
                56 => ChangeTerms(),
                < 80 when climate == Climate.Doubled => Edit(mayRace: true),
                _ => Report(),
            });
        }
    }

    private async Task ServicesSession(int until)
    {
        while (made < until)
        {
            await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(20)), world.Time);
            await Try(services.Act);
        }
    }

    // What happens between the rounds of a quiet world, while nobody asks.
    private async Task Between()
    {
        await MoveClock();
        await Sweep();
        await WakeUp();
        await ChangeTerms();
        await Member();
        await Switch();
        await Try(services.Set);
        await managers.Change(Metered(), Users);
        await managers.Confirm(Metered(), Users, mayRace: false);
        await managers.GrantExtra(Metered(), Users, mayRace: false);
        for (var edit = 0; edit < 5; edit++) await Edit(mayRace: false);
        if (IsRationed) await managers.Ration(Metered(), Users);
        await FindOut();
    }

    // Nobody tells a user's allocation that settings have changed: its next report finds out, at its second attempt at the latest.
    private async Task FindOut()
    {
        changed = true;
        var before = retries;
        var first = contracts.SelectMany(terms => Users.Select(user => (new ReportKey(terms.ClientId, $"first{named++}"), new SubmitReport(terms.ContractId, user, [new($"new{named}", null)], "client", false)))).ToList();
        await Task.WhenAll(first.Select(report =>
        {
            submissions.Sent(report.Item1, report.Item2.ContractId);
            return Send(report.Item1, report.Item2);
        }));
        world.Holds(!IsQuiet || retries - before <= first.Count, "a quiet world answers at the first attempt", $"{retries - before} retries after a change");
        (changed, excused) = (false, retries);
    }

    private Terms Metered() => IsRationed ? contracts[0] : Dice.Pick(contracts.Where(terms => terms.Type == ContractType.Metered).ToList());

    private async Task Report()
    {
        made++;
        var (key, submit) = Dice.Below(100) switch
        {
            < 6 when sent.Count > 0 => Dice.Pick(sent),
            < 10 when sent.Count > 0 => (Dice.Pick(sent).Key, NewReport().Submit),
            _ => NewReport(),
        };
        if (key.ClientId != ClientOf(submit)) key = new(ClientOf(submit), key.ReportId);
        sent.Add((key, submit));
        if (!submit.DryRun) submissions.Sent(key, submit.ContractId);
        if (Dice.Chance(0.1)) await Task.WhenAll(Send(key, submit), Send(key, submit));
        else await Send(key, submit);
    }

    private (ReportKey Key, SubmitReport Submit) NewReport()
    {
        var isCrowded = climate == Climate.Crowded;
        var contract = isCrowded ? contracts[Dice.Below(contracts.Count / Clients.Length)] : IsRationed ? Metered() : Dice.Pick(contracts);
        var players = Enumerable.Range(0, isCrowded ? Dice.Between(2, 4) : Dice.Pick([1, 1, 1, 2, 3, 5, 12]))
            .Select(_ => Dice.Below(10) switch
            {
                _ when isCrowded => $"crowd{made / 12}.{Dice.Below(4)}",
                _ when IsRationed => $"new{named++}",
                < 4 => $"old{Dice.Below(15)}",
                < 7 => $"group{made / 20}.{Dice.Below(8)}",
                _ => $"new{named++}",
            })
            .Distinct().Select(player => new PlayerName(player, null));
        var isDryRun = Dice.Chance(0.05);
        return (
            new(contract.ClientId, $"{(isDryRun ? "dry" : "r")}{named++}"),
            new(Dice.Chance(0.01) ? $"{contract.ClientId}-none" : contract.ContractId, IsRationed ? Users[Dice.Below(2)] : Dice.Pick(Users), [.. players], "client", isDryRun));
    }

    private static string ClientOf(SubmitReport submit) => submit.ContractId[..4];

    private async Task Send(ReportKey key, SubmitReport submit)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            if (await Ask(key, submit)) return;
            await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), world.Time);
        }
        unanswered.Add((key, submit));
    }

    private async Task<bool> Ask(ReportKey key, SubmitReport submit)
    {
        var from = history.Moment;
        return await Try(async () => promises.Answered(key, submit, await network.Report(key).Submit(submit), from));
    }

    private async Task<bool> Try(Func<Task> call)
    {
        try
        {
            await call();
            return true;
        }
        catch (Exception e) when (e is TimeoutException or StoreUnavailableException)
        {
            if (IsQuiet) world.Fail("only faults make calls fail", $"{e}");
            return false;
        }
        catch (Exception e)
        {
            world.Fail("no call fails but for what is away", $"{e}");
            return true;
        }
    }

    private async Task Grant()
    {
        var contract = Metered();
        var (contractId, grant, key) = grants.Count > 0 && IsStormy && Dice.Chance(0.3)
            ? Dice.Pick(grants)
            : (contract.ContractId, NewLot(), Dice.Chance(0.5) ? new RequestKey($"key{named++}", $"{named}") : null);
        if (IsStormy && Dice.Chance(0.05)) grant = grant with { Quantity = grant.Quantity + 1 };
        grants.Add((contractId, grant, key));
        var calls = Enumerable.Range(0, IsStormy && Dice.Chance(0.4) ? 2 : 1).Select(_ => Try(async () =>
        {
            var answer = await network.Contract(contractId).Grant(grant, key);
            if (answer.Value is not { } granted) return;
            world.Holds(store.Lot(contractId, granted.Lot.LotId) is { } lot && lot.Quantity == granted.Lot.Quantity, "what is answered is durable (R5)", $"{granted}");
        }));
        await Task.WhenAll(calls);
    }

    private GrantLot NewLot() => new(
        $"lot{named++}", LotSource.Purchase, $"payment{named}", Dice.Between(1, 25),
        Dice.Chance(0.2) ? clock.Now + Duration.FromHours(Dice.Between(1, 20)) : null,
        Dice.Chance(0.4) ? clock.Now + Duration.FromHours(Dice.Between(21, 100)) : null, "operator");

    private async Task Member()
    {
        var key = new AllocationKey(Dice.Pick(contracts).ContractId, Dice.Pick(Users));
        var contract = network.Contract(key.ContractId);
        await Try(() => Dice.Below(3) switch
        {
            0 => contract.RemoveUser(key.UserId, "manager"),
            1 => contract.AssignUser(new(key.UserId, $"{key.UserId}{named++}"), "manager"),
            _ => contract.ReplaceUsers([.. Users.Where(_ => Dice.Chance(0.8)).Select(user => new UserName(user, user))], "manager"),
        });
        // Most are sent back soon, so that there is something to do.
        if (!IsStormy || Dice.Chance(0.8)) await Try(() => contract.ReplaceUsers([.. Users.Select(user => new UserName(user, user))], "manager"));
    }

    private async Task Switch()
    {
        var user = network.User(new(Dice.Pick(Clients), Dice.Pick(Users)));
        await Try(() => user.Switch(true, "manager"));
        if (IsStormy) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(50)), world.Time);
        for (var tries = 0; tries < 5 && !await Try(() => user.Switch(false, "manager")); tries++) { }
    }

    private async Task ChangeTerms()
    {
        var place = Dice.Below(contracts.Count);
        var terms = contracts[place];
        var today = Calendar.DateAt(clock.Now, terms.Zone);
        terms = Dice.Below(terms.Type == ContractType.Metered ? 6 : 4) switch
        {
            0 => terms with { EndsOn = Dice.Chance(0.3) ? null : today.PlusDays(Dice.Between(0, 9)) },
            1 => terms with { CoverageDays = Dice.Between(1, 4) },
            2 => terms with { UnallocatedLifetimeDays = Dice.Chance(0.2) ? null : Dice.Between(1, 6) },
            3 => terms with { Name = $"name {named++}" },
            _ => terms with { BillingCycle = NewCycle(terms, today) },
        };
        contracts[place] = terms;
        await Try(() => network.Contract(terms.ContractId).Set(new(terms, null, "operator")));
    }

    // Another cycle, none, or one that there was before, with another number of credits.
    private BillingCycle? NewCycle(Terms terms, LocalDate today)
    {
        if (terms.BillingCycle is { } present) cycles[terms.ContractId] = present;
        return Dice.Below(6) switch
        {
            < 2 => null,
            < 5 when cycles.TryGetValue(terms.ContractId, out var known) => known with { Credits = Dice.Between(1, 12) },
            _ => new(Dice.Pick([RecurrenceUnit.Day, RecurrenceUnit.Day, RecurrenceUnit.Week, RecurrenceUnit.Month]), Dice.Between(1, 2), today.PlusDays(Dice.Between(-60, 2)), Dice.Between(1, 12)),
        };
    }

    // The credits of those who are reported on now, or may be.
    private Task Edit(bool mayRace)
    {
        var terms = IsRationed ? contracts[0] : Dice.Pick(contracts);
        var players = sent.TakeLast(30).Where(report => report.Key.ClientId == terms.ClientId).SelectMany(report => report.Submit.Players).Select(player => player.PlayerId).Append("old0").Append($"group{made / 20}.0").ToList();
        return operators.Edit(terms, players, mayRace);
    }

    private Task MoveClock()
    {
        var boundaries = store.Boundaries.Concat(rights.Boundaries).Concat(billing.Boundaries).Where(at => at > clock.Now).Distinct().Order().Take(3).ToList();
        var end = contracts.Select(terms => terms.Ends).Where(at => at > clock.Now).Min();
        clock.MoveTo(Dice.Below(4) switch
        {
            0 when end < clock.Now + Duration.FromDays(1) && Dice.Chance(0.7) => end.Value,
            0 when boundaries.Count > 0 => Dice.Pick(boundaries).PlusTicks(Dice.Between(-1, 1) * NodaConstants.TicksPerMillisecond / 1000),
            1 => clock.Now + Duration.FromHours(Dice.Between(1, 40)),
            _ => clock.Now + Duration.FromMinutes(Dice.Between(1, 90)),
        });
        history.ClockMoved();
        return Task.CompletedTask;
    }

    private Task Sweep() => Try(async () =>
    {
        while (await new CoverageSweeper(away, clock).Sweep()) { }
    });

    private Task WakeUp() => Try(async () =>
    {
        foreach (var contractId in (await away.DueContracts(clock.Now, 10)).Append(Dice.Pick(contracts).ContractId)) await network.Contract(contractId).WakeUp();
        foreach (var accountId in (await away.DueAccounts(clock.Now, 10)).Append(Dice.Pick([.. services.Accounts]))) await network.Account(accountId).WakeUp();
        foreach (var key in (await away.DueAllocations(clock.Now, 100)).Append(new(Dice.Pick(contracts).ContractId, Dice.Pick(Users)))) await network.Allocation(key).WakeUp();
    });

    private Task Disturb()
    {
        if (Dice.Chance(20 * storm.CrashOfEverything)) network.Crash();
        if (Dice.Chance(20 * storm.StoreAway)) away.GoAway(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([1, 30]))));
        return Task.CompletedTask;
    }

    // Every retry tells what came of a report that nobody was told about (R5); then all that fell due is booked.
    private async Task End()
    {
        foreach (var (key, submit) in unanswered)
            world.Holds(await Ask(key, submit), "a calm world answers", $"{key}");
        foreach (var contract in contracts)
        {
            var (key, submit) = (new ReportKey(contract.ClientId, $"last{named++}"), new SubmitReport(contract.ContractId, Users[0], [new($"new{named}", null)], "client", false));
            submissions.Sent(key, submit.ContractId);
            world.Holds(await Ask(key, submit), "a calm world answers", $"{key}");
        }
        await Task.Delay(TimeSpan.FromMinutes(1), world.Time);
        clock.MoveTo(clock.Now + Duration.FromDays(1));
        history.ClockMoved();
        await WakeUp();
        await Sweep();
    }
}
