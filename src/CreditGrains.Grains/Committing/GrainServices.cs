using Orleans.Runtime;

namespace CreditGrains.Grains;

/// <summary>What every grain works with.</summary>
/// <param name="Time">Real time, for timeouts and retries (T4).</param>
public sealed record GrainServices(IGrainFactory Grains, IStore Store, IBusinessClock Clock, TimeProvider Time, GrainMetrics Metrics, ReminderTimes Times);

/// <summary>How much grains do at once.</summary>
public static class Limits
{
    /// <summary>The most commands of one commit.</summary>
    public const int MaxBatch = 256;

    /// <summary>How often a batch is decided side by side with others' commits. From then on it reads, decides and commits alone (R4).</summary>
    public const int MaxSharedAttempts = 2;

    /// <summary>How often a batch is tried in all before it is answered that the store is away.</summary>
    public const int MaxAttempts = 12;
}
