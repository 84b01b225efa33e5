using CreditGrains.Domain;
using NodaTime;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <inheritdoc cref="IContract"/>
[Reentrant]
public sealed class ContractGrain(IGrainContext context, ActorServices services)
    : ContractActor(services, context.GrainId.Key.ToString()!), IContractGrain, IGrainBase, IRemindable
{
    private readonly AlarmClock alarm = new(services);

    public IGrainContext GrainContext => context;

    public Task Remind(Instant at) => alarm.Set(this, at);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        var next = await LookAhead();
        if (next.IsSettled) await alarm.Rang(this, next.Answer);
    }
}

/// <inheritdoc cref="IAccount"/>
[Reentrant]
public sealed class AccountGrain(IGrainContext context, ActorServices services)
    : AccountActor(services, context.GrainId.Key.ToString()!), IAccountGrain, IGrainBase, IRemindable
{
    private readonly AlarmClock alarm = new(services);

    public IGrainContext GrainContext => context;

    public Task Remind(Instant at) => alarm.Set(this, at);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        var next = await LookAhead();
        if (next.IsSettled) await alarm.Rang(this, next.Answer);
    }
}

/// <inheritdoc cref="IServicesSettings"/>
[Reentrant]
public sealed class ServicesSettingsGrain(IGrainContext context, ActorServices services) : ServicesSettingsActor(services), IServicesSettingsGrain, IGrainBase
{
    public IGrainContext GrainContext => context;
}

/// <inheritdoc cref="IUser"/>
[Reentrant]
public sealed class UserGrain(IGrainContext context, ActorServices services)
    : UserActor(services, UserKey.Parse(context.GrainId.Key.ToString()!)), IUserGrain, IGrainBase
{
    public IGrainContext GrainContext => context;
}

/// <inheritdoc cref="IAllocation"/>
[Reentrant, PreferLocalPlacement]
public sealed class AllocationGrain(IGrainContext context, ActorServices services)
    : AllocationActor(services, AllocationKey.Parse(context.GrainId.Key.ToString()!)), IAllocationGrain, IGrainBase, IRemindable
{
    private readonly AlarmClock alarm = new(services);

    public IGrainContext GrainContext => context;

    public Task Remind(Instant at) => alarm.Set(this, at);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await WakeUp();
        await alarm.Rang(this, (await Book())?.NextDue);
    }
}

/// <inheritdoc cref="IPlayerCredit"/>
[Reentrant, PreferLocalPlacement]
public sealed class PlayerCreditGrain(IGrainContext context, ActorServices services)
    : PlayerCreditActor(services, PlayerKey.Parse(context.GrainId.Key.ToString()!)), IPlayerCreditGrain, IGrainBase
{
    public IGrainContext GrainContext => context;
}

/// <inheritdoc cref="IReport"/>
[Reentrant, PreferLocalPlacement]
public sealed class ReportGrain(IGrainContext context, ActorServices services)
    : ReportActor(services, ReportKey.Parse(context.GrainId.Key.ToString()!)), IReportGrain, IGrainBase
{
    public IGrainContext GrainContext => context;
}
