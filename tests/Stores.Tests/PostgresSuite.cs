namespace CreditGrains.Stores.Tests;

public sealed class PostgresStores : IStores
{
    public async Task<OpenedStore> Open()
    {
        var database = await PostgresDatabase.New();
        return new(database.Store, database.Store, database.Store.WriteCheckpoints, database.Archive, database.DisposeAsync);
    }
}

public sealed class QuietPostgresStores : IStores
{
    public async Task<OpenedStore> Open()
    {
        var database = await PostgresDatabase.New(isQuiet: true);
        return new(database.Store, database.Store, database.Store.WriteCheckpoints, database.Archive, database.DisposeAsync);
    }
}

public sealed class PostgresFences : Fences<PostgresStores>;

public sealed class PostgresLists : ListStories<PostgresStores>;

public sealed class PostgresCredits : CreditListStories<PostgresStores>;

public sealed class PostgresSums : SumStories<PostgresStores>;

public sealed class PostgresEnds : DueStories<PostgresStores>;

public sealed class PostgresHolds : HoldStories<PostgresStores>;

[Collection(PostgresServers.Quiet)]
public sealed class PostgresFeed : FeedStories<QuietPostgresStores>;

[Collection(PostgresServers.Quiet)]
public sealed class PostgresRetention : RetentionStories<QuietPostgresStores>;
