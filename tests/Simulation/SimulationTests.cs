using System.Diagnostics;
using System.Globalization;
using Xunit;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace CreditGrains.Simulation;

/// <summary>The real grains in seeded worlds of faults. <c>CREDITGRAINS_SEED</c> replays one world, <c>CREDITGRAINS_WORLDS</c> tries so many.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private static readonly ulong? Replay = ulong.TryParse(Environment.GetEnvironmentVariable("CREDITGRAINS_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : null;

    private static readonly int? Worlds = int.TryParse(Environment.GetEnvironmentVariable("CREDITGRAINS_WORLDS"), CultureInfo.InvariantCulture, out var worlds) ? worlds : null;

    [Fact(DisplayName = "R1-R6, S1-S6, L2-L6, P2, P3, P5, A2-A9, A11, T3, G1, G2: every rule holds through faults")]
    public void EveryRuleHoldsThroughFaults() => Pass(worlds: 60, reports: 2_000, Climate.Stormy);

    [Fact(DisplayName = "R4: without faults nothing fails, waits long or is decided more than four times")]
    public void QuietWorldsAnswerAtOnce() => Pass(worlds: 4, reports: 1_000, Climate.Quiet);

    [Fact(DisplayName = "R4: lost notices alone decide no report more than four times")]
    public void LostNoticesAloneCostLittle() => Pass(worlds: 4, reports: 1_000, Climate.Garbled);

    [Fact(DisplayName = "R4: nor where all want the same players")]
    public void NorWhereAllWantTheSamePlayers() => Pass(worlds: 4, reports: 500, Climate.Crowded);

    [Fact(DisplayName = "R2, A4: what users may use is told as it was committed")]
    public void WhatUsersMayUseIsToldAsCommitted() => Pass(worlds: 4, reports: 500, Climate.Rationed);

    [Fact(DisplayName = "R3, A4, A5: two activations of one grain charge and tell no more than one")]
    public void TwoActivationsChargeNoMore() => Pass(worlds: 4, reports: 500, Climate.Doubled);

    [Fact(DisplayName = "The same seed gives the same world")]
    public void TheSameSeedGivesTheSameWorld()
    {
        var outcomes = new Outcome[2];
        Threads.Run(2, world => outcomes[world] = Simulation.Run(7, 1_000, Climate.Stormy));
        Assert.Equal(outcomes[0], outcomes[1]);
        Assert.NotEqual(outcomes[0].Trace, Simulation.Run(8, 1_000, Climate.Stormy).Trace);
    }

    private void Pass(int worlds, int reports, Climate climate)
    {
        var clock = Stopwatch.StartNew();
        ulong[] seeds = Replay is { } one ? [one] : [.. Enumerable.Range(1, Worlds ?? worlds).Select(world => (ulong)world)];
        var outcomes = new Outcome[seeds.Length];
        Threads.Run(seeds.Length, world =>
        {
            try
            {
                outcomes[world] = Simulation.Run(seeds[world], reports, climate);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seeds[world]}; CREDITGRAINS_SEED={seeds[world]} replays it. {(e is Broken ? e.Message : e)}", e);
            }
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{outcomes.Sum(world => world.Reports)} reports in {outcomes.Length} worlds and {clock.Elapsed.TotalSeconds:F1} s: {outcomes.Sum(world => world.Answers)} answers ({outcomes.Sum(world => world.Refusals)} refusals), {outcomes.Sum(world => world.Commits)} commits, {outcomes.Sum(world => world.Proofs)} proofs, {outcomes.Sum(world => world.Conflicts)} conflicts, at most {outcomes.Max(world => world.MostDecisions)} decisions a report, {outcomes.Sum(world => world.Edits)} edits, {outcomes.Sum(world => world.Corrections)} corrections, {outcomes.Sum(world => world.Cycles)} billing cycles, {outcomes.Sum(world => world.VirtualTime.TotalHours):F1} virtual hours"));
    }
}
