using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A holder of a client's credits that time changes: a contract or an account.</summary>
public interface ICreditHolder<TSelf>
{
    string ClientId { get; }

    /// <summary>The instant of the last decision; no later decision is made as of an earlier instant.</summary>
    Instant AsOf { get; }

    /// <summary>When time will next change it; null: never.</summary>
    Instant? NextDue { get; }

    /// <summary>Books everything that fell due by now, each at its own instant (T3).</summary>
    Changed<TSelf> RollForward(Instant now);
}
