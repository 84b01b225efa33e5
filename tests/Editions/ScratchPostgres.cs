using System.Globalization;

namespace CreditGrains.Editions;

/// <summary>A PostgreSQL of a test's own, in a scratch folder, on loopback.</summary>
public sealed class ScratchPostgres : IAsyncDisposable
{
    private static readonly string Script = Path.Combine(Child.Root, "deploy", "scratch-postgres");

    private readonly string folder = Directory.CreateTempSubdirectory("creditgrains-postgres-").FullName;
    private readonly int port = Child.FreePort();
    private int databases;

    public string ConnectionString { get; private set; } = "";

    /// <summary>The process whose children serve its connections.</summary>
    public int ProcessId => int.Parse(File.ReadLines(Path.Combine(folder, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public static async Task<ScratchPostgres> New()
    {
        var postgres = new ScratchPostgres();
        await postgres.Start();
        return postgres;
    }

    /// <summary>The connection string of a new, empty database.</summary>
    public async Task<string> NewDatabase()
    {
        var name = $"d{Interlocked.Increment(ref databases)}";
        await Sql($"create database {name}");
        return ConnectionString.Replace("Database=postgres", $"Database={name}", StringComparison.Ordinal);
    }

    /// <summary>Starts it, on the same data and port as before.</summary>
    public async Task Start() => ConnectionString = await Child.Run(Script, "start", folder, $"{port}");

    /// <summary>Breaks off every connection and stops.</summary>
    public Task Stop() => Child.Run(Script, "stop", folder, "fast");

    /// <summary>Ends at once, as a power cut does.</summary>
    public Task Crash() => Child.Run(Script, "stop", folder, "immediate");

    /// <summary>A streaming standby, without which the server commits nothing from now on (synchronous_standby_names).</summary>
    public async Task<ScratchPostgres> SynchronousStandby()
    {
        var standby = new ScratchPostgres();
        await Child.Run(Script, "standby", standby.folder, $"{standby.port}", $"{port}");
        standby.ConnectionString = ConnectionString.Replace($"Port={port}", $"Port={standby.port}", StringComparison.Ordinal);
        await Sql("alter system set synchronous_standby_names = '*'");
        await Sql("select pg_reload_conf()");
        return standby;
    }

    /// <summary>Makes a standby the primary.</summary>
    public Task Promote() => Child.Run(Script, "promote", folder);

    /// <summary>The connection string of whichever of this server and its standby is the primary.</summary>
    public string WithStandby(ScratchPostgres standby) =>
        $"{ConnectionString.Replace($"Host=127.0.0.1;Port={port}", $"Host=127.0.0.1:{port},127.0.0.1:{standby.port}", StringComparison.Ordinal)};Target Session Attributes=primary";

    public Task<string> Sql(string sql) =>
        Child.Run("psql", "--host=127.0.0.1", $"--port={port}", "--username=creditgrains", "--quiet", "--tuples-only", "--no-align", "--command", sql, "postgres");

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Child.Run(Script, "stop", folder, "immediate");
        }
        catch (InvalidOperationException)
        {
            // It was stopped already.
        }
        Directory.Delete(folder, recursive: true);
    }
}
