using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>A grain's own reminder at its next due instant. It may be late, doubled or missed: it only makes visible what every command would do anyway (T3).</summary>
internal sealed class DueReminder(IGrainContext context, GrainServices services)
{
    private const string Name = "due";

    // Orleans allows no shorter period; one that rings too early is set again.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1), Longest = TimeSpan.FromDays(30);

    // Spreads those that all fall due at one midnight; by the key, so that it is the same each time.
    private readonly TimeSpan jitter = TimeSpan.FromMilliseconds(context.GrainId.GetUniformHashCode() % 30_000);

    private Instant? set;

    /// <summary>Rings at that instant or up to 30 seconds later; null: no more.</summary>
    public async Task Set<TGrain>(TGrain grain, Instant? due) where TGrain : IGrainBase, IRemindable
    {
        if (due is { } at)
        {
            if (set == at && at > services.Clock.Now) return;
            var wait = (at - services.Clock.Now).ToTimeSpan() + jitter;
            await grain.RegisterOrUpdateReminder(Name, wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait, Period);
            set = at;
        }
        else if (await grain.GetReminder(Name) is { } reminder)
        {
            set = null;
            await grain.UnregisterReminder(reminder);
        }
    }
}
