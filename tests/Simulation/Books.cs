using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor who sees every commit, and recomputes what it must be.</summary>
internal sealed class Books(World world, MemoryStore store, History history, Clocks clocks, Submissions submissions)
{
    private readonly Dictionary<(string ContractId, string LotId), LotAccount> lots = [];
    private readonly Dictionary<AllocationKey, UserAccount> users = [];
    private readonly Dictionary<PlayerKey, Instant> freeFrom = [];
    private readonly Dictionary<CreditId, Instant> changedAt = [];
    private readonly Dictionary<RowKey, Instant> memberAsOf = [];

    // Which credits' coverage will end, and is not booked as ended.
    private readonly Dictionary<EndingKey, HashSet<CreditId>> open = [];

    private sealed class LotAccount
    {
        public readonly SortedSet<long> Apart = [];
        public long Granted, Minted, Charged, Returned, LotExpired, CoverageExpired, Withdrawn, Allocated, ExpiredAllocated, ExpiredAlone;

        public void Count(Credit credit, bool hasEnded, int by)
        {
            if (credit.PlayerId is null) ExpiredAlone += by;
            else if (hasEnded) ExpiredAllocated += by;
            else Allocated += by;
        }
    }

    private sealed class UserAccount
    {
        public long Charged, Returned, Reported;
    }

    /// <summary>Checks what a commit will do against the state that it meets.</summary>
    /// <returns>What each of its reports leaves.</returns>
    public ImmutableArray<Step> Before(Commit commit)
    {
        var changes = commit.Changes;
        foreach (var entry in changes.Entries)
            Holds(entry.EffectiveAt <= entry.BookedAt && entry.BookedAt <= clocks.Latest, "an entry is booked after it took effect (G1)", $"{entry}");
        CheckOrder(commit);
        CheckCoverageExpiry(changes);
        var steps = Walk(commit);
        CheckLotExpiry(changes, steps);
        foreach (var report in changes.Reports) CheckReport(report, commit);
        var reports = changes.Reports.Select(report => report.ReportId).ToHashSet();
        Holds(changes.Credits.Count(change => change.Expected == 0 && change.Credit.ReportId is { } by && reports.Contains(by)) == changes.Reports.Sum(report => report.Charged),
            "a credit is charged by the report's own commit", $"{changes.Credits.Count()} credits, {reports.Count} reports");
        Post(changes);
        return steps;
    }

    /// <summary>Checks that the books of all that a commit touched balance (G2).</summary>
    public void After(Commit commit)
    {
        var changes = commit.Changes;
        var touched = changes.Lots.Select(change => (change.ContractId, change.Lot.LotId))
            .Concat(changes.Credits.Select(change => (change.Credit.Id.ContractId, change.Credit.Id.LotId)))
            .Concat(changes.Entries.Where(entry => entry.LotId is not null).Select(entry => (entry.ContractId!, entry.LotId!))).Distinct();
        foreach (var key in touched) CheckBalance(key);
        foreach (var key in changes.Endings.Select(change => change.Ending.Key).Concat(Endings.Keys(changes.Credits.Select(change => change.Credit))))
            Holds((store.Ending(key)?.Credits ?? 0) == open.GetValueOrDefault(key, []).Count, "an ending has as many credits as end together (P3)", $"{store.Ending(key)}");
        foreach (var key in History.Touched(changes))
        {
            var account = Account(users, key);
            var total = store.Member(key)!.Allocation.TotalUsed;
            Holds(total == account.Charged - account.Returned && account.Charged == account.Reported, "the books balance (G2)",
                $"user {key}: total used {total}, charged {account.Charged}, given back {account.Returned}, reported {account.Reported}");
        }
        foreach (var player in changes.Players.Select(change => change.Player))
        {
            CheckPlayer(player);
            freeFrom[new(player.ClientId, player.PlayerId)] = player.Credit is null ? player.AsOf : player.CoversUntil ?? Instant.MaxValue;
        }
        foreach (var change in changes.Credits.Where(change => change.Credit.PlayerId is not null && !change.IsGone))
            if (store.Player(new(change.Credit.ClientId, change.Credit.PlayerId!)) is { } player && player.Credit == change.Credit.Id) CheckPlayer(player);
    }

    /// <summary>Checks that nothing that fell due is left to be booked.</summary>
    public void AllIsBooked()
    {
        var now = clocks.Earliest;
        var lot = store.Lots.Select(row => row.Lot).FirstOrDefault(lot => lot is { ExpiryBooked: false, Source: not LotSource.Minted, Free.Count: > 0 } && lot.ExpiresAt <= now);
        var credit = store.Credits.FirstOrDefault(credit => credit.PlayerId is not null && !HasEnded(credit) && credit.CoversUntil <= now);
        Holds(lot is null && credit is null, "what fell due is booked (T3)", $"{lot}, {credit}");
    }

    // A player's row says of the player's credit what the credit says.
    private void CheckPlayer(Player player)
    {
        var credit = player.Credit is { } id ? store.Credit(id) : null;
        Holds(player.Credit is null ? player.CoversUntil is null : credit is not null && credit.PlayerId == player.PlayerId && credit.CoversUntil == player.CoversUntil,
            "a player's row tells of the player's credit (P2)", $"{player}, {credit}");
    }

    // Nothing is decided before what it rests on, whichever clock decides.
    private void CheckOrder(Commit commit)
    {
        var changes = commit.Changes;
        foreach (var write in changes.Documents)
            Holds(write.AsOf <= clocks.Latest && (write.Kind == DocumentKind.Preview || !(store.Document(write.Kind, write.Id)?.AsOf > write.AsOf)), "time does not go back (P3)", $"{write}");
        foreach (var player in changes.Players.Select(change => change.Player))
        {
            var key = new PlayerKey(player.ClientId, player.PlayerId);
            var before = store.Player(key);
            Holds(!(before?.AsOf > player.AsOf) && player.AsOf <= clocks.Latest, "time does not go back (P3)", $"{player}, {before}");
            Holds(player.Credit is null || player.Credit == before?.Credit || !(freeFrom.GetValueOrDefault(key) > player.AsOf),
                "two credits of a player do not overlap (P2, P3)", $"{player}, covered until {freeFrom.GetValueOrDefault(key)}");
        }
        foreach (var change in changes.Members)
        {
            Holds(!(memberAsOf.GetValueOrDefault(change.Row) > change.Member.AsOf) && change.Member.AsOf <= clocks.Latest, "time does not go back (P3)", $"{change}");
            memberAsOf[change.Row] = change.Member.AsOf;
        }
        foreach (var change in changes.Users())
            Holds(!(store.User(new(change.User.ClientId, change.User.UserId))?.AsOf > change.User.AsOf), "time does not go back (P3)", $"{change}");
        foreach (var report in changes.Reports)
        {
            var member = store.Member(new(report.ContractId, report.UserId));
            Holds(!(store.Document(DocumentKind.Contract, report.ContractId)?.AsOf > report.At) && !(member?.AsOf > report.At), "no report is before what it rests on (P3)", $"{report}, {member}");
            foreach (var player in report.Players)
                Holds(!(store.Player(new(report.ClientId, player.PlayerId))?.AsOf > report.At), "no report is before what it rests on (P3)", $"{report}, {player}");
        }

        // What an edit does to a credit comes after all that was done to it before, be that the end of its coverage.
        foreach (var entry in changes.Entries)
        {
            if (Subjects.AsCredit(entry.Subject) is not { } id) continue;
            Holds(!(changedAt.GetValueOrDefault(id) > entry.EffectiveAt), "what happens to a credit happens in order (G1)", $"{entry}, changed at {changedAt.GetValueOrDefault(id)}");
            changedAt[id] = entry.EffectiveAt;
        }
        foreach (var change in changes.Credits.Where(change => !change.IsGone))
            changedAt[change.Credit.Id] = Instant.Max(
                changedAt.GetValueOrDefault(change.Credit.Id),
                change.Credit.ExpiresAt is { } over && over <= Booked(changes) ? over : change.Credit.ActivatedAt ?? Instant.MinValue);
        foreach (var id in Untouched(changes)) changedAt[id] = Instant.Max(changedAt.GetValueOrDefault(id), store.Credit(id)!.ExpiresAt!.Value);
    }

    private void CheckBalance((string ContractId, string LotId) key)
    {
        if (store.Lot(key.ContractId, key.LotId) is not { } lot) return;
        var account = Account(lots, key);
        var parts = account.Apart.Select(ordinal => store.Lot(key.ContractId, key.LotId, ordinal)!).Prepend(lot).ToLookup(part => part.ExpiryBooked, part => part.Free.Count);
        var free = parts[false].Sum();
        var expired = parts[true].Sum() + account.ExpiredAlone;
        Holds(
            lot.Quantity == account.Granted + account.Minted
                && lot.Quantity == free + account.Allocated + expired + account.ExpiredAllocated + lot.Withdrawn.Count
                && free == account.Granted + account.Minted - account.Charged + account.Returned - account.LotExpired - account.Withdrawn
                && lot.Withdrawn.Count == account.Withdrawn
                && account.Allocated == account.Charged - account.Returned - account.CoverageExpired
                && expired == account.LotExpired
                && store.Ended(key.ContractId, key.LotId) == account.ExpiredAlone + account.ExpiredAllocated,
            "the books balance (G2)",
            $"lot {key}: ended {store.Ended(key.ContractId, key.LotId)}, quantity {lot.Quantity}, free {free}, allocated {account.Allocated}, expired {expired} + {account.ExpiredAllocated}; entries: granted {account.Granted}, minted {account.Minted}, charged {account.Charged}, returned {account.Returned}, expired {account.LotExpired} + {account.CoverageExpired}, withdrawn {account.Withdrawn}");
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
                case EntryKind.LotWithdrawn: account.Withdrawn += entry.Quantity; break;
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
        foreach (var change in changes.Lots.Where(change => change.Lot.Apart > 0)) Account(lots, (change.ContractId, change.Lot.LotId)).Apart.Add(change.Lot.Apart);
        foreach (var report in changes.Reports) Account(users, new AllocationKey(report.ContractId, report.UserId)).Reported += report.Charged;
        foreach (var id in Untouched(changes).ToList())
        {
            var (account, credit) = (Account(lots, (id.ContractId, id.LotId)), store.Credit(id)!);
            account.Count(credit, hasEnded: false, -1);
            account.Count(credit, hasEnded: true, 1);
            open[EndingKey.Of(credit)!.Value].Remove(id);
        }
        foreach (var change in changes.Credits.GroupBy(change => change.Credit.Id))
        {
            var account = Account(lots, (change.Key.ContractId, change.Key.LotId));
            if (store.Credit(change.Key) is { } before)
            {
                account.Count(before, HasEnded(before), -1);
                if (EndingKey.Of(before) is { } left) open.GetValueOrDefault(left)?.Remove(before.Id);
            }
            if (change.SingleOrDefault(one => !one.IsGone)?.Credit is not { } credit) continue;
            var key = credit.ExpiresAt > Booked(changes) ? EndingKey.Of(credit) : null;
            account.Count(credit, hasEnded: key is null && EndingKey.Of(credit) is not null, 1);
            if (key is not { } ending) continue;
            if (!open.TryGetValue(ending, out var together)) open[ending] = together = [];
            together.Add(credit.Id);
        }
    }

    private bool HasEnded(Credit credit) => EndingKey.Of(credit) is { } key && !open.GetValueOrDefault(key, []).Contains(credit.Id);

    // When a commit was decided; it has entries wherever it changes credits.
    private static Instant Booked(Changes changes) => changes.Entries.Select(entry => entry.BookedAt).Append(Instant.MinValue).Max();

    // The credits whose end a commit books without touching their rows.
    private IEnumerable<CreditId> Untouched(Changes changes) => changes.Endings.Where(change => change.Ending.Credits == 0)
        .SelectMany(change => open.GetValueOrDefault(change.Ending.Key, [])).Except(changes.Credits.Select(change => change.Credit.Id));

    // What its reports draw they draw before.
    private void CheckLotExpiry(Changes changes, ImmutableArray<Step> steps)
    {
        foreach (var entry in changes.Entries.Where(entry => entry is { Kind: EntryKind.LotExpired, Cause: "expiry" }))
        {
            var apart = Subjects.AsCredit(entry.Subject)?.Ordinal ?? 0;
            var lot = store.Lot(entry.ContractId!, entry.LotId!, apart)
                ?? changes.Lots.Single(change => change.IsNew && change.ContractId == entry.ContractId && change.Lot.LotId == entry.LotId && change.Lot.Apart == 0).Lot with { ExpiryBooked = false };
            var back = apart == 0 ? Back(changes, lot.LotId, entry.ContractId!, entry.EffectiveAt) : 0;
            var left = steps.IsEmpty ? lot.Free.Count + back : steps[^1].After.Where(pot => (pot.LotId, pot.Apart) == (lot.LotId, lot.Apart)).Sum(pot => pot.Free);

            // A lot that was used up takes the contract's end when credits return to it (L4).
            var moved = changes.Entries.TakeWhile(other => other != entry).LastOrDefault(other => other.Kind == EntryKind.LotSet && other.Subject == entry.Subject);
            var end = moved is null ? lot.ExpiresAt : Json.Read<LotTerms>(moved.After!).ExpiresAt;
            Holds(lot is { ExpiryBooked: false } && end == entry.EffectiveAt && left == entry.Quantity,
                "expiry is booked once, as of its due instant (T3)", $"{lot}, entry of {entry.EffectiveAt}");
        }
    }

    // What ends of holds bring back to a lot before an instant.
    private static long Back(Changes changes, string lotId, string contractId, Instant before) => changes.Entries
        .Where(entry => UndoBooks.IsUndone(entry) && entry.LotId == lotId && entry.ContractId == contractId && entry.EffectiveAt < before)
        .Count(entry => !changes.Entries.Any(other => other.Kind == EntryKind.LotExpired && other.Subject == entry.Subject && other.EffectiveAt == entry.EffectiveAt));

    private void CheckCoverageExpiry(Changes changes)
    {
        // An end that is taken back is booked first.
        var revived = changes.Entries.Where(entry => entry is { Kind: EntryKind.CoverageExpired, Quantity: < 0 }).Select(entry => entry.Subject).ToHashSet();
        var booked = changes.Credits
            .Where(change => change.Credit.PlayerId is not null
                && (change.IsGone ? revived.Contains(Subjects.Credit(change.Credit.Id)) : change.Credit.ExpiresAt <= Booked(changes)))
            .Where(change => store.Credit(change.Credit.Id) is { PlayerId: not null } before && !HasEnded(before)).Select(change => change.Credit)
            .Concat(Untouched(changes).Select(id => store.Credit(id)!))
            .GroupBy(credit => (credit.Id.ContractId, credit.Id.LotId, credit.ReportId, credit.ExpiresAt))
            .ToDictionary(group => group.Key, group => (long)group.Count());
        var told = changes.Entries.Where(entry => entry is { Kind: EntryKind.CoverageExpired, Quantity: > 0 })
            .GroupBy(entry => (ContractId: entry.ContractId!, LotId: entry.LotId!, entry.ReportId, ExpiresAt: (Instant?)entry.EffectiveAt))
            .ToDictionary(group => group.Key, group => group.Sum(entry => entry.Quantity));
        Holds(booked.Count == told.Count && booked.All(pair => told.GetValueOrDefault(pair.Key) == pair.Value),
            "each end of coverage is booked once, as of its due instant (T3)", $"credits {string.Join(' ', booked)}, entries {string.Join(' ', told)}");
    }

    private void CheckReport(Report report, Commit commit)
    {
        var key = new ReportKey(report.ClientId, report.ReportId);
        Holds(submissions.MayHappen(report), "a refusal is final, and so is a dry run (R3, R5, R6)", $"{key} takes effect, though nobody sent it since");
        Holds(report.At <= clocks.Latest, "a report's instant is no later than its commit", $"{key} at {report.At}");
        var terms = history.Read(report.ContractId, store)!.Terms;
        Holds(report.At >= terms.Begins && !(report.At >= terms.Ends), "only an active contract is charged (C1)", $"{key} at {report.At}, {terms}");
        Holds(report.Players.Length == report.Charged + report.Covered && report.Charged == report.Players.Count(player => player.Charge == PlayerCharge.New),
            "a report adds up (R1)", $"{report}");
        Holds(report.Players.Select(player => player.CreditId).Distinct().Count() == report.Players.Length, "a credit covers one player (P2)", $"{report}, {string.Join(' ', report.Players)}");
        Holds(store.Member(new(report.ContractId, report.UserId)) is { Assigned: true, Disabled: false } || IsSet(commit, report.UserId),
            "only an assigned, enabled user consumes (C3)", $"{key} by {report.UserId}");

        foreach (var player in report.Players)
        {
            var row = new PlayerKey(report.ClientId, player.PlayerId);
            var earlier = commit.Changes.Credits.Where(change => change.Expected == 0 && change.Credit.PlayerId == player.PlayerId).Select(change => change.Credit).ToList();
            if (player.Charge == PlayerCharge.Covered)
            {
                var credit = earlier.FirstOrDefault(one => $"{one.Id}" == player.CreditId) ?? store.Credit(CreditId.Parse(player.CreditId!));
                // A contract whose clock is ahead may have booked the end of the hold that covers.
                var isHeld = store.Player(row) is { } known && $"{known.Credit}" == player.CreditId && known.CoversUntil == player.ExpiresAt && report.At < known.CoversUntil;
                Holds(isHeld || (credit?.PlayerId == player.PlayerId && credit.CoversUntil == player.ExpiresAt && report.At >= credit.ActivatedAt && !(report.At >= credit.CoversUntil)),
                    "a covered player is covered (P2, P3)", $"{key} at {report.At}: {player}, {credit}");
                Holds(earlier.Count > 0 || $"{store.Player(row)?.Credit}" == player.CreditId, "a covered player is covered by the present credit (P2)", $"{key}: {player}, {store.Player(row)}");
                continue;
            }
            var before = store.Player(row);
            Holds(before?.Credit is null || report.At >= before.CoversUntil, "one active credit a player (P2)", $"{key} at {report.At}: {before}");
            // Another report of the same commit may have come after the coverage.
            var owned = earlier.FindAll(one => one.ReportId == report.ReportId);
            Holds(owned is [var one] && $"{one.Id}" == player.CreditId && one.UsedBy == report.UserId
                && one.ActivatedAt == report.At && one.CoversUntil == player.ExpiresAt && one.HeldUntil == (report.HoldUntil < one.ExpiresAt || one.ExpiresAt is null ? report.HoldUntil : null)
                && earlier.TrueForAll(other => other == one || other.ActivatedAt >= one.CoversUntil || one.ActivatedAt >= other.CoversUntil),
                "a charged player owns one credit drawn for the report (P2)", $"{key}: {player}, {string.Join(' ', earlier)}");
            if (owned is [var own]) CheckExpiry(report, terms, own, commit);
        }
    }

    // A lot that is open again by an edit is cut anew to the contract's end.
    private void CheckExpiry(Report report, Terms terms, Credit credit, Commit commit)
    {
        var lotExpiry = terms.Type == ContractType.Metered
            ? commit.Changes.Lots.Where(change => change.ContractId == report.ContractId && change.Lot.LotId == credit.Id.LotId && (change.Lot.Apart == 0 || change.Lot.Apart == credit.Id.Ordinal))
                .MaxBy(change => change.Lot.Apart)!.Lot.ExpiresAt
            : Earliest(terms.UnallocatedLifetimeDays is { } days ? DayByDay.SameTimeAfter(report.At, days, terms) : null, terms.Ends);
        var expected = terms.CoverageFrom == CoverageFrom.Creation ? lotExpiry : DayByDay.SameTimeAfter(report.At, terms.CoverageDays, terms);
        Holds(credit.ExpiresAt == expected, "coverage lasts as long as it should (P3)", $"{credit}, expected {expected}");
    }

    // L2 and A4, decided again in the order of the commit: what each report draws, and what it says is left.
    private ImmutableArray<Step> Walk(Commit commit)
    {
        var reports = commit.Changes.Reports.ToList();
        if (reports.Count == 0) return [];
        Holds(reports.All(report => report.ContractId == reports[0].ContractId), "a contract decides alone", $"{string.Join(' ', reports)}");
        var contractId = reports[0].ContractId;
        var document = history.Read(contractId, store)!;
        var terms = document.Terms;
        var isRestricted = document.Plan is { Enabled: true };
        ImmutableArray<Pot> pots = terms.Type == ContractType.Unlimited
            ? []
            : [
                .. store.OpenLots(contractId).Select(lot => lot.AsPot()),
                .. commit.Changes.Lots.Where(change => change.IsNew).Select(change => change.Lot.AsPot() with { Free = change.Lot.Quantity }),
            ];
        var members = reports.Select(report => report.UserId).Distinct().ToDictionary(user => user, user => store.Member(new(contractId, user)));
        var steps = ImmutableArray.CreateBuilder<Step>(reports.Count);
        var since = Instant.MinValue;
        foreach (var report in reports)
        {
            var before = pots;
            var ended = commit.Changes.Entries.Where(entry => UndoBooks.IsUndone(entry) && entry.EffectiveAt <= report.At && !(entry.EffectiveAt <= since)).ToList();
            if (terms.Type == ContractType.Metered) pots = Return(ended, pots, terms, commit);
            foreach (var back in ended.Where(entry => members.GetValueOrDefault(entry.UserId!) is not null)) members[back.UserId!] = GiveBack(back, members[back.UserId!]!);
            since = report.At;
            if (terms.Type == ContractType.Metered) pots = Draw(report, pots);
            Holds(report.Balance.ContractRemaining == (terms.Type == ContractType.Unlimited ? null : pots.RemainingAt(report.At)), "the balance is what is left (R2)", $"{report}");
            if (!IsSet(commit, report.UserId) && members[report.UserId] is { } member) members[report.UserId] = Use(report, member, terms, isRestricted);
            steps.Add(new(report, before, pots, members[report.UserId]));
        }
        return steps.MoveToImmutable();
    }

    // What the ends of holds give back before a report; what returns to a lot that is over has expired.
    private ImmutableArray<Pot> Return(List<Entry> ended, ImmutableArray<Pot> pots, Terms terms, Commit commit)
    {
        foreach (var entry in ended)
        {
            if (commit.Changes.Entries.Any(other => other.Kind == EntryKind.LotExpired && other.Subject == entry.Subject && other.EffectiveAt == entry.EffectiveAt)) continue;
            var lot = store.Lot(entry.ContractId!, entry.LotId!)!;
            var place = pots.IndexOf(pots.FirstOrDefault(pot => (pot.LotId, pot.Apart) == (entry.LotId!, 0)));
            pots = place >= 0
                ? pots.SetItem(place, pots[place] with { Free = pots[place].Free + 1 })
                : pots.Add(new(lot.LotId, 0, lot.AvailableFrom, terms.CutToEnd(lot.AskedExpiry), 1));
        }
        return pots;
    }

    private static Member GiveBack(Entry entry, Member member) => member with
    {
        Allocation = member.Allocation with
        {
            TotalUsed = member.Allocation.TotalUsed - 1,
            ExtraUsed = member.Allocation.ExtraUsed - (entry.UsedOf == Allocation.Extra ? 1 : 0),
            UsedInCycle = member.Allocation.UsedInCycle - (entry.UsedOf == $"cycle:{member.Allocation.Restarts}.{member.Allocation.Cycle}" ? 1 : 0),
        },
    };

    // Whether the user's row is changed by the same commit otherwise than by use.
    private static bool IsSet(Commit commit, string userId) => commit.Changes.Entries.Any(entry => entry.Kind is EntryKind.UserSet or EntryKind.AllocationSet && entry.UserId == userId);

    private ImmutableArray<Pot> Draw(Report report, ImmutableArray<Pot> pots)
    {
        var open = pots.Where(pot => pot.IsOpenAt(report.At))
            .OrderBy(pot => pot.Until ?? Instant.MaxValue).ThenBy(pot => pot.From).ThenBy(pot => pot.LotId, StringComparer.Ordinal).ThenBy(pot => pot.Apart);
        var drawn = report.Players.Where(player => player.Charge == PlayerCharge.New).Select(player => CreditId.Parse(player.CreditId!))
            .GroupBy(id => (id.LotId, Apart: pots.Any(pot => pot.LotId == id.LotId && pot.Apart == id.Ordinal) ? id.Ordinal : 0)).ToDictionary(group => group.Key, group => (long)group.Count());
        var left = (long)report.Charged;
        foreach (var pot in open)
        {
            var part = Math.Min(left, pot.Free);
            Holds(drawn.GetValueOrDefault((pot.LotId, pot.Apart)) == part, "a draw takes what expires first (L2)", $"{report.ReportId} takes {drawn.GetValueOrDefault((pot.LotId, pot.Apart))} of {pot}, should take {part}");
            pots = pots.Replace(pot, pot with { Free = pot.Free - part });
            left -= part;
        }
        Holds(left == 0, "a draw takes no more than there is (L2)", $"{report}");
        return pots;
    }

    // What the committed row had, less what earlier reports of the commit used.
    private Member Use(Report report, Member member, Terms terms, bool isRestricted)
    {
        var allocation = member.Allocation;
        if (allocation.Settings is { } settings && DayByDay.Cycle(settings, allocation.StartDate!.Value, terms, report.At) is var cycle && cycle > allocation.Cycle)
            allocation = allocation with { Cycle = cycle, UsedInCycle = 0 };
        var available = isRestricted ? DayByDay.Available(allocation, terms, report.At) : null;
        Holds(report.Balance.UserAvailable == available - report.Charged, "what an answer says of its user is what was committed (R2, A4)", $"{report.Balance}, available {available}, {report}");
        Holds(report.Charged == 0 || !(available < report.Charged), "nobody uses more than there is (A4)", $"{report}, available {available}");
        if (report.Charged == 0) return member;
        var ofCycle = !isRestricted ? 0 : allocation.Settings is null || allocation.Cycle < 0 ? 0 : Math.Min(report.Charged, allocation.Settings.Amount - allocation.UsedInCycle ?? report.Charged);
        return member with
        {
            AsOf = report.At,
            Allocation = allocation with
            {
                UsedInCycle = allocation.UsedInCycle + ofCycle,
                ExtraUsed = allocation.ExtraUsed + (isRestricted ? report.Charged - ofCycle : 0),
                TotalUsed = allocation.TotalUsed + report.Charged,
            },
        };
    }

    private static Instant? Earliest(Instant? a, Instant? b) => a is null ? b : b is null ? a : Instant.Min(a.Value, b.Value);

    private static TAccount Account<TKey, TAccount>(Dictionary<TKey, TAccount> accounts, TKey key) where TKey : notnull where TAccount : new()
    {
        if (!accounts.TryGetValue(key, out var account)) accounts[key] = account = new();
        return account;
    }

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
