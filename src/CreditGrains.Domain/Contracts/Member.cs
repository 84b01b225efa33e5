using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A user of a contract (C3), and what the user may use of it.</summary>
/// <param name="Disabled">For all contracts of the client; the user's own row says so.</param>
public sealed record Member(string UserId, string Name, bool Assigned, bool Disabled = false)
{
    public Allocation Allocation { get; init; } = Allocation.None;

    /// <summary>The latest effective instant that changed this row or the user's: nothing that rests on it is decided before.</summary>
    public Instant AsOf { get; init; } = Instant.MinValue;

    /// <summary>Its fence: rises with every change; 0: there is no row.</summary>
    public long Version { get; init; }

    /// <summary>The version of the user's own row, which says whether the user is disabled; 0: there is none.</summary>
    public long UserVersion { get; init; }
}

/// <summary>A member's row as it now is; whether the user is disabled is not part of it.</summary>
/// <param name="DueAt">When a renewal will next change it; null: never, or nothing was used of the cycle.</param>
/// <param name="Expected">The version that it must have had; 0: it must not have been there.</param>
public sealed record MemberChange(string ContractId, string ClientId, Member Member, Instant? DueAt, long Expected) : Change
{
    public RowKey Row => RowKey.Member(ContractId, Member.UserId);

    /// <summary>A member's row as it is from now on; <paramref name="before"/> null: it must not have been there.</summary>
    public static MemberChange Of(Terms terms, Member? before, Member after, Instant now) => new(
        terms.ContractId, terms.ClientId, after with { AsOf = Instant.Max(now, after.AsOf), Version = (before?.Version ?? 0) + 1 },
        after.Allocation.NextDue(terms), before?.Version ?? 0);

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
