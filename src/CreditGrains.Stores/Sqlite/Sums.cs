using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>What audits, balances and usage are added up from, most of it out of indexes alone.</summary>
internal static class Sums
{
    /// <summary>What an audit compares (G2).</summary>
    public static AuditSums Audit(Database database, string contractId, bool isFull)
    {
        var places = Checkpoints.Places(database, contractId);
        var ranges = isFull ? EntryRanges.All(places) : EntryRanges.Of(places, Instant.MaxValue, Instant.MaxValue);
        var told = Checkpoints.Tell(database, contractId, ranges);
        var lots = SqliteStore.All(database, LotRow.Instance, "l.contract_id = ?", contractId).Select(listed => listed.Lot).ToList();
        var ended = database["select l.lot_id, f.credits from lot l join ended f on f.lot = l.key where l.contract_id = ?"].Bind(contractId)
            .All(row => (LotId: row.Text(), Credits: row.Number())).ToDictionary(lot => lot.LotId, lot => lot.Credits);
        var sums = new AuditSums(lots, SqliteStore.All(database, MemberRow.Instance, "m.contract_id = ?", contractId), told) { Ended = ended };
        return !isFull && told.Checkpoint is not null ? sums
            : sums with { Counted = Count(database, contractId), Checkpoints = Checkpoints.Compare(database, contractId) };
    }

    private static CountedRows Count(Database database, string contractId)
    {
        var touched = database["""
            select l.lot_id, sum(c.player_id is not null), sum(c.player_id is not null and c.expires_at is not null and c.held_until is null),
                   sum(c.player_id is null),
                   coalesce((select sum(g.credits) from ending g where g.client_id = l.client_id and g.lot = l.key), 0)
            from lot l cross join credit c on c.lot = l.key where l.contract_id = ? group by l.key
            """].Bind(contractId).All(row => new TouchedSum(row.Text(), row.Number(), row.Number(), row.Number(), row.Number()));
        var reported = database["select user_id, sum(charged) from report where contract_id = ? group by user_id"]
            .Bind(contractId).All(row => (UserId: row.Text(), Charged: row.Number()));
        return new(touched, reported.ToDictionary(sum => sum.UserId, sum => sum.Charged));
    }

    /// <summary>What an account's audit compares (G2).</summary>
    public static AccountSums Account(Database database, string accountId)
    {
        var purchases = SqliteStore.All(database, PurchaseRow.Instance, "b.account_id = ?", accountId);
        var milestones = SqliteStore.All(
            database, MilestoneRow.Instance, "s.project_id in (select project_id from project where account_id = ?)", accountId);
        var told = database["""
            select subject, kind, sum(services_credits) from entry
            where account_id = ? and services_credits is not null group by subject, kind
            """].Bind(accountId).All(row => new ServicesSum(row.Text(), ReadKind(row), row.Quantity()));
        var recorded = database["""
            select purchase_id, milestone_id, sum(quantity) from consumption where account_id = ? group by purchase_id, milestone_id
            """].Bind(accountId).All(row => new RecordSum(row.Text(), row.OptionalText(), row.Quantity()));
        return new(purchases, milestones, told, recorded);
    }

    /// <summary>What a balance is made of (G3).</summary>
    public static BalanceSums Balance(Database database, StoredContract contract, Instant at)
    {
        var contractId = contract.Document.Id;
        var told = Checkpoints.Tell(database, contractId, BalanceSums.RangesOf(Checkpoints.Places(database, contractId), at), to: at);
        return new(contract, at, [.. Lots(database, contractId).Select(lot => (lot.LotId, lot.AvailableFrom))], told, Over(database, contract, at));
    }

    /// <summary>What a statement is made of (G5).</summary>
    public static StatementSums Statement(Database database, StoredContract contract, StatementTime time)
    {
        var contractId = contract.Document.Id;
        var ranges = StatementSums.RangesOf(contract, Checkpoints.Places(database, contractId), time);
        var told = Checkpoints.Tell(database, contractId, ranges, time.Begin, time.Last);
        var over = database["""
            select lot, used_by, sum(credits) from ending where client_id = ? and ends_at >= ? and ends_at <= ? and lot > ? and lot < ? group by lot, used_by
            """].Bind(contract.Document.Owner).Bind(time.Begin).Bind(time.Last).Bind($"{contractId}~").Bind($"{contractId}\x7f")
            .All(row => new MovedSum(EntryKind.CoverageExpired, LotKeys.Credit(row.Text(), 1).LotId, row.OptionalText(), row.Number()));
        var lots = Lots(database, contractId);
        return new(
            contract, time, [.. lots.Select(lot => (lot.LotId, lot.AvailableFrom))], told, Over(database, contract, time.Before),
            Over(database, contract, time.Last), over, lots.ToDictionary(lot => lot.LotId, lot => lot.PaymentId));
    }

    private static List<(string LotId, Instant AvailableFrom, string PaymentId)> Lots(Database database, string contractId) =>
        database["select lot_id, available_from, payment_id from lot where contract_id = ? and apart = 0"]
            .Bind(contractId).All(row => (row.Text(), row.Instant(), row.Text()));

    // Ends of coverage that have come by then and are not booked, by lot.
    private static Dictionary<string, long> Over(Database database, StoredContract contract, Instant at) =>
        database["select lot, sum(credits) from ending where client_id = ? and ends_at <= ? and lot > ? and lot < ? group by lot"]
            .Bind(contract.Document.Owner).Bind(at).Bind($"{contract.Document.Id}~").Bind($"{contract.Document.Id}\x7f")
            .All(row => (Lot: LotKeys.Credit(row.Text(), 1).LotId, Credits: row.Number())).ToDictionary(lot => lot.Lot, lot => lot.Credits);

    /// <summary>What moved of an account's purchases in the time of a statement (G5).</summary>
    public static List<(EntryKind, string, string, decimal)> Moved(Database database, string accountId, StatementTime time) => database["""
        select kind, subject, cause, sum(services_credits) from entry
        where account_id = ? and services_credits is not null and effective_at >= ? and effective_at <= ? group by kind, subject, cause
        """].Bind(accountId).Bind(time.Begin).Bind(time.Last).All(row => (ReadKind(row), row.Text(), row.Text(), row.Quantity()));

    /// <summary>What a contract's figures are made of (C4).</summary>
    public static ContractFacts Facts(Database database, StoredContract contract, Instant since)
    {
        var id = contract.Document.Id;
        var (users, used) = database["select count(*) filter (where assigned = 1), coalesce(sum(total_used), 0) from member where contract_id = ?"]
            .Bind(id).All(row => (row.Number(), row.Number()))[0];
        var charged = Sum(database["select coalesce(sum(charged), 0) from report where contract_id = ? and at > ?"]);
        var returned = Sum(database[$"""
            select coalesce(sum(quantity), 0) from entry where kind = '{EntryKind.CreditsReturned.Word()}' and contract_id = ? and effective_at > ?
            """]);
        return new(contract, users, used, charged - returned);

        long Sum(Statement statement) => statement.Bind(id).Bind(since).All(row => row.Number())[0];
    }

    /// <summary>These kinds as a list of SQL.</summary>
    public static string Words(IEnumerable<EntryKind> kinds) => string.Join(", ", kinds.Select(kind => $"'{kind.Word()}'"));

    private static EntryKind ReadKind(Statement row) => Domain.Words.Read<EntryKind>(row.Text());
}
