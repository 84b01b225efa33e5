using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain.Tests;

/// <summary>One contract of one client under the pure domain alone: its rows and entries as a store would have them, guarded by the same fences.</summary>
internal sealed class World(Terms terms)
{
    private readonly Rows rows = new();

    public Contract Contract { get; private set; } = new(terms, 1, [], Instant.MinValue) { HasAllMembers = true };

    public Instant Now { get; private set; } = terms.Begins;

    public IReadOnlyList<Entry> Entries => rows.Entries;

    public IReadOnlyCollection<Lot> Lots => rows.Lots;

    /// <summary>The clock moves; nothing is booked until somebody asks (T3).</summary>
    public void MoveTo(Instant now) => Now = now;

    /// <summary>Books what fell due: of the contract, and of the players' credits.</summary>
    public void Sweep(Func<Contract, Instant, Changed<Contract>>? rollForward = null)
    {
        RollForward(rollForward);
        rows.Apply(Coverage.Expire(rows.Endings.Values.OrderBy(ending => ending.Key.At).ThenBy(ending => ending.Key.Row.Second, StringComparer.Ordinal), Now), Now);
    }

    public Decision<Lot> Grant(GrantLot grant)
    {
        RollForward();
        return Take(Granting.Decide(Contract, grant, Now));
    }

    public Decision<Contract> Agree(Terms terms)
    {
        // As the store has it: what time brings about is committed with the terms.
        var billed = Billing.Running(terms, Now) is { } start && Lots.Any(lot => lot.LotId == Billing.LotId(start)) ? start : (LocalDate?)null;
        RollForward();
        return Take(Agreeing.Decide(Contract, new(terms, null, "ops", billed), Now));
    }

    public Decision<WholeLot> Withdraw(WithdrawCredits withdraw)
    {
        RollForward();
        return Take(LotCorrecting.Decide(Contract, [.. Lots.Where(lot => lot.LotId == withdraw.LotId)], withdraw, Now));
    }

    public Decision<WholeLot> ChangeLot(ChangeLot change)
    {
        RollForward();
        return Take(LotCorrecting.Decide(Contract, [.. Lots.Where(lot => lot.LotId == change.LotId)], change, Now));
    }

    /// <summary>A report of anna, who is assigned with the first of them.</summary>
    public Decision<Report> Report(string reportId, IReadOnlyCollection<string> players, int? holdSeconds = null)
    {
        RollForward();
        if (rows.Reports.TryGetValue(reportId, out var made))
            return made.Answers(terms.ContractId, "anna", players) ? made.AsAnswered() : new Refusal(RefusalCode.ReportIdReused, "another request");

        if (Contract.Members.IsEmpty) Take<ImmutableArray<Member>>(Membership.Assign(Contract, new("anna", "Anna"), "ops", Now));
        var report = Given.Report([.. players]) with { Report = new("acme", reportId), HoldSeconds = holdSeconds };
        var facts = new ReportFacts(rows.Players);
        Invariant.Holds(Charging.AsOf(Contract, facts, report) <= Now, "what a report rests on is not of the future");
        return Take(Charging.Decide(Contract, facts, report, Now).Select(changed => changed with { Changes = changed.Changes.RestingOn(Charging.RestsOn(Contract, facts, report)) }));
    }

    /// <summary>Nobody is named: all players.</summary>
    public Decision<UndoneReport> Void(string reportId, IReadOnlyCollection<string> players, bool isConsumer = false)
    {
        RollForward();
        return Take(Undoing.Decide(Contract, Seen(reportId), new VoidReport(new("acme", reportId), Named(players), "wrong", "ops", isConsumer), Now));
    }

    /// <summary>Nobody is named: all players.</summary>
    public Decision<UndoneReport> Capture(string reportId, IReadOnlyCollection<string> players)
    {
        RollForward();
        return Take(Undoing.Decide(Contract, Seen(reportId), new CaptureReport(new("acme", reportId), Named(players), "key"), Now));
    }

    /// <summary>Edits the credit of a player by hand (P5).</summary>
    public Decision<Credit> Edit(string player, Func<CreditId, EditCredit> edit)
    {
        var owner = rows.Players[player];
        var id = owner.Credit!.Value;
        var touched = rows.Credits[id];
        var seen = new SeenCredit(Lots.Single(lot => lot.LotId == id.LotId && lot.Apart == 0), touched, null, owner) { User = User(touched.UsedBy), Endings = Endings };
        RollForward();
        return Take(Editing.Decide(Contract, seen, edit(id), Now));
    }

    /// <summary>A report as the store has it.</summary>
    public Report Reported(string reportId) => rows.Reports[reportId];

    private SeenReport Seen(string reportId) => rows.Reports.GetValueOrDefault(reportId) is not { } report
        ? new(null, rows.Credits, new Dictionary<string, Lot>(), rows.Players, null)
        : new(report, rows.Credits, Lots.Where(lot => lot.Apart == 0).ToDictionary(lot => lot.LotId), rows.Players, User(report.UserId)) { Endings = Endings };

    private Endings Endings => new([], rows.Endings);

    private Member? User(string? userId) => userId is null ? null : rows.Members[userId];

    private static ImmutableArray<string>? Named(IReadOnlyCollection<string> players) => players.Count == 0 ? null : [.. players];

    /// <summary>The books as the store's rows and entries have them (G2).</summary>
    public Audit Audit() => Domain.Audit.Of(
        terms.ContractId,
        [.. Lots.Select(lot => new LotFacts(
            lot.LotId, lot.Quantity,
            Free: lot.ExpiryBooked ? 0 : lot.Free.Count,
            ExpiredFree: (lot.ExpiryBooked ? lot.Free.Count : 0) + rows.Credits.Values.Count(credit => credit.Id.LotId == lot.LotId && credit.PlayerId is null),
            Allocated: rows.Credits.Values.Count(credit => credit.Id.LotId == lot.LotId && credit.PlayerId is not null && !Endings.HasEnded(credit)),
            ExpiredAllocated: rows.Credits.Values.Count(credit => credit.Id.LotId == lot.LotId && credit.PlayerId is not null && Endings.HasEnded(credit)),
            Sum(lot, EntryKind.LotGranted), Sum(lot, EntryKind.CreditsMinted), Sum(lot, EntryKind.CreditsCharged),
            Sum(lot, EntryKind.LotExpired), Sum(lot, EntryKind.CoverageExpired), Sum(lot, EntryKind.CreditsReturned),
            Withdrawn: lot.Withdrawn.Count, LotWithdrawn: Sum(lot, EntryKind.LotWithdrawn)))],
        [.. rows.Members.Values.Select(member => new UserFacts(
            member.UserId, member.Allocation.TotalUsed, 0, 0, 0,
            Entries.Where(entry => entry.Kind == EntryKind.CreditsCharged && entry.UserId == member.UserId).Sum(entry => entry.Quantity), 0, 0, 0,
            rows.Reports.Values.Where(report => report.UserId == member.UserId).Sum(report => report.Charged),
            Entries.Where(entry => entry.Kind == EntryKind.CreditsReturned && entry.UserId == member.UserId).Sum(entry => entry.Quantity)))]);

    /// <summary>Everything that must not depend on when time was booked (T3): rows without their fences, entries without their booked time.</summary>
    public string Settled() => Json.Write(new
    {
        lots = Lots.OrderBy(lot => lot.LotId, StringComparer.Ordinal),
        credits = rows.Credits.Values.Select(credit => credit with { Version = 0 }).OrderBy(credit => $"{credit.Id}", StringComparer.Ordinal),
        endings = rows.Endings.Values.OrderBy(ending => ending.Key.At).ThenBy(ending => ending.Key.Row.Second, StringComparer.Ordinal),
        ended = rows.Ended.OrderBy(lot => lot.Key, StringComparer.Ordinal),
        players = rows.Players.Values.OrderBy(player => player.PlayerId, StringComparer.Ordinal),
        members = rows.Members.Values.OrderBy(member => member.UserId, StringComparer.Ordinal),
        reports = rows.Reports.Values.OrderBy(report => report.ReportId, StringComparer.Ordinal),
        movements = Entries.GroupBy(entry => (entry.Kind, entry.EffectiveAt, entry.LotId, entry.ReportId))
            .Select(group => $"{group.Key.EffectiveAt} {group.Key.Kind} {group.Key.LotId} {group.Key.ReportId} {group.Sum(entry => entry.Quantity)}").Order(StringComparer.Ordinal),
    });

    private long Sum(Lot lot, EntryKind kind) => Entries.Where(entry => entry.LotId == lot.LotId && entry.Kind == kind).Sum(entry => entry.Quantity);

    private void RollForward(Func<Contract, Instant, Changed<Contract>>? rollForward = null)
    {
        var (contract, changes) = rollForward is null ? Contract.RollForward(Now) : rollForward(Contract, Now);
        Contract = contract;
        rows.Apply(changes, Now);
    }

    private Decision<TAnswer> Take<TAnswer>(Decision<Changed<Contract, TAnswer>> decision)
    {
        if (decision.Value is not { } changed) return decision.Refusal!;
        Contract = changed.State;
        rows.Apply(changed.Changes, Now);
        return changed.Answer;
    }
}
