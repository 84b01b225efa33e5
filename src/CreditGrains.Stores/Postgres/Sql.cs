using CreditGrains.Domain;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace CreditGrains.Stores.Postgres;

/// <summary>How the domain's values travel to PostgreSQL and back.</summary>
internal static class Sql
{
    public static DateTime ToSql(this Instant instant) => instant.ToDateTimeUtc();

    public static DateTime? ToSql(this Instant? instant) => instant?.ToDateTimeUtc();

    public static string ToSql<T>(this T value) where T : struct, Enum => Names<T>.Of[value];

    public static Instant Instant(this NpgsqlDataReader reader, int column) => NodaTime.Instant.FromDateTimeUtc(DateTime.SpecifyKind(reader.GetDateTime(column), DateTimeKind.Utc));

    public static Instant? InstantOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.Instant(column);

    public static string? TextOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static T Enum<T>(this NpgsqlDataReader reader, int column) where T : struct, Enum => Names<T>.Values[reader.GetString(column)];

    public static NpgsqlParameter Texts(IEnumerable<string?> values) => Array(values, NpgsqlDbType.Text);

    public static NpgsqlParameter Numbers(IEnumerable<long> values) => Array(values, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Numbers(IEnumerable<long?> values) => Array(values, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Integers(IEnumerable<int> values) => Array(values, NpgsqlDbType.Integer);

    public static NpgsqlParameter Integers(IEnumerable<int?> values) => Array(values, NpgsqlDbType.Integer);

    public static NpgsqlParameter Dates(IEnumerable<LocalDate?> values) => Array(values.Select(value => value?.ToDateOnly()), NpgsqlDbType.Date);

    public static string? Settings(Allocation allocation) => allocation.Settings is { } settings ? Json.Write(settings) : null;

    public static NpgsqlParameter Instants(IEnumerable<Instant> values) => Array(values.Select(value => value.ToSql()), NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Instants(IEnumerable<Instant?> values) => Array(values.Select(value => value.ToSql()), NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter Flags(IEnumerable<bool> values) => Array(values, NpgsqlDbType.Boolean);

    /// <summary>Services credits, in ten-thousandths.</summary>
    public static NpgsqlParameter Quantities(IEnumerable<decimal> values) => Numbers(values.Select(ServicesCredits.ToTenThousandths));

    public static NpgsqlParameter Quantities(IEnumerable<decimal?> values) =>
        Array(values.Select(value => value is { } quantity ? ServicesCredits.ToTenThousandths(quantity) : (long?)null), NpgsqlDbType.Bigint);

    public static decimal Quantity(this NpgsqlDataReader reader, int column) => ServicesCredits.FromTenThousandths(reader.GetInt64(column));

    public static LocalDate Date(this NpgsqlDataReader reader, int column) => LocalDate.FromDateOnly(reader.GetFieldValue<DateOnly>(column));

    public static LocalDate? DateOrNull(this NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.Date(column);

    public static NpgsqlParameter Number(long value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    public static NpgsqlParameter Transaction(long value) => new() { Value = (ulong)value, NpgsqlDbType = NpgsqlDbType.Xid8 };

    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Flag(bool value) => new() { Value = value, NpgsqlDbType = NpgsqlDbType.Boolean };

    public static NpgsqlParameter At(Instant? value) => new() { Value = (object?)value.ToSql() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    private static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType type) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };

    private static class Names<T> where T : struct, Enum
    {
        public static readonly Dictionary<T, string> Of = System.Enum.GetValues<T>().ToDictionary(value => value, value => System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));
        public static readonly Dictionary<string, T> Values = Of.ToDictionary(pair => pair.Value, pair => pair.Key);
    }
}

/// <summary>A lot's key, which is how its credits name it.</summary>
internal static class LotKeys
{
    public static string Lot(string contractId, string lotId, long apart = 0) => Domain.Lot.Key(contractId, lotId, apart);

    public static string Lot(LotChange change) => change.Lot.Key(change.ContractId);

    public static string Lot(CreditId id) => Lot(id.ContractId, id.LotId);

    public static CreditId Credit(string lot, long ordinal) => lot.Split('~') is [var contract, var id] ? new(contract, id, ordinal) : throw new InvariantException($"{lot} is a lot's key");
}
