using NodaTime;

namespace CreditGrains.Domain;

/// <summary>A user of a contract (C3), and the user's allocation there.</summary>
/// <param name="Name">The user's one name. It is read from the user's own row and not part of this one.</param>
/// <param name="Assigned">false: removed; the row stays.</param>
/// <param name="Disabled">For all contracts of the client. It is read from the user's own row, too.</param>
public sealed record Member(string UserId, string Name, bool Assigned, bool Disabled = false)
{
    public Allocation Allocation { get; init; } = Allocation.None;

    /// <summary>The latest effective instant that changed this row or the user's own: no decision that rests on it is made as of an earlier instant.</summary>
    public Instant AsOf { get; init; } = Instant.MinValue;

    /// <summary>The row's fence: rises with every change; 0: there is no row.</summary>
    public long Version { get; init; }

    /// <summary>The version of the user's own row, from which <see cref="Name"/> and <see cref="Disabled"/> were read; 0: there is none.</summary>
    public long UserVersion { get; init; }

    /// <summary>Who last assigned, renamed, removed, disabled or enabled the user, or changed settings or extra credits, and when (A10).</summary>
    public LastChange? LastChange { get; init; }
}

/// <summary>Who changed something last, and when.</summary>
public sealed record LastChange(string Actor, Instant At);

/// <summary>A member's row as it now is, without <see cref="Member.Name"/> and <see cref="Member.Disabled"/>.</summary>
/// <param name="DueAt">When a renewal will next change it; null: never, or nothing has been used of the cycle.</param>
/// <param name="Expected">The version it must have before; 0: it must not exist.</param>
public sealed record MemberChange(string ContractId, string ClientId, Member Member, Instant? DueAt, long Expected) : Change
{
    public RowKey Row => RowKey.Member(ContractId, Member.UserId);

    /// <summary>The change of a member's row to <paramref name="after"/>, in its next version; <paramref name="before"/> null: there was no row.</summary>
    public static MemberChange Of(Terms terms, Member? before, Member after, Instant now)
    {
        var expected = before?.Version ?? 0;
        var row = after with { AsOf = Instant.Max(now, after.AsOf), Version = expected + 1 };
        return new(terms.ContractId, terms.ClientId, row, after.Allocation.NextDue(terms), expected);
    }

    public override void Accept(IChangeVisitor visitor) => visitor.Visit(this);
}
