using CreditGrains.Editions;
using Orleans.Configuration;
using Orleans.Transactions;
using Orleans.Transactions.Abstractions;

namespace CreditGrains.Bench;

/// <summary>
/// Orleans' own way: a grain a contract, user and player, changed together in a distributed transaction, their states in PostgreSQL.
/// It keeps balances and coverage, and neither reports nor a ledger.
/// </summary>
internal static class TransactionsFront
{
    // Transactions that meet at one grain may be given up to break a deadlock; each is tried again so often.
    private const int Attempts = 20;

    internal sealed record Lot(long Quantity);

    public static Task Serve(string url, string postgres) => Front.Run(
        url,
        app =>
        {
            app.MapPost("/v1/reports", Consume);
            app.MapPost("/v1/contracts/{contractId}/lots", Grant);
        },
        builder => builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(Child.FreePort(), Child.FreePort());
            silo.AddAdoNetGrainStorageAsDefault(database => (database.Invariant, database.ConnectionString) = ("Npgsql", Pool(postgres)));
            silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("transactions", "transactions"));
            silo.UseTransactions();
        }));

    private static string Pool(string postgres) => $"{postgres};Maximum Pool Size=64;Max Auto Prepare=20;Auto Prepare Min Usages=2";

    private static async Task<IResult> Grant(string contractId, Lot lot, IGrainFactory grains)
    {
        await grains.GetGrain<IContractBalance>(contractId).Grant(lot.Quantity);
        return Results.Ok();
    }

    private static async Task<IResult> Consume(Front.Request request, IGrainFactory grains, ITransactionClient transactions)
    {
        var client = Contracts.ClientOf(request.ContractId);
        for (var attempt = 1; ; attempt++)
        {
            var at = DateTime.UtcNow;
            HashSet<string> charged = [];
            long remaining = 0;
            try
            {
                // What answers false is taken back.
                await transactions.RunTransaction(TransactionOption.Create, async () =>
                {
                    var contract = grains.GetGrain<IContractBalance>(request.ContractId);
                    var isCharged = await Task.WhenAll(request.Players.Select(player =>
                        grains.GetGrain<IPlayerCoverage>($"{client}/{player.PlayerId}").Cover(at, at.AddDays(Front.Answer.CoverageDays))));
                    charged = [.. request.Players.Where((_, i) => isCharged[i]).Select(player => player.PlayerId)];
                    if (charged.Count == 0)
                    {
                        remaining = await contract.Remaining();
                        return true;
                    }
                    await grains.GetGrain<IUserUse>($"{request.ContractId}/{request.UserId}").Use(charged.Count);
                    remaining = await contract.Take(charged.Count);
                    return remaining >= 0;
                });
                return remaining < 0 ? Front.Insufficient() : Front.Created(Front.Answer.To(request, client, at, charged, remaining));
            }
            catch (OrleansTransactionException) when (attempt < Attempts)
            {
                // Another transaction had one of the grains.
            }
        }
    }
}

[GenerateSerializer]
internal sealed class Amount
{
    [Id(0)]
    public long Credits { get; set; }
}

[GenerateSerializer]
internal sealed class Coverage
{
    [Id(0)]
    public DateTime Until { get; set; }
}

internal interface IContractBalance : IGrainWithStringKey
{
    [Transaction(TransactionOption.CreateOrJoin)]
    Task Grant(long credits);

    [Transaction(TransactionOption.CreateOrJoin)]
    Task<long> Remaining();

    /// <summary>Answers what remains; below 0: nothing was taken.</summary>
    [Transaction(TransactionOption.CreateOrJoin)]
    Task<long> Take(long credits);
}

internal interface IUserUse : IGrainWithStringKey
{
    [Transaction(TransactionOption.CreateOrJoin)]
    Task Use(long credits);
}

internal interface IPlayerCoverage : IGrainWithStringKey
{
    /// <summary>Whether the player had to be covered anew.</summary>
    [Transaction(TransactionOption.CreateOrJoin)]
    Task<bool> Cover(DateTime at, DateTime until);
}

internal sealed class ContractBalance([TransactionalState("balance")] ITransactionalState<Amount> balance) : Grain, IContractBalance
{
    public Task Grant(long credits) => balance.PerformUpdate(state => state.Credits += credits);

    public Task<long> Remaining() => balance.PerformRead(state => state.Credits);

    public Task<long> Take(long credits) => balance.PerformUpdate(state =>
    {
        var remaining = state.Credits - credits;
        if (remaining >= 0) state.Credits = remaining;
        return remaining;
    });
}

internal sealed class UserUse([TransactionalState("use")] ITransactionalState<Amount> use) : Grain, IUserUse
{
    public Task Use(long credits) => use.PerformUpdate(state => state.Credits += credits);
}

internal sealed class PlayerCoverage([TransactionalState("coverage")] ITransactionalState<Coverage> coverage) : Grain, IPlayerCoverage
{
    public Task<bool> Cover(DateTime at, DateTime until) => coverage.PerformUpdate(state =>
    {
        if (state.Until > at) return false;
        state.Until = until;
        return true;
    });
}
