using System.Collections.Immutable;
using System.Text;
using CreditGrains.Grains;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>A query with only those conditions that were asked for, and a page of it by keyset.</summary>
/// <param name="inner">A query that the table names, with its values.</param>
internal sealed class Select(string columns, string table, Select? inner = null)
{
    /// <summary>Equality that the planner finds no index for.</summary>
    public const string IsChecked = "is not distinct from";

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
    public Select WhereText(string column, string? value) => value is null ? this : Where($"{column} = ?", Values.Of(value));

    /// <summary>The same, checked on what an index finds by something narrower.</summary>
    public Select Checked(string column, string? value) => value is null ? this : Where($"{column} {IsChecked} ?", Values.Of(value));

    /// <summary>The statement for all rows, in no order.</summary>
    public string All => $"select {columns} from {table}{(conditions.Count == 0 ? "" : $" where {string.Join(" and ", conditions)}")}";

    /// <summary>The statement for so many rows.</summary>
    public string Page(string order, int rows, string group = "")
    {
        parameters.Add(Values.Of(rows));
        return $"{All}{group} order by {order} limit ${parameters.Count}";
    }
}

/// <summary>Lists as described, as queries.</summary>
internal static class SelectLists
{
    /// <summary>The rows of a list.</summary>
    public static Select Select<TItem>(this ListOf<TItem> list)
    {
        var select = new Select(list.Selected, list.From);
        foreach (var (column, comparison, value) in list.Filter)
        {
            // Kinds are named in the text, so that an index of some of them alone is found.
            if (column == "d.kind") select.Where($"{column} = '{value}'");
            else select.Where($"{column} {Operator(comparison)} ?", Values.OfAny(value));
        }
        return select;
    }

    /// <summary>The rows of one page, and one more where there is a next page.</summary>
    public static Query<TItem> Query<TItem>(this ListOf<TItem> list, PageRequest page)
    {
        var direction = new Direction(page.IsDescending);
        var select = list.Select();
        if (list.Behind(page) is { } behind) select.Where(direction.Behind(list.Columns), [.. behind.Select(Values.OfAny)]);
        var sql = select.Page(direction.OrderBy(list.Columns), page.Limit + 1, list.IsGrouped ? $" group by {string.Join(", ", list.Columns)}" : "");
        return new(sql, list.Read, select.Parameters);
    }

    private static string Operator(Comparison comparison) => comparison switch
    {
        Comparison.Equal => "=",
        Comparison.AlsoEqual => Postgres.Select.IsChecked,
        Comparison.AtLeast => ">=",
        Comparison.Below => "<",
    };
}
