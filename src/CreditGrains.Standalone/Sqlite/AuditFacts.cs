using CreditGrains.Domain;

namespace CreditGrains.Standalone.Sqlite;

/// <summary>What an audit compares (G2): a contract's state and its entries, each read from where it is written.</summary>
internal static class AuditFacts
{
    public static List<LotFacts> Lots(Database database, string contractId)
    {
        var lots = database[$"select {Rows.Lot} from lots l where l.contract_id = ?"].Bind(contractId).All(Rows.ReadLot).ToDictionary(lot => lot.LotId);
        var credits = database["""
            select l.lot_id, sum(c.expiry_booked = 0), sum(c.expiry_booked) from lots l cross join credits c on c.lot = l.key
            where l.contract_id = ? and c.player_id is not null group by l.lot_id
            """].Bind(contractId).All(row => (Lot: row.Text(), Allocated: row.Number(), Expired: row.Number())).ToDictionary(row => row.Lot);
        var entries = database["select lot_id, kind, sum(quantity) from entries where contract_id = ? and lot_id is not null group by lot_id, kind"].Bind(contractId)
            .All(row => (Lot: row.Text(), Kind: Enum.Parse<EntryKind>(row.Text()), Quantity: row.Number())).ToDictionary(row => (row.Lot, row.Kind), row => row.Quantity);

        return [.. lots.Keys.Union(entries.Keys.Select(key => key.Lot)).Order(StringComparer.Ordinal).Select(id =>
        {
            var lot = lots.GetValueOrDefault(id);
            var touched = credits.GetValueOrDefault(id);
            var free = lot?.Free.Count ?? 0;
            var booked = lot is { ExpiryBooked: true };
            return new LotFacts(
                id, lot?.Quantity ?? 0, booked ? 0 : free, booked ? free : 0, touched.Allocated, touched.Expired,
                Told(EntryKind.LotGranted), Told(EntryKind.CreditsMinted), Told(EntryKind.CreditsCharged), Told(EntryKind.LotExpired), Told(EntryKind.CoverageExpired));

            long Told(EntryKind kind) => entries.GetValueOrDefault((id, kind));
        })];
    }

    public static List<UserFacts> Users(Database database, string contractId)
    {
        var used = ByUser("select user_id, total_used from members where contract_id = ?");
        var charged = ByUser($"select user_id, sum(quantity) from entries where contract_id = ? and user_id is not null and kind = '{EntryKind.CreditsCharged}' group by user_id");
        var reported = ByUser("select user_id, sum(charged) from reports where contract_id = ? group by user_id");
        return [.. used.Keys.Union(charged.Keys).Union(reported.Keys).Order(StringComparer.Ordinal)
            .Select(id => new UserFacts(id, used.GetValueOrDefault(id), charged.GetValueOrDefault(id), reported.GetValueOrDefault(id)))];

        Dictionary<string, long> ByUser(string sql) => database[sql].Bind(contractId).All(row => (User: row.Text(), Credits: row.Number())).ToDictionary(row => row.User, row => row.Credits);
    }
}
