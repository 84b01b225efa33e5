using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

// The list of credits (P4): those of one player or user by their own indexes; otherwise lot by lot, touched and untouched ones.
public sealed partial class PostgresStore
{
    public Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page) => Listed(async () =>
    {
        var placed = CreditPlace.Read(page);
        var reading = new Reading();
        var touched = Touched(filter, placed, now).Select(reading.Add).ToList();
        // Those apart are a list of their own: their places lie among those of their lots.
        bool[] places = CreditList.ShowsUntouched(filter) ? [false, true] : [];
        var free = places.Select(isApart => reading.Add(FreeLots(filter, placed, now, isApart))).ToList();
        await Run(reading);
        return CreditList.Merge(placed, [
            .. touched.Select(credits => credits.Select(credit => CreditDocument.Of(credit, now))),
            .. free.Select(lots => CreditList.Untouched(lots, filter, placed, now)),
        ]);
    });

    public Task<CreditDocument?> Credit(CreditId id, Instant now) => Listed(async () =>
    {
        var reading = new Reading();
        var touched = reading.Add(new Query<Credit>(
            $"select {CreditRow.Instance.Listed} from {CreditRow.Instance.From} where c.lot = $1 and c.ordinal = $2", CreditRow.Instance.ReadListed,
            Values.Of(LotKeys.Of(id)), Values.Of(id.Ordinal)));
        var lots = reading.Add(LotRow.Instance.Select(
            "where (l.key = $1 and l.quantity >= $2) or (l.key = $3 and (l.has_free or l.has_withdrawn)) order by l.apart desc limit 1",
            Values.Of(LotKeys.Of(id)), Values.Of(id.Ordinal), Values.Of($"{id}")));
        await Run(reading);
        if (touched is [var credit]) return CreditDocument.Of(credit, now);
        return lots is [var listed] ? CreditDocument.Untouched(listed.ClientId, id, listed.Lot, now) : null;
    });

    public Task<ImmutableArray<CreditDocument>> Touched(IReadOnlyCollection<CreditId> ids, Instant now) => Listed<ImmutableArray<CreditDocument>>(async () =>
        [.. (await All(new Query<Credit>(
            $"""
            select {CreditRow.Instance.Listed} from unnest($1, $2) as g (lot, ordinal)
            join {CreditRow.Instance.From} on c.lot = g.lot and c.ordinal = g.ordinal
            """,
            CreditRow.Instance.ReadListed, Values.Of(ids.Select(LotKeys.Of)), Values.Of(ids.Select(id => id.Ordinal)))))
            .Select(credit => CreditDocument.Of(credit, now))]);

    public Task<ImmutableArray<CountedLot>> CountLots(CreditFilter filter, IReadOnlyCollection<string>? paymentIds, Instant now) =>
        Listed<ImmutableArray<CountedLot>>(async () =>
    {
        var (lots, ended) = (Filtered(LotRow.Instance.Selected, LotRow.Instance.From), Filtered("f.lot, f.credits", "lot l join ended f on f.lot = l.key"));
        var due = new Select("g.lot, sum(g.credits)::bigint", "ending g").Where("g.ends_at <= ?", Values.Of(now));
        if (filter.ClientId is not null) due.WhereText("g.client_id", filter.ClientId);
        else due.Where($"g.client_id = any(array({ClientsWithEnds}))");
        var reading = new Reading();
        var listed = reading.Add(new Query<ListedLot>(lots.All, LotRow.Instance.Read, lots.Parameters));
        var booked = reading.Add(new Query<(string Lot, long Credits)>(ended.All, row => (row.Text(), row.Number()), ended.Parameters));
        var over = reading.Add(new Query<(string Lot, long Credits)>($"{due.All} group by g.lot", row => (row.Text(), row.Number()), due.Parameters));
        await Run(reading);
        return CreditCounts.Of(listed, booked.Concat(over));

        Select Filtered(string columns, string from)
        {
            var select = OfLot(new(columns, from), filter);
            return paymentIds is null ? select : select.Where("l.payment_id = any(?)", Values.Of(paymentIds));
        }
    });

    public Task<(long Allocated, long Expired)> CountTouched(CreditFilter filter, Instant now) => Listed(async () =>
    {
        var over = new Select("", "").Where(IsOver, Values.Of(now));
        var credits = new Select("count(*), count(*) filter (where c.player_id is null or c.expires_at <= $1)", "credit c", over)
            .WhereText("c.used_by", filter.UserId).WhereText("c.client_id", filter.ClientId);
        if (filter.PlayerId is not null) OfPlayer(credits, filter.PlayerId);
        if (filter is not { ContractId: null, LotId: null, PaymentId: null })
            credits.Where(
                """
                c.lot in (
                    select l.key from lot l where l.apart = 0 and l.contract_id = coalesce(?, l.contract_id)
                        and l.lot_id = coalesce(?, l.lot_id) and l.payment_id = coalesce(?, l.payment_id))
                """,
                Values.Of(filter.ContractId), Values.Of(filter.LotId), Values.Of(filter.PaymentId));
        Expiring(Created(credits, "c.created_at", filter), CoversUntil, filter);
        var (all, expired) = (await All(new Query<(long, long)>(credits.All, row => (row.Number(), row.Number()), credits.Parameters)))[0];
        return (all - expired, expired);
    });

    public Task<Page<PaymentLots>> Payments(string? clientId, string? contractId, PageRequest page) => List(Lists.Payments(clientId, contractId), page);

    // As ids sort: where one lot's is the beginning of another's, the ~ behind it counts.
    private static readonly string[] Order = ["c.created_at", "(c.lot || '~')", "c.ordinal"], LotOrder = ["l.created_at", "(l.key || '~')"];

    private static IEnumerable<Query<Credit>> Touched(CreditFilter filter, PlacedPage<CreditPlace> page, Instant now)
    {
        if (!CreditList.ShowsTouched(filter)) yield break;
        if (filter.PlayerId is not null)
        {
            var ofPlayer = OfStatus(OfPlayer(Credits(), filter.PlayerId), filter, now);
            yield return Paged(Checked(ofPlayer, filter).Checked("c.used_by", filter.UserId), page);
        }
        else
        {
            yield return LotByLot(filter, page, now);
            if (!CreditList.ShowsMinted(filter)) yield break;
            yield return Minted(filter, page, now);
        }
    }

    // Of each lot no more than the page, so that a lot of a million is not sorted for its first hundred. A user's are found past those of others: an
    // index that leads to them would cost each charge an entry.
    private static Query<Credit> LotByLot(CreditFilter filter, PlacedPage<CreditPlace> page, Instant now)
    {
        var direction = new Direction(page.IsDescending);
        var inner = OfUser(OfStatus(new Select("*", "credit c"), filter, now), filter.UserId).Where("c.lot = l.key and c.lot not like '%~minted'");
        if (filter.Status is CreditStatus.Expired) inner.Where($"c.ordinal <= {LastOver}", Values.Of(now));
        if (page.After is { Id: var id })
            inner.Where(
                $"c.ordinal {(page.IsDescending ? "<" : ">")} case when l.key = ? then ? else ? end",
                Values.Of(LotKeys.Of(id)), Values.Of(id.Ordinal), Values.Of(page.IsDescending ? long.MaxValue : 0L));
        var byLot = new Select(CreditRow.Instance.Listed, $"lot l cross join lateral ({inner.Page(direction.OrderBy("c.ordinal"), page.Limit + 1)}) c", inner)
            .Where("l.apart = 0 and l.source <> 'minted'");
        return Paged(FromLot(OfLot(byLot, filter), page), page, [.. LotOrder, "c.ordinal"]);
    }

    // The one lot of an unlimited contract grows, by ordinal in the order of time, so that its credits lie among those of others.
    private static Query<Credit> Minted(CreditFilter filter, PlacedPage<CreditPlace> page, Instant now)
    {
        var credits = OfUser(new Select("*", "credit c"), filter.UserId).Where("c.lot = l.key and c.lot like '%~minted'");
        if (filter.Status is CreditStatus.Expired)
            credits.Where($"c.created_at <= (select m.created_at from credit m where m.lot = l.key and m.ordinal = {LastOver})", Values.Of(now));
        var inner = Behind(OfStatus(Created(credits, "c.created_at", filter), filter, now), page);
        var order = new Direction(page.IsDescending).OrderBy("c.created_at", "c.ordinal");
        var byLot = new Select(CreditRow.Instance.Listed, $"lot l cross join lateral ({inner.Page(order, page.Limit + 1)}) c", inner)
            .Where("l.apart = 0 and l.source = 'minted'");
        return Paged(OfLot(byLot, filter with { LotId = Domain.Lot.MintedId, CreatedFrom = null, CreatedTo = null }), page, Order);
    }

    // One more than the page, for there may be nothing left of the first.
    private static Query<ListedLot> FreeLots(CreditFilter filter, PlacedPage<CreditPlace> page, Instant now, bool isApart)
    {
        var lots = OfLot(new Select(LotRow.Instance.Selected, LotRow.Instance.From), filter)
            .Where($"{CreditList.UntouchedIn(filter, "l.has_free", "l.has_withdrawn")} and l.apart {(isApart ? ">" : "=")} 0");
        if (filter.Status is CreditStatus.Expired) lots.Where("l.expires_at <= ?", Values.Of(now));
        if (filter.Status is CreditStatus.Unallocated) lots.Where("(l.expires_at is null or l.expires_at > ?)", Values.Of(now));
        FromLot(Expiring(lots, "l.expires_at", filter), page, isApart);
        return new(lots.Page(new Direction(page.IsDescending).OrderBy(LotOrder), page.Limit + 2), LotRow.Instance.Read, lots.Parameters);
    }

    private static Select Credits() => new(CreditRow.Instance.Listed, CreditRow.Instance.From);

    private static Select OfStatus(Select select, CreditFilter filter, Instant now)
    {
        Expiring(select, CoversUntil, filter);
        if (filter.Status is CreditStatus.Expired) select.Where(IsOver, Values.Of(now));
        return filter.Status is CreditStatus.Allocated
            ? select.Where("c.player_id is not null and (c.expires_at is null or c.expires_at > ?)", Values.Of(now))
            : select;
    }

    // Nor is it told here.
    private const string IsOver = "coalesce(c.player_id is null or c.expires_at <= ?, false)";

    // No credit of the lot that is over has a higher ordinal; null: none is.
    private const string LastOver = """
        greatest(
            (select f.last_ordinal from ended f where f.lot = l.key),
            (select max(g.last_ordinal) from ending g where g.client_id = l.client_id and g.ends_at <= ? and g.lot = l.key))
        """;

    // The planner is not told how few these are: it shall follow the order of the list and stop where the page is full, not sort a lot.
    private static Select OfUser(Select select, string? userId) =>
        userId is null ? select : select.Where("coalesce(c.used_by = ?, false)", Values.Of(userId));

    private static Select OfPlayer(Select select, string playerId) =>
        select.Where(CreditRow.MayBeOfPlayer, Values.Of(playerId)).Checked("c.player_id", playerId);

    private static Select FromLot(Select select, PlacedPage<CreditPlace> page, bool isApart = false)
    {
        if (page.After is not { } after) return select;
        var place = isApart ? $"{after.Id}" : LotKeys.Of(after.Id);
        return select.Where(new Direction(page.IsDescending).From(LotOrder), Values.Of(after.CreatedAt), Values.Of($"{place}~"));
    }

    private static Select OfLot(Select select, CreditFilter filter) => Created(
        select.WhereText("l.contract_id", filter.ContractId).WhereText("l.payment_id", filter.PaymentId)
            .WhereText("l.lot_id", filter.LotId).WhereText("l.client_id", filter.ClientId),
        "l.created_at", filter);

    private static Select Created(Select select, string column, CreditFilter filter) => Within(select, column, filter.CreatedFrom, filter.CreatedTo);

    private static Select Expiring(Select select, string column, CreditFilter filter) => Within(select, column, filter.ExpiresFrom, filter.ExpiresTo);

    private const string CoversUntil = "coalesce(c.held_until, c.expires_at)";

    private static Select Within(Select select, string column, Instant? from, Instant? to)
    {
        if (from is not null) select.Where($"{column} >= ?", Values.Of(from));
        if (to is not null) select.Where($"{column} < ?", Values.Of(to));
        return select;
    }

    // What a credit's row and its lot's key say, checked on what an index finds by something narrower.
    private static Select Checked(Select select, CreditFilter filter) => Created(select, "c.created_at", filter)
        .Checked("c.client_id", filter.ClientId).Checked(CreditRow.Payment, filter.PaymentId)
        .Checked("split_part(c.lot, '~', 1)", filter.ContractId).Checked("split_part(c.lot, '~', 2)", filter.LotId);

    private static Query<Credit> Paged(Select select, PlacedPage<CreditPlace> page) => Paged(Behind(select, page), page, Order);

    private static Query<Credit> Paged(Select select, PlacedPage<CreditPlace> page, string[] order) =>
        new(select.Page(new Direction(page.IsDescending).OrderBy(order), page.Limit + 1), CreditRow.Instance.ReadListed, select.Parameters);

    private static Select Behind(Select select, PlacedPage<CreditPlace> page) => page.After is not { } after
        ? select
        : select.Where(
            new Direction(page.IsDescending).Behind(Order), Values.Of(after.CreatedAt), Values.Of($"{LotKeys.Of(after.Id)}~"), Values.Of(after.Id.Ordinal));
}
