using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

// The list of credits (P4): those of one player or user by their own indexes; otherwise lot by lot, touched and untouched ones, and the minted ones by their instants.
public sealed partial class PostgresStore
{
    public Task<Page<CreditDocument>> Credits(CreditFilter filter, Instant now, PageRequest page) => Snapshot(async connection =>
    {
        var after = CreditPlace.Read(page.After);
        var sources = new List<IEnumerable<CreditDocument>>();
        foreach (var (sql, parameters) in Touched(filter, after, now, page.Limit + 1))
            sources.Add((await Rows(connection, sql, ReadCredit, parameters)).Select(credit => CreditDocument.Of(credit, now)));
        if (CreditList.ShowsUntouched(filter))
        {
            // Those apart are a list of their own: their places lie among those of their lots.
            foreach (var isApart in new[] { false, true })
            {
                var lots = FromLot(FreeLots(filter, now).Where(isApart ? "l.apart > 0" : "l.apart = 0"), after, isApart);
                // One more, for there may be nothing left of the first.
                var free = await Rows(connection, lots.Page(LotOrder, page.Limit + 2), ReadFree, lots.Parameters);
                sources.Add(CreditList.Untouched(free, filter.Status, after, now));
            }
        }
        return CreditList.Merge(page.Limit, [.. sources]);
    });

    public Task<CreditDocument?> Credit(CreditId id, Instant now) => Snapshot(async connection =>
    {
        var key = LotKeys.Lot(id);
        var touched = await Rows(connection, $"select {CreditColumns} from credit where lot = $1 and ordinal = $2", ReadCredit, Sql.Text(key), Sql.Number(id.Ordinal));
        if (touched.Count > 0) return CreditDocument.Of(touched[0], now);
        return (await Rows(connection, $"select client_id, {LotColumns} from lot where (key = $1 and quantity >= $2) or (key = $3 and free_count > 0) order by apart desc limit 1",
            reader => CreditDocument.Untouched(reader.GetString(0), id, ReadLot(reader, 1), now), Sql.Text(key), Sql.Number(id.Ordinal), Sql.Text($"{id}"))).SingleOrDefault();
    });

    private static IEnumerable<(string Sql, NpgsqlParameter[] Parameters)> Touched(CreditFilter filter, CreditPlace? after, Instant now, int rows)
    {
        // What is unallocated lies in its lot, or apart from it.
        if (filter.Status is CreditStatus.Unallocated) yield break;
        var isBooked = CreditList.IsBooked(filter);

        // Over, and not booked: the sweeper sees to it that these are few. The instant is asked for twice, for only of that expression it is known how few.
        if (filter.Status is CreditStatus.Expired)
        {
            var due = Still(new Select(Columns, "credit c").Where("c.player_id is not null and not c.expiry_booked"), filter).WhereText("c.player_id", filter.PlayerId)
                .Where("c.expires_at <= ?", Sql.At(now)).Where("(case when c.expiry_booked then null else c.expires_at end) <= ?", Sql.At(now));
            yield return Paged(due.Only("c.used_by", filter.UserId, isNarrowest: false));
        }

        if (filter.PlayerId is not null || filter is { UserId: not null, ContractId: null, LotId: null, PaymentId: null })
        {
            var own = Still(OfStatus(new Select(Columns, "credit c"), isBooked), filter).WhereText("c.player_id", filter.PlayerId);
            yield return Paged(own.Only("c.used_by", filter.UserId, isNarrowest: filter.PlayerId is null));
            yield break;
        }

        // Of each lot no more than the page, so that a lot of a million is not sorted for its first hundred. A lot's credits came to be at once, which leads to a user's among them.
        var inner = OfStatus(new Select("*", "credit c"), isBooked).Where("c.lot = l.key");
        if (filter.UserId is { } user) inner.WhereText("c.used_by", user).Where("c.created_at = l.created_at");
        if (after is not null) inner.Where("c.ordinal > case when c.lot = ? then ? else 0 end", Sql.Text(LotKeys.Lot(after.Id)), Sql.Number(after.Id.Ordinal));
        var byLot = FromLot(OfLot(new Select(Columns, $"lot l cross join lateral ({inner.Page("c.ordinal", rows)}) c", inner), filter), after).Where("l.apart = 0 and l.source <> 'minted'");
        yield return (byLot.Page($"{LotOrder}, c.ordinal", rows), byLot.Parameters);

        if (!CreditList.ShowsMinted(filter)) yield break;
        foreach (var booked in isBooked is { } one ? [one] : new[] { true, false })
        {
            var minted = OfStatus(new Select(Columns, "credit c"), booked).Where("c.lot like '%~minted'").WhereText("c.used_by", filter.UserId);
            if (filter.ContractId is null) minted.WhereText("c.client_id", filter.ClientId);
            else minted.WhereText("c.lot", LotKeys.Lot(filter.ContractId, Domain.Lot.MintedId));
            if (filter is { ContractId: { } contract, ClientId: { } client }) minted.Where("(select client_id from lot where key = ?) = ?", Sql.Text(LotKeys.Lot(contract, Domain.Lot.MintedId)), Sql.Text(client));
            yield return Paged(minted);
        }

        (string, NpgsqlParameter[]) Paged(Select select) => (select.After(Order, Place(after)).Page(Order, rows), select.Parameters);

        // Indexes know what is booked; what is over and not booked is told by the time.
        Select OfStatus(Select select, bool? booked)
        {
            if (booked is { } isOver) select.Where(isOver ? "c.expiry_booked" : "not c.expiry_booked");
            return filter.Status is CreditStatus.Allocated ? select.Where("(c.expires_at is null or c.expires_at > ?)", Sql.At(now)) : select;
        }
    }

    // As ids sort: where one lot's is the beginning of another's, the ~ behind it counts.
    private const string Order = "c.created_at, (c.lot || '~'), c.ordinal", LotOrder = "l.created_at, (l.key || '~')";

    private static readonly string Columns = string.Join(", ", CreditColumns.Split(", ").Select(column => $"c.{column}"));

    private static Select FreeLots(CreditFilter filter, Instant now)
    {
        var lots = OfLot(new Select($"l.contract_id, l.client_id, {LotColumns}", "lot l"), filter).Where("l.free_count > 0");
        if (filter.Status is CreditStatus.Expired) lots.Where("l.expires_at <= ?", Sql.At(now));
        if (filter.Status is CreditStatus.Unallocated) lots.Where("(l.expires_at is null or l.expires_at > ?)", Sql.At(now));
        return lots;
    }

    private static Select FromLot(Select select, CreditPlace? after, bool isApart = false) =>
        after is null ? select : select.Where($"({LotOrder}) >= (?, ?)", Sql.At(after.CreatedAt), Sql.Text($"{(isApart ? $"{after.Id}" : LotKeys.Lot(after.Id))}~"));

    private static Select OfLot(Select select, CreditFilter filter) => select
        .WhereText("l.contract_id", filter.ContractId).WhereText("l.payment_id", filter.PaymentId).WhereText("l.lot_id", filter.LotId).WhereText("l.client_id", filter.ClientId);

    // What a credit's row and its lot's key say, checked on what an index finds by something narrower.
    private static Select Still(Select select, CreditFilter filter) => select
        .Only("c.client_id", filter.ClientId, isNarrowest: false).Only("c.payment_id", filter.PaymentId, isNarrowest: false)
        .Only("split_part(c.lot, '~', 1)", filter.ContractId, isNarrowest: false).Only("split_part(c.lot, '~', 2)", filter.LotId, isNarrowest: false);

    private static NpgsqlParameter[] Place(CreditPlace? after) =>
        after is null ? [] : [Sql.At(after.CreatedAt), Sql.Text($"{LotKeys.Lot(after.Id)}~"), Sql.Number(after.Id.Ordinal)];

    private static ListedLot ReadFree(NpgsqlDataReader reader) => new(reader.GetString(0), reader.GetString(1), ReadLot(reader, 2));
}
