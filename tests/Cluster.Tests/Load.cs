using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using CreditGrains.Editions;

namespace CreditGrains.Cluster.Tests;

/// <summary>Writers that post reports until they are told to stop, each again and again until it is answered, and what they were answered.</summary>
internal sealed class Load(Client client, int writers, int contracts, int seed)
{
    private const string ClientId = "acme";

    // A writer begins a report at most that often, all of them at once; what disturbs them comes at whole seconds, too. A whole trial's writers do not pause.
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, JsonNode> answers = new();
    private readonly ConcurrentBag<string> surprises = [];
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly Lock gaps = new();
    private TimeSpan lastAnswer, longestGap;

    /// <summary>Reports that were answered.</summary>
    public int Answered => answers.Count;

    /// <summary>The longest time in which none was.</summary>
    public TimeSpan LongestGap => longestGap;

    public async Task Prepare()
    {
        for (var contract = 0; contract < contracts; contract++) await client.Contract($"c{contract}", ClientId, "u", 100_000_000);
        lastAnswer = watch.Elapsed;
    }

    public Task Run(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => Write(writer, stop), CancellationToken.None)));

    /// <summary>Every answered report is there whole and once, and the books balance (R5, G2).</summary>
    public async Task Check()
    {
        Assert.Empty(surprises);
        Assert.NotEmpty(answers);
        await Parallel.ForEachAsync(answers, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (pair, _) =>
        {
            var kept = await client.Get($"/v1/reports/{pair.Key}?clientId={ClientId}");
            Assert.True(JsonNode.DeepEquals(pair.Value, kept), $"{pair.Key} was answered {pair.Value.ToJsonString()} and is kept as {kept.ToJsonString()}");
        });

        // Nothing expires meanwhile, so each player was charged once, by whichever report came first.
        var outcomes = answers.Values.SelectMany(report => report["players"]!.AsArray()).ToList();
        var players = outcomes.Select(player => (string)player!["playerId"]!).Distinct().Count();
        Assert.Equal(players, outcomes.Count(player => (string)player!["charge"]! == "new"));
        var used = 0L;
        for (var contract = 0; contract < contracts; contract++)
        {
            var audit = await client.Get($"/v1/contracts/c{contract}/audit?full=true");
            Assert.True((bool)audit["balanced"]!, audit.ToJsonString());
            used += (long)audit["used"]!;
        }
        Assert.Equal(players, used);
    }

    private async Task Write(int writer, CancellationToken stop)
    {
        var random = new Random(HashCode.Combine(seed, writer));
        using var pace = new PeriodicTimer(Pace);
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var reportId = $"r{writer}-{number}";
            var shared = Enumerable.Range(0, random.Next(0, 3)).Select(_ => $"shared-{random.Next(2_000)}");
            var own = Enumerable.Range(0, random.Next(1, 3)).Select(player => $"p{writer}-{number}-{player}");
            var answer = await client.Ask(HttpMethod.Post, "/v1/reports", Client.Report(reportId, $"c{random.Next(contracts)}", "u", shared.Concat(own).Distinct()));
            if (answer.Status is HttpStatusCode.Created or HttpStatusCode.OK) answers[reportId] = answer.Body!;
            else surprises.Add($"{reportId}: {answer.Status} {answer.Body?.ToJsonString()}");
            lock (gaps)
            {
                var gap = watch.Elapsed - lastAnswer;
                lastAnswer = watch.Elapsed;
                if (gap > longestGap) longestGap = gap;
            }
            if (Trials.AreShort) await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
