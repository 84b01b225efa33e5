using NodaTime;
using NodaTime.Text;

namespace CreditGrains.Domain;

/// <summary>A lot to be added (L1).</summary>
/// <param name="Quantity">1 to 999,999,999 credits.</param>
/// <param name="AvailableFrom">null: now, or the contract's first day where that is later.</param>
/// <param name="ExpiresAt">null: by the contract's unallocatedLifetimeDays (L4).</param>
/// <param name="Reason">Why it is granted by hand (P5); null: it was bought.</param>
public sealed record GrantLot(
    string LotId, LotSource Source, string PaymentId, long Quantity, Instant? AvailableFrom, Instant? ExpiresAt, string Actor, string? Reason = null)
{
    /// <summary>The request without its id, actor and reason, as JSON: equal requests are the same.</summary>
    internal string Request => Json.Write(new { Source, PaymentId, Quantity, AvailableFrom, ExpiresAt });

    /// <summary>Whether this same request added the lot.</summary>
    public bool Made(Lot lot) => lot.Request == Request;
}

/// <summary>Adds lots to a contract (L1, L4).</summary>
public static class Granting
{
    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/> or <see cref="RefusalCode.ContractNotActive"/> (after the contract's end).</summary>
    public static Decision<Changed<Contract, Lot>> Decide(Contract contract, GrantLot grant, Instant now)
    {
        var terms = contract.Terms;
        var from = grant.AvailableFrom ?? Instant.Max(now, terms.Begins);
        if (contract.IsUnlimited)
            return Refusal.Invalid("contractId", "must name a metered contract: the credits of an unlimited one are minted as they are used");
        if (now >= terms.Ends) return Charging.NotActive(terms, null, now)!;
        if (grant.Quantity is < 1 or > Lot.MaxQuantity) return Refusal.Invalid("quantity", $"must be 1 to {Lot.MaxQuantity:N0}");
        if (!Calendar.IsInstant(from)) return Refusal.Invalid("availableFrom", Calendar.InstantRange);
        if (from >= terms.Ends) return Refusal.Invalid("availableFrom", "must be before the contract's end");
        if (grant.ExpiresAt is { } given && !Calendar.IsInstant(given)) return Refusal.Invalid("expiresAt", Calendar.InstantRange);
        if (grant.ExpiresAt <= from) return Refusal.Invalid("expiresAt", $"must be after availableFrom, {InstantPattern.ExtendedIso.Format(from)}");

        var asked = grant.ExpiresAt ?? DefaultExpiry(terms, from);
        if (grant.ExpiresAt <= now) return Refusal.Invalid("expiresAt", "must be in the future");
        if (grant.ExpiresAt <= terms.Begins) return Refusal.Invalid("expiresAt", $"must be after the contract begins on {terms.StartsOn:R}");
        if (asked <= now) return Refusal.Invalid("availableFrom", "must be later: the lot would have expired by now");
        if (asked <= terms.Begins)
            return Refusal.Invalid("availableFrom", $"must be later: the lot would expire before the contract begins on {terms.StartsOn:R}");

        // After this line the lot is added.
        var lot = new Lot(
            grant.LotId, grant.Source, grant.PaymentId, grant.Quantity, Runs.UpTo(grant.Quantity), now, from, asked, terms.CutToEnd(asked),
            Request: grant.Request);
        return new Changed<Contract, Lot>(
            contract.With([lot]),
            [
                contract.Change(lot, isNew: true),
                contract.Tell(EntryKind.LotGranted, lot, now, now, grant.Actor, Causes.Request) with
                {
                    Quantity = lot.Quantity,
                    Before = "0",
                    After = $"{lot.Quantity}",
                    Reason = grant.Reason,
                },
            ],
            lot);
    }

    /// <summary>The default expiry of unallocated credits that are available from an instant on, uncut (L4); null: the contract's end.</summary>
    internal static Instant? DefaultExpiry(Terms terms, Instant from) =>
        terms.UnallocatedLifetimeDays is { } days ? Calendar.SameTimeAfter(from, days, terms.Zone) : null;
}
