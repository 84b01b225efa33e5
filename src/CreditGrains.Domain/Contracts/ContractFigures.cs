using NodaTime;

namespace CreditGrains.Domain;

/// <summary>Where a contract stands: before its first day, within its days, or after its last (C1).</summary>
public enum ContractState { Coming, Running, Over }

/// <summary>How fast a contract's credits are used (C4).</summary>
/// <param name="CreditsPerDay">Credits a day over the last 30 days, to two places.</param>
/// <param name="RunsOutOn">
/// The local date on which the pool no longer has a day's credits at that rate, known expiries and renewals counted; null: not within the contract or
/// two years.
/// </param>
public sealed record Burn(decimal CreditsPerDay, LocalDate? RunsOutOn);

/// <summary>What lists of contracts say of each (C4), in credits.</summary>
/// <param name="Remaining">What a draw could take now (L2); null: no limit.</param>
/// <param name="Used">All that its users have used.</param>
/// <param name="Users">How many are assigned.</param>
public sealed record ContractFigures(ContractState State, long? Remaining, long Used, long Users, Burn Burn)
{
    private const int DaysLately = 30;

    /// <summary>The time over which the burn is taken.</summary>
    public static readonly Duration Lately = Duration.FromDays(DaysLately);

    /// <param name="usedLately">Credits used in the last 30 days.</param>
    public static ContractFigures Of(Contract contract, long users, long used, long usedLately, Instant now)
    {
        var at = Instant.Max(now, contract.AsOf);
        var (rolled, passed) = contract.RollForward(at);
        var back = passed.Entries.Where(entry => entry.Kind == EntryKind.CreditsReturned).Sum(entry => entry.Quantity);
        var burned = Math.Max(0, usedLately - back);
        return new(
            contract.Terms.StateAt(now), rolled.RemainingAt(at), used - back, users,
            new(Math.Round((decimal)burned / DaysLately, 2, MidpointRounding.AwayFromZero), RunningOut.DateAt(rolled, burned, DaysLately, at)));
    }
}
