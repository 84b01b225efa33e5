using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>
/// Reads that show what has fallen due before anybody has booked it (T3): lots of billing cycles that have started, and what the ends of holds have given
/// back. They roll forward in memory and book nothing.
/// </summary>
public sealed class Unbooked(IQueries queries)
{
    /// <summary>A contract's lots, by creation, then lot id; of one payment, or null: of any.</summary>
    public async Task<Page<Lot>> Lots(string contractId, string? paymentId, Instant now, PageRequest page)
    {
        // First what is due, then what is booked: what is booked in between is in both, not in neither.
        var due = await Due(contractId, null, now);
        var booked = await queries.Lots(contractId, paymentId, page);
        if (due.Count == 0) return booked;

        var placed = LotPlace.Read(page);
        var granted = Granted(due).Select(listed => listed.Lot)
            .Where(lot => (paymentId ?? lot.PaymentId) == lot.PaymentId && placed.IsBehind(LotPlace.Of(lot)));
        var all = booked.Items.Concat(granted).DistinctBy(lot => lot.LotId).Select(lot => due[0].Changes.After(lot)!);
        return placed.Cut([.. placed.Sort(all, LotPlace.Of)], LotPlace.Of, booked.Next is not null);
    }

    /// <summary>A contract's lot; null where there is none.</summary>
    public async Task<Lot?> Lot(string contractId, string lotId, Instant now)
    {
        var due = (await Due(contractId, null, now)).SingleOrDefault();
        return await queries.Lot(contractId, lotId) is { } booked
            ? due is null ? booked : due.Changes.After(booked)
            : due?.Changes.Lots.LastOrDefault(change => (change.Lot.LotId, change.Lot.Apart) == (lotId, 0))?.Lot;
    }

    /// <summary>Credits that pass the filter, by creation, then credit id (P4).</summary>
    public async Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page)
    {
        var due = await Due(filter.ContractId, filter.ClientId, now);
        var booked = await queries.Credits(filter, now, page);
        if (due.Count == 0) return booked;

        // What has gone back keeps its place in the list, but may pass another filter.
        var placed = CreditPlace.Read(page);
        var gone = due.SelectMany(contract => GoneBack(contract, now)).ToDictionary(credit => credit.CreditId);
        var back = gone.Values.Where(credit => filter.Passes(credit) && placed.IsBehind(CreditPlace.Of(credit)));
        var granted = CreditList.ShowsUntouched(filter)
            ? Granted(due).Where(listed =>
                (filter.LotId ?? listed.Lot.LotId) == listed.Lot.LotId && (filter.PaymentId ?? listed.Lot.PaymentId) == listed.Lot.PaymentId)
            : [];
        if (page.IsDescending) granted = granted.Reverse();
        var untouched = CreditList.Untouched(granted, filter.Status, placed, now).Take(page.Limit + 1);

        // Behind the last that is booked the next page begins, though nothing of this one may be left.
        var last = booked.Next is null ? null : CreditPlace.Of(booked.Items[^1]);
        var more = back.Concat(untouched).Where(credit => last is null || !(placed with { After = last }).IsBehind(CreditPlace.Of(credit)));
        var stays = booked.Items.Where(credit => !gone.ContainsKey(credit.CreditId));
        var all = placed.Sort(stays.Concat(more).DistinctBy(credit => credit.CreditId), CreditPlace.Of).ToList();
        return all.Count > page.Limit ? placed.Cut(all, CreditPlace.Of) : new([.. all], booked.Next);
    }

    public async Task<CreditDocument?> Credit(CreditId id, Instant now)
    {
        if (await queries.Credit(id, now) is { IsHoldOver: false } booked) return booked;
        var due = (await Due(id.ContractId, null, now)).SingleOrDefault();
        if (due is not null && GoneBack(due, now).FirstOrDefault(credit => credit.CreditId == id) is { } gone) return gone;
        var lot = due is null ? null : Granted([due]).FirstOrDefault(listed => listed.Lot.LotId == id.LotId && listed.Lot.Quantity >= id.Ordinal);
        return lot is null ? await queries.Credit(id, now) : CreditDocument.Untouched(lot.ClientId, id, lot.Lot, now);
    }

    /// <summary>A report of a client, and what has become of it; null where there is none.</summary>
    public async Task<Report?> Report(ReportKey key, Instant now) =>
        await queries.Report(key) is { } booked ? (await AsOf([booked], now))[0] : null;

    /// <summary>By instant, then report id.</summary>
    public async Task<Page<Report>> Reports(ReportFilter filter, Instant now, PageRequest page)
    {
        var booked = await queries.Reports(filter, page);
        return booked with { Items = await AsOf(booked.Items, now) };
    }

    /// <summary>The user's memberships of contracts of the client, past ones too, by contract id.</summary>
    public async Task<Page<Allowance>> Memberships(UserKey user, Instant now, PageRequest page)
    {
        var due = (await Due(null, user.ClientId, now)).ToDictionary(contract => contract.State.Terms.ContractId, contract => contract.State);
        var booked = await queries.Memberships(user, page);
        return due.Count == 0 ? booked : booked with { Items = [.. booked.Items.Select(Rolled)] };

        Allowance Rolled(Allowance allowance) => due.TryGetValue(allowance.Terms.ContractId, out var contract)
            ? allowance with { Member = contract.WithRead(allowance.Member!).Members[allowance.Member!.UserId] }
            : allowance;
    }

    /// <summary>Sums over reports, and over what was given back of them.</summary>
    public async Task<ImmutableArray<UsageRow>> Usage(UsageFilter filter, Instant now)
    {
        var due = await Due(filter.ContractId, filter.ClientId, now);
        return (await queries.Usage(filter)).AddRange(
            from contract in due
            from entry in contract.Changes.Entries
            where entry is { Kind: EntryKind.CreditsReturned, UserId: not null }
                && (filter.UserId ?? entry.UserId) == entry.UserId && !(entry.EffectiveAt < filter.From) && !(entry.EffectiveAt >= filter.To)
            select filter.By switch
            {
                UsageBy.Contract => new UsageRow(null, entry.ContractId, null, null, null, 0, 0, 0, entry.Quantity),
                UsageBy.User => new UsageRow(entry.ClientId, null, entry.UserId, null, null, 0, 0, 0, entry.Quantity),
                UsageBy.Day or UsageBy.Month =>
                    new UsageRow(null, entry.ContractId, null, entry.EffectiveAt, contract.State.Terms.TimeZone, 0, 0, 0, entry.Quantity),
            });
    }

    private async Task<ImmutableArray<Report>> AsOf(ImmutableArray<Report> booked, Instant now)
    {
        var over = booked.Where(report => report.IsHoldOver(now)).Select(report => report.ContractId).ToHashSet();
        if (over.Count == 0) return booked;

        var ended = new Dictionary<string, Report>();
        foreach (var contractId in over)
            foreach (var contract in await Due(contractId, null, now))
                foreach (var report in contract.Changes.Undone) ended[report.ReportId] = report;
        return [.. booked.Select(report => over.Contains(report.ContractId) ? ended.GetValueOrDefault(report.ReportId, report) : report)];
    }

    // The contracts for which something has fallen due, as they will be once it is booked.
    private async Task<List<Changed<Contract>>> Due(string? contractId, string? clientId, Instant now) =>
        [.. (await queries.Due(contractId, clientId, now)).Select(stored => stored.AsContract())
            .Select(contract => contract.RollForward(Instant.Max(now, contract.AsOf)))];

    // The credits of lots that are due, in the order of the list of credits.
    private static IEnumerable<ListedLot> Granted(IEnumerable<Changed<Contract>> due) =>
        from contract in due
        from lot in contract.Changes.Lots.Where(change => change.IsNew).Select(change => change.Lot)
        orderby lot.CreatedAt, new CreditId(contract.State.Terms.ContractId, lot.LotId, 1).ToString()
        select new ListedLot(contract.State.Terms.ContractId, contract.State.Terms.ClientId, lot);

    // What the ends of holds have given back: it has a row where its lot is over, and else lies in its lot.
    private static IEnumerable<CreditDocument> GoneBack(Changed<Contract> contract, Instant now) =>
        from gone in contract.Changes.Credits
        where gone.IsGone
        let id = gone.Credit.Id
        let row = contract.Changes.Credits.FirstOrDefault(change => !change.IsGone && change.Credit.Id == id)
        let lot = contract.Changes.Lots.LastOrDefault(change => (change.Lot.LotId, change.Lot.Apart) == (id.LotId, 0))
        select row is not null ? CreditDocument.Of(row.Credit, now) : CreditDocument.Untouched(gone.Credit.ClientId, id, lot!.Lot, now);
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
