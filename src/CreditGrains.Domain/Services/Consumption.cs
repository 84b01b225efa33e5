using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Allocated, adjusted, or expired (S4).</summary>
public enum ConsumptionKind { Consumption, Adjustment, Expiry }

/// <summary>A read-only record of services credits taken from a purchase or returned to it (S4).</summary>
/// <param name="Number">1, 2, 3 ... within the account.</param>
/// <param name="MilestoneId">null: the credits expired.</param>
/// <param name="Quantity">Services credits; negative: returned.</param>
/// <param name="Date">The local day in the account's zone.</param>
public sealed record Consumption(
    string AccountId,
    long Number,
    ConsumptionKind Kind,
    string PurchaseId,
    string? MilestoneId,
    string Currency,
    decimal Quantity,
    LocalDate Date,
    Instant At) : Change
{
    /// <summary>The account's zone, set where the record is shown (T1).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }

    public string ConsumptionId => string.Create(CultureInfo.InvariantCulture, $"{AccountId}~{Number:D9}");

    /// <summary>The allocation record that sums it up: its milestone's, or for an expiry one of its own.</summary>
    public string AllocationId => MilestoneId ?? ConsumptionId;

    [JsonIgnore]
    public RowKey Row => RowKey.Consumption(AccountId, Number);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>What an allocation record is of: a milestone's allocation, or an expiry (S4).</summary>
public enum AllocationType { Allocated, Expired }

/// <summary>The sum of the consumptions of one milestone, or of one expiry (S4).</summary>
/// <param name="Date">The local day of the first of them.</param>
public sealed record AllocationRecord(string AllocationId, string AccountId, string? MilestoneId, string Currency, decimal Quantity, LocalDate Date)
{
    /// <summary>An expiry has no milestone.</summary>
    public AllocationType Type => MilestoneId is null ? AllocationType.Expired : AllocationType.Allocated;

    /// <inheritdoc cref="Consumption.TimeZone"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }
}

/// <summary>A movement between a purchase's free, allocated and expired credits.</summary>
/// <param name="Quantity">Services credits that leave the free ones; negative: that come back from the milestone, or that no longer have expired.</param>
internal sealed record Move(ConsumptionKind Kind, Purchase Before, Purchase After, decimal Quantity, string? MilestoneId, Instant At)
{
    public EntryKind EntryKind => Kind == ConsumptionKind.Expiry ? EntryKind.ServicesCreditsExpired
        : Quantity > 0 ? EntryKind.ServicesCreditsAllocated : EntryKind.ServicesCreditsReturned;

    /// <summary>What its entry tells: an expiry that is taken back is below 0, a return is not.</summary>
    public decimal Told => Kind == ConsumptionKind.Expiry ? Quantity : decimal.Abs(Quantity);

    public Consumption Record(AccountTerms terms, long number) =>
        new(terms.AccountId, number, Kind, After.PurchaseId, MilestoneId, After.Currency, Quantity, Calendar.DateAt(At, terms.Zone), At);
}
