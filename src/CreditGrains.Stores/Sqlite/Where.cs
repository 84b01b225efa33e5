namespace CreditGrains.Stores.Sqlite;

/// <summary>The conditions of a list and their values, from the narrowest on: the first is left to an index, the others are checked on what that finds.</summary>
internal sealed class Where
{
    private readonly List<string> conditions = [];
    private readonly List<object> values = [];
    private bool indexed;

    /// <summary>A column that must be equal, where a value is given.</summary>
    public Where Equal(string column, string? value)
    {
        if (value is null) return this;
        And($"{(indexed ? "+" : "")}{column} = ?", value);
        indexed = true;
        return this;
    }

    public Where And(string condition, params IEnumerable<object> of)
    {
        conditions.Add(condition);
        values.AddRange(of);
        return this;
    }

    /// <summary>Binds a statement's values in the order of its text.</summary>
    public Statement Bind(Statement statement)
    {
        foreach (var value in values) statement.Bind(value);
        return statement;
    }

    public override string ToString() => conditions.Count == 0 ? "" : $"where {string.Join(" and ", conditions)}";
}
