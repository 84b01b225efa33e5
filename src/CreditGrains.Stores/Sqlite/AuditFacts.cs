using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>What an audit compares (G2): a contract's state and its entries, each read from where it is written.</summary>
internal static class AuditFacts
{
    public static List<LotFacts> Lots(Database database, string contractId)
    {
        var lots = database[$"select {Rows.Lot} from lots l where l.contract_id = ?"].Bind(contractId).All(Rows.ReadLot).ToLookup(lot => lot.LotId);
        var credits = database["""
            select l.lot_id, sum(c.player_id is not null and c.expiry_booked = 0), sum(c.player_id is not null and c.expiry_booked), sum(c.player_id is null) from lots l cross join credits c on c.lot = l.key
            where l.contract_id = ? group by l.lot_id
            """].Bind(contractId).All(row => (Lot: row.Text(), Allocated: row.Number(), Expired: row.Number(), Lapsed: row.Number())).ToDictionary(row => row.Lot);
        var entries = database["select lot_id, kind, sum(quantity) from entries where contract_id = ? and lot_id is not null group by lot_id, kind"].Bind(contractId)
            .All(row => (Lot: row.Text(), Kind: Enum.Parse<EntryKind>(row.Text()), Quantity: row.Number())).ToDictionary(row => (row.Lot, row.Kind), row => row.Quantity);

        return [.. lots.Select(lot => lot.Key).Union(entries.Keys.Select(key => key.Lot)).Order(StringComparer.Ordinal).Select(id =>
        {
            var touched = credits.GetValueOrDefault(id);
            return new LotFacts(
                id, lots[id].FirstOrDefault(lot => lot.Apart == 0)?.Quantity ?? 0, lots[id].Where(lot => !lot.ExpiryBooked).Sum(lot => lot.Free.Count),
                lots[id].Where(lot => lot.ExpiryBooked).Sum(lot => lot.Free.Count) + touched.Lapsed, touched.Allocated, touched.Expired,
                Told(EntryKind.LotGranted), Told(EntryKind.CreditsMinted), Told(EntryKind.CreditsCharged), Told(EntryKind.LotExpired), Told(EntryKind.CoverageExpired),
                Told(EntryKind.CreditsReturned));

            long Told(EntryKind kind) => entries.GetValueOrDefault((id, kind));
        })];
    }

    public static List<UserFacts> Users(Database database, string contractId)
    {
        var members = database[$"select {Rows.Member} from members m where m.contract_id = ?"].Bind(contractId).All(Rows.ReadMember).ToDictionary(member => member.UserId);
        var entries = database[$"""
            select user_id, kind, used_of, sum(quantity) from entries where contract_id = ? and user_id is not null and kind in ('{EntryKind.CreditsCharged}', '{EntryKind.CreditsReturned}', '{EntryKind.ExtraGranted}')
            group by user_id, kind, used_of
            """].Bind(contractId).All(row => (User: row.Text(), Kind: Enum.Parse<EntryKind>(row.Text()), UsedOf: row.OptionalText(), Credits: row.Number())).ToLookup(row => row.User);
        var reported = ByUser("select user_id, sum(charged) from reports where contract_id = ? group by user_id");
        return [.. members.Keys.Union(entries.Select(group => group.Key)).Union(reported.Keys).Order(StringComparer.Ordinal).Select(id =>
        {
            var allocation = members.GetValueOrDefault(id)?.Allocation ?? Allocation.None;
            var returned = entries[id].Where(row => row.Kind == EntryKind.CreditsReturned).ToList();
            var charged = entries[id].Where(row => row.Kind == EntryKind.CreditsCharged).ToList();
            return new UserFacts(
                id, allocation.TotalUsed, allocation.UsedInCycle, allocation.ExtraCredits, allocation.ExtraUsed,
                charged.Sum(row => row.Credits), Of($"{allocation.CycleKey}"), Of(Allocation.Extra), entries[id].Where(row => row.Kind == EntryKind.ExtraGranted).Sum(row => row.Credits),
                reported.GetValueOrDefault(id), returned.Sum(row => row.Credits));

            long Of(string right) => charged.Where(row => row.UsedOf == right).Sum(row => row.Credits) - returned.Where(row => row.UsedOf == right).Sum(row => row.Credits);
        })];

        Dictionary<string, long> ByUser(string sql) => database[sql].Bind(contractId).All(row => (User: row.Text(), Credits: row.Number())).ToDictionary(row => row.User, row => row.Credits);
    }
}
