using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Credits that a contract gets at the start of every billing cycle (L5).</summary>
/// <param name="Every">1 to 1,000 units from the start of one cycle to the start of the next.</param>
/// <param name="Anchor">The first day of the first cycle; all others are counted from it (T2).</param>
/// <param name="Credits">Credits of each cycle's lot, 1 to 999,999,999.</param>
public sealed record BillingCycle(RecurrenceUnit Unit, int Every, LocalDate Anchor, long Credits)
{
    internal Recurrence Starts => Recurrence.From(Anchor, Unit, Every);

    /// <summary>A refusal of every field that breaks a rule; null: none does.</summary>
    public Refusal? Check() => Refusal.All(
        Every is < 1 or > Recurrence.MaxEvery ? Refusal.Invalid("billingCycle.every", $"must be 1 to {Recurrence.MaxEvery:N0}") : null,
        Calendar.CheckDate("billingCycle.anchor", Anchor),
        Credits is < 1 or > Lot.MaxQuantity ? Refusal.Invalid("billingCycle.credits", $"must be 1 to {Lot.MaxQuantity:N0}") : null);
}

/// <summary>
/// Grants one lot for each billing cycle that starts within the contract, exactly once (L5).
/// The cycles still to be granted are those after the instant of the contract's last decision.
/// </summary>
public static class Billing
{
    private const string Prefix = "billing:";

    /// <summary>The lot's id of the cycle that starts on that day; the start makes it unique, so that no cycle is granted twice.</summary>
    public static string LotId(LocalDate start) => $"{Prefix}{start:R}";

    /// <summary>Whether the id is reserved for the lots of billing cycles.</summary>
    public static bool IsLotId(string lotId) => lotId.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The first day of the running cycle at an instant; null where none has started within the contract, or the contract is not active.</summary>
    public static LocalDate? Running(Terms terms, Instant now)
    {
        if (terms.BillingCycle is not { Starts: var starts } || !terms.IsActiveAt(now)) return null;
        var number = starts.LastAtOrBefore(Calendar.DateAt(now, terms.Zone));
        return number >= 0 && starts[number] >= terms.StartsOn ? starts[number] : null;
    }

    /// <summary>The cycles that start after an instant and within the contract, in order: their first days, and the instants at which these begin.</summary>
    public static IEnumerable<(LocalDate Start, Instant At)> After(Terms terms, Instant after)
    {
        if (terms.BillingCycle is not { Starts: var starts }) yield break;
        var before = after < terms.Begins ? terms.StartsOn.PlusDays(-1) : Calendar.DateAt(after, terms.Zone);
        for (var number = Math.Max(0, starts.LastAtOrBefore(before) + 1); starts[number] is var start && start <= Calendar.MaxDate; number++)
        {
            var at = Calendar.StartOf(start, terms.Zone);
            if (at >= terms.Ends) yield break;
            yield return (start, at);
        }
    }

    /// <summary>The lot of a cycle, granted at that instant. It never expires before the next cycle starts, nor after the contract's end (L4).</summary>
    internal static Lot Grant(Terms terms, LocalDate start, Instant at)
    {
        var cycle = terms.BillingCycle!;
        var next = Calendar.StartOf(cycle.Starts[cycle.Starts.LastAtOrBefore(start) + 1], terms.Zone);
        var asked = Granting.DefaultExpiry(terms, at) is { } lifetime ? Instant.Max(lifetime, next) : (Instant?)null;
        return new(LotId(start), LotSource.Billing, $"{terms.ContractId}:{start:R}", cycle.Credits, Runs.UpTo(cycle.Credits), at, at, asked,
            terms.CutToEnd(asked));
    }

    /// <summary>The entry of such a lot.</summary>
    internal static Entry Tell(Contract contract, Lot lot, Instant now, string actor, string cause) =>
        contract.Tell(EntryKind.LotGranted, lot, lot.CreatedAt, now, actor, cause) with
        {
            Quantity = lot.Quantity,
            Before = "0",
            After = $"{lot.Quantity}",
        };
}
