namespace CreditGrains.Bench;

/// <summary>What a system has beside reports.</summary>
[Flags]
internal enum Abilities { None = 0, Replay = 1, DryRun = 2, Lists = 4, All = Replay | DryRun | Lists }

/// <summary>A system that can be measured.</summary>
/// <param name="Start">Starts it with these contracts in it.</param>
/// <param name="MeasuresMore">Whether the loads beside the main ones are measured on it, too.</param>
internal sealed record SystemUnderTest(string Name, Abilities Abilities, Func<Contracts, Task<RunningSystem>> Start, bool MeasuresMore = false)
{
    public const string Limit = "function";

    // A transaction holds the locks of all its grains over each write to the store.
    private const int MostPlayersInTransactions = 46;

    /// <param name="earlierSilo">Another build of CreditGrains.Silo.dll, measured as "before"; null: none.</param>
    public static IReadOnlyList<SystemUnderTest> All(string? earlierSilo) =>
    [
        new(Limit, Abilities.None, contracts => FrontSystem.OnTables(Limit, contracts), MeasuresMore: true),
        new("usual", Abilities.Replay | Abilities.DryRun, contracts => FrontSystem.OnTables("usual", contracts)),
        new("transactions", Abilities.None, FrontSystem.Transactions) { MostPlayers = MostPlayersInTransactions, NeedsManyContracts = true },
        new("embedded", Abilities.All, ProductSystem.Embedded, MeasuresMore: true),
        new("cluster of one", Abilities.All, contracts => ProductSystem.Cluster("cluster of one", 1, contracts), MeasuresMore: true),
        new("cluster of three", Abilities.All, contracts => ProductSystem.Cluster("cluster of three", 3, contracts)),
        .. earlierSilo is null ? [] : Before(earlierSilo),
    ];

    private int MostPlayers { get; init; } = int.MaxValue;

    private bool NeedsManyContracts { get; init; }

    private static SystemUnderTest[] Before(string silo) =>
        [new("before", Abilities.All, contracts => ProductSystem.Cluster("before", 1, contracts, silo), MeasuresMore: true)];

    public bool Can(Load load) =>
        load.Players <= MostPlayers
        && !(NeedsManyContracts && load is { Contracts: 1, Callers: > 1, Takes: Call.Report })
        && load.Takes switch
        {
            Call.Report or Call.Refusal => true,
            Call.DryRun => Abilities.HasFlag(Abilities.DryRun),
            Call.Window or Call.Page => Abilities.HasFlag(Abilities.Lists),
        };
}
