using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class AccountAuditTests
{
    // 10 bought: 4 allocated, of which 1 came back, and 2 expired.
    private static readonly PurchaseAuditFacts Bought = new(
        "P1", Given.Purchase("P1", 10) with { Free = 5, Allocated = 3, Expired = 2 }, Held: 3,
        Bought: 10, Allocated: 4, Returned: 1, Expired: 2, RecordedAllocated: 3, RecordedExpired: 2);

    private static readonly HoldingAuditFacts Held = new("M1", "P1", Held: 3, Recorded: 3);

    public static TheoryData<string, PurchaseAuditFacts, HoldingAuditFacts> Wrong => new()
    {
        { "purchase:A1~P1 quantity 10 11, purchase:A1~P1 sum 11 10", Bought with { Purchase = Bought.Purchase! with { Quantity = 11 } }, Held },
        { "purchase:A1~P1 available 5 4, purchase:A1~P1 sum 10 9", Bought with { Purchase = Bought.Purchase! with { Free = 4 } }, Held },
        { "purchase:A1~P1 allocated 3 4, purchase:A1~P1 sum 10 11", Bought with { Purchase = Bought.Purchase! with { Allocated = 4 } }, Held },
        { "purchase:A1~P1 expired 2 1, purchase:A1~P1 sum 10 9", Bought with { Purchase = Bought.Purchase! with { Expired = 1 } }, Held },
        { "purchase:A1~P1 held 3 2.5", Bought with { Held = 2.5m }, Held },
        { "purchase:A1~P1 recordedAllocated 3 4", Bought with { RecordedAllocated = 4 }, Held },
        { "purchase:A1~P1 recordedExpired 2 0", Bought with { RecordedExpired = 0 }, Held },
        { "milestone:M1 P1 2.5 3", Bought, Held with { Recorded = 2.5m } },
    };

    [Fact]
    public void G2_books_that_balance_say_so()
    {
        var dollars = Bought with { PurchaseId = "P2", Purchase = Bought.Purchase! with { PurchaseId = "P2", Currency = "USD" } };
        var audit = AccountAudit.Of("A1", [dollars, Bought, Bought with { PurchaseId = "P3" }], [Held]);
        Assert.True(audit.Balanced);
        Assert.Equal([new("EUR", 20, 10, 6, 4), new("USD", 10, 5, 3, 2)], audit.Currencies);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void G2_every_number_that_differs_is_named(string differences, PurchaseAuditFacts purchase, HoldingAuditFacts holding)
    {
        var audit = AccountAudit.Of("A1", [purchase], [holding]);
        Assert.False(audit.Balanced);
        Assert.Equal(differences, string.Join(", ", audit.Differences.Select(found => FormattableString.Invariant($"{found.Subject} {found.What} {found.FromEntries} {found.FromState}"))));
    }
}
