using System.Text.Json.Serialization;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>
/// How a user's credits renew (A1). <see cref="Fixed"/>: one amount for the whole contract; <see cref="Unlimited"/>: the pool is the only limit.
/// </summary>
public enum Renewal { Daily, Weekly, Monthly, Fixed, Unlimited }

/// <summary>What a renewal has a use for (A1).</summary>
public static class RenewalUses
{
    public static bool HasAmount(this Renewal renewal) => renewal != Renewal.Unlimited;

    /// <summary>Whether cycles follow one another; else there is one for the whole contract.</summary>
    public static bool Repeats(this Renewal renewal) => renewal is Renewal.Daily or Renewal.Weekly or Renewal.Monthly;

    public static bool HasDay(this Renewal renewal) => renewal is Renewal.Weekly or Renewal.Monthly;
}

/// <summary>The day of a reset (A1): a weekday or a day of the month.</summary>
/// <param name="Weekday"><see cref="IsoDayOfWeek.None"/>: it is a day of the month.</param>
/// <param name="DayOfMonth">1 to 31; 0: it is a weekday.</param>
public readonly record struct RenewalDay(IsoDayOfWeek Weekday, int DayOfMonth)
{
    public static RenewalDay Of(IsoDayOfWeek weekday) => new(weekday, 0);

    public static RenewalDay Of(int dayOfMonth) => new(IsoDayOfWeek.None, dayOfMonth);
}

/// <summary>What a user may use in a cycle, and how long a cycle is (A1).</summary>
/// <param name="Amount">Credits per cycle, 0 to 999,999,999; null: unlimited.</param>
/// <param name="Frequency">1 to 1,000 days, weeks or months; 1 for fixed and unlimited.</param>
/// <param name="On">A weekday for weekly, a day of the month for monthly, else null.</param>
public sealed record Settings(long? Amount, Renewal Renewal, int Frequency, RenewalDay? On)
{
    /// <summary>The most credits of a cycle.</summary>
    public const long MaxAmount = Lot.MaxQuantity;

    /// <summary>The frequency as it is shown: null where no cycle follows another.</summary>
    [JsonIgnore]
    public int? ShownFrequency => Renewal.Repeats() ? Frequency : null;

    /// <summary>The start date where none is given (A2).</summary>
    /// <param name="today">The local date, or the day before the contract's first where that is later.</param>
    /// <param name="terms">The contract's.</param>
    public LocalDate StartAfter(LocalDate today, Terms terms) => Renewal switch
    {
        Renewal.Daily => today.PlusDays(1),
        Renewal.Weekly or Renewal.Monthly => Schedule.OnOrAfter(On!.Value, today.PlusDays(1)),
        Renewal.Fixed or Renewal.Unlimited => LocalDate.Max(today, terms.StartsOn),
    };
}

/// <summary>A change of settings, as a manager asks for it; null leaves a part as it is (A7).</summary>
public sealed record SettingsChange(long? Amount = null, Renewal? Renewal = null, int? Frequency = null, RenewalDay? On = null, LocalDate? StartDate = null)
{
    /// <summary>Whether it takes the settings away (A1); then it has nothing else.</summary>
    public bool Clears { get; init; }

    /// <summary>Of defaults: whether they lose their start date (A9).</summary>
    public bool ClearsStart { get; init; }

    [JsonIgnore]
    public bool IsNothing => this == new SettingsChange();

    /// <summary>The settings after this change (A1); refuses with <see cref="RefusalCode.InvalidField"/>.</summary>
    /// <param name="present">The settings before; null: none.</param>
    /// <param name="at">The prefix of the fields' names in the request, e.g. <c>users[0].</c></param>
    public Decision<Settings> Over(Settings? present, string at)
    {
        var frequency = Frequency ?? present?.Frequency ?? 1;
        if (Amount is < 0 or > Settings.MaxAmount) return Refusal.Invalid($"{at}amount", $"must be 0 to {Settings.MaxAmount:N0}");
        if (frequency is < 1 or > Recurrence.MaxEvery) return Refusal.Invalid($"{at}frequency", $"must be 1 to {Recurrence.MaxEvery:N0}");
        if (On is { Weekday: IsoDayOfWeek.None, DayOfMonth: < 1 or > 31 }) return Refusal.Invalid($"{at}on", "must be a weekday or 1 to 31");
        if ((Renewal ?? present?.Renewal) is not { } renewal) return Refusal.Invalid($"{at}renewal", "must be given where there are no settings yet");

        var (hasAmount, repeats, hasDay) = (renewal.HasAmount(), renewal.Repeats(), renewal.HasDay());
        if (!hasAmount && Amount is not null) return Refusal.Invalid($"{at}amount", "must be left out where renewal is unlimited");
        if (!repeats && Frequency is not null) return Refusal.Invalid($"{at}frequency", "must be left out unless renewal is daily, weekly or monthly");
        if (!hasDay && On is not null) return Refusal.Invalid($"{at}on", "must be left out unless renewal is weekly or monthly");

        var amount = hasAmount ? Amount ?? present?.Amount : null;
        if (hasAmount && amount is null) return Refusal.Invalid($"{at}amount", "must be given unless renewal is unlimited");

        var on = On ?? present?.On;
        if (renewal == Domain.Renewal.Weekly && on is not { Weekday: not IsoDayOfWeek.None })
            return Refusal.Invalid($"{at}on", "must be monday to sunday where renewal is weekly");
        if (renewal == Domain.Renewal.Monthly && on is not { DayOfMonth: > 0 })
            return Refusal.Invalid($"{at}on", "must be 1 to 31 where renewal is monthly");
        return new Settings(amount, renewal, repeats ? frequency : 1, hasDay ? on : null);
    }
}
