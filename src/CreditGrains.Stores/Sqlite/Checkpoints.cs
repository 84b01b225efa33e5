using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>The sums of entries: those of a checkpoint, and of the entries that are added to them.</summary>
internal static class Checkpoints
{
    /// <summary>Where a contract's checkpoints are, in their order.</summary>
    public static List<CheckpointPlace> Places(Database database, string contractId) =>
        database["select entry_id, earliest, latest, archived_before from checkpoint where contract_id = ? order by entry_id"].Bind(contractId).All(ReadPlace);

    /// <summary>What a contract's checkpoint and entries say.</summary>
    public static ToldSums Tell(Database database, string contractId, EntryRanges ranges, Instant? from = null, Instant? to = null)
    {
        var checkpoint = ranges.Checkpoint is { } place
            ? Select(database, "where contract_id = ? and entry_id = ?", contractId, place).Single()
            : null;
        return new(checkpoint, [.. ranges.Ranges.SelectMany(range => Added(database, contractId, range.Behind, range.UpTo, from, to))]);
    }

    /// <summary>The checkpoints that differ from the entries.</summary>
    public static ImmutableArray<Difference> Compare(Database database, string contractId)
    {
        var all = Select(database, $"where contract_id = ? and {Retention.IsBehindArchive} order by entry_id", contractId);
        return Checkpoint.Compare(all, i => Added(database, contractId, i == 0 ? long.MinValue : all[i - 1].EntryId, all[i].EntryId));
    }

    /// <summary>A contract's next checkpoint; null: too few entries came behind its last one.</summary>
    public static Checkpoint? Next(Database database, string contractId, int fewestEntries)
    {
        var last = Select(database, "where contract_id = ? order by entry_id desc limit 1", contractId).SingleOrDefault() ?? Checkpoint.None;
        var wanted = last.EntriesToNext(fewestEntries);
        var (count, place) = database["""
            select count(*), coalesce(max(entry_id), 0), coalesce(min(effective_at), 0), coalesce(max(effective_at), 0), null
            from (select entry_id, effective_at from entry where contract_id = ? and entry_id > ? order by entry_id limit ?)
            """].Bind(contractId).Bind(last.EntryId).Bind(wanted).All(row => (row.Number(), ReadPlace(row)))[0];
        return count < wanted ? null : last.Next(place, Added(database, contractId, last.EntryId, place.EntryId));
    }

    /// <summary>The archive's checkpoint of a contract up to an entry; all before are dropped.</summary>
    public static void Archive(Database database, string contractId, long upTo, Instant before)
    {
        var last = Select(database, "where contract_id = ? and archived_before is not null order by entry_id desc limit 1", contractId)
            .SingleOrDefault() ?? Checkpoint.None;
        var place = database["select ?, min(effective_at), max(effective_at), null from entry where contract_id = ? and entry_id > ? and entry_id <= ?"]
            .Bind(upTo).Bind(contractId).Bind(last.EntryId).Bind(upTo).All(ReadPlace)[0];
        var next = last.Next(place, Added(database, contractId, last.EntryId, upTo)).Archived(before);
        database["delete from checkpoint where contract_id = ? and entry_id <= ?"].Bind(contractId).Bind(upTo).Run();
        Write(database, contractId, next);
    }

    /// <summary>Writes it, unless it is there.</summary>
    public static bool Write(Database database, string contractId, Checkpoint next) =>
        database["insert into checkpoint (contract_id, entry_id, earliest, latest, archived_before, sums) values (?, ?, ?, ?, ?, ?) on conflict do nothing"]
            .Bind(contractId).Bind(next.EntryId).Bind(next.Earliest).Bind(next.Latest).Bind(next.ArchivedBefore).Bind(Json.Write(next.Sums)).Run() == 1;

    private static List<EntrySum> Added(
        Database database, string contractId, long behind, long upTo, Instant? from = null, Instant? to = null) => database["""
        select kind, lot_id, user_id, used_of, effective_at >= ?, sum(quantity), count(*) from entry
        where contract_id = ? and entry_id > ? and entry_id <= ? and effective_at <= ? group by 1, 2, 3, 4, 5
        """].Bind(from ?? Instant.MaxValue).Bind(contractId).Bind(behind).Bind(upTo).Bind(to ?? Instant.MaxValue)
        .All(row => new EntrySum(
            Words.Read<EntryKind>(row.Text()), row.OptionalText(), row.OptionalText(), row.OptionalText(), row.Flag(), row.Number(), row.Number()));

    private static List<Checkpoint> Select(Database database, string where, params IEnumerable<object> values) =>
        database[$"select entry_id, earliest, latest, archived_before, sums from checkpoint {where}"].BindAll(values).All(row =>
        {
            var place = ReadPlace(row);
            return new Checkpoint(place.EntryId, place.Earliest, place.Latest, Json.Read<EntrySums>(row.Text()), place.ArchivedBefore);
        });

    private static CheckpointPlace ReadPlace(Statement row) => new(row.Number(), row.Instant(), row.Instant(), row.OptionalInstant());
}
