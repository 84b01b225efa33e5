using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What an operator wants of one credit (P5); what is null stays.</summary>
/// <param name="PlayerId">Who shall have it.</param>
/// <param name="Frees">That nobody shall have it.</param>
/// <param name="ExpiresAt">In the future.</param>
public sealed record EditCredit(CreditId Id, CreditStatus? Status, string? PlayerId, bool Frees, string? PlayerName, Instant? ExpiresAt, string Reason, string Actor);

/// <summary>What an edit read from the store.</summary>
/// <param name="Lot">The credit's lot; where the contract knows it, too, the contract is right.</param>
/// <param name="Touched">The credit's row; null: it lies untouched in its lot, or apart from it.</param>
/// <param name="Apart">Where it lies apart from its lot, or has lain; null: it never has.</param>
/// <param name="Owner">The player who has it, or had it last; null: none.</param>
/// <param name="Next">The player who shall have it; null: none is named.</param>
public sealed record SeenCredit(Lot? Lot, Credit? Touched, Lot? Apart = null, Player? Owner = null, Player? Next = null)
{
    /// <summary>Who used it; null: nobody did.</summary>
    public Member? User { get; init; }

    /// <summary>The latest instant of what was read: the edit is not decided before.</summary>
    public Instant AsOf => new[] { Owner?.AsOf, Next?.AsOf, User?.AsOf, Touched is { ExpiryBooked: true } ? Touched.ExpiresAt : null }.Max() ?? Instant.MinValue;
}

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
public enum EditStep { Nothing, Give, PassOn, Return, Part, Set, End, Lapse, Revive }

/// <summary>Edits single credits by hand (P5).</summary>
public static class Editing
{
    private static readonly Refusal
        NoPlayer = Refusal.Invalid("playerId", "is required: no player has this credit"),
        NoExpiry = Refusal.Invalid("expiresAt", "is required: what is EXPIRED comes back only with a future expiry"),
        NotMinted = Refusal.Invalid("status", "cannot be UNALLOCATED with an expiry: an unlimited contract's credits are minted as they are used"),
        NotBegun = Refusal.Invalid("expiresAt", "lies after the lot's availableFrom and within the contract's days");

    /// <summary>All that can be asked of a credit, and what comes of it.</summary>
    public static readonly IReadOnlyDictionary<(CreditState, EditWish), Decision<EditStep>> Table = new Dictionary<(CreditState, EditWish), Decision<EditStep>>
    {
        [(CreditState.Unallocated, EditWish.Free)] = EditStep.Nothing,
        [(CreditState.Unallocated, EditWish.FreeUntil)] = EditStep.Part,
        [(CreditState.Unallocated, EditWish.Give)] = EditStep.Give,
        [(CreditState.Unallocated, EditWish.GiveUntil)] = EditStep.Give,
        [(CreditState.Unallocated, EditWish.Keep)] = NoPlayer,
        [(CreditState.Unallocated, EditWish.KeepUntil)] = NoPlayer,
        [(CreditState.Unallocated, EditWish.End)] = EditStep.Lapse,

        [(CreditState.Allocated, EditWish.Free)] = EditStep.Return,
        [(CreditState.Allocated, EditWish.FreeUntil)] = EditStep.Part,
        [(CreditState.Allocated, EditWish.Give)] = EditStep.PassOn,
        [(CreditState.Allocated, EditWish.GiveUntil)] = EditStep.PassOn,
        [(CreditState.Allocated, EditWish.Keep)] = EditStep.Set,
        [(CreditState.Allocated, EditWish.KeepUntil)] = EditStep.Set,
        [(CreditState.Allocated, EditWish.End)] = EditStep.End,

        [(CreditState.Over, EditWish.Free)] = NoExpiry,
        [(CreditState.Over, EditWish.FreeUntil)] = EditStep.Part,
        [(CreditState.Over, EditWish.Give)] = NoExpiry,
        [(CreditState.Over, EditWish.GiveUntil)] = EditStep.Revive,
        [(CreditState.Over, EditWish.Keep)] = NoExpiry,
        [(CreditState.Over, EditWish.KeepUntil)] = EditStep.Revive,
        [(CreditState.Over, EditWish.End)] = EditStep.Nothing,

        [(CreditState.Lapsed, EditWish.Free)] = NoExpiry,
        [(CreditState.Lapsed, EditWish.FreeUntil)] = EditStep.Part,
        [(CreditState.Lapsed, EditWish.Give)] = NoExpiry,
        [(CreditState.Lapsed, EditWish.GiveUntil)] = EditStep.Revive,
        [(CreditState.Lapsed, EditWish.Keep)] = NoPlayer,
        [(CreditState.Lapsed, EditWish.KeepUntil)] = NoPlayer,
        [(CreditState.Lapsed, EditWish.End)] = EditStep.Nothing,
    };

    /// <summary>Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.InvalidField"/> or <see cref="RefusalCode.PlayerCovered"/>; what changes nothing tells nothing.</summary>
    public static Decision<Changed<Contract, Credit>> Decide(Contract contract, SeenCredit seen, EditCredit edit, Instant now)
    {
        if (seen.User is { } user) contract = contract.With(user);
        var ordinal = edit.Id.Ordinal;
        var open = contract.Lots.Where(known => known.LotId == edit.Id.LotId).ToList();
        seen = seen with { Lot = Rolled(seen.Lot, open), Apart = Rolled(seen.Apart, open) };
        if ((open.FirstOrDefault(known => known.Apart == 0) ?? seen.Lot) is not { } lot || ordinal > lot.Quantity) return Refusal.NotFound($"credit {edit.Id}");
        var source = open.FirstOrDefault(known => known.Free.Contains(ordinal))
            ?? new[] { seen.Apart, seen.Lot }.FirstOrDefault(closed => closed is { ExpiryBooked: true } && closed.Free.Contains(ordinal));
        var state = StateOf(source, seen.Touched, now);
        if (Broken(edit, seen.Touched, now) is { } broken) return broken;

        var step = Table[(state, Wish(edit, state, seen.Touched?.PlayerId))];
        if (step.Refusal is { } refusal) return refusal;
        var player = edit.PlayerId is null ? seen.Owner : seen.Next;
        if (step.Value is EditStep.Give or EditStep.PassOn or EditStep.Revive && player!.IsCoveredAt(now) && player.Credit != edit.Id)
            return new Refusal(RefusalCode.PlayerCovered, $"The player {player.PlayerId} has the credit {player.Credit} already.");
        if (step.Value is EditStep.Part && lot.Source == LotSource.Minted) return NotMinted;
        if (step.Value is EditStep.Part && (edit.ExpiresAt <= lot.AvailableFrom || now >= contract.Terms.Ends)) return NotBegun;

        // After this line it is done.
        var credit = seen.Touched ?? Untouched(contract, edit.Id, source!);
        var edited = new Edited(contract, lot, seen.Touched is null ? source : null, seen.Apart, credit, seen.Owner, player, edit, now);
        return step.Value switch
        {
            EditStep.Give => edited.Give(),
            EditStep.PassOn => edited.Give(),
            EditStep.Return => edited.Return(),
            EditStep.Part => edited.Part(state),
            EditStep.Set => edited.Set(),
            EditStep.End => edited.End(),
            EditStep.Lapse => edited.Lapse(),
            EditStep.Revive => edited.Revive(),
            EditStep.Nothing => new Changed<Contract, Credit>(contract, Changes.None, credit),
        };
    }

    // What lies free, in its lot or apart from it, has no row.
    private static CreditState StateOf(Lot? source, Credit? touched, Instant now) => (source, touched) switch
    {
        (null, null) or ({ ExpiryBooked: false }, not null) => throw new InvariantException("a credit lies free or has a row"),
        (_, null) => source!.ExpiryBooked ? CreditState.Lapsed : CreditState.Unallocated,
        _ => touched.CoversAt(now) ? CreditState.Allocated : touched.PlayerId is null ? CreditState.Lapsed : CreditState.Over,
    };

    // What the contract no longer has open though it had something free has just expired.
    private static Lot? Rolled(Lot? stored, List<Lot> open) =>
        stored is { ExpiryBooked: false, Free.Count: > 0 } && open.All(lot => lot.Apart != stored.Apart) ? stored with { ExpiryBooked = true } : stored;

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
            CreditStatus.Allocated when edit.PlayerId is not null && edit.PlayerId != playerId => isUntil ? EditWish.GiveUntil : EditWish.Give,
            CreditStatus.Allocated => isUntil ? EditWish.KeepUntil : EditWish.Keep,
        };
    }

    private static Credit Untouched(Contract contract, CreditId id, Lot lot) => new(
        id, contract.Terms.ClientId, lot.PaymentId, null, null, null, lot.CreatedAt, lot.ExpiresAt, null, null, ExpiryBooked: lot.ExpiryBooked, Version: 0);

    /// <summary>A credit on its way through one edit.</summary>
    /// <param name="Source">Where it lies free: its lot, or apart from it; null: it has a row.</param>
    /// <param name="Owner">The player who has it, or had it last.</param>
    /// <param name="Player">The player who shall have it.</param>
    private sealed record Edited(Contract Contract, Lot Lot, Lot? Source, Lot? Apart, Credit Credit, Player? Owner, Player? Player, EditCredit Edit, Instant Now)
    {
        private Terms Terms => Contract.Terms;

        private bool HasRow => Source is null;

        // Where somebody had it, the use goes back to who used it; the next player's is nobody's.
        public Changed<Contract, Credit> Give()
        {
            var given = Given(Credit with { ExpiresAt = Edit.ExpiresAt ?? Terms.CoverageEnd(Now, Credit.ExpiresAt) }) with { ExpiryBooked = false, Version = Credit.Version + 1 };
            var returned = HasRow ? [Returned(Freed())] : Array.Empty<Entry>();
            return Changed(Taken(), given, [.. OwnerIsFreed(), Player!.Gets(given, Now)], Replace(given), [.. returned, Tell(EntryKind.CreditsCharged, given)], givesBack: HasRow);
        }

        public Changed<Contract, Credit> Return()
        {
            // A lot that is not open and not over is used up; its contract's end may have moved since.
            var expiresAt = IsOpen(Lot) ? Lot.ExpiresAt : Terms.CutToEnd(Lot.AskedExpiry);
            if (Lot.Source == LotSource.Minted || Lot.ExpiryBooked || expiresAt <= Now)
            {
                // L3: what returns to something that is over is returned, and expired.
                var gone = Freed() with { ExpiresAt = Now, ExpiryBooked = true };
                return Changed([], gone, OwnerIsFreed(), Replace(gone), [Returned(gone), Tell(EntryKind.LotExpired, gone)], givesBack: true);
            }
            var lot = Lot with { Free = Lot.Free.With(Edit.Id.Ordinal), ExpiresAt = expiresAt };
            var credit = Untouched(Contract, Edit.Id, lot);
            var moved = lot.ExpiresAt == Lot.ExpiresAt ? [] : new[]
            {
                Contract.Tell(EntryKind.LotExpirySet, lot, Now, Now, Edit.Actor, Causes.Request) with { Before = Json.Write(Lot.ExpiresAt), After = Json.Write(lot.ExpiresAt) },
            };
            return Changed([lot], credit, OwnerIsFreed(), [Goes()], [Returned(credit), .. moved], givesBack: true);
        }

        // It lies apart from its lot, whatever it was: its end is taken back, and its use goes back.
        public Changed<Contract, Credit> Part(CreditState state)
        {
            var apart = Lot with
            {
                Apart = Edit.Id.Ordinal, Free = Runs.Only(Edit.Id.Ordinal), AskedExpiry = Edit.ExpiresAt, ExpiresAt = Terms.CutToEnd(Edit.ExpiresAt), ExpiryBooked = false, Request = null,
            };
            if (state == CreditState.Unallocated && (Edit.ExpiresAt == Source!.ExpiresAt || Edit.ExpiresAt == Source.AskedExpiry)) return new(Contract, Changes.None, Credit);
            var credit = Untouched(Contract, Edit.Id, apart);
            var entries = state switch
            {
                CreditState.Unallocated => [Tell(EntryKind.CreditSet, credit) with { Quantity = 0 }],
                CreditState.Allocated => [Returned(credit)],
                CreditState.Over => [.. TakenBack(credit), Returned(credit)],
                CreditState.Lapsed => TakenBack(credit),
            };
            return Changed([.. Taken().Where(lot => lot.Apart == 0), apart], credit, OwnerIsFreed(), HasRow ? [Goes()] : [], entries, givesBack: HasRow);
        }

        public Changed<Contract, Credit> Set()
        {
            var set = Credit with { ExpiresAt = Edit.ExpiresAt ?? Credit.ExpiresAt, PlayerName = Edit.PlayerName ?? Credit.PlayerName };
            if (set == Credit) return new(Contract, Changes.None, Credit);
            set = set with { Version = Credit.Version + 1 };
            return Changed([], set, OwnerHas(set), [new(set, Credit.Version)], [Tell(EntryKind.CreditSet, set) with { Quantity = 0 }]);
        }

        public Changed<Contract, Credit> End()
        {
            var over = Credit with { ExpiresAt = Now, ExpiryBooked = true, Version = Credit.Version + 1 };
            return Changed([], over, OwnerHas(over), [new(over, Credit.Version)], [Tell(EntryKind.CoverageExpired, over) with { UserId = Credit.UsedBy, ReportId = Credit.ReportId }]);
        }

        public Changed<Contract, Credit> Lapse()
        {
            var over = Freed() with { ExpiresAt = Now, ExpiryBooked = true };
            return Changed(Taken(), over, [], [new(over, 0)], [Tell(EntryKind.LotExpired, over)]);
        }

        // Its end is taken back; what was used stays used. To another player it goes by nobody's use.
        public Changed<Contract, Credit> Revive()
        {
            var isSame = Player!.PlayerId == Credit.PlayerId;
            var back = (isSame ? Credit with { PlayerName = Edit.PlayerName ?? Credit.PlayerName } : Given(Credit)) with
            {
                ExpiresAt = Edit.ExpiresAt, ExpiryBooked = false, Version = Credit.Version + 1,
            };
            var charged = Credit.PlayerId is null ? [Tell(EntryKind.CreditsCharged, back)] : Array.Empty<Entry>();
            return Changed(Taken(), back, [.. isSame ? [] : OwnerIsFreed(), Player.Gets(back, Now)], Replace(back), [.. TakenBack(back), .. charged]);
        }

        // A player who has another credit by now keeps that.
        private PlayerChange[] OwnerIsFreed() => Owner?.Credit == Edit.Id ? [Owner.IsFreed(Now)] : [];

        private PlayerChange[] OwnerHas(Credit credit) => Owner?.Credit == Edit.Id ? [Owner.Gets(credit, Now)] : [];

        private Credit Given(Credit credit) => credit with { UsedBy = null, UsedOf = null, ReportId = null, PlayerId = Edit.PlayerId, PlayerName = Edit.PlayerName, ActivatedAt = Now };

        private Credit Freed() => Credit with
        {
            UsedBy = null, UsedOf = null, ReportId = null, PlayerId = null, PlayerName = null, ActivatedAt = null, Version = Credit.Version + 1,
        };

        private Lot[] Taken() => Source is null ? [] : [Source with { Free = Source.Free.Without(Edit.Id.Ordinal) }];

        private CreditChange Goes() => new(Credit, Credit.Version) { IsGone = true };

        // A row keeps its player and report; with others it is another row.
        private CreditChange[] Replace(Credit credit) => HasRow ? [Goes(), new(credit, 0)] : [new(credit, 0)];

        // Who used it, with renewals booked that are due; null: nobody did.
        private Changed<Member>? User => Credit.UsedBy is not { } userId ? null
            : Contract.Members.TryGetValue(userId, out var member) ? new Allowance(Terms, IsRestricted: false, member).RollForward(Now)
            : throw new InvariantException("who has used a credit is a user");

        private Entry Returned(Credit after) => Tell(EntryKind.CreditsReturned, after) with
        {
            UserId = Credit.UsedBy,
            ReportId = Credit.ReportId,
            UsedOf = Credit.UsedOf == Allocation.Extra || (User is { State.Allocation.CycleKey: var cycle } && Credit.UsedOf == $"{cycle}") ? Credit.UsedOf : null,
        };

        // The expiry of what is over, booked first where nobody has, is taken back.
        private Entry[] TakenBack(Credit after)
        {
            var kind = Credit.PlayerId is null ? EntryKind.LotExpired : EntryKind.CoverageExpired;
            var back = Tell(kind, after) with { Quantity = -1, UserId = Credit.UsedBy, ReportId = Credit.ReportId };
            return Credit is { PlayerId: not null, ExpiryBooked: false } ? [Coverage.Ended(Credit.ClientId, Credit, 1, Now), back] : [back];
        }

        private Entry Tell(EntryKind kind, Credit after) => Contract.Tell(kind, Lot, Now, Now, Edit.Actor, Causes.Request) with
        {
            Subject = Subjects.Credit(Edit.Id),
            Reason = Edit.Reason,
            Quantity = 1,
            Before = Json.Write(Shown(Credit)),
            After = Json.Write(Shown(after)),
        };

        private object Shown(Credit credit) => new { Status = credit.StatusAt(Now), credit.UsedBy, credit.PlayerId, credit.PlayerName, credit.ExpiresAt };

        private bool IsOpen(Lot lot) => Contract.Lots.Any(open => (open.LotId, open.Apart) == (lot.LotId, lot.Apart));

        private Changed<Contract, Credit> Changed(Lot[] lots, Credit answer, PlayerChange[] players, CreditChange[] credits, Entry[] entries, bool givesBack = false)
        {
            var state = lots.Length == 0 ? Contract : Contract.With(lots);
            var used = givesBack && User is { State: var user, Changes: var renewals }
                ? (Row: Contract.Change(user, user with { Allocation = user.Allocation.GivenBack(Credit.UsedOf) }), Renewals: renewals)
                : default;
            return new(
                used.Row is null ? state : state.With(used.Row.Member),
                [
                    .. lots.Select(lot => Contract.Change(lot, isNew: (lot.Apart == 0 ? Lot : Apart) is null && !IsOpen(lot))),
                    .. used.Row is null ? Array.Empty<Change>() : [used.Row],
                    .. players,
                    .. credits,
                    .. used.Renewals ?? Domain.Changes.None,
                    .. entries,
                ],
                answer);
        }
    }
}
