using CreditGrains.Domain;
using Microsoft.Extensions.Logging;
using NodaTime;
using Orleans.Runtime;
using Orleans.Timers;

namespace CreditGrains.Grains;

/// <summary>Looks once a minute for what is due and did not ring: a reminder lost between commit and registration (T3). One for all silos; its key is 0.</summary>
public interface ICaretakerGrain : IGrainWithIntegerKey
{
    /// <summary>Begins its rounds; where reminders do not outlive the process, registers those that ring before the next one. Again is harmless.</summary>
    Task Start();
}

/// <summary>What time will change next: the grain of this kind and key, at that instant.</summary>
public sealed record Upcoming(string Kind, string Key, Instant At)
{
    /// <summary>The kind of an allocation; contracts and accounts have those of their documents.</summary>
    public const string Allocation = "allocation";
}

/// <summary>All that will fall due, for a process whose reminders do not outlive it.</summary>
public interface IUpcoming
{
    /// <summary>Up to <paramref name="limit"/> of them, by instant, kind and key, behind <paramref name="after"/> and not after <paramref name="until"/>.</summary>
    Task<IReadOnlyList<Upcoming>> Upcoming(Upcoming after, Instant until, int limit);
}

/// <inheritdoc cref="ICaretakerGrain"/>
/// <param name="upcoming">null: reminders are kept outside the process.</param>
public sealed partial class CaretakerGrain(
    IGrainContext context, IGrainFactory grains, IReminderRegistry reminders, DueWork due, IBusinessClock clock, ReminderTimes times,
    ILogger<CaretakerGrain> log, IUpcoming? upcoming = null) : ICaretakerGrain, IGrainBase, IRemindable
{
    private const int PageSize = 1_000;

    private Task round = Task.CompletedTask;

    // What was due before this process began is for the first round; what is committed from then on registers its own reminder.
    private Upcoming registered = new("", "", clock.Now - Duration.FromTimeSpan(times.Jitter));

    public IGrainContext GrainContext => context;

    public async Task Start()
    {
        await RegisterNext();
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
            await RegisterNext();
            await due.Settle(times.Jitter);
        }
        catch (Exception e)
        {
            Failed(log, e);
        }
    }

    // By the grains' ids, so that nobody is activated for it; and only what rings before the round after the next, however much there is.
    private async Task RegisterNext()
    {
        if (upcoming is null || clock is IMovableClock) return;
        var until = clock.Now + Duration.FromTimeSpan(2 * times.Period);
        while (await upcoming.Upcoming(registered, until, PageSize) is { Count: > 0 } page)
        {
            await Task.WhenAll(page.Select(Register));
            registered = page[^1];
        }
    }

    private Task Register(Upcoming next)
    {
        var grain = Id(next);
        return reminders.RegisterOrUpdateReminder(grain, DueReminder.Name, times.Wait(clock.Now, next.At, grain), times.Period);
    }

    private GrainId Id(Upcoming next) => next.Kind switch
    {
        DocumentKind.Contract => grains.GetGrain<IContractGrain>(next.Key).GetGrainId(),
        DocumentKind.Account => grains.GetGrain<IAccountGrain>(next.Key).GetGrainId(),
        Upcoming.Allocation => grains.GetGrain<IAllocationGrain>(next.Key).GetGrainId(),
        var unknown => throw new InvariantException($"there is no grain of the kind {unknown}"),
    };

    [LoggerMessage(LogLevel.Warning, "What is due could not be processed; it is tried again within a minute")]
    private static partial void Failed(ILogger log, Exception e);
}
