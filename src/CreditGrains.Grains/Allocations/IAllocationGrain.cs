using CreditGrains.Domain;
using Orleans.Concurrency;

namespace CreditGrains.Grains;

/// <summary>What one user may use of one contract: serves reads of it, and commits the renewals of a user who is idle; its key is an <see cref="AllocationKey"/>.</summary>
public interface IAllocationGrain : IGrainWithStringKey
{
    /// <summary>The user's row as it is at this moment (T3); null: no such contract or user.</summary>
    Task<AllocationRow?> Read();

    /// <summary>Tells of the user's row after a commit of the contract; one older than the one known is ignored.</summary>
    [OneWay]
    Task Note(Member row);

    /// <summary>Books the renewals that fell due (T3), and sets the reminder of the next.</summary>
    Task WakeUp();
}
