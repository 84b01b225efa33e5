using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>The wanted terms of a contract.</summary>
/// <param name="Expected">The revision that the caller has seen (If-Match); null: any.</param>
/// <param name="Billed">The start of the running billing cycle, where its lot is already in the store, used up or not; null: it is not.</param>
public sealed record SetTerms(Terms Terms, long? Expected, string Actor, LocalDate? Billed = null);

/// <summary>Makes a contract, or changes its terms (C1).</summary>
public static class Agreeing
{
    /// <summary>
    /// Refuses with <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>.
    /// Terms equal to the present ones change nothing and raise no revision.
    /// </summary>
    public static Decision<Changed<Contract, Contract>> Decide(Contract? present, SetTerms set, Instant now)
    {
        // This comes before the revision is compared: an equal change has been made already, perhaps by this very request (RFC 9110, 13.1.1).
        if (present is not null && set.Terms == present.Terms) return new Changed<Contract, Contract>(present, Changes.None, present);
        if (set.Expected is { } seen && seen != (present?.Revision ?? 0)) return Refusal.Changed("contract");
        if (set.Terms.Check() is { } broken) return broken;
        if (present is null) return Told(null, new Contract(set.Terms, 1, [], now), set, now);
        if (set.Terms.CheckChange(present.Terms, now) is { } forbidden) return forbidden;
        if (set.Terms.Begins > present.Terms.Begins && present.Lots.FirstOrDefault(lot => lot.ExpiresAt <= set.Terms.Begins) is { ExpiresAt: { } end } lot)
            return Refusal.Invalid("startsOn", $"must be before the lot {lot.LotId} expires at {InstantPattern.ExtendedIso.Format(end)}");
        return Told(present, present with { Terms = set.Terms, Revision = present.Revision + 1, AsOf = now }, set, now);
    }

    private static Changed<Contract, Contract> Told(Contract? before, Contract after, SetTerms set, Instant now)
    {
        // L4: the expiry of open lots moves with the contract's end.
        var moved = after.Lots.Where(lot => lot.Source != LotSource.Minted)
            .Select(lot => (lot, to: lot with { ExpiresAt = after.Terms.CutToEnd(lot.AskedExpiry) }))
            .Where(pair => pair.to.ExpiresAt != pair.lot.ExpiresAt)
            .ToList();
        var billed = Running(before, after, set, now);
        var contract = after.With([.. moved.Select(pair => pair.to), .. billed]);
        var told = after.Tell(EntryKind.ContractSet, Subjects.Contract(after.Terms.ContractId), set.Actor, Causes.Request, now) with
        {
            Before = before is null ? null : Json.Write(before.Terms),
            After = Json.Write(after.Terms),
        };
        return new(
            contract,
            [
                .. moved.Select(pair => contract.Change(pair.to)),
                .. billed.Select(lot => contract.Change(lot, isNew: true)),
                told,
                .. moved.Select(pair => contract.TellSet(pair.lot, pair.to, new(set.Actor, null, Causes.Request, now, now))),
                .. billed.Select(lot => Billing.Tell(contract, lot, now, set.Actor, Causes.Request)),
            ],
            contract);
    }

    // L5: changed terms grant from the running cycle on, unless the terms before, or still earlier ones, have granted that cycle, be it just now.
    private static Lot[] Running(Contract? before, Contract after, SetTerms set, Instant now) =>
        Billing.Running(after.Terms, now) is { } start
            && start != set.Billed
            && (before is null || start != Billing.Running(before.Terms, now))
            && !after.Lots.Concat(after.Passed.Lots.Select(change => change.Lot)).Any(lot => lot.LotId == Billing.LotId(start))
            ? [Billing.Grant(after.Terms, start, now)]
            : [];
}
