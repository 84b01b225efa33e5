using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Services credits that an account has bought (S1). Quantity = free + allocated + expired (G2).</summary>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Quantity">Services credits: more than 0, at most 4 decimal places.</param>
/// <param name="Free">Services credits neither allocated nor booked as expired.</param>
/// <param name="Allocated">Services credits that milestones hold.</param>
/// <param name="Expired">Services credits booked as expired.</param>
/// <param name="StartsOn">The first day, local to the account's zone.</param>
/// <param name="ExpiresOn">The last day, included.</param>
/// <param name="AvailableFrom">The start of the first day.</param>
/// <param name="ExpiresAt">The end of the last day.</param>
/// <param name="Request">The request that added it, to which the same purchase id must belong.</param>
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
    /// <summary>What people say of it; null: nothing.</summary>
    public string? Description { get; init; }

    string IDrawable.Id => PurchaseId;

    Instant? IDrawable.ExpiresAt => ExpiresAt;

    /// <summary>What an allocation could take now (S2): nothing before the first day or after the last.</summary>
    public decimal AvailableAt(Instant now) => now < AvailableFrom || IsOverAt(now) ? 0 : Free;

    /// <summary>Services credits that have expired by now, booked or not (T3).</summary>
    public decimal ExpiredAt(Instant now) => IsOverAt(now) ? Expired + Free : Expired;

    /// <summary>Whether it has expired; at the expiry itself it has.</summary>
    public bool IsOverAt(Instant now) => now >= ExpiresAt;

    /// <summary>What a correction may change of it (L6).</summary>
    public PurchaseTerms Terms => new(Quantity, StartsOn, ExpiresOn, AvailableFrom, ExpiresAt, Description);

    /// <summary>What a correction rests on.</summary>
    public PurchaseVersion Version => new(Terms, Allocated);

    /// <summary>The purchase under other terms; what is free of it stays.</summary>
    public Purchase With(PurchaseTerms terms) => this with
    {
        Quantity = terms.Quantity,
        StartsOn = terms.StartsOn,
        ExpiresOn = terms.ExpiresOn,
        AvailableFrom = terms.AvailableFrom,
        ExpiresAt = terms.ExpiresAt,
        Description = terms.Description,
    };

    /// <summary>The purchase as it was bought: all of it free.</summary>
    /// <param name="first">Its terms before the first correction; null: there was none.</param>
    public Purchase AsBought(PurchaseTerms? first = null)
    {
        var bought = first is null ? this : With(first);
        return bought with { Free = bought.Quantity, Allocated = 0, Expired = 0 };
    }
}

/// <summary>A purchase's row as it now is. Only its account changes it, so the epoch of the account's document is its fence.</summary>
/// <param name="IsNew">The row is inserted: it must not exist yet.</param>
public sealed record PurchaseChange(string AccountId, string ClientId, Purchase Purchase, bool IsNew = false) : Change
{
    public RowKey Row => RowKey.Purchase(AccountId, Purchase.PurchaseId);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>A purchase to be added (S1).</summary>
/// <param name="Quantity">More than 0, at most 999,999,999.9999, with at most 4 decimal places.</param>
/// <param name="ExpiresOn">The last day, included: today or later, and not before <paramref name="StartsOn"/>.</param>
public sealed record BuyCredits(string PurchaseId, string Currency, decimal Quantity, LocalDate StartsOn, LocalDate ExpiresOn, string Actor)
{
    /// <summary>The longest description, in characters.</summary>
    public const int MaxDescription = 1_000;

    /// <summary>1 to 1,000 characters for people to read; null: none.</summary>
    public string? Description { get; init; }

    /// <summary>The request without its id and actor, as JSON: equal requests are the same.</summary>
    internal string Request => Json.Write(new { Currency, Quantity, StartsOn, ExpiresOn, Description });

    internal static Refusal? CheckDescription(string? description) =>
        description is null || (description.Trim().Length > 0 && description.Length <= MaxDescription && !description.Contains('\0'))
            ? null
            : Refusal.Invalid("description", $"must have 1 to {MaxDescription:N0} characters, not only blanks, none of them NUL");

    /// <summary>Whether this same request added the purchase.</summary>
    public bool Made(Purchase purchase) => purchase.Request == Request;
}

/// <summary>Adds purchases to an account (S1).</summary>
public static class Buying
{
    /// <summary>Refuses with <see cref="RefusalCode.InvalidField"/>.</summary>
    public static Decision<Changed<Account, Purchase>> Decide(Account account, BuyCredits buy, Instant now)
    {
        var invalid = Refusal.All(
            Currencies.Check("currency", buy.Currency),
            ServicesCredits.Check("quantity", buy.Quantity),
            Calendar.CheckDate("startsOn", buy.StartsOn),
            Calendar.CheckDate("expiresOn", buy.ExpiresOn)
                ?? (buy.ExpiresOn < buy.StartsOn ? Refusal.Invalid("expiresOn", "must not be before startsOn") : null),
            BuyCredits.CheckDescription(buy.Description));
        if (invalid is not null) return invalid;
        var expiresAt = Calendar.StartOf(buy.ExpiresOn.PlusDays(1), account.Terms.Zone);
        if (expiresAt <= now) return Refusal.Invalid("expiresOn", $"must be today, {Calendar.DateAt(now, account.Terms.Zone):R}, or later");

        // After this line the purchase is added.
        var purchase = new Purchase(
            buy.PurchaseId, buy.Currency, buy.Quantity, buy.Quantity, 0, 0, buy.StartsOn, buy.ExpiresOn,
            Calendar.StartOf(buy.StartsOn, account.Terms.Zone), expiresAt, now, buy.Request)
        {
            Description = buy.Description,
        };
        var subject = Subjects.Purchase(account.Terms.AccountId, purchase.PurchaseId);
        return new Changed<Account, Purchase>(
            account.With([purchase]),
            [
                new PurchaseChange(account.Terms.AccountId, account.Terms.ClientId, purchase, IsNew: true),
                account.Tell(EntryKind.ServicesCreditsBought, subject, buy.Actor, Causes.Request, now) with
                {
                    ServicesCredits = purchase.Quantity,
                    Before = "0",
                    After = Json.Write(purchase.Free),
                },
            ],
            purchase);
    }
}
