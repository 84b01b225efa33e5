using NodaTime;

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

    /// <summary>How long to wait for that instant: 0 to 30 days.</summary>
    internal TimeSpan Wait(Instant now, Instant at)
    {
        var wait = (at - now).ToTimeSpan() + (Jitter * Random.Shared.NextDouble());
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > Longest ? Longest : wait;
    }
}
