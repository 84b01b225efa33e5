using NodaTime;

namespace CreditGrains.Parts;

/// <summary>The zones of the contracts whose rows a list shows: each instant is shown in its own, which is named where there are several.</summary>
internal sealed class Zoned(IEnumerable<DateTimeZone> zones)
{
    private readonly DateTimeZone[] zones = [.. zones.Distinct()];

    public bool AreMany => zones.Length > 1;

    /// <summary>"Times are local to Europe/London." or, of several, that each row names its own.</summary>
    public string Caption => AreMany
        ? "Each time is local to its contract's zone, which is named."
        : $"Times are local to {zones.FirstOrDefault() ?? DateTimeZone.Utc}.";
}
