using Npgsql;

namespace CreditGrains.Bench;

/// <summary>What the servers that CreditGrains is compared with speak: its own request and answer, behind as little as possible.</summary>
internal static class Front
{
    internal sealed record Player(string PlayerId);

    internal sealed record Request(string ReportId, string ContractId, string UserId, Player[] Players, bool DryRun = false)
    {
        public string[] PlayerIds() => [.. Players.Select(player => player.PlayerId)];
    }

    internal sealed record Outcome(string PlayerId, string Charge, DateTime ExpiresAt);

    internal sealed record Balance(long? UserAvailable, long? ContractRemaining);

    internal sealed record Answer(
        string ReportId, string ClientId, string ContractId, string UserId, DateTime At, int Charged, int Covered, Outcome[] Players, Balance Balance)
    {
        public const int CoverageDays = 30;

        public static Answer To(Request request, string clientId, DateTime at, IReadOnlySet<string> charged, long remaining)
        {
            var outcomes = request.PlayerIds().Select(player => new Outcome(player, charged.Contains(player) ? "new" : "covered", at.AddDays(CoverageDays)));
            return new(
                request.ReportId, clientId, request.ContractId, request.UserId, at, charged.Count, request.Players.Length - charged.Count, [.. outcomes],
                new(null, remaining));
        }
    }

    /// <summary>The pool has too few credits.</summary>
    public static IResult Insufficient() =>
        Results.Json(new { Status = 402, Code = "insufficient-contract-credits" }, statusCode: 402, contentType: "application/problem+json");

    public static IResult Created(Answer answer) => Results.Created($"/v1/reports/{answer.ReportId}", answer);

    public static NpgsqlDataSource Connections(string postgres) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(postgres) { MaxPoolSize = 64, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString);

    /// <summary>Serves until the process is ended.</summary>
    public static Task Serve(string name, string url, string postgres) => name switch
    {
        "usual" => Run(url, app => app.MapPost("/v1/reports", new UsualFront(Connections(postgres)).Consume)),
        "transactions" => TransactionsFront.Serve(url, postgres),
        _ => Run(url, app => app.MapPost("/v1/reports", new FunctionFront(Connections(postgres)).Consume)),
    };

    public static async Task Run(string url, Action<WebApplication> map, Action<WebApplicationBuilder>? add = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        add?.Invoke(builder);
        var app = builder.Build();
        app.MapGet("/health/ready", () => Results.Ok());
        map(app);
        await app.RunAsync();
    }
}
