using CreditGrains.Domain;
using CreditGrains.Grains;
using CreditGrains.Stores.Memory;
using NodaTime;

namespace CreditGrains.Simulation;

/// <summary>Operators at work: single credits edited by hand (P5), the same edit again where nobody knows what came of it. What they are answered is held against what was committed.</summary>
internal sealed class Operators(World world, IGrainFactory grains, MemoryStore store, History history, EditBooks books, UndoBooks undos, CorrectionBooks corrections, Clocks clocks, Func<Func<Task>, Task<bool>> attempt)
{
    private int named;

    private Dice Dice => world.Dice;

    /// <summary>One edit, or the same of a few credits of one lot, doubled now and then; each is tried until it is answered.</summary>
    public Task Edit(Terms terms, IReadOnlyList<string> players, bool mayRace)
    {
        var (first, kind) = (Pick(terms, players), Dice.Below(12));
        var others = mayRace && Dice.Chance(0.3) && store.Lot(first.ContractId, first.LotId) is { } lot ? Enumerable.Range(0, 4).Select(_ => first with { Ordinal = Dice.Between(1, (int)lot.Quantity) }) : [];
        return Task.WhenAll(others.Prepend(first).Distinct().Select(id =>
        {
            var edit = NewEdit(id, kind, Dice.Chance(0.3) ? $"hand{named}" : Dice.Pick(players));
            books.Wants(edit);
            return Task.WhenAll(Enumerable.Range(0, mayRace && Dice.Chance(0.2) ? 2 : 1).Select(_ => Send(edit)));
        }).ToList());
    }

    /// <summary>Voids or captures a report, for all its players or some, doubled now and then.</summary>
    public Task Undo(ChargeReport report, bool mayRace)
    {
        var isCapture = report.HoldSeconds is not null ? Dice.Chance(0.7) : Dice.Chance(0.05);
        var some = report.Players.Select(player => player.PlayerId).Where(_ => Dice.Chance(0.6)).ToList();
        System.Collections.Immutable.ImmutableArray<string>? wanted = some.Count == 0 || Dice.Chance(0.4) ? null : [.. some];
        var reason = $"void{named++}";
        return Task.WhenAll(Enumerable.Range(0, mayRace && Dice.Chance(0.3) ? 2 : 1).Select(async _ =>
        {
            for (var tries = 0; tries < 6 && !await Ask(); tries++) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), world.Time);
        }));

        Task<bool> Ask()
        {
            var from = history.Moment;
            return attempt(async () =>
            {
                var contract = grains.Contract(report.ContractId);
                var answer = isCapture
                    ? await contract.Capture(new(report.Report, wanted, "client"))
                    : await contract.Void(new(report.Report, wanted, reason, "operator", IsConsumer: false));
                world.Holds(answer.Value is { Answer: var undone } ? undos.IsAnswer(report.Report, undone, from) : undos.IsReason(report.Report, report.ContractId, wanted ?? [], answer.Refusal!, isCapture, from),
                    "a void and a capture are answered as they were done (R7, R8)", $"{report}: {answer}, {store.Report(report.Report)}");
            });
        }
    }

    /// <summary>One edit of that credit.</summary>
    public Task Edit(CreditId id)
    {
        var edit = NewEdit(id, Dice.Pick([2, 3, 7, 8]), $"hand{named}");
        books.Wants(edit);
        return Send(edit);
    }

    /// <summary>A lot is taken back, all or in part, or changed (L6); the same again where nobody knows what came of it.</summary>
    public Task Correct(Terms terms, bool mayRace)
    {
        var lots = Dice.Chance(0.7) ? [.. store.OpenLots(terms.ContractId)] : store.Lots.Where(row => row.ContractId == terms.ContractId).Select(row => row.Lot).ToList();
        var lotId = lots.Count > 0 && !Dice.Chance(0.05) ? Dice.Pick(lots).LotId
            : terms.BillingCycle is not null ? Billing.LotId(DayByDay.Date(clocks.Latest, terms)) : "none";
        var isRaced = mayRace && Dice.Chance(0.2);

        // What a billing cycle grants is held against its terms when it is booked: until then it stays as it is.
        return Dice.Chance(0.5) || store.Lot(terms.ContractId, lotId) is null ? Withdraw(terms.ContractId, lotId, isRaced) : Change(terms.ContractId, lotId, isRaced);
    }

    private Task Withdraw(string contractId, string lotId, bool isRaced)
    {
        var withdraw = new WithdrawCredits(lotId, Dice.Chance(0.3) ? null : Dice.Between(1, 9), $"withdrawal{named++}", "operator");
        corrections.Wants(withdraw);
        return Repeat(isRaced, withdraw.Reason, key => Ask(
            () => grains.Contract(contractId).Withdraw(withdraw, key), withdraw.Reason, contractId, lotId,
            (parts, now) => parts.Where(part => !part.ExpiryBooked && !(now >= part.ExpiresAt)).Sum(part => part.Free.Count) < (withdraw.Quantity ?? 0) || parts.Any(part => part.Source == LotSource.Minted)));
    }

    private Task Change(string contractId, string lotId, bool isRaced)
    {
        var until = clocks.Latest + Duration.FromHours(Dice.Chance(0.1) ? -1 : Dice.Between(1, 80));
        var from = clocks.Latest + Duration.FromHours(Dice.Chance(0.1) ? -1 : Dice.Between(1, 20));
        var change = new ChangeLot(
            lotId, Dice.Chance(0.3) && !Billing.IsLotId(lotId) ? $"payment{named}" : null, Dice.Chance(0.3) ? from : null, Dice.Chance(0.1), Dice.Chance(0.5) ? until : null, Dice.Chance(0.1),
            $"change{named++}", "operator");
        corrections.Wants(change);
        return Repeat(isRaced, change.Reason, key => Ask(
            () => grains.Contract(contractId).ChangeLot(change, key), change.Reason, contractId, lotId,
            (parts, now) => parts.Any(part => part.Source == LotSource.Minted) || change is { AvailableFrom: not null } or { ExpiresAt: not null } or { Begins: true } or { Stays: true }));
    }

    private async Task Repeat(bool isRaced, string reason, Func<RequestKey, Task<bool>> ask)
    {
        // A message may come twice: without a key so would what it asks for.
        var key = new RequestKey($"key-{reason}", reason);
        await Task.WhenAll(Enumerable.Range(0, isRaced ? 2 : 1).Select(async _ =>
        {
            for (var tries = 0; tries < 6 && !await ask(key); tries++) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), world.Time);
        }));
    }

    private Task<bool> Ask(Func<Task<Decision<Answered<CorrectedLot>>>> ask, string reason, string contractId, string lotId, Func<List<Lot>, Instant, bool> mayRefuse)
    {
        var from = history.Moment;
        return attempt(async () =>
        {
            var answer = await ask();
            if (answer.Refusal is { } refusal)
            {
                world.Holds(
                    Was(from, (moment, now) => history.WholeLot(contractId, lotId, moment).ToList() is var parts
                        && (refusal.Code == RefusalCode.NotFound ? parts.Count == 0 : refusal.Code == RefusalCode.InvalidField && mayRefuse(parts, now))),
                    "a correction is refused for a reason (L6)", $"{reason}: {refusal}, {store.Lot(contractId, lotId)}");
                return;
            }

            // One that changed nothing is told by nobody.
            var isDone = history.IsTold(reason);
            world.Holds(
                !isDone || history.WasEver(0, history.Moment, moment => history.WholeLot(contractId, lotId, moment).FirstOrDefault(part => part.Apart == 0) is { } lot && Same(lot, answer.Value!.Answer.Lot.Lot)),
                "what is answered is durable (R5)", $"{reason}: {answer.Value!.Answer.Lot.Lot}, {store.Lot(contractId, lotId)}");
        });

        static bool Same(Lot stored, Lot answered) => stored.Terms == answered.Terms && stored.Withdrawn.Equals(answered.Withdrawn);
    }

    private async Task Send(EditCredit edit)
    {
        for (var tries = 0; tries < 6 && !await Ask(edit); tries++) await Task.Delay(Dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), world.Time);
    }

    // Mostly what a player has, of whatever contract; else a credit of an open lot, of any lot, of a cycle that may have started unseen, or none.
    private CreditId Pick(Terms terms, IReadOnlyList<string> players)
    {
        if (Dice.Chance(0.6) && store.CurrentCredit(new(terms.ClientId, Dice.Pick(players))) is { } current) return current.Id;
        if (Dice.Chance(0.1) && terms.BillingCycle is { } cycle && DayByDay.Starts(cycle).TakeWhile(start => start <= DayByDay.Date(clocks.Latest, terms)).ToList() is [.., var last])
            return new(terms.ContractId, Billing.LotId(last), Dice.Between(1, 3));
        var lots = Dice.Chance(0.7) ? [.. store.OpenLots(terms.ContractId)] : store.Lots.Where(row => row.ContractId == terms.ContractId && row.Lot.Apart == 0).Select(row => row.Lot).ToList();
        return lots.Count > 0 && Dice.Pick(lots) is var lot ? new(terms.ContractId, lot.LotId, Dice.Between(1, (int)lot.Quantity + (Dice.Chance(0.05) ? 1 : 0))) : new(terms.ContractId, "none", 1);
    }

    private EditCredit NewEdit(CreditId id, int kind, string player)
    {
        var edit = new EditCredit(id, null, null, Frees: false, null, null, $"edit{named++}", "operator");
        var until = clocks.Latest + Duration.FromHours(Dice.Chance(0.05) ? -1 : Dice.Between(1, 60));
        return kind switch
        {
            < 3 => Dice.Chance(0.5) ? edit with { Frees = true } : edit with { Status = CreditStatus.Unallocated },
            3 => edit with { Frees = true, ExpiresAt = until },
            < 6 => edit with { PlayerId = player },
            < 8 => edit with { PlayerId = player, ExpiresAt = until, PlayerName = "by hand" },
            8 => edit with { ExpiresAt = until },
            9 => edit with { PlayerName = $"name{named}" },
            _ => edit with { Status = CreditStatus.Expired },
        };
    }

    private Task<bool> Ask(EditCredit edit)
    {
        var from = history.Moment;
        return attempt(async () =>
        {
            var answer = await grains.Contract(edit.Id.ContractId).Edit(edit);
            if (answer.Value is { Answer.Credit: var credit })
            {
                world.Holds(Was(from, (_, now) => EditBooks.IsAsWanted(edit, credit, now)), "an edit does what it says (P5)", $"{edit}: {credit}");
                world.Holds(Was(from, (moment, _) => IsAsAnswered(edit, credit, moment)) || WasFreed(edit, from), "what is answered is durable (R5)", $"{edit}: {credit}, stored {store.Credit(edit.Id)}");
            }
            else world.Holds(IsReason(edit, answer.Refusal!, from), "an edit is refused for a reason (P5)", $"{edit}: {answer.Refusal}, {store.Credit(edit.Id)}, {store.Lot(edit.Id.ContractId, edit.Id.LotId)}");
        });
    }

    // What lies in its lot has no row. The payment is told as the lot has it, which may have been changed since the row was written (L6).
    private bool IsAsAnswered(EditCredit edit, Credit credit, int moment) => history.Credit(edit.Id, moment) is { } row
        ? row with { PaymentId = history.Lot(edit.Id, moment)!.PaymentId } == credit
        : history.Lot(edit.Id, moment) is { } lot && lot.Free.Contains(edit.Id.Ordinal) && credit.PlayerId is null && lot.ExpiresAt == credit.ExpiresAt;

    // A report may draw it again in the same commit; and it may have been another edit before it that freed it.
    private bool WasFreed(EditCredit edit, int from) =>
        (EditBooks.IsFreed(edit) || EditBooks.IsApart(edit)) && history.CommitsSince(from).Any(commit =>
            commit.Changes.Entries.Any(entry => entry.Reason == edit.Reason || (EditBooks.IsDrawnAgain(edit.Id, commit) && EditBooks.IsEdit(entry) && entry.Subject == Subjects.Credit(edit.Id))));

    private bool IsReason(EditCredit edit, Refusal refusal, int from) => refusal.Code switch
    {
        RefusalCode.NotFound => Was(from, (moment, _) => !(history.Lot(edit.Id, moment)?.Quantity >= edit.Id.Ordinal)),
        RefusalCode.PlayerCovered => Was(from, (moment, now) => history.PlayerRow(new(edit.Id.ContractId[..4], edit.PlayerId ?? history.Credit(edit.Id, moment)?.PlayerId ?? ""), moment) is { Credit: { } current } player && current != edit.Id && !(now >= player.CoversUntil)),
        RefusalCode.InvalidField => Was(from, (moment, now) => edit.ExpiresAt <= now || history.Lot(edit.Id, moment)?.Withdrawn.Contains(edit.Id.Ordinal) == true || MayRefuse(edit, history.Credit(edit.Id, moment), history.Lot(edit.Id, moment), history.Terms(edit.Id.ContractId, moment), now)),
        _ => false,
    };

    // What is over comes back only with an expiry; without a player there is nothing to rename, and no expiry that cannot be drawn until then.
    private static bool MayRefuse(EditCredit edit, Credit? row, Lot? lot, Terms? terms, Instant now) => edit switch
    {
        { Status: CreditStatus.Expired } => false,
        { ExpiresAt: { } until } => edit.PlayerId is null && (EditBooks.IsFreed(edit) || row?.PlayerId is null || now >= row.HeldUntil) && (lot?.Source == LotSource.Minted || until <= lot?.AvailableFrom || now >= terms?.Ends),
        { PlayerName: not null } => row?.CoversAt(now) != true,
        _ when now >= row?.HeldUntil && lot?.Source == LotSource.Minted => true,
        _ => row is null || now >= row.HeldUntil ? lot?.ExpiryBooked == true || now >= lot?.ExpiresAt : !row.CoversAt(now),
    };

    private bool Was(int from, Func<int, Instant, bool> holds) => history.WasEver(from, history.Moment, moment => history.Instants(from, moment).Any(now => holds(moment, now)));
}
