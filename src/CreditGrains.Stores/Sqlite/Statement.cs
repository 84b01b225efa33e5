using System.Buffers;
using System.Text;
using CreditGrains.Domain;
using Microsoft.Data.Sqlite;
using NodaTime;
using NodaTime.Text;
using SQLitePCL;

namespace CreditGrains.Stores.Sqlite;

/// <summary>
/// A prepared statement: bind its values from left to right, then run it or read its rows, each from left to right. However that ends, also
/// by an exception of whoever reads, it is ready to be used anew.
/// </summary>
internal sealed class Statement(sqlite3 database, sqlite3_stmt prepared) : IValueWriter, IRowReader, IDisposable
{
    private int bound;
    private int column;

    public Statement Bind(string? text)
    {
        if (text is null) return BindNull();
        var longest = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (longest <= 512)
        {
            Span<byte> small = stackalloc byte[longest];
            return BindBytes(small[..Encoding.UTF8.GetBytes(text, small)]);
        }
        var rented = ArrayPool<byte>.Shared.Rent(longest);
        BindBytes(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        ArrayPool<byte>.Shared.Return(rented);
        return this;
    }

    public Statement Bind(long number)
    {
        Check(raw.sqlite3_bind_int64(prepared, ++bound, number));
        return this;
    }

    public Statement Bind(long? number) => number is { } known ? Bind(known) : BindNull();

    public Statement Bind(bool flag) => Bind(flag ? 1 : 0);

    public Statement Bind(Instant instant) => Bind(instant.ToMicroseconds());

    public Statement Bind(Instant? instant) => instant is { } known ? Bind(known) : BindNull();

    public Statement Bind(LocalDate? date) => date is { } known ? Bind(LocalDatePattern.Iso.Format(known)) : BindNull();

    /// <summary>Binds a source's values of these columns.</summary>
    public Statement Bind<TSource>(IEnumerable<Column<TSource>> columns, TSource source)
    {
        foreach (var column in columns) column.Write(source, this);
        return this;
    }

    /// <summary>Binds the value of a condition, or of a place in a list.</summary>
    public Statement Bind(object value) => value switch
    {
        string text => Bind(text),
        long number => Bind(number),
        bool flag => Bind(flag),
        Instant instant => Bind(instant),
        _ => throw new ArgumentException($"{value.GetType().Name} is not stored"),
    };

    public Statement BindAll(IEnumerable<object> values)
    {
        foreach (var value in values) Bind(value);
        return this;
    }

    void IValueWriter.Text(string? value) => Bind(value);

    void IValueWriter.Number(long? value) => Bind(value);

    void IValueWriter.Flag(bool value) => Bind(value);

    void IValueWriter.Instant(Instant? value) => Bind(value);

    void IValueWriter.Date(LocalDate? value) => Bind(value);

    /// <summary>Runs it to its end and answers how many rows it changed.</summary>
    public int Run()
    {
        try
        {
            while (Next()) { }
            return raw.sqlite3_changes(database);
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Whether there is a row.</summary>
    public bool Any()
    {
        try
        {
            return Next();
        }
        finally
        {
            Reset();
        }
    }

    public T? First<T>(Func<Statement, T> read) where T : class
    {
        try
        {
            return Next() ? read(this) : null;
        }
        finally
        {
            Reset();
        }
    }

    public List<T> All<T>(Func<Statement, T> read)
    {
        try
        {
            var all = new List<T>();
            while (Next()) all.Add(read(this));
            return all;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>The rows one by one, as far as they are asked for; not to be used twice at a time.</summary>
    public IEnumerable<T> Each<T>(Func<Statement, T> read)
    {
        try
        {
            while (Next()) yield return read(this);
        }
        finally
        {
            Reset();
        }
    }

    // The message of a failure goes with the reset, so it is read first.
    private bool Next()
    {
        column = 0;
        switch (raw.sqlite3_step(prepared))
        {
            case raw.SQLITE_ROW:
                return true;
            case raw.SQLITE_DONE:
                return false;
            case var failed:
                SqliteException.ThrowExceptionForRC(failed, database);
                return false;
        }
    }

    public string Text() => OptionalText() ?? throw new InvalidOperationException("a column that is never null is null");

    public string? OptionalText()
    {
        var at = column++;
        return raw.sqlite3_column_type(prepared, at) == raw.SQLITE_NULL ? null : raw.sqlite3_column_text(prepared, at).utf8_to_string();
    }

    public long Number() => raw.sqlite3_column_int64(prepared, column++);

    public long? OptionalNumber()
    {
        var at = column++;
        return raw.sqlite3_column_type(prepared, at) == raw.SQLITE_NULL ? null : raw.sqlite3_column_int64(prepared, at);
    }

    public bool Flag() => Number() != 0;

    public Instant Instant() => Number().FromMicroseconds();

    public Instant? OptionalInstant() => OptionalNumber()?.FromMicroseconds();

    public LocalDate Date() => LocalDatePattern.Iso.Parse(Text()).Value;

    public LocalDate? OptionalDate() => OptionalText() is { } text ? LocalDatePattern.Iso.Parse(text).Value : null;

    /// <summary>Makes it ready to be bound from its first value on.</summary>
    public void Reset()
    {
        bound = 0;
        raw.sqlite3_reset(prepared);
    }

    public void Dispose() => prepared.Dispose();

    private Statement BindNull()
    {
        Check(raw.sqlite3_bind_null(prepared, ++bound));
        return this;
    }

    private Statement BindBytes(ReadOnlySpan<byte> bytes)
    {
        Check(raw.sqlite3_bind_text(prepared, ++bound, bytes));
        return this;
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(code, database);
    }
}

/// <summary>Instants as the store has them: whole microseconds since the Unix epoch.</summary>
internal static class Microseconds
{
    private const long Ticks = NodaConstants.TicksPerMillisecond / 1000;

    /// <summary>The last whole microsecond at or before it.</summary>
    public static long ToMicroseconds(this Instant instant)
    {
        var (whole, rest) = Math.DivRem(instant.ToUnixTimeTicks(), Ticks);
        return rest < 0 ? whole - 1 : whole;
    }

    public static Instant FromMicroseconds(this long microseconds) => Instant.FromUnixTimeTicks(checked(microseconds * Ticks));
}
