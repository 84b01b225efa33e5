using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace CreditGrains.Stores.Postgres;

/// <summary>Values of statements.</summary>
internal static class Values
{
    public static NpgsqlParameter Of(string? value) => One(value, NpgsqlDbType.Text);

    public static NpgsqlParameter Of(long? value) => One(value, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Of(bool value) => One(value, NpgsqlDbType.Boolean);

    public static NpgsqlParameter Of(Instant? value) => One(value, NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Of(IEnumerable<string> values) => Many(values.ToArray(), NpgsqlDbType.Text);

    public static NpgsqlParameter Of(IEnumerable<long> values) => Many(values.ToArray(), NpgsqlDbType.Bigint);

    public static NpgsqlParameter Of(IEnumerable<Instant> values) => Many(values.ToArray(), NpgsqlDbType.TimestampTz);

    /// <summary>A value of one of the types that lists are filtered and ordered by.</summary>
    public static NpgsqlParameter OfAny(object value) => value switch
    {
        string text => Of(text),
        long number => Of(number),
        bool flag => Of(flag),
        Instant instant => Of(instant),
        _ => throw new ArgumentException($"lists have no values of {value.GetType()}", nameof(value)),
    };

    /// <summary>The values of a column, as <see cref="Column{TSource}.Values"/> makes them.</summary>
    public static NpgsqlParameter Of(Array values, ColumnType type) => Many(values, type switch
    {
        ColumnType.Text or ColumnType.Json => NpgsqlDbType.Text,
        ColumnType.Number => NpgsqlDbType.Bigint,
        ColumnType.Flag => NpgsqlDbType.Boolean,
        ColumnType.Instant => NpgsqlDbType.TimestampTz,
        ColumnType.Date => NpgsqlDbType.Date,
    });

    private static NpgsqlParameter One<T>(T value, NpgsqlDbType type) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = type };

    private static NpgsqlParameter Many(Array values, NpgsqlDbType type) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | type };
}
