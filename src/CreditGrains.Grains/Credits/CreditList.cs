using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A place in the list of credits: by creation, then id (P4).</summary>
public sealed record CreditPlace(Instant CreatedAt, CreditId Id) : IComparable<CreditPlace>
{
    private const string List = "credits";

    /// <summary>Reads a cursor; null: before the first. Throws <see cref="InvalidCursorException"/>.</summary>
    public static CreditPlace? Read(string? cursor)
    {
        if (cursor is null) return null;
        var parts = Cursor.Read(cursor, List, 2);
        return CreditId.TryParse(parts.Text(1), out var id) ? new(parts.Instant(0), id) : throw new InvalidCursorException();
    }

    internal string AsCursor() => Cursor.After(List, CreatedAt, Id);

    public int CompareTo(CreditPlace? other)
    {
        if (other is null) return 1;
        var byCreation = CreatedAt.CompareTo(other.CreatedAt);
        return byCreation != 0 ? byCreation : string.CompareOrdinal(Id.ToString(), other.Id.ToString());
    }
}

/// <summary>A lot with free credits: none of those has a row of its own.</summary>
public sealed record ListedLot(string ContractId, string ClientId, Lot Lot);

/// <summary>The list of credits (P4): a store finds those with rows and the lots of the others; this makes one list of both.</summary>
public static class CreditList
{
    /// <summary>Whether credits that nobody has touched can pass the filter: they have no player, no user, and are not allocated.</summary>
    public static bool ShowsUntouched(CreditFilter filter) => filter is { PlayerId: null, UserId: null, Status: not CreditStatus.Allocated };

    /// <summary>Whether minted credits can pass the filter: they are all of one lot and one payment by that name (C2).</summary>
    public static bool ShowsMinted(CreditFilter filter) => (filter.LotId ?? Lot.MintedId) == Lot.MintedId && (filter.PaymentId ?? Lot.MintedId) == Lot.MintedId;

    /// <summary>Whether the expiry of what passes the filter is booked, but for what is over and not booked yet; null: either.</summary>
    public static bool? IsBooked(CreditFilter filter) => filter.Status is null ? null : filter.Status is CreditStatus.Expired;

    /// <summary>One page. Each source is in the list's order, begins behind the page before, and has passed the filter; it is read no further than the page goes.</summary>
    public static Page<CreditDocument> Merge(int limit, params IEnumerable<IEnumerable<CreditDocument>> sources)
    {
        var next = sources.SelectMany(source => source.Take(limit + 1)).OrderBy(Place).Take(limit + 1).ToList();
        return new([.. next.Take(limit)], next.Count > limit ? Place(next[limit - 1]).AsCursor() : null);
    }

    /// <summary>A page with more credits among its own; those are in order, begin behind the page before, and are told once where the page has them, too.</summary>
    public static Page<CreditDocument> Add(Page<CreditDocument> page, int limit, IEnumerable<CreditDocument> more)
    {
        var all = page.Items.Concat(more.Take(limit + 1)).DistinctBy(credit => credit.CreditId).OrderBy(Place).ToList();
        return new([.. all.Take(limit)], all.Count > limit || page.Next is not null ? Place(all[Math.Min(limit, all.Count) - 1]).AsCursor() : null);
    }

    /// <summary>The untouched credits of lots that pass the filter, in the order of their creation and then of their credits' ids, from the lot of <paramref name="after"/> on.</summary>
    public static IEnumerable<CreditDocument> Untouched(IEnumerable<ListedLot> lots, CreditStatus? status, CreditPlace? after, Instant now) =>
        from listed in lots
        from ordinal in From(listed, after)
        let credit = CreditDocument.Untouched(listed.ClientId, new(listed.ContractId, listed.Lot.LotId, ordinal), listed.Lot, now)
        where (status is null || credit.Status == status) && Place(credit).CompareTo(after) > 0
        select credit;

    // A page may begin deep in a lot: what lies before is not gone through.
    private static IEnumerable<long> From(ListedLot listed, CreditPlace? after)
    {
        var first = after is not null && after.Id.ContractId == listed.ContractId && after.Id.LotId == listed.Lot.LotId ? after.Id.Ordinal + 1 : 1;
        return new Runs([.. listed.Lot.Free.Items.Where(run => run.Last >= first).Select(run => run with { First = Math.Max(run.First, first) })]).Ordinals();
    }

    private static CreditPlace Place(CreditDocument credit) => new(credit.CreatedAt, credit.CreditId);
}
