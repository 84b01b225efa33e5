using CreditGrains.Domain;
using CreditGrains.Http;
using NodaTime;

namespace CreditGrains.Parts;

/// <summary>The zones of the contracts and accounts whose rows a list shows: each instant is shown in its own, named.</summary>
internal sealed class Zoned
{
    private readonly Dictionary<string, DateTimeZone> zones = [];

    /// <summary>Learns the zones of those contracts.</summary>
    /// <param name="get">The terms of a contract; null: it is not there for the caller.</param>
    public async Task Learn(IEnumerable<string> contractIds, Func<string, Task<Terms?>> get)
    {
        foreach (var contractId in contractIds.Distinct())
            if (!zones.ContainsKey(contractId) && await get(contractId) is { } terms) zones[contractId] = terms.Zone;
    }

    /// <summary>UTC where there is no contract.</summary>
    public DateTimeZone Of(string? contractId) => contractId is not null && zones.TryGetValue(contractId, out var zone) ? zone : DateTimeZone.Utc;

    /// <summary>"Times are local to Europe/London." or, of several, that each row names its own.</summary>
    public bool AreMany => zones.Values.Distinct().Count() > 1;

    public string Caption => AreMany
        ? "Each time is local to its contract's zone, which is named."
        : $"Times are local to {zones.Values.FirstOrDefault() ?? DateTimeZone.Utc}.";
}
