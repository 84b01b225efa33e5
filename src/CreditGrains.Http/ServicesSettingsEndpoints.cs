using System.ComponentModel.DataAnnotations;
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
        v1.MapPut("/settings/services-credits", Put).Needs(Access.Operate).ComparesTags()
            .Answers<ServicesSettings>("Sets the statuses in which a milestone's services credits need not be allocated", 200)
            .Refuses(RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapGet("/settings/services-credits", Get).Needs(Access.Read)
            .Answers<ServicesSettings>("The statuses in which a milestone's services credits need not be allocated", 200);
    }

    private static async Task<IResult> Put(
        ServicesSettingsBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var present = await queries.ServicesSettings().WaitAsync(gone);
        var demand = Tags.DemandOf(request, Tags.Of(present));
        if (demand.Refused is { } refused) return refused;

        var decision = await grains.Ask(all => all.ServicesSettings().Set(body.ToSettings(), caller.Name, demand.Value(present)), gone);
        return decision.Refusal is { } refusal ? Problems.Of(refusal) : TypedResults.Ok(decision.Value);
    }

    private static async Task<IResult> Get(IQueries queries, CancellationToken gone) => TypedResults.Ok(await queries.ServicesSettings().WaitAsync(gone));
}

internal sealed record ServicesSettingsBody([property: MaxLength(ServicesSettings.MaxStatuses)] string?[]? NoAllocationStatuses) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Fields.Given("noAllocationStatuses", NoAllocationStatuses)
        ?? Refusal.All(NoAllocationStatuses!.Select((status, i) => Fields.Name($"noAllocationStatuses[{i}]", status)));

    public ServicesSettings ToSettings() => new([.. NoAllocationStatuses!.Select(status => status!)]);
}
