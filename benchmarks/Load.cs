using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace CreditGrains.Bench;

/// <summary>What a system did under one load: reports a second, and how long they took in milliseconds.</summary>
internal sealed record Measured(double PerSecond, double Median, double P99, int Failed);

/// <summary>A load: so many callers, each posting one report after another.</summary>
internal sealed record Load(string Name, int Contracts, int Players, int Callers, bool Covered = false)
{
    public const string UserId = "u";

    private static int runs;

    /// <summary>Warms up, then measures for that time. Every report names players nobody has named before, unless all shall be covered.</summary>
    public async Task<Measured> Run(IReadOnlyList<string> urls, TimeSpan warmUp, TimeSpan time)
    {
        var run = Interlocked.Increment(ref runs);
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Callers });
        var taken = new List<long>[Callers];
        var failed = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random(HashCode.Combine(run, caller));
            taken[caller] = [];
            for (var number = 0; clock.Elapsed < warmUp + time; number++)
            {
                var began = clock.ElapsedTicks;
                using var request = new HttpRequestMessage(HttpMethod.Post, $"{urls[(caller + number) % urls.Count]}/v1/reports") { Content = new ByteArrayContent(Body(run, caller, number, random.Next(Contracts))) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using var answer = await http.SendAsync(request);
                await answer.Content.ReadAsByteArrayAsync();
                if (answer.StatusCode != HttpStatusCode.Created) Interlocked.Increment(ref failed);
                else if (clock.Elapsed > warmUp && clock.Elapsed <= warmUp + time) taken[caller].Add(clock.ElapsedTicks - began);
            }
        })));
        var all = taken.SelectMany(one => one).Order().ToList();
        return all.Count == 0 ? new(0, 0, 0, failed) : new(all.Count / time.TotalSeconds, Milliseconds(all[all.Count / 2]), Milliseconds(all[(int)(all.Count * 0.99)]), failed);
    }

    private byte[] Body(int run, int caller, int number, int contract)
    {
        var text = new StringBuilder(64 + (40 * Players));
        text.Append(CultureInfo.InvariantCulture, $$"""{"reportId":"r{{run}}-{{caller}}-{{number}}","contractId":"c{{contract}}","userId":"{{UserId}}","players":[""");
        for (var player = 0; player < Players; player++)
        {
            if (player > 0) text.Append(',');
            if (Covered) text.Append(CultureInfo.InvariantCulture, $$"""{"playerId":"known{{player}}"}""");
            else text.Append(CultureInfo.InvariantCulture, $$"""{"playerId":"p{{run}}-{{caller}}-{{number}}-{{player}}"}""");
        }
        return Encoding.UTF8.GetBytes(text.Append("]}").ToString());
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
