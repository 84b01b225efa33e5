using System.Collections.Immutable;

namespace CreditGrains.Domain;

/// <summary>The numbers of one lot from one snapshot of the store, in credits: of its state, and the sums of its entries.</summary>
/// <param name="Quantity">State: all credits of the lot.</param>
/// <param name="Free">State: unallocated, expiry not booked.</param>
/// <param name="ExpiredFree">State: expired unallocated, with the lot or apart from it, expiry booked.</param>
/// <param name="Allocated">State: allocated, end of coverage not booked.</param>
/// <param name="ExpiredAllocated">State: allocated, end of coverage booked.</param>
/// <param name="Granted">Entries: granted.</param>
/// <param name="Minted">Entries: minted.</param>
/// <param name="Charged">Entries: allocated to players.</param>
/// <param name="LotExpired">Entries: expired unallocated.</param>
/// <param name="CoverageExpired">Entries: expired allocated.</param>
/// <param name="Returned">Entries: returned to the lot.</param>
/// <param name="Withdrawn">State: taken back while unallocated.</param>
/// <param name="LotWithdrawn">Entries: taken back while unallocated.</param>
public sealed record LotFacts(
    string LotId, long Quantity, long Free, long ExpiredFree, long Allocated, long ExpiredAllocated,
    long Granted, long Minted, long Charged, long LotExpired, long CoverageExpired, long Returned = 0, long Withdrawn = 0, long LotWithdrawn = 0);

/// <summary>The numbers of one user of a contract from one snapshot of the store, in credits: of the state, and the sums of the entries and reports.</summary>
/// <param name="TotalUsed">State: all credits used.</param>
/// <param name="UsedInCycle">State: used of the last cycle that is booked.</param>
/// <param name="ExtraCredits">State: extra credits granted.</param>
/// <param name="ExtraUsed">State: extra credits used.</param>
/// <param name="Charged">Entries: all credits charged.</param>
/// <param name="ChargedOfCycle">Entries: charged of that cycle, minus given back.</param>
/// <param name="ChargedOfExtra">Entries: charged of extra credits, minus given back.</param>
/// <param name="ExtraGranted">Entries: extra credits granted.</param>
/// <param name="Reported">Reports: all credits charged.</param>
/// <param name="GivenBack">Entries: all credits given back.</param>
public sealed record UserFacts(
    string UserId, long TotalUsed, long UsedInCycle, long ExtraCredits, long ExtraUsed,
    long Charged, long ChargedOfCycle, long ChargedOfExtra, long ExtraGranted, long Reported, long GivenBack = 0);

/// <summary>One number in which state and entries differ.</summary>
public sealed record Difference(string Subject, string What, long FromEntries, long FromState);

/// <summary>Whether a contract's books balance (G2), and its totals in credits.</summary>
/// <param name="Checkpoint">
/// The entry up to which the sums of a checkpoint were taken: lots and users were compared, and what has become of allocated credits is the
/// entries' word unless the audit is full. null: every entry was added up, and every credit's and report's row was counted.
/// </param>
public sealed record Audit(
    string ContractId,
    bool Balanced,
    long Granted,
    long Minted,
    long Unallocated,
    long Allocated,
    long Expired,
    long Withdrawn,
    long Used,
    long? Checkpoint,
    ImmutableArray<Difference> Differences)
{
    /// <summary>Recomputes the state from the entries and compares both (G2).</summary>
    /// <param name="checkpoints">In what checkpoints differ from the entries.</param>
    public static Audit Of(
        string contractId, IReadOnlyCollection<LotFacts> lots, IReadOnlyCollection<UserFacts> users, long? checkpoint = null,
        params ImmutableArray<Difference> checkpoints)
    {
        var differences = lots.SelectMany(Compare).Concat(users.SelectMany(Compare)).Concat(checkpoints).ToImmutableArray();
        return new(
            contractId,
            differences.IsEmpty,
            lots.Sum(lot => lot.Granted),
            lots.Sum(lot => lot.Minted),
            lots.Sum(lot => lot.Free),
            lots.Sum(lot => lot.Allocated),
            lots.Sum(lot => lot.ExpiredFree + lot.ExpiredAllocated),
            lots.Sum(lot => lot.Withdrawn),
            users.Sum(user => user.TotalUsed),
            checkpoint,
            differences);
    }

    private static IEnumerable<Difference> Compare(LotFacts lot) => new Difference[]
    {
        new($"lot:{lot.LotId}", "quantity", lot.Granted + lot.Minted, lot.Quantity),
        new($"lot:{lot.LotId}", "unallocated", lot.Granted + lot.Minted - lot.Charged + lot.Returned - lot.LotExpired - lot.LotWithdrawn, lot.Free),
        new($"lot:{lot.LotId}", "allocated", lot.Charged - lot.Returned - lot.CoverageExpired, lot.Allocated),
        new($"lot:{lot.LotId}", "expired", lot.LotExpired + lot.CoverageExpired, lot.ExpiredFree + lot.ExpiredAllocated),
        new($"lot:{lot.LotId}", "withdrawn", lot.LotWithdrawn, lot.Withdrawn),
        new($"lot:{lot.LotId}", "sum", lot.Quantity, lot.Free + lot.ExpiredFree + lot.Allocated + lot.ExpiredAllocated + lot.Withdrawn),
    }.Where(difference => difference.FromEntries != difference.FromState);

    private static IEnumerable<Difference> Compare(UserFacts user) => new Difference[]
    {
        new($"user:{user.UserId}", "totalUsed", user.Charged - user.GivenBack, user.TotalUsed),
        new($"user:{user.UserId}", "usedInCycle", user.ChargedOfCycle, user.UsedInCycle),
        new($"user:{user.UserId}", "extraCredits", user.ExtraGranted, user.ExtraCredits),
        new($"user:{user.UserId}", "extraUsed", user.ChargedOfExtra, user.ExtraUsed),
        new($"user:{user.UserId}", "reported", user.Charged, user.Reported),
    }.Where(difference => difference.FromEntries != difference.FromState);
}
