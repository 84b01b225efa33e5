using System.Runtime.CompilerServices;
using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>An auditor of edits by hand (P5): sees every commit, and holds what it does to a credit against what the credit was and what was wanted of it.</summary>
internal sealed class EditBooks(World world, MemoryStore store, History history)
{
    // What one edit tells of its credit.
    private static readonly HashSet<string> Moves =
    [
        "credits-charged 1", "credits-returned 1", "credits-returned 1, lot-expired 1", "credits-returned 1, credits-charged 1",
        "credit-set 0", "coverage-expired 1", "lot-expired 1", "coverage-expired -1", "lot-expired -1, credits-charged 1", "coverage-expired -1, credits-returned 1", "lot-expired -1",
    ];

    private readonly Dictionary<string, EditCredit> wanted = [];
    private readonly Dictionary<CreditId, string> lastBy = [];
    private readonly List<Edited> edited = [];

    // A credit as an edit found it; without a row it lies in its lot, or apart from it.
    private sealed record Edited(EditCredit Edit, Credit? Row, Lot Lot, List<Entry> Told, Terms Terms)
    {
        public Instant Now => Told[0].BookedAt;

        public bool Lies => Row is null && Lot.Free.Contains(Edit.Id.Ordinal);

        public bool IsFree => Lies && !Lot.ExpiryBooked && !(Now >= Lot.ExpiresAt);

        public bool Covers => Row?.CoversAt(Now) == true;

        public bool Tells(EntryKind kind, long quantity = 1) => Told.Any(entry => entry.Kind == kind && entry.Quantity == quantity);
    }

    /// <summary>Edits that were done.</summary>
    public int Done { get; private set; }

    /// <summary>Whether an entry tells of an edit: of one credit, and why.</summary>
    public static bool IsEdit(Entry entry) => entry.Reason is not null && entry.Cause == Causes.Request && Subjects.IsCredit(entry.Subject);

    /// <summary>An operator will ask for that; its reason is its own.</summary>
    public void Wants(EditCredit edit) => wanted[edit.Reason] = edit;

    /// <summary>Checks what edits will do to credits as they are.</summary>
    public void Before(Commit commit)
    {
        edited.Clear();
        foreach (var told in commit.Changes.Entries.Where(IsEdit).GroupBy(entry => entry.Reason!))
        {
            var edit = wanted[told.Key];
            var row = store.Credit(edit.Id);
            var lot = row is null ? store.LotOf(edit.Id) : store.Lot(edit.Id.ContractId, edit.Id.LotId);
            if (row is { HeldUntil: { } end } held && end <= told.First().BookedAt) (row, lot) = HoldEnded(held, lot!, commit);
            edited.Add(new(edit, row, lot ?? NewLot(edit.Id, commit), [.. told], history.Read(edit.Id.ContractId, store)!.Terms));
        }
        foreach (var one in edited) Check(one, commit);
    }

    /// <summary>Checks what has become of credits.</summary>
    public void After(Commit commit)
    {
        foreach (var one in edited.Where(one => IsAlone(one) && !IsDrawnAgain(one.Edit.Id, commit))) CheckDone(one);
        foreach (var id in commit.Changes.Credits.Select(change => change.Credit.Id).Distinct())
        {
            var (row, lot) = (store.Credit(id), store.LotOf(id)!);
            Holds(lot.Source == LotSource.Minted ? row is not null : row is null == (lot.Free.Contains(id.Ordinal) || lot.Withdrawn.Contains(id.Ordinal)), "a credit lies in its lot or has been touched (P1)", $"{id}: {row}, {lot}");

            var by = edited.FindLast(one => one.Edit.Id == id)?.Edit.Reason;
            Holds(by is null || lastBy.GetValueOrDefault(id) != by, "what an edit did is not done again (P5)", $"{wanted.GetValueOrDefault(by ?? "")}");
            if (by is null || IsDrawnAgain(id, commit)) lastBy.Remove(id);
            else lastBy[id] = by;
        }
        Done += edited.Count;
    }

    /// <summary>Whether a credit is as an edit wants it, as far as that does not depend on when.</summary>
    public static bool IsAsWanted(EditCredit edit, Credit credit, Instant now) =>
        (!IsFreed(edit) || credit is { PlayerId: null, UsedBy: null, ReportId: null, ActivatedAt: null })
            && (edit.PlayerId ?? credit.PlayerId) == credit.PlayerId && (edit.PlayerName ?? credit.PlayerName) == credit.PlayerName
            && (edit.ExpiresAt is not { } until || credit.ExpiresAt == until || (credit.PlayerId is null && credit.ExpiresAt < until)) && (edit.Status != CreditStatus.Expired || credit.ExpiresAt <= now);

    /// <summary>Whether an edit wants a credit to have no player.</summary>
    public static bool IsFreed(EditCredit edit) => edit.Frees || edit.Status == CreditStatus.Unallocated;

    /// <summary>Whether an edit gives an expiry to a credit that may have no player.</summary>
    public static bool IsApart(EditCredit edit) => edit is { ExpiresAt: not null, PlayerId: null };

    // What lies between two edits of one credit in one commit nobody has seen.
    private bool IsAlone(Edited one) => edited.Count(other => other.Edit.Id == one.Edit.Id) == 1;

    private void Check(Edited one, Commit commit)
    {
        var (edit, row, lot, now) = (one.Edit, one.Row, one.Lot, one.Now);
        var moves = string.Join(", ", one.Told.Select(entry => $"{Json.Write(entry.Kind).Trim('"')} {entry.Quantity}"));
        Holds(Moves.Contains(moves), "an edit moves one credit once (P5)", $"{edit}: {moves}");
        Holds(one.Told.All(entry => entry.Subject == Subjects.Credit(edit.Id) && entry.EffectiveAt == now && entry.BookedAt == now), "an edit tells of its credit, as of now (P5, G1)", $"{edit}: {string.Join(' ', one.Told)}");
        if (!IsAlone(one)) return;

        foreach (var entry in one.Told)
        {
            Holds((entry.Kind, entry.Quantity) switch
            {
                (EntryKind.CreditSet, _) => one.Covers || one.IsFree,
                (EntryKind.CreditsReturned, _) => one.Covers || one.Tells(EntryKind.CoverageExpired, -1),
                (EntryKind.CoverageExpired, >= 0) => one.Covers,
                (EntryKind.CoverageExpired, _) => row?.PlayerId is not null && !one.Covers,
                (EntryKind.LotExpired, < 0) => !one.IsFree && (one.Lies || row is { PlayerId: null }),
                _ => one.IsFree || one.Told.Count == 2,
            }, "an edit finds the credit as it is (P5)", $"{edit} at {now}: {entry}, {row}, {lot}");
            if (entry.Kind == EntryKind.CreditsReturned)
                Holds(entry.UserId == row?.UsedBy && entry.ReportId == row?.ReportId && Rights(one, commit).Contains(entry.UsedOf), "a use goes back to its user and where it came from (P5)", $"{entry}, {row}, {string.Join(" or ", Rights(one, commit))}");
            if (entry.Kind == EntryKind.CreditsCharged)
                Holds(entry is { UserId: null, ReportId: null, UsedOf: null }, "what is given by hand is used by nobody (P5)", $"{entry}");
        }
        if (one.Tells(EntryKind.CreditsCharged) || (one.Tells(EntryKind.CoverageExpired, -1) && !one.Tells(EntryKind.CreditsReturned)))
        {
            var current = (edit.PlayerId ?? row?.PlayerId) is { } player ? store.CurrentCredit(new(one.Told[0].ClientId, player)) : null;
            Holds(current is null || current.Id == edit.Id || !current.CoversAt(now), "one active credit a player (P2)", $"{edit} at {now}: {current}");
        }
    }

    // The same commit books the end of the hold first: the credit lies in its lot, or has expired with it.
    private static (Credit? Row, Lot Lot) HoldEnded(Credit row, Lot lot, Commit commit)
    {
        var over = commit.Changes.Entries.Any(entry => entry.Kind == EntryKind.LotExpired && entry.Subject == Subjects.Credit(row.Id) && entry.Cause.StartsWith("hold:", StringComparison.Ordinal));
        return over
            ? (row with { PlayerId = null, UsedBy = null, ReportId = null, UsedOf = null, ExpiresAt = row.HeldUntil, IsLapsed = true }, lot)
            : (null, lot with { Free = lot.Free.With(row.Id.Ordinal) });
    }

    private static Lot NewLot(CreditId id, Commit commit) =>
        commit.Changes.Lots.Single(change => change.ContractId == id.ContractId && change.Lot.LotId == id.LotId && change.Lot.Apart == 0).Lot is var lot ? lot with { Free = Runs.UpTo(lot.Quantity), ExpiryBooked = false } : lot;

    // The cycle that runs, whose use falls, or extra credits; a user's cycles may start anew in the same commit.
    private IEnumerable<string?> Rights(Edited one, Commit commit)
    {
        if (one.Row is not { UsedBy: { } user, UsedOf: { } right }) return [null];
        if (right == Allocation.Extra) return [right];
        var known = store.Member(new(one.Edit.Id.ContractId, user))!.Allocation;
        return commit.Changes.Members.Where(change => change.Member.UserId == user && change.ContractId == one.Edit.Id.ContractId).Select(change => change.Member.Allocation).Append(known)
            .Select(allocation => allocation.Settings is { } settings && right == $"cycle:{allocation.Restarts}.{DayByDay.Cycle(settings, allocation.StartDate!.Value, one.Terms, one.Now)}" ? right : null);
    }

    private void CheckDone(Edited one)
    {
        var (edit, was, now, terms) = (one.Edit, one.Row, one.Now, one.Terms);
        var (row, lot) = (store.Credit(edit.Id), store.Lot(edit.Id.ContractId, edit.Id.LotId)!);
        Holds(row is null ? IsFreed(edit) || IsApart(edit) : IsAsWanted(edit, row, now), "an edit does what it says (P5)", $"{edit} at {now}: {row}");
        if (row is null && IsApart(edit))
        {
            var apart = store.LotOf(edit.Id)!;
            Holds(apart.Apart == edit.Id.Ordinal && apart.AskedExpiry == edit.ExpiresAt && apart.ExpiresAt == terms.CutToEnd(edit.ExpiresAt), "an unallocated credit has the expiry that it is given (P5)", $"{edit}: {apart}");
            Holds(lot.Source != LotSource.Minted && lot.AvailableFrom == apart.AvailableFrom && now < apart.ExpiresAt, "what lies apart can be drawn (P5, C2)", $"{edit}: {apart}");
        }
        else if (one.Tells(EntryKind.CreditsReturned) && !one.Tells(EntryKind.CreditsCharged))
        {
            var isOver = lot.Source == LotSource.Minted || lot.ExpiryBooked || now >= (lot.IsOpen ? lot.ExpiresAt : terms.CutToEnd(lot.AskedExpiry));
            Holds(isOver == one.Tells(EntryKind.LotExpired) && isOver == row is not null, "what returns to a lot that is over is expired (L3)", $"{edit} at {now}: {row}, {lot}");
        }
        if (row is null) return;
        if (one.Tells(EntryKind.CreditsCharged))
        {
            var from = was is { PlayerId: not null } ? was.ExpiresAt : one.Lot.ExpiresAt;
            var until = edit.ExpiresAt ?? (terms.CoverageFrom == CoverageFrom.Creation ? from : DayByDay.SameTimeAfter(now, terms.CoverageDays, terms));
            Holds(row is { UsedBy: null, ReportId: null, UsedOf: null } && store.Player(new(row.ClientId, row.PlayerId!))?.Credit == row.Id && row.ActivatedAt == now && row.ExpiresAt == until, "what is given by hand covers from now on (P5, P3)", $"{edit} at {now}: {row}, until {until}");
        }
        else if (row.PlayerId is not null && row.PlayerId == was?.PlayerId)
            Holds(row.UsedBy == was.UsedBy && row.ReportId == was.ReportId && row.UsedOf == was.UsedOf && row.ActivatedAt == was.ActivatedAt, "who keeps a credit has used it as before (P5)", $"{edit}: {was}, {row}");
        Holds(row.CoversAt(now) == one.Told.Any(entry => entry.Kind is EntryKind.CreditsCharged or EntryKind.CreditSet || entry is { Kind: EntryKind.CoverageExpired, Quantity: < 0 }), "a new expiry lies in the future (P5)", $"{edit} at {now}: {row}");
    }

    /// <summary>Whether a report of that commit charges the credit.</summary>
    public static bool IsDrawnAgain(CreditId id, Commit commit) => commit.Changes.Reports.Any(report => report.ContractId == id.ContractId && report.Players.Any(player => player.Charge == PlayerCharge.New && player.CreditId == $"{id}"));

    private void Holds(bool condition, string check, [InterpolatedStringHandlerArgument(nameof(condition))] ref Detail detail) => world.Holds(condition, check, ref detail);
}
