using NodaTime;

namespace CreditGrains.Domain;

/// <summary>
/// Foretells when a contract's pool runs out if every assigned and enabled user uses every cycle as it begins, and what is left of the running one now (A10).
/// The expiries and billing cycles that are known count; extra credits and unlimited users do not.
/// </summary>
internal static class RunningOut
{
    // Nothing is foretold for later; the cycles are bounded, too, for each user may have a schedule of their own.
    private const int MaxYears = 2, MaxCycles = 10_000;

    /// <summary>The local date on which the pool no longer has all credits of a cycle; null: there is none within the contract and two years.</summary>
    public static LocalDate? DateOf(Contract contract, Instant now)
    {
        var terms = contract.Terms;
        var from = Instant.Max(now, terms.Begins);
        var last = Calendar.StartOf(Calendar.DateAt(from, terms.Zone).PlusYears(MaxYears), terms.Zone);
        var until = Instant.Min(last, terms.Ends ?? last);

        List<Pot> pots = [.. contract.Lots.Select(lot => new Pot(lot)).InDrawOrder()];
        using var coming = Billing.After(terms, contract.AsOf).GetEnumerator();
        var isMore = coming.MoveNext();
        var uses = UsesOf(contract, from);
        for (var count = 0; count < MaxCycles && uses.TryDequeue(out var use, out var at) && at < until; count++)
        {
            for (; isMore && coming.Current.At <= at; isMore = coming.MoveNext())
                pots = [.. pots.Append(new(Billing.Grant(terms, coming.Current.Start, coming.Current.At))).InDrawOrder()];
            if (!Takes(pots, use.Credits, at)) return Calendar.DateAt(at, terms.Zone);
            if (use.Next is { Start: { } next } cycle) uses.Enqueue(cycle.Use, next);
        }
        return null;
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
    private static bool Takes(List<Pot> pots, long credits, Instant at)
    {
        pots.RemoveAll(pot => pot.Left == 0 || at >= pot.ExpiresAt);
        var begun = pots.Where(pot => at >= pot.AvailableFrom);
        if (begun.Sum(pot => pot.Left) < credits) return false;
        foreach (var share in begun.Spread(credits, pot => pot.Left)) share.Of.Left -= share.Part;
        return true;
    }

    /// <param name="Next">The cycle that follows; null: these are what is left of the running cycles.</param>
    private readonly record struct Use(long Credits, Cycle? Next);

    private sealed record Cycle(Schedule Schedule, int Number, long Credits)
    {
        public Instant? Start => Schedule.StartOf(Number);

        public Use Use => new(Credits, this with { Number = Number + 1 });
    }

    // What is left of a lot.
    private sealed class Pot(Lot lot) : IDrawable
    {
        public long Left { get; set; } = lot.Free.Count;

        public string Id => ((IDrawable)lot).Id;

        public Instant AvailableFrom => lot.AvailableFrom;

        public Instant? ExpiresAt => lot.ExpiresAt;
    }
}
