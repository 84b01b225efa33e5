using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

// The sums of entries: those of a checkpoint, and of the entries that are added to them; and usage of days that are over.
public sealed partial class PostgresStore
{
    // What a contract's checkpoint and entries say, once the reading has run.
    private static Func<ToldSums> Tell(Reading reading, string contractId, EntryRanges ranges, Instant? from = null, Instant? to = null)
    {
        var checkpoint = ranges.Checkpoint is { } place
            ? reading.Add(CheckpointsOf("where contract_id = $1 and entry_id = $2", Values.Of(contractId), Values.Of(place)))
            : [];
        var added = reading.Add(Added(contractId, ranges.Ranges, from, to));
        return () => new(checkpoint.SingleOrDefault(), added);
    }

    private static Query<EntrySum> Added(string contractId, ImmutableArray<(long Behind, long UpTo)> ranges, Instant? from = null, Instant? to = null) => new(
        """
        select e.kind, e.lot_id, e.user_id, e.used_of, e.effective_at >= $4, sum(e.quantity)::bigint, count(*)
        from unnest($2, $3) as r (behind, up_to) join entry e on e.contract_id = $1 and e.entry_id > r.behind and e.entry_id <= r.up_to
        where e.effective_at <= $5 group by 1, 2, 3, 4, 5
        """,
        row => new(
            Words.Read<EntryKind>(row.Text()), row.OptionalText(), row.OptionalText(), row.OptionalText(), row.Flag(), row.Number(), row.Number()),
        Values.Of(contractId), Values.Of(ranges.Select(range => range.Behind)), Values.Of(ranges.Select(range => range.UpTo)),
        Values.Of(from ?? Instant.MaxValue), Values.Of(to ?? Instant.MaxValue));

    private static Query<CheckpointPlace> PlacesOf(string contractId) => new(
        "select entry_id, earliest, latest, archived_before from checkpoint where contract_id = $1 order by entry_id", ReadPlace, Values.Of(contractId));

    private static Query<Checkpoint> CheckpointsOf(string then, params NpgsqlParameter[] values) => new(
        $"select entry_id, earliest, latest, archived_before, sums from checkpoint {then}",
        row =>
        {
            var place = ReadPlace(row);
            return new(place.EntryId, place.Earliest, place.Latest, Json.Read<EntrySums>(row.Text()), place.ArchivedBefore);
        }, values);

    private static CheckpointPlace ReadPlace(PostgresRow row) => new(row.Number(), row.Instant(), row.Instant(), row.OptionalInstant());

    // The checkpoints that differ from the entries.
    private static async Task<ImmutableArray<Difference>> Compare(NpgsqlConnection connection, string contractId)
    {
        var all = new Reading();
        var checkpoints = all.Add(CheckpointsOf($"where contract_id = $1 and {Retention.IsBehindArchive} order by entry_id", Values.Of(contractId)));
        await all.Send(connection);
        if (checkpoints.Count == 0) return [];
        var reading = new Reading();
        var added = checkpoints
            .Select((checkpoint, i) => reading.Add(Added(contractId, [(i == 0 ? long.MinValue : checkpoints[i - 1].EntryId, checkpoint.EntryId)]))).ToList();
        await reading.Send(connection);
        return Checkpoint.Compare(checkpoints, i => added[i]);
    }

    /// <summary>Writes all of a contract's checkpoints and days of usage that are worth it: of so many entries or reports at least.</summary>
    internal async Task WriteCheckpoints(string contractId, int fewest)
    {
        while (await WriteNext(contractId, fewest)) { }
    }

    private async Task<bool> WriteNext(string contractId, int fewest) =>
        await WriteCheckpoint(contractId, fewest) || await WriteUsageDays(contractId, fewest);

    // What an archive moves meanwhile is on the snapshot still; of two writers the later finds the checkpoint there.
    private async Task<bool> WriteCheckpoint(string contractId, int fewestEntries)
    {
        var next = await Connected(async connection =>
        {
            await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            return await Next(connection, contractId, fewestEntries);
        });
        if (next is null) return false;
        await All(Write(contractId, next));
        return true;
    }

    // null: too few entries came behind the last one.
    private static async Task<Checkpoint?> Next(NpgsqlConnection connection, string contractId, int fewestEntries)
    {
        var last = await Last(connection, "where contract_id = $1", contractId);
        var wanted = last.EntriesToNext(fewestEntries);
        var (count, place) = (await connection.All(new Query<(long Count, CheckpointPlace Place)>(
            $"""
            select count(*), coalesce(max(entry_id), 0), coalesce(min(effective_at), 'infinity'), coalesce(max(effective_at), 'infinity'), null::timestamptz
            from (select e.entry_id, e.effective_at from entry e where e.contract_id = $1 and e.entry_id > $2 and {IsSettled} order by e.entry_id limit $3) s
            """, row => (row.Number(), ReadPlace(row)), Values.Of(contractId), Values.Of(last.EntryId), Values.Of(wanted))))[0];
        return count < wanted ? null : last.Next(place, await connection.All(Added(contractId, [(last.EntryId, place.EntryId)])));
    }

    private static async Task<Checkpoint> Last(NpgsqlConnection connection, string where, string contractId) =>
        (await connection.All(CheckpointsOf($"{where} order by entry_id desc limit 1", Values.Of(contractId)))).SingleOrDefault() ?? Checkpoint.None;

    /// <summary>Writes an archive's checkpoint of a contract up to an entry, which is settled; all before are dropped.</summary>
    internal static async Task Archive(NpgsqlConnection connection, string contractId, long upTo, Instant before)
    {
        var last = await Last(connection, "where contract_id = $1 and archived_before is not null", contractId);
        var place = (await connection.All(new Query<CheckpointPlace>(
            """
            select $3, min(effective_at), max(effective_at), null::timestamptz from entry where contract_id = $1 and entry_id > $2 and entry_id <= $3
            """, ReadPlace, Values.Of(contractId), Values.Of(last.EntryId), Values.Of(upTo))))[0];
        var next = last.Next(place, await connection.All(Added(contractId, [(last.EntryId, upTo)]))).Archived(before);
        var writing = new Reading();
        writing.Add(new Query<bool>("delete from checkpoint where contract_id = $1 and entry_id <= $2", _ => true, Values.Of(contractId), Values.Of(upTo)));
        writing.Add(Write(contractId, next));
        await writing.Send(connection);
    }

    private static Query<bool> Write(string contractId, Checkpoint next) => new(
        """
        insert into checkpoint (contract_id, entry_id, earliest, latest, archived_before, sums) values ($1, $2, $3, $4, $5, $6) on conflict do nothing
        """, _ => true, Values.Of(contractId), Values.Of(next.EntryId), Values.Of(next.Earliest), Values.Of(next.Latest), Values.Of(next.ArchivedBefore),
        Values.Of(Json.Write(next.Sums)));

    // A user's own reports are found by an index of the user's, whatever the contract.
    private async Task<Query<AddedUsage>> UsageOf(UsageFilter filter)
    {
        if (filter is { UserId: not null, ContractId: null }) return UsageQuery.Of(filter);
        var contracts = await All(UsageQuery.Contracts(filter));
        return contracts.TrueForAll(contract => contract.Until is null)
            ? UsageQuery.Of(filter)
            : UsageQuery.Of(filter, contracts.SelectMany(contract => contract.Parts(filter)).ToLookup(part => part.IsOfDays));
    }

    private async Task<bool> WriteUsageDays(string contractId, int fewestReports)
    {
        if (await One(DocumentOf(DocumentKind.Contract, contractId)) is not { } document) return false;
        var zone = document.AsContract().Terms.Zone;
        var until = (await All(UsageQuery.Contracts(new(null, contractId, null, null, null))))[0].Until ?? Instant.MinValue;
        var (count, first) = (await All(new Query<(long, Instant?)>(
            $"""
            select count(*), least(min(at), (
                select min(effective_at) from entry where contract_id = $1 and effective_at >= $2 and kind = '{EntryKind.CreditsReturned.Word()}'))
            from (select at from report where contract_id = $1 and at >= $2 order by at limit $3) r
            """, row => (row.Number(), row.OptionalInstant()), Values.Of(contractId), Values.Of(until), Values.Of(fewestReports))))[0];
        if (count < fewestReports) return false;
        var end = UsageDay.NextEnd(first!.Value, document.AsOf, zone);
        if (end <= first) return false;
        var used = await All(UsageQuery.Of(new(null, contractId, null, until == Instant.MinValue ? null : until, end, UsageBy.User, UsageBy.Day)));
        var days = UsageDay.Of(used.Select(added => added.Row), zone).ToList();
        await All(new Query<bool>(
            """
            insert into usage_day (contract_id, client_id, user_id, begins, ends, reports, charged, covered, given_back)
            select $1, * from unnest($2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing
            """, _ => true,
            Values.Of(contractId), Values.Of(days.Select(day => day.ClientId)), Values.Of(days.Select(day => day.UserId)),
            Values.Of(days.Select(day => day.Begins)), Values.Of(days.Select(day => day.Ends)),
            Values.Of(days.Select(day => day.Sums.Reports)), Values.Of(days.Select(day => day.Sums.Charged)),
            Values.Of(days.Select(day => day.Sums.Covered)), Values.Of(days.Select(day => day.Sums.GivenBack))));
        return true;
    }
}
