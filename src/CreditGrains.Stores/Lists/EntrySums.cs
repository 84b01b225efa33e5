using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Stores;

/// <summary>What some entries of one kind, lot, user and right add up to, in credits.</summary>
/// <param name="IsLater">Whether they took effect at or after the instant that tells them apart.</param>
/// <param name="Entries">How many there are.</param>
internal readonly record struct EntrySum(EntryKind Kind, string? LotId, string? UserId, string? UsedOf, bool IsLater, long Quantity, long Entries);

/// <summary>What a contract's entries of one kind about one lot add up to, in credits.</summary>
internal readonly record struct LotSum(string LotId, EntryKind Kind, long Quantity);

/// <summary>What a contract's entries of one kind and right about one user add up to, in credits.</summary>
internal readonly record struct UserSum(string UserId, EntryKind Kind, string? UsedOf, long Quantity);

/// <summary>What a contract's entries add up to by lot, and by user, in credits; an entry with both counts in both.</summary>
/// <param name="Lots">One a lot and kind.</param>
/// <param name="Users">One a user, kind and right, of <see cref="AboutUsers"/>.</param>
internal sealed record EntrySums(ImmutableArray<LotSum> Lots, ImmutableArray<UserSum> Users)
{
    public static readonly EntrySums None = new([], []);

    // The kinds of entries that are about what users may use, or have used.
    private static readonly ImmutableArray<EntryKind> AboutUsers = [EntryKind.CreditsCharged, EntryKind.CreditsReturned, EntryKind.ExtraGranted];

    /// <summary>How many sums there are.</summary>
    public int Count => Lots.Length + Users.Length;

    /// <summary>These sums and those of more entries.</summary>
    public EntrySums Plus(IEnumerable<EntrySum> added)
    {
        var sums = added.ToList();
        var lots = sums.Where(sum => sum.LotId is not null).Select(sum => new LotSum(sum.LotId!, sum.Kind, sum.Quantity));
        var users = sums.Where(sum => sum.UserId is not null && AboutUsers.Contains(sum.Kind))
            .Select(sum => new UserSum(sum.UserId!, sum.Kind, sum.UsedOf, sum.Quantity));
        return new(
            [.. Lots.Concat(lots).GroupBy(sum => sum with { Quantity = 0 }).Select(same => same.Key with { Quantity = same.Sum(sum => sum.Quantity) })],
            Together(Users.Concat(users)));
    }

    /// <summary>What users have used: charged less returned, by user id.</summary>
    public IEnumerable<UserTotal> UserTotals() => Users.Where(sum => sum.Kind != EntryKind.ExtraGranted)
        .GroupBy(sum => sum.UserId).OrderBy(user => user.Key, StringComparer.Ordinal)
        .Select(user => new UserTotal(user.Key, user.Sum(sum => sum.Kind == EntryKind.CreditsCharged ? sum.Quantity : -sum.Quantity)));

    /// <summary>These sums with those of a user's past cycles together: no state tells of them any more, and there may be one a day.</summary>
    public EntrySums WithoutPastCycles()
    {
        var last = Users.GroupBy(sum => sum.UserId).ToDictionary(user => user.Key, user => user.Max(sum => CycleKey.Read(sum.UsedOf)));
        return this with { Users = Together(Users.Select(sum => IsPast(sum) ? sum with { UsedOf = null } : sum)) };

        bool IsPast(UserSum sum) => CycleKey.Read(sum.UsedOf) is { } cycle && cycle != last[sum.UserId];
    }

    /// <summary>The sums that differ from those that should be the same.</summary>
    public IEnumerable<Difference> DifferencesFrom(EntrySums entries, string subject) =>
        Differing(entries.Lots, Lots, sum => $"lot:{sum.LotId} {sum.Kind.Word()}", sum => sum.Quantity)
        .Concat(Differing(entries.Users, Users, sum => $"user:{sum.UserId} {sum.Kind.Word()} {sum.UsedOf}".TrimEnd(), sum => sum.Quantity))
        .Select(one => new Difference(subject, one.Name, one.Entries, one.Here));

    private static ImmutableArray<UserSum> Together(IEnumerable<UserSum> sums) =>
        [.. sums.GroupBy(sum => sum with { Quantity = 0 }).Select(same => same.Key with { Quantity = same.Sum(sum => sum.Quantity) })];

    private static IEnumerable<(string Name, long Entries, long Here)> Differing<T>(
        IEnumerable<T> entries, IEnumerable<T> here, Func<T, string> name, Func<T, long> quantity)
    {
        var (theirs, ours) = (entries.ToDictionary(name, quantity), here.ToDictionary(name, quantity));
        return theirs.Keys.Union(ours.Keys).Order(StringComparer.Ordinal)
            .Select(key => (key, theirs.GetValueOrDefault(key), ours.GetValueOrDefault(key))).Where(one => one.Item2 != one.Item3);
    }
}

/// <summary>The sums of a contract's entries: those of a checkpoint, if there is one, and those of the entries that are added to them.</summary>
internal sealed record ToldSums(Checkpoint? Checkpoint, IReadOnlyCollection<EntrySum> Added)
{
    public EntrySums All => (Checkpoint?.Sums ?? EntrySums.None).Plus(Added);

    /// <summary>Without the entries that are later than what tells them apart.</summary>
    public ToldSums Before => this with { Added = [.. Added.Where(sum => !sum.IsLater)] };

    /// <summary>How many entries were added up.</summary>
    public long Entries => Added.Sum(sum => sum.Entries);
}

/// <summary>What is made of the sums of entries.</summary>
internal interface IToldSums
{
    ToldSums Told { get; }
}
