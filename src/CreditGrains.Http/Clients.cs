using CreditGrains.Grains;

namespace CreditGrains.Http;

/// <summary>Whose contract it is: a contract's client is fixed for ever (C1).</summary>
internal sealed class Clients(IQueries queries)
{
    private readonly Fixed clients = new(async contractId => (await queries.Contract(contractId))?.Terms.ClientId);

    /// <summary>The contract's client; null where there is no such contract for this caller.</summary>
    public async ValueTask<string?> Of(string contractId, Caller caller) => await clients.Of(contractId) is { } clientId && caller.Sees(clientId) ? clientId : null;
}
