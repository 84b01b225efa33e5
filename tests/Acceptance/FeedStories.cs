using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using static CreditGrains.Acceptance.Words;

namespace CreditGrains.Acceptance;

/// <summary>The feed of entries (G4), read as any client would.</summary>
public sealed class FeedStories
{
    private const int Writers = 64;

    [Fact]
    public async Task G4_readers_cut_off_at_random_while_64_writers_work_miss_no_entry_and_see_none_twice()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        for (var contract = 0; contract < 4; contract++)
        {
            await api.Contract($"C{contract}", contract == 3 ? "B" : "A");
            await api.Grant("G1", 10_000, contract: $"C{contract}");
        }

        using var writing = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        var writers = Enumerable.Range(0, Writers).Select(writer => Write(writer, writing.Token)).ToList();
        var readers = new[] { ("", "", 0), ("contractId=C1&", "&contractId=C1", 1), ("clientId=A&", "&clientId=A", 2), ("", "", 3) }.Select(pair => (Ledger: pair.Item2, Read: Read(pair.Item1, new Random(pair.Item3)))).ToList();
        var reports = (await Task.WhenAll(writers)).Sum();
        (await api.Report("LAST", ["LAST"], "C1")).Is(201);

        foreach (var (ledger, read) in readers)
        {
            var seen = await read;
            var booked = await api.All($"/v1/ledger?{ledger.TrimStart('&')}");
            Assert.Equal(booked.Select(entry => (long)entry["entryId"]!).Order(), seen.Select(entry => (long)entry["entryId"]!).Order());

            // Lists have names beside the ids.
            foreach (var entry in booked) Assert.True(entry.AsObject().Remove("contractName") && entry.AsObject().Remove("userName"));
            var texts = booked.ToDictionary(entry => (long)entry["entryId"]!, entry => entry.ToJsonString());
            Assert.All(seen, entry => Assert.Equal(texts[(long)entry["entryId"]!], entry.ToJsonString()));
            Assert.True(seen.Count > reports / 8, $"{seen.Count} of {reports}");
        }

        async Task<int> Write(int writer, CancellationToken until)
        {
            var number = 0;
            for (; !until.IsCancellationRequested; number++) (await api.Report($"R-{writer}-{number}", [$"P-{writer}-{number}"], $"C{(writer + number) % 4}")).Is(201);
            return number;
        }

        // Reads a few, is cut off, comes back with what it has seen last: by header or by cursor. The last entry of all is of C1.
        async Task<List<JsonNode>> Read(string query, Random random)
        {
            var seen = new List<JsonNode>();
            string? last = null;
            while (seen.Count == 0 || (string?)seen[^1]["reportId"] != "LAST")
            {
                await using var stream = await Stream.Open(edition.Api.Url, random.Next(2) == 0 || last is null ? $"{query}{(last is null ? "" : $"cursor={last}")}" : query.TrimEnd('&'), last);
                for (var left = random.Next(1, 400); left > 0 && (seen.Count == 0 || (string?)seen[^1]["reportId"] != "LAST") && await stream.Next() is var (id, entry); left--)
                {
                    seen.Add(entry);
                    last = id;
                }
            }
            return seen;
        }
    }

    [Fact]
    public async Task G4_the_feed_ends_with_the_service_and_goes_on_where_it_stopped()
    {
        await using var edition = await AtDay0();
        await edition.Api.Contract();
        await using var before = await Stream.Open(edition.Api.Url, "contractId=C1");
        var (last, first) = (await before.Next())!.Value;
        Assert.Equal("contract-set", (string?)first["kind"]);
        await before.Next();
        await before.Next();

        var watch = Stopwatch.StartNew();
        await edition.Stop();
        Assert.Null(await before.Next());
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15), $"it took {watch.Elapsed}");

        await edition.Restart(new(TestClock: Day(0)));
        await using var after = await Stream.Open(edition.Api.Url, "contractId=C1", last);
        foreach (var kind in (string[])["user-set", "user-set"]) Assert.Equal(kind, (string?)(await after.Next())!.Value.Entry["kind"]);
        await edition.Api.Grant("G1", 5);
        Assert.Equal("lot-granted", (string?)(await after.Next())!.Value.Entry["kind"]);
    }

    [Fact]
    public async Task G3_G4_G5_of_what_is_archived_feed_balance_and_statement_say_so_and_all_else_is_as_it_was()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("L1", 10);
        string gone;
        await using (var stream = await Stream.Open(api.Url, "contractId=C1")) gone = (await stream.Next())!.Value.Id;
        (await api.Report("R1", ["P1", "P2"])).Is(201);
        await api.Clock(Day(40));
        await api.Grant("L2", 5);
        (await api.Report("R2", ["P1"])).Is(201);
        string[] kept =
        [
            $"/v1/contracts/C1/balance?at={Day(29)}", "/v1/contracts/C1/balance",
            $"/v1/contracts/C1/statement?from={Date(29)}&to={Date(40)}", "/v1/credits?reportId=R1",
            "/v1/usage?contractId=C1&groupBy=day", "/v1/reports/R1?clientId=A",
        ];
        var before = await Answers();

        await edition.Archive(Day(28), new(TestClock: Day(0)));

        Assert.Equal(before, await Answers());
        await api.Balanced();
        (await api.Get($"/v1/contracts/C1/balance?at={Day(27)}")).Is(410, "archived", "at");
        var refused = (await api.Get($"/v1/contracts/C1/statement?from={Date(28)}&to={Date(40)}")).Is(410, "archived", "from");
        Assert.Equal($"from must not be before {Date(29)}: the ledger before is archived.", (string?)refused["detail"]);
        (await api.Get($"/v1/ledger/feed?cursor={gone}")).Is(410, "cursor-gone", "cursor");
        Assert.DoesNotContain("R1", (await api.Get("/v1/ledger?kind=credits-charged")).Is(200).Items.Select(entry => (string?)entry!["reportId"]));
        await using var rest = await Stream.Open(api.Url, "contractId=C1");
        Assert.Equal("coverage-expired", (string?)(await rest.Next())!.Value.Entry["kind"]);

        async Task<List<string>> Answers()
        {
            var answers = new List<string>();
            foreach (var path in kept) answers.Add((await api.Get(path)).Is(200).Text);
            return answers;
        }
    }

    [Fact]
    public async Task More_readers_than_requests_are_served_at_once_leave_the_others_their_turn()
    {
        await using var edition = await AtDay0();
        var api = edition.Api;
        await api.Contract();
        await api.Grant("G1", 50);
        var streams = await Task.WhenAll(Enumerable.Range(0, 1_200).Select(_ => Stream.Open(api.Url, "contractId=C1")));
        foreach (var stream in streams)
            for (var entry = 0; entry < 4; entry++)
                Assert.NotNull(await stream.Next());

        (await api.Report("R1", ["P1"])).Is(201);
        foreach (var stream in streams) Assert.Equal("R1", (string?)(await stream.Next())!.Value.Entry["reportId"]);
        (await api.Report("R2", ["P2"])).Is(201);
        foreach (var stream in streams) await stream.DisposeAsync();
    }

    // One connection to the feed.
    private sealed class Stream(HttpResponseMessage response, StreamReader lines) : IAsyncDisposable
    {
        private static readonly HttpClient Http = new() { Timeout = Timeout.InfiniteTimeSpan };

        public static async Task<Stream> Open(string url, string query, string? lastEventId = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{url}/v1/ledger/feed?{query}");
            if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
            var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            return new(response, new(await response.Content.ReadAsStreamAsync()));
        }

        /// <summary>The next whole event; null: the stream has ended.</summary>
        public async Task<(string Id, JsonNode Entry)?> Next()
        {
            string? id = null, data = null;
            while (await lines.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
                else if (line.Length == 0 && data is not null) return (id!, JsonNode.Parse(data)!);
            }
            return null;
        }

        public ValueTask DisposeAsync()
        {
            lines.Dispose();
            response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
