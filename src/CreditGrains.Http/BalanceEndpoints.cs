using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>A contract's balance as of any instant, past or to come (G3).</summary>
internal static class BalanceEndpoints
{
    public static void MapBalances(this IEndpointRouteBuilder v1) => v1.MapGet("/contracts/{contractId}/balance", Get).Needs(Access.Any)
        .Answers<ContractBalance>("A contract's credits as of an instant: as answered then, or as foretold by the renewals and expiries already known", 200)
        .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField).MayBeGone(Problems.Archived);

    private static async Task<IResult> Get(
        string contractId, string? at, Caller caller, Clients clients, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        var now = clock.Now;
        var asked = Parameters.Instant(at);
        if (asked > now + Duration.FromDays(ContractBalance.MaxDaysAhead)) return Problems.Of(Refusal.Invalid("at", $"must be at most {ContractBalance.MaxDaysAhead:N0} days ahead"));

        // A key of one user sees the pool, and of the users that one.
        return await clients.Of(contractId, caller) is not null && await caller.IsOf(contractId, queries, gone)
            && await queries.Balance(contractId, asked, now).WaitAsync(gone) is { } balance
            ? TypedResults.Ok(balance with { Users = [.. balance.Users.Where(user => caller.IsFor(user.UserId))] })
            : Problems.NoContract(contractId);
    }
}
