using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Changes a purchase (L6); null leaves a part as it is.</summary>
/// <param name="StartsOn">While the purchase has not begun; not after its last day.</param>
/// <param name="ExpiresOn">The last day, included: today or later, even once the purchase has expired.</param>
/// <param name="Quantity">Not below what milestones hold.</param>
/// <param name="Clears">Whether the description is taken away.</param>
/// <param name="Seen">The <see cref="PurchaseVersion"/> that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record ChangePurchase(
    string PurchaseId, LocalDate? StartsOn, LocalDate? ExpiresOn, decimal? Quantity, string? Description, bool Clears, string? Reason, string Actor,
    string? Seen = null);

/// <summary>Ends a purchase now (L6): what is free of it expires.</summary>
/// <param name="Seen">The <see cref="PurchaseVersion"/> that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record ExpirePurchase(string PurchaseId, string Reason, string Actor, string? Seen = null);

/// <summary>What a correction may change of a purchase (L6).</summary>
/// <param name="ExpiresAt">The end of the last day, or the instant at which the purchase was ended by hand.</param>
public sealed record PurchaseTerms(decimal Quantity, LocalDate StartsOn, LocalDate ExpiresOn, Instant AvailableFrom, Instant ExpiresAt, string? Description);

/// <summary>What tells two versions of a purchase apart, but for the time.</summary>
public sealed record PurchaseVersion(PurchaseTerms Terms, decimal Allocated);

/// <summary>Corrects purchases by hand: their days, their quantity, their end (L6).</summary>
public static class PurchaseCorrecting
{
    /// <summary>
    /// Changes a purchase. What had expired of it is free again where it no longer is over. Refuses with <see cref="RefusalCode.NotFound"/>,
    /// <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>. Values equal to the present ones change nothing.
    /// </summary>
    /// <param name="stored">The purchase as the store has it, where the account does not know it; null: there is none.</param>
    public static Decision<Changed<Account, Purchase>> Decide(Account account, Purchase? stored, ChangePurchase change, Instant now)
    {
        if (account.Find(change.PurchaseId, stored) is not { } purchase) return Absent(account, change.PurchaseId);
        var (present, zone) = (purchase.Terms, account.Terms.Zone);
        var (startsOn, expiresOn) = (change.StartsOn ?? present.StartsOn, change.ExpiresOn ?? present.ExpiresOn);
        if (CheckDates(change) is { } outside) return outside;
        var terms = present with
        {
            Quantity = change.Quantity ?? present.Quantity,
            StartsOn = startsOn,
            AvailableFrom = Calendar.StartOf(startsOn, zone),
            ExpiresOn = expiresOn,
            ExpiresAt = change.ExpiresOn is null ? present.ExpiresAt : Calendar.StartOf(expiresOn.PlusDays(1), zone),
            Description = change.Clears ? null : change.Description ?? present.Description,
        };
        if (terms == present) return new Changed<Account, Purchase>(account, Changes.None, purchase);
        if (change.Seen is { } seen && seen != Seen.Of(purchase.Version)) return Refusal.Changed("purchase");
        if (Check(account, purchase, terms, now) is { } invalid) return invalid;

        return Corrected(account, purchase, terms, change.Actor, change.Reason, now);
    }

    /// <summary>
    /// Ends a purchase. Refuses with <see cref="RefusalCode.NotFound"/> or <see cref="RefusalCode.PreconditionFailed"/>. One that is over stays as it is.
    /// </summary>
    /// <param name="stored">The purchase as the store has it, where the account does not know it; null: there is none.</param>
    public static Decision<Changed<Account, Purchase>> Decide(Account account, Purchase? stored, ExpirePurchase expire, Instant now)
    {
        if (account.Find(expire.PurchaseId, stored) is not { } purchase) return Absent(account, expire.PurchaseId);
        if (purchase.IsOverAt(now)) return new Changed<Account, Purchase>(account, Changes.None, purchase);
        if (expire.Seen is { } seen && seen != Seen.Of(purchase.Version)) return Refusal.Changed("purchase");

        // One that has not begun never begins: its only day is its first.
        var today = Calendar.DateAt(now, account.Terms.Zone);
        var terms = purchase.Terms with { ExpiresOn = today > purchase.StartsOn ? today : purchase.StartsOn, ExpiresAt = now };
        return Corrected(account, purchase, terms, expire.Actor, expire.Reason, now);
    }

    private static Refusal? CheckDates(ChangePurchase change) => Refusal.All(
        change.StartsOn is { } first ? Calendar.CheckDate("startsOn", first) : null,
        change.ExpiresOn is { } last ? Calendar.CheckDate("expiresOn", last) : null,
        BuyCredits.CheckDescription(change.Description));

    private static Refusal? Check(Account account, Purchase purchase, PurchaseTerms terms, Instant now) => Refusal.All(
        terms.StartsOn == purchase.StartsOn ? null
        : purchase.AvailableFrom <= now ? Refusal.Invalid("startsOn", $"must stay {purchase.StartsOn:R}: the purchase has begun")
        : terms.StartsOn > terms.ExpiresOn ? Refusal.Invalid("startsOn", $"must not be after expiresOn, {terms.ExpiresOn:R}")
        : null,
        terms.ExpiresAt == purchase.ExpiresAt ? null
        : terms.ExpiresAt <= now
            ? Refusal.Invalid("expiresOn", $"must be today, {Calendar.DateAt(now, account.Terms.Zone):R}, or later; to end it now, expire it")
        : terms.ExpiresOn < terms.StartsOn ? Refusal.Invalid("expiresOn", $"must not be before startsOn, {terms.StartsOn:R}")
        : null,
        ServicesCredits.Check("quantity", terms.Quantity) ?? (terms.Quantity < purchase.Allocated
            ? Refusal.Invalid("quantity", $"must be {ServicesCredits.Plain(purchase.Allocated)} or more, which milestones hold")
            : null));

    // What milestones do not hold is free, or has expired: it moves with the terms.
    private static Changed<Account, Purchase> Corrected(Account account, Purchase before, PurchaseTerms terms, string actor, string? reason, Instant now)
    {
        var changed = before.With(terms);
        var rest = changed.Quantity - changed.Allocated;
        var after = changed.IsOverAt(now) ? changed with { Free = 0, Expired = rest } : changed with { Free = rest, Expired = 0 };
        var (bought, expired) = (after.Quantity - before.Quantity, after.Expired - before.Expired);
        var (booked, moves) = expired == 0
            ? new(account.With([after]), [account.Change(after)])
            : account.Book([new(ConsumptionKind.Expiry, before with { Free = before.Free + bought }, after, expired, null, now)], actor, Causes.Request, now);
        var subject = Subjects.Purchase(account.Terms.AccountId, after.PurchaseId);
        return new(
            booked,
            [
                account.Tell(EntryKind.PurchaseSet, subject, actor, Causes.Request, now) with
                {
                    Before = Json.Write(before.Terms),
                    After = Json.Write(after.Terms),
                    Reason = reason,
                },
                .. bought == 0 ? Array.Empty<Entry>() :
                [
                    account.Tell(EntryKind.ServicesCreditsBought, subject, actor, Causes.Request, now) with
                    {
                        ServicesCredits = bought,
                        Before = Json.Write(before.Free),
                        After = Json.Write(before.Free + bought),
                        Reason = reason,
                    },
                ],
                .. moves.Select(change => change is Entry entry ? entry with { Reason = reason } : change),
            ],
            after);
    }

    private static Purchase? Find(this Account account, string purchaseId, Purchase? stored) =>
        account.Purchases.FirstOrDefault(purchase => purchase.PurchaseId == purchaseId) ?? stored;

    private static Refusal Absent(Account account, string purchaseId) => Refusal.NotFound($"purchase {purchaseId} of account {account.Terms.AccountId}");
}
