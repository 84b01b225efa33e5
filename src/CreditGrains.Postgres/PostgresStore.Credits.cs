using CreditGrains.Actors;
using CreditGrains.Domain;
using NodaTime;
using Npgsql;

namespace CreditGrains.Postgres;

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
            var lots = FreeLots(filter, after, now);
            var free = await Rows(connection, lots.Page("l.created_at, l.key", page.Limit + 1), ReadFree, lots.Parameters);
            sources.Add(CreditList.Untouched(free, filter.Status, after, now));
        }
        return CreditList.Merge(page.Limit, [.. sources]);
    });

    public async Task<CreditDocument?> Credit(CreditId id, Instant now)
    {
        var key = Keys.Lot(id);
        var touched = await Rows($"select {CreditColumns} from credit where lot = $1 and ordinal = $2", ReadCredit, Sql.Text(key), Sql.Number(id.Ordinal));
        if (touched.Count > 0) return CreditDocument.Of(touched[0], now);
        return (await Rows($"select client_id, {LotColumns} from lot where key = $1 and quantity >= $2",
            reader => CreditDocument.Untouched(reader.GetString(0), id, ReadLot(reader, 1), now), Sql.Text(key), Sql.Number(id.Ordinal))).SingleOrDefault();
    }

    private static IEnumerable<(string Sql, NpgsqlParameter[] Parameters)> Touched(CreditFilter filter, CreditPlace? after, Instant now, int rows)
    {
        if (filter.PlayerId is not null || filter.UserId is not null)
        {
            var own = OfCredit(new Select(Qualified("c"), "credit c join lot l on l.key = c.lot"), filter, now)
                .WhereText("c.player_id", filter.PlayerId).Only("c.used_by", filter.UserId, isNarrowest: filter.PlayerId is null).Only("c.client_id", filter.ClientId, isNarrowest: false)
                .Only("l.contract_id", filter.ContractId, isNarrowest: false).Only("l.payment_id", filter.PaymentId, isNarrowest: false).Only("l.lot_id", filter.LotId, isNarrowest: false)
                .After("c.created_at, c.lot, c.ordinal", Place(after));
            yield return (own.Page("c.created_at, c.lot, c.ordinal", rows), own.Parameters);
            yield break;
        }

        // Of each lot no more than the page, so that a lot of a million is not sorted for its first hundred; and by an index of those of its credits alone that are asked for.
        foreach (var kind in Kinds(filter.Status))
        {
            var inner = OfCredit(new Select("*", "credit c"), filter, now).Where("c.lot = l.key").Where(kind);
            if (after is not null) inner.Where("c.ordinal > case when c.lot = ? then ? else 0 end", Sql.Text(Keys.Lot(after.Id)), Sql.Number(after.Id.Ordinal));
            var byLot = OfLot(new Select(Qualified("c"), $"lot l cross join lateral ({inner.Page("c.ordinal", rows)}) c", inner), filter).Where("l.source <> 'minted'");
            if (after is not null) byLot.Where("(l.created_at, l.key) >= (?, ?)", Sql.At(after.CreatedAt), Sql.Text(Keys.Lot(after.Id)));
            yield return (byLot.Page("l.created_at, l.key, c.ordinal", rows), byLot.Parameters);
        }

        // Over, and not booked: the sweeper sees to it that these are few.
        if (filter.Status is CreditStatus.Expired)
        {
            var due = OfLot(OfCredit(new Select(Qualified("c"), "credit c join lot l on l.key = c.lot"), filter, now), filter)
                .Where("c.player_id is not null and not c.expiry_booked").Where("l.source <> 'minted'").After("c.created_at, c.lot, c.ordinal", Place(after));
            yield return (due.Page("c.created_at, c.lot, c.ordinal", rows), due.Parameters);
        }

        if ((filter.LotId ?? Domain.Lot.MintedId) != Domain.Lot.MintedId || (filter.PaymentId ?? Domain.Lot.MintedId) != Domain.Lot.MintedId) yield break;
        var minted = OfLot(OfCredit(new Select(Qualified("c"), "credit c join lot l on l.key = c.lot"), filter, now), filter).Where("c.lot like '%~minted'").WhereText("c.lot", filter.ContractId is { } contract ? Keys.Lot(contract, Domain.Lot.MintedId) : null).WhereText("c.client_id", filter.ClientId)
            .After("c.created_at, c.lot, c.ordinal", Place(after));
        yield return (minted.Page("c.created_at, c.lot, c.ordinal", rows), minted.Parameters);
    }

    private static Select FreeLots(CreditFilter filter, CreditPlace? after, Instant now)
    {
        var lots = OfLot(new Select($"""
            l.contract_id, l.client_id, (select array_agg(c.ordinal) from credit c where c.lot = l.key and c.player_id is null), {LotColumns}
            """, "lot l"), filter).Where("l.free_count > 0");
        if (filter.Status is CreditStatus.Expired) lots.Where("l.expires_at <= ?", Sql.At(now));
        if (filter.Status is CreditStatus.Unallocated) lots.Where("(l.expires_at is null or l.expires_at > ?)", Sql.At(now));
        if (after is not null) lots.Where("(l.created_at, l.key) >= (?, ?)", Sql.At(after.CreatedAt), Sql.Text(Keys.Lot(after.Id)));
        return lots;
    }

    private static Select OfLot(Select select, CreditFilter filter) => select
        .WhereText("l.contract_id", filter.ContractId).WhereText("l.payment_id", filter.PaymentId).WhereText("l.lot_id", filter.LotId).WhereText("l.client_id", filter.ClientId);

    // Of the lots' touched credits: what an index holds that is of one status at most.
    private static string[] Kinds(CreditStatus? status) => status switch
    {
        CreditStatus.Allocated => ["c.player_id is not null and not c.expiry_booked"],
        CreditStatus.Unallocated => ["c.player_id is null"],
        CreditStatus.Expired => ["c.expiry_booked", "c.player_id is null and not c.expiry_booked"],
        _ => ["true"],
    };

    private static Select OfCredit(Select select, CreditFilter filter, Instant now) => filter.Status switch
    {
        CreditStatus.Expired => select.Where("c.expires_at <= ?", Sql.At(now)),
        CreditStatus.Allocated => select.Where("c.player_id is not null").Where("(c.expires_at is null or c.expires_at > ?)", Sql.At(now)),
        CreditStatus.Unallocated => select.Where("c.player_id is null").Where("(c.expires_at is null or c.expires_at > ?)", Sql.At(now)),
        _ => select,
    };

    private static NpgsqlParameter[] Place(CreditPlace? after) =>
        after is null ? [] : [Sql.At(after.CreatedAt), Sql.Text(Keys.Lot(after.Id)), Sql.Number(after.Id.Ordinal)];

    private static string Qualified(string table) => string.Join(", ", CreditColumns.Split(", ").Select(column => $"{table}.{column}"));

    private static ListedLot ReadFree(NpgsqlDataReader reader) =>
        new(reader.GetString(0), reader.GetString(1), ReadLot(reader, 3), reader.IsDBNull(2) ? new HashSet<long>() : reader.GetFieldValue<long[]>(2).ToHashSet());
}
