using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Services credits that an account has bought (S1). Free, allocated and expired make up the quantity at any time.</summary>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Quantity">Services credits: more than 0, at most 4 decimal places.</param>
/// <param name="Free">Not allocated, and not booked as expired.</param>
/// <param name="Allocated">What milestones hold of it.</param>
/// <param name="Expired">What is booked as expired.</param>
/// <param name="StartsOn">First day, local to the account's zone.</param>
/// <param name="ExpiresOn">Last day, included.</param>
/// <param name="AvailableFrom">When the first day begins.</param>
/// <param name="ExpiresAt">When the last day is over.</param>
/// <param name="Request">What asked for it: the same id again must ask the same.</param>
public sealed record Purchase(
    string PurchaseId,
    string Currency,
    decimal Quantity,
    decimal Free,
    decimal Allocated,
    decimal Expired,
    LocalDate StartsOn,
    LocalDate ExpiresOn,
    Instant AvailableFrom,
    Instant ExpiresAt,
    Instant CreatedAt,
    string Request) : IDrawable
{
    string IDrawable.Id => PurchaseId;

    Instant? IDrawable.ExpiresAt => ExpiresAt;

    /// <summary>What an allocation could take now (S2): it has begun and has not expired.</summary>
    public decimal AvailableAt(Instant now) => now < AvailableFrom || IsOverAt(now) ? 0 : Free;

    /// <summary>What has expired by now, booked or not (T3).</summary>
    public decimal ExpiredAt(Instant now) => IsOverAt(now) ? Expired + Free : Expired;

    /// <summary>Half-open: in the instant of its expiry it is over.</summary>
    public bool IsOverAt(Instant now) => now >= ExpiresAt;

    /// <summary>The purchase as it was when it was bought.</summary>
    public Purchase AsBought() => this with { Free = Quantity, Allocated = 0, Expired = 0 };
}

/// <summary>A purchase as it now is; <paramref name="IsNew"/>: it must not have been there.</summary>
public sealed record PurchaseChange(string AccountId, string ClientId, Purchase Purchase, bool IsNew = false) : Change
{    public RowKey Row => RowKey.Purchase(AccountId, Purchase.PurchaseId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>Services credits to be bought (S1).</summary>
public sealed record BuyCredits(string PurchaseId, string Currency, decimal Quantity, LocalDate StartsOn, LocalDate ExpiresOn, string Actor)
{
    /// <summary>What is asked for, whoever asks and under whatever id.</summary>
    internal string Request => Json.Write(new { Currency, Quantity, StartsOn, ExpiresOn });

    /// <summary>Whether a purchase came from this same request.</summary>
    public bool Made(Purchase purchase) => purchase.Request == Request;
}

/// <summary>Adds purchases to an account (S1).</summary>
public static class Buying
{
    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/>.</summary>
    public static Decision<Changed<Account, Purchase>> Decide(Account account, BuyCredits buy, Instant now)
    {
        if (Currencies.Check("currency", buy.Currency) is { } unknown) return unknown;
        if (ServicesCredits.Check("quantity", buy.Quantity) is { } invalid) return invalid;
        if (Calendar.CheckDate("startsOn", buy.StartsOn) is { } early) return early;
        if (Calendar.CheckDate("expiresOn", buy.ExpiresOn) is { } late) return late;
        if (buy.ExpiresOn < buy.StartsOn) return Refusal.Invalid("expiresOn", "is not before startsOn");
        var expiresAt = Calendar.StartOf(buy.ExpiresOn.PlusDays(1), account.Terms.Zone);
        if (expiresAt <= now) return Refusal.Invalid("expiresOn", "would make the purchase expired from the start");

        // After this line the purchase is added.
        var purchase = new Purchase(
            buy.PurchaseId, buy.Currency, buy.Quantity, buy.Quantity, 0, 0, buy.StartsOn, buy.ExpiresOn,
            Calendar.StartOf(buy.StartsOn, account.Terms.Zone), expiresAt, now, buy.Request);
        return new Changed<Account, Purchase>(
            account.With([purchase]),
            [
                new PurchaseChange(account.Terms.AccountId, account.Terms.ClientId, purchase, IsNew: true),
                account.Tell(EntryKind.ServicesCreditsBought, Subjects.Purchase(account.Terms.AccountId, purchase.PurchaseId), buy.Actor, Causes.Request, now) with
                {
                    ServicesCredits = purchase.Quantity,
                    Before = "0",
                    After = Json.Write(purchase.Free),
                },
            ],
            purchase);
    }
}
