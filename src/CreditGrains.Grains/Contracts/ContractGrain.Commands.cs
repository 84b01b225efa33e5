using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

// What the commands of a contract learn before they are decided, and how reports are decided.
public sealed partial class ContractGrain
{
    private static readonly ImmutableDictionary<string, User> NoStrangers = ImmutableDictionary<string, User>.Empty;

    private readonly HashSet<string> staleUsers = [], stalePlayers = [];
    private Dictionary<string, Player> players = [];
    private Dictionary<ReportKey, Report> reports = [];
    private Dictionary<string, KeyedRequest> requests = [];
    private bool allStale;

    private enum MembersNeeded { None, All, AllAnew }

    private interface IContractCommand
    {
        MembersNeeded Members { get; }

        IEnumerable<string> Names { get; }

        Task Learn(Contract? contract);
    }

    private sealed class ContractCommand<TAnswer>(Func<Contract?, Instant, Changed<Contract?, TAnswer>> decide) : Command<TAnswer>, IContractCommand
    {
        public MembersNeeded Members { get; init; }

        /// <summary>The users whom it names: those who are no members yet may be disabled (C3).</summary>
        public Func<IEnumerable<string>> NamesUsers { get; init; } = () => [];

        public IEnumerable<string> Names => NamesUsers();

        public Func<Contract?, Task> Learns { get; init; } = _ => Task.CompletedTask;

        public Func<Instant> RestsOn { get; init; } = () => Instant.MinValue;

        public Func<IEnumerable<Guard>> Guards { get; init; } = () => [];

        public Task Learn(Contract? contract) => Learns(contract);

        // A user's row may have been changed by a clock that is ahead: a renewal was booked.
        public override Instant AsOf(Contract? state) => Members == MembersNeeded.None || state is null
            ? RestsOn()
            : state.Members.Values.Select(member => member.AsOf).Concat(state.Strangers.Values.Select(user => user.AsOf)).Aggregate(RestsOn(), Instant.Max);

        protected override Changed<Contract?, TAnswer> DecideOn(Contract? state, Instant now)
        {
            var changed = decide(state, now);
            return changed with { Changes = changed.Changes.RestingOn(Guards()) };
        }
    }

    private sealed class ReportCommand(ContractGrain grain, ChargeReport report) : Command<ReportAnswer>
    {
        private Report? tried, doubted;

        public ChargeReport Report => report;

        /// <summary>Whether its own record is looked for first: it may be there.</summary>
        public bool LooksForRecord { get; private set; } = report.Key is not null;

        public override Instant AsOf(Contract? state) => state is null ? Instant.MinValue : Charging.AsOf(state, grain.Facts, report);

        // By its id.
        public override bool IsRepeatable => true;

        public override void Doubt() => (doubted, LooksForRecord) = (tried ?? doubted, true);

        public override void Meet(IReadOnlySet<RowKey> rows) => LooksForRecord |= rows.Contains(RowKey.Report(report.Report.ClientId, report.Report.ReportId));

        protected override Changed<Contract?, ReportAnswer> DecideOn(Contract? contract, Instant now)
        {
            tried = null;

            // R3: a recorded id is looked at before contract and user.
            if ((grain.reports.GetValueOrDefault(report.Report) ?? Ended(contract)) is { } made) return new(contract, Changes.None, Recalled(made));
            if (contract is null || contract.ClientId != report.Report.ClientId)
                return new(contract, Changes.None.RestingOn(new Guard(RowKey.Report(report.Report.ClientId, report.Report.ReportId), 0)), Absent(now));

            // The same request has the same report, which would have been found.
            if (report.Key is { } key && grain.requests.ContainsKey(key.Key)) return new(contract, Changes.None, Refused(contract, Remembered.KeyReused, now));

            var guards = Charging.RestsOn(contract, grain.Facts, report);
            var decision = Charging.Decide(contract, grain.Facts, report, now);
            if (decision.Refusal is { } refusal) return new(contract, Changes.None.RestingOn(guards), Refused(contract, refusal, now));
            if (report.DryRun) return new(contract, Changes.None.RestingOn(guards), new ReportAnswer.Rehearsed(decision.Value!.Answer, null));
            tried = decision.Value!.Answer;
            return new(decision.Value.State, decision.Value.Changes.RestingOn(guards), new ReportAnswer.First(tried));
        }

        // The end of its own hold has just been found: the record is there, though nobody looked for it.
        private Report? Ended(Contract? contract) =>
            contract?.Passed.Undone.FirstOrDefault(ended => (ended.ClientId, ended.ReportId) == (report.Report.ClientId, report.Report.ReportId));

        private ReportAnswer Recalled(Report made)
        {
            made = made.AsAnswered();
            var isSame = made.Answers(report.ContractId, report.UserId, report.Players.Select(player => player.PlayerId));
            var reused = new Refusal(RefusalCode.ReportIdReused, $"The report id {made.ReportId} was used for another request; use a new id.");
            if (report.DryRun) return new ReportAnswer.Rehearsed(made, isSame ? null : reused);
            return !isSame ? new ReportAnswer.Refused(reused) : IsOwn(made) ? new ReportAnswer.First(made) : new ReportAnswer.Replayed(made);
        }

        // Whether the commit in doubt brought it about, and no earlier sending.
        private bool IsOwn(Report made) => doubted is not null && doubted.At == made.At && doubted.Players.SequenceEqual(made.Players);

        // Nothing of another client's contract or players is told.
        private ReportAnswer Absent(Instant now) => report.DryRun
            ? new ReportAnswer.Rehearsed(Charging.Outline(null, ReportFacts.None, report, grain.Absent, now), grain.Absent)
            : new ReportAnswer.Refused(grain.Absent);

        private ReportAnswer Refused(Contract contract, Refusal refusal, Instant now) => report.DryRun
            ? new ReportAnswer.Rehearsed(Charging.Outline(contract, grain.Facts, report, refusal, now), refusal)
            : new ReportAnswer.Refused(refusal);
    }

    private ReportFacts Facts => new(players);

    protected override async Task<Contract?> Learn(Contract? state, IReadOnlyCollection<Command> batch)
    {
        var commands = batch.OfType<IContractCommand>().ToList();
        foreach (var command in commands) await command.Learn(state);
        var charges = batch.OfType<ReportCommand>().ToList();
        var others = await LookForOthers(state, charges);
        if (state is null)
        {
            (players, reports, requests) = ([], others, []);
            return state;
        }

        var members = commands.Select(command => command.Members).DefaultIfEmpty().Max();
        if (members == MembersNeeded.AllAnew || (members == MembersNeeded.All && (!state.HasAllMembers || allStale)))
        {
            var all = await Services.Store.Members(Id);
            state = state with { Members = state.Members.Clear() };
            state = state.With(all) with { HasAllMembers = true };
            allStale = false;
            staleUsers.Clear();
        }
        var strangers = commands.SelectMany(command => command.Names).Where(user => !state.Members.ContainsKey(user)).ToHashSet();
        state = state with { Strangers = strangers.Count == 0 ? NoStrangers : await Services.Store.UserRows(state.ClientId, strangers) };
        if (charges.Count == 0) return await WithHolders(state);

        var wanted = WantedBy(state, charges);
        var looked = Look(state.ClientId, [.. wanted.Players]);
        var rest = wanted with
        {
            Players = [],
            Users = [.. wanted.Users.Where(user => !state.Members.ContainsKey(user) || staleUsers.Contains(user))],
            Reports = [.. wanted.Reports.Intersect(charges.Where(charge => charge.LooksForRecord).Select(charge => charge.Report.Report.ReportId))],
        };
        var rows = rest.IsNothing ? Rows.None : await Services.Store.Read(rest);
        var known = Take(state, rows with { Players = await looked });
        foreach (var (key, made) in others) reports[key] = made;
        return known;
    }

    // The end of a hold changes its user's row, whatever the batch is about.
    private async Task<Contract> WithHolders(Contract state)
    {
        var stale = StaleHolders(state).ToList();
        if (stale.Count == 0) return state;

        var rows = await Services.Store.Read(new(state.ClientId, Id) { Users = stale });
        staleUsers.ExceptWith(rows.Members.Keys);
        return state.With(rows.Members.Values);
    }

    private IEnumerable<string> StaleHolders(Contract state) =>
        staleUsers.Count == 0 ? [] : state.Holds.Values.Select(hold => hold.Report.UserId).Distinct().Where(staleUsers.Contains);

    // R3: a recorded id is looked at before the contract, be it another client's or none.
    private async Task<Dictionary<ReportKey, Report>> LookForOthers(Contract? state, IEnumerable<ReportCommand> charges)
    {
        var found = new Dictionary<ReportKey, Report>();
        foreach (var client in charges.Where(charge => charge.LooksForRecord && charge.Report.Report.ClientId != state?.ClientId).GroupBy(charge => charge.Report.Report.ClientId))
        {
            var rows = await Services.Store.Read(new(client.Key, Id) { Reports = client.Select(charge => charge.Report.Report.ReportId).ToHashSet() });
            foreach (var made in rows.Reports.Values) found[new(client.Key, made.ReportId)] = made;
        }
        return found;
    }

    protected override Wanted? WantedBy(Contract? state, IReadOnlyCollection<Command> batch) =>
        state is not null && batch.All(command => command is ReportCommand charge && charge.Report.Report.ClientId == state.ClientId)
            ? WantedBy(state, [.. batch.Cast<ReportCommand>()])
            : null;

    protected override Contract? Take(Contract? state, Rows rows)
    {
        (players, requests) = (new(rows.Players), new(rows.Requests));
        reports = rows.Reports.Values.ToDictionary(made => new ReportKey(made.ClientId, made.ReportId));
        staleUsers.ExceptWith(rows.Members.Keys);
        return state?.With(rows.Members.Values);
    }

    protected override void Decided(Changes changes)
    {
        foreach (var change in changes.Players) players[change.Player.PlayerId] = change.Player;
        foreach (var made in changes.Reports) reports[new(made.ClientId, made.ReportId)] = made;
    }

    protected override void Stale(IReadOnlyCollection<RowKey> rows)
    {
        foreach (var row in rows)
        {
            if (row.Kind == RowKind.Player) stalePlayers.Add(row.Second);
            if (row.Kind is RowKind.Member or RowKind.User) staleUsers.Add(row.Second);
        }
        allStale |= staleUsers.Count > 0;
    }

    protected override void Drop() => (players, reports, requests) = ([], [], []);

    private Wanted WantedBy(Contract state, IReadOnlyCollection<ReportCommand> charges) => new(state.ClientId, state.Terms.ContractId)
    {
        Players = charges.SelectMany(charge => charge.Report.Players).Select(player => player.PlayerId).ToHashSet(),
        Users = charges.Select(charge => charge.Report.UserId).Concat(StaleHolders(state)).ToHashSet(),
        Reports = charges.Where(charge => charge.Report.Report.ClientId == state.ClientId).Select(charge => charge.Report.Report.ReportId).ToHashSet(),
        Requests = charges.Select(charge => charge.Report.Key?.Key).OfType<string>().ToHashSet(),
    };

    // Correctness never hangs on the client's player credits: where they cannot be reached, the store is asked.
    private async Task<IReadOnlyDictionary<string, Player>> Look(string clientId, string[] wanted)
    {
        try
        {
            var rows = await Services.Grains.PlayerCredits(clientId).Look([.. wanted], [.. wanted.Where(stalePlayers.Contains)]);
            stalePlayers.ExceptWith(wanted);
            return rows.ToDictionary(row => row.PlayerId);
        }
        catch (Exception e) when (Calls.IsLost(e))
        {
            return (await Services.Store.Read(new(clientId, Id) { Players = wanted })).Players;
        }
    }

    // A command that learns something of its own, which no other command of this contract changes meanwhile.
    private Task<TAnswer> Alone<TAnswer>(
        Func<Task> learn, Func<Contract?, Instant, Changed<Contract?, TAnswer>> decide, MembersNeeded members = MembersNeeded.None,
        Func<IEnumerable<string>>? names = null) =>
        Run(new ContractCommand<TAnswer>(decide) { IsAlone = true, Members = members, NamesUsers = names ?? (() => []), Learns = _ => learn() });

    // A lost outcome is looked up under the key, never brought about twice; a caller without one gets one for this call.
    private async Task<Decision<Answered<T>>> Once<T>(
        RequestKey? given, Func<Contract, Instant, Decision<Changed<Contract, T>>> decide, MembersNeeded members = MembersNeeded.AllAnew,
        Func<IEnumerable<string>>? names = null, Func<Contract, Task>? look = null, Func<Instant>? restsOn = null,
        Func<IEnumerable<Guard>>? guards = null, Duration? kept = null)
    {
        var key = given ?? new RequestKey($"{Guid.NewGuid():N}", "");
        KeyedRequest? recalled = null;
        var decision = await Run(new ContractCommand<Decision<Answered<T>>>((contract, now) => Existing(contract, known =>
            Once(known, key, recalled, () => decide(known, now), now, now + (given is null ? Remembered.Kept : kept))))
        {
            IsAlone = true,
            Members = members,
            NamesUsers = names ?? (() => []),
            RestsOn = restsOn ?? (() => Instant.MinValue),
            Guards = guards ?? (() => []),
            Learns = async contract =>
            {
                recalled = await Recall(key);
                if (contract is not null && look is not null) await look(contract);
            },
        });
        return decision.Select(made => made with { Replayed = made.Replayed && given is not null });
    }
}
