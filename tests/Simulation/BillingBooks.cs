using System.Runtime.CompilerServices;
using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor of billing cycles (L5, L4): sees every commit, and finds by walking the days which cycles must come with it.</summary>
internal sealed class BillingBooks(World world, MemoryStore store, History history, Clocks clocks)
{
    // No world lives that long.
    private static readonly LocalDate Horizon = new(2027, 6, 1);

    private readonly Dictionary<BillingCycle, List<LocalDate>> starts = [];
    private readonly SortedDictionary<string, HashSet<LocalDate>> granted = new(StringComparer.Ordinal);

    private sealed record Due(LocalDate Start, Instant At, Terms Terms);

    /// <summary>Cycles that were granted.</summary>
    public int Granted => granted.Values.Sum(days => days.Count);

    /// <summary>When the next cycle of some contract starts.</summary>
    public IEnumerable<Instant> Boundaries => granted.Keys.SelectMany(contractId => Between(TermsOf(contractId), clocks.Latest, clocks.Latest + Duration.FromDays(30)).Take(1)).Select(cycle => cycle.At);

    /// <summary>Checks that a commit grants what fell due until its instant, and nothing else.</summary>
    public void Before(Commit commit)
    {
        var written = commit.Changes.Contracts().ToDictionary(write => write.Id);
        foreach (var change in commit.Changes.Lots.Where(change => change is { IsNew: true, Lot: { Source: LotSource.Billing, Apart: 0 } }))
            Holds(written.ContainsKey(change.ContractId), "each billing cycle is granted once, as of its start (L5)", $"{change}");
        foreach (var (contractId, write) in written) CheckGrants(contractId, write.AsOf, commit.Changes);
    }

    /// <summary>Checks that no cycle that has started is left to be granted.</summary>
    public void AllIsGranted()
    {
        foreach (var contractId in granted.Keys)
            Holds(!Between(TermsOf(contractId), store.Document(DocumentKind.Contract, contractId)!.AsOf, clocks.Earliest).Any(), "what fell due is booked (T3)", $"a cycle of {contractId}");
    }

    /// <summary>What the cycles bring that start after an instant, until another, and that nobody has booked yet (T3).</summary>
    public IEnumerable<Pot> Coming(Terms terms, Instant after, Instant until) =>
        Between(terms, after, until).Select(due => new Pot(Billing.LotId(due.Start), 0, due.At, Cut(Asked(due), terms), terms.BillingCycle!.Credits));

    private void CheckGrants(string contractId, Instant now, Changes changes)
    {
        var days = granted.TryGetValue(contractId, out var known) ? known : granted[contractId] = [];
        var told = changes.Entries.Where(entry => entry.Kind == EntryKind.ContractSet && entry.ContractId == contractId).Select(entry => Json.Read<Terms>(entry.After!)).ToList();
        var due = new List<Due>();
        if (store.Document(DocumentKind.Contract, contractId) is { } before) due.AddRange(Between(history.Read(before).Terms, before.AsOf, now));
        days.UnionWith(due.Select(cycle => cycle.Start));
        foreach (var terms in told)
            if (Running(terms, now) is { } start && days.Add(start)) due.Add(new(start, now, terms));

        var lots = changes.Lots.Where(change => change is { IsNew: true, Lot: { Source: LotSource.Billing, Apart: 0 } } && change.ContractId == contractId).Select(change => change.Lot).ToList();
        var (expected, got) = (due.Select(cycle => Expected(contractId, cycle)).Order(StringComparer.Ordinal).ToList(), lots.Select(Shown).Order(StringComparer.Ordinal).ToList());
        Holds(expected.SequenceEqual(got), "each billing cycle is granted once, as of its start (L5)", $"{contractId} at {now}: {string.Join(", ", got)}; should be {string.Join(", ", expected)}");
        foreach (var (cycle, lot) in due.Join(lots, cycle => $"{contractId}:{cycle.Start:R}", lot => lot.PaymentId, (cycle, lot) => (cycle, lot)))
        {
            var entries = changes.Entries.Where(entry => entry.Kind == EntryKind.LotGranted && entry.LotId == lot.LotId && entry.ContractId == contractId).ToList();
            Holds(entries is [var entry] && entry.EffectiveAt == cycle.At && entry.Quantity == lot.Quantity, "a billing cycle is told once, as of its start (L5, G1)", $"{lot}: {string.Join(' ', entries)}");

            // The contract's end may move in the same commit.
            Holds(told.Prepend(cycle.Terms).Any(terms => lot.ExpiresAt == Cut(lot.AskedExpiry, terms)), "a billing lot ends with its contract at the latest (L4)", $"{lot}, {cycle.Terms}");
        }
    }

    // L4: a billing lot never ends before the next cycle starts.
    private string Expected(string contractId, Due cycle) => Shown($"{contractId}:{cycle.Start:R}", cycle.Terms.BillingCycle!.Credits, cycle.At, cycle.At, Asked(cycle));

    private Instant? Asked(Due cycle) => cycle.Terms.UnallocatedLifetimeDays is { } days
        ? Instant.Max(DayByDay.SameTimeAfter(cycle.At, days, cycle.Terms), DayByDay.Begin(Starts(cycle.Terms.BillingCycle!).First(date => date > cycle.Start), cycle.Terms))
        : null;

    private static string Shown(Lot lot) => Shown(lot.PaymentId, lot.Quantity, lot.CreatedAt, lot.AvailableFrom, lot.AskedExpiry);

    private static string Shown(string paymentId, long credits, Instant createdAt, Instant availableFrom, Instant? asked) => $"{paymentId} {credits} {createdAt} {availableFrom} until {asked}";

    // Those that start within the contract after an instant, until another.
    private IEnumerable<Due> Between(Terms terms, Instant after, Instant until)
    {
        if (terms.BillingCycle is not { } cycle) yield break;
        var days = Starts(cycle);
        var first = days.BinarySearch(DayByDay.Date(after, terms));
        for (var place = Math.Max(0, (first < 0 ? ~first : first) - 1); place < days.Count && !(days[place] > terms.EndsOn); place++)
        {
            var at = DayByDay.Begin(days[place], terms);
            if (at > until) yield break;
            if (at > after && days[place] >= terms.StartsOn) yield return new(days[place], at, terms);
        }
    }

    private LocalDate? Running(Terms terms, Instant now)
    {
        var today = DayByDay.Date(now, terms);
        if (terms.BillingCycle is not { } cycle || today < terms.StartsOn || today > terms.EndsOn) return null;
        var begun = Starts(cycle).Where(start => start <= today).ToList();
        return begun is [.., var last] && last >= terms.StartsOn ? last : null;
    }

    private List<LocalDate> Starts(BillingCycle cycle) =>
        starts.TryGetValue(cycle, out var known) ? known : starts[cycle] = [.. DayByDay.Starts(cycle).TakeWhile(date => date <= Horizon)];

    private static Instant? Cut(Instant? asked, Terms terms) => terms.EndsOn is { } last && DayByDay.Begin(last.PlusDays(1), terms) is var end && !(asked < end) ? end : asked;

    private Terms TermsOf(string contractId) => history.Read(store.Document(DocumentKind.Contract, contractId)!).Terms;

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
