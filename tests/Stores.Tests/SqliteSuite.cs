namespace CreditGrains.Stores.Tests;

public sealed class SqliteFences : Fences<SqliteStores>;

public sealed class SqliteLists : ListStories<SqliteStores>;

public sealed class SqliteCredits : CreditListStories<SqliteStores>;

public sealed class SqliteSums : SumStories<SqliteStores>;

public sealed class SqliteEnds : DueStories<SqliteStores>;

public sealed class SqliteHolds : HoldStories<SqliteStores>;

public sealed class SqliteFeed : FeedStories<SqliteStores>;

public sealed class SqliteRetention : RetentionStories<SqliteStores>;
