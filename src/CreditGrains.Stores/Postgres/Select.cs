using System.Text;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>A query with only those conditions that were asked for, and a page of it by keyset.</summary>
/// <param name="inner">A query that the table names, with its values.</param>
internal sealed class Select(string columns, string table, Select? inner = null)
{
    private readonly List<string> conditions = [];
    private readonly List<NpgsqlParameter> parameters = [.. inner?.parameters ?? []];

    /// <summary>The values that it has gathered so far.</summary>
    public NpgsqlParameter[] Parameters => [.. parameters];

    /// <summary>Adds a condition, a <c>?</c> standing for each value.</summary>
    public Select Where(string condition, params NpgsqlParameter[] values)
    {
        var text = new StringBuilder();
        var parts = condition.Split('?');
        for (var i = 0; i < parts.Length; i++)
        {
            text.Append(parts[i]);
            if (i == parts.Length - 1) break;
            parameters.Add(values[i]);
            text.Append('$').Append(parameters.Count);
        }
        conditions.Add(text.ToString());
        return this;
    }

    /// <summary>A column that must be equal, where a value is given.</summary>
    public Select WhereText(string column, string? value) => value is null ? this : Where($"{column} = ?", Sql.Text(value));

    /// <summary>The same; where something narrower is asked for, too, it is left to be checked on what an index finds by that.</summary>
    public Select Only(string column, string? value, bool isNarrowest) =>
        value is null || isNarrowest ? WhereText(column, value) : Where($"{column} is not distinct from ?", Sql.Text(value));

    /// <summary>Only what comes after those values of those columns, in that order; no values: from the first.</summary>
    public Select After(string columnsInOrder, params NpgsqlParameter[] values) =>
        values.Length == 0 ? this : Where($"({columnsInOrder}) > ({string.Join(", ", values.Select(_ => "?"))})", values);

    /// <summary>The statement for all rows, in no order.</summary>
    public string All => $"select {columns} from {table}{(conditions.Count == 0 ? "" : $" where {string.Join(" and ", conditions)}")}";

    /// <summary>The statement for so many rows.</summary>
    public string Page(string order, int rows)
    {
        parameters.Add(Sql.Number(rows));
        return $"{All} order by {order} limit ${parameters.Count}";
    }
}
