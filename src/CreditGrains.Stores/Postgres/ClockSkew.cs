using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>
/// How far this machine's clock is ahead of the database's. Silos whose clocks differ take each other for dead, and decide for times that are not yet.
/// </summary>
internal static class ClockSkew
{
    /// <summary>What is certain of it, when the database told its time somewhere between two instants of this machine.</summary>
    public static Duration Between(Instant before, Instant told, Instant after) =>
        before > told ? before - told : after < told ? after - told : Duration.Zero;

    /// <summary>The machine's clock.</summary>
    public static Instant Now => SystemClock.Instance.GetCurrentInstant();

    public static async Task<Duration> Of(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var query = new NpgsqlCommand("select extract(epoch from clock_timestamp())", connection);
        var before = Now;
        var told = (decimal)(await query.ExecuteScalarAsync(cancel))!;
        return Between(before, Instant.FromUnixTimeTicks((long)(told * NodaConstants.TicksPerSecond)), Now);
    }
}
