using System.Collections.Immutable;
using NodaTime;

namespace CreditGrains.Domain;

/// <summary>When a hold ends, and its report: the order in which holds end.</summary>
public readonly record struct HoldKey(Instant Until, string ReportId) : IComparable<HoldKey>
{
    public int CompareTo(HoldKey other) =>
        Until != other.Until ? Until.CompareTo(other.Until) : string.CompareOrdinal(ReportId, other.ReportId);
}

/// <summary>A report that gives back those of its credits that are still held at its end (R8).</summary>
/// <param name="Credits">Its credits whose <see cref="Credit.HeldUntil"/> is that end.</param>
public sealed record Hold(Report Report, ImmutableDictionary<CreditId, Credit> Credits)
{
    public HoldKey Key => new(Report.HoldUntil!.Value, Report.ReportId);
}

/// <summary>The open holds of a contract, and their ends.</summary>
public static class Holds
{
    /// <summary>The contract with these credits held by a report, beside those that it holds already.</summary>
    public static Contract Hold(this Contract contract, Report report, params IEnumerable<Credit> held)
    {
        var credits = held.Select(credit => KeyValuePair.Create(credit.Id, credit)).ToList();
        if (credits.Count == 0) return contract;
        var hold = new Hold(report, ImmutableDictionary<CreditId, Credit>.Empty);
        var present = contract.Holds.GetValueOrDefault(hold.Key, hold);
        return contract with { Holds = contract.Holds.SetItem(hold.Key, hold with { Credits = present.Credits.SetItems(credits) }) };
    }

    /// <summary>The contract without these credits in its holds; a hold without credits ends nothing.</summary>
    internal static Contract Release(this Contract contract, params IEnumerable<Credit> credits)
    {
        var holds = contract.Holds;
        foreach (var released in credits.Where(credit => credit.HeldUntil is not null).GroupBy(KeyOf))
        {
            if (!holds.TryGetValue(released.Key, out var hold)) continue;
            var left = hold.Credits.RemoveRange(released.Select(credit => credit.Id));
            holds = left.IsEmpty ? holds.Remove(released.Key) : holds.SetItem(released.Key, hold with { Credits = left });
        }
        return contract with { Holds = holds };
    }

    /// <summary>The contract after a credit was edited by hand: it stays in its hold, or leaves it.</summary>
    internal static Contract Rehold(this Contract contract, Credit before, Credit after)
    {
        if (before.HeldUntil is null) return contract;
        var hold = contract.Holds[KeyOf(before)];
        var released = contract.Release(before);
        return after.HeldUntil is null ? released : released.Hold(hold.Report, after);
    }

    /// <summary>The contract with a report as it now is, where it is a hold.</summary>
    internal static Contract Remember(this Contract contract, Report report) =>
        report.HoldUntil is { } until && contract.Holds.TryGetValue(new(until, report.ReportId), out var hold)
            ? contract with { Holds = contract.Holds.SetItem(hold.Key, hold with { Report = report }) }
            : contract;

    /// <summary>Ends a hold at its instant: what is held goes back, and the report says so. Its players are uncovered by the time alone.</summary>
    internal static Changed<Contract> End(Contract contract, Hold hold, Instant now)
    {
        var (at, report) = (hold.Key.Until, hold.Report);
        var held = hold.Credits.Values.OrderBy(credit => $"{credit.Id}", StringComparer.Ordinal).ToList();
        var (next, changes, _) = GivingBack.Decide(
            contract, [.. held.Select(credit => new Leaving(credit, contract.LotOf(credit), null))], Endings.None,
            new(Entry.System, null, Causes.HoldEnd(report.ReportId), at, now));
        var voided = report with { Voided = [.. report.Voided, .. held.Select(credit => new GivenBack(credit.PlayerId!, $"{credit.Id}", at, null))] };
        return new(next, changes + [new ReportChange(voided, IsNew: false)]);
    }

    private static HoldKey KeyOf(Credit held) => new(held.HeldUntil!.Value, held.ReportId!);

    // Used up and expired lots are kept for what is held.
    private static Lot LotOf(this Contract contract, Credit credit) =>
        contract.OpenLot(credit.Id.LotId) ?? contract.Closed.First(lot => lot.LotId == credit.Id.LotId);
}
