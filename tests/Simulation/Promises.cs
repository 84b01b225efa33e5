using CreditGrains.Grains;
using CreditGrains.Domain;

namespace CreditGrains.Simulation;

/// <summary>What clients were told, held against what was committed.</summary>
internal sealed class Promises(World world, MemoryStore store, History history)
{
    private readonly Dictionary<ReportKey, Report> first = [];

    /// <summary>Answers given to reports.</summary>
    public int Answers { get; private set; }

    /// <summary>How many of them were refusals.</summary>
    public int Refusals { get; private set; }

    /// <summary>Checks an answer that was asked for at the moment <paramref name="from"/>.</summary>
    public void Answered(ReportKey key, SubmitReport submit, ReportAnswer answer, int from)
    {
        Answers++;
        world.Note((ulong)history.Moment);
        switch (answer)
        {
            case ReportAnswer.First(var report):
                Answered(key, submit, report);
                break;
            case ReportAnswer.Replayed(var report):
                Answered(key, submit, report);
                break;
            case ReportAnswer.Refused(var refusal):
                Refusals++;
                Refused(key, submit, refusal, from);
                break;
            case ReportAnswer.Rehearsed(var outline, _):
                world.Holds(submit.DryRun && outline.Charged + outline.Covered == submit.Players.Length, "a dry run only tells (R6)", $"{key}: {outline}");
                break;
        }
    }

    /// <summary>Checks that nothing that was answered was undone.</summary>
    public void AreKept()
    {
        foreach (var (key, report) in first) world.Holds(Same(store.Report(key), report), "what was answered stays (R3, R5)", $"{key}");
    }

    private void Answered(ReportKey key, SubmitReport submit, Report report)
    {
        world.Holds(!submit.DryRun || store.Report(key) is not null, "a dry run only tells (R6)", $"{key}");
        world.Holds(Same(store.Report(key), report), "what is answered is durable (R5)", $"{key}: {report}");
        world.Holds(report.Answers(submit.ContractId, submit.UserId, submit.Players.Select(player => player.PlayerId)), "an answer is of its own request (R3)", $"{key}: {report}");
        world.Holds(Same(first.GetValueOrDefault(key, report), report), "what was answered stays (R3, R5)", $"{key}: {report}");
        first.TryAdd(key, report);
    }

    // It was decided at one of those instants, on a state that was still the newest when the commit that proves it landed.
    private void Refused(ReportKey key, SubmitReport submit, Refusal refusal, int from) => world.Holds(
        history.WasEver(from, history.Moment, moment => history.Instants(from, moment).Any(now => Says(history.Refusal(key, submit, from, moment, now), refusal))),
        "a refusal is true of a committed state (R2)",
        $"{key} {submit}: {refusal}; the rules, at each moment from its call on: {string.Join(' ', Enumerable.Range(from, history.Moment - from + 1).Select(moment => $"{history.Refusal(key, submit, moment, moment, history.Instants(moment, moment).Single())}").Distinct())}");

    private static bool Says(Rule? rule, Refusal refusal) => rule is not null && rule.Code == refusal.Code && rule.Code switch
    {
        RefusalCode.InsufficientAllocation => Fits(rule, refusal.Amounts!.ToCharge, refusal.Amounts.UserAvailable),
        RefusalCode.InsufficientContractCredits => Fits(rule, refusal.Amounts!.ToCharge, refusal.Amounts.ContractRemaining),
        _ => true,
    };

    private static bool Fits(Rule rule, long toCharge, long? available) => rule.ToCharge == toCharge && available >= rule.Least && available <= rule.Most && available < toCharge;

    private static bool Same(Report? a, Report? b) => ReferenceEquals(a, b)
        || (a is not null && b is not null && a with { Players = [] } == b with { Players = [] } && a.Players.SequenceEqual(b.Players));
}
