using System.Collections.Concurrent;
using CreditGrains.Actors;

namespace CreditGrains.Http;

/// <summary>Whose contract it is: a contract's client is fixed for ever (C1), so it is asked for once.</summary>
internal sealed class Clients(IQueries queries)
{
    private const int MaxKnown = 100_000;

    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>The contract's client; null where there is no such contract for this caller.</summary>
    public async ValueTask<string?> Of(string contractId, Caller caller)
    {
        if (!known.TryGetValue(contractId, out var clientId))
        {
            if (await queries.Contract(contractId) is not { Terms: var terms }) return null;
            if (known.Count >= MaxKnown) known.Clear();
            clientId = known[contractId] = terms.ClientId;
        }
        return caller.Sees(clientId) ? clientId : null;
    }
}
