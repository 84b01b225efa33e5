using CreditGrains.Domain;
using CreditGrains.Grains;
using Npgsql;

namespace CreditGrains.Stores.Postgres;

/// <summary>What reports have used, added up in one statement: reports by their instant, what was given back by its own.</summary>
internal static class UsageQuery
{
    private static readonly string Slot =
        $"case when at >= '{Usage.Rounded}' then {Binned(Usage.Slot.After)} else {Binned(Usage.Slot.Before)} end";

    /// <summary>From reports and entries alone.</summary>
    public static Query<AddedUsage> Of(UsageFilter filter)
    {
        var reports = Where(new($"client_id, contract_id, user_id, at, {OfReport}", "report"), filter, "at");
        var used = Where(new($"client_id, contract_id, user_id, effective_at, {OfEntry}", "entry", reports), filter, "effective_at").Where(IsReturned);
        return new(Sums(filter, $"{reports.All} union all {used.All}"), Read, used.Parameters);
    }

    /// <summary>From the days that are added up, and from the reports and entries before and behind.</summary>
    public static Query<AddedUsage> Of(UsageFilter filter, ILookup<bool, UsagePart> isOfDays)
    {
        const string Passes = "($7::text is null or t.user_id = $7) and ($8::text is null or t.client_id = $8)";
        return new(
            Sums(filter, $"""
                select t.client_id, t.contract_id, t.user_id, t.at, {OfReport} from unnest($1, $2, $3) as p (contract, low, high)
                join report t on t.contract_id = p.contract and t.at >= p.low and t.at < p.high where {Passes}
                union all
                select t.client_id, t.contract_id, t.user_id, t.effective_at, {OfEntry} from unnest($1, $2, $3) as p (contract, low, high)
                join entry t on t.contract_id = p.contract and t.effective_at >= p.low and t.effective_at < p.high where {Passes} and {IsReturned}
                union all
                select t.client_id, t.contract_id, t.user_id, t.begins, t.reports, t.charged, t.covered, t.given_back, 0
                from unnest($4, $5, $6) as p (contract, low, high)
                join usage_day t on t.contract_id = p.contract and t.begins >= p.low and t.begins < p.high where {Passes}
                """),
            Read, [.. Values(isOfDays[false]), .. Values(isOfDays[true]), Postgres.Values.Of(filter.UserId), Postgres.Values.Of(filter.ClientId)]);
    }

    /// <summary>The contracts that may have used something, and how far their days are added up.</summary>
    public static Query<UsageContract> Contracts(UsageFilter filter)
    {
        var contracts = new Select(
            $"d.id, {ZoneOf("d")}, (select u.ends from usage_day u where u.contract_id = d.id order by u.begins desc limit 1)", "document d")
            .Where($"d.kind = '{DocumentKind.Contract}'").WhereText("d.id", filter.ContractId).WhereText("d.owner", filter.ClientId);
        return new(contracts.All, row => new(row.Text(), row.Text(), row.OptionalInstant()), contracts.Parameters);
    }

    private const string OfReport = "1::bigint as reports, charged, covered, 0::bigint as returned, 1 as added", OfEntry = "0, 0, 0, quantity, 0";

    private static readonly string IsReturned = $"kind = '{EntryKind.CreditsReturned.Word()}' and user_id is not null";

    private static string Sums(UsageFilter filter, string used)
    {
        var (client, user) = filter.ByUser ? ("client_id", "user_id") : ("null::text", "null::text");
        var contract = filter.ByContract ? "contract_id" : "null::text";
        var zone = filter.ByTime
            ? $"(select {ZoneOf("d")} from document d where d.kind = '{DocumentKind.Contract}' and d.id = s.contract)"
            : "null::text";
        return $"""
            select s.client, s.contract, s.usr, s.slot, {zone}, s.reports, s.charged, s.covered, s.returned, s.added from (
                select {client} as client, {contract} as contract, {user} as usr, {(filter.ByTime ? Slot : "null::timestamptz")} as slot,
                       sum(reports)::bigint as reports, sum(charged)::bigint as charged, sum(covered)::bigint as covered, sum(returned)::bigint as returned,
                       sum(added)::bigint as added
                from ({used}) u group by 1, 2, 3, 4) s
            """;
    }

    private static string ZoneOf(string document) => $"{document}.body::jsonb #>> '{{value,terms,timeZone}}'";

    private static NpgsqlParameter[] Values(IEnumerable<UsagePart> parts) =>
    [
        Postgres.Values.Of(parts.Select(part => part.ContractId)), Postgres.Values.Of(parts.Select(part => part.From)),
        Postgres.Values.Of(parts.Select(part => part.To)),
    ];

    private static AddedUsage Read(PostgresRow row) => new(
        new(
            row.OptionalText(), row.OptionalText(), row.OptionalText(), row.OptionalInstant(), row.OptionalText(), row.Number(), row.Number(), row.Number(),
            row.Number()),
        row.Number());

    private static string Binned(NodaTime.Duration slot) => $"date_bin('{slot.TotalSeconds} seconds', at, '{Usage.Rounded}')";

    private static Select Where(Select select, UsageFilter filter, string at)
    {
        select.WhereText("contract_id", filter.ContractId).WhereText("user_id", filter.UserId).WhereText("client_id", filter.ClientId);
        if (filter.From is { } from) select.Where($"{at} >= ?", Postgres.Values.Of(from));
        if (filter.To is { } to) select.Where($"{at} < ?", Postgres.Values.Of(to));
        return select;
    }
}
