using System.Collections.Immutable;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>The terms of an account (S1).</summary>
/// <param name="AccountId">Global.</param>
/// <param name="ClientId">Fixed.</param>
/// <param name="Name">1 to 200 characters.</param>
/// <param name="TimeZone">An IANA zone, to which the dates of its purchases are local; fixed.</param>
public sealed record AccountTerms(string AccountId, string ClientId, string Name, string TimeZone)
{
    [JsonIgnore]
    public DateTimeZone Zone => Calendar.KnownZone(TimeZone);
}

/// <summary>An account as its grain knows it.</summary>
/// <param name="Records">How many consumption records it has written; they are numbered from 1.</param>
/// <param name="Purchases">The purchases with free credits, and those from which the milestones of the present command hold credits.</param>
/// <param name="AsOf">The instant of the last decision; no later decision is made as of an earlier instant.</param>
/// <param name="Services">The milestones, projects and settings of the present command.</param>
public sealed record Account(AccountTerms Terms, long Records, ImmutableArray<Purchase> Purchases, Instant AsOf, ServicesFacts Services)
    : ICreditHolder<Account>
{
    public string ClientId => Terms.ClientId;

    /// <summary>When time will next change it: the next expiry of a purchase (S6); null: never.</summary>
    public Instant? NextDue => Purchases.Where(purchase => purchase.Free > 0).Min(purchase => (Instant?)purchase.ExpiresAt);

    /// <summary>What an allocation in that currency could take now (S2).</summary>
    public decimal AvailableAt(Instant now, string currency) =>
        Purchases.Where(purchase => purchase.Currency == currency).Sum(purchase => purchase.AvailableAt(now));

    /// <summary>Books the expiry of purchases that are over by now (T3): their free credits expire, each at its own instant (S6).</summary>
    public Changed<Account> RollForward(Instant now)
    {
        Invariant.Holds(now >= AsOf, "an account does not go back in time");
        var account = this with { AsOf = now };
        if (!(NextDue <= now)) return new(account, Changes.None);

        var moves = Purchases
            .Where(purchase => purchase.Free > 0 && purchase.ExpiresAt <= now)
            .InDrawOrder()
            .Select(purchase => new Move(ConsumptionKind.Expiry, purchase, Expired(purchase), purchase.Free, null, purchase.ExpiresAt));
        return account.Book([.. moves], Entry.System, Causes.Expiry, now);

        static Purchase Expired(Purchase purchase) => purchase with { Free = 0, Expired = purchase.Expired + purchase.Free };
    }

    /// <summary>The account after those movements, with their records and entries (S4, G1).</summary>
    internal Changed<Account> Book(IReadOnlyList<Move> moves, string actor, string cause, Instant now)
    {
        var after = moves
            .Select(move => move.After)
            .GroupBy(purchase => purchase.PurchaseId)
            .Select(group => group.Last())
            .ToList();
        return new(
            With(after) with { Records = Records + moves.Count },
            [
                .. after.Select(Change),
                .. moves.Select((move, i) => move.Record(Terms, Records + i + 1)),
                .. moves.Select(move => Tell(move.EntryKind, Subjects.Purchase(Terms.AccountId, move.After.PurchaseId), actor, cause, now) with
                {
                    EffectiveAt = move.At,
                    ServicesCredits = move.Told,
                    Before = Json.Write(move.Before.Free),
                    After = Json.Write(move.After.Free),
                }),
            ]);
    }

    internal PurchaseChange Change(Purchase purchase) => new(Terms.AccountId, Terms.ClientId, purchase);

    /// <summary>The account with these purchases as they now are.</summary>
    internal Account With(IReadOnlyCollection<Purchase> changed)
    {
        var ids = changed.Select(purchase => purchase.PurchaseId).ToHashSet();
        return this with { Purchases = [.. Purchases.Where(purchase => !ids.Contains(purchase.PurchaseId)), .. changed] };
    }

    internal Entry Tell(EntryKind kind, string subject, string actor, string cause, Instant now) => new()
    {
        Kind = kind,
        EffectiveAt = now,
        BookedAt = now,
        Actor = actor,
        Cause = cause,
        Subject = subject,
        ClientId = Terms.ClientId,
        AccountId = Terms.AccountId,
    };
}

/// <summary>The rows that a command on milestones or projects reads.</summary>
/// <param name="Held">The purchases from which these milestones hold credits.</param>
/// <param name="SettingsVersion">The fence of the settings; 0: there is no document, and they are the default.</param>
public sealed record ServicesFacts(
    ImmutableDictionary<string, Milestone> Milestones,
    ImmutableDictionary<string, Project> Projects,
    ImmutableArray<Purchase> Held,
    ServicesSettings Settings,
    long SettingsVersion)
{
    public static readonly ServicesFacts None = new(
        ImmutableDictionary<string, Milestone>.Empty, ImmutableDictionary<string, Project>.Empty, [], ServicesSettings.Default, 0);
}

/// <summary>The wanted terms of an account.</summary>
/// <param name="Seen">The terms that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record SetAccount(AccountTerms Terms, string Actor, string? Seen = null);

/// <summary>Makes an account, or changes its name (S1).</summary>
public static class Opening
{
    /// <summary>
    /// Refuses with <see cref="RefusalCode.PreconditionFailed"/> or <see cref="RefusalCode.InvalidField"/>. Terms equal to the present ones change nothing.
    /// </summary>
    public static Decision<Changed<Account, AccountTerms>> Decide(Account? present, SetAccount set, Instant now)
    {
        var terms = set.Terms;
        if (terms == present?.Terms) return new Changed<Account, AccountTerms>(present, Changes.None, terms);
        if (set.Seen is { } seen && seen != Seen.Of(present?.Terms)) return Refusal.Changed("account");
        var invalid = Refusal.All(
            Terms.CheckName(terms.Name),
            Calendar.Zone(terms.TimeZone) is null ? Refusal.Invalid("timeZone", "must be an IANA time zone, e.g. Europe/Berlin")
            : present is not null && terms.TimeZone != present.Terms.TimeZone ? Refusal.Invalid("timeZone", $"must stay {present.Terms.TimeZone}")
            : null,
            present is null || terms.ClientId == present.Terms.ClientId ? null : Refusal.Invalid("clientId", $"must stay {present.Terms.ClientId}"));
        if (invalid is not null) return invalid;

        var account = present is null ? new Account(terms, 0, [], now, ServicesFacts.None) : present with { Terms = terms };
        var told = account.Tell(EntryKind.AccountSet, Subjects.Account(terms.AccountId), set.Actor, Causes.Request, now) with
        {
            Before = present is null ? null : Json.Write(present.Terms),
            After = Json.Write(terms),
        };
        return new Changed<Account, AccountTerms>(account, [told], terms);
    }
}
