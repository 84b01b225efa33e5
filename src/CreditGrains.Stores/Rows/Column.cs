using NodaTime;

namespace CreditGrains.Stores;

/// <summary>What a column holds. Text compares byte by byte; Json is text that nobody compares.</summary>
internal enum ColumnType { Text, Json, Number, Flag, Instant, Date }

/// <summary>What an insert, an update and a delete do with a column.</summary>
internal enum ColumnRole
{
    /// <summary>Names the row.</summary>
    Key,

    /// <summary>Written by an insert, never again.</summary>
    Fixed,

    /// <summary>Written by an insert; an update or delete must find it as it says (null like null).</summary>
    Same,

    /// <summary>Written by an insert and by an update.</summary>
    Set,

    /// <summary>The same, but an update with null leaves it as it is.</summary>
    Kept,

    /// <summary>Set; an update or delete must find the version that it expects.</summary>
    Version,

    /// <summary>Written by an insert, which adds to it where the row is there.</summary>
    Added,

    /// <summary>Written by an insert; where the row is there, the higher one stays.</summary>
    Highest,
}

/// <summary>Takes the values of columns, each by its type: a statement that binds them, for one.</summary>
internal interface IValueWriter
{
    void Text(string? value);

    void Number(long? value);

    void Flag(bool value);

    void Instant(Instant? value);

    void Date(LocalDate? value);
}

/// <summary>A column, and which value of a source (a change, an entry or a key) it holds.</summary>
internal abstract class Column<TSource>(string name, ColumnType type, ColumnRole role)
{
    public string Name => name;

    public ColumnType Type => type;

    public ColumnRole Role => role;

    /// <summary>Hands over the value for one source.</summary>
    public abstract void Write(TSource source, IValueWriter to);

    /// <summary>
    /// The values for many sources, in their order: string?[] for Text and Json, long?[] for Number, bool[] for Flag,
    /// Instant?[] for Instant, LocalDate?[] for Date.
    /// </summary>
    public abstract Array Values<TItem>(IReadOnlyCollection<TItem> items, Func<TItem, TSource> source);

    /// <summary>The value for one source: string, long, bool, Instant, LocalDate or null.</summary>
    public abstract object? Value(TSource source);
}

/// <summary>Makes the columns of one role.</summary>
internal readonly struct Columns<TSource>(ColumnRole role)
{
    public Column<TSource> Text(string name, Func<TSource, string?> value) =>
        new Typed<string?>(name, ColumnType.Text, role, value, static (to, value) => to.Text(value));

    public Column<TSource> Json(string name, Func<TSource, string?> value) =>
        new Typed<string?>(name, ColumnType.Json, role, value, static (to, value) => to.Text(value));

    public Column<TSource> Number(string name, Func<TSource, long?> value) =>
        new Typed<long?>(name, ColumnType.Number, role, value, static (to, value) => to.Number(value));

    public Column<TSource> Flag(string name, Func<TSource, bool> value) =>
        new Typed<bool>(name, ColumnType.Flag, role, value, static (to, value) => to.Flag(value));

    public Column<TSource> Instant(string name, Func<TSource, Instant?> value) =>
        new Typed<Instant?>(name, ColumnType.Instant, role, value, static (to, value) => to.Instant(value));

    public Column<TSource> Date(string name, Func<TSource, LocalDate?> value) =>
        new Typed<LocalDate?>(name, ColumnType.Date, role, value, static (to, value) => to.Date(value));

    /// <summary>Services credits, in ten-thousandths.</summary>
    public Column<TSource> Quantity(string name, Func<TSource, decimal?> value) =>
        Number(name, source => value(source) is { } quantity ? Domain.ServicesCredits.ToTenThousandths(quantity) : null);

    private sealed class Typed<TValue>(string name, ColumnType type, ColumnRole role, Func<TSource, TValue> value,
        Action<IValueWriter, TValue> write)
        : Column<TSource>(name, type, role)
    {
        public override void Write(TSource source, IValueWriter to) => write(to, value(source));

        public override Array Values<TItem>(IReadOnlyCollection<TItem> items, Func<TItem, TSource> source)
        {
            var values = new TValue[items.Count];
            var i = 0;
            foreach (var item in items) values[i++] = value(source(item));
            return values;
        }

        public override object? Value(TSource source) => value(source);
    }
}
