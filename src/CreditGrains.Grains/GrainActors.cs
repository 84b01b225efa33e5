using CreditGrains.Actors;
using CreditGrains.Domain;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>Reaches actors as grains, and reports what Orleans says when a message may be lost.</summary>
public sealed class GrainActors(IGrainFactory grains) : IActors, IWakeups
{
    public IContract Contract(string contractId) => grains.GetGrain<IContractGrain>(contractId);

    public IUser User(UserKey key) => grains.GetGrain<IUserGrain>(key.ToString());

    public IAllocation Allocation(AllocationKey key) => grains.GetGrain<IAllocationGrain>(key.ToString());

    public IPlayerCredit PlayerCredit(PlayerKey key) => grains.GetGrain<IPlayerCreditGrain>(key.ToString());

    public IReport Report(ReportKey key) => grains.GetGrain<IReportGrain>(key.ToString());

    public bool IsLost(Exception exception) => exception is TimeoutException or Orleans.Runtime.OrleansException or ObjectDisposedException;

    public void Schedule(string contractId, Instant at) => grains.GetGrain<IContractGrain>(contractId).Remind(at).Ignore();
}
