using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IContractGrain"/>
[Reentrant]
public sealed partial class ContractGrain(IGrainContext context, GrainServices services)
    : Committing<Contract>(context, services, DocumentKind.Contract), IContractGrain, IRemindable
{
    private readonly DueReminder reminder = new(services);

    public Task<Decision<Answered<ContractDocument>>> Set(SetTerms set, RequestKey? key)
    {
        LocalDate? billed = null;
        KeyedRequest? recalled = null;
        return Alone(
            async () => (billed, recalled) = (await Billed(set.Terms), await Recall(key)),
            (contract, now) => Answer(contract, contract is not null
                ? Once(contract, key, recalled, () => Decide(contract, now), now)
                : Decide(contract, now).Select(ForTheFirstTime)));

        Decision<Changed<Contract, ContractDocument>> Decide(Contract? contract, Instant now) => Agreeing.Decide(contract, set with { Billed = billed }, now)
            .Select(changed => new Changed<Contract, ContractDocument>(changed.State, changed.Changes, new(changed.Answer.Terms, changed.Answer.Revision)));
    }

    public async Task<Decision<GrantedLot>> Grant(GrantLot grant, RequestKey? key)
    {
        Lot? made = null;
        KeyedRequest? recalled = null;
        var decision = await Alone(
            async () =>
            {
                recalled = key is null ? null : await Recall(key);
                made = recalled is null || recalled.Fingerprint == key!.Fingerprint ? await Services.Store.Lot(Id, recalled?.Made ?? grant.LotId) : null;
            },
            (contract, now) => Existing(contract, known =>
                recalled is not null && recalled.Fingerprint != key!.Fingerprint ? Remembered.KeyReused
                : made is not null && recalled is null && !grant.Made(made) ? new Refusal(RefusalCode.IdempotencyKeyReused, $"The lot {grant.LotId} was added by another request.")
                : made is not null ? new Changed<Contract, GrantedLot>(known, Changes.None, new(made, Replayed: true))
                : Granting.Decide(known, grant, now).Select(granted => new Changed<Contract, GrantedLot>(
                    granted.State, granted.Changes + Remembered.Keep(known.ClientId, key, () => grant.LotId, now), new(granted.Answer, Replayed: false)))));
        return decision.Value is { Replayed: true, Lot: var lot } ? new GrantedLot(await AsGranted(lot), Replayed: true) : decision;
    }

    public Task<Decision<ImmutableArray<Member>>> ReplaceUsers(ImmutableArray<UserName> users, string actor, long? seen) =>
        Run(new ContractCommand<Decision<ImmutableArray<Member>>>(
            (contract, now) => Existing(contract, known => Membership.Replace(known, users, actor, now, seen)))
        {
            Members = MembersNeeded.All,
            NamesUsers = () => users.Select(user => user.UserId),
        });

    public Task<Decision<Answered<ImmutableArray<UserName>>>> AddUsers(ImmutableArray<UserName> users, string actor, RequestKey? key)
    {
        KeyedRequest? recalled = null;
        return Run(new ContractCommand<Decision<Answered<ImmutableArray<UserName>>>>((contract, now) =>
            Existing(contract, known => Once(known, key, recalled, () => Add(known, now), now)))
        {
            IsAlone = key is not null,
            Members = MembersNeeded.All,
            NamesUsers = () => users.Select(user => user.UserId),
            Learns = async _ => recalled = await Recall(key),
        });

        Decision<Changed<Contract, ImmutableArray<UserName>>> Add(Contract known, Instant now)
        {
            var (next, changes, assigned) = Membership.Add(known, users, actor, now);
            return new Changed<Contract, ImmutableArray<UserName>>(next, changes, [.. assigned.Select(member => new UserName(member.UserId, member.Name))]);
        }
    }

    public Task<Decision<ImmutableArray<Member>>> AssignUser(UserName user, string actor) =>
        Run(new ContractCommand<Decision<ImmutableArray<Member>>>(
            (contract, now) => Existing<ImmutableArray<Member>>(contract, known => Membership.Assign(known, user, actor, now)))
        {
            Members = MembersNeeded.All,
            NamesUsers = () => [user.UserId],
        });

    public Task<Decision<ImmutableArray<Member>>> RemoveUser(string userId, string actor) =>
        Run(new ContractCommand<Decision<ImmutableArray<Member>>>(
            (contract, now) => Existing(contract, known => Membership.Remove(known, userId, actor, now))) { Members = MembersNeeded.All });

    public async Task<Decision<AllocationAnswer>> Preview(AllocationChange change, string actor, RequestKey? key) => key is null
        ? await Run(new ContractCommand<Decision<AllocationAnswer>>((contract, now) => Existing(contract, known => Previewed(known, change, actor, now)
            .Select(shown => new Changed<Contract, AllocationAnswer>(shown.State, shown.Changes, new(shown.Answer, Replayed: false)))))
        {
            Members = MembersNeeded.AllAnew,
            NamesUsers = () => NamedBy(change),
        })
        : (await Once(key, (contract, now) => Previewed(contract, change, actor, now), names: () => NamedBy(change), kept: Remembered.Kept))
            .Select(made => new AllocationAnswer(made.Answer, made.Replayed));

    // The token is a key, too.
    public async Task<Decision<AllocationAnswer>> Confirm(string token, string actor, RequestKey? key)
    {
        Preview? preview = null;
        KeyedRequest? recalled = null;
        var decision = await Alone(
            async () => (preview, recalled) = (await Previewed(token), await Recall(key)),
            (contract, now) => Existing(contract, known => Once(known, key, recalled, () => preview?.Answer is { } first
                ? new Changed<Contract, Window>(known, Changes.None, first)
                : Allocating.Confirm(known, preview, actor, now), now)),
            MembersNeeded.AllAnew,
            () => preview is null ? [] : NamedBy(preview.Change));
        return decision.Select(made => new AllocationAnswer(made.Answer, made.Replayed || preview?.Answer is not null));
    }

    public async Task<Decision<AllocationAnswer>> Allocate(AllocationChange change, string? seen, string actor, RequestKey? key) => (await Once(
        key,
        (contract, now) => seen is not null && seen != $"{PlanVersion.Of(contract, now)}"
            ? Refusal.Changed("allocation")
            : Allocating.Decide(contract, change, actor, Causes.Request, now),
        names: () => NamedBy(change))).Select(made => new AllocationAnswer(made.Answer, made.Replayed));

    public async Task<Decision<GrantedExtra>> GrantExtra(GrantExtra grant, RequestKey? key) =>
        (await Once(key, (contract, now) => Allocating.Decide(contract, grant, now))).Select(made => new GrantedExtra(made.Answer, made.Replayed));

    public Task<Decision<Answered<EditedCredit>>> Edit(EditCredit edit, RequestKey? key)
    {
        SeenCredit? seen = null;
        return Once(
            key,
            (contract, now) => Editing.Decide(contract, seen!, edit, now)
                .Select(changed => new Changed<Contract, EditedCredit>(changed.State, changed.Changes, new(changed.Answer, now))),
            MembersNeeded.None,
            look: async contract => seen = await See(contract, edit),
            restsOn: () => seen?.AsOf ?? Instant.MinValue,
            guards: () => seen?.RestsOn(Id) ?? []);
    }

    public Task<Decision<Answered<CorrectedLot>>> Withdraw(WithdrawCredits withdraw, RequestKey? key) =>
        Correct(key, withdraw.LotId, (contract, stored, now) => LotCorrecting.Decide(contract, stored, withdraw, now));

    public Task<Decision<Answered<CorrectedLot>>> ChangeLot(ChangeLot change, RequestKey? key) =>
        Correct(key, change.LotId, (contract, stored, now) => LotCorrecting.Decide(contract, stored, change, now));

    public Task<Decision<Answered<UndoneReport>>> Void(VoidReport request, RequestKey? key) =>
        Undo(request.Report, key, (contract, seen, now) => Undoing.Decide(contract, seen, request, now));

    public Task<Decision<Answered<UndoneReport>>> Capture(CaptureReport request, RequestKey? key) =>
        Undo(request.Report, key, (contract, seen, now) => Undoing.Decide(contract, seen, request, now));

    public async Task<ReportAnswer> Charge(ChargeReport report) => Services.Metrics.Count(await Run(new ReportCommand(this, report)));

    public Task WakeUp() => ReceiveReminder("", default);

    public async Task ReceiveReminder(string reminderName, TickStatus status) => await reminder.Rang(this, await LookAhead());

    protected override async Task<(Contract State, long Epoch)?> Load() =>
        await Services.Store.Contract(Id) is { } stored ? (stored.AsContract(), stored.Document.Version) : null;

    protected override DocumentChange Write(Contract? before, Contract after, long epoch) => new(
        DocumentKind.Contract, Id, Math.Max(epoch, 1), epoch,
        before?.Revision == after.Revision && before.Plan == after.Plan && before.HasApart == after.HasApart
            ? null
            : Stored<ContractDocument>.Write(new(after.Terms, after.Revision, after.Plan == Plan.Initial ? null : after.Plan, after.HasApart)),
        after.ClientId, after.AsOf, after.NextDue);

    // One notice a batch to the client's player credits, and one to each user of whom a renewal falls due that did not before.
    protected override void Committed(Contract? before, Contract after, Changes changes)
    {
        ImmutableArray<Player> players = [.. changes.Players.Select(change => change.Player)];
        if (!players.IsEmpty) Services.Grains.PlayerCredits(after.ClientId).Note(players).Ignore();
        foreach (var change in changes.Members)
            if (change.DueAt is { } due && before?.Members.GetValueOrDefault(change.Member.UserId)?.Allocation.NextDue(before.Terms) != due)
                Services.Grains.Allocation(new(Id, change.Member.UserId)).Note(change.Member).Ignore();
        if (after.NextDue is { } next && next != before?.NextDue) reminder.Set(this, next).Ignore();
    }

    // L5: lots that are used up are in the store only.
    private async Task<LocalDate?> Billed(Terms terms) =>
        terms.Check() is null && Billing.Running(terms, Services.Clock.Now) is { } start && await Services.Store.Lot(Id, Billing.LotId(start)) is not null ? start : null;

    private Task<Decision<Answered<CorrectedLot>>> Correct(
        RequestKey? key, string lotId, Func<Contract, ImmutableArray<Lot>, Instant, Decision<Changed<Contract, WholeLot>>> decide)
    {
        ImmutableArray<Lot> stored = [];
        return Once(
            key,
            (contract, now) => decide(contract, stored, now)
                .Select(changed => new Changed<Contract, CorrectedLot>(changed.State, changed.Changes, new(changed.Answer, now))),
            MembersNeeded.None,
            look: async _ => stored = await Services.Store.WholeLot(Id, lotId));
    }

    private Task<Decision<Answered<UndoneReport>>> Undo(
        ReportKey report, RequestKey? key, Func<Contract, SeenReport, Instant, Decision<Changed<Contract, UndoneReport>>> decide)
    {
        SeenReport? seen = null;
        return Once(
            key,
            (contract, now) => decide(contract, seen!, now),
            MembersNeeded.None,
            look: async contract => seen = await See(contract, report),
            restsOn: () => seen?.AsOf ?? Instant.MinValue,
            guards: () => seen?.RestsOn(Id) ?? []);
    }

    private async Task<SeenReport> See(Contract contract, ReportKey key)
    {
        var none = new SeenReport(null, Rows.None.Credits, ImmutableDictionary<string, Lot>.Empty, Rows.None.Players, null);
        if (key.ClientId != contract.ClientId) return none;
        var found = await Services.Store.Read(new(key.ClientId, Id) { Reports = [key.ReportId] });
        if (found.Reports.Values.SingleOrDefault() is not { } report || report.ContractId != Id) return none;

        var charged = report.Players.Where(outcome => outcome.Charge == PlayerCharge.New).ToList();
        var rows = await Services.Store.Read(new(key.ClientId, Id)
        {
            Players = [.. charged.Select(outcome => outcome.PlayerId)],
            Users = [report.UserId],
            Credits = [.. charged.Select(outcome => CreditId.Parse(outcome.CreditId!))],
        });
        var lots = new Dictionary<string, Lot>();
        foreach (var lotId in rows.Credits.Keys.Select(credit => credit.LotId).Distinct()) lots[lotId] = (await Services.Store.Lot(Id, lotId))!;
        return new(report, rows.Credits, lots, rows.Players, rows.Members[report.UserId])
        {
            // Of those that are held as a capture leaves them, too.
            Endings = await Find(key.ClientId, Endings.Keys([.. rows.Credits.Values, .. rows.Credits.Values.Select(credit => credit with { HeldUntil = null })])),
        };
    }

    private async Task<SeenCredit> See(Contract contract, EditCredit edit)
    {
        var touched = await Services.Store.Credit(edit.Id);
        var lot = await Services.Store.Lot(Id, edit.Id.LotId);
        var apart = await Services.Store.Lot(Id, edit.Id.LotId, edit.Id.Ordinal);
        string[] players = [.. new[] { touched?.PlayerId, edit.PlayerId }.OfType<string>().Distinct()];
        var rows = await Services.Store.Read(new(contract.ClientId, Id) { Players = players, Users = touched?.UsedBy is { } user ? [user] : [] });
        return new(lot, touched, apart, Row(touched?.PlayerId), Row(edit.PlayerId))
        {
            User = rows.Members.Values.SingleOrDefault(),
            Endings = await Find(contract.ClientId, edit.Endings(touched)),
        };

        Player? Row(string? playerId) => playerId is null ? null : rows.Players.GetValueOrDefault(playerId) ?? Player.Unknown(contract.ClientId, playerId);
    }

    private async Task<Endings> Find(string clientId, IReadOnlyCollection<EndingKey> keys) =>
        keys.Count == 0 ? Endings.None : new(keys, (await Services.Store.Read(new(clientId, Id) { Endings = keys })).Endings);

    private static IEnumerable<string> NamedBy(AllocationChange change) => change.Users.Select(user => user.UserId);

    // Each decision has a token of its own: one whose outcome is unknown may have been kept.
    private Decision<Changed<Contract, Window>> Previewed(Contract known, AllocationChange change, string actor, Instant now)
    {
        var token = $"{Guid.NewGuid():N}";
        return Allocating.Decide(known, change, actor, Causes.Confirmation(token), now).Select(shown => new Changed<Contract, Window>(
            known,
            [Remembered.Keep(new Preview(token, known.ClientId, Id, change, PlanVersion.Of(known, now), now, null), now)],
            shown.Answer with { ConfirmationToken = token }));
    }

    private async Task<Preview?> Previewed(string token) =>
        await Services.Store.Document(DocumentKind.Preview, token) is { } document && Json.Read<Preview>(document.Body) is var preview && preview.ContractId == Id ? preview : null;

    // It may have been changed since, or its expiry moved with the contract's end (L4, L6).
    private async Task<Lot> AsGranted(Lot lot)
    {
        var terms = await Services.Store.FirstLotSet(Id, lot.LotId) is { Before: { } first } ? Json.Read<LotTerms>(first) : lot.Terms;
        return lot with
        {
            Free = Runs.UpTo(lot.Quantity),
            Withdrawn = Runs.Empty,
            ExpiryBooked = false,
            PaymentId = terms.PaymentId,
            AvailableFrom = terms.AvailableFrom,
            ExpiresAt = terms.ExpiresAt,
        };
    }
}
