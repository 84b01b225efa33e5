using Npgsql;

namespace CreditGrains.Bench;

/// <summary>What most would write: one transaction, the contract's row locked, a statement a step, on the tables of function.sql.</summary>
internal sealed class UsualFront(NpgsqlDataSource source)
{
    public async Task<IResult> Consume(Front.Request request, HttpResponse response)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var players = request.PlayerIds();
        var at = DateTime.UtcNow;

        var (client, available) = await Row(
            "select client_id, available from limit_contract where contract_id = $1 for update",
            reader => (reader.GetString(0), reader.GetInt64(1)),
            request.ContractId);

        var first = await Row(
            "select at from limit_report where client_id = $1 and report_id = $2", reader => (DateTime?)reader.GetDateTime(0), client, request.ReportId);
        if (first is not null)
        {
            var earlier = await Column(
                "select player_id from limit_credit where client_id = $1 and report_id = $2 and player_id = any($3)", client, request.ReportId, players);
            response.Headers["Idempotency-Replayed"] = "true";
            return Results.Ok(Front.Answer.To(request, client, first.Value, earlier, available));
        }

        var covered = await Column("select player_id from limit_credit where client_id = $1 and player_id = any($2) and expires_at > $3", client, players, at);
        var charged = players.Except(covered).ToArray();
        if (charged.Length > available) return Front.Insufficient();

        var answer = Front.Answer.To(request, client, at, charged.ToHashSet(), available - charged.Length);
        if (request.DryRun) return Results.Ok(answer);

        if (charged.Length > 0)
        {
            await Run(
                """
                insert into limit_credit as c (client_id, player_id, contract_id, user_id, report_id, activated_at, expires_at)
                select $1, player, $3, $4, $5, $6, $7 from unnest($2) player
                on conflict (client_id, player_id) do update set
                    contract_id = excluded.contract_id, user_id = excluded.user_id, report_id = excluded.report_id,
                    activated_at = excluded.activated_at, expires_at = excluded.expires_at
                """,
                client, charged, request.ContractId, request.UserId, request.ReportId, at, at.AddDays(Front.Answer.CoverageDays));
            await Run("update limit_member set used = used + $3 where contract_id = $1 and user_id = $2", request.ContractId, request.UserId, charged.Length);
            await Run("update limit_contract set available = available - $2, used = used + $2 where contract_id = $1", request.ContractId, charged.Length);
            await Run(
                "insert into limit_entry (at, contract_id, user_id, report_id, quantity, remaining) values ($1, $2, $3, $4, $5, $6)",
                at, request.ContractId, request.UserId, request.ReportId, charged.Length, available - charged.Length);
        }
        await Run(
            "insert into limit_report (client_id, report_id, contract_id, user_id, at, charged, players) values ($1, $2, $3, $4, $5, $6, $7)",
            client, request.ReportId, request.ContractId, request.UserId, at, charged.Length, players);
        await transaction.CommitAsync();
        return Front.Created(answer);

        NpgsqlCommand Command(string sql, object[] values)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values) command.Parameters.Add(new() { Value = value });
            return command;
        }

        async Task Run(string sql, params object[] values)
        {
            await using var command = Command(sql, values);
            await command.ExecuteNonQueryAsync();
        }

        async Task<T?> Row<T>(string sql, Func<NpgsqlDataReader, T> read, params object[] values)
        {
            await using var command = Command(sql, values);
            await using var reader = await command.ExecuteReaderAsync();
            return await reader.ReadAsync() ? read(reader) : default;
        }

        async Task<HashSet<string>> Column(string sql, params object[] values)
        {
            await using var command = Command(sql, values);
            await using var reader = await command.ExecuteReaderAsync();
            var found = new HashSet<string>();
            while (await reader.ReadAsync()) found.Add(reader.GetString(0));
            return found;
        }
    }
}
