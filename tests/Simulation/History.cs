using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>Every committed state, and at which business instants it was the newest.</summary>
internal sealed class History(World world, MemoryStore store, BusinessClock clock)
{
    private readonly List<(int Commit, Instant Clock)> moments = [];
    private readonly Dictionary<string, Timeline<ContractState>> contracts = [];
    private readonly Dictionary<AllocationKey, Timeline<Member>> members = [];
    private readonly Dictionary<PlayerKey, Timeline<Credit>> players = [];
    private readonly Dictionary<CreditId, Timeline<Credit>> credits = [];
    private readonly Dictionary<(string ContractId, string LotId, long Apart), Timeline<Lot>> lots = [];
    private readonly Dictionary<ReportKey, Timeline<Report>> reports = [];
    private readonly Dictionary<string, Timeline<Standing>> standings = [];
    private readonly Dictionary<string, ContractDocument> read = [];
    private readonly List<Commit> commits = [];

    public int Commits => commits.Count;

    /// <summary>The present moment: one more for each commit and each move of the clock.</summary>
    public int Moment => moments.Count - 1;

    public ContractDocument Read(Document document) => Read(document.Body);

    public ContractDocument Read(string body)
    {
        if (read.TryGetValue(body, out var known)) return known;
        using var json = System.Text.Json.JsonDocument.Parse(body);
        return read[body] = Json.Read<ContractDocument>(json.RootElement.GetProperty("value").GetRawText());
    }

    public void ClockMoved() => moments.Add((commits.Count, clock.Now));

    public void Record(Commit commit)
    {
        commits.Add(commit);
        moments.Add((commits.Count, clock.Now));
        foreach (var write in commit.Documents.Where(write => write.Kind == ContractActor.Kind))
        {
            var before = Timeline(contracts, write.Id).At(commits.Count)?.Open ?? [];
            var moved = commit.Changes.Entries.Where(entry => entry.ContractId == write.Id).ToLookup(entry => entry.Kind, entry => entry.Quantity);
            var drawn = moved[EntryKind.CreditsCharged].Sum() + commit.Changes.Entries.Count(entry => entry is { Kind: EntryKind.LotExpired, Cause: "request" } && entry.ContractId == write.Id);
            var added = moved[EntryKind.LotGranted].Sum() + moved[EntryKind.CreditsReturned].Sum() - moved[EntryKind.LotExpired].Where(quantity => quantity < 0).Sum();
            Timeline(contracts, write.Id).Add(commits.Count, new(commits.Count, Read(store.Document(write.Kind, write.Id)!), store.OpenLots(write.Id), before, drawn, added));
        }
        var switched = commit.Changes.Switches.SelectMany(change => store.AllMembers.Where(row => row.Key.UserId == change.UserId && row.Value.ClientId == change.ClientId).Select(row => row.Key)).ToList();
        foreach (var key in Touched(commit.Changes).Concat(switched).Distinct()) Timeline(members, key).Add(commits.Count, store.Member(key)!);
        var standing = switched.Select(key => key.ContractId).Concat(commit.Changes.Members.Select(change => change.ContractId))
            .Concat(commit.Documents.Where(write => write.Kind == ContractActor.Kind && write.Body is not null).Select(write => write.Id));
        foreach (var contractId in standing.Distinct()) Timeline(standings, contractId).Add(commits.Count, Stand(contractId));
        foreach (var player in commit.Changes.Credits.Where(change => change.Credit.PlayerId is not null).Select(change => new PlayerKey(change.Credit.ClientId, change.Credit.PlayerId!)).Distinct())
            Timeline(players, player).Add(commits.Count, store.CurrentCredit(player)!);
        foreach (var id in commit.Changes.Credits.Select(change => change.Credit.Id).Distinct()) Timeline(credits, id).Add(commits.Count, store.Credit(id)!);
        foreach (var change in commit.Changes.Lots) Timeline(lots, (change.ContractId, change.Lot.LotId, change.Lot.Apart)).Add(commits.Count, change.Lot);
        foreach (var report in commit.Changes.Reports)
            Timeline(reports, new(report.ClientId, report.ReportId)).Add(commits.Count, report);
        // Tokens and keys that the service made are no chance of this world.
        foreach (var key in Fences.Of(commit.Changes)) world.Note(key.StartsWith("preview:", StringComparison.Ordinal) || key.StartsWith("request:", StringComparison.Ordinal) ? key[..8] : key);
    }

    /// <summary>The users whose use, cycles or settings are changed.</summary>
    public static IEnumerable<AllocationKey> Touched(Changes changes) => changes.Members.Select(change => new AllocationKey(change.ContractId, change.Member.UserId))
        .Concat(changes.Uses.Select(use => new AllocationKey(use.ContractId, use.UserId))).Concat(changes.Cycles.Select(cycle => new AllocationKey(cycle.ContractId, cycle.UserId)))
        .Concat(changes.GivenBack.Select(back => new AllocationKey(back.ContractId, back.UserId))).Distinct();

    /// <summary>All that a preview rests on, as it was at a moment.</summary>
    public Standing? Standing(string contractId, int moment) => At(standings, contractId, moment);

    /// <summary>The commits carried out since a moment.</summary>
    public IEnumerable<Commit> CommitsSince(int moment) => commits.Skip(moments[moment].Commit);

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

    public Credit? CurrentCredit(PlayerKey key, int moment) => At(players, key, moment);

    /// <summary>Where a credit that is free lies: apart from its lot, or in it.</summary>
    public Lot? Lot(CreditId id, int moment) => At(lots, (id.ContractId, id.LotId, id.Ordinal), moment) is { Free.Count: > 0 } apart ? apart : At(lots, (id.ContractId, id.LotId, 0), moment);

    public Terms? Terms(string contractId, int moment) => At(contracts, contractId, moment)?.Terms;

    /// <summary>The business instants of that time, ends included.</summary>
    public IEnumerable<Instant> Instants(int from, int until) => moments.Skip(from).Take(until - from + 1).Select(moment => moment.Clock).Distinct();

    /// <summary>What the rules say of a report at an instant, by the state of a moment, in the order of R2; null: it passes. Within one commit, after <paramref name="from"/>, the pool goes through states between.</summary>
    public Rule? Refusal(ReportKey key, SubmitReport submit, int from, int moment, Instant now)
    {
        var players = submit.Players.Select(player => player.PlayerId).ToList();
        if (At(reports, key, moment) is { } made) return made.Answers(submit.ContractId, submit.UserId, players) ? null : new(RefusalCode.ReportIdReused, 0, 0, 0);

        var toCharge = players.Count(player => At(this.players, new(key.ClientId, player), moment) is not { } credit || now >= credit.ExpiresAt);
        if (At(contracts, submit.ContractId, moment) is not { } contract) return new(RefusalCode.NotFound, toCharge, 0, 0);
        if (now < contract.Terms.Begins || now >= contract.Terms.Ends) return new(RefusalCode.ContractNotActive, toCharge, 0, 0);
        if (Member(new(submit.ContractId, submit.UserId), moment) is not { Assigned: true } member) return new(RefusalCode.UserNotAssigned, toCharge, 0, 0);
        if (member.Disabled) return new(RefusalCode.UserDisabled, toCharge, 0, 0);
        if (contract.Terms.Type == ContractType.Unlimited) return null;
        if (contract.IsRestricted && toCharge > 0 && DayByDay.Available(member.Allocation, contract.Terms, now) is { } available && available < toCharge)
            return new(RefusalCode.InsufficientAllocation, toCharge, available, available);
        var remaining = Remaining(contract.Open, now);
        var (least, most) = contract.Commit > moments[from].Commit
            ? (Math.Min(remaining, Remaining(contract.Before, now) - contract.Drawn), Math.Max(remaining, Remaining(contract.Before, now) + contract.Added))
            : (remaining, remaining);
        return least < toCharge ? new(RefusalCode.InsufficientContractCredits, toCharge, least, most) : null;
    }

    private Standing Stand(string contractId)
    {
        var members = store.Members(contractId).OrderBy(member => member.UserId, StringComparer.Ordinal).ToList();
        return new(
            Json.Write(Read(store.Document(ContractActor.Kind, contractId)!) with { HasApart = false }),
            string.Join(';', members.Select(member => $"{member.UserId} {member.Name} {member.Assigned} {member.Allocation.Settings} {member.Allocation.StartDate} {member.Allocation.Restarts} {member.Allocation.ExtraCredits}")),
            string.Join(';', members.Where(member => member.Disabled).Select(member => member.UserId)));
    }

    private static long Remaining(ImmutableArray<Lot> lots, Instant now) => lots.Where(lot => lot.AvailableFrom <= now && !(lot.ExpiresAt <= now)).Sum(lot => lot.Free.Count);

    private T? At<TKey, T>(Dictionary<TKey, Timeline<T>> timelines, TKey key, int moment) where TKey : notnull =>
        timelines.TryGetValue(key, out var timeline) ? timeline.At(moments[moment].Commit) : default;

    private static Timeline<T> Timeline<TKey, T>(Dictionary<TKey, Timeline<T>> timelines, TKey key) where TKey : notnull
    {
        if (!timelines.TryGetValue(key, out var timeline)) timelines[key] = timeline = new();
        return timeline;
    }
}

/// <summary>A contract after a commit, and what the commit drew and added on its way there.</summary>
internal sealed record ContractState(int Commit, ContractDocument Document, ImmutableArray<Lot> Open, ImmutableArray<Lot> Before, long Drawn, long Added)
{
    public Terms Terms => Document.Terms;

    public bool IsRestricted => Document.Plan is { Enabled: true };
}

/// <summary>All that a preview rests on but the date (A7), as texts: whatever is the same has not changed.</summary>
/// <param name="Disabled">Who was disabled; a user's switch is no part of the contract's commits.</param>
internal sealed record Standing(string Terms, string Users, string Disabled);

/// <summary>A refusal as the rules have it: what remains, to the user or of the contract, lies between <paramref name="Least"/> and <paramref name="Most"/>.</summary>
internal sealed record Rule(RefusalCode Code, int ToCharge, long Least, long Most);

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
