using CreditGrains.Domain;
using CreditGrains.Grains;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>A select and how each of its rows is read.</summary>
internal sealed record Query<T>(string Sql, Func<PostgresRow, T> Read, params NpgsqlParameter[] Values);

/// <summary>Makes queries of described rows.</summary>
internal static class Query
{
    /// <param name="then">What follows the table: conditions, order, limit.</param>
    public static Query<TRow> Select<TChange, TRow>(this Row<TChange, TRow> row, string then, params NpgsqlParameter[] values) where TChange : Change =>
        new($"select {row.Selected} from {row.From} {then}", row.Read, values);

    /// <inheritdoc cref="Select"/>
    public static Query<BookedEntry> SelectEntries(string then, params NpgsqlParameter[] values) =>
        new($"select {EntryRow.Selected} from {EntryRow.Table} {EntryRow.Alias} {then}", EntryRow.Read, values);

    /// <summary>Reads within whatever transaction there is.</summary>
    public static async Task<List<T>> All<T>(this NpgsqlConnection connection, Query<T> query)
    {
        var reading = new Reading();
        var rows = reading.Add(query);
        await reading.Send(connection);
        return rows;
    }
}

/// <summary>Queries that are sent together, in one round trip. Each one's rows are there when it has run.</summary>
internal sealed class Reading
{
    private readonly List<NpgsqlBatchCommand> commands = [];
    private readonly List<Action<PostgresRow>> readers = [];

    /// <summary>The rows that the query finds.</summary>
    public List<T> Add<T>(Query<T> query)
    {
        var rows = new List<T>();
        var command = new NpgsqlBatchCommand(query.Sql);
        command.Parameters.AddRange(query.Values);
        commands.Add(command);
        readers.Add(row => rows.Add(query.Read(row)));
        return rows;
    }

    /// <summary>Reads; all of it on one snapshot.</summary>
    public Task Run(NpgsqlConnection connection)
    {
        if (commands.Count == 1) return Send(connection);
        commands.Insert(0, new("begin isolation level repeatable read read only"));
        commands.Add(new("commit"));
        return Send(connection);
    }

    /// <summary>Begins a transaction and reads in it; each query sees what is there at its turn.</summary>
    public Task Begin(NpgsqlConnection connection)
    {
        commands.Insert(0, new("begin"));
        return Send(connection);
    }

    /// <summary>Reads within whatever transaction there is.</summary>
    public async Task Send(NpgsqlConnection connection)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands) batch.BatchCommands.Add(command);
        await using var reader = await batch.ExecuteReaderAsync();
        var row = new PostgresRow(reader);
        foreach (var read in readers)
        {
            while (await row.Next()) read(row);
            await reader.NextResultAsync();
        }
    }
}

/// <summary>The rows that a batch of reports needs.</summary>
internal sealed class WantedRows
{
    private readonly List<Player> players;
    private readonly List<Member> members;
    private readonly List<Report> reports;
    private readonly List<Document> requests;
    private readonly List<Credit> credits;
    private readonly List<Ending> endings;

    /// <summary>Adds what is wanted to a reading.</summary>
    public WantedRows(Reading reading, Wanted wanted)
    {
        var client = wanted.ClientId;
        players = wanted.Players.Count == 0 ? [] : reading.Add(PlayerRow.Instance.Select(
            "where p.client_id = $1 and p.player_id = any($2)", Values.Of(client), Values.Of(wanted.Players)));
        members = wanted.Users.Count == 0 ? [] : reading.Add(MemberRow.Instance.Select(
            "where m.contract_id = $1 and m.user_id = any($2)", Values.Of(wanted.ContractId), Values.Of(wanted.Users)));
        reports = wanted.Reports.Count == 0 ? [] : reading.Add(ReportRow.Instance.Select(
            "where r.client_id = $1 and r.report_id = any($2)", Values.Of(client), Values.Of(wanted.Reports)));
        requests = wanted.Requests.Count == 0 ? [] : reading.Add(DocumentRow.Instance.Select(
            $"where d.kind = '{DocumentKind.Request}' and d.id = any($1)", Values.Of(wanted.Requests)));
        credits = wanted.Credits.Count == 0 ? [] : reading.Add(CreditRow.Instance.Select(
            "where (c.lot, c.ordinal) in (select * from unnest($1, $2))",
            Values.Of(wanted.Credits.Select(LotKeys.Of)), Values.Of(wanted.Credits.Select(id => id.Ordinal))));
        var (endingRow, keys) = (EndingRow.Instance, wanted.Endings.Select(key => key.Row).ToList());
        endings = keys.Count == 0 ? [] : reading.Add(endingRow.Select(
            $"where ({string.Join(", ", endingRow.Key.Select(column => $"g.{column.Name}"))}) in (select * from unnest($1, $2, $3, $4, $5))",
            [.. endingRow.Key.Select(column => Values.Of(column.Values(keys, key => key), column.Type))]));
    }

    /// <summary>What was read.</summary>
    public Rows Rows => new(
        players.ToDictionary(player => player.PlayerId),
        members.ToDictionary(member => member.UserId),
        reports.ToDictionary(report => report.ReportId),
        requests.Select(document => Json.Read<KeyedRequest>(document.Body) with { ForgetAt = document.DueAt }).ToDictionary(request => request.Key))
    {
        Credits = credits.ToDictionary(credit => credit.Id),
        Endings = endings.ToDictionary(ending => ending.Key),
    };
}
