using Microsoft.Extensions.DependencyInjection;
using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A grain's own reminder at its next due instant. It may be late, doubled or missed: it only makes visible what every command would do anyway (T3).</summary>
internal sealed class AlarmClock(ActorServices services)
{
    /// <summary>The reminder's name.</summary>
    public const string Name = "due";

    private Instant? set;

    /// <summary>Rings at that instant of business time or a little later. A test clock rings nobody: whoever moves it processes what falls due.</summary>
    public async Task Set<TGrain>(TGrain grain, Instant at) where TGrain : IGrainBase, IRemindable
    {
        if (set == at || services.Clock is IMovableClock) return;
        var times = grain.GrainContext.ActivationServices.GetRequiredService<ReminderTimes>();
        await grain.RegisterOrUpdateReminder(Name, times.Wait(services.Clock.Now, at), times.Period);
        set = at;
    }

    /// <summary>After ringing: set to what comes next, or gone.</summary>
    public async Task Rang<TGrain>(TGrain grain, Instant? next) where TGrain : IGrainBase, IRemindable
    {
        set = null;
        if (next is { } at) await Set(grain, at);
        else if (await grain.GetReminder(Name) is { } reminder) await grain.UnregisterReminder(reminder);
    }
}
