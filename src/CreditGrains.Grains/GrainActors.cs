using CreditGrains.Domain;
using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>Reaches actors as grains, and reports what Orleans says when a message may be lost.</summary>
public sealed class GrainActors(IGrainFactory grains) : IActors, IWakeups
{
    private readonly Kind<IContractGrain> contracts = new(grains);
    private readonly Kind<IUserGrain> users = new(grains);
    private readonly Kind<IAllocationGrain> allocations = new(grains);
    private readonly Kind<IPlayerCreditGrain> players = new(grains);
    private readonly Kind<IReportGrain> reports = new(grains);
    private readonly Kind<IAccountGrain> accounts = new(grains);
    private readonly Kind<IServicesSettingsGrain> settings = new(grains);

    public IContract Contract(string contractId) => contracts[contractId];

    public IUser User(UserKey key) => users[key.ToString()];

    public IAllocation Allocation(AllocationKey key) => allocations[key.ToString()];

    public IPlayerCredit PlayerCredit(PlayerKey key) => players[key.ToString()];

    public IReport Report(ReportKey key) => reports[key.ToString()];

    public IAccount Account(string accountId) => accounts[accountId];

    public IServicesSettings ServicesSettings => settings[ServicesSettingsActor.Id];

    public bool IsLost(Exception exception) => exception is TimeoutException or OrleansException or ObjectDisposedException;

    public void Schedule(string contractId, Instant at) => contracts[contractId].Remind(at).Ignore();

    public void Schedule(AllocationKey allocation, Instant at) => allocations[allocation.ToString()].Remind(at).Ignore();

    public void ScheduleAccount(string accountId, Instant at) => accounts[accountId].Remind(at).Ignore();

    /// <summary>Grains of one kind; which class and interface that is, Orleans is asked once.</summary>
    private sealed class Kind<TGrain>(IGrainFactory grains) where TGrain : IGrainWithStringKey
    {
        private readonly Lazy<(GrainType Type, GrainInterfaceType Interface)> kind = new(() =>
        {
            var any = grains.GetGrain<TGrain>("any");
            return (any.GetGrainId().Type, ((GrainReference)(object)any).InterfaceType);
        });

        public TGrain this[string key] => (TGrain)grains.GetGrain(GrainId.Create(kind.Value.Type, key), kind.Value.Interface);
    }
}
