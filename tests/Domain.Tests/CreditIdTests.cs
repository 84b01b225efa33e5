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

    [Theory]
    [InlineData("anna@example.com", true)]
    [InlineData("N°", false)]
    [InlineData("Łukasz Müller", true)]
    [InlineData("日本 太郎", true)]
    [InlineData("กิตติ", true)]
    [InlineData("𠮷野#10", true)]
    [InlineData("team/a+b", true)]
    [InlineData("a  b", false)]
    [InlineData(" a", false)]
    [InlineData("a ", false)]
    [InlineData(" ", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("a\u00a0b", false)]
    [InlineData("a\u200bb", false)]
    [InlineData("a\nb", false)]
    [InlineData("a~b", false)]
    [InlineData("🎽", false)]
    [InlineData("\ud83c", false)]
    [InlineData("'; drop table lot", false)]
    public void Section3_external_ids_of_users_players_and_payments(string? id, bool valid) => Assert.Equal(valid, Ids.IsExternal(id));

    [Fact]
    public void An_external_id_is_counted_in_characters()
    {
        Assert.True(Ids.IsExternal(string.Concat(Enumerable.Repeat("𠮷", 64))));
        Assert.False(Ids.IsExternal(string.Concat(Enumerable.Repeat("𠮷", 65))));
        Assert.True(Ids.CanBeExternal(new('é', 200)));
        Assert.False(Ids.CanBeExternal(new('é', 201)));
    }

    [Fact]
    public void A_key_is_parted_at_its_first_slash()
    {
        Assert.Equal(new UserKey("acme", "team/a/b"), UserKey.Parse($"{new UserKey("acme", "team/a/b")}"));
        Assert.Equal(new AllocationKey("C1", "team/a"), AllocationKey.Parse($"{new AllocationKey("C1", "team/a")}"));
        Assert.Equal(new PlayerKey("acme", "p/1"), PlayerKey.Parse($"{new PlayerKey("acme", "p/1")}"));
    }

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
