using System.Collections.Immutable;
using CreditGrains.Domain;

namespace CreditGrains.Grains.Local;

public enum ActorKind { Contract, User, Allocation, PlayerCredit, Report, Account, ServicesSettings }

/// <summary>One actor of this process.</summary>
public readonly record struct ActorId(ActorKind Kind, string Key);

/// <summary>Reaches actors of this same process by <see cref="Call{TActor,TAnswer}"/>: the engine decides when and where a call runs, one turn of an actor at a time.</summary>
public abstract class LocalActors : IActors
{
    public IContract Contract(string contractId) => new ContractRef(this, new(ActorKind.Contract, contractId));

    public IUser User(UserKey key) => new UserRef(this, new(ActorKind.User, key.ToString()));

    public IAllocation Allocation(AllocationKey key) => new AllocationRef(this, new(ActorKind.Allocation, key.ToString()));

    public IPlayerCredit PlayerCredit(PlayerKey key) => new PlayerCreditRef(this, new(ActorKind.PlayerCredit, key.ToString()));

    public IReport Report(ReportKey key) => new ReportRef(this, new(ActorKind.Report, key.ToString()));

    public IAccount Account(string accountId) => new AccountRef(this, new(ActorKind.Account, accountId));

    public IServicesSettings ServicesSettings => new ServicesSettingsRef(this, new(ActorKind.ServicesSettings, ServicesSettingsActor.Id));

    public abstract bool IsLost(Exception exception);

    /// <summary>Runs a call as a turn of that actor.</summary>
    protected abstract Task<TAnswer> Call<TActor, TAnswer>(Func<TActor, Task<TAnswer>> call, ActorId id);

    /// <summary>A new actor; it knows nothing until it asks the store.</summary>
    protected static object Create(ActorId id, ActorServices services) => id.Kind switch
    {
        ActorKind.Contract => new ContractActor(services, id.Key),
        ActorKind.User => new UserActor(services, UserKey.Parse(id.Key)),
        ActorKind.Allocation => new AllocationActor(services, AllocationKey.Parse(id.Key)),
        ActorKind.PlayerCredit => new PlayerCreditActor(services, PlayerKey.Parse(id.Key)),
        ActorKind.Report => new ReportActor(services, ReportKey.Parse(id.Key)),
        ActorKind.Account => new AccountActor(services, id.Key),
        ActorKind.ServicesSettings => new ServicesSettingsActor(services),
        _ => throw new InvariantException($"there is no actor of kind {id.Kind}"),
    };

    private Task Call<TActor>(Func<TActor, Task> call, ActorId id) => Call<TActor, bool>(async actor =>
    {
        await call(actor);
        return true;
    }, id);

    private sealed class ContractRef(LocalActors actors, ActorId id) : IContract
    {
        public Task<Decision<ContractDocument>> Set(SetTerms set) => actors.Call((IContract contract) => contract.Set(set), id);

        public Task<Decision<GrantedLot>> Grant(GrantLot grant, RequestKey? key) => actors.Call((IContract contract) => contract.Grant(grant, key), id);

        public Task<Decision<ImmutableArray<Member>>> ReplaceUsers(ImmutableArray<UserName> users, string actor) => actors.Call((IContract contract) => contract.ReplaceUsers(users, actor), id);

        public Task<Decision<ImmutableArray<Member>>> AssignUser(UserName user, string actor) => actors.Call((IContract contract) => contract.AssignUser(user, actor), id);

        public Task<Decision<ImmutableArray<Member>>> RemoveUser(string userId, string actor) => actors.Call((IContract contract) => contract.RemoveUser(userId, actor), id);

        public Task<Decision<Window>> Preview(AllocationChange change, string actor) => actors.Call((IContract contract) => contract.Preview(change, actor), id);

        public Task<Decision<AllocationAnswer>> Confirm(string token, string actor) => actors.Call((IContract contract) => contract.Confirm(token, actor), id);

        public Task<Decision<AllocationAnswer>> Allocate(AllocationChange change, string? seen, string actor) => actors.Call((IContract contract) => contract.Allocate(change, seen, actor), id);

        public Task<Decision<GrantedExtra>> GrantExtra(GrantExtra grant, RequestKey? key) => actors.Call((IContract contract) => contract.GrantExtra(grant, key), id);

        public Task<Decision<Credit>> Edit(EditCredit edit) => actors.Call((IContract contract) => contract.Edit(edit), id);

        public Task<ChargeAnswer> Charge(ChargeCredits charge) => actors.Call((IContract contract) => contract.Charge(charge), id);

        public Task<ChargeAnswer> Rehearse(ChargeCredits charge) => actors.Call((IContract contract) => contract.Rehearse(charge), id);

        public Task<Refusal> Explain(Refusal refusal) => actors.Call((IContract contract) => contract.Explain(refusal), id);

        public Task WakeUp() => actors.Call((IContract contract) => contract.WakeUp(), id);
    }

    private sealed class UserRef(LocalActors actors, ActorId id) : IUser
    {
        public Task<Decision<User>> Switch(bool disabled, string actor) => actors.Call((IUser user) => user.Switch(disabled, actor), id);
    }

    private sealed class AllocationRef(LocalActors actors, ActorId id) : IAllocation
    {
        public Task<HoldAnswer> Hold(Claimant by, long credits) => actors.Call((IAllocation allocation) => allocation.Hold(by, credits), id);

        public Task<HoldAnswer> Peek(long credits) => actors.Call((IAllocation allocation) => allocation.Peek(credits), id);

        public Task Settle(Claimant by, bool used) => actors.Call((IAllocation allocation) => allocation.Settle(by, used), id);

        public Task Forget() => actors.Call((IAllocation allocation) => allocation.Forget(), id);

        public Task WakeUp() => actors.Call((IAllocation allocation) => allocation.WakeUp(), id);
    }

    private sealed class PlayerCreditRef(LocalActors actors, ActorId id) : IPlayerCredit
    {
        public Task<ClaimAnswer> Claim(Claimant by) => actors.Call((IPlayerCredit player) => player.Claim(by), id);

        public Task<Credit?> Peek() => actors.Call((IPlayerCredit player) => player.Peek(), id);

        public Task Release(Claimant by, bool outdated) => actors.Call((IPlayerCredit player) => player.Release(by, outdated), id);

        public Task Settle(Claimant by, Credit credit) => actors.Call((IPlayerCredit player) => player.Settle(by, credit), id);

        public Task WhenFree(Claimant by) => actors.Call((IPlayerCredit player) => player.WhenFree(by), id);
    }

    private sealed class ReportRef(LocalActors actors, ActorId id) : IReport
    {
        public Task<ReportAnswer> Submit(SubmitReport submit) => actors.Call((IReport report) => report.Submit(submit), id);
    }

    private sealed class AccountRef(LocalActors actors, ActorId id) : IAccount
    {
        public Task<Decision<AccountTerms>> Set(SetAccount set) => actors.Call((IAccount account) => account.Set(set), id);

        public Task<Decision<BoughtCredits>> Buy(BuyCredits buy, RequestKey? key) => actors.Call((IAccount account) => account.Buy(buy, key), id);

        public Task<Decision<Project>> SetProject(SetProject set) => actors.Call((IAccount account) => account.SetProject(set), id);

        public Task<Decision<Milestone>> SetMilestone(SetMilestone set) => actors.Call((IAccount account) => account.SetMilestone(set), id);

        public Task<Decision<Allocated>> Allocate(AllocateCredits allocate, bool dryRun) => actors.Call((IAccount account) => account.Allocate(allocate, dryRun), id);

        public Task<Decision<Allocated>> Adjust(AdjustCredits adjust, bool dryRun) => actors.Call((IAccount account) => account.Adjust(adjust, dryRun), id);

        public Task WakeUp() => actors.Call((IAccount account) => account.WakeUp(), id);
    }

    private sealed class ServicesSettingsRef(LocalActors actors, ActorId id) : IServicesSettings
    {
        public Task<Decision<ServicesSettings>> Set(ServicesSettings settings, string actor) => actors.Call((IServicesSettings stored) => stored.Set(settings, actor), id);
    }
}
