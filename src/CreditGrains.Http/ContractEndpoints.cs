using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>A contract's terms (C1).</summary>
internal static class ContractEndpoints
{
    public static void MapContracts(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/contracts/{contractId}", Put).Needs(Access.Operate).Answers<Terms>("Makes a contract, or changes its terms", 200, 201).Refuses(RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapGet("/contracts/{contractId}", Get).Needs(Access.Read).Answers<Terms>("A contract", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/contracts", List).Needs(Access.Read).Answers<Listing<Terms>>("Contracts, by id", 200);
    }

    private static async Task<IResult> Put(string contractId, ContractBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpContext context, CancellationToken gone)
    {
        if (body.Check(contractId) is { } invalid) return Problems.Of(invalid);

        var present = await queries.Contract(contractId).WaitAsync(gone);
        var decision = await grains.Ask(all => all.Contract(contractId).Set(new(body.ToTerms(contractId), Tags.Expected(context.Request, present?.Revision), caller.Name)), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        context.Response.Headers.ETag = Tag(decision.Value!);
        return present is null ? TypedResults.Created($"/v1/contracts/{contractId}", decision.Value!.Terms) : TypedResults.Ok(decision.Value!.Terms);
    }

    private static async Task<IResult> Get(string contractId, Caller caller, IQueries queries, HttpContext context, CancellationToken gone)
    {
        if (await queries.Contract(contractId).WaitAsync(gone) is not { } contract || !caller.Sees(contract.Terms.ClientId)) return Problems.NoContract(contractId);

        context.Response.Headers.ETag = Tag(contract);
        return context.Request.Headers.IfNoneMatch == Tag(contract) ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Ok(contract.Terms);
    }

    private static async Task<IResult> List(string? clientId, string? limit, string? cursor, Caller caller, IQueries queries, CancellationToken gone) =>
        TypedResults.Ok(Listing<Terms>.Of(await queries.Contracts(caller.ClientId ?? clientId, Parameters.Page(limit, cursor)).WaitAsync(gone), contract => contract.Terms));

    private static string Tag(ContractDocument contract) => Tags.Of(contract.Revision);
}

/// <summary>A contract as it shall be (C1); what is left out has its default, and only <paramref name="UnallocatedLifetimeDays"/> tells null (until the contract's end) from that.</summary>
internal sealed record ContractBody(
    string? ClientId,
    string? Name,
    ContractType? Type,
    LocalDate? StartsOn,
    LocalDate? EndsOn = null,
    string? ContractId = null,
    string? TimeZone = "UTC",
    int? UnallocatedLifetimeDays = 30,
    int CoverageDays = 30,
    CoverageFrom CoverageFrom = CoverageFrom.Activation,
    BillingCycleBody? BillingCycle = null)
{
    public Refusal? Check(string contractId) =>
        Fields.OfPath("contractId", ContractId, contractId)
        ?? Fields.Id("clientId", ClientId) ?? Fields.Name("name", Name) ?? Fields.Given("type", Type) ?? Fields.Given("timeZone", TimeZone) ?? Fields.Given("startsOn", StartsOn)
        ?? BillingCycle?.Check();

    public Terms ToTerms(string contractId) =>
        new(contractId, ClientId!, Name!, Type!.Value, TimeZone!, StartsOn!.Value, EndsOn, UnallocatedLifetimeDays, CoverageDays, CoverageFrom, BillingCycle?.ToCycle(StartsOn.Value));
}

/// <summary>A billing cycle as it shall be (L5); without an anchor the contract's first day is one.</summary>
internal sealed record BillingCycleBody(RecurrenceUnit? Unit, long? Credits, int Every = 1, LocalDate? Anchor = null)
{
    public Refusal? Check() => Fields.Given("billingCycle.unit", Unit) ?? Fields.Given("billingCycle.credits", Credits);

    public BillingCycle ToCycle(LocalDate startsOn) => new(Unit!.Value, Every, Anchor ?? startsOn, Credits!.Value);
}
