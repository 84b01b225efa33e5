using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Postgres;

// What a balance is made of (G3): the sums of a contract's entries up to an instant, and what is over by then and not booked.
public sealed partial class PostgresStore
{
    public Task<ContractBalance?> Balance(string contractId, Instant? asked, Instant now) => Snapshot<ContractBalance?>(async connection =>
    {
        if ((await LoadContracts(connection, [contractId])).GetValueOrDefault(contractId) is not { } stored) return null;
        var at = asked ?? Instant.Max(now, stored.Document.AsOf);
        var lots = await Rows(connection, """
            select l.lot_id, l.available_from, coalesce(e.granted, 0), coalesce(e.minted, 0), coalesce(e.charged, 0), coalesce(e.returned, 0), coalesce(e.lot_expired, 0), coalesce(e.coverage_expired, 0),
                   coalesce(c.over, 0)
            from lot l
            join (select lot_id, sum(quantity) filter (where kind = 'lot-granted') as granted, sum(quantity) filter (where kind = 'credits-minted') as minted,
                         sum(quantity) filter (where kind = 'credits-charged') as charged, sum(quantity) filter (where kind = 'credits-returned') as returned,
                         sum(quantity) filter (where kind = 'lot-expired') as lot_expired, sum(quantity) filter (where kind = 'coverage-expired') as coverage_expired
                  from entry where contract_id = $1 and effective_at <= $2 and lot_id is not null group by lot_id) e using (lot_id)
            left join (select lot, count(*) as over from credit where lot > $3 and lot < $4 and player_id is not null and not expiry_booked and expires_at <= $2 group by lot) c on c.lot = l.key
            where l.contract_id = $1 and l.apart = 0 and coalesce(e.granted, 0) + coalesce(e.minted, 0) > 0
            """,
            row => new LotMovements(
                row.GetString(0), row.Instant(1), (long)row.GetDecimal(2), (long)row.GetDecimal(3), (long)row.GetDecimal(4), (long)row.GetDecimal(5), (long)row.GetDecimal(6), (long)row.GetDecimal(7), row.GetInt64(8)),
            Sql.Text(contractId), Sql.At(at), Sql.Text($"{contractId}~"), Sql.Text($"{contractId}\x7f"));
        var users = await Rows(connection, """
            select user_id, sum(case kind when 'credits-charged' then quantity else -quantity end) from entry
            where contract_id = $1 and effective_at <= $2 and user_id is not null and kind in ('credits-charged', 'credits-returned') group by user_id order by user_id
            """, row => new UserTotal(row.GetString(0), (long)row.GetDecimal(1)), Sql.Text(contractId), Sql.At(at));
        return ContractBalance.Of(stored.AsContract(), lots, users, at);
    });
}
