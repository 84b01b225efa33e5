using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What an operator wants of one credit (P5); what is null stays.</summary>
/// <param name="PlayerId">Who shall have it.</param>
/// <param name="Frees">That nobody shall have it.</param>
/// <param name="ExpiresAt">In the future.</param>
public sealed record EditCredit(CreditId Id, CreditStatus? Status, string? PlayerId, bool Frees, string? PlayerName, Instant? ExpiresAt, string Reason, string Actor);

/// <summary>What an edit was told by the store. It is looked at again where it has changed since.</summary>
/// <param name="Lot">The credit's lot; where the contract knows it, too, the contract is right.</param>
/// <param name="Touched">The credit's row; null: it lies untouched in its lot.</param>
/// <param name="PlayersCurrent">The current credit of the player who shall have it; null: none.</param>
public sealed record SeenCredit(Lot? Lot, Credit? Touched, Credit? PlayersCurrent);

/// <summary>What a credit is as an edit finds it: its status, but what expired with a player is told from what expired without one.</summary>
public enum CreditState { Unallocated, Allocated, Over, Lapsed }

/// <summary>What an edit comes down to.</summary>
public enum EditWish
{
    /// <summary>To have no player.</summary>
    Free,

    /// <summary>To have none, and an expiry of its own.</summary>
    FreeUntil,

    /// <summary>To have a player whom it has not.</summary>
    Give,

    /// <summary>To have such a player until an instant.</summary>
    GiveUntil,

    /// <summary>To have the player whom it has.</summary>
    Keep,

    /// <summary>To have that player until an instant.</summary>
    KeepUntil,

    /// <summary>To be over.</summary>
    End,
}

/// <summary>What is done to a credit.</summary>
public enum EditStep { Nothing, Give, PassOn, Return, Set, End, Lapse, Revive }

/// <summary>Edits single credits by hand (P5).</summary>
public static class Editing
{
    private static readonly Refusal
        NoPlayer = Refusal.Invalid("playerId", "is required: no player has this credit"),
        NoExpiry = Refusal.Invalid("expiresAt", "is required: what is EXPIRED comes back only with a future expiry"),
        NotItsOwn = Refusal.Invalid("expiresAt", "is for a credit that a player has; an unallocated one expires with its lot"),
        NotBack = Refusal.Invalid("status", "cannot be UNALLOCATED again: what is EXPIRED comes back with a player only");

    /// <summary>All that can be asked of a credit, and what comes of it.</summary>
    public static readonly IReadOnlyDictionary<(CreditState, EditWish), Decision<EditStep>> Table = new Dictionary<(CreditState, EditWish), Decision<EditStep>>
    {
        [(CreditState.Unallocated, EditWish.Free)] = EditStep.Nothing,
        [(CreditState.Unallocated, EditWish.FreeUntil)] = NotItsOwn,
        [(CreditState.Unallocated, EditWish.Give)] = EditStep.Give,
        [(CreditState.Unallocated, EditWish.GiveUntil)] = EditStep.Give,
        [(CreditState.Unallocated, EditWish.Keep)] = NoPlayer,
        [(CreditState.Unallocated, EditWish.KeepUntil)] = NoPlayer,
        [(CreditState.Unallocated, EditWish.End)] = EditStep.Lapse,

        [(CreditState.Allocated, EditWish.Free)] = EditStep.Return,
        [(CreditState.Allocated, EditWish.FreeUntil)] = NotItsOwn,
        [(CreditState.Allocated, EditWish.Give)] = EditStep.PassOn,
        [(CreditState.Allocated, EditWish.GiveUntil)] = EditStep.PassOn,
        [(CreditState.Allocated, EditWish.Keep)] = EditStep.Set,
        [(CreditState.Allocated, EditWish.KeepUntil)] = EditStep.Set,
        [(CreditState.Allocated, EditWish.End)] = EditStep.End,

        [(CreditState.Over, EditWish.Free)] = NoExpiry,
        [(CreditState.Over, EditWish.FreeUntil)] = NotBack,
        [(CreditState.Over, EditWish.Give)] = NoExpiry,
        [(CreditState.Over, EditWish.GiveUntil)] = EditStep.Revive,
        [(CreditState.Over, EditWish.Keep)] = NoExpiry,
        [(CreditState.Over, EditWish.KeepUntil)] = EditStep.Revive,
        [(CreditState.Over, EditWish.End)] = EditStep.Nothing,

        [(CreditState.Lapsed, EditWish.Free)] = NoExpiry,
        [(CreditState.Lapsed, EditWish.FreeUntil)] = NotBack,
        [(CreditState.Lapsed, EditWish.Give)] = NoExpiry,
        [(CreditState.Lapsed, EditWish.GiveUntil)] = EditStep.Revive,
        [(CreditState.Lapsed, EditWish.Keep)] = NoPlayer,
        [(CreditState.Lapsed, EditWish.KeepUntil)] = NoPlayer,
        [(CreditState.Lapsed, EditWish.End)] = EditStep.Nothing,
    };

    /// <summary>Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.InvalidField"/> or <see cref="RefusalCode.PlayerCovered"/>; with <see cref="RefusalCode.PreconditionFailed"/> where what was seen is outdated. What changes nothing tells nothing. The contract's members must be known.</summary>
    public static Decision<Changed<Contract, Credit>> Decide(Contract contract, SeenCredit seen, EditCredit edit, Instant now)
    {
        var open = contract.Lots.FirstOrDefault(lot => lot.LotId == edit.Id.LotId);
        if ((open ?? seen.Lot) is not { } lot || edit.Id.Ordinal > lot.Quantity) return Refusal.NotFound($"credit {edit.Id}");
        if (StateOf(open, lot, seen.Touched, edit.Id.Ordinal, now) is not { } state) return Outdated;
        if (Broken(edit, seen.Touched, now) is { } broken) return broken;

        var step = Table[(state, Wish(edit, state, seen.Touched?.PlayerId))];
        if (step.Refusal is { } refusal) return refusal;
        if (step.Value is EditStep.Give or EditStep.PassOn or EditStep.Revive && Covers(seen.PlayersCurrent, edit.Id, now))
            return new Refusal(RefusalCode.PlayerCovered, $"The player {seen.PlayersCurrent!.PlayerId} has the credit {seen.PlayersCurrent.Id} already.");

        // After this line it is done.
        var credit = seen.Touched ?? Untouched(contract, edit.Id, lot);
        var edited = new Edited(contract, lot, open is not null, credit, seen.Touched is not null, edit, now);
        return step.Value switch
        {
            EditStep.Give => edited.Give(seen.PlayersCurrent),
            EditStep.PassOn => edited.PassOn(seen.PlayersCurrent),
            EditStep.Return => edited.Return(),
            EditStep.Set => edited.Set(),
            EditStep.End => edited.End(),
            EditStep.Lapse => edited.Lapse(),
            EditStep.Revive => edited.Revive(seen.PlayersCurrent),
            _ => new Changed<Contract, Credit>(contract, Changes.None, credit),
        };
    }

    private static readonly Refusal Outdated = new(RefusalCode.PreconditionFailed, "The credit has changed meanwhile.");

    // What lies in its lot has no row. null: the lot and the row are not of one instant.
    private static CreditState? StateOf(Lot? open, Lot lot, Credit? touched, long ordinal, Instant now)
    {
        var lies = lot.Free.Contains(ordinal);
        if (touched is null) return !lies ? null : open is not null ? CreditState.Unallocated : lot.ExpiryBooked ? CreditState.Lapsed : null;
        if (open is not null && lies) return null;
        return touched.CoversAt(now) ? CreditState.Allocated : touched.PlayerId is null ? CreditState.Lapsed : CreditState.Over;
    }

    private static Refusal? Broken(EditCredit edit, Credit? touched, Instant now)
    {
        if (edit.ExpiresAt is { } given && !Calendar.IsInstant(given)) return Refusal.Invalid("expiresAt", Calendar.InstantRange);
        if (edit.ExpiresAt <= now) return Refusal.Invalid("expiresAt", "lies in the future; the status EXPIRED ends a credit now");
        return edit switch
        {
            { Status: CreditStatus.Unallocated, PlayerId: not null } => Refusal.Invalid("playerId", "is not for UNALLOCATED"),
            { Status: CreditStatus.Allocated, Frees: true } => Refusal.Invalid("playerId", "is somebody where the status is ALLOCATED"),
            { Status: CreditStatus.Expired, ExpiresAt: not null } => Refusal.Invalid("expiresAt", "is not for EXPIRED, which is now"),
            { Status: CreditStatus.Expired } when edit.Frees || (edit.PlayerId is not null && edit.PlayerId != touched?.PlayerId) => Refusal.Invalid("playerId", "stays where the status is EXPIRED"),
            { PlayerName: not null, PlayerId: null } when edit.Frees || touched?.PlayerId is null => Refusal.Invalid("playerName", "is for a credit with a player"),
            _ => null,
        };
    }

    private static EditWish Wish(EditCredit edit, CreditState state, string? playerId)
    {
        var isUntil = edit.ExpiresAt is not null;
        var status = edit.Status ?? edit switch
        {
            { Frees: true } => CreditStatus.Unallocated,
            { PlayerId: not null } => CreditStatus.Allocated,
            _ when state is CreditState.Allocated || (state is CreditState.Over && (isUntil || edit.PlayerName is not null)) => CreditStatus.Allocated,
            _ when state is CreditState.Unallocated || (state is CreditState.Lapsed && isUntil) => CreditStatus.Unallocated,
            _ => CreditStatus.Expired,
        };
        return status switch
        {
            CreditStatus.Unallocated => isUntil ? EditWish.FreeUntil : EditWish.Free,
            CreditStatus.Expired => EditWish.End,
            _ when edit.PlayerId is not null && edit.PlayerId != playerId => isUntil ? EditWish.GiveUntil : EditWish.Give,
            _ => isUntil ? EditWish.KeepUntil : EditWish.Keep,
        };
    }

    private static bool Covers(Credit? credit, CreditId id, Instant now) => credit is not null && credit.Id != id && credit.CoversAt(now);

    private static Credit Untouched(Contract contract, CreditId id, Lot lot) => new(
        id, contract.Terms.ClientId, lot.PaymentId, null, null, null, lot.CreatedAt, lot.ExpiresAt, null, null, IsCurrent: false, ExpiryBooked: lot.ExpiryBooked, Version: 0);

    /// <summary>A credit on its way through one edit.</summary>
    private sealed record Edited(Contract Contract, Lot Lot, bool IsOpen, Credit Credit, bool HasRow, EditCredit Edit, Instant Now)
    {
        private Terms Terms => Contract.Terms;

        public Changed<Contract, Credit> Give(Credit? current) => Give(Credit with { ExpiresAt = Edit.ExpiresAt ?? Terms.CoverageEnd(Now, Lot.ExpiresAt) }, current, null);

        // The use goes back to who used it; the next player's is nobody's.
        public Changed<Contract, Credit> PassOn(Credit? current) => Give(Credit with { ExpiresAt = Edit.ExpiresAt ?? Terms.CoverageEnd(Now, Credit.ExpiresAt) }, current, GivenBack());

        public Changed<Contract, Credit> Return()
        {
            // A lot that is not open and not over is used up; its contract's end may have moved since.
            var expiresAt = IsOpen ? Lot.ExpiresAt : Terms.CutToEnd(Lot.AskedExpiry);
            if (Lot.Source == LotSource.Minted || Lot.ExpiryBooked || expiresAt <= Now)
            {
                // L3: what returns to something that is over is returned, and expired.
                var gone = Freed() with { ExpiresAt = Now, ExpiryBooked = true };
                return Changed(Lot, gone, GivenBack(), [.. Replace(gone)], [Returned(gone), Tell(EntryKind.LotExpired, gone)]);
            }
            var lot = Lot with { Free = Lot.Free.With(Edit.Id.Ordinal), ExpiresAt = expiresAt };
            var credit = Untouched(Contract, Edit.Id, lot);
            var moved = lot.ExpiresAt == Lot.ExpiresAt ? [] : new[]
            {
                Contract.Tell(EntryKind.LotExpirySet, lot, Now, Now, Edit.Actor, "request") with { Before = Json.Write(Lot.ExpiresAt), After = Json.Write(lot.ExpiresAt) },
            };
            return Changed(lot, credit, GivenBack(), [new(Credit, Credit.Version) { IsGone = true }], [Returned(credit), .. moved]);
        }

        public Changed<Contract, Credit> Set()
        {
            var set = Credit with { ExpiresAt = Edit.ExpiresAt ?? Credit.ExpiresAt, PlayerName = Edit.PlayerName ?? Credit.PlayerName };
            if (set == Credit) return new(Contract, Changes.None, Credit);
            set = set with { Version = Credit.Version + 1 };
            return Changed(Lot, set, null, [new(set, Credit.Version)], [Tell(EntryKind.CreditSet, set) with { Quantity = 0 }]);
        }

        public Changed<Contract, Credit> End()
        {
            var over = Credit with { ExpiresAt = Now, ExpiryBooked = true, Version = Credit.Version + 1 };
            return Changed(Lot, over, null, [new(over, Credit.Version)], [Tell(EntryKind.CoverageExpired, over) with { UserId = Credit.UsedBy, ReportId = Credit.ReportId }]);
        }

        public Changed<Contract, Credit> Lapse()
        {
            var over = Freed() with { ExpiresAt = Now, ExpiryBooked = true };
            return Changed(Lot with { Free = Lot.Free.Without(Edit.Id.Ordinal) }, over, null, [new(over, 0)], [Tell(EntryKind.LotExpired, over)]);
        }

        // Its end is taken back; what was used stays used. To another player it goes by nobody's use.
        public Changed<Contract, Credit> Revive(Credit? current)
        {
            var player = Edit.PlayerId ?? Credit.PlayerId;
            var isSame = player == Credit.PlayerId;
            var back = (isSame ? Credit with { PlayerName = Edit.PlayerName ?? Credit.PlayerName } : Given(Credit)) with
            {
                ExpiresAt = Edit.ExpiresAt, IsCurrent = true, ExpiryBooked = false, Version = Credit.Version + 1,
            };
            var kind = Credit.PlayerId is null ? EntryKind.LotExpired : EntryKind.CoverageExpired;
            var lot = HasRow ? Lot : Lot with { Free = Lot.Free.Without(Edit.Id.Ordinal) };
            var entries = new List<Entry>();
            if (Credit is { PlayerId: not null, ExpiryBooked: false }) entries.Add(Coverage.Ended(Credit.ClientId, Credit, 1, Now));
            entries.Add(Tell(kind, back) with { Quantity = -1, UserId = Credit.UsedBy, ReportId = Credit.ReportId });
            if (kind == EntryKind.LotExpired) entries.Add(Tell(EntryKind.CreditsCharged, back));
            return Changed(lot, back, null, [.. MakeWay(current), .. Replace(back)], [.. Ends(current), .. entries]);
        }

        private Changed<Contract, Credit> Give(Credit until, Credit? current, GiveBack? givenBack)
        {
            var given = Given(until) with { IsCurrent = true, ExpiryBooked = false, Version = Credit.Version + 1 };
            var lot = HasRow ? Lot : Lot with { Free = Lot.Free.Without(Edit.Id.Ordinal) };
            var returned = HasRow ? [Returned(Freed())] : Array.Empty<Entry>();
            return Changed(lot, given, givenBack, [.. MakeWay(current), .. Replace(given)], [.. Ends(current), .. returned, Tell(EntryKind.CreditsCharged, given)]);
        }

        private Credit Given(Credit credit) => credit with { UsedBy = null, UsedOf = null, ReportId = null, PlayerId = Edit.PlayerId, PlayerName = Edit.PlayerName, ActivatedAt = Now };

        private Credit Freed() => Credit with
        {
            UsedBy = null, UsedOf = null, ReportId = null, PlayerId = null, PlayerName = null, ActivatedAt = null, IsCurrent = false, Version = Credit.Version + 1,
        };

        // A row keeps its player and report; with others it is another row.
        private IEnumerable<CreditChange> Replace(Credit credit) => HasRow ? [new(Credit, Credit.Version) { IsGone = true }, new(credit, 0)] : [new(credit, 0)];

        // The player's credit that is over makes way, as it does for a report's.
        private IEnumerable<CreditChange> MakeWay(Credit? current) => current is null || current.Id == Edit.Id
            ? []
            : [new(current with { IsCurrent = false, ExpiryBooked = true, Version = current.Version + 1 }, current.Version)];

        private IEnumerable<Entry> Ends(Credit? current) => current is { ExpiryBooked: false } && current.Id != Edit.Id ? [Coverage.Ended(current.ClientId, current, 1, Now)] : [];

        // Of a cycle that is over, or of an earlier start, only the total falls.
        private GiveBack? GivenBack()
        {
            if (Credit.UsedBy is not { } user) return null;
            var cycle = Contract.AllMembers.TryGetValue(user, out var member) ? member.Allocation.At(Now, Terms).CycleKey : throw new InvariantException("who has used a credit is a user");
            var isOfCycle = Credit.UsedOf == $"{cycle}";
            return new(Terms.ContractId, user, 1) { OfCycle = isOfCycle ? 1 : 0, OfExtra = Credit.UsedOf == Allocation.Extra ? 1 : 0, Cycle = isOfCycle ? cycle : null };
        }

        private Entry Returned(Credit after) => Tell(EntryKind.CreditsReturned, after) with
        {
            UserId = Credit.UsedBy,
            ReportId = Credit.ReportId,
            UsedOf = GivenBack() is { } back && back.OfCycle + back.OfExtra > 0 ? Credit.UsedOf : null,
        };

        private Entry Tell(EntryKind kind, Credit after) => Contract.Tell(kind, Lot, Now, Now, Edit.Actor, "request") with
        {
            Subject = $"credit:{Edit.Id}",
            Reason = Edit.Reason,
            Quantity = 1,
            Before = Json.Write(Shown(Credit)),
            After = Json.Write(Shown(after)),
        };

        private object Shown(Credit credit) => new { Status = credit.StatusAt(Now), credit.UsedBy, credit.PlayerId, credit.PlayerName, credit.ExpiresAt };

        private Changed<Contract, Credit> Changed(Lot lot, Credit answer, GiveBack? givenBack, CreditChange[] credits, Entry[] entries)
        {
            var isMoved = !lot.Free.Equals(Lot.Free);
            var state = isMoved ? Contract.With([lot]) : Contract;
            return new(
                givenBack is null ? state : state.With(givenBack, Now),
                new Changes
                {
                    Lots = isMoved ? [Contract.Change(lot) with { From = IsOpen ? null : Lot.Free }] : [],
                    Credits = [.. credits],
                    GivenBack = givenBack is null ? [] : [givenBack],
                    Entries = [.. entries],
                },
                answer);
        }
    }
}
