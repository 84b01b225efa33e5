using CreditGrains.Domain;
using CreditGrains.Grains;
using Orleans.Runtime;

namespace CreditGrains.Simulation;

/// <summary>
/// Which reports may still take effect: those with a sending that has reached a grain and is neither answered, nor sent away, nor older than one
/// that was refused. A refusal is the end of every sending of the same request that came before it, wherever that waits (R3).
/// </summary>
internal sealed class Submissions
{
    private readonly Dictionary<ReportKey, List<Sending>> live = [];
    private readonly Dictionary<ReportKey, int> asked = [];
    private readonly Dictionary<ReportKey, int> arrived = [];

    private sealed record Sending(ChargeReport Report)
    {
        public bool IsSame(ChargeReport other) => Report.ContractId == other.ContractId && Report.UserId == other.UserId
            && Report.Players.Select(player => player.PlayerId).ToHashSet().SetEquals(other.Players.Select(player => player.PlayerId));
    }

    /// <summary>Sees reports reach grains.</summary>
    public Action<object?>? Arrived(Activation activation, Call call)
    {
        if (call.Method.Name != nameof(IContractGrain.Charge) || call.Arguments[0] is not ChargeReport report) return null;
        arrived[report.Report] = arrived.GetValueOrDefault(report.Report) + 1;
        if (report.DryRun) return null;
        if (!live.TryGetValue(report.Report, out var sendings)) live[report.Report] = sendings = [];
        var sending = new Sending(report);
        sendings.Add(sending);
        return answer =>
        {
            switch (answer)
            {
                case ReportAnswer.Refused:
                    var place = sendings.FindIndex(one => ReferenceEquals(one, sending));
                    for (; place >= 0; place--)
                        if (sendings[place].IsSame(report)) sendings.RemoveAt(place);
                    break;
                case ReportAnswer or AskAgainException:
                    sendings.RemoveAll(one => ReferenceEquals(one, sending));
                    break;
            }
        };
    }

    /// <summary>Whether a report may take effect now.</summary>
    public bool MayHappen(Report made) => live.TryGetValue(new(made.ClientId, made.ReportId), out var sendings)
        && sendings.Any(sending => made.Answers(sending.Report.ContractId, sending.Report.UserId, sending.Report.Players.Select(player => player.PlayerId)));

    /// <summary>Sees each commit that is asked for: how often a report was decided.</summary>
    public void Decided(Commit commit)
    {
        foreach (var report in commit.Changes.Reports.Select(report => new ReportKey(report.ClientId, report.ReportId))
            .Concat(commit.Changes.Guards.Where(guard => guard.Row.Kind == RowKind.Report).Select(guard => new ReportKey(guard.Row.First, guard.Row.Second))))
            asked[report] = asked.GetValueOrDefault(report) + 1;
    }

    /// <summary>How often a report was decided that reached a grain once; null: it did more often.</summary>
    public int? Decisions(ReportKey key) => arrived.GetValueOrDefault(key) == 1 ? asked.GetValueOrDefault(key) : null;

    /// <summary>How often a report has reached a grain.</summary>
    public int Arrivals(ReportKey key) => arrived.GetValueOrDefault(key);
}
