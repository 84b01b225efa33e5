using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace CreditGrains.Http;

/// <summary>The settings of services credits (S5).</summary>
internal static class ServicesSettingsEndpoints
{
    public static void MapServicesSettings(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/settings/services-credits", Put).Needs(Access.Operate).Answers<ServicesSettings>("Sets the statuses in which a milestone's services credits need not be allocated", 200).Refuses(RefusalCode.InvalidField);
        v1.MapGet("/settings/services-credits", Get).Needs(Access.Read).Answers<ServicesSettings>("The statuses in which a milestone's services credits need not be allocated", 200);
    }

    private static async Task<IResult> Put(ServicesSettingsBody body, Caller caller, IGrainFactory grains, CancellationToken gone)
    {
        if (body.Check() is { } invalid) return Problems.Of(invalid);

        var decision = await grains.Ask(all => all.ServicesSettings().Set(new([.. body.NoAllocationStatuses!.Select(status => status!)]), caller.Name), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(decision.Value);
    }

    private static async Task<IResult> Get(IQueries queries, CancellationToken gone) => TypedResults.Ok(await queries.ServicesSettings().WaitAsync(gone));
}

internal sealed record ServicesSettingsBody(string?[]? NoAllocationStatuses)
{
    public Refusal? Check() => Fields.Given("noAllocationStatuses", NoAllocationStatuses)
        ?? Fields.Each("noAllocationStatuses", NoAllocationStatuses!, (at, status) => Fields.Name(at.TrimEnd('.'), status));
}
