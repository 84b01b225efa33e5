using System.Collections.Immutable;
using CreditGrains.Grains;
using CreditGrains.Domain;

namespace CreditGrains.Stores.Sqlite;

/// <summary>What reports have used, added up in one statement: reports by their instant, what was given back by its own.</summary>
internal static class UsageSums
{
    public static ImmutableArray<UsageRow> Of(Database database, UsageFilter filter)
    {
        var slot = filter.ByTime ? Slot : "null";
        var (client, contract, user) = filter.By == UsageBy.User ? ("client_id", "null", "user_id") : ("null", "contract_id", "null");
        var (reports, returns) = (Where(filter, "at"), Where(filter, "effective_at").And($"kind = '{EntryKind.CreditsReturned}'").And("user_id is not null"));
        var zone = filter.ByTime ? $"(select json_extract(d.body, '$.value.terms.timeZone') from documents d where d.kind = '{ContractActor.Kind}' and d.id = s.contract)" : "null";
        var statement = database[$"""
            select s.client, s.contract, s.user, s.slot, {zone}, s.reports, s.charged, s.covered, s.returned from (
                select {client} as client, {contract} as contract, {user} as user, {slot} as slot, sum(reports) as reports, sum(charged) as charged, sum(covered) as covered, sum(returned) as returned from (
                    select client_id, contract_id, user_id, at, 1 as reports, charged, covered, 0 as returned from reports {reports}
                    union all
                    select client_id, contract_id, user_id, effective_at, 0, 0, 0, quantity from entries {returns})
                group by 1, 2, 3, 4) s
            """];
        returns.Bind(reports.Bind(statement));
        return [.. statement.All(row => new UsageRow(row.OptionalText(), row.OptionalText(), row.OptionalText(), row.OptionalInstant(), row.OptionalText(), row.Number(), row.Number(), row.Number(), row.Number()))];
    }

    private static readonly string Slot =
        $"case when at >= {Usage.Rounded.ToMicroseconds()} then at - at % {Microseconds(Usage.Slot.After)} else at - (at % {Microseconds(Usage.Slot.Before)} + {Microseconds(Usage.Slot.Before)}) % {Microseconds(Usage.Slot.Before)} end";

    private static long Microseconds(NodaTime.Duration duration) => (long)duration.TotalMilliseconds * 1_000;

    private static Where Where(UsageFilter filter, string at)
    {
        var where = new Where().Equal("contract_id", filter.ContractId).Equal("user_id", filter.UserId).Equal("client_id", filter.ClientId);
        if (filter.From is { } from) where.And($"{at} >= ?", from);
        if (filter.To is { } to) where.And($"{at} < ?", to);
        return where;
    }
}
