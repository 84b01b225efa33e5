using System.Text.Json.Serialization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>What reports have used, added up.</summary>
internal static class UsageEndpoints
{
    public static void MapUsage(this IEndpointRouteBuilder v1) => v1.MapGet("/usage", Get).Needs(Access.Any)
        .Answers<Listing<UsageItem>>("Reports, and credits charged, covered and given back, by contract, user, day or month; days and months are those of each contract's time zone", 200).Refuses(RefusalCode.NotFound);

    private static async Task<IResult> Get(
        string? clientId, string? contractId, string? userId, string? from, string? to, string? groupBy, string? limit, string? cursor, string? order,
        Caller caller, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        var by = Parameters.GroupBy(groupBy) ?? UsageBy.Contract;
        var filter = new UsageFilter(caller.ClientId ?? clientId, contractId, caller.UserId ?? userId, Parameters.Instant(from), Parameters.Instant(to), by);
        var page = Parameters.Page(limit, cursor, order);
        return TypedResults.Ok(Listing<UsageItem>.Of(Usage.Page(await unbooked.Usage(filter, clock.Now).WaitAsync(gone), by, page), UsageItem.Of));
    }
}

/// <summary>One line of usage: what it is of, and its sums.</summary>
internal sealed record UsageItem(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ClientId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ContractId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LocalDate? Day,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Month, long Reports, long Charged, long Covered, long GivenBack)
{
    public static UsageItem Of(Usage usage) =>
        new(usage.ClientId, usage.ContractId, usage.UserId, usage.Day, usage.Month?.ToString("uuuu-MM", null), usage.Reports, usage.Charged, usage.Covered, usage.GivenBack);
}
