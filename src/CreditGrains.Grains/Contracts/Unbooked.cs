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

    /// <summary>Credits that pass the filter, and are of one of these statuses, by creation, then credit id (P4).</summary>
    /// <param name="statuses">null: any.</param>
    public async Task<Page<CreditDocument>> Credits(CreditFilter filter, ImmutableArray<CreditStatus>? statuses, Instant now, PageRequest page)
    {
        if (statuses is null) return await Credits(filter, now, page);

        // A credit moves on to a later status only, so that none is missed between two lists.
        var (placed, all, hasMore) = (CreditPlace.Read(page), new List<CreditDocument>(), false);
        foreach (var status in statuses.Value.Order())
        {
            var (items, next) = await Credits(filter with { Status = status }, now, page);
            all.AddRange(items);
            hasMore |= next is not null;
        }
        return placed.Cut([.. placed.Sort(all.DistinctBy(credit => credit.CreditId), CreditPlace.Of)], CreditPlace.Of, hasMore);
    }

    /// <summary>The credits of a report that pass the filter: its own row says which they were, and each says whether it still is.</summary>
    /// <param name="statuses">null: any.</param>
    public async Task<Page<CreditDocument>> CreditsOf(
        string reportId, CreditFilter filter, ImmutableArray<CreditStatus>? statuses, Instant now, PageRequest page)
    {
        var placed = CreditPlace.Read(page);
        var credits = await CreditsOf(reportId, filter, now);
        var all = placed.Sort(
            credits.Where(credit => (statuses is null || statuses.Value.Contains(credit.Status)) && placed.IsBehind(CreditPlace.Of(credit))), CreditPlace.Of);
        return placed.Cut([.. all.Take(page.Limit + 1)], CreditPlace.Of);
    }

    /// <summary>How many credits pass the filter, by status (P4).</summary>
    /// <param name="reportId">null: of any report, or none.</param>
    /// <param name="statuses">null: any.</param>
    public async Task<ImmutableArray<StatusCount>> Count(CreditFilter filter, string? reportId, ImmutableArray<CreditStatus>? statuses, Instant now)
    {
        var counted = reportId is null ? await Counted(filter, now) : (await CreditsOf(reportId, filter, now)).Select(credit => (credit.Status, 1L));
        return CreditCounts.Of(counted.Where(one => statuses is null || statuses.Value.Contains(one.Item1)));
    }

    /// <summary>Payments with their lots and the counts of their credits by status, by client, then payment.</summary>
    public async Task<Page<(PaymentLots Payment, ImmutableArray<StatusCount> Credits)>> Payments(
        string? clientId, string? contractId, Instant now, PageRequest page)
    {
        var payments = await queries.Payments(clientId, contractId, page);
        var lots = await queries.CountLots(
            new(clientId, contractId, null, null, null, null, null), [.. payments.Items.Select(payment => payment.PaymentId).Distinct()], now);
        var moved = await Moved(await Due(contractId, clientId, now), now);
        var of = lots.SelectMany(lot => CreditCounts.Of(lot, now).Select(count => (lot.Listed.ClientId, lot.Listed.Lot.PaymentId, Count: count)))
            .Concat(moved.Select(one => (one.Credit.ClientId, one.Credit.PaymentId, Count: (one.Credit.Status, one.Count))))
            .ToLookup(one => (one.ClientId, one.PaymentId), one => one.Count);
        return new([.. payments.Items.Select(payment => (payment, CreditCounts.Of(of[(payment.ClientId, payment.PaymentId)])))], payments.Next);
    }

    private async Task<IEnumerable<(CreditStatus, long)>> Counted(CreditFilter filter, Instant now)
    {
        var due = await Due(filter.ContractId, filter.ClientId, now);
        var lots = await queries.CountLots(filter, null, now);
        var known = lots.Select(lot => (lot.Listed.ContractId, lot.Listed.Lot.LotId)).ToHashSet();
        var granted = Granted(due).Where(listed => filter.Passes(listed) && !known.Contains((listed.ContractId, listed.Lot.LotId)));
        var untouched = lots.Select(lot => lot.Listed).Concat(granted)
            .Where(lot => CreditList.ShowsUntouched(filter) && filter.PassesExpiry(lot.Lot.ExpiresAt))
            .SelectMany(lot => CreditCounts.Untouched(lot.Lot, now))
            .Where(count => count.Item1 != CreditStatus.Withdrawn || filter.PassesExpiry(null));
        var (allocated, expired) = filter.AsksForCredits
            ? await queries.CountTouched(filter, now)
            : (lots.Sum(lot => lot.Touched - lot.Over), lots.Sum(lot => lot.Over));
        return
        [
            .. untouched, (CreditStatus.Allocated, allocated), (CreditStatus.Expired, expired),
            .. (await Moved(due, now)).Where(moved => filter.Passes(moved.Credit)).Select(moved => (moved.Credit.Status, moved.Count)),
        ];
    }

    // What the ends of holds have given back counts as what it is now, and no longer as what its row says.
    private async Task<IEnumerable<(CreditDocument Credit, long Count)>> Moved(IEnumerable<Changed<Contract>> due, Instant now)
    {
        var gone = due.SelectMany(contract => GoneBack(contract, now)).ToList();
        if (gone.Count == 0) return [];
        var rows = await queries.Touched([.. gone.Select(credit => credit.CreditId)], now);
        return gone.Select(credit => (credit, 1L)).Concat(rows.Select(credit => (credit, -1L)));
    }

    private async Task<ImmutableArray<CreditDocument>> CreditsOf(string reportId, CreditFilter filter, Instant now)
    {
        var clients = filter.ClientId is { } client ? [client] : await queries.ClientsOf(reportId);
        var ids = new List<CreditId>();
        foreach (var one in clients)
            if (await queries.Report(new(one, reportId)) is { } report)
                ids.AddRange(report.Players.Where(player => player.Charge == PlayerCharge.New).Select(player => CreditId.Parse(player.CreditId!)));
        return [.. (await queries.Touched(ids, now)).Where(credit => credit.ReportId == reportId && !credit.IsHoldOver && filter.Passes(credit))];
    }

    private async Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page)
    {
        var due = await Due(filter.ContractId, filter.ClientId, now);
        var booked = await queries.Credits(filter, now, page);
        if (due.Count == 0) return booked;

        // What has gone back keeps its place in the list, but may pass another filter.
        var placed = CreditPlace.Read(page);
        var gone = due.SelectMany(contract => GoneBack(contract, now)).ToDictionary(credit => credit.CreditId);
        var back = gone.Values.Where(credit => filter.Passes(credit) && placed.IsBehind(CreditPlace.Of(credit)));
        var granted = CreditList.ShowsUntouched(filter)
            ? Granted(due).Where(listed => filter.Passes(listed) && filter.PassesExpiry(listed.Lot.ExpiresAt))
            : [];
        if (page.IsDescending) granted = granted.Reverse();
        var untouched = CreditList.Untouched(granted, filter, placed, now).Take(page.Limit + 1);

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
            select new UsageRow(
                filter.ByUser ? entry.ClientId : null, filter.ByContract ? entry.ContractId : null, filter.ByUser ? entry.UserId : null,
                filter.ByTime ? entry.EffectiveAt : null, filter.ByTime ? contract.State.Terms.TimeZone : null, 0, 0, 0, entry.Quantity));
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
