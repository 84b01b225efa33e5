namespace CreditGrains.Acceptance;

/// <summary>One edition for all cases of a table: contracts C1 (client A) and B1 (client B), users U1 and U2, a lot, report R1 of U1 on player P1, and account A1 whose milestone M1 holds 5.</summary>
public sealed class Served : IAsyncLifetime
{
    private Edition? edition;

    internal Api Api => edition!.Api;

    /// <summary>The newest entry of the ledger once all of that was there.</summary>
    internal string LastEntry { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        edition = await Words.AtDay0();
        await Furnish(Api);
        LastEntry = await Api.LastEntry();
    }

    internal static async Task Furnish(Api api)
    {
        foreach (var (contract, client) in (IEnumerable<(string, string)>)[("C1", "A"), ("B1", "B")])
        {
            await api.Contract(contract, client);
            await api.Grant("G1", 50, contract: contract);
        }
        await api.Account();
        await api.Buy("P1", 50);
        await api.Project();
        (await api.Milestone("M1", 5)).Is(201);
        (await api.Allocate("M1")).Is(200);
        (await api.Report("R1", ["P1"])).Is(201);
    }

    public ValueTask DisposeAsync() => edition?.DisposeAsync() ?? ValueTask.CompletedTask;
}
