using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class CreditIdTests
{
    [Theory]
    [InlineData("C1~L1~000000001", "C1", "L1", 1)]
    [InlineData("a.b:c~2026-01~999999999", "a.b:c", "2026-01", 999_999_999)]
    public void P1_a_credits_id_is_its_contract_lot_and_ordinal(string text, string contract, string lot, long ordinal)
    {
        Assert.Equal(new CreditId(contract, lot, ordinal), CreditId.Parse(text));
        Assert.Equal(text, new CreditId(contract, lot, ordinal).ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("C1~L1")]
    [InlineData("C1~L1~1")]
    [InlineData("C1~L1~000000000")]
    [InlineData("C1~L1~-00000001")]
    [InlineData("C1~L1~+00000001")]
    [InlineData("C1~L1~0000000001")]
    [InlineData("C1~~000000001")]
    [InlineData("C/1~L1~000000001")]
    [InlineData("C1~L1~000000001~")]
    public void What_cannot_be_a_credits_id_is_told_from_one(string? text)
    {
        Assert.False(CreditId.TryParse(text, out _));
        Assert.Throws<FormatException>(() => CreditId.Parse(text!));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-Z_a.z:09", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("a b", false)]
    [InlineData("a~b", false)]
    [InlineData("a/b", false)]
    [InlineData("é", false)]
    public void Section3_ids_from_callers(string? id, bool valid) => Assert.Equal(valid, Ids.IsValid(id));

    [Fact]
    public void Section3_ids_from_callers_have_at_most_64_characters()
    {
        Assert.True(Ids.IsValid(new('x', 64)));
        Assert.False(Ids.IsValid(new('x', 65)));
    }

    [Fact]
    public void Composed_keys_are_read_as_they_were_written()
    {
        Assert.Equal(new("acme", "p1"), PlayerKey.Parse(new PlayerKey("acme", "p1").ToString()));
        Assert.Equal(new("acme", "R1"), ReportKey.Parse(new ReportKey("acme", "R1").ToString()));
        Assert.Equal(new("acme", "anna"), UserKey.Parse(new UserKey("acme", "anna").ToString()));
        Assert.Equal(new("C1", "anna"), AllocationKey.Parse(new AllocationKey("C1", "anna").ToString()));
        Assert.Throws<FormatException>(() => PlayerKey.Parse("acme"));
    }
}
