using System.Diagnostics.CodeAnalysis;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>What a world went through.</summary>
internal sealed record Outcome(
    int Reports, int Answers, int Refusals, int Commits, int Proofs, int Conflicts, int MostDecisions, int Edits, int Corrections, int Cycles, TimeSpan VirtualTime, ulong Trace);

/// <summary>Clients, operators and time, at work on the real grains in one world.</summary>
internal sealed class Simulation : IDisposable
{
    // R4: so often a report is decided at most where the store has no faults.
    private const int MostDecisions = 4;

    private static readonly string[] Clients = ["acme", "bolt"];
    private static readonly string[] Users = ["ann", "bob", "cem", "dee"];
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    private readonly World world;
    private readonly Clocks clocks;
    private readonly Submissions submissions = new();
    private readonly MemoryStore store;
    private readonly FaultyStore away;
    private readonly Network network;
    private readonly Reminders reminders;
    private readonly IGrainFactory grains;
    private readonly History history;
    private readonly Books books;
    private readonly Rights rights;
    private readonly Promises promises;
    private readonly ServicesBooks servicesBooks;
    private readonly ServicesWork services;
    private readonly Managers managers;
    private readonly BillingBooks billing;
    private readonly EditBooks edits;
    private readonly UndoBooks undos;
    private readonly CorrectionBooks corrections;
    private readonly Operators operators;
    private readonly Freshness freshness;
    private readonly GrainMetrics metrics = new();
    private readonly Weather storm;
    private readonly Climate climate;
    private readonly int reports;
    private readonly List<Terms> contracts = [];
    private readonly Dictionary<string, BillingCycle> cycles = [];
    private readonly List<ChargeReport> sent = [];
    private readonly List<ChargeReport> unanswered = [];
    private readonly List<(string ContractId, GrantLot Grant, RequestKey? Key)> grants = [];
    private System.Collections.Immutable.ImmutableArray<Step> steps = [];
    private Weather weather = Weather.Calm;
    private int proofs;
    private int mostDecisions;
    private int made;
    private int named;

    private Simulation(ulong seed, int reports, Climate climate)
    {
        this.reports = reports;
        this.climate = climate;
        world = new(seed, hurries: false);
        clocks = new(world.Dice);
        storm = climate switch
        {
            Climate.Stormy => Weather.Of(world.Dice),
            Climate.Garbled => Weather.Garbled,
            Climate.Crowded => Weather.Crowded,
            Climate.Doubled => Weather.Doubled,
            Climate.Quiet or Climate.Rationed => Weather.Calm,
        };
        store = new() { Committing = Committing, Committed = Committed, Conflicted = Conflicted };
        history = new(world, store, clocks);
        books = new(world, store, history, clocks, submissions);
        servicesBooks = new(world, store, clocks);
        rights = new(world, store, history);
        promises = new(world, store, history);
        billing = new(world, store, history, clocks);
        history.Billing = billing;
        edits = new(world, store, history);
        undos = new(world, store, history);
        corrections = new(world, store, history);
        freshness = new(world, store);
        away = new(world, store, () => weather) { Asked = submissions.Decided };
        reminders = new(world, clocks, () => weather);
        network = new(world, () => weather) { Reminders = reminders, Watchers = { submissions.Arrived, freshness.Looked } };
        network.Silos = [.. Enumerable.Range(0, Clocks.Silos).Select(silo => new GrainServices(network.From(silo), away, clocks[silo], world.Time, metrics, ReminderTimes.Cluster))];
        grains = network.From(null);
        managers = new(world, grains, store, history, rights, clocks, Try);
        operators = new(world, grains, store, history, edits, undos, corrections, clocks, Try);
        services = new(world, grains, store, clocks, corrections, IsStormy);
        history.ClocksMoved();
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

    public void Dispose() => metrics.Dispose();

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
        rights.AreBooked(clocks.Earliest);
        billing.AllIsGranted();
        servicesBooks.AllIsBooked();
        world.Check();
        return new(made, promises.Answers, promises.Refusals, history.Commits, proofs, store.Conflicts, mostDecisions, edits.Done, corrections.Done, billing.Granted, world.Now, world.Trace);
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
        if (commit.Changes.TellsNothing()) return;
        steps = books.Before(commit);
        servicesBooks.Before(commit);
        rights.Before(commit);
        billing.Before(commit);
        edits.Before(commit);
        undos.Before(commit);
        corrections.Before(commit);
    }

    private void Committed(Commit commit)
    {
        if (commit.Changes.TellsNothing())
        {
            proofs++;
            return;
        }
        history.Record(commit, steps);
        books.After(commit);
        servicesBooks.After(commit);
        rights.After(commit);
        edits.After(commit);
        undos.After(commit);
    }

    private void Conflicted(Commit commit, IReadOnlySet<RowKey> rows)
    {
        world.Holds(
            !commit.Changes.Documents.Any(kept => kept is { Kind: DocumentKind.Preview, Expected: 0 } && rows.Contains(kept.Row)), "a preview's token is its own (A7)", $"{string.Join(' ', rows)}");
        if (IsStormy) return;
        world.Holds(rows.All(MayChange), "only what contracts share makes commits conflict", $"{string.Join(' ', rows)}");
        if (IsQuiet) freshness.Conflicted(commit, rows, submissions);
    }

    // A contract's document, lots and previews are its own.
    private static bool MayChange(RowKey row) => row.Kind switch
    {
        RowKind.Document => row.First is DocumentKind.Request or DocumentKind.Settings,
        RowKind.Lot or RowKind.Ended or RowKind.Purchase or RowKind.Consumption => false,
        RowKind.Member or RowKind.User or RowKind.Player or RowKind.Credit or RowKind.Ending or RowKind.Report or RowKind.Project or RowKind.Milestone => true,
    };

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
            var contract = grains.Contract(terms.ContractId);
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
                18 when climate is Climate.Garbled or Climate.Crowded => Join(),
                19 => Correct(mayRace: true),
                < 25 => Grant(),
                < 27 => Member(),
                < 30 => Switch(),
                30 => ChangeTerms(),
                < 35 => MoveClocks(),
                35 => Settle(),
                36 => WakeUp(),
                37 => Disturb(),
                < 41 => managers.Change(Metered(), Users),
                < 44 => managers.Confirm(Metered(), Users, mayRace: true),
                < 48 => managers.GrantExtra(Metered(), Users, mayRace: true),
                < 56 => Edit(mayRace: true),
                56 => ChangeTerms(),
                < 60 => ReadRow(),
                60 => Begin(),
                < 63 => WakeUp(),
                < 70 => Undo(mayRace: true),
                < 73 => Correct(mayRace: true),
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
        await MoveClocks();
        await Settle();
        await ChangeTerms();
        await Member();
        await Switch();
        await Try(services.Set);
        await managers.Change(Metered(), Users);
        await managers.Confirm(Metered(), Users, mayRace: false);
        await managers.GrantExtra(Metered(), Users, mayRace: false);
        for (var edit = 0; edit < 5; edit++) await Edit(mayRace: false);
        for (var undo = 0; undo < 4; undo++) await Undo(mayRace: false);
        for (var correction = 0; correction < 3; correction++) await Correct(mayRace: false);
        if (IsRationed) await managers.Ration(Metered(), Users);
        await Straddle();
        await Refuse();
        reminders.Ring(network);
    }

    // One clock is past an end of coverage or of a cycle, the other is not: whoever books it, and whoever then changes the credit or the user, keep their order.
    private async Task Straddle()
    {
        var client = Dice.Pick(Clients);
        if (store.Credits.Where(credit => credit.ClientId == client && EndingKey.Of(credit) is not null && credit.ExpiresAt > clocks.Latest).MinBy(credit => credit.ExpiresAt) is { } ending)
        {
            clocks.MoveAround(ending.ExpiresAt!.Value);
            history.ClocksMoved();
            await Try(() => grains.PlayerCredits(client).WakeUp());
            await operators.Edit(ending.Id);
        }
        if (store.Credits.Where(credit => credit.HeldUntil > clocks.Latest).MinBy(credit => credit.HeldUntil) is { HeldUntil: { } until, ReportId: { } held })
        {
            clocks.MoveAround(until);
            history.ClocksMoved();
            if (sent.FirstOrDefault(report => report.Report.ReportId == held) is { } report) await operators.Undo(report, mayRace: false);
        }
        for (var times = 0; times < 3; times++)
        {
            var now = clocks.Latest;
            var next = store.Members.Select(row => (row.Key, Due: row.Member.Allocation.NextDue(history.Read(row.Key.ContractId, store)!.Terms)))
                .Where(row => row.Due > now).OrderBy(row => row.Due).FirstOrDefault();
            if (next.Due is not { } due) return;
            clocks.MoveAround(due);
            history.ClocksMoved();
            await Try(() => grains.Allocation(next.Key).WakeUp());
            await managers.Restart(next.Key.ContractId, next.Key.UserId);
        }
    }

    // Refusals and dry runs write nothing, whatever has fallen due (R6).
    private async Task Refuse()
    {
        await Task.Delay(TimeSpan.FromSeconds(10), world.Time);
        clocks.MoveTo(clocks.Latest + Duration.FromHours(Dice.Between(1, 30)));
        history.ClocksMoved();
        var before = history.Commits;
        await Task.WhenAll(contracts.SelectMany(terms => new[]
        {
            NewReport(terms) with { DryRun = true },
            NewReport(terms) with { UserId = "nobody" },
            NewReport(terms) with { UserId = "nobody", DryRun = true },
        }).Select(Send));
        world.Holds(history.Commits == before, "a refusal and a dry run write nothing (R3, R6)", $"{string.Join(' ', history.CommitsSince(history.Moment - 1).Select(commit => commit.Changes))}");
    }

    private Terms Metered() => IsRationed ? contracts[0] : Dice.Pick(contracts.Where(terms => terms.Type == ContractType.Metered).ToList());

    private async Task Report()
    {
        made++;
        var report = Dice.Below(100) switch
        {
            < 6 when sent.Count > 0 => Dice.Pick(sent),
            < 10 when sent.Count > 0 => NewReport(AnyContract()) with { Report = Dice.Pick(sent).Report },
            < 12 when sent.Count > 0 => NewReport(AnyContract()) with { Key = Dice.Pick(sent).Key },
            _ => NewReport(AnyContract()),
        };
        var client = report.ContractId[..4];
        if (report.Report.ClientId != client && !Dice.Chance(0.1)) report = report with { Report = new(client, report.Report.ReportId) };
        sent.Add(report);
        if (Dice.Chance(0.1)) await Task.WhenAll(Send(report), Send(report));
        else if (report.Key is { } key && Dice.Chance(0.2)) await Task.WhenAll(Send(report), Send(NewReport(contracts.FirstOrDefault(one => one.ContractId == report.ContractId) ?? AnyContract()) with { Key = key }));
        else await Send(report);
    }

    private Terms AnyContract() => climate == Climate.Crowded ? contracts[Dice.Below(contracts.Count / Clients.Length)] : IsRationed ? Metered() : Dice.Pick(contracts);

    private ChargeReport NewReport(Terms contract)
    {
        var isCrowded = climate == Climate.Crowded;
        var players = Enumerable.Range(0, isCrowded ? Dice.Between(2, 4) : Dice.Pick([1, 1, 1, 2, 3, 5, 12]))
            .Select(_ => Dice.Below(10) switch
            {
                _ when isCrowded => $"crowd{made / 12}.{Dice.Below(4)}",
                < 8 when IsRationed => $"new{named++}",
                < 4 => $"old{Dice.Below(15)}",
                < 7 => $"group{made / 20}.{Dice.Below(8)}",
                _ => $"new{named++}",
            })
            .Distinct().Select(player => new PlayerName(player, null));
        var isDryRun = Dice.Chance(0.05);
        var id = $"{(isDryRun ? "dry" : "r")}{named++}";
        return new(
            new(contract.ClientId, id), Dice.Chance(0.01) ? $"{contract.ClientId}-none" : contract.ContractId, IsRationed ? Users[Dice.Below(2)] : Dice.Pick(Users), [.. players], "client", isDryRun)
        {
            HoldSeconds = Dice.Chance(0.2) ? Dice.Pick([10, 600, 3_600, 40_000]) : null,
            Key = Dice.Chance(0.1) ? new($"key-{id}", id) : null,
        };
    }

    private async Task Send(ChargeReport report)
    {
        for (var tries = 0; tries < 6; tries++)
        {
            if (await Ask(report)) return;
            await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), world.Time);
        }
        unanswered.Add(report);
    }

    private async Task<bool> Ask(ChargeReport report)
    {
        var from = history.Moment;
        return await Try(async () =>
        {
            var answer = await grains.Contract(report.ContractId).Charge(report);
            promises.Answered(report, answer, from);
            world.Holds(answer is not ReportAnswer.Replayed || submissions.Arrivals(report.Report) > 1, "what reached a grain once is no replay (R3)", $"{report.Report}");
            if (climate == Climate.Stormy || submissions.Decisions(report.Report) is not { } decisions) return;
            mostDecisions = Math.Max(mostDecisions, decisions);
            world.Holds(decisions <= MostDecisions, "no report is decided more than four times (R4)", $"{report.Report}: {decisions} times");
        });
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
        if (grants.Count > 0 && Dice.Chance(0.05)) (contractId, grant, key) = (Dice.Pick(grants).ContractId, Dice.Pick(grants).Grant, new($"key{named++}", $"{named}"));
        grants.Add((contractId, grant, key));
        var calls = Enumerable.Range(0, IsStormy && Dice.Chance(0.4) ? 2 : 1).Select(_ => Try(async () =>
        {
            var answer = await grains.Contract(contractId).Grant(grant, key);
            if (answer.Value is not { } granted) return;
            world.Holds(store.Lot(contractId, granted.Lot.LotId) is { } lot && lot.Quantity == granted.Lot.Quantity, "what is answered is durable (R5)", $"{granted}");
        }));
        await Task.WhenAll(calls);
    }

    private GrantLot NewLot() => new(
        $"lot{named++}", LotSource.Purchase, $"payment{named}", Dice.Between(1, 25),
        Dice.Chance(0.2) ? clocks.Latest + Duration.FromHours(Dice.Between(1, 20)) : null,
        Dice.Chance(0.4) ? clocks.Latest + Duration.FromHours(Dice.Between(21, 100)) : null, "operator");

    // What shares a commit with reports.
    private Task Join()
    {
        var contract = grains.Contract(AnyContract().ContractId);
        return Try(() => Dice.Below(3) switch
        {
            0 => contract.WakeUp(),
            1 => contract.Preview(new(null, null, false, []), "manager"),
            _ => contract.AssignUser(new(Dice.Pick(Users), $"name{named++}"), "manager"),
        });
    }

    private async Task Member()
    {
        var key = new AllocationKey(Dice.Pick(contracts).ContractId, Dice.Pick(Users));
        var contract = grains.Contract(key.ContractId);
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
        var user = grains.User(new(Dice.Pick(Clients), Dice.Pick(Users)));
        await Try(() => user.Switch(true, "manager"));
        if (IsStormy) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(50)), world.Time);
        for (var tries = 0; tries < 5 && !await Try(() => user.Switch(false, "manager")); tries++) { }
    }

    private async Task ChangeTerms()
    {
        var place = Dice.Below(contracts.Count);
        var terms = contracts[place];
        var today = Calendar.DateAt(clocks.Latest, terms.Zone);
        terms = Dice.Below(terms.Type == ContractType.Metered ? 6 : 4) switch
        {
            0 => terms with { EndsOn = Dice.Chance(0.3) ? null : today.PlusDays(Dice.Between(0, 9)) },
            1 => terms with { CoverageDays = Dice.Between(1, 4) },
            2 => terms with { UnallocatedLifetimeDays = Dice.Chance(0.2) ? null : Dice.Between(1, 6) },
            3 => terms with { Name = $"name {named++}" },
            _ => terms with { BillingCycle = NewCycle(terms, today) },
        };
        contracts[place] = terms;
        await Set(terms);
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
        var players = sent.TakeLast(30).Where(report => report.Report.ClientId == terms.ClientId).SelectMany(report => report.Players).Select(player => player.PlayerId)
            .Append("old0").Append($"group{made / 20}.0").ToList();
        return operators.Edit(terms, players, mayRace);
    }

    private Task Undo(bool mayRace)
    {
        var known = sent.TakeLast(60).Where(report => !report.DryRun).ToList();
        return known.Count == 0 ? Task.CompletedTask : operators.Undo(Dice.Pick(known), mayRace);
    }

    private Task Correct(bool mayRace) => operators.Correct(IsRationed || Dice.Chance(0.9) ? Metered() : Dice.Pick(contracts), mayRace);

    private Task MoveClocks()
    {
        var now = clocks.Latest;
        var boundaries = Boundaries.Where(at => at > now).Distinct().Order().Take(3).ToList();
        var end = contracts.Select(terms => terms.Ends).Where(at => at > now).Min();
        switch (Dice.Below(5))
        {
            case 0 when end < now + Duration.FromDays(1) && Dice.Chance(0.7):
                clocks.MoveAround(end.Value);
                break;
            case 0 or 1 when boundaries.Count > 0:
                clocks.MoveAround(Dice.Pick(boundaries));
                break;
            case 2:
                clocks.MoveTo(now + Duration.FromHours(Dice.Between(1, 40)));
                break;
            case 3:
                clocks.MoveTo(now + Duration.FromMilliseconds(Dice.Between(1, 2000)));
                break;
            default:
                clocks.MoveTo(now + Duration.FromMinutes(Dice.Between(1, 90)));
                break;
        }
        history.ClocksMoved();
        reminders.Ring(network);
        return Task.CompletedTask;
    }

    private IEnumerable<Instant> Boundaries => contracts.SelectMany(terms => store.OpenLots(terms.ContractId)).SelectMany(lot => new[] { lot.AvailableFrom, lot.ExpiresAt ?? lot.AvailableFrom })
        .Concat(Clients.Select(client => ((IStore)store).NextEnd(client).GetAwaiter().GetResult()).OfType<Instant>())
        .Concat(store.Purchases.Where(row => row.Purchase.Free > 0).SelectMany(row => new[] { row.Purchase.AvailableFrom, row.Purchase.ExpiresAt }))
        .Concat(store.Credits.Select(credit => credit.HeldUntil).OfType<Instant>())
        .Concat(rights.Boundaries).Concat(billing.Boundaries);

    // What the caretaker does.
    private Task Settle()
    {
        var silo = Dice.Below(Clocks.Silos);
        return Try(() => new DueWork(network.From(silo), away, clocks[silo], (key, e) =>
        {
            if (e is not TimeoutException) world.Fail("no wake-up fails but for what is away", $"{key}: {e}");
        }).Settle());
    }

    private Task WakeUp() => Try(() => Dice.Below(4) switch
    {
        0 => grains.Contract(Dice.Pick(contracts).ContractId).WakeUp(),
        1 => grains.Account(Dice.Pick([.. services.Accounts])).WakeUp(),
        2 => grains.Allocation(new(Dice.Pick(contracts).ContractId, Dice.Pick(Users))).WakeUp(),
        _ => grains.PlayerCredits(Dice.Pick(Clients)).WakeUp(),
    });

    // A2 to A5, T3: a user's row is what the rules say at one moment, whether or not renewals were booked.
    private Task ReadRow()
    {
        var (from, key) = (history.Moment, new AllocationKey(Dice.Pick(contracts).ContractId, Dice.Pick(Users)));
        return Try(async () =>
        {
            var row = await grains.Allocation(key).Read();
            world.Holds(
                // What was read is shown by the clock of the answer.
                history.WasEver(from, history.Moment, moment => history.Instants(from, history.Moment).Any(now => IsRow(row, history.Member(key, moment), history.Terms(key.ContractId, moment), now, key, moment))),
                "a user's row is what the store said at one moment (T3, A4)", $"{key}: {row}, {history.Member(key, history.Moment)}");
        });
    }

    private bool IsRow(AllocationRow? row, Member? member, Terms? terms, Instant clock, AllocationKey key, int moment)
    {
        if (row is null || member is null || terms is null) return row is null && (member is null || terms is null);
        var now = Instant.Max(clock, member.AsOf);
        member = history.WithHoldsEnded(key, member, terms, moment, now);
        return row.Available == DayByDay.Available(member.Allocation, terms, now) && row.NextRenewalAt == DayByDay.NextRenewal(member.Allocation, terms, now).Renewal
            && row.ExtraCredits == member.Allocation.ExtraCredits && row.ExtraUsed == member.Allocation.ExtraUsed && row.TotalUsed == member.Allocation.TotalUsed && row.Name == member.Name;
    }

    // A contract begins to exist while it is asked for already, by two at once.
    private async Task Begin()
    {
        if (contracts.Count >= 14) return;
        var client = Dice.Pick(Clients);
        var terms = contracts.First(terms => terms.ClientId == client) with { ContractId = $"{client}-n{named++}", Name = $"new {named}" };
        contracts.Add(terms);
        await Task.WhenAll(
            Set(terms), Set(terms), Send(NewReport(terms)), Send(NewReport(terms)),
            Try(() => grains.Contract(terms.ContractId).ReplaceUsers([.. Users.Select(user => new UserName(user, user))], "manager")),
            Try(() => grains.Contract(terms.ContractId).Grant(new("first", LotSource.Purchase, "payment", 40, null, null, "operator"), null)));
        await Try(() => grains.Contract(terms.ContractId).ReplaceUsers([.. Users.Select(user => new UserName(user, user))], "manager"));
        await Try(() => grains.Contract(terms.ContractId).Grant(new("second", LotSource.Purchase, "payment", 40, null, null, "operator"), null));
    }

    private Task Set(Terms terms)
    {
        var from = history.Moment;
        return Try(async () =>
        {
            var answer = await grains.Contract(terms.ContractId).Set(new(terms, null, "operator"));
            if (answer.Value is { } set)
                world.Holds(history.WasEver(from, history.Moment, moment => history.Terms(terms.ContractId, moment) == set.Answer.Terms), "what is answered is durable (R5)", $"{set}");
        });
    }

    private Task Disturb()
    {
        if (Dice.Chance(20 * storm.CrashOfEverything)) network.Crash(Dice.Chance(0.5) ? null : Dice.Below(Clocks.Silos));
        if (Dice.Chance(20 * storm.StoreAway)) away.GoAway(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(Dice.Pick([1, 30]))));
        return Task.CompletedTask;
    }

    // Every retry tells what came of a report that nobody was told about (R5); then all that fell due is booked.
    private async Task End()
    {
        foreach (var report in unanswered) world.Holds(await Ask(report), "a calm world answers", $"{report}");
        foreach (var contract in contracts)
        {
            var report = new ChargeReport(new(contract.ClientId, $"last{named++}"), contract.ContractId, Users[0], [new($"new{named}", null)], "client", false);
            world.Holds(await Ask(report), "a calm world answers", $"{report}");
        }
        await Task.Delay(TimeSpan.FromMinutes(1), world.Time);
        clocks.MoveTo(clocks.Latest + Duration.FromDays(1));
        history.ClocksMoved();
        foreach (var silo in Enumerable.Range(0, Clocks.Silos))
            world.Holds(await Try(() => new DueWork(network.From(silo), away, clocks[silo], (key, e) => world.Fail("no wake-up fails but for what is away", $"{key}: {e}")).Settle()), "a calm world answers", $"{silo}");
    }
}
