using System.Diagnostics;
using System.Globalization;
using Xunit;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace CreditGrains.Simulation;

/// <summary>The real actors in seeded worlds of faults. <c>CREDITGRAINS_SEED</c> replays one world.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly ulong? Replay = ulong.TryParse(Environment.GetEnvironmentVariable("CREDITGRAINS_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : null;

    [Fact(DisplayName = "R1-R6, L2, L4, P2, P3, T3, G2: every rule holds through faults")]
    public void EveryRuleHoldsThroughFaults() => Pass(worlds: 60, reports: 2_000, isQuiet: false);

    [Fact(DisplayName = "R4: without faults nothing conflicts, lapses, waits long or is tried twice")]
    public void QuietWorldsAnswerAtTheFirstAttempt() => Pass(worlds: 10, reports: 1_000, isQuiet: true);

    [Fact(DisplayName = "The same seed gives the same world")]
    public void TheSameSeedGivesTheSameWorld()
    {
        var outcomes = new Outcome[2];
        OnThreads(thread => outcomes[thread] = Simulation.Run(7, 1_000, isQuiet: false));
        Assert.Equal(outcomes[0], outcomes[1]);
        Assert.NotEqual(outcomes[0].Trace, Simulation.Run(8, 1_000, isQuiet: false).Trace);
    }

    private void Pass(int worlds, int reports, bool isQuiet)
    {
        var clock = Stopwatch.StartNew();
        var seeds = new Queue<ulong>(Replay is { } one ? [one] : Enumerable.Range(1, worlds).Select(world => (ulong)world));
        var outcomes = new List<Outcome>();
        OnThreads(_ =>
        {
            while (true)
            {
                ulong seed;
                lock (seeds) if (!seeds.TryDequeue(out seed)) return;
                try
                {
                    var outcome = Simulation.Run(seed, reports, isQuiet);
                    lock (outcomes) outcomes.Add(outcome);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"Seed {seed}; CREDITGRAINS_SEED={seed} replays it. {e.Message}", e);
                }
            }
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{outcomes.Sum(world => world.Reports)} reports in {outcomes.Count} worlds and {clock.Elapsed.TotalSeconds:F1} s: {outcomes.Sum(world => world.Answers)} answers ({outcomes.Sum(world => world.Refusals)} refusals), {outcomes.Sum(world => world.Commits)} commits, {outcomes.Sum(world => world.Conflicts)} conflicts, {outcomes.Sum(world => world.Lapses)} leases lapsed, {outcomes.Sum(world => world.Retries)} retries, {outcomes.Sum(world => world.Stragglers)} stragglers, {outcomes.Sum(world => world.VirtualTime.TotalHours):F1} virtual hours"));
    }

    // A world must not be on the pool's threads, or it would not notice what hops there.
    private static void OnThreads(Action<int> work)
    {
        Exception? failure = null;
        var threads = Enumerable.Range(0, 2).Select(number => new Thread(() =>
        {
            try
            {
                work(number);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failure is not null) Assert.Fail($"{failure.Message}\n{failure}");
    }
}
