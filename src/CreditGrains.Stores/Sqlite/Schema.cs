using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The store's schema: one script.</summary>
internal static class Schema
{
    /// <summary>The schema that this program works with.</summary>
    public const int Present = 1;

    /// <summary>Makes the schema in an empty file; refuses a file of another one.</summary>
    public static void Prepare(Database database)
    {
        var version = Number(database, "pragma user_version");
        if (Number(database, "select count(*) from sqlite_schema where name = 'documents'") > 0)
        {
            throw new DataRefusedException(
                $"The data was written by an earlier pre-release of CreditGrains (schema {version}) and cannot be used; "
                + "start with an empty directory.");
        }
        if (version > Present)
        {
            throw new DataRefusedException(
                $"The data has schema {version}; this version of CreditGrains knows schema {Present}. Start the later version.");
        }
        if (version == 0 && Number(database, "select count(*) from sqlite_schema") > 0)
            throw new DataRefusedException("The file credits.db is the database of something else: name another directory by --data.");
        if (version == 0) database.RunScript($"begin immediate; {Script()} pragma user_version = {Present}; commit;");
    }

    private static long Number(Database database, string sql) => database[sql].All(row => row.Number())[0];

    private static string Script()
    {
        using var script = typeof(Schema).Assembly.GetManifestResourceStream("sqlite.schema.sql")
            ?? throw new InvariantException("the schema is built in");
        return new StreamReader(script).ReadToEnd();
    }
}
