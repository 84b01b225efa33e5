using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The present row of a result, read from left to right.</summary>
internal sealed class PostgresRow(NpgsqlDataReader reader) : IRowReader
{
    private int column;

    /// <summary>Goes to the next row; false: there is none.</summary>
    public async Task<bool> Next()
    {
        column = 0;
        return await reader.ReadAsync();
    }

    /// <summary>Whether the next column is null; it stays the next.</summary>
    public bool IsNull => reader.IsDBNull(column);

    public string Text() => reader.GetString(column++);

    public string? OptionalText() => Skips() ? null : Text();

    public long Number() => reader.GetInt64(column++);

    public long? OptionalNumber() => Skips() ? null : Number();

    public bool Flag() => reader.GetBoolean(column++);

    public Instant Instant() => reader.GetFieldValue<Instant>(column++);

    public Instant? OptionalInstant() => Skips() ? null : Instant();

    public LocalDate Date() => reader.GetFieldValue<LocalDate>(column++);

    public LocalDate? OptionalDate() => Skips() ? null : Date();

    private bool Skips()
    {
        if (!IsNull) return false;
        column++;
        return true;
    }
}
