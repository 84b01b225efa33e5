using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;

namespace CreditGrains.Simulation;

/// <summary>What clients were told, held against what was committed: every number of every answer is what the store said at one moment since it was asked (R2).</summary>
internal sealed class Promises(World world, MemoryStore store, History history)
{
    private readonly Dictionary<ReportKey, Report> first = [];
    private readonly Dictionary<(string ClientId, string Key), ReportKey> keys = [];

    /// <summary>Answers given to reports.</summary>
    public int Answers { get; private set; }

    /// <summary>How many of them were refusals.</summary>
    public int Refusals { get; private set; }

    /// <summary>Checks an answer that was asked for at the moment <paramref name="from"/>.</summary>
    public void Answered(ChargeReport report, ReportAnswer answer, int from)
    {
        Answers++;
        world.Note((ulong)history.Moment);
        switch (answer)
        {
            case ReportAnswer.First(var made):
                // What was decided at the same instant looks the same whichever sending made it.
                world.Holds(history.Report(report.Report, from) is null || history.Instants(from, from).Any(now => made.At >= now), "a first answer is of a report that was not there (R3)", $"{report}: {made}");
                if (report.Key is { } key)
                    world.Holds(keys.TryAdd((report.Report.ClientId, key.Key), report.Report) || keys[(report.Report.ClientId, key.Key)] == report.Report, "a key stands for one request (§3)", $"{report}");
                Answered(report, made);
                break;
            case ReportAnswer.Replayed(var made):
                Answered(report, made);
                break;
            case ReportAnswer.Refused(var refusal):
                Refusals++;
                world.Holds(!report.DryRun, "a dry run only tells (R6)", $"{report}: {refusal}");
                Refused(report, refusal, from);
                break;
            case ReportAnswer.Rehearsed(var outline, var refusal):
                Rehearsed(report, outline, refusal, from);
                break;
        }
    }

    /// <summary>Checks that nothing that was answered was undone.</summary>
    public void AreKept()
    {
        foreach (var (key, report) in first) world.Holds(Same(store.Report(key), report), "what was answered stays (R3, R5)", $"{key}");
    }

    private void Answered(ChargeReport report, Report made)
    {
        var key = report.Report;
        world.Holds(!report.DryRun, "a dry run only tells (R6)", $"{key}");
        world.Holds(Same(store.Report(key), made), "what is answered is durable (R5)", $"{key}: {made}");
        world.Holds(made.Answers(report.ContractId, report.UserId, report.Players.Select(player => player.PlayerId)), "an answer is of its own request (R3)", $"{key}: {made}");
        world.Holds(Same(first.GetValueOrDefault(key, made), made), "what was answered stays (R3, R5)", $"{key}: {made}");
        first.TryAdd(key, made);
    }

    private void Refused(ChargeReport report, Refusal refusal, int from) => world.Holds(
        refusal.Code == RefusalCode.IdempotencyKeyReused ? IsKeyReused(report) : history.WasSaid(report.Report, report, from, finding => Says(finding, report, refusal)),
        "a refusal is what the store said at one moment (R2)",
        $"{report}: {refusal}; the rules, from its call on: {string.Join(" | ", history.Findings(report.Report, report, from))}");

    private void Rehearsed(ChargeReport report, Report outline, Refusal? refusal, int from)
    {
        world.Holds(report.DryRun, "a dry run only tells (R6)", $"{report}: {outline}");
        world.Holds(
            refusal?.Code == RefusalCode.IdempotencyKeyReused ? IsKeyReused(report) : history.WasSaid(report.Report, report, from, finding => Says(finding, report, outline, refusal)),
            "a dry run tells what the store said at one moment (R6)",
            $"{report}: {outline} {outline.Balance} {refusal}; the rules, from its call on: {string.Join(" | ", history.Findings(report.Report, report, from))}");
    }

    private static bool Says(Finding finding, ChargeReport report, Refusal refusal) => finding.Made is { } made
        ? refusal.Code == RefusalCode.ReportIdReused && !IsOf(report, made)
        : finding.Code == refusal.Code && (finding.Code == RefusalCode.NotFound || finding.Amounts == refusal.Amounts);

    private static bool Says(Finding finding, ChargeReport report, Report outline, Refusal? refusal)
    {
        if (finding.Made is { } made) return Same(made, outline) && (IsOf(report, made) ? refusal is null : refusal?.Code == RefusalCode.ReportIdReused);
        if (refusal is not null) return Says(finding, report, refusal) && (finding.Amounts is not { } refused || (outline.Charged == refused.ToCharge && outline.Balance == new Balance(refused.UserAvailable, refused.ContractRemaining)));
        return finding is { Code: null, Amounts: { } amounts } && outline.At == finding.At && outline.Charged == amounts.ToCharge
            && outline.Balance == new Balance(amounts.UserAvailable - amounts.ToCharge, amounts.ContractRemaining - amounts.ToCharge)
            && outline.Players.Zip(finding.Players).All(pair => pair.First.PlayerId == pair.Second.PlayerId
                && (pair.First.Charge == PlayerCharge.Covered) == (pair.Second.Credit is not null && !(finding.At >= pair.Second.CoversUntil))
                && (pair.First.Charge == PlayerCharge.New || (pair.First.CreditId == $"{pair.Second.Credit}" && pair.First.ExpiresAt == pair.Second.CoversUntil)));
    }

    private bool IsKeyReused(ChargeReport report) =>
        report.Key is { } key && store.Document(DocumentKind.Request, key.Key) is { } document
        && Json.Read<KeyedRequest>(document.Body).Made != report.Report.ReportId;

    private static bool IsOf(ChargeReport report, Report made) => made.Answers(report.ContractId, report.UserId, report.Players.Select(player => player.PlayerId));

    // What became of a report since is no part of its answer.
    private static bool Same(Report? a, Report? b) => ReferenceEquals(a, b)
        || (a is not null && b is not null && a.AsAnswered() with { Players = [] } == b.AsAnswered() with { Players = [] } && a.Players.SequenceEqual(b.Players));
}
