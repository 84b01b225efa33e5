namespace CreditGrains.Bench;

/// <summary>What a caller asks for, again and again.</summary>
internal enum Call { Report, Refusal, DryRun, Window, Page }

/// <summary>How contracts are chosen: each as often as the others, or the n-th n times more rarely than the first.</summary>
internal enum Choice { Evenly, Zipf }

/// <summary>A load: so many callers, each sending one request after another.</summary>
/// <param name="Contracts">How many contracts the callers share.</param>
/// <param name="Players">How many players each report names.</param>
/// <param name="Covered">How many percent of the players have a credit already.</param>
/// <param name="IsBare">Without allocation, expiring lots, billing cycle and a consumer's key, which real contracts have.</param>
internal sealed record Load(
    int Contracts, int Players = 1, int Callers = 64, int Covered = 0, Call Takes = Call.Report, Choice Choice = Choice.Evenly, bool IsBare = false)
{
    public const int PageSize = 100;

    private const int Wide = 2_000;

    /// <summary>Measured on all systems; the chart shows these.</summary>
    public static IReadOnlyList<Load> Main { get; } =
    [
        new(1),
        new(Wide),
        new(1, Players: 46),
        new(Wide, Players: 46),
        new(Wide, Players: 500, Callers: 8),
        new(1, Players: 46, Covered: 100),
        new(1, Callers: 1),
        new(1, Takes: Call.Refusal),
    ];

    /// <summary>Measured on the function, the embedded store and one silo on PostgreSQL.</summary>
    public static IReadOnlyList<Load> More { get; } =
    [
        new(200),
        new(Wide, Players: 46, Callers: 1),
        new(Wide, Players: 46, Callers: 256),
        new(Wide, Players: 46, Covered: 70),
        new(Wide, Players: 46, Choice: Choice.Zipf),
        new(Wide, Players: 46, Takes: Call.DryRun),
        new(1, IsBare: true),
        new(Wide, Players: 46, IsBare: true),
        new(1, Takes: Call.Window, Callers: 8),
        new(1, Takes: Call.Page, Callers: 8),
    ];

    /// <summary>One for what each player costs, one for what each report costs.</summary>
    public static IReadOnlyList<Load> Quick { get; } = [new(1, Players: 46), new(200)];

    public string Name => string.Join(", ", Words().Where(word => word.Length > 0));

    public int CoveredPlayers => Players * Covered / 100;

    public int NewPlayers => Players - CoveredPlayers;

    public bool NamesPlayers => Takes is Call.Report or Call.DryRun or Call.Refusal;

    public string ContractId(int number) => Takes is Call.Refusal ? Bench.Contracts.PoorId : Bench.Contracts.IdOf(number, IsBare);

    /// <summary>The status that every answer must have.</summary>
    public int Status => Takes switch
    {
        Call.Report => 201,
        Call.Refusal => 402,
        Call.DryRun or Call.Window or Call.Page => 200,
    };

    /// <summary>What every answer must contain.</summary>
    public string Contains => Takes switch
    {
        Call.Report or Call.DryRun => $"\"charged\":{NewPlayers},\"covered\":{CoveredPlayers},",
        Call.Refusal => "\"code\":\"insufficient-contract-credits\"",
        Call.Window => "\"contractRemainingCredits\":",
        Call.Page => "\"items\":[{",
    };

    private IEnumerable<string> Words() =>
    [
        Callers switch { 64 => "", 1 => "one caller", _ => $"{Callers} callers" },
        Takes switch
        {
            Call.Report or Call.DryRun => Contracts == 1 ? "one hot contract" : FormattableString.Invariant($"{Contracts:N0} contracts"),
            Call.Refusal => "a refusal",
            Call.Window => $"a window of {Bench.Contracts.CrowdUsers} users",
            Call.Page => FormattableString.Invariant($"a page of {PageSize} among {Bench.Contracts.MillionCredits:N0} credits"),
        },
        Choice switch { Choice.Evenly => "", Choice.Zipf => "chosen by Zipf" },
        !NamesPlayers ? "" : Covered switch
        {
            0 => $"{Players} new player{(Players == 1 ? "" : "s")}",
            100 => $"{Players} covered players",
            _ => $"{Players} players of whom {Covered} % are covered",
        },
        Takes is Call.DryRun ? "dry run" : "",
        IsBare ? "bare contracts" : "",
    ];
}
