using System.Collections.Immutable;
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
        .Answers<UsageListing>(
            "Reports, and credits charged, covered and given back, by contract, user, day and month; both are those of each contract's time zone", 200)
        .Refuses(RefusalCode.NotFound);

    private static async Task<IResult> Get(
        string? clientId, string? contractId, string? userId, string? from, string? to, string? groupBy, string? limit, string? cursor, string? order,
        Caller caller, Unbooked unbooked, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        var filter = new UsageFilter(
            caller.ClientId ?? clientId, contractId, caller.UserId ?? userId, Parameters.Instant(from), Parameters.Instant(to),
            Parameters.Several<UsageBy>(groupBy) ?? [UsageBy.Contract]);
        var rows = await unbooked.Usage(filter, clock.Now).WaitAsync(gone);
        var page = Usage.Page(rows, filter, Parameters.Page(limit, cursor, order));
        var names = await queries.NamesOf(page.Items.Select(usage => (usage.ClientId, usage.ContractId, usage.UserId))).WaitAsync(gone);
        return TypedResults.Ok(new UsageListing([.. page.Items.Select(usage => UsageItem.Of(usage, names))], page.Next, UsageSums.Of(rows)));
    }
}

/// <summary>A page of usage, and what all pages add up to.</summary>
internal sealed record UsageListing(ImmutableArray<UsageItem> Items, string? NextCursor, UsageSums Totals) : IListing
{
    Type IListing.ItemType => typeof(UsageItem);

    IEnumerable<object> IListing.Rows => Items;
}

/// <summary>One line of usage: what it is of, and its sums.</summary>
internal sealed record UsageItem(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ClientId, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ContractId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ContractName,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? UserName,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LocalDate? Day,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Month, long Reports, long Charged, long Covered, long GivenBack)
{
    public static UsageItem Of(Usage usage, Names names) => new(
        usage.ClientId, usage.ContractId, names.Contract(usage.ContractId)?.Name, usage.UserId, names.User(usage.ClientId, usage.UserId),
        usage.Day, usage.Month?.ToString("uuuu-MM", null), usage.Sums.Reports, usage.Sums.Charged, usage.Sums.Covered, usage.Sums.GivenBack);
}
