using System.Collections.Immutable;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IContract"/>
public class ContractActor(ActorServices services, string contractId) : DocumentCommitter<Contract>(services, ContractActor.Kind, contractId), IContract
{
    // How often a credit is looked at that is not the same when it is to be changed.
    private const int MaxLooks = 8;

    /// <summary>The kind of a contract's document.</summary>
    public const string Kind = "contract";

    public async Task<Decision<ContractDocument>> Set(SetTerms set)
    {
        while (true)
        {
            var terms = set with { Billed = await Billed(set.Terms) };
            var settled = await Run((contract, now) => Answer(contract, Agreeing.Decide(contract, terms, now)
                .Select(changed => new Changed<Contract, ContractDocument>(changed.State, changed.Changes, new(changed.Answer.Terms, changed.Answer.Revision)))));
            if (settled.IsSettled) return settled.Answer!;
        }
    }

    public async Task<Decision<GrantedLot>> Grant(GrantLot grant, RequestKey? key)
    {
        var settled = await MakeOnce("lot", grant.LotId, key, id => Services.Store.Lot(Id, id), grant.Made, (contract, now) => Granting.Decide(contract, grant, now));
        return settled.Value is { Replayed: true, Made: var lot } ? new GrantedLot(await AsGranted(lot), Replayed: true) : settled.Select(granted => new GrantedLot(granted.Made, granted.Replayed));
    }

    // Each decision has a token of its own: one whose outcome is unknown may have been kept.
    public Task<Decision<Window>> Preview(AllocationChange change, string actor) => DecideExisting((contract, now) =>
    {
        var token = $"{Guid.NewGuid():N}";
        return Allocating.Decide(contract, change, actor, Causes.Confirmation(token), now).Select(shown => new Changed<Contract, Window>(
            contract,
            new Changes { Previews = [new(token, contract.ClientId, Id, change, PlanVersion.Of(contract, now), now, null)] },
            shown.Answer with { ConfirmationToken = token }));
    }, Needs.RelatedAnew);

    public async Task<Decision<AllocationAnswer>> Confirm(string token, string actor)
    {
        while (true)
        {
            var preview = await Preview(token);
            if (preview?.Answer is { } first) return new AllocationAnswer(first, Replayed: true);
            var settled = await Run((contract, now) => Existing(contract, known => Allocating.Confirm(known, preview, actor, now)), Needs.RelatedAnew);

            // The other request with the same token may have been the first.
            var isRefused = settled is { IsSettled: true, Answer.Refusal.Code: RefusalCode.AllocationChanged };
            if (settled.IsSettled && !(isRefused && await Preview(token) is { Answer: not null })) return settled.Answer!.Select(window => new AllocationAnswer(window, Replayed: false));
        }
    }

    public async Task<Decision<AllocationAnswer>> Allocate(AllocationChange change, string? seen, string actor) => (await Once(null, (contract, now) =>
        seen is not null && seen != $"{PlanVersion.Of(contract, now)}"
            ? new Refusal(RefusalCode.PreconditionFailed, "The allocation has changed since.")
            : Allocating.Decide(contract, change, actor, Causes.Request, now), Needs.RelatedAnew)).Select(made => new AllocationAnswer(made.Answer, made.Replayed));

    public async Task<Decision<GrantedExtra>> GrantExtra(GrantExtra grant, RequestKey? key) =>
        (await Once(key, (contract, now) => Allocating.Decide(contract, grant, now), Needs.RelatedAnew)).Select(made => new GrantedExtra(made.Answer, made.Replayed));

    public async Task<Decision<Credit>> Edit(EditCredit edit)
    {
        SeenCredit seen = null!;
        for (var again = 0; ; again++)
        {
            var settled = await Once(null, (contract, now) => Editing.Decide(contract, seen, edit, now), Needs.RelatedAnew, async () => seen = await See(edit));

            // No commit proves what a refusal has seen. Reports draw on the lot all the while: that is nothing to this credit.
            if (settled.Refusal is { } refusal && again < MaxLooks && (refusal.Code == RefusalCode.PreconditionFailed || Own(await See(edit)) != Own(seen))) continue;

            var answer = settled.Select(made => made.Answer);
            if (answer.Value is { } credit) TellOf(seen, credit);
            return answer;
        }
    }

    public Task<Decision<ImmutableArray<Member>>> ReplaceUsers(ImmutableArray<UserName> users, string actor) =>
        DecideExisting<ImmutableArray<Member>>((contract, now) => Membership.Replace(contract, users, actor, now), Needs.Related);

    public Task<Decision<ImmutableArray<Member>>> AssignUser(UserName user, string actor) =>
        DecideExisting<ImmutableArray<Member>>((contract, now) => Membership.Assign(contract, user, actor, now), Needs.Related);

    public Task<Decision<ImmutableArray<Member>>> RemoveUser(string userId, string actor) =>
        DecideExisting((contract, now) => Membership.Remove(contract, userId, actor, now), Needs.Related);

    public async Task<ChargeAnswer> Charge(ChargeCredits charge)
    {
        var settled = await Run((contract, now) => Decide(contract, charge, now));
        return settled.IsSettled ? settled.Answer! : new ChargeAnswer.Outdated();
    }

    public async Task<ChargeAnswer> Rehearse(ChargeCredits charge)
    {
        var settled = await Run((contract, now) => new Changed<Contract?, ChargeAnswer>(contract, Changes.None, Decide(contract, charge, now).Answer));
        return settled.IsSettled ? settled.Answer! : new ChargeAnswer.Outdated();
    }

    public Task<Refusal> Explain(Refusal refusal) => Decide((contract, now) =>
    {
        var amounts = refusal.Amounts! with { ContractRemaining = contract?.RemainingAt(now) };
        var first = contract is null ? Absent : Charging.NotActive(contract.Terms, amounts, now);
        return new Changed<Contract?, Refusal>(contract, Changes.None, first ?? refusal with { Amounts = amounts });
    });

    protected override async Task<(Contract? State, long Version)> Load()
    {
        if (await Services.Store.Contract(Id) is not { } stored) return (null, 0);
        return (stored.AsContract(), stored.Document.Version);
    }

    protected override async Task<Contract?> LoadRelated(Contract? state, Needs needs, IReadOnlyCollection<string> about) => state is null || (state.Members is not null && needs < Needs.RelatedAnew)
        ? state
        : state with { Members = (await Services.Store.Members(Id)).ToImmutableSortedDictionary(member => member.UserId, member => member, StringComparer.Ordinal) };

    protected override DocumentWrite? Write(Contract? before, Contract? after, long version, Instant now) => after is null ? null : new(
        Kind, Id, version,
        before?.Revision == after.Revision && before.Plan == after.Plan && before.HasApart == after.HasApart ? null
            : Stored<ContractDocument>.Write(new(after.Terms, after.Revision, after.Plan == Plan.Initial ? null : after.Plan, after.HasApart)),
        after.Terms.ClientId, now, after.NextDue);

    protected override async Task<string?> ClientId() => (await Services.Store.Document(Kind, Id))?.AsContract().Terms.ClientId;

    protected override void Committed(Contract? state)
    {
        if (state?.NextDue is { } due) Services.Wakeups.Schedule(Id, due);
    }

    private Changed<Contract?, ChargeAnswer> Decide(Contract? contract, ChargeCredits charge, Instant now)
    {
        if (contract is null) return new(contract, Changes.None, new ChargeAnswer.Refused(Absent));
        if (Charging.IsOutdated(contract, charge, now)) return new(contract, Changes.None, new ChargeAnswer.Outdated());
        var decision = Charging.Decide(contract, charge, now);
        return decision.Value is { } changed
            ? new(changed.State, changed.Changes, new ChargeAnswer.Charged(changed.Answer, [.. changed.Changes.Credits.Where(change => change.Expected == 0).Select(change => change.Credit)]))
            : new(contract, StillAllowed(charge, decision.Refusal!), new ChargeAnswer.Refused(decision.Refusal!));
    }

    // R2: the pool is checked after the user. That the user may consume is proved by the commit; the actor that said so may be outdated.
    private Changes StillAllowed(ChargeCredits charge, Refusal refusal) => refusal.Code == RefusalCode.InsufficientContractCredits
        ? new Changes { Uses = [charge.Hold.AsProof(Id, charge.UserId)] }
        : Changes.None;

    // L5: lots that are used up are in the store only. What changes after this look fails by the lot's own fence, and is looked at anew.
    private async Task<LocalDate?> Billed(Terms terms) =>
        terms.Check() is null && Billing.Running(terms, Services.Clock.Now) is { } start && await Services.Store.Lot(Id, Billing.LotId(start)) is not null ? start : null;

    // An outcome that was lost is looked up under the key, never brought about twice; a caller without one gets one for this call.
    private async Task<Decision<(T Answer, bool Replayed)>> Once<T>(RequestKey? given, Func<Contract, Instant, Decision<Changed<Contract, T>>> decide, Needs needs, Func<Task>? look = null)
    {
        var key = given ?? new RequestKey($"{Guid.NewGuid():N}", "");
        for (var again = given is not null; ; again = true)
        {
            if (again && await Recall(key) is { } remembered)
                return remembered.Fingerprint == key.Fingerprint
                    ? (Json.Read<T>(remembered.Made), Replayed: given is not null)
                    : Remembered.KeyReused;
            if (look is not null) await look();
            var settled = await Run((contract, now) => Existing(contract, known => decide(known, now).Select(changed => new Changed<Contract, T>(
                changed.State,
                changed.Changes with { Requests = [new(known.Terms.ClientId, key.Key, key.Fingerprint, Json.Write(changed.Answer)) { ForgetAt = given is null ? now + Remembered.Kept : null }] },
                changed.Answer))), needs);
            if (settled.IsSettled) return settled.Answer!.Select(answer => (answer, Replayed: false));
        }
    }

    private static SeenCredit Own(SeenCredit seen) => seen.Lot is { ExpiryBooked: false } lot ? seen with { Lot = lot with { Free = Runs.Empty } } : seen;

    private async Task<SeenCredit> See(EditCredit edit)
    {
        var touched = await Services.Store.Credit(edit.Id);
        var lot = await Services.Store.Lot(Id, edit.Id.LotId);
        if (lot is null)
        {
            // L5: its cycle may have started, and nobody has booked that.
            await WakeUp();
            lot = await Services.Store.Lot(Id, edit.Id.LotId);
        }
        var player = edit.PlayerId ?? touched?.PlayerId;
        var clientId = player is null ? null : await ClientId();
        var current = clientId is null ? null : await Services.Store.CurrentCredit(new(clientId, player!));
        return new(lot, touched, current, await Services.Store.Lot(Id, edit.Id.LotId, edit.Id.Ordinal));
    }

    // Those who have read it before need not find out by a commit that fails.
    private void TellOf(SeenCredit seen, Credit credit)
    {
        foreach (var player in new[] { seen.Touched?.PlayerId, credit.PlayerId }.OfType<string>().Distinct())
            _ = Tell(Services.Actors.PlayerCredit(new(credit.ClientId, player)).Peek());
        if (seen.Touched?.UsedBy is { } user) _ = Tell(Services.Actors.Allocation(new(Id, user)).Forget());
    }

    private async Task Tell(Task told)
    {
        try
        {
            await told;
        }
        catch (Exception e) when (Services.Actors.IsLost(e) || e is StoreUnavailableException)
        {
            // The fences tell them.
        }
    }

    private async Task<Preview?> Preview(string token) =>
        await Services.Store.Document(Remembered.Preview, token) is { } document && Json.Read<Preview>(document.Body) is var preview && preview.ContractId == Id ? preview : null;

    // L4: with the contract's end a lot's expiry may have moved since.
    private async Task<Lot> AsGranted(Lot lot)
    {
        var expiry = await Services.Store.FirstExpirySet(Id, lot.LotId) is { Before: { } first } ? Json.ReadOrNull<Instant>(first) : lot.ExpiresAt;
        return lot with { Free = Runs.UpTo(lot.Quantity), ExpiryBooked = false, ExpiresAt = expiry };
    }
}
