using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>How many credits there are (P4): of a lot by its state; of a player, a user or a time of expiry by the rows of credits.</summary>
internal static class Counts
{
    /// <summary>The lots that pass a filter, and their credits with rows.</summary>
    public static List<CountedLot> Lots(Database database, CreditFilter filter, Instant now)
    {
        var where = OfLots(filter);
        var lots = where.Bind(database[$"select {LotRow.Instance.Selected} from lot l {where}"]).All(LotRow.Instance.Read);
        var booked = where.Bind(database[$"select f.lot, f.credits from lot l join ended f on f.lot = l.key {where}"]).All(Read);
        var over = Clients(database, filter, now).SelectMany(client =>
            database["select lot, sum(credits) from ending where client_id = ? and ends_at <= ? group by lot"].Bind(client).Bind(now).All(Read));
        return [.. CreditCounts.Of(lots, booked.Concat(over))];

        static (string Lot, long Credits) Read(Statement row) => (row.Text(), row.Number());
    }

    /// <summary>Credits with rows that pass a filter, whatever its status.</summary>
    public static (long Allocated, long Expired) Touched(Database database, CreditFilter filter, Instant now)
    {
        var where = new Where().OfPlayer(filter.PlayerId).Equal("c.used_by", filter.UserId);
        var isLed = filter.PlayerId is not null || filter.UserId is not null;
        if (filter is not { ContractId: null, LotId: null, PaymentId: null } || (filter.ClientId is not null && !isLed))
        {
            var lots = OfLots(filter with { CreatedFrom = null, CreatedTo = null });
            where.And(
                isLed ? $"exists (select 1 from lot l {lots} and l.key = c.lot)" : $"c.lot in (select l.key from lot l {lots} and l.apart = 0)", lots.Values);
        }
        else if (filter.ClientId is { } client)
        {
            where.And("+c.client_id = ?", client);
        }
        if (filter.CreatedFrom is { } begin) where.And("+c.created_at >= ?", begin);
        if (filter.CreatedTo is { } end) where.And("+c.created_at < ?", end);
        if (filter.ExpiresFrom is { } from) where.And("coalesce(c.held_until, c.expires_at) >= ?", from);
        if (filter.ExpiresTo is { } to) where.And("coalesce(c.held_until, c.expires_at) < ?", to);
        var sums = where.Bind(database[$"""
            select count(*), coalesce(sum(c.player_id is null or (c.expires_at is not null and c.expires_at <= ?)), 0) from credit c {where}
            """].Bind(now)).All(row => (All: row.Number(), Over: row.Number()))[0];
        return (sums.All - sums.Over, sums.Over);
    }

    private static IEnumerable<string> Clients(Database database, CreditFilter filter, Instant now) =>
        filter.ClientId is { } client ? [client] : [.. SqliteStore.ReadDueClients(database, now)];

    private static Where OfLots(CreditFilter filter)
    {
        var where = new Where().Equal("l.contract_id", filter.ContractId).Equal("l.payment_id", filter.PaymentId).Equal("l.lot_id", filter.LotId)
            .Equal("l.client_id", filter.ClientId);
        if (filter.CreatedFrom is { } from) where.And("l.created_at >= ?", from);
        if (filter.CreatedTo is { } to) where.And("l.created_at < ?", to);
        return where;
    }
}
