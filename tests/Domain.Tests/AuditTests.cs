using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class AuditTests
{
    // 105 granted, 5 withdrawn, 30 charged, of which 10 are over; of the rest all expired with the lot.
    private static readonly LotFacts Over = new(
        "L1", Quantity: 105, Free: 0, ExpiredFree: 70, Allocated: 20, ExpiredAllocated: 10,
        Granted: 105, Minted: 0, Charged: 30, LotExpired: 70, CoverageExpired: 10, Withdrawn: 5, LotWithdrawn: 5);

    private static readonly UserFacts Anna = new(
        "anna", TotalUsed: 30, UsedInCycle: 10, ExtraCredits: 8, ExtraUsed: 5, Charged: 30, ChargedOfCycle: 10, ChargedOfExtra: 5, ExtraGranted: 8, Reported: 30);

    public static TheoryData<string, LotFacts, UserFacts> Wrong => new()
    {
        { "lot:L1 quantity", Over with { Quantity = 101 }, Anna },
        { "lot:L1 withdrawn", Over with { Withdrawn = 4 }, Anna },
        { "lot:L1 withdrawn", Over with { LotWithdrawn = 6 }, Anna },
        { "lot:L1 unallocated", Over with { Free = 1 }, Anna },
        { "lot:L1 allocated", Over with { Allocated = 19 }, Anna },
        { "lot:L1 expired", Over with { ExpiredFree = 69 }, Anna },
        { "lot:L1 allocated", Over with { Charged = 31 }, Anna },
        { "lot:L1 allocated", Over with { Returned = 1 }, Anna },
        { "user:anna totalUsed", Over, Anna with { GivenBack = 1 } },
        { "user:anna totalUsed", Over, Anna with { TotalUsed = 29 } },
        { "user:anna usedInCycle", Over, Anna with { UsedInCycle = 11 } },
        { "user:anna extraCredits", Over, Anna with { ExtraCredits = 9 } },
        { "user:anna extraUsed", Over, Anna with { ExtraUsed = 6 } },
        { "user:anna reported", Over, Anna with { Reported = 31 } },
    };

    [Fact]
    public void G2_books_that_balance_say_so()
    {
        var audit = Audit.Of("C1", [Over, Over with { LotId = "L2" }], [Anna, Anna with { UserId = "ben" }]);
        Assert.True(audit.Balanced);
        Assert.Equal((210, 0, 0, 40, 160, 10, 60), (audit.Granted, audit.Minted, audit.Unallocated, audit.Allocated, audit.Expired, audit.Withdrawn, audit.Used));
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void G2_a_number_that_the_entries_do_not_make_is_named(string what, LotFacts lot, UserFacts user)
    {
        var audit = Audit.Of("C1", [lot], [user]);
        Assert.False(audit.Balanced);
        Assert.Contains(what, audit.Differences.Select(difference => $"{difference.Subject} {difference.What}"));
    }
}
