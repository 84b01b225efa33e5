using CreditGrains.Domain;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>Every grain by its key.</summary>
public static class GrainFactories
{
    public static IContractGrain Contract(this IGrainFactory grains, string contractId) => grains.GetGrain<IContractGrain>(contractId);

    public static IAllocationGrain Allocation(this IGrainFactory grains, AllocationKey key) => grains.GetGrain<IAllocationGrain>(key.ToString());

    public static IPlayerCreditsGrain PlayerCredits(this IGrainFactory grains, string clientId) => grains.GetGrain<IPlayerCreditsGrain>(clientId);

    public static IUserGrain User(this IGrainFactory grains, UserKey key) => grains.GetGrain<IUserGrain>(key.ToString());

    public static IAccountGrain Account(this IGrainFactory grains, string accountId) => grains.GetGrain<IAccountGrain>(accountId);

    public static IServicesSettingsGrain ServicesSettings(this IGrainFactory grains) => grains.GetGrain<IServicesSettingsGrain>(ServicesSettingsGrain.Id);
}

/// <summary>Messages that may be lost.</summary>
public static class Lost
{
    /// <summary>Whether an exception says that a message or its answer was lost, so that nobody knows whether it was carried out.</summary>
    public static bool Says(Exception exception) => exception is TimeoutException or OrleansException or ObjectDisposedException;
}
