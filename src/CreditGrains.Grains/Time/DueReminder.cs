using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>A grain's own reminder at its next due instant. It may be late, doubled or missed: it only makes visible what every command would do anyway (T3).</summary>
internal sealed class DueReminder(GrainServices services)
{
    /// <summary>The reminder's name.</summary>
    public const string Name = "due";

    private Instant? set;

    /// <summary>Rings at that instant of business time or a little later; null: no more. A test clock rings nobody: whoever moves it processes what falls due.</summary>
    public async Task Set<TGrain>(TGrain grain, Instant? due) where TGrain : IGrainBase, IRemindable
    {
        if (services.Clock is IMovableClock) return;
        if (due is { } at)
        {
            if (set == at) return;
            await grain.RegisterOrUpdateReminder(Name, services.Times.Wait(services.Clock.Now, at, grain.GrainContext.GrainId), services.Times.Period);
        }
        else if (await grain.GetReminder(Name) is { } reminder)
        {
            await grain.UnregisterReminder(reminder);
        }
        set = due;
    }

    /// <summary>After ringing: set to what comes next, or gone.</summary>
    public Task Rang<TGrain>(TGrain grain, Instant? next) where TGrain : IGrainBase, IRemindable
    {
        set = null;
        return Set(grain, next);
    }
}
