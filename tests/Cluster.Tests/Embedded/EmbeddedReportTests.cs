using CreditGrains.Grains;
using CreditGrains.Domain;

namespace CreditGrains.Cluster.Tests;

/// <summary>Reports through the grains of one silo and the SQLite store.</summary>
public sealed class EmbeddedReportTests
{
    [Fact]
    public async Task Two_thousand_reports_that_name_the_same_new_players_charge_each_once_R4()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 1_000, ["U"]);
        using var decisions = new Counted(engine.Metrics.Decisions);
        string[] players = ["P1", "P2", "P3", "P4", "P5"];

        var reports = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => engine.Made($"R{i}", "C", "U", players)));

        Assert.Equal(5, reports.Sum(report => report.Charged));
        Assert.Equal(2_000, decisions.Total);
        Assert.Equal(995, (await engine.Made("last", "C", "U", players)).Balance.ContractRemaining);
        Assert.True((await engine.Queries.Audit("C"))!.Balanced);
    }

    [Fact]
    public async Task Reports_that_name_the_same_players_in_opposite_order_do_not_wait_for_ever_R4()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 100_000, ["U"]);
        using var decisions = new Counted(engine.Metrics.Decisions);

        for (var first = 0; first < 1_000; first += 50)
        {
            var pairs = await Task.WhenAll(Enumerable.Range(first, 50).Select(pair =>
            {
                string[] players = [.. Enumerable.Range(0, 50).Select(i => $"{pair}-{i}")];
                return Task.WhenAll(engine.Made($"A{pair}", "C", "U", players), engine.Made($"B{pair}", "C", "U", [.. players.Reverse()]));
            }));
            Assert.All(pairs, pair => Assert.Equal(50, pair.Sum(report => report.Charged)));
        }

        Assert.Equal(2_000, decisions.Total);
        Assert.True((await engine.Queries.Audit("C"))!.Balanced);
    }

    [Fact]
    public async Task A_report_repeated_at_the_same_time_is_made_once_and_replayed_R3()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 10, ["U"]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => engine.Report("R", "C", "U", ["P1", "P2"])));

        var first = Assert.Single(answers.OfType<ReportAnswer.First>()).Report;
        Assert.Equal(99, answers.OfType<ReportAnswer.Replayed>().Count());
        Assert.All(answers.OfType<ReportAnswer.Replayed>(), replayed => Assert.Equivalent(first, replayed.Report));
        Assert.Equal(RefusalCode.ReportIdReused, Assert.IsType<ReportAnswer.Refused>(await engine.Report("R", "C", "U", ["P1"])).Refusal.Code);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_happen_and_changes_nothing_R6()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 3, ["U"]);
        await engine.Made("R", "C", "U", "P1");
        using var commits = new Counted(engine.Store.Metrics.Commits);

        var would = Assert.IsType<ReportAnswer.Rehearsed>(await engine.Report("S", "C", "U", ["P1", "P2"], dryRun: true));
        Assert.Equal((null, 1, 1, 1L), (would.Refusal, would.Report.Charged, would.Report.Covered, would.Report.Balance.ContractRemaining));
        var not = Assert.IsType<ReportAnswer.Rehearsed>(await engine.Report("S", "C", "U", ["P2", "P3", "P4"], dryRun: true));
        Assert.Equal(RefusalCode.InsufficientContractCredits, not.Refusal?.Code);

        Assert.Equal(0, commits.Total);
        Assert.Null(await engine.Queries.Report(new("acme", "S")));
        Assert.Single((await engine.Queries.Credits(new(null, "C", CreditStatus.Allocated, null, null, null, null), engine.Clock.Now, new(10, null))).Items);
    }

    [Fact]
    public async Task Refusals_come_in_their_order_and_change_nothing_R2()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 2, ["U", "D"]);
        await engine.Grains.User(new("acme", "D")).Switch(disabled: true, "test");
        using var commits = new Counted(engine.Store.Metrics.Commits);

        Assert.Equal(RefusalCode.NotFound, await Refused("none", "U", "P1"));
        Assert.Equal(RefusalCode.UserNotAssigned, await Refused("C", "stranger", "P1", "P2", "P3"));
        Assert.Equal(RefusalCode.UserDisabled, await Refused("C", "D", "P1"));
        Assert.Equal(RefusalCode.InsufficientContractCredits, await Refused("C", "U", "P1", "P2", "P3"));
        Assert.Equal(0, commits.Total);
        Assert.Equal(2, (await engine.Made("R", "C", "U", "P1", "P2")).Charged);
        Assert.Equal(0, (await engine.Made("S", "C", "U", "P2", "P1")).Charged);

        async Task<RefusalCode> Refused(string contract, string user, params string[] players) =>
            Assert.IsType<ReportAnswer.Refused>(await engine.Report("R", contract, user, players)).Refusal.Code;
    }

    [Fact]
    public async Task A_pool_that_many_want_is_used_up_and_never_overdrawn_L2()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 100, ["U"]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => engine.Report($"R{i}", "C", "U", [$"P{i}"])));

        Assert.Equal(100, answers.OfType<ReportAnswer.First>().Count());
        Assert.All(answers.OfType<ReportAnswer.Refused>(), refused => Assert.Equal(RefusalCode.InsufficientContractCredits, refused.Refusal.Code));
        Assert.True((await engine.Queries.Audit("C"))!.Balanced);
    }

    [Fact]
    public async Task A_player_who_has_a_credit_of_another_contract_of_the_client_costs_nothing_P2()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 10, ["U"]);
        await engine.Agree("D", 10, ["V"]);
        await engine.Agree("E", 10, ["U"], clientId: "other");

        Assert.Equal(1, (await engine.Made("R", "C", "U", "P")).Charged);
        Assert.Equal(0, (await engine.Made("S", "D", "V", "P")).Charged);
        Assert.Equal(1, Assert.IsType<ReportAnswer.First>(await engine.Report("R", "E", "U", ["P"], clientId: "other")).Report.Charged);
    }

    // user U has a fixed amount of 500; 12 callers make 12 reports of one new player each
    // of each answer                 -> userAvailable is 500 minus what reports up to this one have used
    [Fact]
    public async Task What_a_user_can_still_use_counts_what_is_committed_and_nothing_that_others_try_R2()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 100_000, ["U"]);
        await Limit(engine, 500);

        var reports = await Task.WhenAll(Enumerable.Range(0, 12).SelectMany(caller => Enumerable.Range(0, 12).Select(i => engine.Made($"R{caller}-{i}", "C", "U", $"P{caller}-{i}"))));

        Assert.Equal(Enumerable.Range(0, 144).Select(used => (long?)(499 - used)).Order(), reports.Select(report => report.Balance.UserAvailable).Order());
        Assert.All(reports, report => Assert.Equal(100_000 - 500 + report.Balance.UserAvailable, report.Balance.ContractRemaining));
    }

    // the pool has 40; three callers ask for 50 players, which it refuses, and three for one
    // of each answer                 -> userAvailable is 1,000 minus what was used, never less by what is refused
    [Fact]
    public async Task What_the_pool_refuses_is_never_counted_as_used_R2()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 40, ["U"]);
        await Limit(engine, 1_000);

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).SelectMany(i => new[]
        {
            engine.Report($"big{i}", "C", "U", Enumerable.Range(0, 50).Select(player => $"B{i}-{player}")),
            engine.Report($"small{i}", "C", "U", [$"S{i}"]),
        }));

        var made = answers.OfType<ReportAnswer.First>().Select(first => first.Report).ToList();
        Assert.Equal(30, made.Count);
        Assert.All(made, report => Assert.Equal(1_000 - 40 + report.Balance.ContractRemaining, report.Balance.UserAvailable));
        Assert.All(answers.OfType<ReportAnswer.Refused>(), refused => Assert.Equal(1_000 - 40 + refused.Refusal.Amounts!.ContractRemaining, refused.Refusal.Amounts.UserAvailable));
    }

    [Fact]
    public async Task A_report_of_46_new_players_is_two_calls_one_commit_and_one_notice()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 1_000, ["U"]);
        await engine.Made("first", "C", "U", "P");
        await Noted(engine);
        using var commits = new Counted(engine.Store.Metrics.Commits);
        engine.Calls.Clear();

        await engine.Made("R", "C", "U", [.. Enumerable.Range(0, 46).Select(i => $"P{i}")]);
        await Noted(engine);

        Assert.Equal(1, commits.Total);
        Assert.Equal(["IContractGrain.Charge", "IPlayerCreditsGrain.Look", "IPlayerCreditsGrain.Note"], engine.Calls.Order(StringComparer.Ordinal));
    }

    private static Task Noted(Engine engine) => InProcess.Silos.Until(() => Task.FromResult(engine.Calls.Contains("IPlayerCreditsGrain.Note")));

    [Fact]
    public async Task Sixty_four_reports_at_once_share_commits()
    {
        await using var engine = await Engine.Open();
        await engine.Agree("C", 1_000, ["U"]);
        using var commits = new Counted(engine.Store.Metrics.Commits);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => engine.Made($"R{i}", "C", "U", $"P{i}")));

        Assert.InRange(commits.Total, 1, 16);
    }

    private static async Task Limit(Engine engine, long amount) => Assert.Null((await engine.Grains.Contract("C").Allocate(
        new(true, null, false, [new("U", new(amount, Renewal.Fixed), null)]), null, "test")).Refusal);
}
