using System.Text.Json;
using Npgsql;

namespace CreditGrains.Bench;

/// <summary>The limit behind HTTP: the same request and answer, a minimal front, and <c>function.sql</c> instead of the product.</summary>
internal static class FunctionFront
{
    private sealed record Player(string PlayerId);

    private sealed record Request(string ReportId, string ContractId, string UserId, Player[] Players);

    private sealed record Outcome(string PlayerId, string Charge, DateTime ExpiresAt);

    private sealed record Balance(long? UserAvailable, long? ContractRemaining);

    private sealed record Answer(string ReportId, string ClientId, string ContractId, string UserId, DateTime At, int Charged, int Covered, Outcome[] Players, Balance Balance);

    public static async Task Run(string url, string postgres)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(postgres) { MaxPoolSize = 64, MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 }.ConnectionString);
        var app = builder.Build();
        app.MapGet("/health/ready", () => Results.Ok());
        app.MapPost("/v1/reports", async (Request request) =>
        {
            var players = request.Players.Select(player => player.PlayerId).ToArray();
            await using var command = source.CreateCommand("select charged, client, remaining, at, new_players from consume($1, $2, $3, $4)");
            command.Parameters.Add(new() { Value = request.ReportId });
            command.Parameters.Add(new() { Value = request.ContractId });
            command.Parameters.Add(new() { Value = request.UserId });
            command.Parameters.Add(new() { Value = players });
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            var (charged, at, isNew) = (reader.GetInt32(0), reader.GetDateTime(3), reader.GetFieldValue<string[]>(4).ToHashSet());
            return Results.Created($"/v1/reports/{request.ReportId}", new Answer(
                request.ReportId, reader.GetString(1), request.ContractId, request.UserId, at, charged, players.Length - charged,
                [.. players.Select(player => new Outcome(player, isNew.Contains(player) ? "new" : "covered", at.AddDays(30)))], new(null, reader.GetInt64(2))));
        });
        await app.RunAsync();
    }

    /// <summary>Makes the tables, and contracts with users.</summary>
    public static async Task Prepare(string postgres, int contracts, string userId)
    {
        await using var source = NpgsqlDataSource.Create(postgres);
        using var script = new StreamReader(typeof(FunctionFront).Assembly.GetManifestResourceStream("CreditGrains.Bench.function.sql")!);
        await using (var make = source.CreateCommand(await script.ReadToEndAsync())) await make.ExecuteNonQueryAsync();
        await using var fill = source.CreateCommand($"""
            insert into limit_contract select 'c' || g, 'client' || g, 900000000 from generate_series(0, {contracts - 1}) g;
            insert into limit_member select 'c' || g, '{userId}' from generate_series(0, {contracts - 1}) g
            """);
        await fill.ExecuteNonQueryAsync();
    }
}
