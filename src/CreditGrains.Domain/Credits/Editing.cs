using NodaTime;

namespace CreditGrains.Domain;

/// <summary>An operator's edit of one credit (P5); null leaves a part as it is.</summary>
/// <param name="PlayerId">The player to assign the credit to.</param>
/// <param name="Frees">Whether to take the credit from its player.</param>
/// <param name="ExpiresAt">In the future.</param>
/// <param name="Seen">The <see cref="CreditVersion"/> that the caller has seen (If-Match), as <see cref="Domain.Seen.Of"/>; null: any.</param>
public sealed record EditCredit(
    CreditId Id, CreditStatus? Status, string? PlayerId, bool Frees, string? PlayerName, Instant? ExpiresAt, string Reason, string Actor, string? Seen = null)
{
    /// <summary>The endings that the edit rests on: of the credit as it is, and as a given expiry leaves it with its report.</summary>
    /// <param name="touched">The credit's row; null: there is none.</param>
    public IReadOnlyCollection<EndingKey> Endings(Credit? touched) => touched is null ? [] : Domain.Endings.Keys(
        ExpiresAt is { } expiry ? [touched, touched with { HeldUntil = null, ExpiresAt = expiry }] : [touched]);
}

/// <summary>What tells two versions of a credit apart.</summary>
public sealed record CreditVersion(string? UsedBy, string? PlayerId, string? PlayerName, Instant? ExpiresAt, Instant? ActivatedAt, string? ReportId);

/// <summary>The rows that an edit reads.</summary>
/// <param name="Lot">The credit's lot; where the contract has it open, the contract's own copy counts.</param>
/// <param name="Touched">The credit's row; null: it lies untouched in its lot, or apart from it.</param>
/// <param name="Apart">The credit as one that lies, or once lay, apart from its lot (<see cref="Domain.Lot.Apart"/>); null: it never did.</param>
/// <param name="Owner">The player who has the credit, or had it last; null: none.</param>
/// <param name="Next">The player whom the edit names; null: none.</param>
public sealed record SeenCredit(Lot? Lot, Credit? Touched, Lot? Apart = null, Player? Owner = null, Player? Next = null)
{
    /// <summary>The user who used it; null: nobody did.</summary>
    public Member? User { get; init; }

    /// <summary>Of the credit as it is, and as the edit may leave it.</summary>
    public Endings Endings { get; init; } = Endings.None;

    /// <summary>The latest effective instant of these rows: the edit is not decided as of an earlier one.</summary>
    public Instant AsOf => new[] { Owner?.AsOf, Next?.AsOf, User?.AsOf, Endings.BookedEnd(Touched) }.Max() ?? Instant.MinValue;

    /// <summary>The rows of others, in the versions in which they were read: whatever becomes of the edit rests on them.</summary>
    public IEnumerable<Guard> RestsOn(string contractId) =>
    [
        .. new[] { Owner, Next }.OfType<Player>().Select(player => new Guard(player.Row, player.Version)),
        .. User is null ? Enumerable.Empty<Guard>() : [new(RowKey.Member(contractId, User.UserId), User.Version)],
        .. Endings.Guards,
    ];

    /// <summary>These rows as time has left them since they were read: the contract has rolled forward.</summary>
    internal SeenCredit After(Changes passed)
    {
        if (passed.IsNothing) return this;
        var seen = this with { Lot = passed.After(Lot), Apart = passed.After(Apart) };
        if (Touched is null || passed.Credits.LastOrDefault(change => change.Credit.Id == Touched.Id) is not { } change) return seen;

        // The end of a hold gave it back, and its player has no coverage any more.
        return seen with { Touched = change.IsGone ? null : change.Credit, Owner = null, User = null };
    }
}

/// <summary>The state in which an edit finds a credit.</summary>
public enum CreditState
{
    Unallocated,

    Allocated,

    /// <summary>Expired with a player.</summary>
    Over,

    /// <summary>Expired without a player.</summary>
    Lapsed,

    /// <summary>Taken back with others of its lot (L6).</summary>
    Withdrawn,
}

/// <summary>The wanted result of an edit, after its fields were read together.</summary>
public enum EditWish
{
    /// <summary>No player.</summary>
    Free,

    /// <summary>No player, and an expiry of its own.</summary>
    FreeUntil,

    /// <summary>A player who does not have it.</summary>
    Give,

    /// <summary>A player who does not have it, until an instant.</summary>
    GiveUntil,

    /// <summary>The player who has it.</summary>
    Keep,

    /// <summary>The player who has it, until an instant.</summary>
    KeepUntil,

    /// <summary>Expired now.</summary>
    End,
}

/// <summary>The step that brings a credit from its state to the wanted result.</summary>
public enum EditStep
{
    /// <summary>It is so already.</summary>
    Nothing,

    /// <summary>An unallocated credit goes to a player.</summary>
    Give,

    /// <summary>An allocated credit goes from its player to another.</summary>
    PassOn,

    /// <summary>The player is freed and the credit returns to its lot.</summary>
    Return,

    /// <summary>It becomes unallocated and lies apart from its lot, with an expiry of its own.</summary>
    Part,

    /// <summary>Its expiry or its player's name changes.</summary>
    Set,

    /// <summary>The coverage ends now.</summary>
    End,

    /// <summary>An unallocated credit expires now.</summary>
    Lapse,

    /// <summary>An expired credit gets its player, or another, with an expiry to come.</summary>
    Revive,
}

/// <summary>Edits single credits by hand (P5).</summary>
public static class Editing
{
    private static readonly Refusal
        NoPlayer = Refusal.Invalid("playerId", "must be given: no player has this credit"),
        NoExpiry = Refusal.Invalid("expiresAt", "must be given, in the future, to bring an EXPIRED credit back"),
        NotMinted = Refusal.Invalid("status", "must not be UNALLOCATED with an expiry in an unlimited contract, whose credits are minted as they are used"),
        IsWithdrawn = Refusal.Invalid("status", "must stay WITHDRAWN: the credit was taken back from its lot"),
        NotBegun = Refusal.Invalid("expiresAt", "must be after the lot's availableFrom, and the contract must not be over");

    /// <summary>Every state of a credit with every wanted result: the step, or why it is refused.</summary>
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

        [(CreditState.Withdrawn, EditWish.Free)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.FreeUntil)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.Give)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.GiveUntil)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.Keep)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.KeepUntil)] = IsWithdrawn,
        [(CreditState.Withdrawn, EditWish.End)] = IsWithdrawn,
    };

    /// <summary>
    /// Refuses with <see cref="RefusalCode.NotFound"/>, <see cref="RefusalCode.InvalidField"/>, <see cref="RefusalCode.PreconditionFailed"/> or
    /// <see cref="RefusalCode.PlayerCovered"/>. An edit that changes nothing writes no entry.
    /// </summary>
    public static Decision<Changed<Contract, Credit>> Decide(Contract contract, SeenCredit seen, EditCredit edit, Instant now)
    {
        if (seen.User is { } user) contract = contract.WithRead(user);
        var ordinal = edit.Id.Ordinal;
        var open = contract.Lots.Where(known => known.LotId == edit.Id.LotId).ToList();
        seen = seen.After(contract.Passed);
        if ((open.FirstOrDefault(known => known.Apart == 0) ?? seen.Lot) is not { } lot || ordinal > lot.Quantity) return Refusal.NotFound($"credit {edit.Id}");
        var source = open.FirstOrDefault(known => known.Free.Contains(ordinal))
            ?? new[] { seen.Apart, seen.Lot }.FirstOrDefault(closed => closed is { ExpiryBooked: true } && closed.Free.Contains(ordinal))
            ?? open.Concat(new[] { seen.Apart, seen.Lot }.OfType<Lot>()).FirstOrDefault(part => part.Withdrawn.Contains(ordinal));
        var state = StateOf(source, seen.Touched, ordinal, now);
        if (Check(edit, seen.Touched, now) is { } invalid) return invalid;

        var step = Table[(state, Wish(edit, state, seen.Touched?.PlayerId))];

        // A credit's payment is its lot's, which may have been changed since somebody touched the credit (L6).
        var credit = (seen.Touched ?? Credit.Untouched(contract.Terms, edit.Id, source!)) with { PaymentId = lot.PaymentId };
        var isDone = step is { Refusal: null, Value: EditStep.Nothing };
        if (edit.Seen is { } expected && expected != Seen.Of(credit.SeenAs) && !isDone) return Refusal.Changed("credit");
        if (step.Refusal is { } refusal) return refusal;
        var player = edit.PlayerId is null ? seen.Owner : seen.Next;
        if (step.Value is EditStep.Give or EditStep.PassOn or EditStep.Revive && player!.IsCoveredAt(now) && player.Credit != edit.Id)
            return new Refusal(RefusalCode.PlayerCovered, $"The credit {player.Credit} of the player {player.PlayerId} must be freed or ended first.");
        if (step.Value is EditStep.Part && lot.Source == LotSource.Minted) return NotMinted;
        if (step.Value is EditStep.Part && (edit.ExpiresAt <= lot.AvailableFrom || now >= contract.Terms.Ends)) return NotBegun;

        // After this line the edit succeeds.
        var edited = new Edited(contract, lot, seen.Touched is null ? source : null, seen.Apart, credit, seen.Owner, player, seen.Endings, edit, now);
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

    // An unallocated credit, in its lot or apart from it, has no row.
    private static CreditState StateOf(Lot? source, Credit? touched, long ordinal, Instant now) => (source, touched) switch
    {
        (null, null) or ({ ExpiryBooked: false }, not null) => throw new InvariantException("a credit is either unallocated or has a row"),
        (_, null) when source!.Withdrawn.Contains(ordinal) => CreditState.Withdrawn,
        (_, null) => source!.ExpiryBooked ? CreditState.Lapsed : CreditState.Unallocated,
        _ => touched.CoversAt(now) ? CreditState.Allocated : touched.PlayerId is null ? CreditState.Lapsed : CreditState.Over,
    };

    private static Refusal? Check(EditCredit edit, Credit? touched, Instant now)
    {
        if (edit.ExpiresAt is { } given && !Calendar.IsInstant(given)) return Refusal.Invalid("expiresAt", Calendar.InstantRange);
        if (edit.ExpiresAt <= now) return Refusal.Invalid("expiresAt", "must be in the future; to end the credit now, set status to EXPIRED");
        var isAnother = edit.PlayerId is not null && edit.PlayerId != touched?.PlayerId;
        return edit switch
        {
            { Status: CreditStatus.Withdrawn } => Refusal.Invalid("status", "must be UNALLOCATED, ALLOCATED or EXPIRED; credits are withdrawn from their lot"),
            { Status: CreditStatus.Unallocated, PlayerId: not null } => Refusal.Invalid("playerId", "must be null or left out where status is UNALLOCATED"),
            { Status: CreditStatus.Allocated, Frees: true } => Refusal.Invalid("playerId", "must be a player where status is ALLOCATED"),
            { Status: CreditStatus.Expired, ExpiresAt: not null } =>
                Refusal.Invalid("expiresAt", "must be left out where status is EXPIRED, which ends the credit now"),
            { Status: CreditStatus.Expired } when edit.Frees || isAnother => Refusal.Invalid("playerId", "must stay as it is where status is EXPIRED"),
            { PlayerName: not null, PlayerId: null } when edit.Frees || touched?.PlayerId is null =>
                Refusal.Invalid("playerName", "must be left out where the credit has no player"),
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
            CreditStatus.Withdrawn => throw new InvariantException("no edit withdraws a credit"),
        };
    }

    private static Act Doing(EditCredit edit, Instant now) => new(edit.Actor, edit.Reason, Causes.Request, now, now);

    /// <summary>One step of one edit, and everything that it needs.</summary>
    /// <param name="Source">The lot, or the credit apart from it, that has it unallocated; null: it has a row.</param>
    /// <param name="Owner">The player who has it, or had it last.</param>
    /// <param name="Player">The player who is to have it.</param>
    private sealed record Edited(
        Contract Contract, Lot Lot, Lot? Source, Lot? Apart, Credit Credit, Player? Owner, Player? Player, Endings Endings, EditCredit Edit, Instant Now)
    {
        // Computed where a step gives the use back.
        private readonly Uses uses = Credit.UsedBy is null ? Uses.None : Uses.Of(Contract, [Credit], Doing(Edit, Now));

        private Act Act => Doing(Edit, Now);

        private Terms Terms => Contract.Terms;

        private bool HasRow => Source is null;

        // Where a player had it, its use goes back to the user; nobody uses it for the next player.
        public Changed<Contract, Credit> Give()
        {
            var given = Given(Credit with { ExpiresAt = Edit.ExpiresAt ?? Terms.CoverageEnd(Now, Credit.ExpiresAt) }) with
            {
                IsLapsed = false,
                Version = Credit.Version + 1,
            };
            var returned = HasRow ? [Returned(Credit.Freed())] : Array.Empty<Entry>();
            return Changed(
                Taken(),
                given,
                [.. OwnerIsFreed(), Player!.Gets(given, Now)],
                Replace(given),
                [.. returned, Tell(EntryKind.CreditsCharged, given)],
                givesBack: HasRow);
        }

        public Changed<Contract, Credit> Return()
        {
            var (state, changes, after) = GivingBack.Decide(Contract, [new(Credit, Lot, Owner)], Endings, Act);
            return new(state, changes, after.Single());
        }

        // From any state: an expiry is taken back, and a use goes back to its user.
        public Changed<Contract, Credit> Part(CreditState state)
        {
            var apart = Lot with
            {
                Apart = Edit.Id.Ordinal,
                Free = Runs.Only(Edit.Id.Ordinal),
                AskedExpiry = Edit.ExpiresAt,
                ExpiresAt = Terms.CutToEnd(Edit.ExpiresAt),
                ExpiryBooked = false,
                Request = null,
                Withdrawn = Runs.Empty,
            };
            if (state == CreditState.Unallocated && (Edit.ExpiresAt == Source!.ExpiresAt || Edit.ExpiresAt == Source.AskedExpiry))
                return new(Contract, Changes.None, Credit);
            var credit = Credit.Untouched(Terms, Edit.Id, apart);
            var entries = state switch
            {
                CreditState.Unallocated => [Tell(EntryKind.CreditSet, credit) with { Quantity = 0 }],
                CreditState.Allocated => [Returned(credit)],
                CreditState.Over => [.. TakenBack(credit), Returned(credit)],
                CreditState.Lapsed => TakenBack(credit),
                CreditState.Withdrawn => throw new InvariantException("a withdrawn credit stays withdrawn"),
            };
            CreditChange[] rows = HasRow ? [Goes()] : [];
            return Changed([.. Taken().Where(lot => lot.Apart == 0), apart], credit, OwnerIsFreed(), rows, entries, givesBack: HasRow);
        }

        public Changed<Contract, Credit> Set()
        {
            var set = Credit with { PlayerName = Edit.PlayerName ?? Credit.PlayerName };

            // An expiry that is given by hand holds, whatever becomes of a hold.
            if (Edit.ExpiresAt is { } expiry) set = set with { ExpiresAt = expiry, HeldUntil = null };
            if (set == Credit) return new(Contract, Changes.None, Credit);
            set = set with { Version = Credit.Version + 1 };
            return Changed([], set, OwnerHas(set), [new(set, Credit.Version)], [Tell(EntryKind.CreditSet, set) with { Quantity = 0 }]);
        }

        public Changed<Contract, Credit> End()
        {
            var over = Credit with { ExpiresAt = Now, HeldUntil = null, Version = Credit.Version + 1 };
            var entry = Tell(EntryKind.CoverageExpired, over) with { UserId = Credit.UsedBy, ReportId = Credit.ReportId };
            return Changed([], over, OwnerHas(over), [new(over, Credit.Version)], [entry]);
        }

        public Changed<Contract, Credit> Lapse()
        {
            var over = Credit.Freed() with { ExpiresAt = Now, IsLapsed = true };
            return Changed(Taken(), over, [], [new(over, 0)], [Tell(EntryKind.LotExpired, over)]);
        }

        // The expiry is taken back, the use stays. Nobody uses it for another player.
        public Changed<Contract, Credit> Revive()
        {
            var isSame = Player!.PlayerId == Credit.PlayerId;
            var back = (isSame ? Credit with { PlayerName = Edit.PlayerName ?? Credit.PlayerName } : Given(Credit)) with
            {
                ExpiresAt = Edit.ExpiresAt,
                HeldUntil = null,
                IsLapsed = false,
                Version = Credit.Version + 1,
            };
            var charged = Credit.PlayerId is null ? [Tell(EntryKind.CreditsCharged, back)] : Array.Empty<Entry>();
            PlayerChange[] players = [.. isSame ? [] : OwnerIsFreed(), Player.Gets(back, Now)];
            return Changed(Taken(), back, players, Replace(back), [.. TakenBack(back), .. charged]);
        }

        // A player who has another credit by now keeps it.
        private PlayerChange[] OwnerIsFreed() => Owner?.Credit == Edit.Id ? [Owner.IsFreed(Now)] : [];

        private PlayerChange[] OwnerHas(Credit credit) => Owner?.Credit == Edit.Id ? [Owner.Gets(credit, Now)] : [];

        private Credit Given(Credit credit) =>
            credit.Freed() with { PlayerId = Edit.PlayerId, PlayerName = Edit.PlayerName, ActivatedAt = Now };

        private Lot[] Taken() => Source is null ? [] : [Source with { Free = Source.Free.Without(Edit.Id.Ordinal) }];

        private CreditChange Goes() => new(Credit, Credit.Version) { IsGone = true };

        // A row's player and report never change: to change them it is deleted and inserted again.
        private CreditChange[] Replace(Credit credit) => HasRow ? [Goes(), new(credit, 0)] : [new(credit, 0)];

        private Entry Returned(Credit after) => uses.Returned(Tell(EntryKind.CreditsReturned, after), Credit);

        // Takes the expiry back; an end of coverage that nobody has booked yet is booked first.
        private Entry[] TakenBack(Credit after)
        {
            var kind = Credit.PlayerId is null ? EntryKind.LotExpired : EntryKind.CoverageExpired;
            var back = Tell(kind, after) with { Quantity = -1, UserId = Credit.UsedBy, ReportId = Credit.ReportId };
            return EndingKey.Of(Credit) is { } key && !Endings.HasEnded(Credit) ? [Coverage.Ended(new(key, Credit.UsedBy, 1, 0), Now), back] : [back];
        }

        private Entry Tell(EntryKind kind, Credit after) => GivingBack.Tell(Contract, kind, Lot, Credit, after, Act);

        private bool IsOpen(Lot lot) => Contract.Lots.Any(open => (open.LotId, open.Apart) == (lot.LotId, lot.Apart));

        private Changed<Contract, Credit> Changed(
            Lot[] lots, Credit answer, PlayerChange[] players, CreditChange[] credits, Entry[] entries, bool givesBack = false)
        {
            var given = givesBack ? uses : Uses.None;
            return new(
                Contract.With(lots).Keeping(Lot).With(given.Rows.Select(row => row.Member)).Rehold(Credit, answer),
                [
                    .. lots.Select(lot => Contract.Change(lot, isNew: (lot.Apart == 0 ? Lot : Apart) is null && !IsOpen(lot))),
                    .. given.Rows,
                    .. players,
                    .. credits,
                    .. Endings.Move([(HasRow ? Credit : null, credits.LastOrDefault(row => !row.IsGone)?.Credit)], Now),
                    .. given.Renewals,
                    .. entries,
                ],
                answer);
        }
    }
}
