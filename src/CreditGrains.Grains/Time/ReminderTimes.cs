using NodaTime;
using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>When reminders ring.</summary>
/// <param name="Jitter">The most by which one rings after its instant, so that not all grains of one midnight ring at once; more than 0.</param>
public sealed record ReminderTimes(TimeSpan Jitter)
{
    /// <summary>For several silos, which share one table of reminders.</summary>
    public static readonly ReminderTimes Cluster = new(TimeSpan.FromSeconds(30));

    /// <summary>For one silo, whose reminders are in its memory.</summary>
    public static readonly ReminderTimes Embedded = new(TimeSpan.FromSeconds(1));

    // A reminder that is further away is registered again when it rings.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>How often one rings again that nobody has changed, and how often the caretaker looks; Orleans allows no less than a minute by default.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a grain waits for that instant: 0 to 30 days. Each grain's share of the jitter is always the same.</summary>
    internal TimeSpan Wait(Instant now, Instant at, GrainId grain)
    {
        var wait = (at - now).ToTimeSpan() + (Jitter * (grain.GetUniformHashCode() / (double)uint.MaxValue));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait;
    }
}
