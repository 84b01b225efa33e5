using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Reads that show what has fallen due before anybody has booked it (T3): lots of billing cycles that have started, and their credits. They roll forward in memory and book nothing.</summary>
public sealed class Unbooked(IQueries queries)
{
    /// <summary>A contract's lots, by creation, then lot id; of one payment, or null: of any.</summary>
    public async Task<Page<Lot>> Lots(string contractId, string? paymentId, Instant now, PageRequest page)
    {
        // First what is due, then what is booked: what is booked in between is in both, not in neither.
        var due = Granted(await queries.Due(contractId, null, now), now).Select(listed => listed.Lot)
            .Where(lot => (paymentId ?? lot.PaymentId) == lot.PaymentId).ToList();
        var booked = await queries.Lots(contractId, paymentId, page);
        if (due.Count == 0) return booked;

        var placed = LotPlace.Read(page);
        var all = booked.Items.Concat(due.Where(lot => placed.IsBehind(LotPlace.Of(lot)))).DistinctBy(lot => lot.LotId);
        return placed.Cut([.. placed.Sort(all, LotPlace.Of)], LotPlace.Of, booked.Next is not null);
    }

    /// <summary>A contract's lot; null where there is none.</summary>
    public async Task<Lot?> Lot(string contractId, string lotId, Instant now)
    {
        if (await queries.Lot(contractId, lotId) is { } booked) return booked;
        var due = Granted(await queries.Due(contractId, null, now), now).Select(listed => listed.Lot).FirstOrDefault(lot => lot.LotId == lotId);
        return due ?? await queries.Lot(contractId, lotId);
    }

    /// <summary>Credits that pass the filter, by creation, then credit id (P4).</summary>
    public async Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page)
    {
        if (!CreditList.ShowsUntouched(filter)) return await queries.Credits(filter, now, page);

        var due = Granted(await queries.Due(filter.ContractId, filter.ClientId, now), now)
            .Where(listed => (filter.LotId ?? listed.Lot.LotId) == listed.Lot.LotId && (filter.PaymentId ?? listed.Lot.PaymentId) == listed.Lot.PaymentId).ToList();
        var booked = await queries.Credits(filter, now, page);
        if (due.Count == 0) return booked;

        var placed = CreditPlace.Read(page);
        if (page.IsDescending) due.Reverse();
        return CreditList.Add(booked, placed, CreditList.Untouched(due, filter.Status, placed, now));
    }

    public async Task<CreditDocument?> Credit(CreditId id, Instant now)
    {
        if (await queries.Credit(id, now) is { } booked) return booked;
        var lot = Granted(await queries.Due(id.ContractId, null, now), now).FirstOrDefault(listed => listed.Lot.LotId == id.LotId && listed.Lot.Quantity >= id.Ordinal);
        return lot is null ? await queries.Credit(id, now) : CreditDocument.Untouched(lot.ClientId, id, lot.Lot, now);
    }

    // The lots that are due, as they will be once they are booked, in the order of the list of credits.
    private static IEnumerable<ListedLot> Granted(IEnumerable<StoredContract> due, Instant now) =>
        from stored in due
        let contract = stored.AsContract()
        from lot in contract.RollForward(Instant.Max(now, contract.AsOf)).Changes.Lots.Where(change => change.IsNew).Select(change => change.Lot)
        orderby lot.CreatedAt, new CreditId(contract.Terms.ContractId, lot.LotId, 1).ToString()
        select new ListedLot(contract.Terms.ContractId, contract.Terms.ClientId, lot);
}

/// <summary>A place in a contract's list of lots: by creation, then lot id.</summary>
public sealed record LotPlace(Instant CreatedAt, string LotId) : IPlace<LotPlace>
{
    private const string List = "lots";

    /// <summary>Reads where a page begins; throws <see cref="InvalidCursorException"/>.</summary>
    public static PlacedPage<LotPlace> Read(PageRequest page) =>
        new(page, page.Read(List, 2) is { } parts ? new(parts.Instant(0), parts.Text(1)) : null);

    public static LotPlace Of(Lot lot) => new(lot.CreatedAt, lot.LotId);

    public string AsCursor(PageRequest page) => page.Behind(List, CreatedAt, LotId);

    public int CompareTo(LotPlace? other)
    {
        if (other is null) return 1;
        var byCreation = CreatedAt.CompareTo(other.CreatedAt);
        return byCreation != 0 ? byCreation : string.CompareOrdinal(LotId, other.LotId);
    }
}
