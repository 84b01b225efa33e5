using NodaTime;

namespace CreditGrains.Domain;

/// <summary>
/// Foretells when a contract's pool runs out (A10, C4): the lots that begin or expire and the billing cycles that are known count. Nothing is foretold for
/// more than two years.
/// </summary>
internal static class RunningOut
{
    // The cycles are bounded, too, for each user may have a schedule of their own.
    private const int MaxYears = 2, MaxCycles = 10_000;

    /// <summary>
    /// The local date on which the pool no longer has all credits of a cycle, if every assigned and enabled user uses every cycle as it begins, and what is
    /// left of the running one now; extra credits and unlimited users do not count. null: there is none within the contract and two years.
    /// </summary>
    public static LocalDate? DateOf(Contract contract, Instant now) =>
        FirstShort(contract, now, parts: 1, from => Cycles(contract, from).Take(MaxCycles));

    /// <summary>
    /// The local date on which the pool no longer has a day's credits, where so many are used in so many days; null: as above, or none are used.
    /// </summary>
    public static LocalDate? DateAt(Contract contract, long credits, int inDays, Instant now) =>
        credits == 0 || contract.IsUnlimited ? null : FirstShort(contract, now, parts: inDays, from => Days(contract.Terms.Zone, from, credits));

    // A credit is counted in parts, so that a day's use may be a part of one. The uses are in the order of time.
    private static LocalDate? FirstShort(Contract contract, Instant now, int parts, Func<Instant, IEnumerable<(Instant At, long Parts)>> usesFrom)
    {
        var terms = contract.Terms;
        var from = Instant.Max(now, terms.Begins);
        var last = Calendar.StartOf(Calendar.DateAt(from, terms.Zone).PlusYears(MaxYears), terms.Zone);
        var until = Instant.Min(last, terms.Ends ?? last);

        List<Pot> pots = [.. contract.Lots.Select(lot => new Pot(lot, parts)).InDrawOrder()];
        using var coming = Billing.After(terms, contract.AsOf).GetEnumerator();
        var isMore = coming.MoveNext();
        foreach (var (at, used) in usesFrom(from).TakeWhile(use => use.At < until))
        {
            for (; isMore && coming.Current.At <= at; isMore = coming.MoveNext())
                pots = [.. pots.Append(new(Billing.Grant(terms, coming.Current.Start, coming.Current.At), parts)).InDrawOrder()];
            if (!Takes(pots, used, at)) return Calendar.DateAt(at, terms.Zone);
        }
        return null;
    }

    // A day's use at its beginning, today's now.
    private static IEnumerable<(Instant At, long Parts)> Days(DateTimeZone zone, Instant from, long used)
    {
        yield return (from, used);
        for (var day = Calendar.DateAt(from, zone).PlusDays(1); ; day = day.PlusDays(1)) yield return (Calendar.StartOf(day, zone), used);
    }

    private static IEnumerable<(Instant At, long Parts)> Cycles(Contract contract, Instant from)
    {
        var uses = UsesOf(contract, from);
        while (uses.TryDequeue(out var use, out var at))
        {
            yield return (at, use.Credits);
            if (use.Next is { Start: { } next } cycle) uses.Enqueue(cycle.Use, next);
        }
    }

    // Users whose cycles begin together are taken together.
    private static PriorityQueue<Use, Instant> UsesOf(Contract contract, Instant from)
    {
        var users = contract.AllMembers.Values
            .Where(member => member is { Assigned: true, Disabled: false, Allocation.Settings.Amount: not null })
            .Select(member => member.Allocation.At(from, contract.Terms))
            .ToList();
        var uses = new PriorityQueue<Use, Instant>();
        uses.Enqueue(new(users.Sum(user => user.CycleLeft ?? 0), null), from);
        foreach (var together in users.GroupBy(user => (Settings: user.Settings! with { Amount = null }, StartDate: user.StartDate!.Value, user.Cycle)))
        {
            var (settings, startDate, running) = together.Key;
            var cycle = new Cycle(new(settings, startDate, contract.Terms), running + 1, together.Sum(user => user.Settings!.Amount!.Value));
            if (cycle.Start is { } next) uses.Enqueue(cycle.Use, next);
        }
        return uses;
    }

    // All of it, or nothing: false. The pots are in the order of drawing.
    private static bool Takes(List<Pot> pots, long used, Instant at)
    {
        pots.RemoveAll(pot => pot.Left == 0 || at >= pot.ExpiresAt);
        var begun = pots.Where(pot => at >= pot.AvailableFrom);
        if (begun.Sum(pot => pot.Left) < used) return false;
        foreach (var share in begun.Spread(used, pot => pot.Left)) share.Of.Left -= share.Part;
        return true;
    }

    /// <param name="Next">The cycle that follows; null: these are what is left of the running cycles.</param>
    private readonly record struct Use(long Credits, Cycle? Next);

    private sealed record Cycle(Schedule Schedule, int Number, long Credits)
    {
        public Instant? Start => Schedule.StartOf(Number);

        public Use Use => new(Credits, this with { Number = Number + 1 });
    }

    // What is left of a lot, in parts of a credit.
    private sealed class Pot(Lot lot, int parts) : IDrawable
    {
        public long Left { get; set; } = lot.Free.Count * parts;

        public string Id => ((IDrawable)lot).Id;

        public Instant AvailableFrom => lot.AvailableFrom;

        public Instant? ExpiresAt => lot.ExpiresAt;
    }
}
