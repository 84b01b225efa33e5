using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>How many credits there are (P4): of a lot, whose rows indexes count; of a player, a user or a time of expiry, by the rows themselves.</summary>
internal static class Counts
{
    // What is over and not booked is little, client by client.
    private const string Over = """
        select lot, count(*) from credit indexed by credit_due
        where client_id = ? and expires_at <= ? and expiry_booked = 0 and player_id is not null and held_until is null group by lot
        """;

    /// <summary>The lots that pass a filter, and their credits with rows.</summary>
    public static List<CountedLot> Lots(Database database, CreditFilter filter, Instant now)
    {
        var over = Clients(database, filter, now)
            .SelectMany(client => database[Over].Bind(client).Bind(now).All(row => (Lot: row.Text(), Credits: row.Number())))
            .ToDictionary(lot => lot.Lot, lot => lot.Credits);
        var where = OfLots(filter);
        var lots = where.Bind(database[$"select {LotRow.Instance.Selected} from lot l {where}"]).All(LotRow.Instance.Read);
        return [.. lots.Select(listed =>
        {
            var key = listed.Lot.Key(listed.ContractId);
            if (listed.Lot.Apart > 0) return new CountedLot(listed, 0, 0);
            var booked = Count("indexed by credit_booked", 1);
            return new CountedLot(listed, booked + Count("indexed by credit_unbooked", 0), booked + over.GetValueOrDefault(key));

            long Count(string by, int isBooked) =>
                database[$"select count(*) from credit {by} where lot = ? and expiry_booked = {isBooked}"].Bind(key).All(row => row.Number())[0];
        })];
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
            select count(*), coalesce(sum(c.expiry_booked = 1 or (c.expires_at is not null and c.expires_at <= ?)), 0) from credit c {where}
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
