using NodaTime;

namespace CreditGrains.Grains;

/// <summary>A grain's own reminder at its next due instant. It may be late, doubled or missed: it only makes visible what every command would do anyway (T3).</summary>
internal sealed class AlarmClock(ActorServices services)
{
    private const string Name = "due";

    // Orleans allows no shorter period; what rings too early is set again.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1), Longest = TimeSpan.FromDays(30), Jitter = TimeSpan.FromSeconds(30);

    private Instant? set;

    /// <summary>Rings at that instant, a little later so that not all actors of one midnight ring at once.</summary>
    public async Task Set<TGrain>(TGrain grain, Instant at) where TGrain : IGrainBase, IRemindable
    {
        if (set == at) return;
        var wait = (at - services.Clock.Now).ToTimeSpan() + Jitter * Random.Shared.NextDouble();
        await grain.RegisterOrUpdateReminder(Name, wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait, Period);
        set = at;
    }

    /// <summary>After ringing: set to what comes next, or gone.</summary>
    public async Task Rang<TGrain>(TGrain grain, Instant? next) where TGrain : IGrainBase, IRemindable
    {
        if (next is { } at)
        {
            set = null;
            await Set(grain, at);
        }
        else if (await grain.GetReminder(Name) is { } reminder)
        {
            set = null;
            await grain.UnregisterReminder(reminder);
        }
    }
}
