using CreditGrains.Actors;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>Player credits (P1, P4).</summary>
internal static class CreditEndpoints
{
    public static void MapCredits(this IEndpointRouteBuilder v1)
    {
        v1.MapGet("/credits", List).Needs(Access.Read).Answers<Listing<CreditDocument>>("Credits, by creation, unallocated ones too", 200);
        v1.MapGet($"/credits/{{{Parameters.CreditId}}}", Get).Needs(Access.Read).Answers<CreditDocument>("A credit", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? status, string? playerId, string? userId, string? lotId, string? paymentId, string? limit, string? cursor,
        Caller caller, Unbooked unbooked, IClock clock, CancellationToken gone)
    {
        var filter = new CreditFilter(caller.ClientId ?? clientId, contractId, Parameters.Status(status), playerId, userId, lotId, paymentId);
        return TypedResults.Ok(Listing<CreditDocument>.Of(await unbooked.Credits(filter, clock.Now, Parameters.Page(limit, cursor)).WaitAsync(gone)));
    }

    private static async Task<IResult> Get(string creditId, Caller caller, Unbooked unbooked, IClock clock, CancellationToken gone) =>
        CreditId.TryParse(creditId, out var id) && await unbooked.Credit(id, clock.Now).WaitAsync(gone) is { } credit && caller.Sees(credit.ClientId)
            ? TypedResults.Ok(credit)
            : Problems.NotFound($"credit {creditId}");
}
