using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;

namespace CreditGrains.Bench;

/// <summary>The callers of one load, from their start until they are stopped. The first wrong answer stops them all.</summary>
internal sealed class Callers
{
    private const int Picks = 1 << 16;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(60);

    private readonly RunningSystem system;
    private readonly Load load;
    private readonly byte[] mustContain;
    private readonly string[] contracts;
    private readonly string[] authorizations;
    private readonly List<long>[] taken;
    private readonly Task all;
    private long answered;
    private volatile bool stopped;
    private volatile bool records;
    private Exception? fault;

    private Callers(RunningSystem system, Load load)
    {
        (this.system, this.load) = (system, load);
        mustContain = Encoding.UTF8.GetBytes(load.Contains);
        contracts = [.. Enumerable.Range(0, load.Contracts).Select(load.ContractId)];
        authorizations = [.. contracts.Select(contract => $"Bearer {(load.IsBare || !load.NamesPlayers ? Contracts.OperatorKey : Contracts.KeyOf(contract))}")];
        taken = [.. Enumerable.Range(0, load.Callers).Select(_ => new List<long>(1 << 14))];
        var picks = Chosen(load);
        all = Task.WhenAll(Enumerable.Range(0, load.Callers).Select(caller => Task.Run(() => Call(caller, picks))));
    }

    public static Callers Start(RunningSystem system, Load load) => new(system, load);

    /// <summary>How many requests have been answered since the start; throws where an answer was wrong.</summary>
    public long Answered => fault is null ? Interlocked.Read(ref answered) : throw Failure(fault);

    /// <summary>From now on the time that each answer takes is kept.</summary>
    public void Record() => records = true;

    /// <summary>Lets each caller have its last answer. Answers how long the recorded ones took, in ticks of the stopwatch.</summary>
    public async Task<IReadOnlyList<long>> Stop()
    {
        records = false;
        stopped = true;
        await all.WaitAsync(LongestAnswer);
        return fault is null ? [.. taken.SelectMany(one => one)] : throw Failure(fault);
    }

    private WrongAnswerException Failure(Exception e) => new($"{system.Name}, {load.Name}: {e.Message}", e);

    private async Task Call(int caller, int[] picks)
    {
        var random = new Random(caller);
        var body = new Body(load);
        var answer = new byte[16 << 10];
        try
        {
            for (var number = caller; !stopped; number++)
            {
                using var request = Request(number, picks[random.Next(Picks)], body, random);
                var began = Stopwatch.GetTimestamp();
                using var response = await system.Http.SendAsync(request, CancellationToken.None);
                var read = await Read(response, answer);
                if (records) taken[caller].Add(Stopwatch.GetTimestamp() - began);
                Interlocked.Increment(ref answered);
                if ((int)response.StatusCode != load.Status || answer.AsSpan(0, read).IndexOf(mustContain) < 0)
                    throw new WrongAnswerException($"answered {(int)response.StatusCode} {Encoding.UTF8.GetString(answer, 0, Math.Min(read, 500))}");
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref fault, e, null);
            stopped = true;
        }
    }

    private HttpRequestMessage Request(int number, int pick, Body body, Random random)
    {
        var server = number % system.Servers.Count;
        var request = load.Takes switch
        {
            Bench.Call.Window => new HttpRequestMessage(HttpMethod.Get, system.Windows[server]),
            Bench.Call.Page => new HttpRequestMessage(HttpMethod.Get, system.Pages[random.Next(system.Pages.Count)]),
            Bench.Call.Report or Bench.Call.Refusal or Bench.Call.DryRun => new HttpRequestMessage(HttpMethod.Post, system.Reports[server])
            {
                Content = new ReadOnlyMemoryContent(body.Next(contracts[pick], Contracts.UserId(number % Contracts.Users)))
                {
                    Headers = { ContentType = Json },
                },
            },
        };
        request.Headers.TryAddWithoutValidation("Authorization", authorizations[pick]);
        return request;
    }

    // Reads all and keeps the beginning, which tells whether it is right.
    private static async Task<int> Read(HttpResponseMessage response, byte[] answer)
    {
        await using var stream = await response.Content.ReadAsStreamAsync();
        var kept = 0;
        while (await stream.ReadAsync(answer.AsMemory(kept)) is > 0 and var read) kept = Math.Min(kept + read, answer.Length / 2);
        return kept;
    }

    private static int[] Chosen(Load load)
    {
        var picks = new int[Picks];
        var weights = Enumerable.Range(1, load.Contracts).Select(number => load.Choice is Choice.Zipf ? 1.0 / number : 1.0).ToArray();
        var (contract, below, sum) = (0, weights[0], weights.Sum());
        for (var i = 0; i < Picks; i++)
        {
            while (below < sum * i / Picks && contract < load.Contracts - 1) below += weights[++contract];
            picks[i] = contract;
        }
        return picks;
    }
}

/// <summary>A system answered what it must not.</summary>
internal sealed class WrongAnswerException(string message, Exception? inner = null) : Exception(message, inner);
