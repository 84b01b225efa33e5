using System.Text.Json.Nodes;
using CreditGrains.Domain;
using CreditGrains.Http;
using CreditGrains.Pages;

namespace CreditGrains.Parts;

/// <summary>Settings and extra credits of a user, or default settings, as the fields of a form hold them; empty: null.</summary>
internal sealed record Draft(string? Renewal, string? Amount, string? Frequency, string? On, string? StartDate, string? Extra)
{
    private const char Separator = '|';

    public static Draft Of(AllocationRow row) => new(
        row.Renewal?.Word(), Show.Value(row.Amount), Show.Value(row.Frequency), Show.Value(row.On), Show.Value(row.StartDate),
        Show.Value(row.ExtraCredits));

    public static Draft Of(DefaultSettings? settings) => settings is null
        ? new(null, null, null, null, null, null)
        : new(
            settings.Renewal.Word(), Show.Value(settings.Amount), Show.Value(settings.Frequency), Show.Value(settings.On), Show.Value(settings.StartDate),
            null);

    /// <summary>What a hidden field carries, so that what others have changed can be told from what is changed here.</summary>
    public string Packed => string.Join(Separator, [Renewal, Amount, Frequency, On, StartDate, Extra]);

    public static Draft Unpack(string? packed)
    {
        var parts = (packed ?? "").Split(Separator).Concat(Enumerable.Repeat("", 6)).Select(part => part.Length == 0 ? null : part).ToArray();
        return new(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
    }

    /// <summary>The renewal, where it is one.</summary>
    public Renewal? Known => BodyFaults.Named<Renewal>(Renewal);

    /// <summary>Without what its renewal has no use for.</summary>
    public Draft Fitting => Known is { } renewal
        ? this with { Amount = renewal.HasAmount() ? Amount : null, Frequency = renewal.Repeats() ? Frequency : null, On = renewal.HasDay() ? On : null }
        : new(Renewal, null, null, null, null, Extra);

    /// <summary>The change from how it was to this, in the words of the API; null: there is none.</summary>
    /// <param name="nullStart">Whether a start date can be taken away.</param>
    public JsonObject? ChangeFrom(Draft was, bool nullStart)
    {
        var (before, after, change) = (was.Fitting, Fitting, new JsonObject());
        if (after.Renewal != before.Renewal) change["renewal"] = after.Renewal;
        if (after.Renewal is not null)
        {
            if (after.Amount != before.Amount && after.Amount is not null) change["amount"] = Show.Number(after.Amount);
            if (after.Frequency != before.Frequency && after.Frequency is not null) change["frequency"] = Show.Number(after.Frequency);
            if (after.On != before.On && after.On is { } on) change["on"] = Show.Number(on.ToLowerInvariant());
            if (after.StartDate != before.StartDate && (nullStart || after.StartDate is not null)) change["startDate"] = after.StartDate;
        }
        if (after.Extra != before.Extra && after.Extra is not null) change["extraCredits"] = Show.Number(after.Extra);
        return change.Count == 0 ? null : change;
    }

    /// <summary>What differs, for people: "amount 5, now 10".</summary>
    public string Differences(Draft now)
    {
        var names = new[] { "renewal", "amount", "frequency", "on", "start date", "extra credits" };
        var (before, after) = (Packed.Split(Separator), now.Packed.Split(Separator));
        return string.Join("; ", names.Select((name, i) => before[i] == after[i] ? null : $"{name} {Or(before[i])}, now {Or(after[i])}").OfType<string>());
    }

    private static string Or(string value) => value.Length == 0 ? "none" : value;
}
