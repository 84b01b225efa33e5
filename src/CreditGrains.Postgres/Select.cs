using System.Globalization;
using CreditGrains.Actors;
using NodaTime;
using NodaTime.Text;
using Npgsql;

namespace CreditGrains.Postgres;

/// <summary>A query with only those conditions that were asked for, and a page of it by keyset.</summary>
internal sealed class Select(string columns, string table)
{
    private readonly List<string> conditions = [];
    private readonly List<NpgsqlParameter> parameters = [];

    public NpgsqlParameter[] Parameters => [.. parameters];

    /// <summary>Adds a condition, <c>?</c> standing for the value; null: none.</summary>
    public Select Where(string condition, NpgsqlParameter? value)
    {
        if (value is null) return this;
        parameters.Add(value);
        conditions.Add(condition.Replace("?", $"${parameters.Count}", StringComparison.Ordinal));
        return this;
    }

    public Select WhereText(string column, string? value) => Where($"{column} = ?", value is null ? null : Sql.Text(value));

    /// <summary>Only what comes after those values of those columns, in that order.</summary>
    public Select After(string columnsInOrder, params NpgsqlParameter[] values)
    {
        if (values.Length == 0) return this;
        var first = parameters.Count + 1;
        parameters.AddRange(values);
        conditions.Add($"({columnsInOrder}) > ({string.Join(", ", values.Select((_, i) => $"${first + i}"))})");
        return this;
    }

    /// <summary>The statement for one row more than the limit: it tells whether there is a next page.</summary>
    public string Page(string order, int limit)
    {
        parameters.Add(Sql.Number(limit + 1));
        var where = conditions.Count == 0 ? "" : $" where {string.Join(" and ", conditions)}";
        return $"select {columns} from {table}{where} order by {order} limit ${parameters.Count}";
    }
}
