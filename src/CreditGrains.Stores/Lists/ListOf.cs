using System.Collections.Immutable;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores;

internal enum Comparison
{
    /// <summary>An index leads to what is equal.</summary>
    Equal,

    /// <summary>Something narrower leads; whether this is equal, too, is checked on what that finds.</summary>
    AlsoEqual,

    AtLeast,

    Below,
}

/// <summary>A column compared with a value: string, long, bool or Instant.</summary>
internal readonly record struct Condition(string Column, Comparison Comparison, object Value);

/// <summary>A column that a list is ordered by; text byte by byte.</summary>
internal readonly record struct OrderedBy(string Column, ColumnType Type);

/// <summary>A list as every store serves it: its rows, filter, order and cursor.</summary>
/// <param name="Cursor">What its cursors are of.</param>
/// <param name="Selected">The columns that <paramref name="Read"/> reads, in its order.</param>
/// <param name="From">The tables, by their aliases.</param>
/// <param name="Place">Where an item lies: its values of <see cref="Order"/>.</param>
internal sealed record ListOf<TItem>(string Cursor, string Selected, string From, Func<IRowReader, TItem> Read, Func<TItem, object[]> Place)
{
    /// <summary>All of them hold, narrowest first.</summary>
    public ImmutableArray<Condition> Filter { get; init; } = [];

    /// <summary>Unique, so that it is a place.</summary>
    public required ImmutableArray<OrderedBy> Order { get; init; }

    /// <summary>The columns of <see cref="Order"/>.</summary>
    public IReadOnlyList<string> Columns => [.. Order.Select(by => by.Column)];

    /// <summary>Whether rows of the same place are one item.</summary>
    public bool IsGrouped { get; init; }

    /// <summary>What a cursor says, by <see cref="Order"/>; null: the first page. Throws <see cref="InvalidCursorException"/>.</summary>
    public object[]? Behind(PageRequest page)
    {
        if (page.Read(Cursor, Order.Length) is not { } parts) return null;
        return [.. Order.Select((by, i) => by.Type switch
        {
            ColumnType.Text => (object)parts.Text(i),
            ColumnType.Number => parts.Number(i),
            ColumnType.Instant => parts.Instant(i),
            ColumnType.Json or ColumnType.Flag or ColumnType.Date =>
                throw new NotSupportedException($"{by.Column} is not a column to order by"),
        })];
    }

    /// <summary>The page of rows that begin behind its cursor; one more than asked for tells that there is a next page.</summary>
    public Page<TItem> Cut(PageRequest page, IReadOnlyList<TItem> items) =>
        new([.. items.Take(page.Limit)], items.Count > page.Limit ? page.Behind(Cursor, Place(items[page.Limit - 1])) : null);
}
