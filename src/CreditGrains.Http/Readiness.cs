namespace CreditGrains.Http;

/// <summary>Whether this process wants to be asked: no longer once it is about to stop. While it starts nobody listens.</summary>
public sealed class Readiness
{
    private volatile string? reason;

    /// <summary>Why it does not; null: it does.</summary>
    internal string? Reason => reason;

    /// <summary>From now on it says that it is not ready, and still answers what it is asked.</summary>
    public void Leave() => reason = "This process is about to stop.";
}
