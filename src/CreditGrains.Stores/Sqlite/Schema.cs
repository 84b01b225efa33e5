using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The data cannot be opened: another process has it, or a later version of this program wrote it.</summary>
public sealed class DataRefusedException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The store's schema and its numbered migrations.</summary>
internal static class Schema
{
    /// <summary>The schema that this program works with.</summary>
    public const int Newest = 7;

    /// <summary>Brings the store to <see cref="Newest"/>, one migration a transaction; refuses a later one.</summary>
    public static void Migrate(Database database)
    {
        var present = Version(database);
        if (present > Newest)
            throw new DataRefusedException($"The data has schema {present}; this version of CreditGrains knows {Newest} at most. Start the later version.");
        for (var version = present + 1; version <= Newest; version++)
            database.RunScript($"begin immediate; {Script(version)} pragma user_version = {version}; commit;");
    }

    private static long Version(Database database)
    {
        var version = database["pragma user_version"];
        version.Next();
        var number = version.Number();
        version.Reset();
        return number;
    }

    private static string Script(long version)
    {
        using var script = typeof(Schema).Assembly.GetManifestResourceStream($"{version}.sql") ?? throw new InvariantException($"migration {version} is built in");
        return new StreamReader(script).ReadToEnd();
    }
}
