using NodaTime;

namespace CreditGrains.Domain;

/// <summary>How a user's credits renew (A1). <see cref="Fixed"/>: one amount for the whole contract; <see cref="Unlimited"/>: no limit but the pool.</summary>
public enum Renewal { Daily, Weekly, Monthly, Fixed, Unlimited }

/// <summary>The day of a reset (A1): a weekday, or a day of the month from 1 to 31.</summary>
/// <param name="Weekday">None where it is a day of the month.</param>
/// <param name="DayOfMonth">0 where it is a weekday.</param>
public readonly record struct RenewalDay(IsoDayOfWeek Weekday, int DayOfMonth)
{
    public static RenewalDay Of(IsoDayOfWeek weekday) => new(weekday, 0);

    public static RenewalDay Of(int dayOfMonth) => new(IsoDayOfWeek.None, dayOfMonth);
}

/// <summary>What a user may use in a cycle, and how long a cycle is (A1).</summary>
/// <param name="Amount">Credits a cycle, 0 to 999,999,999; null: unlimited.</param>
/// <param name="Frequency">1 to 1,000 days, weeks or months; 1 where nothing is reset.</param>
/// <param name="On">A weekday for weekly, a day of the month for monthly, else null.</param>
public sealed record Settings(long? Amount, Renewal Renewal, int Frequency, RenewalDay? On)
{
    /// <summary>The most credits of a cycle.</summary>
    public const long MaxAmount = Lot.MaxQuantity;

    /// <summary>Where a user starts who is given no startDate (A2).</summary>
    /// <param name="today">The local date; the day before the contract's first where that is later.</param>
    /// <param name="terms">The contract's.</param>
    public LocalDate StartAfter(LocalDate today, Terms terms) => Renewal switch
    {
        Renewal.Daily => today.PlusDays(1),
        Renewal.Weekly or Renewal.Monthly => Schedule.OnOrAfter(On!.Value, today.PlusDays(1)),
        Renewal.Fixed or Renewal.Unlimited => LocalDate.Max(today, terms.StartsOn),
    };
}

/// <summary>Settings as a manager asks for them; what is null stays as it is (A7).</summary>
public sealed record SettingsChange(long? Amount = null, Renewal? Renewal = null, int? Frequency = null, RenewalDay? On = null, LocalDate? StartDate = null)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsNothing => this == new SettingsChange();

    /// <summary>The settings that come of it; refuses with <see cref="RefusalCode.InvalidField"/>.</summary>
    /// <param name="present">What stays where nothing is asked; null: nothing.</param>
    /// <param name="at">Where the fields stand in the request, e.g. <c>users[0].</c></param>
    public Decision<Settings> Over(Settings? present, string at)
    {
        var frequency = Frequency ?? present?.Frequency ?? 1;
        if (Amount is < 0 or > Settings.MaxAmount) return Refusal.Invalid($"{at}amount", $"is 0 to {Settings.MaxAmount}");
        if (frequency is < 1 or > Recurrence.MaxEvery) return Refusal.Invalid($"{at}frequency", $"is 1 to {Recurrence.MaxEvery}");
        if (On is { Weekday: IsoDayOfWeek.None, DayOfMonth: < 1 or > 31 }) return Refusal.Invalid($"{at}on", "is a weekday or 1 to 31");
        if ((Renewal ?? present?.Renewal) is not { } renewal) return Refusal.Invalid($"{at}renewal", "is required");

        var resets = renewal is Domain.Renewal.Daily or Domain.Renewal.Weekly or Domain.Renewal.Monthly;
        if (!resets && Frequency is > 1) return Refusal.Invalid($"{at}frequency", "is for daily, weekly and monthly");
        if (On is not null && renewal is not (Domain.Renewal.Weekly or Domain.Renewal.Monthly)) return Refusal.Invalid($"{at}on", "is for weekly and monthly");

        var amount = renewal == Domain.Renewal.Unlimited ? null : Amount ?? present?.Amount;
        if (renewal != Domain.Renewal.Unlimited && amount is null) return Refusal.Invalid($"{at}amount", "is required");

        var on = On ?? present?.On;
        if (renewal == Domain.Renewal.Weekly && on is not { Weekday: not IsoDayOfWeek.None }) return Refusal.Invalid($"{at}on", "is monday to sunday for weekly");
        if (renewal == Domain.Renewal.Monthly && on is not { DayOfMonth: > 0 }) return Refusal.Invalid($"{at}on", "is 1 to 31 for monthly");
        return new Settings(amount, renewal, resets ? frequency : 1, renewal is Domain.Renewal.Weekly or Domain.Renewal.Monthly ? on : null);
    }
}
