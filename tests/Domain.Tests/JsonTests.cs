using System.Text.Json;
using CreditGrains.Grains;
using Xunit;

namespace CreditGrains.Domain.Tests;

public sealed class JsonTests
{
    [Fact]
    public void Every_stored_type_is_read_as_it_was_written()
    {
        var charged = Charging.Decide(Given.Contract(Given.Lot("L1", 5)), Given.Facts(), Given.Report("ann", "bob"), Given.Day(1)).Value!;
        Same(Given.Terms);
        Same(Given.Terms with { EndsOn = null, UnallocatedLifetimeDays = null, Type = ContractType.Unlimited, CoverageFrom = CoverageFrom.Creation });
        Same(Given.Terms with { BillingCycle = new(RecurrenceUnit.Month, 2, new(2026, 1, 31), 10) });
        Same(charged.Answer);
        Same(charged.Changes.Lots.Single().Lot);
        Same(Given.Lot("L1", 5, until: null));
        Same(charged.Changes.Credits.First().Credit);
        Same(charged.Changes.Entries.Single());
        Same(charged.Changes.Players.First().Player);
        Same(Given.Report("ann") with { Key = new("k", "f") });
        Same(new Member("anna", "Anna \"Bé\" <b>", Assigned: true));
        Same(new User("acme", "anna", Disabled: true, Given.Day(1), 3));
        Same(new KeyedRequest("acme", "k", "f", "L1"));
        Same(new UndoneReport("R1", "acme", "C1", "anna", Given.Day(1), new(Given.Day(1), [new("ann", "C1~L1~000000001", null)]), [new("bob", "C1~L1~000000002", Given.Day(1), null)]));
        Same(new Refusal(RefusalCode.InsufficientContractCredits, "none", Amounts: new(3, null, 2, Given.Day(1), Given.Day(1))));
        Same(Refusal.Invalid("name", "is missing"));
        Same(new Refusal(RefusalCode.InsufficientServicesCredits, "none", Services: new("EUR", 3.5m, 0.0001m)));
        Same(new AccountDocument(Given.Account().Terms, 7));
        Same(Given.Purchase("P1", 12.5m));
        Same(new Project("J1", "acme", "A1", "EUR", 2, 3));
        Same(Given.Milestone("M1", 5.25m) with { ActualDate = new(2026, 1, 2), Holdings = [new("P1", 5.25m)] });
        Same(new Consumption("A1", 3, ConsumptionKind.Adjustment, "P1", null, "EUR", -0.5m, new(2026, 1, 2), Given.Day(1)));
        Same(ServicesSettings.Default);
        Same(Runs.UpTo(3));
        Same(new CreditId("C1", "L1", 7));
        Same(Given.At("2026-01-02T03:04:05.123456Z"));
    }

    [Fact]
    public void What_is_stored_stays_readable() => Assert.Equal(
        """{"contractId":"C1","clientId":"acme","name":"Acme 2026","type":"metered","timeZone":"UTC","startsOn":"2026-01-01","endsOn":"2026-12-31","unallocatedLifetimeDays":30,"coverageDays":30,"coverageFrom":"activation","voidMinutes":0}""",
        Json.Write(Given.Terms));

    [Theory]
    [InlineData(CreditStatus.Unallocated, "\"UNALLOCATED\"")]
    [InlineData(CreditStatus.Expired, "\"EXPIRED\"")]
    [InlineData(RefusalCode.InsufficientContractCredits, "\"insufficient-contract-credits\"")]
    [InlineData(EntryKind.LotSet, "\"lot-set\"")]
    public void Names_are_written_as_they_are_published(object value, string json) => Assert.Equal(json, JsonSerializer.Serialize(value, Json.Options));

    [Theory]
    [InlineData("""{"userId":"anna","name":"Anna","assigned":true,"rank":1}""", "an unknown field")]
    [InlineData("""{"userId":"anna","name":"Anna","assigned":true,"name":"Ben"}""", "a field twice")]
    [InlineData("""{"userId":"anna","name":"Anna","assigned":"true"}""", "a text for a switch")]
    [InlineData("null", "nothing")]
    public void What_is_not_understood_is_not_guessed(string json, string because)
    {
        Assert.NotEmpty(because);
        Assert.ThrowsAny<JsonException>(() => Json.Read<Member>(json));
    }

    [Theory]
    [InlineData("25.5000", "25.5")]
    [InlineData("100", "100")]
    [InlineData("1e2", "100")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("-3.10", "-3.1")]
    public void A_decimal_is_written_without_zeros_at_its_end(string read, string written) => Assert.Equal(written, Json.Write(Json.Read<decimal>(read)));

    [Theory]
    [InlineData("1.00000000000000000000000000001", "it would be rounded")]
    [InlineData("79228162514264337593543950336", "it is too large")]
    [InlineData("1e400", "it is far too large")]
    [InlineData("\"5\"", "a text")]
    public void A_decimal_is_read_exactly_or_not_at_all(string json, string because)
    {
        Assert.NotEmpty(because);
        Assert.ThrowsAny<JsonException>(() => Json.Read<decimal>(json));
    }

    [Theory]
    [InlineData("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00Z")]
    [InlineData("2025-12-31T18:29:59.1234567-05:30", "2025-12-31T23:59:59.123456Z")]
    [InlineData("2026-01-01t00:00:00z", "2026-01-01T00:00:00Z")]
    [InlineData("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00Z")]
    public void T1_an_instant_has_any_offset_and_is_written_in_UTC(string read, string written) =>
        Assert.Equal($"\"{written}\"", Json.Write(Json.Read<NodaTime.Instant>($"\"{read}\"")));

    [Fact]
    public void T1_instants_are_written_as_their_pattern_writes_them()
    {
        var some = NodaTime.Instant.FromUtc(2026, 3, 31, 12, 0, 1);
        NodaTime.Instant[] all =
        [
            some, some.PlusTicks(1), some.PlusTicks(10), some.PlusTicks(100_000), some.PlusTicks(1_234_560), some.PlusNanoseconds(1),
            NodaTime.Instant.MinValue, NodaTime.Instant.MaxValue, NodaTime.Instant.FromUtc(1, 1, 1, 0, 0),
            NodaTime.Instant.FromUtc(0, 12, 31, 0, 0).PlusTicks(7),
        ];
        Assert.All(all, instant => Assert.Equal($"\"{NodaTime.Text.InstantPattern.ExtendedIso.Format(instant)}\"", Json.Write(instant)));
    }

    [Theory]
    [InlineData("\"2026-01-01\"")]
    [InlineData("\"2026-01-01T24:00:00Z\"")]
    [InlineData("\"2026-01-01T00:00:00,5Z\"")]
    [InlineData("\"2026-01-01T00:00:00+1:00\"")]
    [InlineData("\"2026-01-01T00:00:00\"")]
    [InlineData("\"2026-01-01T00:00:00Z\\n\"")]
    [InlineData("1767225600")]
    public void T1_nothing_else_is_an_instant(string json) => Assert.Throws<JsonException>(() => Json.Read<NodaTime.Instant>(json));

    [Theory]
    [InlineData("7", 7)]
    [InlineData("7.0", 7)]
    [InlineData("-1e3", -1_000)]
    [InlineData("2.147483647E9", int.MaxValue)]
    public void A_number_without_a_fraction_is_whole(string json, int number)
    {
        Assert.Equal(number, Json.Read<int>(json));
        Assert.Equal(number, Json.Read<long>(json));
    }

    [Theory]
    [InlineData("7.5")]
    [InlineData("1e-1")]
    [InlineData("2147483648")]
    [InlineData("1e99")]
    [InlineData("\"7\"")]
    [InlineData("null")]
    public void Nothing_else_is_a_whole_number(string json) => Assert.ThrowsAny<JsonException>(() => Json.Read<int>(json));

    private static void Same<T>(T value) => Assert.Equal(Json.Write(value), Json.Write(Json.Read<T>(Json.Write(value))));
}
