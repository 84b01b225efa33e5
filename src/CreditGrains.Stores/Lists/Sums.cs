using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Stores;

/// <summary>A lot's credits with a row.</summary>
/// <param name="Owned">With a player.</param>
/// <param name="Ends">Of those, how many are not held and have an end of coverage.</param>
/// <param name="Lapsed">Without a player.</param>
/// <param name="Ending">Of all endings of the lot together.</param>
internal readonly record struct TouchedSum(string LotId, long Owned, long Ends, long Lapsed, long Ending);

/// <summary>What an audit compares (G2): a contract's state and its entries, each read from where it is written, of one snapshot.</summary>
/// <param name="Lots">All of the contract, those apart too.</param>
/// <param name="Members">All users that the contract has, or has had.</param>
internal sealed record AuditSums(IReadOnlyCollection<Lot> Lots, IReadOnlyCollection<Member> Members, ToldSums Told) : IToldSums
{
    /// <summary>
    /// The rows that only a full audit counts; null: it is not, begins at a checkpoint, and takes from the state of a lot how many of its credits have a row.
    /// </summary>
    public CountedRows? Counted { get; init; }

    /// <summary>How many credits with a row have expired and are booked so, by lot.</summary>
    public required IReadOnlyDictionary<string, long> Ended { get; init; }

    /// <summary>Of a full audit: the checkpoints that differ from the entries.</summary>
    public ImmutableArray<Difference> Checkpoints { get; init; } = [];

    private EntrySums All { get; } = Told.All;

    public Audit Of(string contractId) => Audit.Of(contractId, OfLots(), OfUsers(), Told.Checkpoint?.EntryId, [.. Ends(), .. Checkpoints]);

    private List<LotFacts> OfLots()
    {
        var lots = Lots.ToLookup(lot => lot.LotId);
        var credits = Counted?.Touched.ToDictionary(touched => touched.LotId);
        var told = All.Lots.ToDictionary(sum => (sum.LotId, sum.Kind), sum => sum.Quantity);
        return [.. lots.Select(lot => lot.Key).Union(told.Keys.Select(key => key.LotId)).Order(StringComparer.Ordinal).Select(id =>
        {
            var (owned, lapsed) = credits is null ? Derived(id) : (credits.GetValueOrDefault(id).Owned, credits.GetValueOrDefault(id).Lapsed);
            var expired = Ended.GetValueOrDefault(id) - lapsed;
            return new LotFacts(
                id, lots[id].FirstOrDefault(lot => lot.Apart == 0)?.Quantity ?? 0,
                lots[id].Where(lot => !lot.ExpiryBooked).Sum(lot => lot.Free.Count),
                lots[id].Where(lot => lot.ExpiryBooked).Sum(lot => lot.Free.Count) + lapsed,
                owned - expired, expired,
                Sum(EntryKind.LotGranted), Sum(EntryKind.CreditsMinted), Sum(EntryKind.CreditsCharged), Sum(EntryKind.LotExpired),
                Sum(EntryKind.CoverageExpired), Sum(EntryKind.CreditsReturned),
                lots[id].Sum(lot => lot.Withdrawn.Count), Sum(EntryKind.LotWithdrawn));

            long Sum(EntryKind kind) => told.GetValueOrDefault((id, kind));
        })];

        // How many credits of a lot have a row its own row tells; how many of them have no player, the entries.
        (long Owned, long Lapsed) Derived(string id)
        {
            var touched = lots[id].Where(lot => lot.Apart == 0).Sum(lot => lot.Quantity) - lots[id].Sum(lot => lot.Free.Count + lot.Withdrawn.Count);
            var lapsed = told.GetValueOrDefault((id, EntryKind.LotExpired)) - lots[id].Where(lot => lot.ExpiryBooked).Sum(lot => lot.Free.Count);
            return (touched - lapsed, lapsed);
        }
    }

    // Whatever is covered until an end has an ending, or has ended.
    private IEnumerable<Difference> Ends() => (Counted?.Touched ?? [])
        .Select(lot => new Difference($"lot:{lot.LotId}", "ends", lot.Ending + Ended.GetValueOrDefault(lot.LotId) - lot.Lapsed, lot.Ends))
        .Where(difference => difference.FromEntries != difference.FromState);

    private List<UserFacts> OfUsers()
    {
        var members = Members.ToDictionary(member => member.UserId);
        var used = All.Users.ToLookup(sum => sum.UserId);
        var reported = Counted?.Reported;
        return [.. members.Keys.Union(used.Select(user => user.Key)).Union(reported?.Keys ?? []).Order(StringComparer.Ordinal).Select(id =>
        {
            var allocation = members.GetValueOrDefault(id)?.Allocation ?? Allocation.None;
            return new UserFacts(
                id, allocation.TotalUsed, allocation.UsedInCycle, allocation.ExtraCredits, allocation.ExtraUsed,
                Sum(EntryKind.CreditsCharged), OfRight($"{allocation.CycleKey}"), OfRight(Allocation.Extra), Sum(EntryKind.ExtraGranted),
                reported is null ? Sum(EntryKind.CreditsCharged) : reported.GetValueOrDefault(id), Sum(EntryKind.CreditsReturned));

            long Sum(EntryKind kind) => used[id].Where(sum => sum.Kind == kind).Sum(sum => sum.Quantity);

            long OfRight(string right) => used[id].Where(sum => sum.UsedOf == right && sum.Kind != EntryKind.ExtraGranted)
                .Sum(sum => sum.Kind == EntryKind.CreditsCharged ? sum.Quantity : -sum.Quantity);
        })];
    }
}

/// <summary>What a full audit counts row by row.</summary>
/// <param name="Touched">By lot.</param>
/// <param name="Reported">Credits charged by reports, by user.</param>
internal sealed record CountedRows(IReadOnlyCollection<TouchedSum> Touched, IReadOnlyDictionary<string, long> Reported);

/// <summary>What an account's entries of one kind about one subject add up to, in services credits.</summary>
internal readonly record struct ServicesSum(string Subject, EntryKind Kind, decimal Quantity);

/// <summary>What the records of one purchase and milestone add up to, in services credits; null: of what expired.</summary>
internal readonly record struct RecordSum(string PurchaseId, string? MilestoneId, decimal Quantity);

/// <summary>What an account's audit compares (G2): its state, its entries and its records, of one snapshot.</summary>
/// <param name="Milestones">Of the account's projects.</param>
/// <param name="Told">Entries that move services credits.</param>
internal sealed record AccountSums(
    IReadOnlyCollection<Purchase> Purchases, IReadOnlyCollection<Milestone> Milestones,
    IReadOnlyCollection<ServicesSum> Told, IReadOnlyCollection<RecordSum> Recorded)
{
    public AccountAudit Of(string accountId) => AccountAudit.Of(accountId, OfPurchases(accountId), OfHoldings());

    private List<PurchaseAuditFacts> OfPurchases(string accountId)
    {
        var prefix = Subjects.Purchase(accountId, "");
        var purchases = Purchases.ToDictionary(purchase => purchase.PurchaseId);
        var told = Told.ToLookup(sum => sum.Subject.StartsWith(prefix, StringComparison.Ordinal) ? sum.Subject[prefix.Length..] : sum.Subject);
        var recorded = Recorded.ToLookup(sum => sum.PurchaseId);
        var held = Milestones.SelectMany(milestone => milestone.Holdings).ToLookup(holding => holding.PurchaseId, holding => holding.Quantity);
        var ids = purchases.Keys.Union(told.Select(purchase => purchase.Key)).Union(recorded.Select(purchase => purchase.Key));
        return [.. ids.Union(held.Select(purchase => purchase.Key)).Order(StringComparer.Ordinal).Select(id => new PurchaseAuditFacts(
            id, purchases.GetValueOrDefault(id), held[id].Sum(),
            Sum(id, EntryKind.ServicesCreditsBought), Sum(id, EntryKind.ServicesCreditsAllocated),
            Sum(id, EntryKind.ServicesCreditsReturned), Sum(id, EntryKind.ServicesCreditsExpired),
            recorded[id].Where(sum => sum.MilestoneId is not null).Sum(sum => sum.Quantity),
            recorded[id].Where(sum => sum.MilestoneId is null).Sum(sum => sum.Quantity)))];

        decimal Sum(string id, EntryKind kind) => told[id].Where(sum => sum.Kind == kind).Sum(sum => sum.Quantity);
    }

    private List<HoldingAuditFacts> OfHoldings()
    {
        var held = Milestones
            .SelectMany(milestone => milestone.Holdings.Select(holding => ((milestone.MilestoneId, holding.PurchaseId), holding.Quantity)))
            .ToDictionary();
        var recorded = Recorded.Where(sum => sum.MilestoneId is not null).ToDictionary(sum => (sum.MilestoneId!, sum.PurchaseId), sum => sum.Quantity);
        return [.. held.Keys.Union(recorded.Keys).Order().Select(key =>
            new HoldingAuditFacts(key.Item1, key.Item2, held.GetValueOrDefault(key), recorded.GetValueOrDefault(key)))];
    }
}

/// <summary>
/// What a balance is made of (G3), of one snapshot: a contract, the sums of its entries up to an instant, and what is over by then and not
/// booked.
/// </summary>
/// <param name="Lots">The contract's, without those apart.</param>
/// <param name="Over">Credits with a player whose end has come and is not booked, by lot.</param>
internal sealed record BalanceSums(
    StoredContract Contract, Instant At, IReadOnlyCollection<(string LotId, Instant AvailableFrom)> Lots, ToldSums Told,
    IReadOnlyDictionary<string, long> Over) : IToldSums
{
    /// <summary>The instant of a balance: as asked for, or now, but never before the contract's last decision.</summary>
    public static Instant InstantOf(StoredContract contract, Instant? asked, Instant now) => asked ?? Instant.Max(now, contract.Document.AsOf);

    /// <summary>The entries that make it; throws <see cref="ArchivedException"/>.</summary>
    /// <param name="places">The contract's checkpoints, in their order.</param>
    public static EntryRanges RangesOf(IReadOnlyList<CheckpointPlace> places, Instant at) =>
        CheckpointPlace.FirstKnown(places) is { } first && at < first
            ? throw new ArchivedException("at", InstantPattern.ExtendedIso.Format(first))
            : EntryRanges.Of(places, at, at);

    public ContractBalance Of()
    {
        var all = Told.All;
        var told = all.Lots.ToDictionary(sum => (sum.LotId, sum.Kind), sum => sum.Quantity);
        var movements = Lots.Select(lot => Of(lot.LotId, lot.AvailableFrom, kind => told.GetValueOrDefault((lot.LotId, kind))));
        return ContractBalance.Of(Contract.AsContract(), [.. movements.Where(lot => lot.Granted + lot.Minted > 0)], all.UserTotals(), At);
    }

    private LotMovements Of(string lotId, Instant availableFrom, Func<EntryKind, long> sum) => new(
        lotId, availableFrom,
        sum(EntryKind.LotGranted), sum(EntryKind.CreditsMinted), sum(EntryKind.CreditsCharged), sum(EntryKind.CreditsReturned),
        sum(EntryKind.LotExpired), sum(EntryKind.CoverageExpired), Over.GetValueOrDefault(lotId), sum(EntryKind.LotWithdrawn));
}

/// <summary>What became over in the time of a statement and is not booked, in credits.</summary>
internal readonly record struct MovedSum(EntryKind Kind, string LotId, string? UserId, long Quantity);

/// <summary>What a contract's statement is made of (G5), of one snapshot.</summary>
/// <param name="Told">Told apart at its begin.</param>
/// <param name="OverBefore">Credits with a player whose end came before its time and is not booked, by lot.</param>
/// <param name="OverAtEnd">The same, by its end.</param>
/// <param name="Over">The same within its time, as ends of coverage.</param>
/// <param name="Payments">What each lot was paid with.</param>
internal sealed record StatementSums(
    StoredContract Contract, StatementTime Time, IReadOnlyCollection<(string LotId, Instant AvailableFrom)> Lots, ToldSums Told,
    IReadOnlyDictionary<string, long> OverBefore, IReadOnlyDictionary<string, long> OverAtEnd, IReadOnlyCollection<MovedSum> Over,
    IReadOnlyDictionary<string, string> Payments) : IToldSums
{
    public static StatementTime TimeOf(StoredContract contract, LocalDate from, LocalDate to, Instant now) =>
        StatementTime.Of(from, to, contract.AsContract().Terms.Zone, Instant.Max(now, contract.Document.AsOf));

    /// <summary>The entries that make it; throws <see cref="ArchivedException"/>.</summary>
    /// <param name="places">The contract's checkpoints, in their order.</param>
    public static EntryRanges RangesOf(StoredContract contract, IReadOnlyList<CheckpointPlace> places, StatementTime time)
    {
        if (CheckpointPlace.FirstKnown(places) is { } first && time.Begin < first)
            throw new ArchivedException("from", LocalDatePattern.Iso.Format(Calendar.FirstDayFrom(first, contract.AsContract().Terms.Zone)));
        return EntryRanges.Of(places, time.Before, time.Last);
    }

    public ContractStatement Of()
    {
        var contract = Contract.AsContract();
        var due = Time.Last > contract.AsOf ? contract.RollForward(Time.Last).Changes : Changes.None;
        var granted = due.Lots.Where(change => change.IsNew).ToDictionary(change => change.Lot.LotId, change => change.Lot.PaymentId);
        var told = Told.Added.Where(sum => sum is { IsLater: true, LotId: not null })
            .Select(sum => new MovedSum(sum.Kind, sum.LotId!, sum.UserId, sum.Quantity));
        var unbooked = due.Entries.Where(entry => entry.LotId is not null && Time.Contains(entry.EffectiveAt))
            .Select(entry => new MovedSum(entry.Kind, entry.LotId!, entry.UserId, entry.Quantity));
        var opening = new BalanceSums(Contract, Time.Before, Lots, Told.Before, OverBefore);
        var closing = new BalanceSums(Contract, Time.Last, Lots, Told, OverAtEnd);
        return ContractStatement.Of(
            contract.Terms, Time, opening.Of(), closing.Of(),
            told.Concat(Over).Concat(unbooked)
                .Select(sum => (sum.Kind, Payments.GetValueOrDefault(sum.LotId) ?? granted.GetValueOrDefault(sum.LotId), sum.UserId, sum.Quantity)));
    }
}
