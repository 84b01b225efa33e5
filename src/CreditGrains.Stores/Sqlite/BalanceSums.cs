using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>What a balance is made of (G3): the sums of a contract's entries up to an instant, and what is over by then and not booked.</summary>
internal static class BalanceSums
{
    public static List<LotMovements> Lots(Database database, string contractId, Instant at, Instant now)
    {
        var entries = database["select lot_id, kind, sum(quantity) from entries where contract_id = ? and effective_at <= ? and lot_id is not null group by lot_id, kind"].Bind(contractId).Bind(at)
            .All(row => (Lot: row.Text(), Kind: Enum.Parse<EntryKind>(row.Text()), Quantity: row.Number())).ToDictionary(row => (row.Lot, row.Kind), row => row.Quantity);
        var over = database[Over(isPast: at <= now)].Bind(Rows.LotKey(contractId, "")[..^1]).Bind($"{contractId}\x7f").Bind(at)
            .All(row => (Key: row.Text(), Credits: row.Number())).ToDictionary(row => row.Key, row => row.Credits);
        return [.. database["select lot_id, available_from from lots where contract_id = ? and apart = 0"].Bind(contractId).All(row => (Id: row.Text(), From: row.Instant())).Select(lot => new LotMovements(
            lot.Id, lot.From, Told(lot.Id, EntryKind.LotGranted), Told(lot.Id, EntryKind.CreditsMinted), Told(lot.Id, EntryKind.CreditsCharged), Told(lot.Id, EntryKind.CreditsReturned),
            Told(lot.Id, EntryKind.LotExpired), Told(lot.Id, EntryKind.CoverageExpired), over.GetValueOrDefault(Rows.LotKey(contractId, lot.Id)))).Where(lot => lot.Granted + lot.Minted > 0)];

        long Told(string lot, EntryKind kind) => entries.GetValueOrDefault((lot, kind));
    }

    public static ImmutableArray<UserTotal> Users(Database database, string contractId, Instant at) => [.. database[$"""
        select user_id, sum(case kind when '{EntryKind.CreditsCharged}' then quantity else -quantity end) from entries
        where contract_id = ? and effective_at <= ? and user_id is not null and kind in ('{EntryKind.CreditsCharged}', '{EntryKind.CreditsReturned}') group by user_id order by user_id
        """].Bind(contractId).Bind(at).All(row => new UserTotal(row.Text(), row.Number()))];

    // Of what is past, little is not booked, whatever the contract; of what is to come, most is, so that the contract's own credits are counted.
    private static string Over(bool isPast) => isPast
        ? "select lot, count(*) from credits indexed by credits_due where +lot > ? and +lot < ? and expiry_booked = 0 and player_id is not null and expires_at <= ? group by lot"
        : "select lot, count(*) from credits where lot > ? and lot < ? and +expiry_booked = 0 and player_id is not null and +expires_at <= ? group by lot";
}
