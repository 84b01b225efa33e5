using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class ChangesTests
{
    private static readonly Guard Ann = new(RowKey.Player("acme", "ann"), 1), Bob = new(RowKey.Player("acme", "bob"), 0);

    private static readonly Changes Lot = [new LotChange("C1", "acme", Given.Lot("L1", 5))], Credit = [new CreditChange(Given.Credit("ann", until: 20), 0)];

    [Fact]
    public void Two_are_one_the_first_before_the_second_with_the_guards_of_both()
    {
        var both = Lot.RestingOn(Ann) + Credit.RestingOn(Bob);
        Assert.Equal([.. Lot, .. Credit], both);
        Assert.Equal([Ann, Bob], both.Guards);
    }

    [Fact]
    public void Nothing_adds_nothing()
    {
        Assert.Same(Lot, Lot + Changes.None);
        Assert.Same(Lot, Changes.None + Lot);
        Assert.True((Changes.None + Changes.None).IsNothing);
        Assert.Same(Changes.None, Changes.Of([]));
    }

    [Fact]
    public void Guards_alone_change_no_row_but_are_something_to_prove()
    {
        var proof = Changes.None.RestingOn(Ann);
        Assert.Empty(proof);
        Assert.False(proof.IsNothing);
        Assert.Equal([Ann], (Changes.None + proof).Guards);
        Assert.Equal([Ann, Bob], proof.RestingOn(Bob).Guards);
    }

    [Fact]
    public void Each_kind_is_found_among_them()
    {
        var changes = Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Facts(), Given.Report("ann") with { Key = new("k", "f") }, Given.Day(1)).Value!.Changes;
        Assert.Equal(
            changes,
            [.. changes.Lots, .. changes.Members, .. changes.Players, .. changes.Credits, .. changes.Endings, .. changes.Ended, .. changes.ReportChanges, .. changes.Documents, .. changes.Entries]);
    }

    // Were it open, a change of a kind that no store writes could be made elsewhere.
    [Fact]
    public void The_set_is_closed_and_every_kind_can_be_visited() => Assert.Equal(
        typeof(Change).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Change))).Order(ByName),
        typeof(IChangeVisitor).GetMethods().Select(visit => visit.GetParameters().Single().ParameterType).Order(ByName));

    [Fact]
    public void No_two_kinds_of_rows_share_a_key()
    {
        RowKey[] rows =
        [
            RowKey.Document("contract", "x"), RowKey.Lot("x", Given.Lot("x", 1)), RowKey.Lot("x", Given.Lot("x", 1) with { Apart = 1 }), RowKey.Member("x", "x"), RowKey.User("x", "x"),
            RowKey.Player("x", "x"), RowKey.Credit(new("x", "x", 1)), EndingKey.Of(Given.Credit("x", 1))!.Value.Row, RowKey.Ended("x", "x"), RowKey.Report("x", "x"), RowKey.Purchase("x", "x"), RowKey.Project("x"), RowKey.Milestone("x"), RowKey.Consumption("x", 1),
        ];
        Assert.Distinct(rows);
        Assert.Equal(Enum.GetValues<RowKind>(), rows.Select(row => row.Kind).Distinct().Order());
    }

    private static readonly Comparer<Type> ByName = Comparer<Type>.Create((one, other) => string.CompareOrdinal(one.Name, other.Name));
}
