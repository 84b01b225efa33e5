using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>One process's connections to the cluster's database, so few that several silos stay below PostgreSQL's own limit.</summary>
public sealed class PostgresPools
{
    /// <param name="connection">As the operator gave it; throws <see cref="InvalidDataException"/> where it names no host or cannot be read.</param>
    public PostgresPools(string connection)
    {
        try
        {
            if (new NpgsqlConnectionStringBuilder(connection) is not { Host.Length: > 0 } given) throw new ArgumentException("no host");
            (Store, Orleans) = (Pool(given, 20), Pool(given, 5));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("--postgres is a connection string such as Host=db;Username=creditgrains;Database=creditgrains.", e);
        }
    }

    /// <summary>For the store, its commits and reads: 20 connections.</summary>
    public string Store { get; }

    /// <summary>For membership, reminders and grain storage: 5 connections.</summary>
    public string Orleans { get; }

    private static string Pool(NpgsqlConnectionStringBuilder given, int connections) => new NpgsqlConnectionStringBuilder(given.ConnectionString)
    {
        MaxPoolSize = connections,
        MaxAutoPrepare = 100,
        AutoPrepareMinUsages = 2,
        Timeout = 5,
        CommandTimeout = 15,
        ApplicationName = "creditgrains",
    }.ConnectionString;
}
