using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using CreditGrains.Grains;
using CreditGrains.Domain;
using CreditGrains.Editions;
using CreditGrains.Stores.Postgres;
using Microsoft.Extensions.Logging;
using NodaTime;
using Npgsql;

namespace CreditGrains.Stores.Tests;

/// <summary>Lists of a million credits and entries on PostgreSQL (P4, G1): a page costs about what a page costs, wherever it begins and whatever is filtered by, and an index leads to it.</summary>
[Collection(PostgresServers.Quiet)]
public sealed partial class PostgresListTests(ITestOutputHelper output)
{
    private const int PageSize = 100, MostRows = 60 * PageSize;

    // What is allocated is found past what has expired in its lots, and a user's credits past those of others, of an unlimited contract past all of its lot's: an index that leads
    // there would cost each charge an entry.
    private const int MostRowsFoundPastOthers = 210_000;

    private static readonly Instant Begin = Instant.FromUtc(2026, 1, 1, 0, 0), Now = Begin + Duration.FromMinutes(250), Deep = Begin + Duration.FromMinutes(300);

    // 500 lots of 2,000 credits in 50 contracts of 10 clients, a minute apart: 1,400 of each lot are with players, for a day at most. Two unlimited contracts minted 50,000 each. 600,000 entries.
    // Indexes of credits and entries are built from all rows at once, which costs less than an entry a row.
    private const string Rows = """
        create temporary table built_later as
        select indexname, indexdef from pg_indexes where tablename in ('credit', 'entry') and indexdef not like 'CREATE UNIQUE%';
        do $$ declare later record; begin for later in select * from built_later loop execute 'drop index ' || later.indexname; end loop; end $$;

        insert into lot (key, contract_id, lot_id, client_id, source, payment_id, quantity, free, created_at, available_from, asked_expiry, expires_at, expiry_booked, apart, has_free, is_open)
        select 'c' || n % 50 || '~l' || n, 'c' || n % 50, 'l' || n, 'k' || n % 10, 'purchase', 'pay' || n % 40, 2000, '1401-2000', at, at, at + '5 hours', at + '5 hours', false, 0, true, true
        from (select n, timestamptz '2026-01-01Z' + n * interval '1 minute' as at from generate_series(0, 499) n) g;

        insert into credit (lot, ordinal, client_id, payment_id, used_by, player_id, created_at, expires_at, activated_at, report_id, version)
        select l.key, o, l.client_id, l.payment_id, 'u' || o % 20, 'p' || l.lot_id || '-' || o, l.created_at, l.created_at + interval '3 hours' + o / 20 * interval '20 seconds', l.created_at, 'r' || o / 20, 1
        from lot l, generate_series(1, 1400) o;

        insert into lot (key, contract_id, lot_id, client_id, source, payment_id, quantity, free, created_at, available_from, expiry_booked, apart, has_free, is_open)
        select 'm' || m || '~minted', 'm' || m, 'minted', 'k' || m, 'minted', 'minted', 50000, '', timestamptz '2026-01-01Z', timestamptz '2026-01-01Z', false, 0, false, true from generate_series(0, 1) m;

        insert into credit (lot, ordinal, client_id, payment_id, used_by, player_id, created_at, expires_at, activated_at, report_id, version)
        select 'm' || m || '~minted', o, 'k' || m, 'minted', 'u' || o % 20, 'pm' || m || '-' || o, at, at + interval '3 hours', at, 'r' || o / 20, 1
        from (select m, o, timestamptz '2026-01-01Z' + o / 20 * interval '10 seconds' as at from generate_series(0, 1) m, generate_series(1, 50000) o) g;

        insert into ended (lot, credits, last_ordinal)
        select lot, count(*), max(ordinal) from credit where expires_at <= timestamptz '2026-01-01 04:09Z' group by lot;
        insert into ended (lot, credits, last_ordinal) select 'older' || n || '~l', 9, 9 from generate_series(1, 5000) n;
        insert into ending (client_id, ends_at, lot, report_id, ordinal, used_by, credits, last_ordinal)
        select client_id, expires_at, lot, report_id, 0, 'u', count(*), max(ordinal) from credit where expires_at > timestamptz '2026-01-01 04:09Z' group by 1, 2, 3, 4;

        insert into player (client_id, player_id, lot, ordinal, covers_until, as_of, version) select client_id, player_id, lot, ordinal, expires_at, created_at, 1 from credit;
        insert into former_credit (client_id, player_id, lot, ordinal) select client_id, player_id, lot, ordinal - 1 from credit where ordinal % 50 = 2;

        insert into entry (entry_id, kind, effective_at, booked_at, actor, cause, subject, quantity, client_id, contract_id, user_id, report_id, lot_id)
        select place_of(pg_current_xact_id()) - 600001 + n, 'credits-charged', at, at, 'key', 'report:r' || n, 'lot', 1, 'k' || n % 10, 'c' || n % 50, 'u' || n % 20, 'r' || n / 2, 'l' || n % 500
        from (select n, timestamptz '2026-01-01Z' + n * interval '1 second' as at from generate_series(1, 600000) n) g;

        do $$ declare later record; begin for later in select * from built_later loop execute later.indexdef; end loop; end $$;
        analyze;
        """;

    private readonly ConcurrentQueue<string> plans = new();
    private readonly List<string> faults = [];

    [Fact]
    public async Task Every_page_of_every_filter_is_led_to_by_an_index_and_reads_little_more_than_it_shows()
    {
        await using var postgres = await ScratchPostgres.New();
        await Migrator.Migrate(postgres.ConnectionString, TestContext.Current.CancellationToken);
        await using (var plain = NpgsqlDataSource.Create(postgres.ConnectionString + ";Command Timeout=0"))
        {
            await using (var fill = plain.CreateCommand(Rows)) await fill.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            // As autovacuum leaves them: what indexes alone tell needs no rows.
            await using (var vacuum = plain.CreateCommand("vacuum credit")) await vacuum.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        // The plans as they are carried out come with the answers.
        using var logs = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(new Told(plans)));
        const string Explain = "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on -c client_min_messages=log";
        await using var explained = PostgresStore.Open(new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Options = Explain }.ConnectionString, logs);
        await using var store = PostgresStore.Open(postgres.ConnectionString);

        PageRequest[] Pages(string list, params IEnumerable<object> deep) =>
        [
            .. new[] { new PageRequest(PageSize, null), new PageRequest(PageSize, null, IsDescending: true) }
                .SelectMany(first => new[] { first, first with { After = first.Behind(list, deep) } }),
        ];
        foreach (var filter in new CreditFilter[]
        {
            new(null, null, null, null, null, null, null), new("k3", null, null, null, null, null, null), new(null, "c0", null, null, null, null, null), new("k0", "c0", null, null, null, null, null),
            new(null, null, CreditStatus.Unallocated, null, null, null, null), new(null, null, CreditStatus.Allocated, null, null, null, null), new(null, null, CreditStatus.Expired, null, null, null, null),
            new("k0", null, CreditStatus.Allocated, null, null, null, null), new(null, null, null, "pl300-701", null, null, null), new(null, null, null, null, "u7", null, null), new("k0", "c0", null, null, "u7", null, null),
            new(null, null, null, null, null, "l300", null), new(null, null, null, null, null, null, "pay20"),
            new("k0", null, null, null, null, null, null) { CreatedFrom = Deep, CreatedTo = Deep + Duration.FromMinutes(30) },
            new("k0", "c0", CreditStatus.Expired, null, null, null, "pay20"), new("k1", "m1", null, null, null, null, null),
        })
            foreach (var page in Pages("credits", Deep, new CreditId("c0", "l300", 700)))
                await Short(store, explained, $"credits {filter} {page}", store => store.Credits(filter, Now, page));

        foreach (var filter in new CreditFilter[]
        {
            new(null, null, null, null, null, null, null), new("k0", null, null, null, null, null, null), new(null, "c0", null, null, null, null, null),
            new(null, null, null, null, null, null, "pay20"), new(null, "m1", null, null, null, null, null),
        })
        {
            await Timed($"counts {filter}", () => store.CountLots(filter, null, Now));
            plans.Clear();
            await explained.CountLots(filter, null, Now);
            if (plans.FirstOrDefault(plan => plan.Contains("Seq Scan on credit", StringComparison.Ordinal)) is { } scan) faults.Add($"counts {filter} reads all rows:\n{scan}");
        }
        var late = new CreditFilter("k0", null, null, null, null, null, null) { ExpiresFrom = Deep, ExpiresTo = Deep + Duration.FromMinutes(30) };
        await Timed("counts of a user", () => store.CountTouched(new(null, null, null, null, "u7", null, null), Now));
        await Timed("counts by expiry", () => store.CountTouched(late, Now));
        await Timed("credits by expiry", () => store.Credits(late, Now, new(PageSize, null)));
        foreach (var page in Pages("payments", "k3", "pay3"))
            await Timed($"payments {page}", () => store.Payments("k3", null, page));
        var since = new LedgerFilter("k3", null, null, null) { From = Begin + Duration.FromHours(160) };
        await Short(store, explained, $"ledger {since}", store => store.Ledger(since, new(PageSize, null)));
        var returned = new LedgerFilter("k3", null, null, null) { Kind = EntryKind.CreditsReturned, Actor = "key" };
        await Timed($"ledger {returned}", () => store.Ledger(returned, new(PageSize, null)));

        var start = await store.FeedStart();
        var first = (await store.Feed(new(null, null), start, 1))[0].Place;
        var middle = first.EntryId + 400_000;
        foreach (var filter in new LedgerFilter[]
        {
            new(null, null, null, null), new("k3", null, null, null), new(null, "c7", null, null), new("k7", "c7", null, null), new(null, null, "u7", null), new("k7", null, "u7", null), new(null, null, null, "r250000"), new("k0", null, null, "r250000"),
        })
            foreach (var page in Pages("ledger", middle))
                await Short(store, explained, $"ledger {filter} {page}", store => store.Ledger(filter, page));

        foreach (var filter in new FeedFilter[] { new(null, null), new("k3", null), new("k7", "c7") })
            foreach (var after in new[] { start, first with { EntryId = middle } })
                await Short(store, explained, $"feed {filter} {after.EntryId}", store => store.Feed(filter, after, PageSize));
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
    }

    // The quickest of three; short trials ask once.
    private async Task<TimeSpan> Timed<T>(string what, Func<Task<T>> read)
    {
        var took = TimeSpan.MaxValue;
        for (var i = 0; i < (Trials.AreWhole ? 3 : 1); i++)
        {
            var watch = Stopwatch.StartNew();
            await read();
            if (watch.Elapsed < took) took = watch.Elapsed;
        }
        output.WriteLine($"{took.TotalMilliseconds,8:F1} ms  {what}");
        return took;
    }

    // Timed without being explained.
    private async Task Short<T>(PostgresStore store, PostgresStore explained, string what, Func<PostgresStore, Task<T>> page)
    {
        var took = await Timed(what, () => page(store));
        await page(explained);
        plans.Clear();
        await page(explained);
        var rows = plans.Sum(Read);
        output.WriteLine($"{rows,8} rows {took.TotalMilliseconds,8:F1} ms  {what}");
        Assert.NotEmpty(plans);
        var pastOthers = what.StartsWith("credits", StringComparison.Ordinal) && (what.Contains("Status = Allocated", StringComparison.Ordinal) || what.Contains("UserId = u", StringComparison.Ordinal));
        if (rows > (pastOthers ? MostRowsFoundPastOthers : MostRows) || plans.Any(plan => plan.Replace("Seq Scan on store", "", StringComparison.Ordinal).Contains("Seq Scan on", StringComparison.Ordinal))) faults.Add($"{what} reads {rows} rows:\n{string.Join('\n', plans)}");
    }

    // What the scans of a plan read, thrown away or not.
    private static long Read(string plan)
    {
        var (rows, loops) = (0L, 1L);
        foreach (var line in plan.Split('\n'))
        {
            if (Scanned().Match(line) is { Success: true } scan)
            {
                loops = long.Parse(scan.Groups["loops"].Value, CultureInfo.InvariantCulture);
                rows += loops * long.Parse(scan.Groups["rows"].Value, CultureInfo.InvariantCulture);
            }
            else if (Removed().Match(line) is { Success: true } removed)
            {
                rows += loops * long.Parse(removed.Groups["rows"].Value, CultureInfo.InvariantCulture);
            }
        }
        return rows;
    }

    [GeneratedRegex(@"(Scan|Scan Backward) (using|on) .*actual time=\S+ rows=(?<rows>\d+) loops=(?<loops>\d+)")]
    private static partial Regex Scanned();

    [GeneratedRegex(@"Rows Removed by Filter: (?<rows>\d+)")]
    private static partial Regex Removed();

    // Messages of the server, as Npgsql logs them.
    private sealed class Told(ConcurrentQueue<string> plans) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception) is var text && text.Contains("actual time=", StringComparison.Ordinal)) plans.Enqueue(text);
        }

        public void Dispose() { }
    }
}
