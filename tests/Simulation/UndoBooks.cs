using System.Runtime.CompilerServices;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor of voids (R7) and holds (R8): sees every commit, and holds what it gives back against what the report still had.</summary>
internal sealed class UndoBooks(World world, MemoryStore store, History history)
{
    /// <summary>Reports that were voided, wholly or in part, captured, or whose hold ended.</summary>
    public int Done { get; private set; }

    /// <summary>Whether an entry tells of a credit that a report's void, capture or end of hold gave back.</summary>
    public static bool IsUndone(Entry entry) => entry is { Kind: EntryKind.CreditsReturned, ReportId: not null } && entry.Cause != Causes.Request;

    /// <summary>Checks what a commit will give back against the state that it meets.</summary>
    public void Before(Commit commit)
    {
        var told = commit.Changes.Entries.Where(IsUndone).ToLookup(entry => entry.ReportId!);
        Holds(told.All(report => commit.Changes.Undone.Any(row => row.ReportId == report.Key)), "a report says what was given back (R7)", $"{string.Join(' ', told.Select(report => report.Key))}");
        foreach (var report in commit.Changes.Undone.GroupBy(report => report.ReportId).Select(all => all.Last())) Check(store.Report(new(report.ClientId, report.ReportId)), report, [.. told[report.ReportId]]);
    }

    /// <summary>Checks that no hold is left that ended before what was decided (T3).</summary>
    public void After(Commit commit)
    {
        foreach (var write in commit.Changes.Contracts())
        {
            var left = store.Contract(write.Id)!.Holds.Credits.FirstOrDefault(credit => credit.HeldUntil <= write.AsOf);
            Holds(left is null, "the next decision books the end of a hold (R8, T3)", $"{left} at {write.AsOf}");
        }

        // What is captured may be freed by hand later.
        var captured = commit.Changes.Entries.Where(entry => entry.Kind == EntryKind.HoldCaptured).Select(entry => (entry.ClientId, entry.ReportId)).ToHashSet();
        foreach (var report in commit.Changes.Undone.Where(report => captured.Contains((report.ClientId, report.ReportId))))
            foreach (var kept in report.Captured!.Players)
                Holds(report.Voided.Any(given => given.PlayerId == kept.PlayerId) || store.Credit(CreditId.Parse(kept.CreditId)) is { HeldUntil: null, PlayerId: { } player } && player == kept.PlayerId,
                    "what is captured is held no longer (R8)", $"{kept}: {store.Credit(CreditId.Parse(kept.CreditId))}");
    }

    private void Check(Report? before, Report after, List<Entry> told)
    {
        Done++;
        Holds(before is not null && Json.Write(before.AsAnswered()) == Json.Write(after.AsAnswered()), "what was answered stays (R7)", $"{before}, {after}");
        var given = after.Voided.Skip(before!.Voided.Length).ToList();
        Holds(after.Voided.Take(before.Voided.Length).SequenceEqual(before.Voided), "what went back stays told (R7)", $"{string.Join(' ', after.Voided)}");
        Holds(given.Select(one => $"credit:{one.CreditId}").Order(StringComparer.Ordinal).SequenceEqual(told.Select(entry => entry.Subject).Order(StringComparer.Ordinal)),
            "each credit that goes back is told once (R7, G1)", $"{string.Join(' ', given)}, {string.Join(' ', told)}");
        foreach (var entry in told)
        {
            var credit = store.Credit(Subjects.AsCredit(entry.Subject)!.Value);
            var at = entry.EffectiveAt;
            Holds(credit is { PlayerId: not null } && credit.ReportId == after.ReportId && !(at >= credit.ExpiresAt) && given.Any(one => one.CreditId == $"{credit.Id}" && one.PlayerId == credit.PlayerId && one.At == at),
                "only what a report still has, and covers, goes back (R7)", $"{entry}: {credit}");
            Holds(entry.UserId == credit!.UsedBy, "a use goes back to its user (R7)", $"{entry}: {credit}");
            Holds(entry.Cause == Causes.HoldEnd(after.ReportId)
                ? at == after.HoldUntil && credit.HeldUntil == at && after.Captured is null && entry.Reason is null
                : !(at >= after.HoldUntil && (before.Captured ?? after.Captured) is null), "a hold ends at its instant, and not before (R8)", $"{entry}: {credit}, {after}");
        }
        if (before.Captured == after.Captured) return;
        Holds(before.Captured is null && after.Captured!.At < after.HoldUntil, "a hold is captured once, before its end (R8)", $"{before.Captured}, {after}");
        var kept = after.Captured!.Players.Select(one => one.CreditId).ToHashSet();
        foreach (var outcome in after.Players.Where(outcome => outcome.Charge == PlayerCharge.New))
        {
            var credit = store.Credit(CreditId.Parse(outcome.CreditId!));
            var covers = credit?.ReportId == after.ReportId && credit.PlayerId == outcome.PlayerId && credit.CoversAt(after.Captured.At);
            Holds(covers == (kept.Contains(outcome.CreditId!) || given.Any(one => one.CreditId == outcome.CreditId)), "a capture keeps or gives back all that a hold has (R8)", $"{outcome}: {credit}, {after}");
        }
    }

    /// <summary>Whether a refusal of a void or capture has a reason at one moment since.</summary>
    public bool IsReason(ReportKey key, string contractId, IReadOnlyCollection<string> named, Refusal refusal, bool isCapture, int from) => history.WasEver(from, history.Moment, moment => (refusal.Code, history.Undone(key, moment)) switch
    {
        (RefusalCode.NotFound, var report) => report is null || report.ContractId != contractId,
        (RefusalCode.InvalidField, { } report) => (isCapture && report.HoldUntil is null) || named.Any(player => report.Players.All(outcome => outcome.PlayerId != player)),
        (RefusalCode.HoldOver, { } report) => (isCapture && report.Captured is not null) || history.Instants(from, moment).Any(report.IsHoldOver) || report.Players.Any(player => history.AsOf(new(key.ClientId, player.PlayerId), moment) >= report.HoldUntil),
        _ => false,
    });

    /// <summary>Whether an answer is what a report said at one moment since.</summary>
    public bool IsAnswer(ReportKey key, UndoneReport answer, int from) => history.WasEver(from, history.Moment, moment => history.Undone(key, moment) is { } report
        && Json.Write(report.Captured) == Json.Write(answer.Captured) && answer.GivenBack.All(report.Voided.Contains));

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
