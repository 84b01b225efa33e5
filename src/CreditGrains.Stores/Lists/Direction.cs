namespace CreditGrains.Stores;

/// <summary>The direction in which a list is read, as SQL says it.</summary>
internal readonly record struct Direction(bool IsDescending)
{
    public string OrderBy(params IEnumerable<string> columns) => string.Join(", ", IsDescending ? columns.Select(column => $"{column} desc") : columns);

    /// <summary>Compares columns with a place that lies before the page.</summary>
    public string Behind(params IReadOnlyCollection<string> columns) => Compare(columns, IsDescending ? "<" : ">");

    /// <summary>Compares columns with the place where the page begins.</summary>
    public string From(params IReadOnlyCollection<string> columns) => Compare(columns, IsDescending ? "<=" : ">=");

    private static string Compare(IReadOnlyCollection<string> columns, string with) =>
        $"({string.Join(", ", columns)}) {with} ({string.Join(", ", columns.Select(_ => "?"))})";
}
