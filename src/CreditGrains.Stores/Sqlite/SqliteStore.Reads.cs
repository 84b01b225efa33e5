using System.Collections.Immutable;
using CreditGrains.Domain;
using CreditGrains.Grains;
using NodaTime;

namespace CreditGrains.Stores.Sqlite;

// What the answers of both ports are made of.
public sealed partial class SqliteStore
{
    /// <summary>Those of the wanted rows that are there.</summary>
    internal static Rows ReadRows(Database database, Wanted wanted)
    {
        var (client, contract) = (wanted.ClientId, wanted.ContractId);
        var requests =
            Found(wanted.Requests, DocumentRow.Instance, key => RowKey.Document(DocumentKind.Request, key));
        return new(
            Found(wanted.Players, PlayerRow.Instance, id => RowKey.Player(client, id)),
            Found(wanted.Users, MemberRow.Instance, id => RowKey.Member(contract, id)),
            Found(wanted.Reports, ReportRow.Instance, id => RowKey.Report(client, id)),
            requests.ToDictionary(request => request.Key, request =>
                Json.Read<KeyedRequest>(request.Value.Body) with { ForgetAt = request.Value.DueAt }))
        {
            Credits = wanted.Credits.Distinct().Select(id => One(database, CreditRow.Instance, RowKey.Credit(id))).OfType<Credit>()
                .ToDictionary(credit => credit.Id),
            Endings = wanted.Endings.Distinct().Select(key => One(database, EndingRow.Instance, key.Row)).OfType<Ending>().ToDictionary(ending => ending.Key),
        };

        Dictionary<string, TRow> Found<TChange, TRow>(IReadOnlyCollection<string> ids, Row<TChange, TRow> row, Func<string, RowKey> key)
            where TChange : Change where TRow : class
        {
            var found = new Dictionary<string, TRow>(ids.Count);
            foreach (var id in ids)
                if (One(database, row, key(id)) is { } there) found[id] = there;
            return found;
        }
    }

    private static TRow? One<TChange, TRow>(Database database, Row<TChange, TRow> row, RowKey key)
        where TChange : Change where TRow : class =>
        database[Keyed<TChange, TRow>.Select(row)].Bind(row.Key, key).First(row.Read);

    internal static List<TRow> All<TChange, TRow>(Database database, Row<TChange, TRow> row, string where,
        params IEnumerable<object> values)
        where TChange : Change =>
        database[$"select {row.Selected} from {row.From} where {where}"].BindAll(values).All(row.Read);

    internal static Document? ReadDocument(Database database, string kind, string id) =>
        One(database, DocumentRow.Instance, RowKey.Document(kind, id));

    private static StoredContract? ReadContract(Database database, string contractId) =>
        ReadDocument(database, DocumentKind.Contract, contractId) is { } document ? WithOpenLots(database, document) : null;

    private static StoredContract WithOpenLots(Database database, Document document)
    {
        var lots = All(database, LotRow.Instance, "l.contract_id = ? and l.is_open = 1 order by l.key", document.Id);
        return new(document, [.. lots.Select(listed => listed.Lot)]) 
        {
            Holds = ReadHolds(database, document, lots.Where(listed => listed.Lot.Apart > 0).Select(listed => listed.Lot.LotId)),
        };
    }

    private static StoredHolds ReadHolds(Database database, Document contract, IEnumerable<string> apart)
    {
        var credits = All(
            database, CreditRow.Instance, "c.lot > ? and c.lot < ? and c.held_until is not null order by c.lot, c.ordinal",
            $"{contract.Id}~", $"{contract.Id}\x7f");
        var lots = credits.Select(credit => credit.Id.LotId).Concat(apart).Distinct()
            .Select(id => One(database, LotRow.Instance, new(RowKind.Lot, contract.Id, id))!.Lot).Where(lot => !lot.IsOpen);
        var reports = credits.Select(credit => credit.ReportId!).Distinct()
            .Select(id => One(database, ReportRow.Instance, RowKey.Report(contract.Owner, id))!).ToImmutableArray();
        var members = reports.Select(report => report.UserId).Distinct().Select(id => One(database, MemberRow.Instance, RowKey.Member(contract.Id, id))!);
        return new([.. credits], reports, [.. lots], [.. members]);
    }

    private static List<Member> ReadMembers(Database database, string contractId) =>
        All(database, MemberRow.Instance, "m.contract_id = ? order by m.user_id", contractId);

    private static StoredMember? ReadStoredMember(Database database, AllocationKey key) => database.Snapshot(() =>
        ReadDocument(database, DocumentKind.Contract, key.ContractId) is { } contract
            && One(database, MemberRow.Instance, RowKey.Member(key.ContractId, key.UserId)) is { } member
            ? new StoredMember(member, contract)
            : null);

    internal static ImmutableArray<AllocationKey> ReadDueAllocations(Database database, Instant now, int limit) =>
        [.. database["select contract_id, user_id from member where due_at <= ? order by due_at limit ?"].Bind(now).Bind(limit)
            .All(row => new AllocationKey(row.Text(), row.Text()))];

    internal static ImmutableArray<Ending> ReadDueEndings(Database database, string clientId, Instant now, int limit) =>
        [.. All(database, EndingRow.Instance, "g.client_id = ? and g.ends_at <= ? order by g.ends_at limit ?", clientId, now, (long)limit)];

    internal static ImmutableArray<string> ReadDue(Database database, string kind, Instant now, int limit) =>
        [.. database["select id from document where kind = ? and due_at <= ? order by due_at limit ?"].Bind(kind).Bind(now).Bind(limit)
            .All(row => row.Text())];

    internal static Instant? ReadNextEnd(Database database, string clientId) =>
        database["select min(ends_at) from ending where client_id = ?"].Bind(clientId)
            .All(row => row.OptionalInstant())[0];

    // From client to client: of each the key knows the earliest.
    internal static IEnumerable<string> ReadDueClients(Database database, Instant now)
    {
        for (var client = Next(""); client is not null; client = Next(client))
            if (ReadNextEnd(database, client) <= now) yield return client;

        string? Next(string after) => database["select min(client_id) from ending where client_id > ?"].Bind(after)
            .All(row => row.OptionalText())[0];
    }

    private static ServicesFacts ReadServices(Database database, string accountId, IReadOnlyCollection<string> milestoneIds,
        IReadOnlyCollection<string> projectIds)
    {
        var milestones = milestoneIds.Distinct().Select(id => One(database, MilestoneRow.Instance, RowKey.Milestone(id)))
            .OfType<Milestone>()
            .ToImmutableDictionary(milestone => milestone.MilestoneId);
        var projects = projectIds.Concat(milestones.Values.Select(milestone => milestone.ProjectId)).Distinct()
            .Select(id => One(database, ProjectRow.Instance, RowKey.Project(id))).OfType<Project>();
        var held = milestones.Values.SelectMany(milestone => milestone.Holdings).Select(holding => holding.PurchaseId).Distinct()
            .Select(id => One(database, PurchaseRow.Instance, RowKey.Purchase(accountId, id))).OfType<Purchase>();
        var (settings, version) = ReadDocument(database, DocumentKind.Settings, DocumentRow.ServicesSettings).AsSettings();
        return new(milestones, projects.ToImmutableDictionary(project => project.ProjectId), [.. held], settings, version);
    }

    // The text of the select by key, made once a kind of row.
    private static class Keyed<TChange, TRow> where TChange : Change
    {
        private static string? select;

        public static string Select(Row<TChange, TRow> row) =>
            select ??= $"select {row.Selected} from {row.From} where {Equal(row)}";

        private static string Equal(Row row) => string.Join(" and ", row.Key.Select(column => $"{row.Alias}.{column.Name} = ?"));
    }
}
