using CreditGrains.Grains;
using CreditGrains.Domain;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>What reports have used, added up in one statement: reports by their instant, what was given back by its own.</summary>
internal static class UsageSums
{
    private static readonly string Slot =
        $"case when at >= '{Usage.Rounded}' then date_bin('{Usage.Slot.After.TotalSeconds} seconds', at, '{Usage.Rounded}') else date_bin('{Usage.Slot.Before.TotalSeconds} seconds', at, '{Usage.Rounded}') end";

    public static (string Sql, NpgsqlParameter[] Parameters) Of(UsageFilter filter)
    {
        var reports = Where(new("client_id, contract_id, user_id, at, 1::bigint as reports, charged::bigint as charged, covered::bigint as covered, 0::bigint as returned", "report"), filter, "at");
        var used = Where(new("client_id, contract_id, user_id, effective_at, 0, 0, 0, quantity", "entry", reports), filter, "effective_at").Where($"kind = '{EntryKind.CreditsReturned.ToSql()}'").Where("user_id is not null");
        var (client, contract, user) = filter.By == UsageBy.User ? ("client_id", "null::text", "user_id") : ("null::text", "contract_id", "null::text");
        var zone = filter.ByTime ? $"(select d.body::jsonb #>> '{{value,terms,timeZone}}' from document d where d.kind = '{ContractActor.Kind}' and d.id = s.contract)" : "null::text";
        return ($"""
            select s.client, s.contract, s.usr, s.slot, {zone}, s.reports, s.charged, s.covered, s.returned from (
                select {client} as client, {contract} as contract, {user} as usr, {(filter.ByTime ? Slot : "null::timestamptz")} as slot,
                       sum(reports)::bigint as reports, sum(charged)::bigint as charged, sum(covered)::bigint as covered, sum(returned)::bigint as returned
                from ({reports.All} union all {used.All}) u group by 1, 2, 3, 4) s
            """, used.Parameters);
    }

    public static UsageRow Read(NpgsqlDataReader row) => new(
        row.TextOrNull(0), row.TextOrNull(1), row.TextOrNull(2), row.InstantOrNull(3), row.TextOrNull(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8));

    private static Select Where(Select select, UsageFilter filter, string at)
    {
        select.WhereText("contract_id", filter.ContractId).WhereText("user_id", filter.UserId).WhereText("client_id", filter.ClientId);
        if (filter.From is { } from) select.Where($"{at} >= ?", Sql.At(from));
        if (filter.To is { } to) select.Where($"{at} < ?", Sql.At(to));
        return select;
    }
}
