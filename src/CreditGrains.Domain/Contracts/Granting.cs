using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A lot to be added (L1). <paramref name="Quantity"/>: 1 to 999,999,999 credits.</summary>
public sealed record GrantLot(string LotId, LotSource Source, string PaymentId, long Quantity, Instant? AvailableFrom, Instant? ExpiresAt, string Actor)
{
    /// <summary>What is asked for, whoever asks and under whatever id.</summary>
    internal string Request => Json.Write(new { Source, PaymentId, Quantity, AvailableFrom, ExpiresAt });

    /// <summary>Whether a lot came from this same request.</summary>
    public bool Made(Lot lot) => lot.Request == Request;
}

/// <summary>Adds lots to a contract (L1, L4).</summary>
public static class Granting
{
    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/> or <see cref="RefusalCode.ContractNotActive"/> (after the contract's end).</summary>
    public static Decision<Changed<Contract, Lot>> Decide(Contract contract, GrantLot grant, Instant now)
    {
        var terms = contract.Terms;
        var from = grant.AvailableFrom ?? now;
        if (contract.IsUnlimited) return Refusal.Invalid("contractId", "names an unlimited contract, whose credits are minted as they are used");
        if (now >= terms.Ends) return Charging.NotActive(terms, null, now)!;
        if (grant.Quantity is < 1 or > Lot.MaxQuantity) return Refusal.Invalid("quantity", $"is 1 to {Lot.MaxQuantity}");
        if (!Calendar.IsInstant(from)) return Refusal.Invalid("availableFrom", Calendar.InstantRange);
        if (from >= terms.Ends) return Refusal.Invalid("availableFrom", "lies before the contract's end");
        if (grant.ExpiresAt is { } given && !Calendar.IsInstant(given)) return Refusal.Invalid("expiresAt", Calendar.InstantRange);
        if (grant.ExpiresAt <= from) return Refusal.Invalid("expiresAt", "lies after availableFrom");

        var asked = grant.ExpiresAt ?? DefaultExpiry(terms, from);
        if (asked <= now) return Refusal.Invalid(grant.ExpiresAt is null ? "availableFrom" : "expiresAt", "would make the lot expired from the start");

        // After this line the lot is added.
        var lot = new Lot(grant.LotId, grant.Source, grant.PaymentId, grant.Quantity, Runs.UpTo(grant.Quantity), now, from, asked, terms.CutToEnd(asked), Request: grant.Request);
        return new Changed<Contract, Lot>(
            contract.With([lot]),
            [
                contract.Change(lot, isNew: true),
                contract.Tell(EntryKind.LotGranted, lot, now, now, grant.Actor, Causes.Request) with { Quantity = lot.Quantity, Before = "0", After = $"{lot.Quantity}" },
            ],
            lot);
    }

    /// <summary>When unallocated credits expire that are available from then on, before the contract's end cuts it (L4); null: with the contract.</summary>
    internal static Instant? DefaultExpiry(Terms terms, Instant from) =>
        terms.UnallocatedLifetimeDays is { } days ? Calendar.SameTimeAfter(from, days, terms.Zone) : null;
}
