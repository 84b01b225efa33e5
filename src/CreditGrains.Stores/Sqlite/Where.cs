using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The conditions of a select and their values, in the order of its text.</summary>
internal sealed class Where
{
    private readonly List<string> conditions = [];
    private readonly List<object> values = [];
    private bool indexed;

    /// <summary>In the order of the text.</summary>
    public IReadOnlyCollection<object> Values => values;

    /// <summary>The conditions of a list, behind a place in it.</summary>
    public static Where Of<TItem>(ListOf<TItem> list, object[]? behind, Direction direction)
    {
        var where = new Where();
        foreach (var (column, comparison, value) in list.Filter) where.And(Text(column, comparison), value);
        return behind is null ? where : where.And(direction.Behind(list.Columns), behind);
    }

    /// <summary>
    /// A column that must be equal, where a value is given; the first is left to an index, the others are checked on what that finds.
    /// </summary>
    public Where Equal(string column, string? value)
    {
        if (value is null) return this;
        And(Text(column, indexed ? Comparison.AlsoEqual : Comparison.Equal), value);
        indexed = true;
        return this;
    }

    /// <summary>Credits of a player, where one is given.</summary>
    public Where OfPlayer(string? playerId)
    {
        if (playerId is null) return this;
        And($"{CreditRow.MayBeOfPlayer} and +c.player_id = ?", playerId, playerId);
        indexed = true;
        return this;
    }

    public Where And(string condition, params IEnumerable<object> of)
    {
        conditions.Add(condition);
        values.AddRange(of);
        return this;
    }

    /// <summary>Binds a statement's values.</summary>
    public Statement Bind(Statement statement) => statement.BindAll(values);

    public override string ToString() => conditions.Count == 0 ? "" : $"where {string.Join(" and ", conditions)}";

    private static string Text(string column, Comparison comparison) => comparison switch
    {
        Comparison.Equal => $"{column} = ?",
        Comparison.AlsoEqual => $"+{column} = ?",
        Comparison.AtLeast => $"{column} >= ?",
        Comparison.Below => $"{column} < ?",
    };
}
