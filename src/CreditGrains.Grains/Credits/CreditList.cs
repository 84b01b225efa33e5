using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A place in the list of credits: by creation, then id (P4).</summary>
public sealed record CreditPlace(Instant CreatedAt, CreditId Id) : IPlace<CreditPlace>
{
    private const string List = "credits";

    /// <summary>Reads where a page begins; throws <see cref="InvalidCursorException"/>.</summary>
    public static PlacedPage<CreditPlace> Read(PageRequest page)
    {
        if (page.Read(List, 2) is not { } parts) return new(page, null);
        return CreditId.TryParse(parts.Text(1), out var id) ? new(page, new(parts.Instant(0), id)) : throw new InvalidCursorException();
    }

    public static CreditPlace Of(CreditDocument credit) => new(credit.CreatedAt, credit.CreditId);

    public string AsCursor(PageRequest page) => page.Behind(List, CreatedAt, Id);

    public int CompareTo(CreditPlace? other)
    {
        if (other is null) return 1;
        var byCreation = CreatedAt.CompareTo(other.CreatedAt);
        return byCreation != 0 ? byCreation : string.CompareOrdinal(Id.ToString(), other.Id.ToString());
    }
}

/// <summary>A lot with free or withdrawn credits: none of those has a row of its own.</summary>
public sealed record ListedLot(string ContractId, string ClientId, Lot Lot);

/// <summary>The list of credits (P4): a store finds those with rows and the lots of the others; this makes one list of both.</summary>
public static class CreditList
{
    /// <summary>Whether credits that nobody has touched can pass the filter: they have no player, no user, and are not allocated.</summary>
    public static bool ShowsUntouched(CreditFilter filter) => filter is { PlayerId: null, UserId: null, Status: not CreditStatus.Allocated }
        && (filter.Status is not CreditStatus.Withdrawn || filter.PassesExpiry(null));

    /// <summary>Whether credits with a row can pass the filter: what is unallocated or withdrawn lies in its lot, or apart from it.</summary>
    public static bool ShowsTouched(CreditFilter filter) => filter.Status is not (CreditStatus.Unallocated or CreditStatus.Withdrawn);

    /// <summary>The condition for lots of which untouched credits can pass the filter.</summary>
    public static string UntouchedIn(CreditFilter filter, string hasFree, string hasWithdrawn) =>
        filter.Status is null && filter.PassesExpiry(null) ? $"({hasFree} or {hasWithdrawn})"
        : filter.Status is CreditStatus.Withdrawn ? hasWithdrawn
        : hasFree;

    /// <summary>Whether minted credits can pass the filter: they are all of one lot and one payment by that name (C2).</summary>
    public static bool ShowsMinted(CreditFilter filter) => (filter.LotId ?? Lot.MintedId) == Lot.MintedId && (filter.PaymentId ?? Lot.MintedId) == Lot.MintedId;

    /// <summary>One page. Each source is in the list's order, begins behind the page before, and has passed the filter; it is read no further than the page goes.</summary>
    public static Page<CreditDocument> Merge(PlacedPage<CreditPlace> page, params IEnumerable<IEnumerable<CreditDocument>> sources) =>
        page.Cut([.. page.Sort(sources.SelectMany(source => source.Take(page.Limit + 1)), CreditPlace.Of).Take(page.Limit + 1)], CreditPlace.Of);

    /// <summary>
    /// The untouched credits of lots that pass the filter. The lots are in the list's order, by creation and then by their credits' ids, from that on where
    /// the page begins.
    /// </summary>
    public static IEnumerable<CreditDocument> Untouched(IEnumerable<ListedLot> lots, CreditFilter filter, PlacedPage<CreditPlace> page, Instant now) =>
        from listed in lots
        from ordinal in From(listed, filter.Status, page)
        let credit = CreditDocument.Untouched(listed.ClientId, new(listed.ContractId, listed.Lot.LotId, ordinal), listed.Lot, now)
        where (filter.Status ?? credit.Status) == credit.Status && filter.PassesExpiry(credit.ExpiresAt) && page.IsBehind(CreditPlace.Of(credit))
        select credit;

    // A page may begin deep in a lot: what lies before is not gone through.
    private static IEnumerable<long> From(ListedLot listed, CreditStatus? status, PlacedPage<CreditPlace> page)
    {
        var (free, withdrawn) = (listed.Lot.Free, listed.Lot.Withdrawn);
        var lying = status is null ? free.With(withdrawn) : status is CreditStatus.Withdrawn ? withdrawn : free;
        var last = page.After is { Id: var id } && id.ContractId == listed.ContractId && id.LotId == listed.Lot.LotId ? id.Ordinal : (long?)null;
        return page.IsDescending ? lying.Within(1, (last ?? long.MaxValue) - 1).OrdinalsDescending() : lying.Within((last ?? 0) + 1, long.MaxValue).Ordinals();
    }
}
