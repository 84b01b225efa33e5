using Microsoft.Extensions.Logging;
using NodaTime;
using Orleans.Runtime;
using Orleans.Timers;

namespace CreditGrains.Grains;

/// <summary>Looks once a minute for what is due and did not ring: a reminder lost between commit and registration (T3). One for all silos; its key is 0.</summary>
public interface ICaretakerGrain : IGrainWithIntegerKey
{
    /// <summary>Begins its rounds; where reminders do not outlive the process, registers those of all that will fall due. Again is harmless.</summary>
    Task Start();
}

/// <summary>Something that time will change: the grain of this kind and key, at that instant.</summary>
public sealed record Appointment(string Kind, string Key, Instant At)
{
    /// <summary>The kind of an allocation; contracts and accounts have those of their documents.</summary>
    public const string Allocation = "allocation";
}

/// <summary>All that will fall due, for a process whose reminders do not outlive it.</summary>
public interface IAppointments
{
    /// <summary>Up to <paramref name="limit"/> of them, by instant, kind and key, behind <paramref name="after"/>.</summary>
    Task<IReadOnlyList<Appointment>> Appointments(Appointment after, int limit);
}

/// <inheritdoc cref="ICaretakerGrain"/>
/// <param name="appointments">null: reminders are kept outside the process.</param>
public sealed partial class CaretakerGrain(
    IGrainContext context, IGrainFactory grains, IReminderRegistry reminders, DueWork due, IBusinessClock clock, ReminderTimes times,
    ILogger<CaretakerGrain> log, IAppointments? appointments = null) : ICaretakerGrain, IGrainBase, IRemindable
{
    private const int PageSize = 1_000;

    private Task round = Task.CompletedTask;

    public IGrainContext GrainContext => context;

    public async Task Start()
    {
        if (appointments is not null && clock is not IMovableClock) await RegisterAll(appointments);
        await this.RegisterOrUpdateReminder("round", TimeSpan.Zero, times.Period);
    }

    // A long round is no call that times out: the next ring finds it still under way.
    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (round.IsCompleted) round = Round();
        return Task.CompletedTask;
    }

    private async Task Round()
    {
        try
        {
            await due.Settle(times.Jitter);
        }
        catch (Exception e)
        {
            Failed(log, e);
        }
    }

    // By the grains' ids: nobody is activated for it. What was due before is for the first round.
    private async Task RegisterAll(IAppointments appointments)
    {
        var last = new Appointment("", "", clock.Now - Duration.FromTimeSpan(times.Jitter));
        while (await appointments.Appointments(last, PageSize) is { Count: > 0 } page)
        {
            await Task.WhenAll(page.Select(Register));
            last = page[^1];
        }
    }

    private Task Register(Appointment appointment) =>
        reminders.RegisterOrUpdateReminder(Id(appointment), AlarmClock.Name, times.Wait(clock.Now, appointment.At), times.Period);

    private GrainId Id(Appointment appointment) => appointment.Kind switch
    {
        ContractActor.Kind => grains.GetGrain<IContractGrain>(appointment.Key).GetGrainId(),
        AccountActor.Kind => grains.GetGrain<IAccountGrain>(appointment.Key).GetGrainId(),
        Appointment.Allocation => grains.GetGrain<IAllocationGrain>(appointment.Key).GetGrainId(),
        var unknown => throw new Domain.InvariantException($"there is no grain of the kind {unknown}"),
    };

    [LoggerMessage(LogLevel.Warning, "What is due could not be processed; it is tried again within a minute")]
    private static partial void Failed(ILogger log, Exception e);
}
