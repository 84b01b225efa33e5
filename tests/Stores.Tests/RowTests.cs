using System.Collections.Immutable;
using System.Reflection;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Tests;

/// <summary>Each row's description says all that its change says, and reads back what it writes.</summary>
public sealed class RowTests
{
    // What a change carries that is another row's to say, or is made from the rest.
    private static readonly ImmutableHashSet<string> OtherRows = ["Member.Name", "Member.Disabled", "Member.UserVersion", "Credit.IsLapsed", "Consumption.TimeZone"];

    // What is read back is the row alone, not what its readers know already.
    private static readonly ImmutableHashSet<string> NotReadBack =
        ["MemberChange.ContractId", "MemberChange.ClientId", "MemberChange.DueAt", "PurchaseChange.AccountId", "PurchaseChange.ClientId"];

    [Fact]
    public void Every_property_of_a_change_is_written_and_read_back()
    {
        Each(DocumentRow.Instance, Samples.Document, Samples.AsRead);
        Each(LotRow.Instance, Samples.Lot, change => new ListedLot(change.ContractId, change.ClientId, change.Lot));
        Each(MemberRow.Instance, Samples.Member, change => change.Member);
        Each(UserRow.Instance, Samples.User, change => change.User);
        Each(PlayerRow.Instance, Samples.Player, change => change.Player);
        Each(CreditRow.Instance, Samples.Credit, change => change.Credit);
        Each(EndingRow.Instance, Samples.Ending, change => change.Ending);
        Each(ReportRow.Instance, Samples.Report.Made(), change => change.Report);
        Each(PurchaseRow.Instance, Samples.Purchase, change => change.Purchase);
        Each(ProjectRow.Instance, Samples.Project, change => change.Project);
        Each(MilestoneRow.Instance, Samples.Milestone, change => change.Milestone);
        Each(ConsumptionRow.Instance, Samples.Consumption, booked => booked);
        Each(
            Samples.Entry, entry => Written(EntryRow.Columns, entry), entry => entry,
            values => EntryRow.Read(new Values([1L, .. values])).Entry);
    }

    [Fact]
    public void A_property_that_a_description_forgets_is_noticed()
    {
        var index = PlayerRow.Instance.Columns.IndexOf(PlayerRow.Instance.Columns.Single(column => column.Name == "covers_until"));
        var constant = new Columns<PlayerChange>(ColumnRole.Set).Instant("covers_until", _ => Samples.Day(30));
        var without = PlayerRow.Instance.Columns.SetItem(index, constant);
        var forgotten = Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Each(
            Samples.Player, change => [.. Written(PlayerRow.Instance.Key, change.Player.Row), .. Written(without, change)],
            change => change.Player,
            values => PlayerRow.Instance.Read(new Values(values))));
        Assert.Contains("Player.CoversUntil", forgotten.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_of_row_has_a_description_of_its_own()
    {
        var kinds = Enum.GetValues<RowKind>();
        Assert.Equal(kinds, kinds.Select(kind => Row.Of(kind).Kind));
        Assert.Equal(kinds.Length, kinds.Select(kind => Row.Of(kind).Table).Distinct().Count());
        Assert.Equal(kinds.Length, kinds.Select(kind => Row.Of(kind).Alias).Distinct().Count());
    }

    [Fact]
    public void Changes_are_in_one_order_of_kinds_and_within_a_kind_by_key_whatever_the_order_of_commits()
    {
        var players =
            new[] { "b", "B", "a", "~", "a1" }.Select(id => Samples.Player with { Player = Samples.Player.Player with { PlayerId = id } })
            .ToList();
        var sorted = new SortedChanges(
            new Commit("acme", [Samples.Report.Made(), players[0], players[1], Samples.Entry]),
            new Commit("acme", [players[2], Samples.Entry with { Quantity = 8 }, Samples.Document, players[3], players[4]]));

        var order = new Order();
        foreach (var kind in sorted.Kinds) kind.Accept(order);
        Assert.Equal(["Document T", "Player B", "Player a", "Player a1", "Player b", "Player ~", "Report R"], order.Seen);
        Assert.Equal([(0, 7L), (1, 8L)], sorted.Entries.Select(entry => (entry.Commit, entry.Entry.Quantity)));
    }

    private sealed class Order : IRowChangesVisitor
    {
        public List<string> Seen { get; } = [];

        public void Visit<TChange>(RowChanges<TChange> changes) where TChange : Change =>
            Seen.AddRange(changes.Inserts.Select(insert => $"{insert.Key.Kind} {insert.Key.Second}"));
    }

    private static void Each<TChange, TRow>(Row<TChange, TRow> row, TChange change, Func<TChange, object> read) where TChange : Change => Each(
        change, one => [.. Written(row.Key, row.KeyOf(one)), .. Written(row.Columns, one), row.Expected(one), row.IsGone(one)], read,
        values =>
        {
            // The user's own row is joined to a member's.
            var reader = new Values([.. values[..^2], "", false, null, null, 0L]);
            var back = row.Read(reader);
            Assert.Equal(values.Length - 2 + (row is MemberRow ? 5 : 0), reader.Count);
            return back!;
        });

    private static void Each<TChange>(TChange change, Func<TChange, object?[]> write, Func<TChange, object> expected,
        Func<object?[], object> read) where TChange : class
    {
        var written = write(change);
        Assert.Equal(Json.Write(expected(change)), Json.Write(read(written)));
        var count = 0;
        foreach (var (path, other) in Variations.Of(change))
        {
            if (OtherRows.Contains(path)) continue;
            count++;
            var values = write(other);
            Assert.False(values.SequenceEqual(written), $"{path} is not written");
            if (!NotReadBack.Contains(path))
                Assert.True(Json.Write(expected(other)) == Json.Write(read(values)), $"{path} is not read back");
        }
        Assert.InRange(count, 4, 100);
    }

    private static object?[] Written<TSource>(ImmutableArray<Column<TSource>> columns, TSource source) =>
        [.. columns.Select(column => column.Value(source))];

    // Values as a row of a result.
    private sealed class Values(object?[] values) : IRowReader
    {
        public int Count { get; private set; }

        public string Text() => (string)values[Count++]!;

        public string? OptionalText() => (string?)values[Count++];

        public long Number() => (long)values[Count++]!;

        public long? OptionalNumber() => (long?)values[Count++];

        public bool Flag() => (bool)values[Count++]!;

        public Instant Instant() => (Instant)values[Count++]!;

        public Instant? OptionalInstant() => (Instant?)values[Count++];

        public LocalDate Date() => (LocalDate)values[Count++]!;

        public LocalDate? OptionalDate() => (LocalDate?)values[Count++];
    }
}

/// <summary>Copies of a record, each with another value in one place, however deep.</summary>
internal static class Variations
{
    public static IEnumerable<(string Path, T Other)> Of<T>(T record) where T : class =>
        Of(record, record.GetType()).Select(variation => (variation.Path, (T)variation.Other));

    private static IEnumerable<(string Path, object Other)> Of(object record, Type type)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null))
        {
            var value = property.GetValue(record);
            var of = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            foreach (var (path, other) in Others(value, of))
                yield return (path ?? $"{type.Name}.{property.Name}", With(record, property, other));
        }
    }

    private static IEnumerable<(string? Path, object? Other)> Others(object? value, Type type)
    {
        if (Another(value, type) is { } other) yield return (null, other);
        else if (value is not null)
            foreach (var (path, inner) in Of(value, type)) yield return (path, inner);
    }

    // Null: it has parts that vary.
    private static object? Another(object? value, Type type) => value switch
    {
        _ when type == typeof(string) => $"{value}x",
        _ when type == typeof(long) => (long)(value ?? 0L) + 100,
        _ when type == typeof(int) => (int)(value ?? 0) + 100,
        _ when type == typeof(bool) => !(bool)(value ?? false),
        _ when type == typeof(decimal) => (decimal)(value ?? 0m) + 1.0001m,
        _ when type == typeof(Instant) => ((Instant?)value ?? Samples.Now) + Duration.FromSeconds(1),
        _ when type == typeof(LocalDate) => ((LocalDate?)value ?? new(2026, 1, 1)).PlusDays(1),
        _ when type == typeof(Runs) => Runs.Parse("7-9"),
        _ when type.IsEnum => Enum.GetValues(type).Cast<object>().First(other => !other.Equals(value)),
        _ when type == typeof(RenewalDay) => RenewalDay.Of(IsoDayOfWeek.Friday),
        _ when type == typeof(ImmutableArray<PlayerOutcome>) =>
            ImmutableArray.Create(new PlayerOutcome("X", PlayerCharge.New, "C~L~000000009", Samples.Day(3))),
        _ when type == typeof(ImmutableArray<GivenBack>) => ImmutableArray.Create(new GivenBack("X", "C~L~000000009", Samples.Day(3), "why")),
        _ when type == typeof(ImmutableArray<CapturedCredit>) => ImmutableArray.Create(new CapturedCredit("X", "C~L~000000009", null)),
        _ when type == typeof(ImmutableArray<Holding>) => ImmutableArray.Create(new Holding("X", 1.5m)),
        _ => null,
    };

    private static object With(object record, PropertyInfo property, object? value)
    {
        var copy = record.GetType().GetMethod("<Clone>$") is { } clone ? clone.Invoke(record, null)! : record;
        property.SetValue(copy, value);
        return copy;
    }
}
