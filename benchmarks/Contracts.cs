namespace CreditGrains.Bench;

/// <summary>The contracts that loads need, each with a client and an API key of its own.</summary>
/// <param name="Real">How many with allocation on, lots that expire, a billing cycle and a consumer's key.</param>
/// <param name="Bare">How many with one lot that never expires, called by the operator.</param>
/// <param name="Crowd">Whether the contract of <see cref="CrowdUsers"/> users is needed.</param>
/// <param name="Million">Whether the contract of a million credits is needed.</param>
internal sealed record Contracts(int Real, int Bare, bool Crowd, bool Million)
{
    public const int Users = 5;
    public const int KnownPlayers = 46;
    public const int CrowdUsers = 300;
    public const int MillionCredits = 1_000_000;
    public const long Credits = 900_000_000;

    /// <summary>For the checks before a system is timed.</summary>
    public const string Check = "check";

    /// <summary>Has no credits, so that each report is refused.</summary>
    public const string PoorId = "poor";
    public const string CrowdId = "crowd";
    public const string MillionId = "million";
    public const string OperatorKey = "bench-operator";

    public IEnumerable<string> RealIds => [Check, .. Enumerable.Range(0, Real).Select(number => IdOf(number, isBare: false))];

    public IEnumerable<string> BareIds => Enumerable.Range(0, Bare).Select(number => IdOf(number, isBare: true));

    /// <summary>Those that loads and checks report to.</summary>
    public IEnumerable<string> ReportedIds => [PoorId, .. RealIds, .. BareIds];

    public static Contracts For(IReadOnlyCollection<Load> loads) => new(
        loads.Where(load => load is { Takes: Call.Report or Call.DryRun, IsBare: false }).Select(load => load.Contracts).Append(0).Max(),
        loads.Where(load => load is { Takes: Call.Report or Call.DryRun, IsBare: true }).Select(load => load.Contracts).Append(0).Max(),
        loads.Any(load => load.Takes is Call.Window),
        loads.Any(load => load.Takes is Call.Page));

    public static string IdOf(int number, bool isBare) => $"{(isBare ? 'b' : 'r')}{number:D5}";

    public static string ClientOf(string contractId) => $"client-{contractId}";

    public static string KeyOf(string contractId) => $"bench-key-of-{contractId}";

    public static string UserId(int number) => $"u{number}";

    public static string KnownPlayer(int number) => $"known{number:D11}";
}
