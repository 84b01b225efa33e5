using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using CreditGrains.Grains;
using CreditGrains.Domain;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using NodaTime;

namespace CreditGrains.Http;

/// <summary>Reports (R1 to R8).</summary>
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
        v1.MapPost("/reports/{reportId}/void", Void).Needs(Access.Undo)
            .Answers<UndoneReport>("Gives back the credits that a report charged and still has, all or those of some players", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.Forbidden, RefusalCode.IdempotencyKeyReused, RefusalCode.HoldOver);
        v1.MapPost("/reports/{reportId}/capture", Capture).Needs(Access.Undo)
            .Answers<UndoneReport>("Charges a hold for good, for all or some of its players; the others' credits go back", 200)
            .Refuses(RefusalCode.NotFound, RefusalCode.InvalidField, RefusalCode.IdempotencyKeyReused, RefusalCode.HoldOver);
        v1.MapGet("/reports/{reportId}", Get).Needs(Access.Any)
            .Answers<Report>("A report of a client", 200).Refuses(RefusalCode.NotFound, RefusalCode.InvalidField);
        v1.MapGet("/reports", List).Needs(Access.Any).Answers<Listing<ReportItem>>("Reports, by instant", 200).Refuses(RefusalCode.NotFound);
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

    private static Task<IResult> Void(
        string reportId, string? clientId, VoidBody body, Caller caller, IQueries queries, IGrainFactory grains, HttpRequest request,
        CancellationToken gone) =>
        Undo(reportId, clientId, caller, queries, grains, request, gone, (contract, report, key) => contract.Void(
            new(report, body.Named, body.Reason!, caller.Name, caller.Role == Role.Consumer), key));

    private static Task<IResult> Capture(
        string reportId, string? clientId, CaptureBody body, Caller caller, IQueries queries, IGrainFactory grains, HttpRequest request,
        CancellationToken gone) =>
        Undo(reportId, clientId, caller, queries, grains, request, gone, (contract, report, key) => contract.Capture(
            new(report, body.Named, caller.Name), key));

    private static async Task<IResult> Undo(
        string reportId, string? clientId, Caller caller, IQueries queries, IGrainFactory grains, HttpRequest request, CancellationToken gone,
        Func<IContractGrain, ReportKey, RequestKey?, Task<Decision<Answered<UndoneReport>>>> undo)
    {
        var (key, noKey) = IdempotencyKeys.Of(request);
        if (noKey is not null) return noKey;
        if ((caller.ClientId ?? clientId) is not { } client) return NoClient;
        var id = new ReportKey(client, reportId);
        if (await queries.Report(id).WaitAsync(gone) is not { } report || !caller.IsFor(report.UserId)) return NoReport(id);

        return Replies.Of(await grains.Ask(all => undo(all.Contract(report.ContractId), id, key), gone), undone => undone);
    }

    private static async Task<IResult> Get(string reportId, string? clientId, Caller caller, Unbooked unbooked, IBusinessClock clock, CancellationToken gone)
    {
        if ((caller.ClientId ?? clientId) is not { } client) return NoClient;

        var id = new ReportKey(client, reportId);
        return await unbooked.Report(id, clock.Now).WaitAsync(gone) is { } report && caller.IsFor(report.UserId) ? TypedResults.Ok(report) : NoReport(id);
    }

    private static Problem NoClient => Problems.Of(Refusal.Invalid("clientId", "must be given: a reportId belongs to a client"));

    private static Problem NoReport(ReportKey report) => Problems.NotFound($"report {report.ReportId} of client {report.ClientId}");

    private static async Task<IResult> List(
        string? clientId, string? contractId, string? userId, string? from, string? to, string? limit, string? cursor, string? order,
        Caller caller, Unbooked unbooked, IQueries queries, IBusinessClock clock, CancellationToken gone)
    {
        var filter = new ReportFilter(caller.ClientId ?? clientId, contractId, caller.UserId ?? userId, Parameters.Instant(from), Parameters.Instant(to));
        var page = await unbooked.Reports(filter, clock.Now, Parameters.Page(limit, cursor, order)).WaitAsync(gone);
        return TypedResults.Ok(await Listing<ReportItem>.Named(
            page, queries, report => (report.ClientId, report.ContractId, report.UserId), (report, names) => new(report, names), gone));
    }
}

/// <summary>A report as lists show it, with names beside ids.</summary>
internal sealed record ReportItem : Report
{
    public ReportItem(Report report, Names names) : base(report) =>
        (ContractName, UserName, Zone) =
            (names.Contract(report.ContractId)?.Name, names.User(report.ClientId, report.UserId), names.ZoneOf(report.ContractId));

    [JsonPropertyOrder(1)]
    public string? ContractName { get; }

    [JsonPropertyOrder(1)]
    public string? UserName { get; }

    /// <summary>The contract's.</summary>
    [JsonIgnore]
    public DateTimeZone Zone { get; }
}

/// <summary>A report to be made: 1 to 1,000 players; of one who is named twice the first name counts (R1).</summary>
/// <param name="HoldSeconds">How long it is held (R8); null: it is no hold.</param>
internal sealed record ReportBody(
    string? ReportId, string? ContractId, string? UserId, [property: MaxLength(ReportBody.MaxNamed)] ReportBody.Player?[]? Players,
    bool DryRun = false, int? HoldSeconds = null) : IBody
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
        HoldSeconds is null or (>= ChargeReport.MinHold and <= ChargeReport.MaxHold)
            ? null
            : Refusal.Invalid("holdSeconds", $"must be {ChargeReport.MinHold} to {ChargeReport.MaxHold:N0}"),
    ]);

    public ChargeReport ToReport(string clientId, Caller caller) =>
        new(new(clientId, ReportId!), ContractId!, UserId!, [.. Distinct()], caller.Name, DryRun) { HoldSeconds = HoldSeconds };

    private IEnumerable<PlayerName> Distinct() => Players!.Select(player => new PlayerName(player!.PlayerId!, player.Name)).DistinctBy(player => player.PlayerId);
}

/// <summary>Why a report is voided (R7), and for which players; null: all.</summary>
internal sealed record VoidBody(string? Reason, [property: MaxLength(Report.MaxPlayers)] string?[]? Players = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All([Fields.Reason("reason", Reason), .. CaptureBody.Check(Players)]);

    [JsonIgnore]
    public ImmutableArray<string>? Named => CaptureBody.Name(Players);
}

/// <summary>The players for whom a hold is captured (R8); null: all.</summary>
internal sealed record CaptureBody([property: MaxLength(Report.MaxPlayers)] string?[]? Players = null) : IBody
{
    public Refusal? Check(RouteValueDictionary path) => Refusal.All(Check(Players));

    [JsonIgnore]
    public ImmutableArray<string>? Named => Name(Players);

    public static ImmutableArray<string>? Name(string?[]? players) => players is null ? null : [.. players.Select(player => player!)];

    public static IEnumerable<Refusal?> Check(string?[]? players) => players is null ? [] :
    [
        players.Length is >= 1 and <= Report.MaxPlayers ? null : Refusal.Invalid("players", $"must be 1 to {Report.MaxPlayers:N0}, or left out for all"),
        .. players.Select((player, i) => Fields.ExternalId($"players[{i}]", player)),
    ];
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

internal sealed record BatchItem(int Status, [property: Either(typeof(Report), typeof(Problem))] object Body)
{
    public static BatchItem Of(IResult result, HttpRequest request)
    {
        if (result is not Problem problem) return new(((IStatusCodeHttpResult)result).StatusCode!.Value, ((IValueHttpResult)result).Value!);
        problem.CountIn(request.HttpContext);
        return new(problem.Status, problem with { RequestId = request.HttpContext.TraceIdentifier });
    }
}

/// <summary>What a report would do (R6); <paramref name="Refusal"/> null: it would succeed.</summary>
internal sealed record Rehearsal(
    string ReportId, string ClientId, string ContractId, string UserId, Instant At, int Charged, int Covered, ImmutableArray<PlayerOutcome> Players,
    Balance Balance, Instant? HoldUntil, Capture? Captured, ImmutableArray<GivenBack> Voided, bool DryRun, Problem? Refusal)
{
    public static Rehearsal Of(Report report, Refusal? refusal, HttpRequest request) => new(
        report.ReportId, report.ClientId, report.ContractId, report.UserId, report.At, report.Charged, report.Covered, report.Players, report.Balance,
        report.HoldUntil, report.Captured, report.Voided, DryRun: true,
        refusal is null ? null : Problems.Of(refusal) with { RequestId = request.HttpContext.TraceIdentifier });
}
