using System.Runtime.CompilerServices;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor who sees every commit, and recomputes what it must be.</summary>
internal sealed class Books(World world, BusinessClock clock, Submissions submissions)
{
    private readonly Dictionary<(string ContractId, string LotId), LotAccount> lots = [];
    private readonly Dictionary<AllocationKey, UserAccount> users = [];

    public MemoryStore Store { get; set; } = null!;

    public History History { get; set; } = null!;

    private sealed class LotAccount
    {
        public long Granted, Minted, Charged, Returned, LotExpired, CoverageExpired, Allocated, ExpiredAllocated, ExpiredAlone;

        public void Count(Credit? credit, int by)
        {
            if (credit is null) return;
            if (credit.PlayerId is null) ExpiredAlone += by;
            else if (credit.ExpiryBooked) ExpiredAllocated += by;
            else Allocated += by;
        }
    }

    private sealed class UserAccount
    {
        public long Charged, Returned, Reported;
    }

    /// <summary>Checks what a commit will do against the state that it meets.</summary>
    public void Before(Commit commit)
    {
        var changes = commit.Changes;
        foreach (var entry in changes.Entries)
            Holds(entry.EffectiveAt <= entry.BookedAt && entry.BookedAt <= clock.Now, "an entry is booked after it took effect", $"{entry}");
        CheckLotExpiry(changes);
        CheckCoverageExpiry(changes);
        CheckPools(commit);
        foreach (var report in changes.Reports) CheckReport(report, commit);
        var reports = changes.Reports.Select(report => report.ReportId).ToHashSet();
        Holds(changes.Credits.Count(change => change.Expected == 0 && reports.Contains(change.Credit.ReportId!)) == changes.Reports.Sum(report => report.Charged),
            "a credit is charged by the report's own commit", $"{changes.Credits.Length} credits, {changes.Reports.Length} reports");
        Post(changes);
    }

    /// <summary>Checks that the books of all that a commit touched balance (G2).</summary>
    public void After(Commit commit)
    {
        var changes = commit.Changes;
        var touched = changes.Lots.Select(change => (change.ContractId, change.Lot.LotId))
            .Concat(changes.Credits.Select(change => (change.Credit.Id.ContractId, change.Credit.Id.LotId)))
            .Concat(changes.Entries.Where(entry => entry.LotId is not null).Select(entry => (entry.ContractId!, entry.LotId!))).Distinct();
        foreach (var key in touched) CheckBalance(key);
        foreach (var key in changes.Uses.Select(use => new AllocationKey(use.ContractId, use.UserId)).Concat(changes.GivenBack.Select(back => new AllocationKey(back.ContractId, back.UserId))))
        {
            var account = Account(users, key);
            var total = Store.Member(key)!.Allocation.TotalUsed;
            Holds(total == account.Charged - account.Returned && account.Charged == account.Reported, "the books balance (G2)",
                $"user {key}: total used {total}, charged {account.Charged}, given back {account.Returned}, reported {account.Reported}");
        }
    }

    /// <summary>Checks that nothing that fell due is left to be booked.</summary>
    public void AllIsBooked()
    {
        var lot = Store.Lots.SelectMany(row => Store.Apart(row.Key).Values.Prepend(row.Value)).FirstOrDefault(lot => lot is { ExpiryBooked: false, Source: not LotSource.Minted, Free.Count: > 0 } && lot.ExpiresAt <= clock.Now);
        Holds(lot is null && Store.DueCredits(clock.Now, 1).IsEmpty, "what fell due is booked (T3)", $"{lot}");
    }

    private void CheckBalance((string ContractId, string LotId) key)
    {
        if (Store.Lot(key.ContractId, key.LotId) is not { } lot) return;
        var account = Account(lots, key);
        var parts = Store.Apart(key).Values.Prepend(lot).ToLookup(part => part.ExpiryBooked, part => part.Free.Count);
        var free = parts[false].Sum();
        var expired = parts[true].Sum() + account.ExpiredAlone;
        Holds(
            lot.Quantity == account.Granted + account.Minted
                && lot.Quantity == free + account.Allocated + expired + account.ExpiredAllocated
                && free == account.Granted + account.Minted - account.Charged + account.Returned - account.LotExpired
                && account.Allocated == account.Charged - account.Returned - account.CoverageExpired
                && expired == account.LotExpired,
            "the books balance (G2)",
            $"lot {key}: quantity {lot.Quantity}, free {free}, allocated {account.Allocated}, expired {expired} + {account.ExpiredAllocated}; entries: granted {account.Granted}, minted {account.Minted}, charged {account.Charged}, returned {account.Returned}, expired {account.LotExpired} + {account.CoverageExpired}");
    }

    private void Post(Changes changes)
    {
        foreach (var entry in changes.Entries.Where(entry => entry.LotId is not null))
        {
            var account = Account(lots, (entry.ContractId!, entry.LotId!));
            switch (entry.Kind)
            {
                case EntryKind.LotGranted: account.Granted += entry.Quantity; break;
                case EntryKind.CreditsMinted: account.Minted += entry.Quantity; break;
                case EntryKind.LotExpired: account.LotExpired += entry.Quantity; break;
                case EntryKind.CoverageExpired: account.CoverageExpired += entry.Quantity; break;
                case EntryKind.CreditsCharged:
                    account.Charged += entry.Quantity;
                    if (entry.UserId is { } user) Account(users, new AllocationKey(entry.ContractId!, user)).Charged += entry.Quantity;
                    break;
                case EntryKind.CreditsReturned:
                    account.Returned += entry.Quantity;
                    if (entry.UserId is { } freed) Account(users, new AllocationKey(entry.ContractId!, freed)).Returned += entry.Quantity;
                    break;
            }
        }
        foreach (var report in changes.Reports) Account(users, new AllocationKey(report.ContractId, report.UserId)).Reported += report.Charged;
        foreach (var change in changes.Credits.GroupBy(change => change.Credit.Id))
        {
            var account = Account(lots, (change.Key.ContractId, change.Key.LotId));
            account.Count(Store.Credit(change.Key), -1);
            if (change.Last() is { IsGone: false, Credit: var credit }) account.Count(credit, 1);
        }
    }

    private void CheckLotExpiry(Changes changes)
    {
        foreach (var entry in changes.Entries.Where(entry => entry is { Kind: EntryKind.LotExpired, Cause: "expiry" }))
        {
            var apart = Subjects.AsCredit(entry.Subject)?.Ordinal ?? 0;
            var lot = Store.Lot(entry.ContractId!, entry.LotId!, apart) ?? changes.Lots.Single(change => change.IsNew && change.ContractId == entry.ContractId && change.Lot.LotId == entry.LotId && change.Lot.Apart == 0).Lot with { ExpiryBooked = false };
            Holds(lot is { ExpiryBooked: false } && lot.ExpiresAt == entry.EffectiveAt && lot.Free.Count == entry.Quantity,
                "expiry is booked once, as of its due instant (T3)", $"{lot}, entry of {entry.EffectiveAt}");
        }
    }

    private void CheckCoverageExpiry(Changes changes)
    {
        // An end that is taken back is booked first.
        var revived = changes.Entries.Where(entry => entry is { Kind: EntryKind.CoverageExpired, Quantity: < 0 }).Select(entry => entry.Subject).ToHashSet();
        var booked = changes.Credits
            .Where(change => change.Credit.PlayerId is not null && (change.IsGone ? revived.Contains(Subjects.Credit(change.Credit.Id)) : change.Credit.ExpiryBooked) && Store.Credit(change.Credit.Id) is { ExpiryBooked: false })
            .GroupBy(change => (change.Credit.Id.ContractId, change.Credit.Id.LotId, change.Credit.ReportId, change.Credit.ExpiresAt))
            .ToDictionary(group => group.Key, group => (long)group.Count());
        var told = changes.Entries.Where(entry => entry is { Kind: EntryKind.CoverageExpired, Quantity: > 0 })
            .GroupBy(entry => (ContractId: entry.ContractId!, LotId: entry.LotId!, entry.ReportId, ExpiresAt: (Instant?)entry.EffectiveAt))
            .ToDictionary(group => group.Key, group => group.Sum(entry => entry.Quantity));
        Holds(booked.Count == told.Count && booked.All(pair => told.GetValueOrDefault(pair.Key) == pair.Value),
            "expiry is booked once, as of its due instant (T3)", $"credits {string.Join(' ', booked)}, entries {string.Join(' ', told)}");
    }

    private void CheckReport(Report report, Commit commit)
    {
        var key = new ReportKey(report.ClientId, report.ReportId);
        Holds(submissions.MayHappen(key), "a refusal is final, and so is a dry run (R5, R6)", $"{key} takes effect, though nobody sent it since");
        Holds(report.At <= clock.Now, "a report's instant is no later than its commit", $"{key} at {report.At}");
        var terms = History.Read(Store.Document(ContractActor.Kind, report.ContractId)!).Terms;
        var termsChange = commit.Documents.Any(write => write.Kind == ContractActor.Kind && write.Body is not null);
        Holds(termsChange || (report.At >= terms.Begins && !(report.At >= terms.Ends)), "only an active contract is charged (C1)", $"{key} at {report.At}, {terms}");
        Holds(report.Players.Length == report.Charged + report.Covered && report.Charged == report.Players.Count(player => player.Charge == PlayerCharge.New),
            "a report adds up (R1)", $"{report}");
        Holds(report.Players.Select(player => player.CreditId).Distinct().Count() == report.Players.Length, "a credit covers one player (P2)", $"{report}, {string.Join(' ', report.Players)}");
        Holds(Store.Member(new(report.ContractId, report.UserId)) is { Assigned: true, Disabled: false } || !commit.Changes.Members.IsEmpty,
            "only an assigned, enabled user consumes (C3)", $"{key} by {report.UserId}");

        foreach (var player in report.Players)
        {
            var before = Store.CurrentCredit(new(report.ClientId, player.PlayerId));
            if (player.Charge == PlayerCharge.Covered)
            {
                var credit = Store.Credit(CreditId.Parse(player.CreditId!));
                Holds(credit?.PlayerId == player.PlayerId && credit.ExpiresAt == player.ExpiresAt && report.At >= credit.ActivatedAt && !(report.At >= credit.ExpiresAt),
                    "a covered player is covered (P2, P3)", $"{key} at {report.At}: {player}, {credit}");
                continue;
            }
            Holds(before is null || report.At >= before.ExpiresAt, "one active credit a player (P2)", $"{key} at {report.At}: {player.PlayerId} has {before}");
            var drawn = commit.Changes.Credits.Where(change => change.Expected == 0 && change.Credit.Id.ToString() == player.CreditId).Select(change => change.Credit).ToList();
            Holds(drawn is [var one] && one.PlayerId == player.PlayerId && one.ReportId == report.ReportId && one.UsedBy == report.UserId && one.IsCurrent
                && one.ActivatedAt == report.At && one.ExpiresAt == player.ExpiresAt,
                "a charged player owns one credit drawn for the report (P2)", $"{key}: {player}, {string.Join(' ', drawn)}");
            if (!termsChange && drawn is [var owned]) CheckExpiry(report, terms, owned, commit);
        }
    }

    // A lot that is open again by an edit is cut anew to the contract's end.
    private void CheckExpiry(Report report, Terms terms, Credit credit, Commit commit)
    {
        var lotExpiry = terms.Type == ContractType.Metered
            ? commit.Changes.Lots.Where(change => change.ContractId == report.ContractId && change.Lot.LotId == credit.Id.LotId && (change.Lot.Apart == 0 || change.Lot.Apart == credit.Id.Ordinal)).MaxBy(change => change.Lot.Apart)!.Lot.ExpiresAt
            : Earliest(terms.UnallocatedLifetimeDays is { } days ? DayByDay.SameTimeAfter(report.At, days, terms) : null, terms.Ends);
        var expected = terms.CoverageFrom == CoverageFrom.Creation ? lotExpiry : DayByDay.SameTimeAfter(report.At, terms.CoverageDays, terms);
        var isNew = terms.Type == ContractType.Metered && Store.Lot(report.ContractId, credit.Id.LotId) is null;
        Holds(isNew || credit.ExpiresAt == expected, "coverage lasts as long as it should (P3)", $"{credit}, expected {expected}");
    }

    // L2, decided again in the order of the commit; a commit that also changes terms, adds lots or edits credits is left to the balance.
    private void CheckPools(Commit commit)
    {
        foreach (var reports in commit.Changes.Reports.GroupBy(report => report.ContractId))
        {
            var contract = Store.Contract(reports.Key)!;
            if (History.Read(contract.Document).Terms.Type == ContractType.Unlimited) continue;
            if (commit.Documents.Any(write => write.Body is not null) || commit.Changes.Lots.Any(change => change.IsNew) || commit.Changes.Entries.Any(EditBooks.IsEdit)) continue;

            var free = contract.OpenLots.ToDictionary(lot => (lot.LotId, lot.Apart), lot => lot.Free.Count);
            foreach (var report in reports)
            {
                var open = contract.OpenLots.Where(lot => report.At >= lot.AvailableFrom && !(report.At >= lot.ExpiresAt))
                    .OrderBy(lot => lot.ExpiresAt ?? Instant.MaxValue).ThenBy(lot => lot.AvailableFrom).ThenBy(lot => lot.LotId, StringComparer.Ordinal).ThenBy(lot => lot.Apart).ToList();
                var drawn = report.Players.Where(player => player.Charge == PlayerCharge.New).Select(player => CreditId.Parse(player.CreditId!))
                    .GroupBy(id => (id.LotId, Apart: free.ContainsKey((id.LotId, id.Ordinal)) ? id.Ordinal : 0)).ToDictionary(group => group.Key, group => (long)group.Count());
                var left = (long)report.Charged;
                foreach (var lot in open)
                {
                    var key = (lot.LotId, lot.Apart);
                    var part = Math.Min(left, free[key]);
                    Holds(drawn.GetValueOrDefault(key) == part, "a draw takes what expires first (L2)", $"{report.ReportId} takes {drawn.GetValueOrDefault(key)} of {lot}, should take {part}");
                    free[key] -= part;
                    left -= part;
                }
                Holds(left == 0, "a draw takes no more than there is (L2)", $"{report}");
                Holds(report.Balance.ContractRemaining == open.Sum(lot => free[(lot.LotId, lot.Apart)]), "the balance is what is left", $"{report}");
            }
        }
    }

    private static Instant? Earliest(Instant? a, Instant? b) => a is null ? b : b is null ? a : Instant.Min(a.Value, b.Value);

    private static TAccount Account<TKey, TAccount>(Dictionary<TKey, TAccount> accounts, TKey key) where TKey : notnull where TAccount : new()
    {
        if (!accounts.TryGetValue(key, out var account)) accounts[key] = account = new();
        return account;
    }

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
