using CreditGrains.Grains;
using CreditGrains.Grains.Local;
using CreditGrains.Domain;

namespace CreditGrains.Simulation;

/// <summary>Which reports may still take effect: a submission is under way, or ended without saying how.</summary>
internal sealed class Submissions
{
    private readonly Dictionary<string, int> underWay = [];
    private readonly Dictionary<string, int> charges = [];
    private readonly HashSet<string> inDoubt = [];
    private readonly Dictionary<ReportKey, string> sent = [];
    private readonly HashSet<ReportKey> sentToSeveral = [];

    /// <summary>Reports that took effect by a charge that its caller had given up on, after a refusal: nothing but a record of each refusal could tell such a charge to stop.</summary>
    public int Stragglers { get; private set; }

    /// <summary>Somebody sent it, and not as a dry run.</summary>
    public void Sent(ReportKey key, string contractId)
    {
        if (!sent.TryAdd(key, contractId) && sent[key] != contractId) sentToSeveral.Add(key);
    }

    /// <summary>A call begins; the answer tells how it ended, null: nobody knows.</summary>
    public Action<object?> Begin(ActorId id, Type answer, ActorId? sender)
    {
        if (id.Kind == ActorKind.Report) return Count(underWay, id.Key, ended =>
        {
            if (ended is ReportAnswer.Refused) inDoubt.Remove(id.Key);
            else if (ended is null) inDoubt.Add(id.Key);
        });
        if (answer == typeof(ChargeAnswer) && sender is { Kind: ActorKind.Report } report) return Count(charges, report.Key, _ => { });
        return _ => { };
    }

    /// <summary>Whether a report may take effect now: a refusal is the end of everything that was over by then.</summary>
    public bool MayHappen(ReportKey key)
    {
        var id = key.ToString();
        if (!sent.ContainsKey(key)) return false;

        // One contract's refusal says nothing of what another was asked under the same id.
        if (sentToSeveral.Contains(key)) return true;
        if (underWay.GetValueOrDefault(id) > 0 || inDoubt.Contains(id)) return true;
        if (charges.GetValueOrDefault(id) == 0) return false;
        Stragglers++;
        return true;
    }

    private static Action<object?> Count(Dictionary<string, int> counts, string key, Action<object?> ends)
    {
        counts[key] = counts.GetValueOrDefault(key) + 1;
        return answer =>
        {
            counts[key]--;
            ends(answer);
        };
    }
}
