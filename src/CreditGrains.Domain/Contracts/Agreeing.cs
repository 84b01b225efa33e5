using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A contract's terms as they shall be; <paramref name="Expected"/>: the revision that the caller has seen (If-Match), null: any.</summary>
/// <param name="Billed">A day whose billing lot is in the store already, used up or not; null: none is known.</param>
public sealed record SetTerms(Terms Terms, long? Expected, string Actor, LocalDate? Billed = null);

/// <summary>Makes a contract, or changes its terms (C1).</summary>
public static class Agreeing
{
    /// <summary>Refuses with <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>. Terms equal to the present ones change nothing.</summary>
    public static Decision<Changed<Contract, Contract>> Decide(Contract? present, SetTerms set, Instant now)
    {
        // Also where the caller has seen an earlier revision: what was asked has been done, perhaps by this very request (RFC 9110, 13.1.1).
        if (present is not null && set.Terms == present.Terms) return new Changed<Contract, Contract>(present, Changes.None, present);
        if (set.Expected is { } seen && seen != (present?.Revision ?? 0)) return new Refusal(RefusalCode.PreconditionFailed, "The contract has changed since.");
        if (set.Terms.Check() is { } broken) return broken;
        if (present is null) return Told(null, new Contract(set.Terms, 1, [], now), set, now);
        if (set.Terms.CheckChange(present.Terms, now) is { } forbidden) return forbidden;
        return Told(present, present with { Terms = set.Terms, Revision = present.Revision + 1, AsOf = now }, set, now);
    }

    private static Changed<Contract, Contract> Told(Contract? before, Contract after, SetTerms set, Instant now)
    {
        // L4: with the contract's end moves the expiry of what has not expired.
        var moved = after.Lots.Where(lot => lot.Source != LotSource.Minted)
            .Select(lot => (lot, to: lot with { ExpiresAt = after.Terms.CutToEnd(lot.AskedExpiry) }))
            .Where(pair => pair.to.ExpiresAt != pair.lot.ExpiresAt).ToList();
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
                .. moved.Select(pair => contract.Tell(EntryKind.LotExpirySet, pair.to, now, now, set.Actor, Causes.Request) with
                {
                    Before = Json.Write(pair.lot.ExpiresAt),
                    After = Json.Write(pair.to.ExpiresAt),
                }),
                .. billed.Select(lot => Billing.Tell(contract, lot, now, set.Actor, Causes.Request)),
            ],
            contract);
    }

    // L5: changed terms grant from the cycle then running, unless that was granted before: by the terms as they were, or by earlier ones.
    private static Lot[] Running(Contract? before, Contract after, SetTerms set, Instant now) =>
        Billing.Running(after.Terms, now) is { } start && start != set.Billed && (before is null || start != Billing.Running(before.Terms, now))
            && after.Lots.All(lot => lot.LotId != Billing.LotId(start))
            ? [Billing.Grant(after.Terms, start, now)]
            : [];
}
