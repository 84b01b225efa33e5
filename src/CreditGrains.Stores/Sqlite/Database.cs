using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace CreditGrains.Stores.Sqlite;

/// <summary>One connection and its prepared statements; used by one thread at a time.</summary>
internal sealed class Database : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly Dictionary<string, Statement> statements = [];

    public Database(string file)
    {
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        Run("pragma busy_timeout = 5000");
    }

    /// <summary>Whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(connection.Handle!) == 0;

    /// <summary>The statement of that text, prepared once.</summary>
    public Statement this[string sql]
    {
        get
        {
            if (statements.TryGetValue(sql, out var known))
            {
                // What was bound may never have been run.
                known.Reset();
                return known;
            }
            var code = raw.sqlite3_prepare_v2(connection.Handle!, sql, out var prepared);
            if (code != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(code, connection.Handle!);
            return statements[sql] = new(connection.Handle!, prepared);
        }
    }

    /// <summary>Runs one statement without values.</summary>
    public void Run(string sql) => this[sql].Run();

    /// <summary>Runs many statements, one after another, once.</summary>
    public void RunScript(string script)
    {
        using var command = connection.CreateCommand();
        command.CommandText = script;
        command.ExecuteNonQuery();
    }

    /// <summary>Reads several things on one snapshot.</summary>
    public T Snapshot<T>(Func<T> read)
    {
        Run("begin");
        try
        {
            return read();
        }
        finally
        {
            RollBack();
        }
    }

    /// <summary>Ends what transaction there still is; some failures have ended it already.</summary>
    public void RollBack()
    {
        if (InTransaction) Run("rollback");
    }

    /// <summary>How SQLite carries out the selects prepared so far.</summary>
    public List<string> Plans() => [.. statements.Keys.Where(sql => sql.StartsWith("select", StringComparison.Ordinal)).ToList()
        .SelectMany(sql => this[$"explain query plan {sql}"]
            .All(row => (row.Number(), row.Number(), row.Number(), Detail: row.Text()).Detail))];

    public void Dispose()
    {
        foreach (var statement in statements.Values) statement.Dispose();
        connection.Dispose();
    }
}

/// <summary>What failures of SQLite mean.</summary>
internal static class Failures
{
    /// <summary>Whether the disk or the file is away, full or read-only; anything else is a bug, or the fault of one commit.</summary>
    public static bool IsAway(this SqliteException e) =>
        e.SqliteErrorCode is raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_BUSY;
}
