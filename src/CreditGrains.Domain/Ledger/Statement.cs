using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Credits, or services credits, by where they are.</summary>
public sealed record Standing(decimal Unallocated, decimal Allocated, decimal Expired, decimal Withdrawn)
{
    public static readonly Standing Nothing = new(0, 0, 0, 0);

    public static Standing operator +(Standing one, Standing other) =>
        new(one.Unallocated + other.Unallocated, one.Allocated + other.Allocated, one.Expired + other.Expired, one.Withdrawn + other.Withdrawn);

    public static Standing operator *(decimal quantity, Standing one) =>
        new(quantity * one.Unallocated, quantity * one.Allocated, quantity * one.Expired, quantity * one.Withdrawn);

    /// <summary>What a credit of such an entry adds to each; nothing where no credit moves.</summary>
    public static Standing Of(EntryKind kind) => kind switch
    {
        EntryKind.LotGranted or EntryKind.CreditsMinted or EntryKind.ServicesCreditsBought => new(1, 0, 0, 0),
        EntryKind.CreditsCharged or EntryKind.ServicesCreditsAllocated => new(-1, 1, 0, 0),
        EntryKind.CreditsReturned or EntryKind.ServicesCreditsReturned => new(1, -1, 0, 0),
        EntryKind.LotExpired or EntryKind.ServicesCreditsExpired => new(-1, 0, 1, 0),
        EntryKind.CoverageExpired => new(0, -1, 1, 0),
        EntryKind.LotWithdrawn => new(-1, 0, 0, 1),
        EntryKind.ContractSet or EntryKind.LotSet or EntryKind.CreditSet or EntryKind.UserSet or EntryKind.UserSwitched or EntryKind.CyclesBegun
            or EntryKind.AllocationSet or EntryKind.ExtraGranted or EntryKind.AllocationSwitched or EntryKind.DefaultsSet or EntryKind.AccountSet
            or EntryKind.ProjectSet or EntryKind.MilestoneSet or EntryKind.SettingsSet or EntryKind.PurchaseSet or EntryKind.HoldCaptured => Nothing,
    };
}

/// <summary>The time of a statement: whole local days, both included, of which the last may not be over yet.</summary>
/// <param name="Begin">The first instant, included.</param>
/// <param name="Last">The last instant, included: what falls due at the midnight behind the last day is not of it.</param>
public readonly record struct StatementTime(LocalDate From, LocalDate To, Instant Begin, Instant Last)
{
    /// <summary>Stores know no shorter time.</summary>
    public static readonly Duration Shortest = Duration.FromTicks(10);

    /// <summary>The last instant before it.</summary>
    public Instant Before => Begin - Shortest;

    public static StatementTime Of(LocalDate from, LocalDate to, DateTimeZone zone, Instant now) =>
        new(from, to, Calendar.StartOf(from, zone), Instant.Min(Calendar.StartOf(to.PlusDays(1), zone) - Shortest, now));

    public bool Contains(Instant at) => at >= Begin && at <= Last;
}

/// <summary>What moved for one payment and user in the time of a statement.</summary>
/// <param name="PaymentId">What the lot was paid with.</param>
/// <param name="UserId">null: nobody caused it by a report.</param>
/// <param name="Credits">Credits of such entries; below 0: more were taken back.</param>
/// <param name="Effect">What that adds to the balance.</param>
/// <param name="UserName">null: nobody has been named yet.</param>
public sealed record Movement(EntryKind Kind, string? PaymentId, string? UserId, decimal Credits, Standing Effect, string? UserName = null);

/// <summary>A contract's statement (G5): opening and movements together make closing.</summary>
/// <param name="From">The first local day.</param>
/// <param name="To">The last local day, included.</param>
/// <param name="Opening">At the end of the day before the first, before what falls due at that midnight.</param>
/// <param name="Closing">The same of the last day; of a day that is not over yet, now.</param>
public sealed record ContractStatement(
    string ContractId, string ClientId, string TimeZone, LocalDate From, LocalDate To, Standing Opening, ImmutableArray<Movement> Movements, Standing Closing)
{
    /// <param name="moved">In any order, and several of one kind, payment and user.</param>
    public static ContractStatement Of(
        Terms terms, StatementTime time, ContractBalance opening, ContractBalance closing,
        IEnumerable<(EntryKind Kind, string? PaymentId, string? UserId, long Credits)> moved) => new(
        terms.ContractId, terms.ClientId, terms.TimeZone, time.From, time.To, StandingOf(opening),
        [.. moved
            .Where(one => Standing.Of(one.Kind) != Standing.Nothing)
            .GroupBy(one => (one.Kind, one.PaymentId, one.UserId))
            .Select(group => (group.Key, Credits: group.Sum(one => one.Credits)))
            .Where(sum => sum.Credits != 0)
            .OrderBy(sum => sum.Key.Kind).ThenBy(sum => sum.Key.PaymentId, StringComparer.Ordinal).ThenBy(sum => sum.Key.UserId, StringComparer.Ordinal)
            .Select(sum => new Movement(sum.Key.Kind, sum.Key.PaymentId, sum.Key.UserId, sum.Credits, sum.Credits * Standing.Of(sum.Key.Kind)))],
        StandingOf(closing));

    private static Standing StandingOf(ContractBalance balance) => new(balance.Unallocated, balance.Allocated, balance.Expired, balance.Withdrawn);
}

/// <summary>What moved of one purchase for one milestone in the time of a statement.</summary>
/// <param name="MilestoneId">null: for none.</param>
/// <param name="Quantity">Services credits.</param>
/// <param name="Effect">What that adds to the balance.</param>
public sealed record ServicesMovement(EntryKind Kind, string PurchaseId, string? MilestoneId, decimal Quantity, Standing Effect);

/// <summary>An account's services credits in one currency, in the time of a statement.</summary>
public sealed record CurrencyStatement(string Currency, Standing Opening, ImmutableArray<ServicesMovement> Movements, Standing Closing);

/// <summary>An account's statement (G5): in each currency opening and movements together make closing.</summary>
/// <param name="From">The first local day.</param>
/// <param name="To">The last local day, included.</param>
public sealed record AccountStatement(
    string AccountId, string ClientId, string TimeZone, LocalDate From, LocalDate To, ImmutableArray<CurrencyStatement> Currencies)
{
    private const string OfMilestone = "milestone:";

    /// <param name="opening">The purchases made by <see cref="StatementTime.Before"/>, and what of each was allocated by then.</param>
    /// <param name="closing">The same by <see cref="StatementTime.Last"/>.</param>
    /// <param name="present">The purchases as they are: of one that is over and has free credits the expiry is not booked.</param>
    /// <param name="told">Sums of entries within the time, by kind, subject and cause.</param>
    public static AccountStatement Of(
        AccountTerms terms, StatementTime time, IReadOnlyCollection<PurchaseFacts> opening, IReadOnlyCollection<PurchaseFacts> closing,
        IEnumerable<Purchase> present, IEnumerable<(EntryKind Kind, string Subject, string Cause, decimal Quantity)> told)
    {
        var prefix = Subjects.Purchase(terms.AccountId, "");
        var currencies = closing.ToDictionary(fact => fact.Purchase.PurchaseId, fact => fact.Purchase.Currency);
        var moved = told
            .Select(sum => (
                sum.Kind, PurchaseId: sum.Subject[prefix.Length..],
                MilestoneId: sum.Cause.StartsWith(OfMilestone, StringComparison.Ordinal) ? sum.Cause[OfMilestone.Length..] : null, sum.Quantity))
            .Concat(present.Where(purchase => purchase.Free > 0 && time.Contains(purchase.ExpiresAt))
                .Select(purchase => (EntryKind.ServicesCreditsExpired, purchase.PurchaseId, (string?)null, purchase.Free)))
            .GroupBy(one => (one.Item1, one.Item2, one.Item3))
            .Select(group => (group.Key, Quantity: ServicesCredits.Plain(group.Sum(one => one.Item4))))
            .OrderBy(sum => sum.Key.Item1).ThenBy(sum => sum.Key.Item2, StringComparer.Ordinal).ThenBy(sum => sum.Key.Item3, StringComparer.Ordinal)
            .ToLookup(
                sum => currencies[sum.Key.Item2],
                sum => new ServicesMovement(sum.Key.Item1, sum.Key.Item2, sum.Key.Item3, sum.Quantity, sum.Quantity * Standing.Of(sum.Key.Item1)));
        return new(
            terms.AccountId, terms.ClientId, terms.TimeZone, time.From, time.To,
            [.. currencies.Values.Distinct().Order(StringComparer.Ordinal).Select(currency => new CurrencyStatement(
                currency, StandingOf(opening, currency, time.Before), [.. moved[currency]], StandingOf(closing, currency, time.Last)))]);
    }

    private static Standing StandingOf(IEnumerable<PurchaseFacts> facts, string currency, Instant at) => facts
        .Where(fact => fact.Purchase.Currency == currency)
        .Select(fact => (fact.Allocated, Left: fact.Purchase.Quantity - fact.Allocated, IsOver: fact.Purchase.IsOverAt(at)))
        .Aggregate(Standing.Nothing, (sum, fact) => sum + new Standing(fact.IsOver ? 0 : fact.Left, fact.Allocated, fact.IsOver ? fact.Left : 0, 0));
}
