using NodaTime;
using Orleans.Concurrency;

namespace CreditGrains.Grains;

/// <summary>The actors as grains: the interfaces are theirs, the key is the actor's.</summary>
public interface IContractGrain : IContract, IGrainWithStringKey
{
    /// <summary>Sets the contract's alarm clock to that instant of business time.</summary>
    [OneWay]
    Task Remind(Instant at);
}

public interface IAccountGrain : IAccount, IGrainWithStringKey
{
    /// <summary>Sets the account's alarm clock to that instant of business time.</summary>
    [OneWay]
    Task Remind(Instant at);
}

public interface IServicesSettingsGrain : IServicesSettings, IGrainWithStringKey;

public interface IUserGrain : IUser, IGrainWithStringKey;

public interface IAllocationGrain : IAllocation, IGrainWithStringKey
{
    /// <summary>Sets the allocation's alarm clock to that instant of business time.</summary>
    [OneWay]
    Task Remind(Instant at);
}

public interface IPlayerCreditGrain : IPlayerCredit, IGrainWithStringKey;

public interface IReportGrain : IReport, IGrainWithStringKey;
