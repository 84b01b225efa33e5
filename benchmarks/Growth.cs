using System.Globalization;
using System.Text;
using CreditGrains.Editions;
using Npgsql;

namespace CreditGrains.Bench;

/// <summary>
/// Whether calls cost the same whatever came before them: the processor time of one silo and its PostgreSQL for a contract with a past, as a ratio to that of a young one beside it.
/// </summary>
internal sealed class Growth(ScratchPostgres postgres, SiloProcess silo, Client client, CancellationToken stop)
{
    private const string Young = "young", Renewed = "renewed", Crowded = "crowded", Old = "old";
    private const int Rounds = 9, Reports = 200, Players = 5, Reads = 10, Concurrency = 8, Users = 10_000, LoadedSeconds = 40;

    private static readonly DateTime Begin = new(1999, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    // A million reports of one player each, of a lot that is used up.
    private const string Filled = """
        insert into lot (key, contract_id, lot_id, client_id, source, payment_id, quantity, free, created_at, available_from, expiry_booked, apart, has_free, is_open)
        values ('old~past', 'old', 'past', 'client-old', 'purchase', 'paid', 1000000, '', '1999-01-01Z', '1999-01-01Z', false, 0, false, false);
        insert into credit (lot, ordinal, client_id, payment_id, used_by, player_id, created_at, expires_at, activated_at, report_id, version)
        select 'old~past', n, 'client-old', 'paid', 'u' || n % 5, 'past-' || n, '1999-01-01Z', null, at, 'past-' || n, 1
        from (select n, timestamptz '1999-01-01Z' + n * interval '100 seconds' as at from generate_series(1, 1000000) n) g;
        insert into player (ordinal, covers_until, as_of, version, client_id, player_id, lot)
        select ordinal, null, activated_at, 1, client_id, player_id, lot from credit where lot = 'old~past';
        insert into report (at, charged, covered, contract_remaining, client_id, report_id, contract_id, user_id, players)
        select activated_at, 1, 0, 900000000, client_id, report_id, 'old', used_by, '[]' from credit where lot = 'old~past';
        insert into entry (entry_id, kind, effective_at, booked_at, actor, cause, subject, quantity, client_id, contract_id, lot_id)
        select min(entry_id) - 1, 'lot-granted', '1999-01-01Z', '1999-01-01Z', 'bench', 'request', 'lot:old/past', 1000000, 'client-old', 'old', 'past' from entry;
        insert into entry (entry_id, kind, effective_at, booked_at, actor, cause, subject, quantity, client_id, contract_id, user_id, report_id, lot_id)
        select (select min(entry_id) from entry) - ordinal, 'credits-charged', activated_at, activated_at, 'bench', 'report:' || report_id, 'lot:old/past', 1, client_id, 'old', used_by, report_id, 'past'
        from credit where lot = 'old~past';
        update member m set total_used = total_used + 200000, version = version + 1 where contract_id = 'old';
        analyze;
        """;

    private int made, days;

    /// <summary>Two Markdown tables: what a past costs, and how soon a fresh silo serves at its rate.</summary>
    public static async Task<string> Measure(CancellationToken stop) => $"{await Past(stop)}\n{await Fresh(stop)}";

    private static async Task<string> Past(CancellationToken stop)
    {
        await using var postgres = await ScratchPostgres.New();
        await using var silo = SiloProcess.Cluster(postgres.ConnectionString);
        await silo.Start(new(TestClock: $"{Begin:yyyy-MM-dd}T00:00:00Z"));
        using var client = new Client(silo.Url);
        return await new Growth(postgres, silo, client, stop).Table();
    }

    // Loaded from its start on; its rate is that of the last ten seconds.
    private static async Task<string> Fresh(CancellationToken stop)
    {
        var load = Load.Main[0];
        var table = new StringBuilder($"| fresh silo, {load.Name} | requests/s in the end | seconds until 80 % of that |\n| --- | ---: | ---: |\n");
        foreach (var start in new Func<Contracts, Task<RunningSystem>>[] { ProductSystem.Embedded, contracts => ProductSystem.Cluster("cluster of one", 1, contracts) })
        {
            await using var system = await start(Contracts.For([load]));
            var callers = Callers.Start(system, load);
            var rates = new List<long>();
            using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
            for (var before = 0L; rates.Count < LoadedSeconds && await second.WaitForNextTickAsync(stop); before += rates[^1]) rates.Add(callers.Answered - before);
            await callers.Stop();
            var steady = rates.TakeLast(10).Average();
            table.AppendLine(CultureInfo.InvariantCulture, $"| {system.Name} | {steady:N0} | {rates.FindIndex(rate => rate >= 0.8 * steady) + 1} |");
        }
        return table.ToString();
    }

    private async Task<string> Table()
    {
        var table = new StringBuilder("| contract | call | ms of processor time | ratio to a young contract |\n| --- | --- | ---: | ---: |\n");
        foreach (var contract in new[] { Young, Renewed, Crowded, Old }) await Make(contract);
        await Add("1 renewal", Renewed);
        await Renew(100);
        await Add("100 renewals", Renewed);
        await Renew(10_000);
        await Add("10,000 renewals", Renewed);
        await Crowd();
        await Add("10,000 users", Crowded);
        await Fill();
        await Add("1,000,000 earlier reports of a client with 1,000,000 players", Old);
        foreach (var (call, path) in new[] { ("balance", "balance"), ("audit", "audit"), ("statement of the last month", $"statement?from={Day(-30)}&to={Day(0)}"), ("allocation window", "allocations") })
            await AddReads(call, Old, $"/v1/contracts/{{0}}/{path}");
        await AddReads("usage by user", Old, "/v1/usage?contractId={0}&groupBy=user");
        await AddReads("usage by month", Old, "/v1/usage?contractId={0}&groupBy=month");
        return table.ToString();

        async Task Add(string name, string contract) => Row(name, "a report of 5 new players", await Compare(contract, Reports, ReportOnce));

        async Task AddReads(string call, string contract, string path) => Row("1,000,000 earlier reports", call, await Compare(contract, Reads, id => client.Get(string.Format(CultureInfo.InvariantCulture, path, id))));

        void Row(string name, string call, (double Ms, double Ratio) cost)
        {
            table.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {call} | {cost.Ms:F2} | {cost.Ratio:F2} |");
            Console.Error.WriteLine($"{name}, {call}: {cost.Ms:F2} ms, {cost.Ratio:F2}");
        }
    }

    // The median of the rounds' ratios; what is young and what is old take turns.
    private async Task<(double Ms, double Ratio)> Compare(string contract, int calls, Func<string, Task> call)
    {
        foreach (var id in new[] { Young, contract }) await Cost(id, calls, call);
        var rounds = new List<(double Ms, double Ratio)>();
        for (var round = 0; round < Rounds; round++)
        {
            var young = await Cost(Young, calls, call);
            var old = await Cost(contract, calls, call);
            rounds.Add((old, old / young));
        }
        return (rounds.Select(round => round.Ms).Order().ElementAt(Rounds / 2), rounds.Select(round => round.Ratio).Order().ElementAt(Rounds / 2));
    }

    private async Task<double> Cost(string contract, int calls, Func<string, Task> call)
    {
        var before = Processes.Used([silo.ProcessId, postgres.ProcessId]);
        await Parallel.ForAsync(0, calls, new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = stop }, async (_, _) => await call(contract));
        return (Processes.Used([silo.ProcessId, postgres.ProcessId]) - before).TotalMilliseconds / calls;
    }

    private Task ReportOnce(string contract)
    {
        var report = $"r{Interlocked.Increment(ref made)}";
        return client.Report(report, contract, Enumerable.Range(0, Players).Select(player => $"{report}-{player}"));
    }

    private async Task Make(string contract)
    {
        await client.Put($"/v1/contracts/{contract}", $$"""{"clientId":"client-{{contract}}","name":"{{contract}}","type":"metered","startsOn":"{{Day(0)}}","unallocatedLifetimeDays":null}""");
        await AddUsers(contract, Contracts.Users);
        await client.Post($"/v1/contracts/{contract}/lots", $$"""{"lotId":"lot","paymentId":"paid","quantity":{{Contracts.Credits}}}""");
        await Settle(contract, 0, Contracts.Users);
    }

    private Task AddUsers(string contract, int count) => client.Put($"/v1/contracts/{contract}/users", $$"""{"users":[{{Each(0, count, user => $$"""{"userId":"{{user}}","name":"{{user}}"}""")}}]}""");

    private Task Settle(string contract, int first, int count) => client.Patch($"/v1/contracts/{contract}/allocations",
        $$"""{"enabled":true,"users":[{{Each(first, count, user => $$"""{"userId":"{{user}}","amount":1000000,"renewal":"daily","startDate":"{{Day(0)}}"}""")}}]}""");

    private static string Each(int first, int count, Func<string, string> user) => string.Join(',', Enumerable.Range(first, count).Select(Contracts.UserId).Select(user));

    // Each day one report, so that each cycle is in use and its renewal is booked.
    private async Task Renew(int until)
    {
        for (; days < until; stop.ThrowIfCancellationRequested())
        {
            await ReportOnce(Renewed);
            days++;
            await client.Post("/v1/clock", $$"""{"advanceTo":"{{Day(0)}}T00:00:00Z"}""");
        }
    }

    private async Task Crowd()
    {
        await AddUsers(Crowded, Users);
        for (var first = Contracts.Users; first < Users; first += 1_000) await Settle(Crowded, first, Math.Min(1_000, Users - first));
    }

    private async Task Fill()
    {
        await using var source = NpgsqlDataSource.Create($"{postgres.ConnectionString};Command Timeout=0");
        await using var fill = source.CreateCommand(Filled);
        await fill.ExecuteNonQueryAsync(stop);
    }

    private string Day(int behind) => Begin.AddDays(days + behind).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
