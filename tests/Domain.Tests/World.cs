using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain.Tests;

/// <summary>One contract of one client under the pure domain alone: its rows and entries as a store would have them, guarded by the same fences.</summary>
internal sealed class World(Terms terms)
{
    private readonly Dictionary<string, Lot> lots = [];
    private readonly Dictionary<CreditId, Credit> credits = [];
    private readonly Dictionary<string, Report> reports = [];
    private readonly List<Entry> entries = [];
    private long totalUsed;

    public Contract Contract { get; private set; } = new(terms, 1, [], Instant.MinValue);

    public Instant Now { get; private set; } = terms.Begins;

    public IReadOnlyList<Entry> Entries => entries;

    public IReadOnlyCollection<Lot> Lots => lots.Values;

    /// <summary>The clock moves; nothing is booked until somebody asks (T3).</summary>
    public void MoveTo(Instant now) => Now = now;

    /// <summary>Books what fell due: of the contract, and of the players' credits.</summary>
    public void Sweep(Func<Contract, Instant, Changed<Contract>>? rollForward = null)
    {
        RollForward(rollForward);
        Apply(Coverage.Expire(credits.Values.OrderBy(credit => credit.ExpiresAt).ThenBy(credit => credit.Id.ToString()), Now));
    }

    public Decision<Lot> Grant(GrantLot grant)
    {
        RollForward();
        return Take(Granting.Decide(Contract, grant, Now));
    }

    public Decision<Contract> Agree(Terms terms)
    {
        RollForward();
        var billed = Billing.Running(terms, Now) is { } start && lots.ContainsKey(Billing.LotId(start)) ? start : (LocalDate?)null;
        return Take(Agreeing.Decide(Contract, new(terms, null, "ops", billed), Now));
    }

    public Decision<Report> Report(string reportId, IReadOnlyCollection<string> players)
    {
        RollForward();
        if (reports.TryGetValue(reportId, out var made))
            return made.Answers(terms.ContractId, "anna", players) ? made : new Refusal(RefusalCode.ReportIdReused, "another request");

        var asked = players.Select(player => (player, current: credits.Values.SingleOrDefault(credit => credit.PlayerId == player && credit.IsCurrent)));
        return Take(Charging.Decide(Contract, Given.Charge(reportId, [.. asked.Select(pair => new PlayerOnReport(pair.player, null, pair.current, pair.current?.CoversAt(Now) != true))]), Now));
    }

    /// <summary>The books as the store's rows and entries have them (G2).</summary>
    public Audit Audit() => Domain.Audit.Of(
        terms.ContractId,
        [.. lots.Values.Select(lot => new LotFacts(
            lot.LotId, lot.Quantity,
            Free: lot.ExpiryBooked ? 0 : lot.Free.Count, ExpiredFree: lot.ExpiryBooked ? lot.Free.Count : 0,
            Allocated: credits.Values.Count(credit => credit.Id.LotId == lot.LotId && !credit.ExpiryBooked),
            ExpiredAllocated: credits.Values.Count(credit => credit.Id.LotId == lot.LotId && credit.ExpiryBooked),
            Sum(lot, EntryKind.LotGranted), Sum(lot, EntryKind.CreditsMinted), Sum(lot, EntryKind.CreditsCharged),
            Sum(lot, EntryKind.LotExpired), Sum(lot, EntryKind.CoverageExpired)))],
        [new("anna", totalUsed, 0, 0, 0, entries.Where(entry => entry.Kind == EntryKind.CreditsCharged).Sum(entry => entry.Quantity), 0, 0, 0, reports.Values.Sum(report => report.Charged))]);

    /// <summary>Everything that must not depend on when time was booked (T3): rows without their fences, entries without their booked time.</summary>
    public string Settled() => Json.Write(new
    {
        lots = lots.Values.OrderBy(lot => lot.LotId, StringComparer.Ordinal),
        credits = credits.Values.Select(credit => credit with { Version = 0 }).OrderBy(credit => credit.Id.ToString(), StringComparer.Ordinal),
        reports = reports.Values.OrderBy(report => report.ReportId, StringComparer.Ordinal),
        movements = entries.GroupBy(entry => (entry.Kind, entry.EffectiveAt, entry.LotId, entry.ReportId))
            .Select(group => $"{group.Key.EffectiveAt} {group.Key.Kind} {group.Key.LotId} {group.Key.ReportId} {group.Sum(entry => entry.Quantity)}").Order(StringComparer.Ordinal),
    });

    private long Sum(Lot lot, EntryKind kind) => entries.Where(entry => entry.LotId == lot.LotId && entry.Kind == kind).Sum(entry => entry.Quantity);

    private void RollForward(Func<Contract, Instant, Changed<Contract>>? rollForward = null)
    {
        var (contract, changes) = rollForward is null ? Contract.RollForward(Now) : rollForward(Contract, Now);
        Contract = contract;
        Apply(changes);
    }

    private Decision<TAnswer> Take<TAnswer>(Decision<Changed<Contract, TAnswer>> decision)
    {
        if (decision.Value is not { } changed) return decision.Refusal!;
        Contract = changed.State;
        Apply(changed.Changes);
        return changed.Answer;
    }

    private void Apply(Changes changes)
    {
        foreach (var change in changes.Lots)
        {
            Invariant.Holds(change.IsNew != lots.ContainsKey(change.Lot.LotId), "a lot is new once");
            lots[change.Lot.LotId] = change.Lot;
        }
        foreach (var change in changes.Credits)
        {
            Invariant.Holds(change.Expected == (credits.GetValueOrDefault(change.Credit.Id)?.Version ?? 0), "a credit's fence holds");
            credits[change.Credit.Id] = change.Credit;
        }
        Invariant.Holds(credits.Values.Where(credit => credit.IsCurrent).CountBy(credit => credit.PlayerId!).All(pair => pair.Value == 1), "a player has one current credit");
        foreach (var report in changes.Reports) reports.Add(report.ReportId, report);
        totalUsed += changes.Uses.Sum(use => use.Credits);
        entries.AddRange(changes.Entries);
    }
}
