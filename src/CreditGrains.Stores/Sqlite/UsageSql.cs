using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

/// <summary>What reports have used: reports by their instant, what was given back by its own, and days that are over and added up.</summary>
internal static class UsageSql
{
    /// <summary>On one snapshot. A user's own reports are found by an index of the user's, whatever the contract.</summary>
    public static List<AddedUsage> Read(Database database, UsageFilter filter)
    {
        if (filter is { UserId: not null, ContractId: null }) return OfReports(database, filter);
        var contracts = Contracts(database, filter);
        return contracts.TrueForAll(contract => contract.Until is null)
            ? OfReports(database, filter)
            : [.. contracts.SelectMany(contract => contract.Parts(filter)).SelectMany(part => Of(database, filter, part))];
    }

    /// <summary>The contract's next days to write; none: too few reports came since its last one, or they are of a day that is not over.</summary>
    public static List<UsageDay> Next(Database database, string contractId, int fewestReports)
    {
        if (SqliteStore.ReadDocument(database, DocumentKind.Contract, contractId) is not { } document) return [];
        var zone = document.AsContract().Terms.Zone;
        var until = Contracts(database, new(null, contractId, null, null, null))[0].Until ?? Instant.MinValue;
        var (count, first) = database["select count(*), min(at) from (select at from report where contract_id = ? and at >= ? order by at limit ?)"]
            .Bind(contractId).Bind(until).Bind(fewestReports).All(row => (row.Number(), row.OptionalInstant()))[0];
        if (count < fewestReports) return [];
        var returned = database[$"select min(effective_at) from entry where kind = '{Returned}' and contract_id = ? and effective_at >= ?"]
            .Bind(contractId).Bind(until).All(row => row.OptionalInstant())[0];
        var begin = Instant.Min(first!.Value, returned ?? Instant.MaxValue);
        var end = UsageDay.NextEnd(begin, document.AsOf, zone);
        if (end <= begin) return [];
        var filter = new UsageFilter(null, contractId, null, until, end, UsageBy.User, UsageBy.Day);
        return [.. UsageDay.Of(OfReports(database, filter).Select(added => added.Row), zone)];
    }

    /// <summary>Writes days, unless they are there.</summary>
    public static bool Write(Database database, string contractId, List<UsageDay> days)
    {
        foreach (var day in days)
            database["""
                insert into usage_day (contract_id, begins, user_id, client_id, ends, reports, charged, covered, given_back)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
                """].Bind(contractId).Bind(day.Begins).Bind(day.UserId).Bind(day.ClientId).Bind(day.Ends)
                .Bind(day.Sums.Reports).Bind(day.Sums.Charged).Bind(day.Sums.Covered).Bind(day.Sums.GivenBack).Run();
        return true;
    }

    private static readonly string Returned = EntryKind.CreditsReturned.Word();

    private const string Zone = "(select json_extract(d.body, '$.value.terms.timeZone') from document d where d.kind = 'contract' and d.id = s.contract)";

    private static readonly (long After, long Before) Length = (Microseconds(Usage.Slot.After), Microseconds(Usage.Slot.Before));

    private static readonly string Slot = $"""
        case when at >= {Usage.Rounded.ToMicroseconds()} then at - at % {Length.After}
        else at - (at % {Length.Before} + {Length.Before}) % {Length.Before} end
        """;

    private static List<UsageContract> Contracts(Database database, UsageFilter filter)
    {
        var where = new Where().And("d.kind = ?", DocumentKind.Contract).Equal("d.id", filter.ContractId).Equal("d.owner", filter.ClientId);
        return where.Bind(database[$"""
            select d.id, json_extract(d.body, '$.value.terms.timeZone'),
                (select u.ends from usage_day u where u.contract_id = d.id order by u.begins desc limit 1)
            from document d {where}
            """]).All(row => new UsageContract(row.Text(), row.Text(), row.OptionalInstant()));
    }

    private static List<AddedUsage> Of(Database database, UsageFilter filter, UsagePart part)
    {
        var within = filter with { ContractId = part.ContractId, From = part.From, To = part.To };
        if (!part.IsOfDays) return OfReports(database, within, filter);
        var days = Within(within, "begins");
        return Sums(filter, $"""
            select client_id, contract_id, user_id, begins as at, reports, charged, covered, given_back as returned, 0 as added
            from usage_day {days}
            """, database, days);
    }

    private static List<AddedUsage> OfReports(Database database, UsageFilter within, UsageFilter? by = null)
    {
        var reports = Within(within, "at");
        var returns = Within(within, "effective_at").And($"kind = '{Returned}'").And("user_id is not null");
        return Sums(by ?? within, $"""
            select client_id, contract_id, user_id, at, 1 as reports, charged, covered, 0 as returned, 1 as added from report {reports}
            union all
            select client_id, contract_id, user_id, effective_at, 0, 0, 0, quantity, 0 from entry {returns}
            """, database, reports, returns);
    }

    private static List<AddedUsage> Sums(UsageFilter filter, string used, Database database, params ReadOnlySpan<Where> values)
    {
        var (client, user) = filter.ByUser ? ("client_id", "user_id") : ("null", "null");
        var contract = filter.ByContract ? "contract_id" : "null";
        var (slot, zone) = filter.ByTime ? (Slot, Zone) : ("null", "null");
        var statement = database[$"""
            select s.client, s.contract, s.user, s.slot, {zone}, s.reports, s.charged, s.covered, s.returned, s.added from (
                select {client} as client, {contract} as contract, {user} as user, {slot} as slot,
                       sum(reports) as reports, sum(charged) as charged, sum(covered) as covered, sum(returned) as returned, sum(added) as added
                from ({used})
                group by 1, 2, 3, 4) s
            """];
        foreach (var where in values) where.Bind(statement);
        return statement.All(row => new AddedUsage(
            new(
                row.OptionalText(), row.OptionalText(), row.OptionalText(), row.OptionalInstant(), row.OptionalText(),
                row.Number(), row.Number(), row.Number(), row.Number()),
            row.Number()));
    }

    private static Where Within(UsageFilter filter, string at)
    {
        var where = new Where().Equal("contract_id", filter.ContractId).Equal("user_id", filter.UserId).Equal("client_id", filter.ClientId);
        if (filter.From is { } from) where.And($"{at} >= ?", from);
        if (filter.To is { } to) where.And($"{at} < ?", to);
        return where;
    }

    private static long Microseconds(Duration duration) => (long)duration.TotalMilliseconds * 1_000;
}
