using CreditGrains.Domain;
using CreditGrains.Grains;

namespace CreditGrains.Stores.Postgres;

/// <summary>What reports have used, added up in one statement: reports by their instant, what was given back by its own.</summary>
internal static class UsageQuery
{
    private static readonly string Slot =
        $"case when at >= '{Usage.Rounded}' then {Binned(Usage.Slot.After)} else {Binned(Usage.Slot.Before)} end";

    public static Query<UsageRow> Of(UsageFilter filter)
    {
        var reports = Where(new("client_id, contract_id, user_id, at, 1::bigint as reports, charged, covered, 0::bigint as returned", "report"), filter, "at");
        var used = Where(new("client_id, contract_id, user_id, effective_at, 0, 0, 0, quantity", "entry", reports), filter, "effective_at")
            .Where($"kind = '{EntryKind.CreditsReturned.Word()}'").Where("user_id is not null");
        var (client, user) = filter.ByUser ? ("client_id", "user_id") : ("null::text", "null::text");
        var contract = filter.ByContract ? "contract_id" : "null::text";
        var zone = filter.ByTime
            ? $"(select d.body::jsonb #>> '{{value,terms,timeZone}}' from document d where d.kind = '{DocumentKind.Contract}' and d.id = s.contract)"
            : "null::text";
        return new(
            $"""
            select s.client, s.contract, s.usr, s.slot, {zone}, s.reports, s.charged, s.covered, s.returned from (
                select {client} as client, {contract} as contract, {user} as usr, {(filter.ByTime ? Slot : "null::timestamptz")} as slot,
                       sum(reports)::bigint as reports, sum(charged)::bigint as charged, sum(covered)::bigint as covered, sum(returned)::bigint as returned
                from ({reports.All} union all {used.All}) u group by 1, 2, 3, 4) s
            """, Read, used.Parameters);
    }

    private static UsageRow Read(PostgresRow row) => new(
        row.OptionalText(), row.OptionalText(), row.OptionalText(), row.OptionalInstant(), row.OptionalText(), row.Number(), row.Number(), row.Number(), row.Number());

    private static string Binned(NodaTime.Duration slot) => $"date_bin('{slot.TotalSeconds} seconds', at, '{Usage.Rounded}')";

    private static Select Where(Select select, UsageFilter filter, string at)
    {
        select.WhereText("contract_id", filter.ContractId).WhereText("user_id", filter.UserId).WhereText("client_id", filter.ClientId);
        if (filter.From is { } from) select.Where($"{at} >= ?", Values.Of(from));
        if (filter.To is { } to) select.Where($"{at} < ?", Values.Of(to));
        return select;
    }
}
