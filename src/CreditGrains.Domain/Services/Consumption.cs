using System.Globalization;
using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

public enum ConsumptionKind { Consumption, Adjustment, Expiry }

/// <summary>A record of what was taken from a purchase, or given back to it; nobody writes one by hand (S4).</summary>
/// <param name="Number">1, 2, 3 ... within the account.</param>
/// <param name="MilestoneId">null: it expired.</param>
/// <param name="Quantity">Services credits; below 0: given back.</param>
/// <param name="Date">The local day in the account's zone.</param>
public sealed record Consumption(string AccountId, long Number, ConsumptionKind Kind, string PurchaseId, string? MilestoneId, string Currency, decimal Quantity, LocalDate Date, Instant At) : Change
{
    /// <summary>The account's zone, where the record is shown (T1).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }

    public string ConsumptionId => string.Create(CultureInfo.InvariantCulture, $"{AccountId}~{Number:D9}");

    /// <summary>The allocation record that it counts in: its milestone's, or one of its own.</summary>
    public string AllocationId => MilestoneId ?? ConsumptionId;

    [JsonIgnore]
    public RowKey Row => RowKey.Consumption(AccountId, Number);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}

/// <summary>What is allocated to a milestone, or was lost by one expiry: the sum of its consumptions (S4).</summary>
/// <param name="Date">The day of the first of them.</param>
public sealed record AllocationRecord(string AllocationId, string AccountId, string? MilestoneId, string Currency, decimal Quantity, LocalDate Date)
{
    /// <inheritdoc cref="Consumption.TimeZone"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TimeZone { get; init; }
}

/// <summary>A movement between a purchase's free, allocated and expired credits.</summary>
/// <param name="Quantity">What leaves the free ones; below 0: what comes back from the milestone.</param>
internal sealed record Move(ConsumptionKind Kind, Purchase Before, Purchase After, decimal Quantity, string? MilestoneId, Instant At)
{
    public EntryKind EntryKind => Kind == ConsumptionKind.Expiry ? EntryKind.ServicesCreditsExpired
        : Quantity > 0 ? EntryKind.ServicesCreditsAllocated : EntryKind.ServicesCreditsReturned;

    public Consumption Record(AccountTerms terms, long number) =>
        new(terms.AccountId, number, Kind, After.PurchaseId, MilestoneId, After.Currency, Quantity, Calendar.DateAt(At, terms.Zone), At);
}
