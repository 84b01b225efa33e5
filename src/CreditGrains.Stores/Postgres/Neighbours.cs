using System.Net;
using CreditGrains.Grains.Hosting;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>The silos that are there already, as the membership table has them.</summary>
public static class Neighbours
{
    // Who has been silent for longer is gone.
    private const string Alive = """
        select address, host_name from orleans_silo
        where deployment_id = $1 and status = 3 and alive_at > clock_timestamp() - interval '30 seconds'
        """;

    /// <summary>Refuses an address on which silos of several machines could not reach each other, or would take each other's place.</summary>
    public static async Task Check(string connectionString, ServerOptions options)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var query = new NpgsqlCommand(Alive, connection) { Parameters = { new() { Value = options.ClusterId } } };
        await using var rows = await query.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            var (address, host) = (IPAddress.Parse(rows.GetString(0)), rows.GetString(1));
            var isOwnHost = string.Equals(host, Dns.GetHostName(), StringComparison.OrdinalIgnoreCase);
            if (IPAddress.IsLoopback(address) == IPAddress.IsLoopback(options.Advertise) && (isOwnHost || !IPAddress.IsLoopback(address))) continue;
            throw new InvalidDataException(
                $"--advertise {options.Advertise} and the silo at {address} on {host} cannot reach each other: "
                + "give each silo of several machines an address by --advertise, such as auto; one that has ended counts for 30 seconds.");
        }
    }
}
