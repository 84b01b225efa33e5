using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>Every committed state, and what the clocks of the silos showed while it was the newest.</summary>
internal sealed class History(World world, MemoryStore store, Clocks clocks)
{
    private readonly List<(int Commit, Instant One, Instant Other)> moments = [];
    private readonly Dictionary<string, Timeline<ContractState>> contracts = [];
    private readonly Dictionary<AllocationKey, Timeline<Member>> members = [];
    private readonly Dictionary<PlayerKey, Timeline<Player>> players = [];
    private readonly Dictionary<CreditId, Timeline<Credit>> credits = [];
    private readonly Dictionary<(string ContractId, string LotId, long Apart), Timeline<Lot>> lots = [];
    private readonly Dictionary<ReportKey, Timeline<Report>> reports = [];
    private readonly Dictionary<ReportKey, Timeline<Report>> undone = [];
    private readonly Dictionary<string, Timeline<ImmutableArray<Credit>>> held = [];
    private readonly Dictionary<string, Timeline<Standing>> standings = [];
    private readonly Dictionary<string, ContractDocument> read = [];
    private readonly List<Commit> commits = [];
    private readonly HashSet<string> reasons = [];

    public BillingBooks Billing { get; set; } = null!;

    public int Commits => commits.Count;

    /// <summary>The present moment: one more for each commit and each move of the clocks.</summary>
    public int Moment => moments.Count - 1;

    public ContractDocument Read(Document document) => Read(document.Body);

    public ContractDocument Read(string body)
    {
        if (read.TryGetValue(body, out var known)) return known;
        using var json = System.Text.Json.JsonDocument.Parse(body);
        return read[body] = Json.Read<ContractDocument>(json.RootElement.GetProperty("value").GetRawText());
    }

    public ContractDocument? Read(string contractId, MemoryStore from) => from.Document(DocumentKind.Contract, contractId) is { } document ? Read(document) : null;

    public void ClocksMoved() => AddMoment();

    /// <param name="steps">What each report of the commit left, in their order.</param>
    public void Record(Commit commit, ImmutableArray<Step> steps)
    {
        commits.Add(commit);
        reasons.UnionWith(commit.Changes.Entries.Select(entry => entry.Reason).OfType<string>());
        AddMoment();
        var (changes, now) = (commit.Changes, commits.Count);
        foreach (var write in changes.Contracts())
        {
            var document = store.Document(write.Kind, write.Id)!;
            Timeline(contracts, write.Id).Add(now, new(now, Read(document), document.AsOf, [.. store.OpenLots(write.Id).Select(lot => lot.AsPot())], steps, UsersSet(changes, write.Id)));
        }
        var switched = changes.Users().SelectMany(change => store.Members
            .Where(row => row.Key.UserId == change.User.UserId && store.Document(DocumentKind.Contract, row.Key.ContractId)?.Owner == change.User.ClientId).Select(row => row.Key)).ToList();
        foreach (var key in Touched(changes).Concat(switched).Distinct()) Timeline(members, key).Add(now, store.Member(key)!);
        var standing = switched.Select(key => key.ContractId).Concat(changes.Members.Select(change => change.ContractId))
            .Concat(changes.Contracts().Where(write => write.Body is not null).Select(write => write.Id));
        foreach (var contractId in standing.Distinct()) Timeline(standings, contractId).Add(now, Stand(contractId));
        foreach (var change in changes.Players) Timeline(players, new(change.Player.ClientId, change.Player.PlayerId)).Add(now, change.Player);
        foreach (var id in changes.Credits.Select(change => change.Credit.Id).Distinct()) Timeline(credits, id).Add(now, store.Credit(id)!);
        foreach (var change in changes.Lots) Timeline(lots, (change.ContractId, change.Lot.LotId, change.Lot.Apart)).Add(now, change.Lot);
        foreach (var report in changes.Reports) Timeline(reports, new(report.ClientId, report.ReportId)).Add(now, report);
        foreach (var change in changes.ReportChanges)
            Timeline(undone, new(change.Report.ClientId, change.Report.ReportId)).Add(now, store.Report(new(change.Report.ClientId, change.Report.ReportId))!);
        foreach (var contractId in changes.Credits.Select(change => change.Credit.Id.ContractId).Distinct())
        {
            var all = store.Contract(contractId)!.Holds.Credits;
            if (!all.IsEmpty || held.ContainsKey(contractId)) Timeline(held, contractId).Add(now, all);
        }

        // Tokens and keys that the service made are no chance of this world.
        foreach (var change in changes)
        {
            if (Auditing.RowOf(change) is not { } row) continue;
            world.Note((ulong)row.Kind);
            world.Note(row.First);
            if (row.Kind != RowKind.Document || row.First is not (DocumentKind.Preview or DocumentKind.Request)) world.Note(row.Second);
            world.Note((ulong)row.Number);
        }
    }

    /// <summary>The users whose use, cycles or settings are changed.</summary>
    public static IEnumerable<AllocationKey> Touched(Changes changes) => changes.Members.Select(change => new AllocationKey(change.ContractId, change.Member.UserId)).Distinct();

    /// <summary>All that a preview rests on, as it was at a moment.</summary>
    public Standing? Standing(string contractId, int moment) => At(standings, contractId, moment);

    /// <summary>The commits carried out since a moment.</summary>
    public IEnumerable<Commit> CommitsSince(int moment) => commits.Skip(moments[moment].Commit);

    /// <summary>Whether an entry has that reason.</summary>
    public bool IsTold(string reason) => reasons.Contains(reason);

    /// <summary>Whether something was so at a moment of that time, ends included.</summary>
    public bool WasEver(int from, int until, Func<int, bool> holds)
    {
        for (var moment = until; moment >= from; moment--)
            if (holds(moment)) return true;
        return false;
    }

    public Member? Member(AllocationKey key, int moment) => At(members, key, moment);

    /// <summary>A credit's row; null while it lies in its lot.</summary>
    public Credit? Credit(CreditId id, int moment) => At(credits, id, moment);

    public Player? PlayerRow(PlayerKey key, int moment) => At(players, key, moment);

    public Report? Report(ReportKey key, int moment) => At(reports, key, moment);

    /// <summary>A report, and what had become of it.</summary>
    public Report? Undone(ReportKey key, int moment) => At(undone, key, moment);

    /// <summary>The latest effective instant of a player's row.</summary>
    public Instant? AsOf(PlayerKey key, int moment) => At(players, key, moment)?.AsOf;

    /// <summary>A user's row as the ends of holds until then have left it, booked or not (R8).</summary>
    public Member WithHoldsEnded(AllocationKey key, Member member, Terms terms, int moment, Instant now) =>
        Returned(member, terms, Ended(key.ContractId, moments[moment].Commit, Instant.MinValue, now));

    private IEnumerable<Credit> Ended(string contractId, int commit, Instant after, Instant now) =>
        held.GetValueOrDefault(contractId)?.At(commit) is { IsDefaultOrEmpty: false } credits ? credits.Where(credit => credit.HeldUntil > after && credit.HeldUntil <= now) : [];

    // The use goes back to the cycle only where that ran at the end of the hold.
    private static Member Returned(Member member, Terms terms, IEnumerable<Credit> ended)
    {
        foreach (var credit in ended.Where(credit => credit.UsedBy == member.UserId))
        {
            var was = member.Allocation;
            var isOfCycle = credit.UsedOf == $"cycle:{was.Restarts}.{was.Cycle}" && DayByDay.Cycle(was.Settings!, was.StartDate!.Value, terms, credit.HeldUntil!.Value) <= was.Cycle;
            member = member with
            {
                Allocation = was with
                {
                    TotalUsed = was.TotalUsed - 1,
                    ExtraUsed = was.ExtraUsed - (credit.UsedOf == Allocation.Extra ? 1 : 0),
                    UsedInCycle = was.UsedInCycle - (isOfCycle ? 1 : 0),
                },
            };
        }
        return member;
    }

    // What returns to a lot that is over by then is no pot.
    private IEnumerable<Pot> Returned(IEnumerable<Credit> ended, Terms terms, int commit) =>
        from credit in ended
        let lot = lots.GetValueOrDefault((credit.Id.ContractId, credit.Id.LotId, 0))?.At(commit)
        where lot is { ExpiryBooked: false } && lot.Source != LotSource.Minted
        let until = lot.IsOpen ? lot.ExpiresAt : terms.CutToEnd(lot.AskedExpiry)
        where !(credit.HeldUntil >= until)
        select new Pot(lot.LotId, 0, lot.AvailableFrom, until, 1);

    /// <summary>Where a credit that is free lies: apart from its lot, or in it.</summary>
    public Lot? Lot(CreditId id, int moment) =>
        At(lots, (id.ContractId, id.LotId, id.Ordinal), moment) is { Free.Count: > 0 } apart ? apart : At(lots, (id.ContractId, id.LotId, 0), moment);

    /// <summary>A lot and its credits apart.</summary>
    public IEnumerable<Lot> WholeLot(string contractId, string lotId, int moment) =>
        lots.Keys.Where(key => (key.ContractId, key.LotId) == (contractId, lotId)).Select(key => At(lots, key, moment)).OfType<Lot>();

    public Terms? Terms(string contractId, int moment) => At(contracts, contractId, moment)?.Terms;

    /// <summary>
    /// The instants at which something may have been decided that was asked for at <paramref name="from"/> and proved at <paramref name="moment"/>:
    /// what the clocks showed meanwhile, and what a clock that is ahead had shown before, for no decision is before what it rests on.
    /// </summary>
    public IEnumerable<Instant> Instants(int from, int moment)
    {
        var least = Instant.Min(moments[from].One, moments[from].Other);
        var first = from;
        while (first > 0 && (moments[first - 1].One > least || moments[first - 1].Other > least)) first--;
        return moments.Skip(first).Take(moment - first + 1).SelectMany(one => new[] { one.One, one.Other }).Where(at => at >= least).Distinct().OrderDescending();
    }

    /// <summary>Whether an answer is what the rules say of a report at one moment since <paramref name="from"/>.</summary>
    public bool WasSaid(ReportKey key, ChargeReport report, int from, Func<Finding, bool> isSaid)
    {
        for (var moment = Moment; moment >= from; moment--)
            foreach (var view in Views(report, from, moment))
                foreach (var clock in Instants(from, moment))
                    if (isSaid(Find(key, report, view, clock))) return true;
        return false;
    }

    /// <summary>What the rules say now, by the clocks as they are: for messages.</summary>
    public IEnumerable<Finding> Findings(ReportKey key, ChargeReport report, int from) =>
        Enumerable.Range(from, Moment - from + 1).SelectMany(moment => Views(report, from, moment).SelectMany(view => Instants(from, moment).Select(clock => Find(key, report, view, clock)))).Distinct();

    // The state of a moment; and those that the commit of that moment went through, where it came within the time: after each report, and with a user joining or leaving.
    private IEnumerable<View> Views(ChargeReport report, int from, int moment)
    {
        var (commit, contractId) = (moments[moment].Commit, report.ContractId);
        var state = contracts.GetValueOrDefault(contractId)?.At(commit);
        var last = new View(state, state?.Open ?? [], state?.AsOf ?? Instant.MinValue, [], commit, null);
        yield return last;
        if (state is null || state.Commit != commit || commit <= moments[from].Commit) yield break;
        var isSet = state.UsersSet.Contains(report.UserId);
        if (state.Steps.IsEmpty && !isSet) yield break;

        var between = new List<View>();
        for (var count = state.Steps.Length - 1; count >= 0; count--)
            between.Add(new(
                state, count == 0 ? state.Steps[0].Before : state.Steps[count - 1].After,
                count == 0 ? contracts[contractId].At(commit - 1)?.AsOf ?? Instant.MinValue : state.Steps[count - 1].Report.At, state.Steps[..count], commit - 1, null));
        foreach (var view in between) yield return view;
        if (!isSet) yield break;
        var rows = members[new(contractId, report.UserId)];
        foreach (var view in between.Append(last))
            foreach (var member in new[] { rows.At(commit - 1), rows.At(commit) })
                foreach (var isAssigned in new[] { true, false })
                    yield return view with { Member = (member ?? rows.At(commit)!) with { Assigned = isAssigned } };
    }

    private Finding Find(ReportKey key, ChargeReport report, View view, Instant clock)
    {
        var made = view.Steps.LastOrDefault(step => step.Report.ReportId == key.ReportId)?.Report ?? reports.GetValueOrDefault(key)?.At(view.Commit);
        if (view.Contract is not { } contract || contract.Terms.ClientId != key.ClientId) return new(clock, made, RefusalCode.NotFound, null, []);

        var member = view.Member ?? view.Steps.LastOrDefault(step => step.Report.UserId == report.UserId)?.Member ?? members.GetValueOrDefault(new(report.ContractId, report.UserId))?.At(view.Commit);
        var rows = report.Players.Select(player => Row(key.ClientId, player.PlayerId, view)).ToImmutableArray();
        var at = rows.Aggregate(Instant.Max(Instant.Max(clock, view.AsOf), member?.AsOf ?? Instant.MinValue), (latest, row) => Instant.Max(latest, row.AsOf));
        var (ends, since) = (Ended(report.ContractId, view.Commit, Instant.MinValue, at).ToList(), view.Steps.IsEmpty ? Instant.MinValue : view.Steps[^1].Report.At);
        if (member is not null && view.Steps.All(step => step.Report.UserId != report.UserId)) member = Returned(member, contract.Terms, ends);
        else if (member is not null) member = Returned(member, contract.Terms, ends.Where(credit => credit.HeldUntil > view.Steps.Last(step => step.Report.UserId == report.UserId).Report.At));
        var returned = Returned(ends.Where(credit => credit.HeldUntil > since), contract.Terms, view.Commit);
        var toCharge = rows.Count(row => row.Credit is null || at >= row.CoversUntil);
        var (terms, isRestricted) = (contract.Terms, contract.IsRestricted);
        var remaining = terms.Type == ContractType.Unlimited ? (long?)null : view.Pots.Concat(Billing.Coming(terms, contract.AsOf, at)).Concat(returned).RemainingAt(at);
        var available = isRestricted && member is not null ? DayByDay.Available(member.Allocation, terms, at) : null;
        var (renewal, credits) = isRestricted && member is not null ? DayByDay.NextRenewal(member.Allocation, terms, at) : (null, null);
        var amounts = new Amounts(toCharge, available, remaining, renewal, credits);
        RefusalCode? code = at < terms.Begins || at >= terms.Ends ? RefusalCode.ContractNotActive
            : member is not { Assigned: true } ? RefusalCode.UserNotAssigned
            : member.Disabled ? RefusalCode.UserDisabled
            : toCharge > 0 && available < toCharge ? RefusalCode.InsufficientAllocation
            : remaining < toCharge ? RefusalCode.InsufficientContractCredits
            : null;
        return new(at, made, code, amounts, rows);
    }

    private Player Row(string clientId, string playerId, View view)
    {
        var known = players.GetValueOrDefault(new(clientId, playerId))?.At(view.Commit) ?? Player.Unknown(clientId, playerId);
        foreach (var step in view.Steps)
            foreach (var outcome in step.Report.Players)
                if (outcome.PlayerId == playerId && outcome.Charge == PlayerCharge.New)
                    known = known with { Credit = CreditId.Parse(outcome.CreditId!), CoversUntil = outcome.ExpiresAt, AsOf = step.Report.At };
        return known;
    }

    private static ImmutableHashSet<string> UsersSet(Changes changes, string contractId) =>
        [.. changes.Entries.Where(entry => entry.Kind == EntryKind.UserSet && entry.ContractId == contractId).Select(entry => entry.UserId!)];

    private Standing Stand(string contractId)
    {
        var all = store.MembersOf(contractId);
        return new(
            Json.Write(Read(contractId, store)! with { HasApart = false }),
            string.Join(';', all.Select(member =>
                $"{member.UserId} {member.Assigned} {member.Allocation.Settings} {member.Allocation.StartDate} {member.Allocation.Restarts} {member.Allocation.ExtraCredits}")),
            string.Join(';', all.Select(member => $"{member.UserId} {member.Name} {member.Disabled}")));
    }

    private void AddMoment()
    {
        var (one, other) = clocks.Both;
        moments.Add((commits.Count, one, other));
    }

    private T? At<TKey, T>(Dictionary<TKey, Timeline<T>> timelines, TKey key, int moment) where TKey : notnull =>
        timelines.TryGetValue(key, out var timeline) ? timeline.At(moments[moment].Commit) : default;

    private static Timeline<T> Timeline<TKey, T>(Dictionary<TKey, Timeline<T>> timelines, TKey key) where TKey : notnull
    {
        if (!timelines.TryGetValue(key, out var timeline)) timelines[key] = timeline = new();
        return timeline;
    }

    /// <summary>A contract in a state: its own, and the first of the steps of the commit behind <paramref name="Commit"/>.</summary>
    /// <param name="Member">The row of the user who is asked about; null: that of the state.</param>
    private sealed record View(ContractState? Contract, ImmutableArray<Pot> Pots, Instant AsOf, ImmutableArray<Step> Steps, int Commit, Member? Member);
}

/// <summary>One report of a commit: what the pool had before it and after it, and its user's row then.</summary>
internal sealed record Step(Report Report, ImmutableArray<Pot> Before, ImmutableArray<Pot> After, Member? Member);

/// <summary>What the rules say of a report at an instant: its record, or how it would end, with all numbers that an answer tells.</summary>
/// <param name="Code">null: it passes.</param>
/// <param name="Players">The rows of its players, in its order.</param>
internal sealed record Finding(Instant At, Report? Made, RefusalCode? Code, Amounts? Amounts, ImmutableArray<Player> Players);

/// <summary>A contract after a commit, and what the reports of that commit went through.</summary>
internal sealed record ContractState(int Commit, ContractDocument Document, Instant AsOf, ImmutableArray<Pot> Open, ImmutableArray<Step> Steps, ImmutableHashSet<string> UsersSet)
{
    public Terms Terms => Document.Terms;

    public bool IsRestricted => Document.Plan is { Enabled: true };
}

/// <summary>All that a preview rests on but the date (A7), as texts: whatever is the same has not changed.</summary>
/// <param name="Directory">The users' names, and who is disabled; other contracts of the client may change them.</param>
internal sealed record Standing(string Terms, string Users, string Directory);

/// <summary>What something was after each commit that changed it.</summary>
internal sealed class Timeline<T>
{
    private readonly List<(int Commit, T Value)> values = [];

    public void Add(int commit, T value) => values.Add((commit, value));

    /// <summary>What it was when that many commits had been carried out.</summary>
    public T? At(int commit)
    {
        var place = values.Count - 1;
        while (place >= 0 && values[place].Commit > commit) place--;
        return place < 0 ? default : values[place].Value;
    }
}
