using NodaTime;

namespace CreditGrains.Domain.Tests;

/// <summary>The rows and entries of one client as a store would have them: each change and guard is fenced by the version that it expects.</summary>
internal sealed class Rows : IChangeVisitor
{
    private readonly Dictionary<RowKey, long> versions = [];
    private readonly Dictionary<RowKey, Lot> lots = [];
    private readonly Dictionary<string, Member> members = [];
    private readonly Dictionary<string, Player> players = [];
    private readonly Dictionary<CreditId, Credit> credits = [];
    private readonly Dictionary<EndingKey, Ending> endings = [];
    private readonly Dictionary<string, long> ended = [];
    private readonly Dictionary<string, Report> reports = [];
    private readonly List<Entry> entries = [];

    public IReadOnlyCollection<Lot> Lots => lots.Values;

    public IReadOnlyDictionary<string, Member> Members => members;

    public IReadOnlyDictionary<string, Player> Players => players;

    public IReadOnlyDictionary<CreditId, Credit> Credits => credits;

    public IReadOnlyDictionary<EndingKey, Ending> Endings => endings;

    /// <summary>By lot, how many credits with a row have expired and are booked so.</summary>
    public IReadOnlyDictionary<string, long> Ended => ended;

    public IReadOnlyDictionary<string, Report> Reports => reports;

    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>All of it; throws where a fence or a guard fails, or a player's row is not that of the unexpired credit.</summary>
    public void Apply(Changes changes, Instant now)
    {
        foreach (var guard in changes.Guards) Invariant.Holds(VersionOf(guard.Row) == guard.Version, $"the guard of {guard.Row} holds");
        foreach (var change in changes) change.Accept(this);
        foreach (var covering in changes.Credits.Select(change => credits.GetValueOrDefault(change.Credit.Id)).OfType<Credit>().Where(credit => credit.CoversAt(now)))
            Invariant.Holds(players[covering.PlayerId!] is var row && row.Credit == covering.Id && row.CoversUntil == covering.CoversUntil, $"{row} says who covers");
    }

    public void Visit(DocumentChange change) => Fence(change.Row, change.Expected, change.Version);

    public void Visit(EpochChange change) => Fence(change.Row, change.Expected, change.Epoch);

    public void Visit(LotChange change)
    {
        Fence(change.Row, change.IsNew ? 0 : 1, 1);
        lots[change.Row] = change.Lot;
    }

    public void Visit(MemberChange change)
    {
        Fence(change.Row, change.Expected, change.Member.Version);
        members[change.Member.UserId] = change.Member;
    }

    public void Visit(UserChange change) => Fence(change.Row, change.Expected, change.User.Version);

    public void Visit(PlayerChange change)
    {
        Fence(change.Player.Row, change.Expected, change.Player.Version);
        players[change.Player.PlayerId] = change.Player;
    }

    public void Visit(CreditChange change)
    {
        Fence(change.Row, change.Expected, change.IsGone ? 0 : change.Credit.Version);
        if (change.IsGone) credits.Remove(change.Credit.Id);
        else credits[change.Credit.Id] = change.Credit;
    }

    public void Visit(EndingChange change)
    {
        Fence(change.Ending.Key.Row, change.Expected, change.Ending.Credits);
        if (change.Ending.Credits == 0) endings.Remove(change.Ending.Key);
        else endings[change.Ending.Key] = change.Ending;
    }

    public void Visit(EndedChange change) => ended[change.LotId] = ended.GetValueOrDefault(change.LotId) + change.Credits;

    public void Visit(ReportChange change)
    {
        Fence(change.Row, change.IsNew ? 0 : 1, 1);
        reports[change.Report.ReportId] = change.Report;
    }

    public void Visit(PurchaseChange change) => Fence(change.Row, change.IsNew ? 0 : 1, 1);

    public void Visit(ProjectChange change) => Fence(change.Row, change.Expected, change.Project.Version);

    public void Visit(MilestoneChange change) => Fence(change.Row, change.Expected, change.Milestone.Version);

    public void Visit(Consumption booked) => Fence(booked.Row, 0, 1);

    public void Visit(Entry booked) => entries.Add(booked);

    private long VersionOf(RowKey row) => versions.GetValueOrDefault(row);

    private void Fence(RowKey row, long expected, long version)
    {
        Invariant.Holds(VersionOf(row) == expected, $"{row} has version {expected}");
        versions[row] = version;
    }
}
