using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Reports (R1 to R6).</summary>
internal static class ReportEndpoints
{
    // 100 reports of 1,000 players with ordinary names.
    private const long MaxBatchBytes = 16 << 20;

    public static void MapReports(this IEndpointRouteBuilder v1)
    {
        v1.MapPost("/reports", Post).Needs(Access.Report)
            .Answers<Report>("Makes a report, once for each reportId; with dryRun it says what would happen", 201, 200).Refuses(
            RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.ReportIdReused, RefusalCode.IdempotencyKeyReused, RefusalCode.ContractNotActive, RefusalCode.UserNotAssigned, RefusalCode.UserDisabled, RefusalCode.InsufficientAllocation, RefusalCode.InsufficientContractCredits);
        v1.MapPost("/reports/batch", PostAll).WithMetadata(new RequestSizeLimitAttribute(MaxBatchBytes)).Needs(Access.Report)
            .Answers<Batch>("Makes up to 100 reports one after another, each with an answer of its own", 200).Refuses(RefusalCode.InvalidField);
        v1.MapGet("/reports/{reportId}", Get).Needs(Access.Any)
            .Answers<Report>("A report of a client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapGet("/reports", List).Needs(Access.Any).Answers<Listing<Report>>("Reports, by instant", 200).Refuses(RefusalCode.NotFound);
    }

    private static async Task<IResult> PostAll(
        ReportsBody body, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        var answers = new List<BatchItem>();
        Problem? away = null;
        for (var i = 0; i < body.Reports!.Length; i++) answers.Add(BatchItem.Of(away ?? await Try(body.Reports[i]!, i), request));
        return TypedResults.Ok(new Batch([.. answers]));

        // Once the store is away, the rest is not tried: all of it may be sent again.
        async Task<IResult> Try(ReportBody report, int part)
        {
            try
            {
                return report.Check([]) is { } invalid ? Problems.Of(invalid) : await Make(report, IdempotencyKeys.Of(request, part), caller, clients, grains, request, gone);
            }
            catch (Exception e) when (!gone.IsCancellationRequested && Problems.Of(e) is { Code: Problems.Unavailable } problem)
            {
                return away = problem;
            }
        }
    }

    private static Task<IResult> Post(ReportBody body, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone) =>
        Make(body, IdempotencyKeys.Of(request), caller, clients, grains, request, gone);

    private static async Task<IResult> Make(
        ReportBody body, (RequestKey? Given, Problem? Refusal) key, Caller caller, Clients clients, IGrainFactory grains, HttpRequest request, CancellationToken gone)
    {
        if (key.Refusal is { } noKey) return noKey;
        if (!caller.IsFor(body.UserId!)) return Problems.Of(Problems.Forbidden, "userId must be the user of the API key.", "userId");
        if (await clients.Of(body.ContractId!, caller) is not { } clientId) return Problems.NoContract(body.ContractId!);

        return await grains.Ask(all => all.Contract(body.ContractId!).Charge(body.ToReport(clientId, caller) with { Key = key.Given }), gone, isIdempotent: true) switch
        {
            ReportAnswer.First(var report) => TypedResults.Created($"/v1/reports/{report.ReportId}?clientId={clientId}", report),
            ReportAnswer.Replayed(var report) => new Replayed<Report>(report),
            ReportAnswer.Rehearsed(var report, var refusal) => TypedResults.Ok(Rehearsal.Of(report, refusal, request)),
            ReportAnswer.Refused(var refusal) => Problems.Of(refusal),
            var other => throw new InvariantException($"a report is not answered with {other}"),
        };
    }

    private static async Task<IResult> Get(string reportId, string? clientId, Caller caller, IQueries queries, CancellationToken gone)
    {
        if ((caller.ClientId ?? clientId) is not { } client) return Problems.Of(Refusal.Invalid("clientId", "must be given: a reportId belongs to a client"));

        return await queries.Report(new(client, reportId)).WaitAsync(gone) is { } report && caller.IsFor(report.UserId)
            ? TypedResults.Ok(report)
            : Problems.NotFound($"report {reportId} of client {client}");
    }

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? userId, string? from, string? to, string? limit, string? cursor, string? order, Caller caller, IQueries queries, CancellationToken gone)
    {
        var filter = new ReportFilter(caller.ClientId ?? clientId, contractId, caller.UserId ?? userId, Parameters.Instant(from), Parameters.Instant(to));
        return TypedResults.Ok(Listing<Report>.Of(await queries.Reports(filter, Parameters.Page(limit, cursor, order)).WaitAsync(gone)));
    }
}

/// <summary>A report to be made: 1 to 1,000 players; of one who is named twice the first name counts (R1).</summary>
internal sealed record ReportBody(
    string? ReportId, string? ContractId, string? UserId, [property: MaxLength(ReportBody.MaxNamed)] ReportBody.Player?[]? Players, bool DryRun = false) : IBody
{
    // How often a report may name players, each of whom counts once.
    private const int MaxNamed = 2 * Report.MaxPlayers;

    internal sealed record Player(string? PlayerId, string? Name = null);

    public Refusal? Check(RouteValueDictionary path) => Refusal.All([
        Fields.Id("reportId", ReportId),
        Fields.Id("contractId", ContractId),
        Fields.ExternalId("userId", UserId),
        Fields.Given("players", Players),
        .. Fields.Each("players", Players, player => Refusal.All(Fields.ExternalId("playerId", player.PlayerId), Fields.NameIfGiven("name", player.Name))),
        Players is null || Players.Select(player => player?.PlayerId).Distinct().Count() is >= 1 and <= Report.MaxPlayers
            ? null
            : Refusal.Invalid("players", $"must be 1 to {Report.MaxPlayers:N0}"),
    ]);

    public ChargeReport ToReport(string clientId, Caller caller) => new(new(clientId, ReportId!), ContractId!, UserId!, [.. Distinct()], caller.Name, DryRun);

    private IEnumerable<PlayerName> Distinct() => Players!.Select(player => new PlayerName(player!.PlayerId!, player.Name)).DistinctBy(player => player.PlayerId);
}

/// <summary>Reports to be made in this order: 1 to 100.</summary>
internal sealed record ReportsBody([property: MaxLength(ReportsBody.MaxReports)] ReportBody?[]? Reports) : IBody
{
    private const int MaxReports = 100;

    public Refusal? Check(RouteValueDictionary path) => Fields.Given("reports", Reports)
        ?? (Reports!.Length is >= 1 and <= MaxReports ? null : Refusal.Invalid("reports", $"must be 1 to {MaxReports}"))
        ?? Refusal.All(Fields.Each("reports", Reports, _ => null));
}

/// <summary>What each report of a batch would have been answered alone, in the order of the request.</summary>
internal sealed record Batch(ImmutableArray<BatchItem> Items);

internal sealed record BatchItem(int Status, [property: Either(typeof(Report), typeof(Problem))] object? Body)
{
    public static BatchItem Of(IResult result, HttpRequest request)
    {
        if (result is not Problem problem) return new(((IStatusCodeHttpResult)result).StatusCode!.Value, ((IValueHttpResult)result).Value);
        problem.CountIn(request.HttpContext);
        return new(problem.Status, problem with { RequestId = request.HttpContext.TraceIdentifier });
    }
}

/// <summary>What a report would do (R6); <paramref name="Refusal"/> null: it would succeed.</summary>
internal sealed record Rehearsal(
    string ReportId, string ClientId, string ContractId, string UserId, Instant At, int Charged, int Covered, ImmutableArray<PlayerOutcome> Players, Balance Balance, bool DryRun, Problem? Refusal)
{
    public static Rehearsal Of(Report report, Refusal? refusal, HttpRequest request) => new(
        report.ReportId, report.ClientId, report.ContractId, report.UserId, report.At, report.Charged, report.Covered, report.Players, report.Balance,
        DryRun: true, refusal is null ? null : Problems.Of(refusal) with { RequestId = request.HttpContext.TraceIdentifier });
}
