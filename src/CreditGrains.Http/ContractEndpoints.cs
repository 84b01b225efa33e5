using System.Text.Json.Serialization;
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
    private static readonly string[] OfManagers = ["name", "notes"];

    public static void MapContracts(this IEndpointRouteBuilder v1)
    {
        v1.MapPut("/contracts/{contractId}", Put).Needs(Access.Operate).ComparesTags()
            .Answers<Terms>("Makes a contract, or changes its terms", 200, 201).Refuses(RefusalCode.InvalidField, RefusalCode.PreconditionFailed);
        v1.MapPatch("/contracts/{contractId}", Patch).Needs(Access.Manage).ComparesTags()
            .Answers<Terms>("Changes terms that the merge patch names; a manager changes the name", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.PreconditionFailed, RefusalCode.IdempotencyKeyReused);
        v1.MapGet("/contracts/{contractId}", Get).Needs(Access.Any).Answers<Terms>("A contract", 200).Refuses(RefusalCode.NotFound);
        v1.MapGet("/contracts", List).Needs(Access.Read)
            .Answers<Listing<ContractItem>>("Contracts and how they stand, by id", 200);
    }

    private static async Task<IResult> Put(
        string contractId, ContractBody body, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        var present = await queries.Contract(contractId).WaitAsync(gone);
        var demand = Tags.DemandOf(request, present is null ? null : Tags.Of(present.Terms));
        if (demand.Refused is { } refused) return refused;

        var set = new SetTerms(body.ToTerms(contractId), demand.Version(present?.Revision), caller.Name);
        var decision = await grains.Ask(all => all.Contract(contractId).Set(set), gone);
        if (decision.Refusal is { } refusal) return Problems.Of(refusal);

        return present is null ? TypedResults.Created($"/v1/contracts/{contractId}", decision.Value!.Answer.Terms) : TypedResults.Ok(decision.Value!.Answer.Terms);
    }

    private static async Task<IResult> Patch(
        string contractId, MergePatch<ContractBody> patch, Caller caller, IGrainFactory grains, IQueries queries, HttpRequest request, CancellationToken gone)
    {
        if (!caller.May(Access.Operate) && patch.Fields.Select(field => field.Key).Except(OfManagers).FirstOrDefault() is { } foreign)
            return Problems.Of(Problems.Forbidden, $"{foreign} must be changed by an operator.", foreign);

        return await patch.Make<ContractDocument, Terms>(
            request, Problems.NoContract(contractId),
            async () => await Find(contractId, caller, queries, gone) is { } present ? (present, present.Terms) : null,
            async (body, found, demand, key) =>
            {
                var set = new SetTerms(body.ToTerms(contractId), demand.Version(found.Present.Revision) ?? found.Present.Revision, caller.Name);
                return Replies.Shown(await grains.Ask(all => all.Contract(contractId).Set(set, key), gone), changed => changed.Terms);
            });
    }

    // A key of one user reads the contracts to which that user is assigned, without the notes.
    private static async Task<IResult> Get(string contractId, Caller caller, IQueries queries, CancellationToken gone) =>
        await Find(contractId, caller, queries, gone) is not { Terms: var terms } || !await caller.IsOf(contractId, queries, gone)
            ? Problems.NoContract(contractId)
            : TypedResults.Ok(caller.UserId is null ? terms : terms with { Notes = null });

    /// <summary>Whether what belongs to that contract is there for this caller: for a key of one user, where that user is assigned.</summary>
    internal static async Task<bool> IsOf(this Caller caller, string contractId, IQueries queries, CancellationToken gone) =>
        caller.UserId is not { } user || await queries.Member(new(contractId, user)).WaitAsync(gone) is { Member.Assigned: true };

    private static async Task<ContractDocument?> Find(string contractId, Caller caller, IQueries queries, CancellationToken gone) =>
        await queries.Contract(contractId).WaitAsync(gone) is { } contract && caller.Sees(contract.Terms.ClientId) ? contract : null;

    private static async Task<IResult> List(
        string? clientId, string? name, string? state, string? type, string? limit, string? cursor, string? order,
        Caller caller, ContractList contracts, IBusinessClock clock, CancellationToken gone)
    {
        var filter = new ContractFilter(caller.ClientId ?? clientId, name, BodyFaults.Named<ContractState>(state), BodyFaults.Named<ContractType>(type));
        var page = await contracts.Page(filter, clock.Now, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        return TypedResults.Ok(Listing<ContractItem>.Of(page, contract => new(contract.Terms, contract.Figures)));
    }
}

/// <summary>A contract as lists show it (C4): its terms, and how it stands.</summary>
internal sealed record ContractItem : Terms
{
    public ContractItem(Terms terms, ContractFigures figures) : base(terms) => Figures = figures;

    [JsonIgnore]
    public ContractFigures Figures { get; }

    [JsonPropertyOrder(1)]
    public ContractState State => Figures.State;

    [JsonPropertyOrder(1)]
    public long? Remaining => Figures.Remaining;

    [JsonPropertyOrder(1)]
    public long Used => Figures.Used;

    [JsonPropertyOrder(1)]
    public long Users => Figures.Users;

    [JsonPropertyOrder(1)]
    public Burn Burn => Figures.Burn;
}

/// <summary>A contract as it shall be (C1); what is left out has its default, and only <paramref name="UnallocatedLifetimeDays"/> tells null (until the contract's end) from that.</summary>
internal sealed record ContractBody(
    string? ClientId,
    string? Name,
    ContractType? Type,
    LocalDate? StartsOn,
    LocalDate? EndsOn = null,
    string? ContractId = null,
    string TimeZone = "UTC",
    int? UnallocatedLifetimeDays = 30,
    int CoverageDays = 30,
    CoverageFrom CoverageFrom = CoverageFrom.Activation,
    BillingCycleBody? BillingCycle = null,
    string? Notes = null,
    int VoidMinutes = 0) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(
        Fields.OfPath("contractId", ContractId, path),
        Fields.Id("clientId", ClientId),
        Fields.Name("name", Name),
        Fields.Given("type", Type),
        Fields.Given("timeZone", TimeZone),
        Fields.Given("startsOn", StartsOn),
        BillingCycle?.Check()?.Within("billingCycle."));

    public Terms ToTerms(string contractId) =>
        new(
            contractId, ClientId!, Name!, Type!.Value, TimeZone, StartsOn!.Value, EndsOn, UnallocatedLifetimeDays, CoverageDays, CoverageFrom,
            BillingCycle?.ToCycle(StartsOn.Value), Notes, VoidMinutes);
}

/// <summary>A billing cycle as it shall be (L5); without an anchor the contract's first day is one.</summary>
internal sealed record BillingCycleBody(RecurrenceUnit? Unit, long? Credits, int Every = 1, LocalDate? Anchor = null)
{
    public Refusal? Check() => Refusal.All(Fields.Given("unit", Unit), Fields.Given("credits", Credits));

    public BillingCycle ToCycle(LocalDate startsOn) => new(Unit!.Value, Every, Anchor ?? startsOn, Credits!.Value);
}
