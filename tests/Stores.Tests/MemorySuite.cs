namespace CreditGrains.Stores.Tests;

public sealed class MemoryFences : Fences<MemoryStores>;

public sealed class MemoryLists : ListStories<MemoryStores>;

public sealed class MemoryCredits : CreditListStories<MemoryStores>;

public sealed class MemorySums : SumStories<MemoryStores>;

public sealed class MemoryEnds : DueStories<MemoryStores>;

public sealed class MemoryHolds : HoldStories<MemoryStores>;

public sealed class MemoryFeed : FeedStories<MemoryStores>;
