using NodaTime;

namespace CreditGrains.Domain;

/// <summary>What holds a client's credits and is changed by time: a contract or an account.</summary>
public interface ICreditHolder<TSelf>
{
    string ClientId { get; }

    /// <summary>The last instant at which something was decided; time never goes back behind it.</summary>
    Instant AsOf { get; }

    /// <summary>When time will next change it by itself; null: never.</summary>
    Instant? NextDue { get; }

    /// <summary>What time does (T3), each change at its own instant.</summary>
    Changed<TSelf> RollForward(Instant now);
}
