using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>One process's connections to the cluster's database, so few that several silos stay below PostgreSQL's own limit.</summary>
public sealed class PostgresPools
{
    // What the string says itself wins.
    private const string Defaults = "Maximum Pool Size=20;Timeout=5;Command Timeout=15;Application Name=creditgrains";
    private const string OfOrleans = $"{Defaults};Max Auto Prepare=100;Auto Prepare Min Usages=2";
    private const int OrleansConnections = 5;

    /// <param name="connection">As the operator gave it; throws <see cref="InvalidDataException"/> where it names no host or cannot be read.</param>
    public PostgresPools(string connection)
    {
        try
        {
            if (new NpgsqlConnectionStringBuilder(connection) is not { Host.Length: > 0 }) throw new ArgumentException("it names no host");
            Store = With(Defaults, connection).ConnectionString;
            var orleans = With(OfOrleans, connection);
            orleans.MaxPoolSize = Math.Min(orleans.MaxPoolSize, OrleansConnections);
            Orleans = orleans.ConnectionString;
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException(
                $"--postgres must be a connection string such as Host=db;Username=creditgrains;Database=creditgrains: {e.Message}".TrimEnd('.') + ".", e);
        }
    }

    /// <summary>For the store, its commits and reads: 20 connections unless the string says otherwise.</summary>
    public string Store { get; }

    /// <summary>For membership, reminders and grain storage: 5 connections.</summary>
    public string Orleans { get; }

    private static NpgsqlConnectionStringBuilder With(string defaults, string connection)
    {
        var all = new NpgsqlConnectionStringBuilder(defaults);
        var given = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = connection };
        foreach (string name in given.Keys) all[name] = given[name];
        return all;
    }
}
