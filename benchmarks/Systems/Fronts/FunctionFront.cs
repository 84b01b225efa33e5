using Npgsql;

namespace CreditGrains.Bench;

/// <summary>The limit: <c>function.sql</c>, a report in one round trip.</summary>
internal sealed class FunctionFront(NpgsqlDataSource source)
{
    public async Task<IResult> Consume(Front.Request request)
    {
        await using var command = source.CreateCommand("select client, remaining, at, new_players from consume($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = request.ReportId });
        command.Parameters.Add(new() { Value = request.ContractId });
        command.Parameters.Add(new() { Value = request.UserId });
        command.Parameters.Add(new() { Value = request.PlayerIds() });
        try
        {
            await using var reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            var charged = reader.GetFieldValue<string[]>(3).ToHashSet();
            return Front.Created(Front.Answer.To(request, reader.GetString(0), reader.GetDateTime(2), charged, reader.GetInt64(1)));
        }
        catch (PostgresException e) when (e.MessageText == "insufficient-contract-credits")
        {
            return Front.Insufficient();
        }
    }
}
